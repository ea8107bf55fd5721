//! Exact decimals (§2): numbers with their decimals, by the rules of school.

use crate::expression::Refused;
use crate::value::Value::{self, Array, Bool, Decimal, Float, Int, Json, Str};

const TOO_LARGE: Refused = "out of range";
const CONVERSION: Refused = "conversion failed";

/// A number of at most so many digits.
fn of_digits(value: Option<i128>, digits: i64) -> Result<i128, Refused> {
    value.filter(|v| v.unsigned_abs().to_string().len() as i64 <= digits || *v == 0).ok_or(TOO_LARGE)
}

/// The quotient; halves go away from zero.
fn quotient(a: i128, b: i128) -> i128 {
    let (whole, rest) = (a.unsigned_abs() / b.unsigned_abs(), a.unsigned_abs() % b.unsigned_abs());
    let magnitude = (whole + u128::from(2 * rest >= b.unsigned_abs())) as i128;
    if (a < 0) == (b < 0) { magnitude } else { -magnitude }
}

fn power(n: i64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(n).ok()?)
}

/// Shifts the point.
fn shifted(value: i128, by: i64) -> Option<i128> {
    match power(by.abs()) {
        Some(power) if by >= 0 => value.checked_mul(power),
        Some(power) => Some(quotient(value, power)),
        None => (value == 0 || by < 0).then_some(0),
    }
}

/// The digits of a text as JSON has numbers, and how many of them are decimals.
fn digits(text: &str) -> Option<(i128, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let first = whole.trim_start_matches(['-', '+']);
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let fits = !first.is_empty() && plain(first) && plain(decimals) && mantissa.ends_with(|c: char| c.is_ascii_digit());
    let exponent: i64 = exponent.parse().ok()?;
    if !fits {
        return None;
    }
    // Zeros at the end say nothing, and may be many.
    let kept = decimals.trim_end_matches('0');
    Some((format!("{whole}{kept}").parse().ok()?, kept.len() as i64 - exponent))
}

/// A field's value: nothing is rounded.
pub(crate) fn read(json: &serde_json::Value, size: u8, scale: u8) -> Option<Value> {
    let text = if let Some(text) = json.as_str() { text.to_owned() } else { json.as_number()?.to_string() };
    let (value, decimals) = digits(&text)?;
    let result = shifted(value, i64::from(scale) - decimals)?;
    let exact = shifted(result, decimals - i64::from(scale)) == Some(value);
    (exact && of_digits(Some(result), i64::from(size)).is_ok()).then_some(Decimal(result, scale))
}

fn parsed(text: &str, scale: i64, size: i64) -> Result<Value, Refused> {
    let (value, decimals) = digits(text.trim()).ok_or(CONVERSION)?;
    Ok(Decimal(of_digits(shifted(value, scale - decimals), size)?, scale as u8))
}

pub(crate) fn text(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0>1$}", value.unsigned_abs(), scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    format!("{}{whole}{}{decimals}", if value < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" })
}

/// The functions of decimals, if it is one.
pub(crate) fn call(body: &str, args: &[Value]) -> Option<Result<Value, Refused>> {
    (body.contains("decimal") || body == "wider_int").then(|| evaluate(body, args))
}

