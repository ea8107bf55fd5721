//! Stateful operators, one file each, generic over what a program contributes.
//!
//! Records arrive in the order of their `ts`. Firing and expiry cost what they touch: no operator scans all of its keys for them.

mod accumulators;
mod count_window;
mod cumulating;
mod distinct;
mod firing;
mod interval_join;
mod lag;
mod late_window;
mod latest_join;
mod limit;
mod outer_join;
mod panes;
mod rules;
mod session;
mod sliding;
mod sliding_count;
#[cfg(test)]
pub(crate) mod testing;
mod top_k;
mod tumbling;

pub use accumulators::{Collected, DistinctSet, DistinctSketch, Ema, Largest, Moments, PercentileSketch, Sorted};
pub use count_window::CountWindow;
pub use cumulating::CumulatingWindow;
pub use distinct::Distinct;
pub use firing::{JoinFiring, LagFiring, RankFiring, RowFiring, RuleFiring, WindowFiring};
pub use interval_join::IntervalJoin;
pub use lag::Lag;
pub use late_window::LateWindow;
pub use latest_join::LatestJoin;
pub use limit::Limit;
pub use outer_join::OuterJoin;
pub use rules::RuleTable;
pub use session::SessionWindow;
pub use sliding::SlidingWindow;
pub use sliding_count::SlidingCountWindow;
pub use top_k::TopK;
pub use tumbling::TumblingWindow;

/// Hands the names of all operators to the macro named: whoever makes operators by name has them from here.
#[cfg(feature = "jit")]
macro_rules! for_each_operator {
    ($expand:ident) => {
        $expand! { CountWindow CumulatingWindow Distinct IntervalJoin Lag LateWindow LatestJoin Limit OuterJoin PatternMatcher RuleTable SessionWindow SlidingCountWindow SlidingWindow TopK TumblingWindow }
    };
}
#[cfg(feature = "jit")]
pub(crate) use for_each_operator;

/// No slot, no record.
const NONE: u32 = u32::MAX;
