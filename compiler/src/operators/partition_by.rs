//! `.partition_by(k1, k2)`: the key of everything behind it, up to the next re-key.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.partition_by(k, …)`
pub(super) const ENTRY: Entry = Entry {
    name: "partition_by",
    title: "Keys what follows: windows, `distinct` and `limit` work per key.",
    arguments: "(key, name: expression, …)",
    doc: "Null is a key like any other in windows, and takes part in no join and no pattern match. Keys stay readable as fields. A key that is computed is a field if it has a name: `.partition_by(region: substr(code, 0, 2))`.",
    example: "stream V = Trade.partition_by(symbol).window(1m).aggregate(n: count())",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    // A pattern has read its partition already.
    if matches!(a.current_firing(b), Some(NodeKind::Pattern(_))) {
        return;
    }
    if op.args.is_empty() {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.partition_by` needs an argument"));
        return;
    }
    if matches!(a.current_firing(b), Some(NodeKind::Window { .. })) {
        let d = Diagnostic::new(Code::BadArgument, op.name.span, "`.partition_by` stands behind the window that it is for");
        a.report(d.help("put it in front: `.partition_by(…).window(…)`"));
        return;
    }
    a.need_record(b);
    let args: Vec<_> = op.args.iter().filter_map(|arg| Some((arg.name.as_ref(), a.arg_expr(arg)?))).collect();
    b.keys = a.keys(b, &args, op.span);
}
