//! Operations on numbers whose results no machine or optimizer may choose, and how exact decimals are written.

use alloc::string::String;
use alloc::vec::Vec;

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

/// Appends a decimal's digits with its point: the last `scale` are its decimals, all of which are written.
pub fn write_decimal(buffer: &mut Vec<u8>, value: i128, scale: u8) {
    let (start, mut rest, mut written, scale) = (buffer.len(), value.unsigned_abs(), 0_u16, u16::from(scale));
    // From the last digit to the first, one in front of the point at least.
    while rest > 0 || written <= scale {
        if written == scale && scale > 0 {
            buffer.push(b'.');
        }
        let digit;
        (rest, digit) = match u64::try_from(rest) {
            Ok(rest) => (u128::from(rest / 10), (rest % 10) as u8),
            Err(_) => (rest / 10, (rest % 10) as u8),
        };
        buffer.push(b'0' + digit);
        written += 1;
    }
    if value < 0 {
        buffer.push(b'-');
    }
    if let Some(text) = buffer.get_mut(start..) {
        text.reverse();
    }
}

/// The same as a text.
pub fn decimal_text(value: i128, scale: u8) -> String {
    let mut text = Vec::new();
    write_decimal(&mut text, value, scale);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::decimal_text;

    #[test]
    fn decimals_have_all_their_digits() {
        let texts = [(0, 0), (0, 2), (5, 2), (-105, 2), (1_000_000, 3), (i128::MAX, 0), (i128::MIN, 38)].map(|(value, scale)| decimal_text(value, scale));
        let expected = ["0", "0.00", "0.05", "-1.05", "1000.000", "170141183460469231731687303715884105727", "-1.70141183460469231731687303715884105728"];
        assert_eq!(texts, expected);
    }
}
