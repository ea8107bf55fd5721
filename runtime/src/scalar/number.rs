//! Numbers: checked integer operations, float functions, conversions.

use std::hint::black_box;

use varpulis_abi::reason::Reason;

use crate::state::Text;
use varpulis_abi::scaled::scaled;

/// `a + b`, checked; also of timestamps and durations.
#[inline(always)]
pub fn add_int(a: i64, b: i64) -> Result<i64, Reason> {
    a.checked_add(b).ok_or(Reason::Overflow)
}

/// `a - b`, checked; also of timestamps and durations.
#[inline(always)]
pub fn subtract_int(a: i64, b: i64) -> Result<i64, Reason> {
    a.checked_sub(b).ok_or(Reason::Overflow)
}

/// `a * b`, checked; also of a duration and an integer.
#[inline(always)]
pub fn multiply_int(a: i64, b: i64) -> Result<i64, Reason> {
    a.checked_mul(b).ok_or(Reason::Overflow)
}

/// `-a`, checked.
#[inline(always)]
pub fn negate_int(a: i64) -> Result<i64, Reason> {
    a.checked_neg().ok_or(Reason::Overflow)
}

/// A sum of integers as one.
#[inline(always)]
pub fn narrow(sum: i128) -> Result<i64, Reason> {
    i64::try_from(sum).map_err(|_| Reason::Overflow)
}

/// `a / b`, truncated toward zero.
#[inline(always)]
pub fn divide_int(a: i64, b: i64) -> Result<i64, Reason> {
    if b == 0 { Err(Reason::DivisionByZero) } else { a.checked_div(b).ok_or(Reason::Overflow) }
}

/// `a % b`, with the sign of `a`.
#[inline(always)]
pub fn remainder_int(a: i64, b: i64) -> Result<i64, Reason> {
    if b == 0 { Err(Reason::DivisionByZero) } else { Ok(a.wrapping_rem(b)) }
}

/// `a % b` of floats, with the sign of `a`.
#[inline(always)]
pub fn remainder_float(a: f64, b: f64) -> f64 {
    a % b
}

/// `a ** b`; a negative exponent has no integer result.
#[inline]
pub fn power_int(a: i64, b: i64) -> Result<i64, Reason> {
    if b < 0 {
        return Err(Reason::Conversion);
    }
    match (a, u32::try_from(b)) {
        // Bases whose powers stay in range whatever the exponent.
        (0 | 1, _) => Ok(if b == 0 { 1 } else { a }),
        (-1, _) => Ok(if b % 2 == 0 { 1 } else { -1 }),
        (_, Ok(b)) => a.checked_pow(b).ok_or(Reason::Overflow),
        (_, Err(_)) => Err(Reason::Overflow),
    }
}

/// `a ** b` of floats.
#[inline]
pub fn power_float(a: f64, b: f64) -> f64 {
    black_box(a).powf(black_box(b))
}

/// `a << b`, for 0 ≤ b ≤ 63; bits shifted out are lost.
#[inline(always)]
pub fn shift_left(a: i64, b: i64) -> Result<i64, Reason> {
    u32::try_from(b).ok().and_then(|b| a.checked_shl(b)).ok_or(Reason::ShiftOutOfRange)
}

/// `a >> b`, for 0 ≤ b ≤ 63; the sign is kept.
#[inline(always)]
pub fn shift_right(a: i64, b: i64) -> Result<i64, Reason> {
    u32::try_from(b).ok().and_then(|b| a.checked_shr(b)).ok_or(Reason::ShiftOutOfRange)
}

/// A duration times a number, to the nearest nanosecond.
#[inline]
pub fn scale_duration(duration: i64, factor: f64) -> Result<i64, Reason> {
    nearest(duration as f64 * factor)
}

/// A duration divided by a number, to the nearest nanosecond.
#[inline]
pub fn divide_duration(duration: i64, divisor: f64) -> Result<i64, Reason> {
    if divisor == 0.0 {
        return Err(Reason::DivisionByZero);
    }
    nearest(duration as f64 / divisor)
}

#[inline]
fn nearest(nanoseconds: f64) -> Result<i64, Reason> {
    if nanoseconds.is_nan() { Err(Reason::Conversion) } else { whole(nanoseconds.round()).ok_or(Reason::Overflow) }
}

/// A float without a fraction as an integer, if it is in range.
#[inline(always)]
fn whole(value: f64) -> Option<i64> {
    // 2^63 is a float, and the first one too large.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value).then_some(value as i64)
}

