//! `.partition_by(k1, k2)`: the key of everything behind it, up to the next re-key.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.partition_by(k, …)`
pub(super) const ENTRY: Entry = Entry {
    name: "partition_by",
    title: "Keys what follows: windows, `distinct` and `limit` work per key.",
    arguments: "(key, …)",
    doc: "Null is a key like any other in windows, and takes part in no join and no pattern match. Keys stay readable as fields.",
    example: "stream V = Trade.partition_by(symbol).window(1m).aggregate(n: count())",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    // A pattern has read its partition already.
    if matches!(a.current_firing(b), Some(NodeKind::Pattern(_))) || !a.check_args(op, &[], 1, usize::MAX) {
        return;
    }
    a.need_record(b);
    let exprs = a.positional(op);
    b.keys = a.keys(b, &exprs);
}
