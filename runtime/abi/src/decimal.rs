//! Exact decimals: integers of at most 38 digits, of which the type says how many are decimals. Halves round away from zero.

use alloc::string::ToString;

use crate::number::decimal_text;
use crate::reason::Reason;
use crate::scaled::scaled_wide;

/// The first integer with 39 digits.
const LIMIT: i128 = 10_i128.pow(38);

/// A result, unless it has more digits than there can be.
fn checked(value: Option<i128>, limit: i128) -> Result<i128, Reason> {
    value.filter(|v| -limit < *v && *v < limit).ok_or(Reason::OutOfRange)
}

/// The first integer with more digits than so many.
fn limit(digits: i64) -> i128 {
    u32::try_from(digits).ok().and_then(|digits| 10_i128.checked_pow(digits)).map_or(LIMIT, |limit| limit.min(LIMIT))
}

fn power(of_ten: i64) -> Option<i128> {
    u32::try_from(of_ten).ok().and_then(|n| 10_i128.checked_pow(n))
}

/// The quotient, rounded.
fn rounded(dividend: i128, divisor: i128) -> i128 {
    let (whole, rest) = (dividend / divisor, dividend % divisor);
    let away = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() { whole + away } else { whole }
}

/// With so many decimals, of so many digits.
pub fn decimal_of_int(value: i64, scale: i64, digits: i64) -> Result<i128, Reason> {
    checked(power(scale).and_then(|power| i128::from(value).checked_mul(power)), limit(digits))
}

/// The same; the shortest text of the number is what counts.
pub fn decimal_of_float(value: f64, scale: i64, digits: i64) -> Result<i128, Reason> {
    if !value.is_finite() {
        return Err(Reason::Conversion);
    }
    decimal_of_text(&value.to_string(), scale, digits)
}

/// The same of a number as JSON has it, white space around it left out.
pub fn decimal_of_text(text: &str, scale: i64, digits: i64) -> Result<i128, Reason> {
    let text = text.trim();
    let number = text.strip_prefix('+').unwrap_or(text);
    if !is_number(number) {
        return Err(Reason::Conversion);
    }
    let scale = i32::try_from(scale).map_err(|_| Reason::OutOfRange)?;
    let value = match scaled_wide(number.as_bytes(), scale) {
        Some((value, false)) => Some(value),
        // One digit more than wanted is enough to round by, since what is cut off below it is cut toward zero.
        _ => scaled_wide(number.as_bytes(), scale.saturating_add(1)).map(|(value, _)| rounded(value, 10)),
    };
    checked(value, limit(digits))
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, decimals) = mantissa.split_once('.').map_or((mantissa, None), |(w, d)| (w, Some(d)));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && decimals.is_none_or(digits) && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// The same of a JSON value: a number, or a text that is one.
pub fn decimal_of_json(json: &str, scale: i64, digits: i64) -> Result<i128, Reason> {
    let text = json.trim();
    decimal_of_text(text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text), scale, digits)
}

/// With so many decimals more, or fewer, of so many digits.
pub fn rescale_decimal(value: i128, by: i64, digits: i64) -> Result<i128, Reason> {
    let value = match by.checked_neg().filter(|_| by < 0) {
        None => power(by).and_then(|power| value.checked_mul(power)),
        // What has no digit left is nothing.
        Some(down) => Some(power(down).map_or(0, |power| rounded(value, power))),
    };
    checked(value, limit(digits))
}

/// With so many decimals, where there is room for them: the type is wide enough.
#[inline]
pub fn wider_int(value: i64, scale: i64) -> i128 {
    wider_decimal(i128::from(value), scale)
}

/// With so many decimals more, where there is room for them: the type is wide enough.
#[inline]
pub fn wider_decimal(value: i128, by: i64) -> i128 {
    value.saturating_mul(power(by).unwrap_or(1))
}

/// The sum of two with equally many decimals.
#[inline]
pub fn add_decimal(left: i128, right: i128) -> Result<i128, Reason> {
    checked(left.checked_add(right), LIMIT)
}

/// The difference of two with equally many decimals.
#[inline]
pub fn subtract_decimal(left: i128, right: i128) -> Result<i128, Reason> {
    checked(left.checked_sub(right), LIMIT)
}

/// The product, with the decimals of both.
#[inline]
pub fn multiply_decimal(left: i128, right: i128) -> Result<i128, Reason> {
    checked(left.checked_mul(right), LIMIT)
}

