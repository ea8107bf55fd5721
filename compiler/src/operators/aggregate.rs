//! `.aggregate(name: expr)`: what a window computes.

use std::collections::HashMap;

use super::{Entry, Order};
use crate::analysis::scope::Local;
use crate::analysis::typed::{Expr, Place};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeKind, Window};
use crate::syntax::ast;

/// `.aggregate(name: expr)`
pub(super) const ENTRY: Entry = Entry {
    name: "aggregate",
    title: "Computes aggregates over a window's records.",
    arguments: "(name: expression of aggregates, …)",
    doc: "Entries may combine aggregates, keys, constants and earlier entries. The record is the keys (unless an entry has their name), then the entries. Every aggregate takes `where:`.",
    example: "stream V = Trade.partition_by(symbol).window(1m).aggregate(vwap: sum(price * volume) / sum(volume))",
    order: Order::Time,
    memory: "per key and open window, a few numbers per aggregate; all values for median, percentile and collect; the different ones for count_distinct and collect_distinct",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !matches!(a.current_firing(b), Some(NodeKind::Window { .. })) {
        a.report(Diagnostic::new(Code::OperatorNeedsWindow, op.name.span, "`.aggregate` needs a window").help("put `.window(…)` in front of it"));
        return;
    }
    let mut scope = a.scope(b);
    let mut entries: Vec<(String, Expr)> = vec![];
    let mut seen = HashMap::new();
    for arg in &op.args {
        let Some(e) = a.arg_expr(arg) else { continue };
        let Some(name) = &arg.name else {
            a.report(Diagnostic::new(Code::BadArgument, arg.span, "an aggregate needs a name").help("as in `n: count()`"));
            continue;
        };
        let value = a.expr(e, &mut scope);
        let value = a.without_state(value);
        if a.is_new_field(&mut seen, &name.text, name.span, value.span) {
            scope.locals.push(Local::new(&name.text, value.clone()));
            entries.push((name.text.clone(), value));
        }
    }
    if op.args.is_empty() {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.aggregate` needs at least one entry").help("as in `.aggregate(n: count())`"));
    }
    a.keep_aggregates(b, scope);
    let mut fields = vec![];
    for (i, key) in b.keys.iter().enumerate() {
        if !seen.contains_key(&key.column.name) {
            fields.push((key.column.name.clone(), Expr::place(Place::Key(i), key.column.ty.clone(), op.span)));
        }
    }
    fields.extend(entries);
    if let Some(NodeKind::Window { window, .. }) = a.current_firing(b)
        && window.updates()
        && !seen.contains_key("is_update")
    {
        let late = matches!(window, Window::Late { .. });
        fields.push(("is_update".to_owned(), a.is_update(late, op.span)));
    }
    a.project(b, fields, op.span);
}
