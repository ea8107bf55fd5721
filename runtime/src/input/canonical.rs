//! One way to write a JSON value, so that equal values of an `any` are equal as they stand: as keys, in comparisons, among distinct ones.
//!
//! Texts have no escapes but those they need, numbers no zeros that say nothing, and nothing has white space around it. Members of an object keep
//! their order.

use super::json::{is_space, unescape};
use crate::output::text::quoted;

/// How many digits a number has that is written without an exponent, and how many zeros stand behind its point at most.
const DIGITS: i64 = 21;
const ZEROS: i64 = 6;

/// Whether a value, of JSON's grammar, is surely written so. Numbers that are long or no integers are looked at closely.
#[inline]
pub(super) fn is_plain(raw: &[u8]) -> bool {
    match raw {
        [b'"', ..] => memchr::memchr(b'\\', raw).is_none(),
        [b'-', b'0', ..] => false,
        [b'-' | b'0'..=b'9', ..] => raw.len() <= DIGITS as usize && !raw.iter().any(|b| matches!(b, b'.' | b'e' | b'E')),
        [b'[' | b'{', ..] => is_plain_inside(raw),
        _ => true,
    }
}

fn is_plain_inside(raw: &[u8]) -> bool {
    let (mut in_text, mut digits, mut before) = (false, 0, b'[');
    for byte in raw {
        match byte {
            b'\\' => return false,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'.' => return false,
            b'e' | b'E' if before.is_ascii_digit() => return false,
            b'0' if before == b'-' => return false,
            space if is_space(*space) => return false,
            _ => {}
        }
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        if digits > DIGITS && !in_text {
            return false;
        }
        before = *byte;
    }
    true
}

/// Appends the value, which is of JSON's grammar but for escapes, in that form.
///
/// # Errors
/// The place of an escape that is none.
pub(super) fn canonical(raw: &str, out: &mut String) -> Result<(), usize> {
    let bytes = raw.as_bytes();
    let mut text = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'"' => {
                at += 1;
                while let Some(inner) = bytes.get(at).filter(|b| **b != b'"') {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
                text.clear();
                unescape(raw.get(start + 1..at).unwrap_or_default(), &mut text).map_err(|place| start + 1 + place)?;
                let mut buffer = Vec::with_capacity(text.len() + 2);
                quoted(&mut buffer, &text);
                out.push_str(std::str::from_utf8(&buffer).unwrap_or_default());
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                while bytes.get(at).is_some_and(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
                    at += 1;
                }
                number(raw.get(start..at).unwrap_or_default(), out);
            }
            space if is_space(*space) => at += 1,
            other => {
                out.push(char::from(*other));
                at += 1;
            }
        }
    }
    Ok(())
}

/// Appends a number by its digits and the place of its point.
fn number(text: &str, out: &mut String) {
    let unsigned = text.trim_start_matches('-');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{decimals}");
    let digits = all.trim_start_matches('0');
    let point = exponent.parse::<i64>().ok().and_then(|e| e.checked_add(whole.len() as i64 - (all.len() - digits.len()) as i64));
    let digits = digits.trim_end_matches('0');
    let count = digits.len() as i64;
    if digits.is_empty() {
        out.push('0');
        return;
    }
    // No program counts the digits of such an exponent.
    let Some(point) = point else { return out.push_str(text) };
    if unsigned.len() < text.len() {
        out.push('-');
    }
    let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
    if (count..=DIGITS).contains(&point) {
        out.push_str(digits);
        out.push_str(&zeros(point - count));
    } else if (1..=DIGITS).contains(&point) {
        let (before, behind) = digits.split_at(usize::try_from(point).unwrap_or(0));
        out.push_str(&format!("{before}.{behind}"));
    } else if (-ZEROS..=0).contains(&point) {
        out.push_str(&format!("0.{}{digits}", zeros(-point)));
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        out.push_str(&format!("{first}{dot}{rest}e{}", point.saturating_sub(1)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn form(raw: &str) -> String {
        let mut out = String::new();
        canonical(raw, &mut out).unwrap();
        // Once is enough, and what is plain stays.
        let mut again = String::new();
        canonical(&out, &mut again).unwrap();
        assert_eq!(out, again);
        assert!(!is_plain(raw.as_bytes()) || out == raw, "{raw}");
        out
    }

    #[test]
    fn equal_values_are_written_alike() {
        for (forms, wanted) in [
            (&["1", "1.0", "1e0", "10e-1", "0.1E1", "1.000e+0"][..], "1"),
            (&["0", "-0", "0.0", "-0e5", "0E400"], "0"),
            (&["-1.50", "-15e-1", "-0.15e1"], "-1.5"),
            (&["100", "1e2", "100.00"], "100"),
            (&["1e21", "1000000000000000000000.0", "1000000000000000000000", "10e20"], "1e21"),
            (&["100000000000000000000", "1e20"], "100000000000000000000"),
            (&["12345678901234567890123", "1.2345678901234567890123e22"], "1.2345678901234567890123e22"),
            (&["0.000001", "1e-6"], "0.000001"),
            (&["0.00000001", "1e-8"], "1e-8"),
            (&["1e400"], "1e400"),
            (&["123456789.000001"], "123456789.000001"),
            (&[r#""Jos\u00e9""#, r#""José""#], r#""José""#),
            (&[r#""a\/b""#, r#""a/b""#], r#""a/b""#),
            (&[r#""\ud83d\ude00\n\"""#], "\"😀\\n\\\"\""),
            (&["[1, 2]", "[1,2]", "[ 1.0 ,2 ]"], "[1,2]"),
            (&[r#"{ "a" : 1.50, "b\u0020c": [true , null] }"#], r#"{"a":1.5,"b c":[true,null]}"#),
            (&["true"], "true"),
            (&[r#"{"e":[1,-2,true],"1.0 e":{}}"#], r#"{"e":[1,-2,true],"1.0 e":{}}"#),
            (&["[1e0,-0]", "[1.0,0]", "[10e-1,0]"], "[1,0]"),
            (&["[1000000000000000000000]"], "[1e21]"),
        ] {
            for raw in forms {
                assert_eq!(form(raw), wanted, "{raw}");
            }
        }
        assert_eq!(canonical(r#""a\x""#, &mut String::new()), Err(2));
    }
}
