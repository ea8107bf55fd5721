//! `.tap(counter: "name")`, `.tap(log: "x", sample: 0.01)`: count or sample records on their way.

use super::{Entry, Order};
use crate::analysis::typed::{Expr, Literal};
use crate::analysis::types::Type;
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeKind, Observation};
use crate::syntax::ast;

/// `.tap(…)`
pub(super) const ENTRY: Entry = Entry {
    name: "tap",
    title: "Counts records, or writes a sample of them; the record goes on unchanged.",
    arguments: "(counter: \"name\") · (log: \"text\", sample: 0.01)",
    doc: "Counters stand in the summary. A sample of 0.01 takes every hundredth record, beginning with the first: the same ones in every run.",
    example: "stream Big = Trade.where(volume > 1000).tap(counter: \"large\").emit(symbol)",
    order: Order::Any,
    memory: "8 B",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if let Some(e) = a.named(op, "labels") {
        a.not_compiled(e.span, "`labels:`", "a counter has a name");
        return;
    }
    if !a.check_args(op, &["counter", "log", "sample"], 0, 0) {
        return;
    }
    let counter = a.named(op, "counter");
    let log = a.named(op, "log");
    if let Some(e) = counter {
        let Some(name) = a.constant_text(e, "a counter's name") else { return };
        a.chain(b, NodeKind::Observe { input: b.node, observation: Observation::Count(name) }, op.span);
    }
    if let Some(e) = log {
        let every = match a.named(op, "sample") {
            Some(s) => match a.constant(s).as_ref().and_then(Expr::as_literal) {
                Some(Literal::Float(f)) if *f > 0.0 && *f <= 1.0 => (1.0 / f).round() as i64,
                Some(Literal::Int(1)) => 1,
                _ => {
                    a.report(Diagnostic::new(Code::BadArgument, s.span, "a sample is a share above 0 and up to 1"));
                    return;
                }
            },
            None => 1,
        };
        let label = Expr::literal(Literal::Str(format!("[tap] {}:", b.name)), Type::STR, op.span);
        let text = a.in_scope(b, |a, scope| a.expr(e, scope));
        let text = a.line(vec![label, text], op.span);
        a.chain(b, NodeKind::Observe { input: b.node, observation: Observation::Sample { text, every } }, op.span);
    }
    if counter.is_none() && log.is_none() {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.tap` needs `counter:` or `log:`"));
    }
}
