//! `.allowed_lateness(30s)`: keep a window's result for late events.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeKind, Policy, Window};
use crate::syntax::ast;

/// `.allowed_lateness(30s)`
pub(super) const ENTRY: Entry = Entry {
    name: "allowed_lateness",
    title: "Keeps a window's result for late events.",
    arguments: "(duration)",
    doc: "Stands directly behind a `.window(…)` of time. A late event that lies in a window which ended no longer ago fires the row of its key again, with \
          `is_update: true`.",
    example: "stream V = Trade.partition_by(symbol).window(1m).allowed_lateness(30s).aggregate(n: count())",
    order: Order::Time,
    memory: "keys × accumulators × windows open or kept",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &[], 1, 1) {
        return;
    }
    let lateness = a.positional(op).first().and_then(|e| a.constant_duration(e, "how late an event may be"));
    let Some(NodeKind::Window { window, policy, aggregates, .. }) = a.current_firing(b).filter(|_| b.firing == Some(b.node)) else {
        let d = Diagnostic::new(Code::OperatorNeedsWindow, op.name.span, "`.allowed_lateness` needs a window directly in front of it");
        a.report(d.help("as in `.window(1m).allowed_lateness(30s).aggregate(…)`"));
        return;
    };
    let kept = match (*window, lateness) {
        (_, None) => return,
        _ if *policy == Policy::ProcessingTime => Err("nothing comes late to a window by the machine's time"),
        (Window::Tumbling { size, offset }, Some(lateness)) if aggregates.is_empty() => Ok(Window::Late { size, slide: size, offset, lateness }),
        (Window::Sliding { size, slide, offset }, Some(lateness)) if aggregates.is_empty() => Ok(Window::Late { size, slide, offset, lateness }),
        (Window::Late { .. }, _) => Err("this window has an allowed lateness already"),
        (Window::Cumulating { .. }, _) => Err("a window that fires before its end cannot fire again behind it"),
        (Window::Session { .. }, _) => Err("a session that has ended is not opened again"),
        _ => Err("windows of counts know no time"),
    };
    match kept {
        Ok(window) => a.replace_window(b, window),
        Err(message) => {
            let d = Diagnostic::new(Code::BadArgument, op.name.span, message);
            a.report(d.help("windows of time keep their results, tumbling and sliding ones: `.window(1m)`, `.window(1m, sliding: 10s)`"));
        }
    }
}
