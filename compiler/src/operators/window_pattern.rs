//! `.pattern(name: events => condition)`: a condition over the records of a window, as an array.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast::{self, ExprKind};

/// `.pattern(name: events => condition)`
pub(super) const ENTRY: Entry = Entry {
    name: "pattern",
    title: "Keeps the windows over whose records, as an array, the condition is true.",
    arguments: "(name: events => condition, …)",
    doc: "Stands behind `.window(…)`. The array has the window's records in order, each a record of the fields that the condition reads, `ts` among them; what can be asked of arrays can be asked of it: `events.len()`, `.filter`, `.map`, `.sliding_pairs()`, `events[0]` and the like. The name says what is looked for. Of several conditions all must be true. The state of a window is then all that the condition reads of its records.",
    example: "stream Bursts = Login.partition_by(user).window(5m).pattern(burst: events => events.filter(e => not e.ok).len() > 3).emit(user, n: count())",
    order: Order::Time,
    memory: "keys × open windows × records × fields that are read",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !matches!(a.current_firing(b), Some(NodeKind::Window { .. })) {
        let d = Diagnostic::new(Code::OperatorNeedsWindow, op.name.span, "`.pattern` needs a window, over whose records it asks");
        a.report(d.help("put `.window(…)` in front of it; a sequence of events is written `A as a -> B as b`"));
        return;
    }
    if op.args.is_empty() {
        a.report(
            Diagnostic::new(Code::MissingArgument, op.name.span, "`.pattern` needs a condition").help("as in `.pattern(many: events => events.len() > 3)`"),
        );
    }
    for arg in &op.args {
        let Some(e) = a.arg_expr(arg) else { continue };
        if let ExprKind::Lambda { params, body } = &e.kind
            && let [name] = params.as_slice()
        {
            let condition = a.in_scope(b, |a, scope| a.rows_condition(name, body, scope));
            a.chain(b, NodeKind::Filter { input: b.node, condition }, arg.span);
        } else {
            let d = Diagnostic::new(Code::BadArgument, e.span, "expected a condition over the window's records");
            a.report(d.help("as in `many: events => events.len() > 3`"));
        }
    }
}
