//! Pseudo-random numbers: SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014). Its state is a program's.

use std::hash::{BuildHasher, RandomState};

use crate::state::Text;

/// A seed that no one knows before.
pub fn entropy(salt: i64) -> i64 {
    // The standard library seeds its hash tables from the system.
    RandomState::new().hash_one(salt).cast_signed()
}

/// The next state.
#[inline]
pub fn random_step(state: i64) -> i64 {
    state.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.cast_signed())
}

/// 64 bits out of a state.
fn mixed(state: i64) -> u64 {
    let z = state.cast_unsigned();
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A number from 0 to below 1: the upper 53 bits, so that every one is a multiple of 2^-53.
pub fn random_unit(state: i64) -> f64 {
    (mixed(state) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A UUID of version 4 (RFC 9562, 5.4).
pub fn uuid(first: i64, second: i64) -> Text {
    let (a, b) = (mixed(first), mixed(second));
    let (time, version) = (a >> 16, a & 0xfff | 0x4000);
    let (variant, node) = (b >> 48 & 0x3fff | 0x8000, b & 0xffff_ffff_ffff);
    Text::from(format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{node:012x}", time >> 16, time & 0xffff))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn as_published() {
        // The first values of the reference implementation for the seed 1234567.
        let mut state = 1_234_567;
        let values: Vec<u64> = (0..3)
            .map(|_| {
                state = random_step(state);
                mixed(state)
            })
            .collect();
        assert_eq!(values, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn from_zero_to_below_one() {
        let mut state = 7;
        let mut sum = 0.0;
        for _ in 0..10_000 {
            state = random_step(state);
            let x = random_unit(state);
            assert!((0.0..1.0).contains(&x));
            sum += x;
        }
        assert!((4_900.0..5_100.0).contains(&sum), "{sum}");
    }

    #[test]
    fn version_and_variant() {
        let id = uuid(random_step(1), random_step(2));
        let id = id.as_str();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}
