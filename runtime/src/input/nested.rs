//! Arrays, tuples, maps and records out of JSON values, packed.

use varpulis_abi::packed::{Cell, Packed, Packer};
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use super::Invalid;
use super::convert::{Field, escaped_field, field, span};
use super::json::{Care, malformed, skip_space, skip_value, text_at, text_place, unescape};
use crate::program::{FieldSchema, Form};
use crate::value::Value;

/// Reads the array or object at `at` as a value of the field's type into `out`; the result is behind it. Types nest less deeply than JSON may, and
/// what nests deeper than its type does not fit.
///
/// # Errors
/// It is not well-formed, or a part of it does not fit.
pub(crate) fn nested(line: &[u8], at: usize, schema: &FieldSchema, out: &mut Packer, scratch: &mut String) -> Result<usize, Invalid> {
    let object = line.get(at) == Some(&b'{');
    if object != matches!(schema.form, Form::Map | Form::Record) {
        skip_value(line, at, Care::Structure).map_err(|invalid| named(invalid, schema))?;
        return Err(Invalid::at(Reason::WrongType, at).of(schema.name.clone()));
    }
    let read = match schema.form {
        Form::Record => record(line, at, schema, out, scratch),
        Form::Map => map(line, at, schema, out, scratch),
        Form::Array | Form::Tuple | Form::Plain => list(line, at, schema, out, scratch),
    };
    read.map_err(|invalid| named(invalid, schema))
}

/// What is wrong with a part that has no name of its own is wrong with the whole.
fn named(invalid: Invalid, schema: &FieldSchema) -> Invalid {
    if invalid.field.as_ref().is_none_or(|name| name.is_empty()) { invalid.of(schema.name.clone()) } else { invalid }
}

/// Reads one part; the result is behind it.
fn part(line: &[u8], at: usize, schema: &FieldSchema, out: &mut Packer, scratch: &mut String) -> Result<usize, Invalid> {
    let mut value = Value::Null;
    match field(line, at, schema, &mut value)? {
        Field::Written(end) => {
            out.push(value.cell());
            Ok(end)
        }
        Field::Escaped(raw, end) => {
            out.push(escaped_field(raw, at, schema, scratch)?.cell());
            Ok(end)
        }
        Field::Nested => {
            let mut inner = Packer::new();
            let end = nested(line, at, schema, &mut inner, scratch)?;
            out.push(Cell::Packed(&inner.finish()));
            Ok(end)
        }
    }
}

/// The next value behind a comma, or the end behind the closing bracket.
enum Next {
    Value(usize),
    End(usize),
}

fn next(line: &[u8], at: usize, first: bool, close: u8) -> Result<Next, Invalid> {
    let at = skip_space(line, at);
    match line.get(at) {
        Some(byte) if *byte == close => Ok(Next::End(at + 1)),
        Some(b',') if !first => Ok(Next::Value(skip_space(line, at + 1))),
        Some(_) if first => Ok(Next::Value(at)),
        _ => Err(malformed(at)),
    }
}

fn list(line: &[u8], start: usize, schema: &FieldSchema, out: &mut Packer, scratch: &mut String) -> Result<usize, Invalid> {
    let (mut at, mut count) = (start + 1, 0);
    loop {
        match next(line, at, count == 0, b']')? {
            Next::Value(value) => {
                let of = if schema.form == Form::Tuple { schema.parts.get(count) } else { schema.parts.first() };
                let of = of.ok_or_else(|| Invalid::at(Reason::WrongType, value))?;
                at = part(line, value, of, out, scratch)?;
                count += 1;
            }
            Next::End(_) if schema.form == Form::Tuple && count < schema.parts.len() => return Err(Invalid::at(Reason::WrongType, start)),
            Next::End(end) => return Ok(end),
        }
    }
}

/// Reads a key and its colon: the key as it says, and where its value starts.
fn key<'k>(line: &'k [u8], at: usize, scratch: &'k mut String) -> Result<(&'k str, usize), Invalid> {
    if line.get(at) != Some(&b'"') {
        return Err(malformed(at));
    }
    let place = text_place(line, at + 1)?;
    let text = text_at(line, place)?;
    let colon = skip_space(line, place.end + 1);
    if line.get(colon) != Some(&b':') {
        return Err(malformed(colon));
    }
    let value = skip_space(line, colon + 1);
    if !place.escaped {
        return Ok((text, value));
    }
    scratch.clear();
    unescape(text, scratch).map_err(|escape| malformed(place.start + escape))?;
    Ok((scratch, value))
}

