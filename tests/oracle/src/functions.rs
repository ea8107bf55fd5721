//! The run-time functions that random programs and cases call.

use varpulis_abi::packed::LARGEST;

use crate::expression::Refused;
use crate::value::Value::{self, Bool, Duration, Float, Int, Json, Str, Timestamp};
use crate::{decimal, packed};

/// A function over values that are not null.
#[expect(clippy::too_many_lines, reason = "one line per function")]
pub(crate) fn call(body: &str, args: &[Value]) -> Result<Value, Refused> {
    const OVERFLOW: Refused = "integer overflow";
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    const CONVERSION: Refused = "conversion failed";
    Ok(match (body, args) {
        ("abs_int", [Int(a)]) => Int(a.checked_abs().ok_or(OVERFLOW)?),
        ("abs_float", [Float(a)]) => Float(a.abs()),
        ("sign_int", [Int(a)]) => Int(a.signum()),
        ("sign_float", [Float(a)]) => Float(if *a == 0.0 || a.is_nan() { *a } else { a.signum() }),
        ("floor", [Float(a)]) => Float(a.floor()),
        ("ceil", [Float(a)]) => Float(a.ceil()),
        ("round", [Float(a)]) => Float(a.round()),
        ("round_to", [Float(a), Int(n)]) => Float(decimals(*a, *n).parse().map_err(|_| CONVERSION)?),
        ("text_of_timestamp", [Timestamp(t)]) => Str(date(*t)),
        ("text_of_duration", [Duration(d)]) => Str(units(*d)),
        ("timestamp_of_text", [Str(a)]) => Timestamp(crate::input::date(a).ok_or(CONVERSION)?),
        ("day" | "month" | "year", [Timestamp(t)]) => {
            let (y, m, d) = civil(t.div_euclid(86_400_000_000_000));
            Int(match body {
                "day" => d,
                "month" => m,
                _ => y,
            })
        }
        ("sqrt", [Float(a)]) => Float(a.sqrt()),
        ("exp", [Float(a)]) => Float(a.exp()),
        ("ln", [Float(a)]) => Float(a.ln()),
        ("log10", [Float(a)]) => Float(a.log10()),
        ("log2", [Float(a)]) => Float(a.log2()),
        ("sin", [Float(a)]) => Float(a.sin()),
        ("cos", [Float(a)]) => Float(a.cos()),
        ("tan", [Float(a)]) => Float(a.tan()),
        ("is_nan", [Float(a)]) => Bool(a.is_nan()),
        ("int_of_float", [Float(a)]) if !(-TWO_63..TWO_63).contains(a) => return Err(CONVERSION),
        ("int_of_float", [Float(a)]) => Int(a.trunc() as i64),
        ("int_of_text", [Str(a)]) => Int(a.trim().parse().map_err(|_| CONVERSION)?),
        ("int_of_bool", [Bool(a)]) => Int(i64::from(*a)),
        ("int_of_json", [Json(serde_json::Value::String(a))]) => return call("int_of_text", &[Str(a.clone())]),
        ("float_of_json", [Json(serde_json::Value::String(a))]) => return call("float_of_text", &[Str(a.clone())]),
        ("bool_of_json", [Json(serde_json::Value::String(a))]) => return call("bool_of_text", &[Str(a.clone())]),
        ("int_of_json", [Json(a)]) => Int(a.as_i64().or_else(|| a.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64)).ok_or(CONVERSION)?),
        ("float_of_text", [Str(a)]) => Float(a.trim().parse().map_err(|_| CONVERSION)?),
        ("float_of_json", [Json(a)]) => Float(a.as_f64().ok_or(CONVERSION)?),
        ("bool_of_text", [Str(a)]) => Bool(a.parse().map_err(|_| CONVERSION)?),
        ("bool_of_json", [Json(a)]) => Bool(a.as_bool().ok_or(CONVERSION)?),
        ("json_is_text", [Json(a), Str(b)]) => Bool(a.as_str() == Some(b)),
        ("json_is_int", [Json(a), Int(b)]) => Bool(if a.is_f64() { a.as_f64() == Some(*b as f64) } else { a.as_i64() == Some(*b) }),
        ("json_is_float", [Json(a), Float(b)]) => Bool(a.as_f64() == Some(*b)),
        ("json_is_bool", [Json(a), Bool(b)]) => Bool(a.as_bool() == Some(*b)),
        ("text_of_int", [Int(a)]) => Str(a.to_string()),
        ("text_of_float", [Float(a)]) => Str(serde_json::Number::from_f64(*a).map_or_else(|| format!("{a}"), |n| n.to_string())),
        ("text_of_bool", [Bool(a)]) => Str(a.to_string()),
        ("text_of_json", [Json(serde_json::Value::String(a))]) => Str(a.clone()),
        ("text_of_json", [Json(a)]) => Str(a.to_string()),
        ("quoted_text", [Str(a)]) => Str(serde_json::Value::from(a.as_str()).to_string()),
        ("quoted_json", [Json(a)]) => Str(a.to_string()),
        ("text_fixed", [Float(a), Int(n)]) => Str(decimals(*a, *n)),
        ("length", [Str(a)]) => Int(a.chars().count() as i64),
        ("upper", [Str(a)]) => Str(a.to_uppercase()),
        ("lower", [Str(a)]) => Str(a.to_lowercase()),
        ("trim", [Str(a)]) => Str(a.trim().to_owned()),
        ("contains", [Str(a), Str(b)]) => Bool(a.contains(b.as_str())),
        ("starts_with", [Str(a), Str(b)]) => Bool(a.starts_with(b.as_str())),
        ("ends_with", [Str(a), Str(b)]) => Bool(a.ends_with(b.as_str())),
        ("replace", [Str(a), Str(b), Str(c)]) if a.len() + a.matches(b.as_str()).count() * c.len().saturating_sub(b.len()) > LARGEST => {
            return Err("value too large");
        }
        ("limited_text", [Str(a)]) if a.len() > LARGEST => return Err("value too large"),
        ("limited_text", [Str(a)]) => Str(a.clone()),
        ("replace", [Str(a), Str(b), Str(c)]) => Str(a.replace(b.as_str(), c)),
        ("substring", [Str(a), Int(from), Int(n)]) => Str(a.chars().skip((*from).max(0) as usize).take((*n).max(0) as usize).collect()),
        ("concat", [Str(a), Str(b)]) => Str(format!("{a}{b}")),
        ("hour", [Timestamp(t)]) => Int(t.div_euclid(3_600_000_000_000).rem_euclid(24)),
        ("minute", [Timestamp(t)]) => Int(t.div_euclid(60_000_000_000).rem_euclid(60)),
        ("second", [Timestamp(t)]) => Int(t.div_euclid(1_000_000_000).rem_euclid(60)),
        ("weekday", [Timestamp(t)]) => Int((t.div_euclid(86_400_000_000_000) + 3).rem_euclid(7) + 1),
        ("timestamp_of_millis", [Int(a)]) => Timestamp(a.checked_mul(1_000_000).ok_or(OVERFLOW)?),
        ("millis_of_timestamp", [Timestamp(a)]) => Int(a.div_euclid(1_000_000)),
        ("millis_of_duration", [Duration(a)]) => Int(a / 1_000_000),
        ("seconds_of_duration", [Duration(a)]) => Float(*a as f64 / 1e9),
        ("min_int", [Int(a), Int(b)]) => Int(*a.min(b)),
        ("max_int", [Int(a), Int(b)]) => Int(*a.max(b)),
        ("min_float", [Float(a), Float(b)]) => Float(if *a == 0.0 && *b == 0.0 { -(-a + -b) } else { a.min(*b) }),
        ("max_float", [Float(a), Float(b)]) => Float(if *a == 0.0 && *b == 0.0 { a + b } else { a.max(*b) }),
        ("power_int", [Int(_), Int(b)]) if *b < 0 => return Err(CONVERSION),
        ("power_int", [Int(a), Int(b)]) => Int(power(*a, *b).ok_or(OVERFLOW)?),
        ("power_float", [Float(a), Float(b)]) => Float(a.powf(*b)),
        ("shift_left" | "shift_right", [Int(_), Int(b)]) if !(0..64).contains(b) => return Err("shift out of range"),
        ("shift_left", [Int(a), Int(b)]) => Int(a << b),
        ("shift_right", [Int(a), Int(b)]) => Int(a >> b),
        ("divide_int" | "remainder_int", [Int(_), Int(0)]) => return Err("division by zero"),
        ("divide_int", [Int(a), Int(b)]) => Int(a.checked_div(*b).ok_or(OVERFLOW)?),
        ("remainder_int", [Int(a), Int(b)]) => Int(a.checked_rem(*b).unwrap_or(0)),
        ("remainder_float", [Float(a), Float(b)]) => Float(a % b),
        ("scale_duration", [Duration(a), Float(b)]) => Duration(rounded(*a as f64 * b)?),
        ("divide_duration", [Duration(_), Float(0.0)]) => return Err("division by zero"),
        ("divide_duration", [Duration(a), Float(b)]) => Duration(rounded(*a as f64 / b)?),
        (body, args) => match decimal::call(body, args) {
            Some(result) => result?,
            None => packed::call(body, args)?,
        },
    })
}

