//! Field values out of JSON values, numbers and cells: what fits which type.

use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use super::Invalid;
use super::canonical::{canonical, is_plain};
use super::json::{Care, ends_token, malformed, skip_value, text_at, text_place, unescape};
use super::schema::TIME;
use super::time::{event_time, event_time_of_text};
use crate::program::{FieldSchema, Form};
use crate::scalar::{exact_decimal, exact_decimal_text, scaled, timestamp_of_text};
use crate::value::Value;

/// A number as it was read: `±mantissa × 10^exponent`, unless it has more digits than fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    negative: bool,
    mantissa: u64,
    exponent: i32,
    /// Whether `mantissa` and `exponent` are the number; else its text must be read again.
    exact: bool,
    /// The place behind it.
    pub(crate) end: usize,
}

/// The value of eight digits, the first one in the lowest byte.
#[inline(always)]
fn eight_digits(word: u64) -> u64 {
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// Reads digits from `at` on into `mantissa`, which wraps if they are too many; the result is behind them.
#[inline(always)]
fn digits(line: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(chunk) = line.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk) ^ 0x3030_3030_3030_3030;
        // A byte above 9 gets its high bit set by the addition, or had it.
        if (word | word.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
            break;
        }
        *mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(eight_digits(word));
        at += 8;
    }
    while let Some(digit) = line.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

/// Reads a number of JSON's grammar.
#[inline(always)]
pub(crate) fn number(line: &[u8], start: usize) -> Result<Number, Invalid> {
    let negative = line.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut mantissa = 0;
    let mut end = digits(line, first, &mut mantissa);
    let mut count = end - first;
    if count == 0 || (count > 1 && line.get(first) == Some(&b'0')) {
        return Err(malformed(start));
    }
    let mut exponent = 0;
    if line.get(end) == Some(&b'.') {
        let decimals = end + 1;
        end = digits(line, decimals, &mut mantissa);
        if end == decimals {
            return Err(malformed(start));
        }
        count += end - decimals;
        exponent = -i32::try_from(end - decimals).unwrap_or(i32::MAX);
    }
    let mut exact = count <= 19;
    if matches!(line.get(end), Some(b'e' | b'E')) {
        (exponent, end) = scientific(line, end + 1, exponent).ok_or_else(|| malformed(start))?;
        exact &= exponent.unsigned_abs() < 100;
    }
    Ok(Number { negative, mantissa, exponent, exact, end })
}

/// The exponent behind an `e`, added to what the decimals gave; clamped.
#[cold]
fn scientific(line: &[u8], at: usize, decimals: i32) -> Option<(i32, usize)> {
    let negative = line.get(at) == Some(&b'-');
    let first = at + usize::from(matches!(line.get(at), Some(b'+' | b'-')));
    let text = line.get(first..)?;
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let magnitude = text.iter().take(count).fold(0_i32, |sum, b| (sum * 10 + i32::from(b - b'0')).min(100_000));
    Some((decimals.saturating_add(if negative { -magnitude } else { magnitude }), first + count))
}

const POWERS: [f64; 23] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

impl Number {
    /// As an integer, if it is whole.
    #[inline(always)]
    pub(crate) fn int(self, text: &[u8]) -> Result<i64, Reason> {
        if self.exact && self.exponent == 0 {
            return self.signed(self.mantissa).ok_or(Reason::OutOfRange);
        }
        match scaled(text, 0) {
            Some((value, false)) => Ok(value),
            Some((_, true)) => Err(Reason::WrongType),
            None => Err(Reason::OutOfRange),
        }
    }

    /// As a float, correctly rounded.
    #[inline(always)]
    pub(crate) fn float(self, text: &[u8]) -> Result<f64, Reason> {
        // Both factors are floats exactly, so that one operation rounds once (Clinger's fast path).
        if let (true, Some(power)) = (self.exact && self.mantissa <= 1 << 53, POWERS.get(self.exponent.unsigned_abs() as usize)) {
            let magnitude = if self.exponent < 0 { self.mantissa as f64 / power } else { self.mantissa as f64 * power };
            return Ok(if self.negative { -magnitude } else { magnitude });
        }
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::INFINITY);
        if value.is_finite() { Ok(value) } else { Err(Reason::OutOfRange) }
    }

    /// Times a power of ten, rounded down to an integer.
    #[inline(always)]
    pub(crate) fn scaled(self, text: &[u8], power: i32) -> Result<i64, Reason> {
        if self.exact && self.exponent == 0 {
            let factor = match power {
                0 => 1,
                3 => 1_000,
                6 => 1_000_000,
                _ => 1_000_000_000,
            };
            return self.signed(self.mantissa).and_then(|value| value.checked_mul(factor)).ok_or(Reason::OutOfRange);
        }
        scaled(text, power).map(|(value, _)| value).ok_or(Reason::OutOfRange)
    }

    #[inline(always)]
    fn signed(self, magnitude: u64) -> Option<i64> {
        if self.negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }
}

