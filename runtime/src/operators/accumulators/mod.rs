//! Accumulators that are more than a few numbers. Each is a field of a program's accumulator struct.
//!
//! `merge` takes the accumulator of later records; an empty one changes nothing, on either side.

mod collected;
mod distinct_set;
mod element;
mod ema;
mod moments;
mod sorted;

pub use collected::Collected;
pub use distinct_set::DistinctSet;
pub use ema::Ema;
pub use moments::Moments;
pub use sorted::Sorted;