/// The quotient, the first with so many decimals more.
pub fn divide_decimal(left: i128, right: i128, more: i64) -> Result<i128, Reason> {
    if right == 0 {
        return Err(Reason::DivisionByZero);
    }
    if more < 0 {
        return checked(more.checked_neg().and_then(power).and_then(|power| right.checked_mul(power)).map(|right| rounded(left, right)), LIMIT);
    }
    let exact = power(more).and_then(|power| left.checked_mul(power)).map(|left| rounded(left, right));
    checked(exact.or_else(|| long_division(left, right, more)), LIMIT)
}

/// The same digit by digit, where the dividend with its new decimals has no room.
fn long_division(left: i128, right: i128, more: i64) -> Option<i128> {
    if left == 0 {
        return Some(0);
    }
    // Of anything, so many decimals more leave no room.
    if more > 2 * 38 {
        return None;
    }
    let divisor = right.unsigned_abs();
    let (mut whole, mut rest) = (left.unsigned_abs() / divisor, left.unsigned_abs() % divisor);
    for _ in 0..more {
        // A rest is smaller than the divisor, which has 38 digits at most: twice as much has room, and ten times as much has not.
        let (one, mut digit) = (rest, 0);
        rest = 0;
        for _ in 0..10 {
            rest += one;
            if rest >= divisor {
                rest -= divisor;
                digit += 1;
            }
        }
        whole = whole.checked_mul(10)?.checked_add(digit)?;
    }
    whole += u128::from(rest >= divisor - rest);
    let magnitude = i128::try_from(whole).ok()?;
    Some(if (left < 0) == (right < 0) { magnitude } else { -magnitude })
}

/// With the dividend's sign, of two with equally many decimals.
pub fn remainder_decimal(left: i128, right: i128) -> Result<i128, Reason> {
    left.checked_rem(right).ok_or(Reason::DivisionByZero)
}

/// The sum; where there is no room for it, what no other sum is, and stays so.
#[inline]
pub fn sum_decimal(left: i128, right: i128) -> i128 {
    const NONE: i128 = i128::MIN;
    if left == NONE || right == NONE { NONE } else { left.checked_add(right).unwrap_or(NONE) }
}

/// -1, 0 or 1: how two compare of which the first has so many decimals more.
pub fn compare_decimal(left: i128, right: i128, more: i64) -> i64 {
    // What has no room with more decimals is the larger one, as far as its sign says.
    let wider = |value: i128, by: i64| power(by).and_then(|power| value.checked_mul(power)).unwrap_or(if value < 0 { i128::MIN } else { i128::MAX });
    let (left, right) = if more >= 0 { (left, wider(right, more)) } else { (wider(left, more.saturating_neg()), right) };
    left.cmp(&right) as i64
}

/// The smaller of two with equally many decimals.
#[inline]
pub fn min_decimal(left: i128, right: i128) -> i128 {
    left.min(right)
}

/// The larger of two with equally many decimals.
#[inline]
pub fn max_decimal(left: i128, right: i128) -> i128 {
    left.max(right)
}

/// The absolute value.
#[inline]
pub fn abs_decimal(value: i128) -> i128 {
    value.saturating_abs()
}

/// -1, 0 or 1.
#[inline]
pub fn sign_decimal(value: i128) -> i64 {
    value.signum() as i64
}

/// Of one with so many decimals: the largest whole number that is not above, or the smallest that is not below.
pub fn whole_decimal(value: i128, scale: i64, down: bool) -> i128 {
    let Some(power) = power(scale) else { return 0 };
    let floor = value.div_euclid(power);
    if down || value.rem_euclid(power) == 0 { floor } else { floor + 1 }
}

/// Of one with so many decimals: truncates toward zero.
pub fn int_of_decimal(value: i128, scale: i64) -> Result<i64, Reason> {
    i64::try_from(power(scale).map_or(0, |power| value / power)).map_err(|_| Reason::Overflow)
}

/// Of one with so many decimals: the nearest float.
pub fn float_of_decimal(value: i128, scale: i64) -> f64 {
    // Both are floats exactly, so that one division rounds once.
    if value.unsigned_abs() <= 1 << 53 && (0..=22).contains(&scale) {
        return value as f64 / (0..scale).fold(1.0, |power, _| power * 10.0);
    }
    decimal_text(value, u8::try_from(scale).unwrap_or(0)).parse().unwrap_or(f64::NAN)
}

/// The number of JSON's grammar with so many decimals, of so many digits; nothing is rounded.
pub fn exact_decimal(number: &[u8], scale: u8, digits: u8) -> Result<i128, Reason> {
    match scaled_wide(number, i32::from(scale)) {
        Some((_, true)) => Err(Reason::WrongType),
        Some((value, false)) => checked(Some(value), limit(i64::from(digits))),
        None => Err(Reason::OutOfRange),
    }
}

