//! `.watermark(out_of_order: 5s, idle: 30s)`: how far events may lag behind the newest one, and when an input is idle (§4).

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.watermark(out_of_order: d, idle: d)`
pub(super) const ENTRY: Entry = Entry {
    name: "watermark",
    title: "Lets events lag behind the newest one by some time, and says when an input is idle.",
    arguments: "(out_of_order: duration, idle: duration)",
    doc: "It belongs to the event: every stream that reads the event sees the same watermark; of several declarations the longest counts. A reorder buffer puts events in order. Of several inputs, one that has had no record for `idle` does not hold the others back; files are never idle.",
    example: "stream V = Trade.watermark(out_of_order: 5s).partition_by(symbol).window(1m).aggregate(n: count())",
    order: Order::Any,
    memory: "events in `out_of_order` × event",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &["out_of_order", "idle"], 0, 0) {
        return;
    }
    let (lag, idle) = (a.named(op, "out_of_order"), a.named(op, "idle"));
    if lag.is_none() && idle.is_none() {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.watermark` needs `out_of_order:` or `idle:`"));
        return;
    }
    let lag = lag.map(|e| a.constant_duration(e, "`out_of_order`"));
    let idle = idle.map(|e| a.constant_duration(e, "`idle`"));
    if matches!(lag, Some(None)) || matches!(idle, Some(None)) {
        return;
    }
    match a.current_node(b) {
        NodeKind::Source { event } => {
            let event = *event;
            a.set_watermark(event, lag.flatten(), idle.flatten());
        }
        _ => a.report(Diagnostic::new(Code::BadArgument, op.name.span, "`.watermark` stands directly behind an event")),
    }
}
