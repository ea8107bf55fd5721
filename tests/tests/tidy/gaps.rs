//! What has no case yet. These lists only get shorter: a gap that is closed fails until it leaves its list.

/// Operators of the catalogue that no accepted case uses.
pub(super) const OPERATORS_WITHOUT_CASE: &[&str] = &[];

/// Aggregates that no accepted case uses.
pub(super) const AGGREGATES_WITHOUT_CASE: &[&str] = &[];

/// Bodies of run-time functions that no accepted case calls.
pub(super) const FUNCTIONS_WITHOUT_CASE: &[&str] = &[];

/// Codes that no case is refused or warned with.
pub(super) const CODES_WITHOUT_CASE: &[&str] = &[];

/// Rules of docs/language.md, compiled ones, that no case names in its first line.
pub(super) const RULES_WITHOUT_CASE: &[&str] = &[];
