//! The operator catalogue: one file per operator says what it is called, what it takes, what it needs of order and time,
//! what it keeps, and how it is read. This table is the only registry; look-up, suggestions, documentation and tests read it.

mod aggregate;
mod allowed_lateness;
mod distinct;
mod emit;
mod filter;
mod fork;
mod having;
mod limit;
mod log;
mod map;
mod on_error;
mod order_by;
mod partition_by;
mod pattern;
mod print;
mod process;
mod select;
mod tap;
mod top_k;
mod watermark;
mod window;
mod window_pattern;

use crate::analysis::{Analyzer, StreamBuilder};
use crate::syntax::ast;

/// What an operator needs of the order of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any order.
    Any,
    /// `ts` order: a reorder buffer stands in front where events may be late.
    Time,
}

/// How an operator is read from the program.
pub type Analyze = for<'a> fn(&mut Analyzer<'a>, &mut StreamBuilder, &'a ast::Op);

/// An operator of the language.
pub struct Entry {
    /// Its name behind the dot.
    pub name: &'static str,
    /// One line: what it does.
    pub title: &'static str,
    /// Its arguments, as documentation shows them.
    pub arguments: &'static str,
    /// What users should know.
    pub doc: &'static str,
    /// A program that uses it.
    pub example: &'static str,
    /// What it needs of order.
    pub order: Order,
    /// What it keeps, as a formula; empty for none.
    pub memory: &'static str,
    /// How it is read; `None`: understood, not compiled yet.
    pub analyze: Option<Analyze>,
}

/// An operator that later stages lack.
const fn later(name: &'static str, title: &'static str, arguments: &'static str) -> Entry {
    Entry { name, title, arguments, doc: "", example: "", order: Order::Any, memory: "", analyze: None }
}

/// Every operator.
pub static CATALOGUE: &[Entry] = &[
    filter::WHERE,
    filter::FILTER,
    having::ENTRY,
    select::ENTRY,
    map::ENTRY,
    emit::ENTRY,
    partition_by::ENTRY,
    window::ENTRY,
    allowed_lateness::ENTRY,
    aggregate::ENTRY,
    top_k::ENTRY,
    window_pattern::ENTRY,
    order_by::ENTRY,
    order_by::COLLECT,
    distinct::ENTRY,
    limit::ENTRY,
    fork::FORK,
    fork::ANY,
    fork::ALL,
    fork::FIRST,
    process::ENTRY,
    on_error::ENTRY,
    print::ENTRY,
    log::ENTRY,
    tap::ENTRY,
    watermark::ENTRY,
    pattern::WITHIN,
    pattern::NOT,
    pattern::SELECTION,
    pattern::AFTER_MATCH,
    pattern::ON,
    later("to", "Writes to a connector.", "(connector, …)"),
    later("enrich", "Looks records up in a connector.", "(connector, key: e, fields: […])"),
    later("concurrent", "Runs the stream on several workers.", "(max_workers: n)"),
    later("context", "Runs the stream in a context.", "(name)"),
    later("trend_aggregate", "Aggregates over all matches without building them.", "(name: count_trends(), …)"),
    later("limit_matches", "Caps the matches reported per completing event.", "(n)"),
    later("on_timeout", "Reports runs that expired.", "(emit)"),
    later("attention_window", "Scores events against a window by attention.", "(duration: d, …)"),
];

/// The operator of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|e| e.name == name)
}

/// Every name.
pub fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|e| e.name)
}
