//! The run-time functions that constants need, as they are computed at compile time.

use varpulis_abi::number;
use varpulis_abi::packed::Packed;
use varpulis_abi::reason::Reason;

use super::{LONGEST_TEXT, Stop};
use crate::analysis::typed::Literal;

const MILLISECOND: i64 = 1_000_000;

/// The functions that constants need and that say here, in a line, what they say in the runtime; the others are computed at run time.
pub(super) fn call(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    Ok(match (body, args) {
        ("divide_int", [Literal::Int(_), Literal::Int(0)]) | ("remainder_int", [Literal::Int(_), Literal::Int(0)]) => {
            return Err(Stop::Refused(Reason::DivisionByZero));
        }
        ("divide_int", [Literal::Int(a), Literal::Int(b)]) => Literal::Int(a.checked_div(*b).ok_or(Stop::Refused(Reason::Overflow))?),
        ("remainder_int", [Literal::Int(a), Literal::Int(b)]) => Literal::Int(a.checked_rem(*b).unwrap_or(0)),
        ("power_int", [Literal::Int(_), Literal::Int(b)]) if *b < 0 => return Err(Stop::Refused(Reason::Conversion)),
        // Powers of these stay in range whatever the exponent.
        ("power_int", [Literal::Int(a @ (0 | 1)), Literal::Int(b)]) => Literal::Int(if *b == 0 { 1 } else { *a }),
        ("power_int", [Literal::Int(-1), Literal::Int(b)]) => Literal::Int(if b % 2 == 0 { 1 } else { -1 }),
        ("power_int", [Literal::Int(a), Literal::Int(b)]) => {
            Literal::Int(u32::try_from(*b).ok().and_then(|b| a.checked_pow(b)).ok_or(Stop::Refused(Reason::Overflow))?)
        }
        ("divide_duration", [Literal::Duration(_), Literal::Float(b)]) if *b == 0.0 => return Err(Stop::Refused(Reason::DivisionByZero)),
        ("divide_duration", [Literal::Duration(a), Literal::Float(b)]) => nearest(*a as f64 / b)?,
        ("scale_duration", [Literal::Duration(a), Literal::Float(b)]) => nearest(*a as f64 * b)?,
        ("concat", [Literal::Str(a), Literal::Str(b)]) if a.len() + b.len() > LONGEST_TEXT => return Err(Stop::TooLong),
        ("concat", [Literal::Str(a), Literal::Str(b)]) => Literal::Str(format!("{a}{b}")),
        ("text_of_int", [Literal::Int(a)]) => Literal::Str(a.to_string()),
        ("is_nan", [Literal::Float(a)]) => Literal::Bool(a.is_nan()),
        ("text_of_float", [Literal::Float(a)]) => Literal::Str(ryu::Buffer::new().format(*a).to_owned()),
        ("seconds_of_duration", [Literal::Duration(a)]) => Literal::Float(*a as f64 / 1e9),
        ("millis_of_duration", [Literal::Duration(a)]) => Literal::Int(a / MILLISECOND),
        ("millis_of_timestamp", [Literal::Timestamp(a)]) => Literal::Int(a.div_euclid(MILLISECOND)),
        ("timestamp_of_millis", [Literal::Int(a)]) => Literal::Timestamp(a.checked_mul(MILLISECOND).ok_or(Stop::Refused(Reason::Overflow))?),
        ("parts", [Literal::Str(of)]) => Literal::Int(i64::try_from(Packed(of).len()).unwrap_or(i64::MAX)),
        ("place", [Literal::Str(of), Literal::Int(at)]) => {
            let place = Packed(of).place(*at).and_then(|place| i64::try_from(place).ok());
            Literal::Int(place.ok_or(Stop::Refused(Reason::IndexOutOfRange))?)
        }
        _ if body.contains("decimal") || body == "wider_int" => return super::decimals::call(body, args),
        (_, [Literal::Int(_), ..]) => return of_ints(body, args),
        (_, [Literal::Float(_), ..]) => return of_floats(body, args),
        (_, [Literal::Str(_), ..]) => return of_texts(body, args),
        ("int_of_bool", [Literal::Bool(a)]) => Literal::Int(i64::from(*a)),
        ("text_of_bool", [Literal::Bool(a)]) => Literal::Str(a.to_string()),
        _ => return Err(Stop::Unknown),
    })
}