/// The same of a text.
pub fn exact_decimal_text(text: &str, scale: u8, digits: u8) -> Result<i128, Reason> {
    if is_number(text) { exact_decimal(text.as_bytes(), scale, digits) } else { Err(Reason::WrongType) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use alloc::format;

    use super::*;

    #[test]
    fn texts_are_read_and_rounded() {
        let read = |text: &str| decimal_of_text(text, 2, 6);
        assert_eq!([read("1"), read("-1.5"), read(" 12.345 "), read("-12.345"), read("1.2e1")], [Ok(100), Ok(-150), Ok(1235), Ok(-1235), Ok(1200)]);
        assert_eq!(
            [read("0.004"), read("0.00499999999999"), read("-0.005"), read("9999.99"), read("9999.994")],
            [Ok(0), Ok(0), Ok(-1), Ok(999_999), Ok(999_999)]
        );
        assert_eq!([read("9999.995"), read("10000"), read("1e99")], [Err(Reason::OutOfRange); 3]);
        assert_eq!([read(""), read("."), read("1."), read("x"), read("1e"), read("--1"), read("NaN")], [Err(Reason::Conversion); 7]);
        assert_eq!(decimal_of_float(0.1 + 0.2, 2, 6), Ok(30));
        assert_eq!(decimal_of_float(f64::NAN, 2, 6), Err(Reason::Conversion));
        assert_eq!((decimal_of_json("\"1.5\"", 2, 6), decimal_of_json("1.5", 2, 6), decimal_of_json("[1]", 2, 6)), (Ok(150), Ok(150), Err(Reason::Conversion)));
    }

    #[test]
    fn the_largest_are_exact() {
        let most = LIMIT - 1;
        assert_eq!(decimal_of_text(&most.to_string(), 0, 38), Ok(most));
        assert_eq!(decimal_of_text(&format!("0.{}", "9".repeat(38)), 38, 38), Ok(most));
        assert_eq!(add_decimal(most, 1), Err(Reason::OutOfRange));
        assert_eq!(divide_decimal(most, 1, 1), Err(Reason::OutOfRange));
        assert_eq!(divide_decimal(most, most, 37), Ok(10_i128.pow(37)));
        assert_eq!(divide_decimal(1, 3, 37), Ok("3333333333333333333333333333333333333".parse().unwrap()));
        assert_eq!(divide_decimal(20, 3, 0), Ok(7));
        assert_eq!(divide_decimal(most - 1, most, 37), Ok(10_i128.pow(37)));
        assert_eq!(divide_decimal(-9 * 10_i128.pow(27), 9 * 10_i128.pow(37) + 1, 11), Ok(-10));
        assert_eq!(decimal_text(-most, 38), format!("-0.{}", "9".repeat(38)));
    }

    #[test]
    fn all_compare() {
        let most = LIMIT - 1;
        assert_eq!([compare_decimal(150, 15, 1), compare_decimal(150, 1, 1), compare_decimal(2, 21, -1), compare_decimal(0, 0, 30)], [0, 1, -1, 0]);
        assert_eq!([compare_decimal(5, most, 38), compare_decimal(-most, 5, -38), compare_decimal(most, -1, 38)], [-1, -1, 1]);
    }

    #[test]
    fn a_sum_that_has_no_room_stays_so() {
        let most = LIMIT - 1;
        let sum = |all: &[i128]| all.iter().fold(0, |sum, v| sum_decimal(sum, *v));
        assert_eq!(rescale_decimal(sum(&[most, -most, 5]), 0, 38), Ok(5));
        assert_eq!(rescale_decimal(sum(&[most, most, -most, -most]), 0, 38), Err(Reason::OutOfRange));
    }

    #[test]
    fn whole_numbers_are_below_or_above() {
        assert_eq!([whole_decimal(-150, 2, true), whole_decimal(-150, 2, false), whole_decimal(150, 2, false), whole_decimal(200, 2, false)], [-2, -1, 2, 2]);
    }

    #[test]
    fn division_by_digits_is_division() {
        let numbers = (0..60).map(|n| (i64::MAX >> n) - 3 * n);
        for (left, right) in numbers.clone().flat_map(|left| numbers.clone().map(move |right| (-left, right | 1))) {
            for more in 0..18 {
                let exact = rounded(i128::from(left) * 10_i128.pow(more), i128::from(right));
                assert_eq!(long_division(i128::from(left), i128::from(right), i64::from(more)), Some(exact), "{left} / {right}");
            }
        }
    }
}
