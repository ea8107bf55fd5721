//! `.on_error(e => {a: x, b: y})`: go on with a record in place of the one that could not be computed.

use super::map::makes_record;
use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;

/// `.on_error(e => {…})`
pub(super) const ENTRY: Entry = Entry {
    name: "on_error",
    title: "Handles evaluation errors of the stream so far.",
    arguments: "(e => {name: expression, …})",
    doc: "Where something in front of it in the stream is refused, the stream goes on with the record that the function makes, at the same `ts`; nothing goes to the \
          error output. `e.reason`, `e.expression` and `e.line` say what was refused, `e.record` is the record, an `any`, as the error output has it: an event with all of its fields. A field that \
          one kind of record lacks may be null.",
    example: "stream Share = Trade.select(symbol, share: volume / total).on_error(e => {symbol: json_get(e.record, \"symbol\"), why: e.reason})",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if op.args.len() != 1 || !op.args.iter().all(makes_record) {
        a.report(
            Diagnostic::new(Code::BadArgument, op.name.span, "`.on_error` takes a function that makes a record of the error")
                .help("as in `.on_error(e => {failed: e.reason})`, and `.where(failed is null)` behind it for the records without an error"),
        );
        return;
    }
    a.handle_errors(b, op);
}
