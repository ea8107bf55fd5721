//! `.process(f(…))`: what a function emits for each record.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::syntax::ast;

/// `.process(f(…))`
pub(super) const ENTRY: Entry = Entry {
    name: "process",
    title: "Calls a function for each record; the stream goes on with the records that it emits.",
    arguments: "(f(…))",
    doc: "The function emits any number of records of one type: `emit Pixel(x: 1)`. They have the `ts` of the record that it was called for, and the type's \
          name in the output; keys of the partition stay keys. An evaluation error ends the call, and what was emitted before stays.",
    example: "fn parts(count: int):\n    for i in 0..count:\n        emit Part(number: i)\nevent Order:\n    count: int\nstream Parts = Order.process(parts(count))",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    // What a pattern or a join fires is read by its members' names; a window's rows are records.
    if b.inputs.is_empty() {
        a.need_record(b);
    }
    if !a.check_args(op, &[], 1, 1) {
        return;
    }
    let Some(e) = a.positional(op).first().copied() else { return };
    if let Some(process) = a.in_scope(b, |a, scope| a.process_call(e, scope)) {
        a.processed(b, process, op.span);
    }
}
