//! `.log(level:, message:, data:)`: write a structured line for every record.

use super::{Entry, Order};
use crate::analysis::typed::{Expr, Literal};
use crate::analysis::types::Type;
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeKind, Observation};
use crate::syntax::ast;

/// `.log(…)`
pub(super) const ENTRY: Entry = Entry {
    name: "log",
    title: "Writes a line with a level to standard error for every record; the record goes on unchanged.",
    arguments: "(level: \"info\", message: text, data: expression)",
    doc: "The level is one of trace, debug, info, warn, error.",
    example: "stream Big = Trade.where(volume > 1000).log(level: \"warn\", message: f\"large: {symbol}\").emit(symbol)",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &["level", "message", "data"], 0, 1) {
        return;
    }
    let level = match a.named(op, "level") {
        Some(e) => match a.constant_text(e, "a level") {
            Some(l) if ["trace", "debug", "info", "warn", "error"].contains(&l.as_str()) => l,
            Some(_) => {
                a.report(Diagnostic::new(Code::BadArgument, e.span, "a level is one of trace, debug, info, warn, error"));
                return;
            }
            None => return,
        },
        None => "info".to_owned(),
    };
    let mut exprs = a.positional(op);
    exprs.extend(a.named(op, "message"));
    exprs.extend(a.named(op, "data"));
    let mut parts = vec![Expr::literal(Literal::Str(format!("[{level}] {}:", b.name)), Type::STR, op.span)];
    for e in exprs {
        parts.push(a.in_scope(b, |a, scope| a.expr(e, scope)));
    }
    let line = a.line(parts, op.span);
    a.chain(b, NodeKind::Observe { input: b.node, observation: Observation::Print(line) }, op.span);
}
