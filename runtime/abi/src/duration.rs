//! The units of durations: in programs, in printed plans, in text made of durations and in parameters.

/// Every unit's name and length in nanoseconds, from the largest on.
pub const UNITS: [(&str, i64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// How many nanoseconds the unit of that name has.
pub fn unit(name: &str) -> Option<i64> {
    UNITS.iter().find(|(n, _)| *n == name).map(|(_, length)| *length)
}
