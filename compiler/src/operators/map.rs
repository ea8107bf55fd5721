//! `.map(e => {a: x, b: y})`: make a new record.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{self, ArgValue, ExprKind};

/// `.map(e => {…})`
pub(super) const ENTRY: Entry = Entry {
    name: "map",
    title: "Makes a new record by a function of the old one; `ts` is kept.",
    arguments: "(e => {name: expression, …})",
    doc: "The same as `.select`, with a name for the record.",
    example: "stream Value = Trade.map(t => {symbol: t.symbol, value: t.price * t.volume})",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if op.args.len() != 1 || !op.args.iter().all(makes_record) {
        a.report(
            Diagnostic::new(Code::BadArgument, op.name.span, "`.map` takes a function that makes a record")
                .help("as in `.map(e => {symbol: e.symbol, value: e.price * 2})`"),
        );
        return;
    }
    let fields = a.fields(b, &op.args, &[]);
    a.project(b, fields, op.span);
}

/// Whether an argument is a function whose body is a record.
pub(super) fn makes_record(arg: &ast::Arg) -> bool {
    matches!(&arg.value, ArgValue::Expr(e, None) if matches!(&e.kind, ExprKind::Lambda { params, body } if params.len() == 1 && matches!(body.kind, ExprKind::Map(_))))
}
