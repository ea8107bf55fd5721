//! Accumulators that are more than a few numbers. Each is a field of a program's accumulator struct.
//!
//! `merge` takes the accumulator of later records; an empty one changes nothing, on either side.

mod collected;
mod distinct_set;
mod distinct_sketch;
mod element;
mod ema;
mod largest;
mod moments;
mod percentile_sketch;
mod sorted;

pub use collected::Collected;
pub use distinct_set::DistinctSet;
pub use distinct_sketch::DistinctSketch;
pub use ema::Ema;
pub use largest::Largest;
pub use moments::Moments;
pub use percentile_sketch::PercentileSketch;
pub use sorted::Sorted;
