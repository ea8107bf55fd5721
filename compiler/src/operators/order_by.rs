//! `.order_by(expr, …)` and `.collect()`: what a window fires at one moment, ordered, or as one array.

use super::{Entry, Order, top_k};
use crate::analysis::rows::collected;
use crate::analysis::scope::Scope;
use crate::analysis::typed::{Expr, Place};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeId, NodeKind, Plan, Policy, Rank, Schema, Window};
use crate::syntax::ast::{self, ArgValue, SortOrder};

/// `.order_by(expr, …)`
pub(super) const ENTRY: Entry = Entry {
    name: "order_by",
    title: "Orders the rows of one window firing, those of all keys.",
    arguments: "(expr [asc|desc], …)",
    doc: "Stands behind the `.aggregate` of a window of time, with conditions and projections in between. The smallest comes first, or the largest with `desc`; where rows are equal by the first expression the next counts, and where they are by all, the order of the window stays. Null and NaN come last either way.",
    example: "stream Busiest = Trade.partition_by(symbol).window(1m).aggregate(n: count()).order_by(n desc, symbol)",
    order: Order::Time,
    memory: "rows of one firing × (captures + 4 B)",
    analyze: Some(order_by),
};

/// `.collect()`
pub(super) const COLLECT: Entry = Entry {
    name: "collect",
    title: "The rows of one window firing, those of all keys, as one array.",
    arguments: "()",
    doc: "Stands behind the `.aggregate` of a window of time, or its `.order_by`, with conditions and projections in between. The record that it makes has one field, `rows`: an array of records of the rows' fields.",
    example: "stream Report = Trade.partition_by(symbol).window(1m).aggregate(n: count()).order_by(n desc).collect()",
    order: Order::Time,
    memory: "rows of one firing × fields",
    analyze: Some(collect),
};

/// What fires at one moment has one `ts`.
const MOMENT: Window = Window::Tumbling { size: 1, offset: 0 };

fn order_by<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !of_window(a, b, op) {
        return;
    }
    if op.args.is_empty() {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.order_by` needs to know by what").help("as in `.order_by(n desc)`"));
        return;
    }
    let schema = a.schema(b.node);
    let mut by = vec![];
    for arg in &op.args {
        let (None, ArgValue::Expr(e, order)) = (&arg.name, &arg.value) else {
            a.report(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression to order by").help("as in `.order_by(n desc, symbol)`"));
            return;
        };
        let mut expr = a.expr(e, &mut Scope::record(b.record(schema.clone())));
        if !top_k::ranks(a, &mut expr) {
            return;
        }
        by.push(Rank { by: expr, descending: *order == Some(SortOrder::Descending) });
    }
    let (name, columns) = (b.name.clone(), schema.places(op.span));
    let sorted = NodeKind::TopK { input: b.node, keys: vec![], key_columns: vec![], by, count: i64::MAX, window: MOMENT };
    let sorted = a.add_node(sorted, Schema::default(), &name, op.span);
    b.node = a.add_node(NodeKind::Project { input: sorted, columns }, schema, &name, op.span);
}

fn collect<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &[], 0, 0) || !of_window(a, b, op) {
        return;
    }
    let schema = a.schema(b.node);
    let visible = || schema.columns.iter().enumerate().filter(|(_, c)| !c.hidden);
    let values = visible().map(|(field, c)| Expr::place(Place::Field { input: 0, field }, c.ty.clone(), op.span)).collect();
    let names: Vec<&str> = visible().map(|(_, c)| c.name.as_str()).collect();
    let call = collected(&names, values, op.span);
    let (name, ty) = (b.name.clone(), call.ty.clone());
    let all = NodeKind::Window { input: b.node, keys: vec![], key_columns: vec![], window: MOMENT, policy: Policy::Watermark, aggregates: vec![call] };
    b.node = a.add_node(all, Schema::default(), &name, op.span);
    (b.firing, b.inputs, b.keys) = (Some(b.node), vec![], vec![]);
    a.project(b, vec![("rows".to_owned(), Expr::place(Place::Aggregate(0), ty, op.span))], op.span);
}

/// Whether the stream has what a window of time fired; a message says what it needs if not.
fn of_window(a: &mut Analyzer<'_>, b: &mut StreamBuilder, op: &ast::Op) -> bool {
    a.need_record(b);
    let fine = fired_by_window(&a.plan, b.node);
    if !fine {
        let message = format!("`.{}` takes the rows of one window firing, and this stream has none", op.name.text);
        a.report(Diagnostic::new(Code::OperatorNeedsWindow, op.name.span, message).help("put it behind `.window(…)` of time and `.aggregate(…)`"));
    }
    fine
}

fn fired_by_window(plan: &Plan, node: NodeId) -> bool {
    match &plan.node(node).kind {
        NodeKind::Window { window, .. } => {
            matches!(window, Window::Tumbling { .. } | Window::Sliding { .. } | Window::Cumulating { .. } | Window::Late { .. } | Window::Session { .. })
        }
        NodeKind::TopK { .. } => true,
        NodeKind::Filter { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::Observe { input, .. }
        | NodeKind::Distinct { input, .. }
        | NodeKind::Limit { input, .. }
        | NodeKind::Lag { input, .. } => fired_by_window(plan, *input),
        NodeKind::Source { .. }
        | NodeKind::Timer { .. }
        | NodeKind::Errors
        | NodeKind::Process { .. }
        | NodeKind::Merge { .. }
        | NodeKind::Pattern(_)
        | NodeKind::Join { .. } => false,
    }
}
