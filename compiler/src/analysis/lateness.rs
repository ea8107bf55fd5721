//! Late events (§4) go their own ways: from their source through conditions and projections to the windows that take them, and from there, in rows
//! that come after their time, to what needs no order.

use super::Analyzer;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeId, NodeKind, Policy, Window};
use crate::syntax::ast::Span;

/// Where something is wrong, and what.
type Wrong = Vec<(Span, &'static str)>;

impl Analyzer<'_> {
    /// Rows of windows by the machine's time stand in that time: what goes by the time of events has no place for them.
    fn check_processing_time(&self, wrong: &mut Wrong) {
        let mut behind = vec![false; self.plan.nodes.len()];
        for at in 0..self.plan.nodes.len() {
            let node = self.plan.node(NodeId(at));
            let by_machine = matches!(node.kind, NodeKind::Window { policy: Policy::ProcessingTime, .. });
            let follows = node.kind.inputs().iter().any(|input| behind.get(input.0) == Some(&true));
            behind.get_mut(at).iter_mut().for_each(|mark| **mark = by_machine || follows);
            let timeless = node.kind.is_passed() || matches!(node.kind, NodeKind::Limit { .. } | NodeKind::Lag { .. });
            if follows && !by_machine && !timeless {
                wrong.push((node.span, "rows of a window by the machine's time stand in that time, and this goes by the time of events"));
            }
        }
    }

    /// Refuses what keeps records, or needs their order, in front of windows that take late events and behind them.
    pub(super) fn check_lateness(&mut self) {
        let mut front = vec![false; self.plan.nodes.len()];
        let mut behind = vec![false; self.plan.nodes.len()];
        let late = |node: &NodeKind| matches!(node, NodeKind::Window { window: Window::Late { .. }, .. });
        for at in (0..self.plan.nodes.len()).rev() {
            let kind = &self.plan.node(NodeId(at)).kind;
            if late(kind) || (front.get(at) == Some(&true) && kind.is_passed()) {
                for input in kind.inputs() {
                    front.get_mut(input.0).iter_mut().for_each(|mark| **mark = true);
                }
            }
        }
        let mut wrong = vec![];
        for at in 0..self.plan.nodes.len() {
            let node = self.plan.node(NodeId(at));
            if node.kind.inputs().iter().any(|input| behind.get(input.0) == Some(&true) || late(&self.plan.node(*input).kind)) {
                behind.get_mut(at).iter_mut().for_each(|mark| **mark = true);
                if !node.kind.is_passed() {
                    wrong.push((node.span, "rows of a window with `.allowed_lateness` come after their time, and this needs their order"));
                }
            }
            let is_source = matches!(node.kind, NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors);
            if front.get(at) == Some(&true) && !is_source && !node.kind.is_passed() {
                wrong.push((node.span, "late events do not pass this, which keeps records, to a window with `.allowed_lateness`"));
            }
        }
        self.check_processing_time(&mut wrong);
        for (span, message) in wrong {
            let d = Diagnostic::new(Code::OutOfTime, span, message);
            self.report(d.help("`.where`, `.select`, `.emit`, `.process`, `.on_error`, `merge` and observers may stand here"));
        }
    }
}