/// `abs(a)`; of the smallest integer it overflows.
#[inline(always)]
pub fn abs_int(a: i64) -> Result<i64, Reason> {
    a.checked_abs().ok_or(Reason::Overflow)
}

/// −1, 0 or 1.
#[inline(always)]
pub fn sign_int(a: i64) -> i64 {
    a.signum()
}

/// −1.0, 0.0 or 1.0; NaN stays.
#[inline(always)]
pub fn sign_float(a: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a.signum() }
}

macro_rules! float_functions {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        $($(#[$doc])* #[inline(always)] pub fn $name(a: f64) -> f64 { float_functions!(@$method a) })*
    };
    // Exact, whoever computes them.
    (@abs $a:ident) => { $a.abs() };
    (@floor $a:ident) => { $a.floor() };
    (@ceil $a:ident) => { $a.ceil() };
    (@round $a:ident) => { $a.round() };
    (@sqrt $a:ident) => { $a.sqrt() };
    // Where an argument is known, rustc computes others itself, or by another function of the library (a power of two as `exp2`): with another
    // last digit than at run time.
    (@$method:ident $a:ident) => { black_box($a).$method() };
}
float_functions! {
    /// The absolute value.
    abs_float = abs;
    /// The largest whole number that is not above.
    floor = floor;
    /// The smallest whole number that is not below.
    ceil = ceil;
    /// The nearest whole number; halves away from zero.
    round = round;
    /// The square root; NaN below zero.
    sqrt = sqrt;
    /// e to the power.
    exp = exp;
    /// The natural logarithm.
    ln = ln;
    /// The logarithm to base 10.
    log10 = log10;
    /// The logarithm to base 2.
    log2 = log2;
    /// The sine.
    sin = sin;
    /// The cosine.
    cos = cos;
    /// The tangent.
    tan = tan;
}

/// Rounds to that many decimals, halves away from zero; a negative number of decimals rounds to tens, hundreds and so on.
/// It is the decimal text that is rounded, so that `round(1.005, 2)` is what it looks like.
pub fn round_to(value: f64, decimals: i64) -> f64 {
    if !value.is_finite() || decimals > 308 {
        return value;
    }
    if decimals < -308 {
        return 0.0_f64.copysign(value);
    }
    let text = rounded_text(value, decimals);
    text.parse().unwrap_or(value)
}

/// The shortest text of `value`, rounded half up (in magnitude) to that many decimals.
fn rounded_text(value: f64, decimals: i64) -> String {
    // `{:e}` gives the shortest digits as d.ddde±x.
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    // The digit at `keep` is the first one below the last decimal wanted.
    let keep = exponent + 1 + decimals;
    let Ok(keep) = usize::try_from(keep) else { return format!("{sign}0") };
    if keep >= digits.len() {
        return format!("{sign}{text}");
    }
    let up = digits.get(keep).is_some_and(|digit| *digit >= b'5');
    let kept: u128 = digits.iter().take(keep).fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0')) + u128::from(up);
    format!("{sign}{kept}e{}", -decimals)
}

/// Whether it is not a number.
#[inline(always)]
pub fn is_nan(a: f64) -> bool {
    a.is_nan()
}

/// The smaller one.
#[inline(always)]
pub fn min_int(a: i64, b: i64) -> i64 {
    a.min(b)
}

/// The larger one.
#[inline(always)]
pub fn max_int(a: i64, b: i64) -> i64 {
    a.max(b)
}

/// The smaller one; −0 is smaller than 0, and a NaN loses.
#[inline(always)]
pub fn min_float(a: f64, b: f64) -> f64 {
    varpulis_abi::number::smaller(a, b)
}

/// The larger one; 0 is larger than −0, and a NaN loses.
#[inline(always)]
pub fn max_float(a: f64, b: f64) -> f64 {
    varpulis_abi::number::larger(a, b)
}

/// Truncates toward zero; NaN and what leaves 64 bits do not convert.
#[inline]
pub fn int_of_float(a: f64) -> Result<i64, Reason> {
    whole(a.trunc()).ok_or(Reason::Conversion)
}

/// 0 or 1.
#[inline(always)]
pub fn int_of_bool(a: bool) -> i64 {
    i64::from(a)
}

/// Reads a decimal integer, white space around it allowed; `1.0` and `1e3` are integers, `1.5` is not.
pub fn int_of_text(text: &str) -> Result<i64, Reason> {
    let text = text.trim();
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    // Checks the form: `scaled` relies on it.
    if !is_number(text) {
        return Err(Reason::Conversion);
    }
    match scaled(digits.as_bytes(), 0) {
        Some((value, false)) => Ok(value),
        _ => Err(Reason::Conversion),
    }
}

/// Reads a number, white space around it allowed.
pub fn float_of_text(text: &str) -> Result<f64, Reason> {
    text.trim().parse().map_err(|_| Reason::Conversion)
}

/// Digits with an optional sign, point and exponent.
fn is_number(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) && text.parse::<f64>().is_ok()
}

