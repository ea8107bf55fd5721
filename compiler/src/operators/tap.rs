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
    arguments: "(counter: \"name\", labels: [field, …]) · (log: \"text\", sample: 0.01)",
    doc: "Counters stand in the summary; with labels there is one for each of their values that occurs, as `name{region=\"eu\"}`, up to 10,000 of them; what comes of others is counted together, as `name{…}`. A sample of 0.01 takes every hundredth record, beginning with the first: the same ones in every run.",
    example: "stream Big = Trade.where(volume > 1000).tap(counter: \"large\").emit(symbol)",
    order: Order::Any,
    memory: "8 B, or values of the labels × (text + counter)",
    analyze: Some(analyze),
};

/// The text of a record's labels, such as `region="eu",kind="a"`.
fn label(a: &mut Analyzer<'_>, b: &StreamBuilder, labels: &ast::Expr) -> Option<Expr> {
    let span = labels.span;
    let names =
        if let ast::ExprKind::Array(items) = &labels.kind { items.iter().map(|item| Some((name_of(item)?, item))).collect::<Option<Vec<_>>>() } else { None };
    let Some(names) = names.filter(|names| !names.is_empty()) else {
        a.report(Diagnostic::new(Code::BadArgument, span, "labels are fields, in brackets").help("as in `labels: [region, kind]`"));
        return None;
    };
    let mut text: Option<Expr> = None;
    for (name, item) in names {
        let value = a.in_scope(b, |a, scope| a.expr(item, scope));
        let is_text = !value.ty.is_number();
        let mut value = a.text_of(value, item.span);
        if is_text {
            // A quote in a value ends nothing.
            let text = |text: &str| Expr::literal(Literal::Str(text.to_owned()), Type::STR, item.span);
            value = a.run_time_function("replace", item.span, vec![value, text("\""), text("\\\"")], item.span);
        }
        let begin = if text.is_none() { format!("{name}=\"") } else { format!("\",{name}=\"") };
        let begin = Expr::literal(Literal::Str(begin), Type::STR, item.span);
        let before = match text {
            None => begin,
            Some(text) => a.concat(text, begin, span),
        };
        text = Some(a.concat(before, value, span));
    }
    let end = Expr::literal(Literal::Str("\"".to_owned()), Type::STR, span);
    text.map(|text| a.concat(text, end, span))
}

/// What a label is called: a field, or a part of a record.
fn name_of(e: &ast::Expr) -> Option<&str> {
    match &e.kind {
        ast::ExprKind::Name(name) => Some(name),
        ast::ExprKind::Member { name, .. } => Some(&name.text),
        _ => None,
    }
}

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &["counter", "labels", "log", "sample"], 0, 0) {
        return;
    }
    let counter = a.named(op, "counter");
    let log = a.named(op, "log");
    if let Some(e) = counter {
        let Some(name) = a.constant_text(e, "a counter's name") else { return };
        let observation = match a.named(op, "labels") {
            Some(labels) => {
                let Some(label) = label(a, b, labels) else { return };
                Observation::CountBy { name, label }
            }
            None => Observation::Count(name),
        };
        a.chain(b, NodeKind::Observe { input: b.node, observation }, op.span);
    } else if let Some(labels) = a.named(op, "labels") {
        a.report(Diagnostic::new(Code::MissingArgument, labels.span, "labels belong to a counter").help("as in `.tap(counter: \"large\", labels: [region])`"));
        return;
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
