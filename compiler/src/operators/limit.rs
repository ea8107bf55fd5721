//! `.limit(n)`: the first n records (per key).

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.limit(n)`
pub(super) const ENTRY: Entry = Entry {
    name: "limit",
    title: "Passes the first n records, per key of the partition.",
    arguments: "(n)",
    doc: "Records behind the n-th are dropped. In time order: where events may be late, the first n by `ts` pass.",
    example: "stream Sample = Trade.partition_by(symbol).limit(3)",
    order: Order::Time,
    memory: "keys × (key + 8 B)",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &[], 1, 1) {
        return;
    }
    a.need_record(b);
    let Some(count) = a.positional(op).first().and_then(|e| a.constant_count(e, "a limit")) else { return };
    let keys = b.keys.iter().map(|k| k.expr.clone()).collect();
    a.chain(b, NodeKind::Limit { input: b.node, keys, count }, op.span);
}