fn power(a: i64, b: i64) -> Option<i64> {
    match (a, u32::try_from(b)) {
        (_, Ok(b)) => a.checked_pow(b),
        (0 | 1, Err(_)) => Some(a),
        (-1, Err(_)) => Some(if b % 2 == 0 { 1 } else { -1 }),
        _ => None,
    }
}

fn rounded(nanoseconds: f64) -> Result<i64, Refused> {
    if nanoseconds.is_nan() || nanoseconds.abs() >= 9.3e18 { Err("integer overflow") } else { Ok(nanoseconds.round() as i64) }
}

/// Year, month and day of a day since the epoch, by counting.
pub(crate) fn civil(mut day: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    let length = |y: i64| if (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 { 366 } else { 365 };
    while day < 0 {
        year -= 1;
        day += length(year);
    }
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    (year, month as i64 + 1, day + 1)
}

/// RFC 3339, with as many decimals as it takes.
fn date(t: i64) -> String {
    let (y, m, d) = civil(t.div_euclid(86_400_000_000_000));
    let (second, nanos) = (t.div_euclid(1_000_000_000).rem_euclid(86_400), t.rem_euclid(1_000_000_000));
    let fraction = format!("{nanos:09}");
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}{dot}{fraction}Z", second / 3600, second / 60 % 60, second % 60)
}

