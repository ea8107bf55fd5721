//! `.top_k(n, by: expr)`: the records of a window that rank highest.

use super::{Entry, Order};
use crate::analysis::scope::Scope;
use crate::analysis::typed::Expr;
use crate::analysis::types::Kind;
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeId, NodeKind, Policy, Rank, Window};
use crate::syntax::ast;

/// `.top_k(n, by: expr)`
pub(super) const ENTRY: Entry = Entry {
    name: "top_k",
    title: "Passes the n records of each window, per key of the partition, that rank highest.",
    arguments: "(n, by: expression)",
    doc: "Stands behind `.window(…)` of time, in place of `.aggregate`. When the window ends, its records come from the highest to the lowest; of equal ones the earlier ranks higher, null and NaN rank lowest. Their `ts` is that of the window's end less 1 ns; all their fields can be read, `window_start` and `window_end` too, and behind an alias their own time: `Trade as t … t.ts`.",
    example: "stream Largest = Trade.partition_by(symbol).window(1m).top_k(3, by: volume)",
    order: Order::Time,
    memory: "keys × open windows × n × (captures + 4 B)",
    analyze: Some(analyze),
};

/// So many windows may hold one record: each keeps records of its own.
const OVERLAP: i64 = 1_000;

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    let window = match a.current_firing(b) {
        Some(NodeKind::Window { input, keys, key_columns, window, policy, aggregates }) if aggregates.is_empty() && b.firing == Some(b.node) => {
            (*input, keys.clone(), key_columns.clone(), *window, *policy)
        }
        _ => {
            a.report(Diagnostic::new(Code::OperatorNeedsWindow, op.name.span, "`.top_k` needs a window").help("put `.window(…)` right in front of it"));
            return;
        }
    };
    let (input, keys, key_columns, window, policy) = window;
    if policy == Policy::ProcessingTime {
        a.report(Diagnostic::new(Code::BadArgument, op.name.span, "`.top_k` ranks the records of windows by the time of events").help("leave `policy:` out"));
    }
    // What cannot be read stands in as something else, so that one mistake is one message.
    let (count, by) = read(a, b, op, input, window).unwrap_or_else(|| (1, Expr::error(op.span)));
    let by = vec![Rank { by, descending: true }];
    // The schema of an undeclared event has grown by what `by` reads.
    let schema = a.schema(input);
    a.replace_node(b.node, NodeKind::TopK { input, keys, key_columns, by, count, window });
    b.inputs = vec![b.record(schema)];
}

/// How many records, and what they are ranked by.
fn read(a: &mut Analyzer<'_>, b: &StreamBuilder, op: &ast::Op, input: NodeId, window: Window) -> Option<(i64, Expr)> {
    if !a.check_args(op, &["by"], 1, 1) {
        return None;
    }
    let overlap = match window {
        Window::Tumbling { .. } => 1,
        Window::Sliding { size, slide, .. } => size / slide,
        Window::Cumulating { .. } | Window::Late { .. } | Window::Session { .. } | Window::Count { .. } | Window::SlidingCount { .. } => {
            let d = Diagnostic::new(Code::BadArgument, op.name.span, "`.top_k` ranks the records of windows of time, tumbling and sliding ones");
            a.report(d.help("of other windows, `top_k(x, k)` among the aggregates has the largest values"));
            return None;
        }
    };
    if overlap > OVERLAP {
        let message = format!("a record would be ranked in {overlap} windows at once");
        a.report(Diagnostic::new(Code::BadArgument, op.name.span, message).help(format!("slide by at least a {OVERLAP}th of the window's size")));
        return None;
    }
    let count = a.positional(op).first().and_then(|e| a.constant_count(e, "how many records to pass"))?;
    let Some(by) = a.named(op, "by") else {
        a.report(
            Diagnostic::new(Code::MissingArgument, op.name.span, "`.top_k` needs to know what records are ranked by").help("as in `.top_k(3, by: price)`"),
        );
        return None;
    };
    let schema = a.schema(input);
    let mut by = a.expr(by, &mut Scope::record(b.record(schema)));
    ranks(a, &mut by).then_some((count, by))
}

/// Whether records can be ranked by an expression; a message says why not.
pub(super) fn ranks(a: &mut Analyzer<'_>, by: &mut Expr) -> bool {
    a.settle(by, Kind::Float);
    let fine = by.ty.is_lenient() || by.ty.is_ordered();
    if !fine {
        a.report(Diagnostic::new(Code::TypeMismatch, by.span, format!("records cannot be ranked by {}: it has no order", by.ty)));
    }
    fine
}
