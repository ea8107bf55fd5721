//! What has no case yet. These lists only get shorter: a gap that is closed fails until it leaves its list.

/// Operators of the catalogue that no accepted case uses.
pub(super) const OPERATORS_WITHOUT_CASE: &[&str] = &["selection", "after_match"];

/// Aggregates that no accepted case uses.
pub(super) const AGGREGATES_WITHOUT_CASE: &[&str] = &[];

/// Bodies of run-time functions that no accepted case calls.
pub(super) const FUNCTIONS_WITHOUT_CASE: &[&str] = &[];

/// Codes that no case is refused or warned with.
pub(super) const CODES_WITHOUT_CASE: &[&str] = &[];

/// Rules of docs/language.md, compiled ones, that no case names in its first line.
pub(super) const RULES_WITHOUT_CASE: &[&str] = &[
    "§1.lines",
    "§1.fstrings",
    "§1.ranges",
    "§2.null.where",
    "§2.null.equals",
    "§2.null.keys",
    "§2.errors.first",
    "§2.errors.unread",
    "§3.extends",
    "§3.pattern",
    "§3.inferred.conflict",
    "§4.missing",
    "§4.watermark.shared",
    "§4.order",
    "§4.end",
    "§4.firing",
    "§5.select.ts",
    "§5.join.cross",
    "§5.join.self",
    "§6.window.ts",
    "§6.aggregate.record",
    "§6.aggregate.direct",
    "§6.aggregates.where",
    "§6.aggregates.empty",
    "§7.record",
    "§7.unbounded",
    "§7.partition.written",
    "§7.kleene.values",
    "§7.where",
    "§7.not.limits",
    "§10.type",
    "§10.skipped",
    "§10.dead",
    "§10.fields",
    "§10.numbers",
    "§10.accounting",
];