/// The duration of so many nanoseconds.
fn nearest(nanoseconds: f64) -> Result<Literal, Stop> {
    let rounded = nanoseconds.round();
    match rounded {
        _ if rounded.is_nan() => Err(Stop::Refused(Reason::Conversion)),
        _ if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) => Ok(Literal::Duration(rounded as i64)),
        _ => Err(Stop::Refused(Reason::Overflow)),
    }
}

fn of_ints(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    Ok(Literal::Int(match (body, args) {
        ("abs_int", [Literal::Int(a)]) => a.checked_abs().ok_or(Stop::Refused(Reason::Overflow))?,
        ("sign_int", [Literal::Int(a)]) => a.signum(),
        ("min_int", [Literal::Int(a), Literal::Int(b)]) => *a.min(b),
        ("max_int", [Literal::Int(a), Literal::Int(b)]) => *a.max(b),
        _ => return Err(Stop::Unknown),
    }))
}

fn of_floats(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    Ok(Literal::Float(match (body, args) {
        ("abs_float", [Literal::Float(a)]) => a.abs(),
        ("sign_float", [Literal::Float(a)]) => {
            if *a == 0.0 {
                0.0
            } else {
                a.signum()
            }
        }
        ("floor", [Literal::Float(a)]) => a.floor(),
        ("ceil", [Literal::Float(a)]) => a.ceil(),
        ("round", [Literal::Float(a)]) => a.round(),
        ("sqrt", [Literal::Float(a)]) => a.sqrt(),
        ("min_float", [Literal::Float(a), Literal::Float(b)]) => number::smaller(*a, *b),
        ("max_float", [Literal::Float(a), Literal::Float(b)]) => number::larger(*a, *b),
        ("int_of_float", [Literal::Float(a)]) => {
            // 2^63 is a float, and the first one too large.
            let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(a);
            return if fits { Ok(Literal::Int(*a as i64)) } else { Err(Stop::Refused(Reason::Conversion)) };
        }
        _ => return Err(Stop::Unknown),
    }))
}

fn of_texts(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    const FAILED: Stop = Stop::Refused(Reason::Conversion);
    Ok(match (body, args) {
        ("length", [Literal::Str(a)]) => Literal::Int(i64::try_from(a.chars().count()).unwrap_or(i64::MAX)),
        ("upper", [Literal::Str(a)]) => Literal::Str(a.to_uppercase()),
        ("lower", [Literal::Str(a)]) => Literal::Str(a.to_lowercase()),
        ("trim", [Literal::Str(a)]) => Literal::Str(a.trim().to_owned()),
        ("contains", [Literal::Str(a), Literal::Str(b)]) => Literal::Bool(a.contains(b.as_str())),
        ("starts_with", [Literal::Str(a), Literal::Str(b)]) => Literal::Bool(a.starts_with(b.as_str())),
        ("ends_with", [Literal::Str(a), Literal::Str(b)]) => Literal::Bool(a.ends_with(b.as_str())),
        ("replace", [Literal::Str(a), Literal::Str(b), Literal::Str(c)])
            if a.matches(b.as_str()).count().saturating_mul(c.len()).saturating_add(a.len()) > LONGEST_TEXT =>
        {
            return Err(Stop::TooLong);
        }
        ("replace", [Literal::Str(a), Literal::Str(b), Literal::Str(c)]) => Literal::Str(a.replace(b.as_str(), c)),
        ("float_of_text", [Literal::Str(a)]) => Literal::Float(a.trim().parse().map_err(|_| FAILED)?),
        ("bool_of_text", [Literal::Str(a)]) => Literal::Bool(a.trim().parse().map_err(|_| FAILED)?),
        ("int_of_text", [Literal::Str(a)]) => match a.trim().parse() {
            Ok(value) => Literal::Int(value),
            // A whole number may also be written with a point or an exponent, which the runtime reads.
            Err(_) if a.trim().parse::<f64>().is_ok() => return Err(Stop::Unknown),
            Err(_) => return Err(FAILED),
        },
        _ => return Err(Stop::Unknown),
    })
}
