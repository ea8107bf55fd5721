//! `.where(p)` and `.filter(e => p)`: keep the records for which the condition is true.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.where(p)`
pub(super) const WHERE: Entry = Entry {
    name: "where",
    title: "Keeps the records for which the condition is true.",
    arguments: "(condition)",
    doc: "A record stays only on `true`; `false` and null drop it. Conjuncts are examined from left to right, and the first that is not true drops the record.",
    example: "stream Big = Trade.where(price * volume > 10000.0)",
    order: Order::Any,
    memory: "",
    analyze: Some(analyze),
};

/// `.filter(e => p)`
pub(super) const FILTER: Entry = Entry {
    name: "filter",
    title: "Keeps the records for which the condition is true.",
    arguments: "(e => condition)",
    doc: "The same as `.where`, with a name for the record.",
    example: "stream Big = Trade.filter(t => t.price > 100.0)",
    ..WHERE
};

/// Reads the condition and adds the filter.
pub(super) fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if !a.check_args(op, &[], 1, 1) {
        return;
    }
    if let Some(e) = a.positional(op).first() {
        let condition = a.record_condition(b, e);
        a.chain(b, NodeKind::Filter { input: b.node, condition }, op.span);
    }
}
