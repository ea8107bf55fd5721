//! What operators hand on: views of their state and of the record at hand.

use crate::kernels::{JoinKernel, KeyKernel, LagKernel, RankKernel, RuleKernel, WindowKernel};
use crate::state::Slots;

/// One row of a window: one key's accumulator.
pub struct WindowFiring<'a, K: WindowKernel> {
    /// Time windows: 1 ns before the end, or before the moment of an early firing. Count windows: the last event's.
    pub ts: i64,
    /// The window's first instant. Count windows: the first event's `ts`.
    pub start: i64,
    /// The first instant after the window. Count windows: 1 ns after the last event's `ts`.
    pub end: i64,
    /// Whether it tells of a window that goes on, or of one that it told of and a late record changed.
    pub update: bool,
    /// The key.
    pub key: &'a <K::Keys as Slots>::Slot,
    /// What the window accumulated.
    pub accs: &'a <K::Accs as Slots>::Slot,
}

/// A record that passes.
pub struct RowFiring<'a, K: KeyKernel> {
    /// The record's time.
    pub ts: i64,
    /// The record.
    pub row: K::Row<'a>,
}

/// A record, with what was kept of an earlier one.
pub struct LagFiring<'a, K: LagKernel> {
    /// The record's time.
    pub ts: i64,
    /// The record.
    pub row: K::Row<'a>,
    /// What was kept of the earlier one; an empty slot if there is none.
    pub kept: &'a <K::Kept as Slots>::Slot,
}

/// A pair of joined records.
pub struct JoinFiring<'a, K: JoinKernel> {
    /// The later record's time.
    pub ts: i64,
    /// The key of both.
    pub key: &'a <K::Keys as Slots>::Slot,
    /// What is kept of the left record.
    pub left: &'a <K::Lefts as Slots>::Slot,
    /// What is kept of the right record.
    pub right: &'a <K::Rights as Slots>::Slot,
}

/// A record that ranks among the highest of its window.
pub struct RankFiring<'a, K: RankKernel> {
    /// 1 ns before the window's end.
    pub ts: i64,
    /// The window's first instant.
    pub start: i64,
    /// The first instant after the window.
    pub end: i64,
    /// The key.
    pub key: &'a <K::Keys as Slots>::Slot,
    /// What is kept of the record.
    pub kept: &'a <K::Kept as Slots>::Slot,
}

/// A record that a rule accepts.
pub struct RuleFiring<'a, K: RuleKernel> {
    /// The record's time.
    pub ts: i64,
    /// The record.
    pub row: K::Row<'a>,
    /// The rule's place among the rules given.
    pub rule: usize,
    /// The rule's constants.
    pub constants: &'a <K::Constants as Slots>::Slot,
}
