//! Operations on numbers whose results no machine or optimizer may choose.

/// The smaller of two floats; −0 is smaller than 0, and a NaN loses (IEEE 754-2019, `minimumNumber`).
///
/// The standard library's leaves the sign of a zero open, and so it came out one way here and another there.
#[inline]
pub fn smaller(a: f64, b: f64) -> f64 {
    if a < b || b.is_nan() || (a == b && a.is_sign_negative()) { a } else { b }
}

/// The larger of two floats; 0 is larger than −0, and a NaN loses (`maximumNumber`).
#[inline]
pub fn larger(a: f64, b: f64) -> f64 {
    if a > b || b.is_nan() || (a == b && a.is_sign_positive()) { a } else { b }
}
