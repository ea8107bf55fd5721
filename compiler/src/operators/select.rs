//! `.select(a, b: expr)`: make a new record of fields and expressions.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;

/// `.select(a, b: expr)`
pub(super) const ENTRY: Entry = Entry {
    name: "select",
    title: "Makes a new record of fields and expressions; `ts` is kept.",
    arguments: "(field, name: expression, …)",
    doc: "Keys of the partition stay keys even when the new record leaves them out.",
    example: "stream Value = Trade.select(symbol, value: price * volume)",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if op.args.is_empty() {
        let d = Diagnostic::new(Code::MissingArgument, op.name.span, "`.select` needs a field");
        a.report(d.help("as in `.select(symbol, value: price * volume)`"));
    }
    let fields = a.fields(b, &op.args, &[]);
    a.project(b, fields, op.span);
}
