//! `.distinct(expr, within: 1h)`: the first record per value in a span.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.distinct(expr, within: d)`
pub(super) const ENTRY: Entry = Entry {
    name: "distinct",
    title: "Passes the first record per value within a span, counted from the record that passed.",
    arguments: "(expression, …, within: duration) · allow: \"unbounded\"",
    doc: "Per key of the partition. Without `within` the state has no bound, which `allow: \"unbounded\"` must permit.",
    example: "stream Fresh = Login.distinct(user, within: 1h)",
    order: Order::Time,
    memory: "values in the span × (key + 24 B)",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &["within", "allow"], 1, usize::MAX) {
        return;
    }
    let values = a.positional(op);
    if let (None, [_, .., last]) = (a.named(op, "within"), values.as_slice())
        && let ast::ExprKind::Duration(_) = last.kind
    {
        let at = ast::Span { end: last.span.start, ..last.span };
        let d = Diagnostic::new(Code::BadArgument, last.span, "a duration is no value of the records");
        a.report(d.fix(at, "within: ", "the span in which a value passes once has a name"));
        return;
    }
    a.need_record(b);
    let within = match a.named(op, "within") {
        Some(e) => match a.constant_duration(e, "`within`") {
            Some(w) => w,
            None => return,
        },
        None => {
            let allowed = a.named(op, "allow").and_then(|e| a.constant_text(e, "`allow`"));
            if allowed.as_deref() != Some("unbounded") {
                a.report(
                    Diagnostic::new(Code::UnboundedState, op.name.span, "`.distinct` without `within` keeps every value forever")
                        .help("bound it with `within: 1h`, or permit it with `allow: \"unbounded\"`"),
                );
                return;
            }
            i64::MAX
        }
    };
    let args: Vec<_> = a.positional(op).into_iter().map(|e| (None, e)).collect();
    let values = a.keys(b, &args, op.span);
    let keys = b.keys.iter().chain(&values).map(|k| k.expr.clone()).collect();
    a.chain(b, NodeKind::Distinct { input: b.node, keys, within }, op.span);
}