// Values are written where they belong, not handed up: through layers of `Result` they would be taken apart and put together at every step.

/// Writes a number to `value` as the field's type, or says why it does not fit.
#[inline(always)]
pub(crate) fn from_number(field: &FieldSchema, number: Number, text: &[u8], value: &mut Value<'_>) -> Result<(), Reason> {
    *value = match field.ty.scalar {
        Scalar::Int => Value::Int(number.int(text)?),
        Scalar::Float => Value::Float(number.float(text)?),
        Scalar::Decimal => Value::of_decimal(exact_decimal(text, field.decimal.1, field.decimal.0)?),
        Scalar::Timestamp => Value::Timestamp(number.scaled(text, 6)?),
        Scalar::Duration => Value::Duration(number.scaled(text, 6)?),
        Scalar::Bool | Scalar::Text | Scalar::Enum | Scalar::Json | Scalar::Packed | Scalar::Wide => return Err(Reason::WrongType),
    };
    Ok(())
}

/// Writes a text to `value` as the field's type, or says why it does not fit.
#[inline(always)]
pub(crate) fn from_text<'a>(field: &FieldSchema, text: &'a str, value: &mut Value<'a>) -> Result<(), Reason> {
    *value = match field.ty.scalar {
        Scalar::Text => Value::Text(text),
        // What must not be rounded on its way is often sent as a text.
        Scalar::Decimal => Value::of_decimal(exact_decimal_text(text, field.decimal.1, field.decimal.0)?),
        Scalar::Enum => {
            let variant = field.variants.position(text).ok_or(Reason::UnknownVariant)?;
            Value::Enum(u32::try_from(variant).map_err(|_| Reason::UnknownVariant)?)
        }
        Scalar::Timestamp => Value::Timestamp(timestamp_of_text(text).map_err(|_| Reason::WrongType)?),
        Scalar::Int | Scalar::Float | Scalar::Bool | Scalar::Duration | Scalar::Json | Scalar::Packed | Scalar::Wide => return Err(Reason::WrongType),
    };
    Ok(())
}

/// Writes null to `value`, if the field may be null.
#[inline(always)]
pub(crate) fn from_null(field: &FieldSchema, value: &mut Value<'_>) -> Result<(), Reason> {
    *value = Value::Null;
    if field.ty.nullable { Ok(()) } else { Err(Reason::MissingField) }
}

/// The bytes between two places.
#[inline(always)]
pub(crate) fn span(line: &[u8], start: usize, end: usize) -> &[u8] {
    line.get(start..end).unwrap_or_default()
}

/// What reading a field came to.
pub(crate) enum Field<'a> {
    /// Its value was written; it ends there.
    Written(usize),
    /// It is a text with escapes, or an `any` that may be written in another way; it ends there.
    Escaped(&'a str, usize),
    /// It is made of other values: see [`nested`](super::nested::nested).
    Nested,
}

/// Reads the JSON value at `at` as a field, into `value`.
#[inline(always)]
pub(crate) fn field<'a>(line: &'a [u8], at: usize, schema: &FieldSchema, value: &mut Value<'a>) -> Result<Field<'a>, Invalid> {
    let refuse = |reason: Reason| Invalid::at(reason, at).of(schema.name.clone());
    if schema.ty.scalar == Scalar::Json {
        return json_field(line, at, schema, value);
    }
    match line.get(at) {
        Some(b'"') => {
            let place = text_place(line, at + 1).map_err(|e| e.of(schema.name.clone()))?;
            let text = text_at(line, place).map_err(|e| e.of(schema.name.clone()))?;
            if place.escaped {
                return Ok(Field::Escaped(text, place.end + 1));
            }
            from_text(schema, text, value).map_err(refuse)?;
            Ok(Field::Written(place.end + 1))
        }
        Some(b'-' | b'0'..=b'9') => {
            let number = number_at(line, at).map_err(|e| e.of(schema.name.clone()))?;
            from_number(schema, number, span(line, at, number.end), value).map_err(refuse)?;
            Ok(Field::Written(number.end))
        }
        Some(b'[' | b'{') if schema.form != Form::Plain => Ok(Field::Nested),
        _ => other_field(line, at, schema, value),
    }
}

