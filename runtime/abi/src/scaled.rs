//! Decimal text as an exact scaled integer: how numbers become `int`s, times and durations without a detour over floats.

/// Reads `text`, a number of JSON's grammar, as `number × 10^power`, rounded down; the flag says whether anything was cut off.
/// `None` if the result leaves 64 bits.
pub fn scaled(text: &[u8], power: i32) -> Option<(i64, bool)> {
    let (value, cut) = scaled_wide(text, power)?;
    // Rounded down, where what was cut off was below zero.
    let value = if cut && text.first() == Some(&b'-') { value - 1 } else { value };
    Some((i64::try_from(value).ok()?, cut))
}

/// The same, cut toward zero; `None` if the result leaves 128 bits.
pub fn scaled_wide(text: &[u8], power: i32) -> Option<(i128, bool)> {
    let (negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let mantissa_end = rest.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(rest.len());
    let (mantissa, tail) = rest.split_at(mantissa_end);
    let whole = mantissa.iter().position(|b| *b == b'.').unwrap_or(mantissa.len());
    // The exponent, clamped: beyond these bounds no i64 is left but zero.
    let exponent = exponent(tail.get(1..).unwrap_or_default());
    let digits = mantissa.len() - usize::from(whole < mantissa.len());
    let kept = i64::try_from(whole).ok()?.checked_add(exponent)?.checked_add(i64::from(power))?;
    let mut magnitude: i128 = 0;
    let mut cut = false;
    for (index, digit) in (0_i64..).zip(mantissa.iter().filter(|b| b.is_ascii_digit())) {
        if index < kept {
            magnitude = magnitude.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        } else {
            cut |= *digit != b'0';
        }
    }
    if magnitude != 0 {
        for _ in i64::try_from(digits).ok()?..kept {
            magnitude = magnitude.checked_mul(10)?;
        }
    }
    Some((if negative { -magnitude } else { magnitude }, cut))
}

fn exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let magnitude = digits.iter().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit.wrapping_sub(b'0'))).min(1 << 40));
    if negative { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::scaled;

    #[test]
    fn decimals_are_exact_and_round_down() {
        assert_eq!(scaled(b"1", 0), Some((1, false)));
        assert_eq!(scaled(b"-1.5", 0), Some((-2, true)));
        assert_eq!(scaled(b"1.50", 1), Some((15, false)));
        assert_eq!(scaled(b"1e3", 0), Some((1000, false)));
        assert_eq!(scaled(b"1.234E-2", 5), Some((1234, false)));
        assert_eq!(scaled(b"9223372036854775807", 0), Some((i64::MAX, false)));
        assert_eq!(scaled(b"-9223372036854775808.000", 0), Some((i64::MIN, false)));
        assert_eq!(scaled(b"9223372036854775808", 0), None);
        assert_eq!(scaled(b"0e999999999999999999999", 0), Some((0, false)));
        assert_eq!(scaled(b"1e999999999999999999999", 0), None);
        assert_eq!(scaled(b"1e-999999999999999999999", 0), Some((0, true)));
        assert_eq!(scaled(b"0.0001", 0), Some((0, true)));
        assert_eq!(scaled(b"-0.0001", 0), Some((-1, true)));
        assert_eq!(scaled(b"1700000000000.123456789", 6), Some((1_700_000_000_000_123_456, true)));
    }
}
