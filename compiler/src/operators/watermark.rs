//! `.watermark(out_of_order: 5s)`: how far events may lag behind the newest one (§4).

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.watermark(out_of_order: d)`
pub(super) const ENTRY: Entry = Entry {
    name: "watermark",
    title: "Lets events lag behind the newest one by some time.",
    arguments: "(out_of_order: duration)",
    doc: "It belongs to the event: every stream that reads the event sees the same watermark; of several declarations the longest counts. A reorder buffer puts events in order.",
    example: "stream V = Trade.watermark(out_of_order: 5s).partition_by(symbol).window(1m).aggregate(n: count())",
    order: Order::Any,
    memory: "events in `out_of_order` × event",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if let Some(e) = a.named(op, "idle") {
        a.not_compiled(e.span, "`idle:`", "a program's inputs share one watermark, which no idle input holds back");
        return;
    }
    if !a.check_args(op, &["out_of_order"], 0, 0) {
        return;
    }
    let Some(e) = a.named(op, "out_of_order") else {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.watermark` needs `out_of_order:`"));
        return;
    };
    let Some(lag) = a.constant_duration(e, "`out_of_order`") else { return };
    match a.current_node(b) {
        NodeKind::Source { event } => {
            let event = *event;
            a.allow_lag(event, lag);
        }
        _ => a.report(Diagnostic::new(Code::BadArgument, op.name.span, "`.watermark` stands directly behind an event")),
    }
}
