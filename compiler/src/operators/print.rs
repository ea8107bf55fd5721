//! `.print(…)`: write a line to standard error for every record.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::plan::logical::{NodeKind, Observation};
use crate::syntax::ast;

/// `.print(…)`
pub(super) const ENTRY: Entry = Entry {
    name: "print",
    title: "Writes a line to standard error for every record; the record goes on unchanged.",
    arguments: "(expression, …)",
    doc: "Values are separated by a blank. An f-string says it best.",
    example: "stream Big = Trade.where(volume > 1000).print(f\"{symbol}: {volume}\").emit(symbol)",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &[], 1, usize::MAX) {
        return;
    }
    let exprs = a.positional(op);
    let parts = exprs.iter().map(|e| a.in_scope(b, |a, scope| a.expr(e, scope))).collect();
    let line = a.line(parts, op.span);
    a.chain(b, NodeKind::Observe { input: b.node, observation: Observation::Print(line) }, op.span);
}