/// As text with that many decimals (at least 0, at most 100); halves are rounded away from zero in the shortest decimal text.
pub fn text_fixed(value: f64, decimals: i64) -> Text {
    use std::fmt::Write;
    let decimals = decimals.clamp(0, 100);
    let rounded = round_to(value, decimals);
    let mut text = Text::default();
    let _ = write!(text, "{rounded:.*}", usize::try_from(decimals).unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn integer_operations_are_checked() {
        assert_eq!(divide_int(-7, 2), Ok(-3));
        assert_eq!(remainder_int(-7, 2), Ok(-1));
        assert_eq!(divide_int(1, 0), Err(Reason::DivisionByZero));
        assert_eq!(divide_int(i64::MIN, -1), Err(Reason::Overflow));
        assert_eq!(remainder_int(i64::MIN, -1), Ok(0));
        assert_eq!(power_int(2, 62), Ok(1 << 62));
        assert_eq!(power_int(2, 63), Err(Reason::Overflow));
        assert_eq!(power_int(-2, 63), Ok(i64::MIN));
        assert_eq!(power_int(2, -1), Err(Reason::Conversion));
        assert_eq!(power_int(0, 0), Ok(1));
        assert_eq!(power_int(-1, i64::MAX), Ok(-1));
        assert_eq!(shift_left(1, 64), Err(Reason::ShiftOutOfRange));
        assert_eq!(shift_left(1, 63), Ok(i64::MIN));
        assert_eq!(shift_right(-8, 1), Ok(-4));
        assert_eq!(shift_right(1, -1), Err(Reason::ShiftOutOfRange));
        assert_eq!(abs_int(i64::MIN), Err(Reason::Overflow));
    }

    #[test]
    fn conversions_refuse_what_does_not_fit() {
        assert_eq!(int_of_float(-1.9), Ok(-1));
        assert_eq!(int_of_float(f64::NAN), Err(Reason::Conversion));
        assert_eq!(int_of_float(9_223_372_036_854_775_808.0), Err(Reason::Conversion));
        assert_eq!(int_of_float(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
        assert_eq!(int_of_text(" 42 "), Ok(42));
        assert_eq!(int_of_text("1e3"), Ok(1000));
        assert_eq!(int_of_text("1.5"), Err(Reason::Conversion));
        assert_eq!(int_of_text("nan"), Err(Reason::Conversion));
        assert_eq!(int_of_text(""), Err(Reason::Conversion));
        assert_eq!(float_of_text("1e3"), Ok(1000.0));
        assert_eq!(float_of_text("x"), Err(Reason::Conversion));
        assert_eq!(scale_duration(3, 0.5), Ok(2));
        assert_eq!(divide_duration(3, 0.0), Err(Reason::DivisionByZero));
        assert_eq!(scale_duration(1, f64::NAN), Err(Reason::Conversion));
    }

    #[test]
    fn rounding_is_decimal() {
        assert_eq!(round_to(1.005, 2), 1.01);
        assert_eq!(round_to(-2.5, 0), -3.0);
        assert_eq!(round_to(1234.0, -2), 1200.0);
        assert_eq!(round_to(0.05, 0), 0.0);
        assert_eq!(round_to(0.5, 0), 1.0);
        assert_eq!(round_to(9.99, 1), 10.0);
        assert_eq!(round_to(50.0, -2), 100.0);
        assert_eq!(round_to(4.0, -2), 0.0);
        assert_eq!(text_fixed(1.005, 2), "1.01");
        assert_eq!(text_fixed(-1.0, 3), "-1.000");
        assert_eq!(text_fixed(f64::NAN, 1), "NaN");
        assert_eq!(sign_float(-0.0), 0.0);
    }
}