/// The fields of a record in any order; of a repeated one the first counts, and what the type does not name is ignored.
fn record(line: &[u8], start: usize, schema: &FieldSchema, out: &mut Packer, scratch: &mut String) -> Result<usize, Invalid> {
    let mut found: Vec<Option<String>> = vec![None; schema.parts.len()];
    let (mut at, mut first) = (start + 1, true);
    let end = loop {
        match next(line, at, std::mem::take(&mut first), b'}')? {
            Next::End(end) => break end,
            Next::Value(member) => {
                let (name, value) = key(line, member, scratch)?;
                let place = schema.parts.iter().position(|part| part.name == name).filter(|place| found.get(*place) == Some(&None));
                at = match place.and_then(|place| Some((schema.parts.get(place)?, found.get_mut(place)?))) {
                    Some((of, slot)) => {
                        let mut one = Packer::new();
                        let end = part(line, value, of, &mut one, scratch)?;
                        *slot = Some(one.finish());
                        end
                    }
                    None => skip_value(line, value, Care::Structure)?,
                };
            }
        }
    };
    for (one, of) in found.iter().zip(schema.parts.iter()) {
        match one {
            Some(one) => out.extend(Packed(one)),
            None if of.ty.nullable => out.push(Cell::Null),
            None => return Err(Invalid::at(Reason::MissingField, start).of(of.name.clone())),
        }
    }
    Ok(end)
}

/// The members of a map in their order; of a repeated key, in whatever way it is written, the first counts.
fn map(line: &[u8], start: usize, schema: &FieldSchema, out: &mut Packer, scratch: &mut String) -> Result<usize, Invalid> {
    let [key_schema, value_schema] = &*schema.parts else { return Err(malformed(start)) };
    let mut seen = std::collections::HashSet::new();
    let (mut at, mut first) = (start + 1, true);
    loop {
        match next(line, at, std::mem::take(&mut first), b'}')? {
            Next::End(end) => return Ok(end),
            Next::Value(member) => {
                let (name, value) = key(line, member, scratch)?;
                let mut read = Value::Null;
                map_key(name, key_schema, &mut read).map_err(|reason| Invalid::at(reason, member))?;
                let mut key = Packer::new();
                key.push(read.cell());
                let key = key.finish();
                if seen.contains(&key) {
                    at = skip_value(line, value, Care::Structure)?;
                    continue;
                }
                out.extend(Packed(&key));
                seen.insert(key);
                at = part(line, value, value_schema, out, scratch)?;
            }
        }
    }
}

/// A key, which JSON writes as a text, as a value of the key's type. The zero of a float is one key.
fn map_key<'n>(name: &'n str, schema: &FieldSchema, value: &mut Value<'n>) -> Result<(), Reason> {
    let number = || super::convert::number(name.as_bytes(), 0).ok().filter(|number| number.end == name.len());
    match schema.ty.scalar {
        Scalar::Int | Scalar::Float | Scalar::Decimal | Scalar::Timestamp | Scalar::Duration => match number() {
            Some(number) => {
                super::convert::from_number(schema, number, span(name.as_bytes(), 0, name.len()), value)?;
                if let Value::Float(zero) = value
                    && *zero == 0.0
                {
                    *zero = 0.0;
                }
                Ok(())
            }
            None => super::convert::from_text(schema, name, value),
        },
        Scalar::Bool => {
            *value = Value::Bool(name.parse().map_err(|_| Reason::WrongType)?);
            Ok(())
        }
        Scalar::Text | Scalar::Enum | Scalar::Json | Scalar::Packed | Scalar::Wide => super::convert::from_text(schema, name, value),
    }
}

/// Reads a whole text as a packed value of the field's type.
///
/// # Errors
/// It is none.
pub(crate) fn nested_text(text: &str, schema: &FieldSchema) -> Result<String, Reason> {
    let text = text.trim();
    if !text.starts_with(['[', '{']) {
        return Err(Reason::WrongType);
    }
    let mut out = Packer::new();
    let end = nested(text.as_bytes(), 0, schema, &mut out, &mut String::new()).map_err(|invalid| invalid.reason)?;
    if end == text.len() { Ok(out.finish()) } else { Err(Reason::Malformed) }
}
