//! Sequence patterns with `next` selection (skip till next match).
//!
//! Each first event opens a run; every step takes the next event that fits. Runs wait in lists per key and step, so that an event touches
//! only the runs that it concerns; they expire in the order of their first events, so that no scan is ever needed.

#[cfg(test)]
mod brute_force;
mod elements;
mod expiry;
mod links;
mod matcher;
mod runs;
mod spec;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use matcher::{MatchFiring, PatternMatcher};
pub use spec::{NegationSpec, PatternSpec, StepSpec};
