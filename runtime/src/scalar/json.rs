//! Conversions of `any`: one JSON value as it stood in the input.

use varpulis_abi::reason::Reason;

use super::number::{float_of_text, int_of_text};
use super::text::bool_of_text;
use crate::input::unescape;
use crate::output::text::quoted;
use crate::state::Text;

/// Reads an integer out of a JSON number or text.
pub fn int_of_json(json: &str) -> Result<i64, Reason> {
    convert(json, int_of_text)
}

/// Reads a number out of a JSON number or text.
pub fn float_of_json(json: &str) -> Result<f64, Reason> {
    convert(json, float_of_text)
}

/// Reads true or false out of a JSON value or text.
pub fn bool_of_json(json: &str) -> Result<bool, Reason> {
    convert(json, bool_of_text)
}

/// A text as it is, any other value as JSON.
pub fn text_of_json(json: &str) -> Text {
    match inner(json) {
        None => Text::from(json),
        Some(raw) => Text::from(unescaped(raw).unwrap_or_default()),
    }
}

/// A text as JSON, in quotes.
pub fn quoted_text(text: &str) -> Text {
    let mut buffer = Vec::with_capacity(text.len() + 2);
    quoted(&mut buffer, text);
    Text::from(String::from_utf8(buffer).unwrap_or_default())
}

/// A JSON value as it stands.
pub fn quoted_json(json: &str) -> Text {
    Text::from(json)
}

/// Whether two JSON values are written alike; texts are compared by what they say.
pub fn equal_json(a: &str, b: &str) -> bool {
    a == b || (inner(a).is_some() && inner(b).is_some() && text_of_json(a) == text_of_json(b))
}

/// Whether a JSON value is that text.
pub fn json_is_text(json: &str, text: &str) -> bool {
    match inner(json) {
        None => false,
        Some(raw) if !raw.contains('\\') => raw == text,
        Some(raw) => unescaped(raw).is_ok_and(|raw| raw == text),
    }
}

/// Whether a JSON value is that number, however it is written.
pub fn json_is_int(json: &str, number: i64) -> bool {
    int_of_text(json) == Ok(number)
}

/// Whether a JSON value is that number, however it is written.
pub fn json_is_float(json: &str, number: f64) -> bool {
    float_of_text(json) == Ok(number)
}

/// Whether a JSON value is that truth value.
pub fn json_is_bool(json: &str, truth: bool) -> bool {
    json == if truth { "true" } else { "false" }
}

fn convert<T>(json: &str, read: fn(&str) -> Result<T, Reason>) -> Result<T, Reason> {
    match inner(json) {
        None => read(json),
        Some(raw) if !raw.contains('\\') => read(raw),
        Some(raw) => read(&unescaped(raw)?),
    }
}

/// What stands between the quotes of a JSON text.
fn inner(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

fn unescaped(raw: &str) -> Result<String, Reason> {
    let mut text = String::with_capacity(raw.len());
    unescape(raw, &mut text).map_err(|_| Reason::Conversion)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn json_values_convert() {
        assert_eq!(int_of_json("42"), Ok(42));
        assert_eq!(int_of_json("\"42\""), Ok(42));
        assert_eq!(int_of_json("true"), Err(Reason::Conversion));
        assert_eq!(float_of_json("1.5"), Ok(1.5));
        assert_eq!(bool_of_json("true"), Ok(true));
        assert_eq!(text_of_json(r#""a\n\u00e9""#), "a\né");
        assert_eq!(text_of_json("[1]"), "[1]");
        assert!(equal_json(r#""\u0061""#, r#""a""#));
        assert!(!equal_json("1", "2"));
        assert!(json_is_text(r#""\u0061""#, "a") && !json_is_text("1", "1"));
        assert!(json_is_int("1.0", 1) && !json_is_int("1.5", 1) && !json_is_int(r#""1""#, 1));
        assert!(json_is_float("1", 1.0) && !json_is_float("true", 1.0) && !json_is_float(r#""1""#, 1.0));
        assert!(json_is_bool("true", true) && !json_is_bool("null", false));
    }
}
