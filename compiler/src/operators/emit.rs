//! `.emit(a, b: expr)`: make a new record and publish it.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::syntax::ast;

/// `.emit(a, b: expr)`
pub(super) const ENTRY: Entry = Entry {
    name: "emit",
    title: "Makes a new record and publishes it; without arguments, publishes all fields.",
    arguments: "(field, name: expression, …)",
    doc: "The record's type name is the stream's, or `Type` in `.emit as Type (…)`.",
    example: "stream Big = Trade.where(volume > 1000).emit(symbol, value: price * volume)",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if let Some(arg) = op.args.iter().find(|x| x.name.as_ref().is_some_and(|n| n.text == "context")) {
        a.not_compiled(arg.span, "`context:`", "every stream runs in the default context");
    }
    if op.args.is_empty() {
        a.need_record(b);
    } else {
        let fields = a.fields(b, &op.args, &["context"]);
        a.project(b, fields, op.span);
    }
    b.emitted = Some(op.as_type.as_ref().map_or_else(|| b.name.clone(), |t| t.text.clone()));
}