/// A duration in the units of the language, the largest first.
fn units(d: i64) -> String {
    let mut rest = d.unsigned_abs();
    let mut text = if d < 0 { "-".to_owned() } else { String::new() };
    for (unit, size) in [
        ("w", 604_800_000_000_000),
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if d == 0 { "0s".to_owned() } else { text }
}

/// A number with that many decimals (fewer than none: none, whole tens), from all its digits: halves away from zero.
fn decimals(a: f64, n: i64) -> String {
    if !a.is_finite() {
        return a.to_string();
    }
    // A double has no more decimals than these.
    let all = format!("{:.1080}", a.abs());
    let (whole, fraction) = all.split_once('.').unwrap_or((&all, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
    let kept = (whole.len() as i64 + n).clamp(0, digits.len() as i64) as usize;
    let up = digits.get(kept).is_some_and(|d| *d >= 5);
    let mut rounded: Vec<u8> = std::iter::once(0).chain(digits[..kept].iter().copied()).collect();
    if up {
        let last = rounded.iter().rposition(|d| *d < 9).unwrap();
        rounded[last] += 1;
        rounded[last + 1..].fill(0);
    }
    rounded.resize(whole.len() + 1 + n.clamp(0, 1080) as usize, 0);
    let text: String = rounded.iter().map(|d| char::from(b'0' + d)).collect();
    let (whole, fraction) = text.split_at(whole.len() + 1);
    let whole = whole.trim_start_matches('0');
    let sign = if a.is_sign_negative() { "-" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}", if whole.is_empty() { "0" } else { whole })
}