/// A number inside a record: something follows it.
#[inline(always)]
pub(crate) fn number_at(line: &[u8], at: usize) -> Result<Number, Invalid> {
    let number = number(line, at)?;
    if ends_token(line, number.end) { Ok(number) } else { Err(malformed(at)) }
}

#[inline(never)]
fn other_field<'a>(line: &'a [u8], at: usize, schema: &FieldSchema, value: &mut Value<'a>) -> Result<Field<'a>, Invalid> {
    let end = skip_value(line, at, Care::Structure).map_err(|e| e.of(schema.name.clone()))?;
    let written = match line.get(at) {
        Some(b'n') => from_null(schema, value),
        Some(truth @ (b't' | b'f')) if schema.ty.scalar == Scalar::Bool => {
            *value = Value::Bool(*truth == b't');
            Ok(())
        }
        _ => Err(Reason::WrongType),
    };
    written.map_err(|reason| Invalid::at(reason, at).of(schema.name.clone()))?;
    Ok(Field::Written(end))
}

#[inline(never)]
fn json_field<'a>(line: &'a [u8], at: usize, schema: &FieldSchema, value: &mut Value<'a>) -> Result<Field<'a>, Invalid> {
    let end = skip_value(line, at, Care::Everything).map_err(|e| e.of(schema.name.clone()))?;
    if line.get(at) == Some(&b'n') {
        from_null(schema, value).map_err(|reason| Invalid::at(reason, at).of(schema.name.clone()))?;
    } else {
        let raw = std::str::from_utf8(span(line, at, end)).map_err(|_| Invalid::at(Reason::InvalidUtf8, at).of(schema.name.clone()))?;
        if !is_plain(raw.as_bytes()) {
            return Ok(Field::Escaped(raw, end));
        }
        *value = Value::Json(raw);
    }
    Ok(Field::Written(end))
}

/// An escaped text as a field; the text without its escapes is put into `scratch`.
pub(crate) fn escaped_field<'a>(raw: &str, at: usize, schema: &FieldSchema, scratch: &'a mut String) -> Result<Value<'a>, Invalid> {
    scratch.clear();
    if schema.ty.scalar == Scalar::Json {
        canonical(raw, scratch).map_err(|place| malformed(at + place).of(schema.name.clone()))?;
        return Ok(Value::Json(scratch));
    }
    unescape(raw, scratch).map_err(|place| malformed(at + 1 + place).of(schema.name.clone()))?;
    let mut value = Value::Null;
    from_text(schema, scratch, &mut value).map_err(|reason| Invalid::at(reason, at).of(schema.name.clone()))?;
    Ok(value)
}

/// The event time at `at`, if it is not null, and the place behind it.
#[inline(always)]
pub(crate) fn time(line: &[u8], at: usize, power: i32) -> Result<(Option<i64>, usize), Invalid> {
    match line.get(at) {
        Some(b'-' | b'0'..=b'9') => {
            let number = number_at(line, at).map_err(|e| e.of(TIME))?;
            let ts = number.scaled(span(line, at, number.end), power).and_then(event_time).map_err(|reason| Invalid::at(reason, at).of(TIME))?;
            Ok((Some(ts), number.end))
        }
        _ => other_time(line, at),
    }
}

fn other_time(line: &[u8], at: usize) -> Result<(Option<i64>, usize), Invalid> {
    let end = skip_value(line, at, Care::Everything).map_err(|e| e.of(TIME))?;
    match line.get(at) {
        Some(b'n') => Ok((None, end)),
        Some(b'"') => {
            let raw = std::str::from_utf8(span(line, at + 1, end - 1)).unwrap_or_default();
            let ts = if raw.contains('\\') {
                let mut text = String::new();
                unescape(raw, &mut text).map_err(|place| malformed(at + 1 + place).of(TIME))?;
                event_time_of_text(&text)
            } else {
                event_time_of_text(raw)
            };
            Ok((Some(ts.map_err(|reason| Invalid::at(reason, at).of(TIME))?), end))
        }
        _ => Err(Invalid::at(Reason::WrongType, at).of(TIME)),
    }
}
