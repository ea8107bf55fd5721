//! `.having(p)`: keep the results of a window for which the condition is true.

use super::{Entry, Order, filter};

/// `.having(p)`
pub(super) const ENTRY: Entry = Entry {
    name: "having",
    title: "Keeps the results for which the condition is true.",
    arguments: "(condition)",
    doc: "The same as `.where`; reads better behind `.aggregate`.",
    example: "stream Busy = Trade.partition_by(symbol).window(1m).aggregate(n: count()).having(n > 100)",
    order: Order::Any,
    memory: "",
    analyze: Some(filter::analyze),
};