fn evaluate(body: &str, args: &[Value]) -> Result<Value, Refused> {
    Ok(match (body, args) {
        ("decimal_of_int", [Int(v), Int(scale), Int(size)]) => parsed(&v.to_string(), *scale, *size)?,
        ("decimal_of_float", [Float(v), Int(scale), Int(size)]) => parsed(&v.to_string(), *scale, *size)?,
        ("decimal_of_text" | "decimal_of_json", [Str(v) | Json(serde_json::Value::String(v)), Int(scale), Int(size)]) => parsed(v, *scale, *size)?,
        ("decimal_of_json", [Json(v), Int(scale), Int(size)]) => parsed(&v.to_string(), *scale, *size)?,
        ("rescale_decimal", [Decimal(v, scale), Int(by), Int(size)]) => Decimal(of_digits(shifted(*v, *by), *size)?, (i64::from(*scale) + by) as u8),
        ("wider_int", [Int(v), Int(scale)]) => Decimal(shifted(i128::from(*v), *scale).ok_or(TOO_LARGE)?, *scale as u8),
        ("wider_decimal", [Decimal(v, scale), Int(by)]) => Decimal(shifted(*v, *by).ok_or(TOO_LARGE)?, scale + *by as u8),
        ("add_decimal", [Decimal(a, scale), Decimal(b, _)]) => Decimal(of_digits(a.checked_add(*b), 38)?, *scale),
        ("subtract_decimal", [Decimal(a, scale), Decimal(b, _)]) => Decimal(of_digits(a.checked_sub(*b), 38)?, *scale),
        ("multiply_decimal", [Decimal(a, s), Decimal(b, t)]) => Decimal(of_digits(a.checked_mul(*b), 38)?, s + t),
        ("divide_decimal" | "remainder_decimal", [_, Decimal(0, _), ..]) => return Err("division by zero"),
        ("divide_decimal", [Decimal(a, s), Decimal(b, t), Int(more)]) => {
            let (a, b) = if *more < 0 { (Some(*a), shifted(*b, -more)) } else { (shifted(*a, *more), Some(*b)) };
            Decimal(of_digits(a.zip(b).map(|(a, b)| quotient(a, b)), 38)?, (i64::from(*s) - i64::from(*t) + more) as u8)
        }
        ("remainder_decimal", [Decimal(a, scale), Decimal(b, _)]) => Decimal(a % b, *scale),
        ("compare_decimal", [Decimal(a, s), Decimal(b, t), _]) => {
            // Texts of one length, sign aside.
            let padded = |v: i128, scale: u8| {
                let text = text(v.abs(), scale);
                let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
                format!("{whole:0>40}{decimals:0<40}")
            };
            let (x, y) = (padded(*a, *s), padded(*b, *t));
            Int(match (*a < 0, *b < 0) {
                (false, false) => x.cmp(&y),
                (true, true) => y.cmp(&x),
                (true, false) => std::cmp::Ordering::Less,
                (false, true) => std::cmp::Ordering::Greater,
            } as i64)
        }
        ("min_decimal", [Decimal(a, scale), Decimal(b, _)]) => Decimal(*a.min(b), *scale),
        ("max_decimal", [Decimal(a, scale), Decimal(b, _)]) => Decimal(*a.max(b), *scale),
        ("abs_decimal", [Decimal(a, scale)]) => Decimal(a.abs(), *scale),
        ("sign_decimal", [Decimal(a, _)]) => Int(a.signum() as i64),
        ("whole_decimal", [Decimal(a, scale), _, Bool(down)]) => {
            let power = power(i64::from(*scale)).ok_or(TOO_LARGE)?;
            Decimal(a.div_euclid(power) + i128::from(!down && a.rem_euclid(power) != 0), 0)
        }
        ("int_of_decimal", [Decimal(a, scale), _]) => Int(text(*a, *scale).split('.').next().and_then(|whole| whole.parse().ok()).ok_or("integer overflow")?),
        ("float_of_decimal", [Decimal(a, scale), _]) => Float(text(*a, *scale).parse().map_err(|_| CONVERSION)?),
        ("text_of_decimal", [Decimal(a, scale), _]) => Str(text(*a, *scale)),
        ("shortest_of_decimal", [Decimal(a, 0), _]) => Str(a.to_string()),
        ("shortest_of_decimal", [Decimal(a, scale), _]) => Str(text(*a, *scale).trim_end_matches('0').trim_end_matches('.').to_owned()),
        ("sum_of_decimals", [Array(all)]) => sum(all, 0)?,
        (body, args) => panic!("{body} of {args:?}"),
    })
}

/// The sum of those that are not null.
pub(crate) fn sum(all: &[Value], scale: u8) -> Result<Value, Refused> {
    let decimals = || all.iter().filter_map(|v| if let Decimal(v, scale) = v { Some((*v, *scale)) } else { None });
    let total = decimals().try_fold(0_i128, |sum, (v, _)| sum.checked_add(v));
    Ok(Decimal(of_digits(total, 38)?, decimals().next().map_or(scale, |(_, scale)| scale)))
}
