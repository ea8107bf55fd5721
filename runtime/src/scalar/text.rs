//! Text. Lengths and places count characters, comparison is by bytes.

use std::fmt::Write;

use varpulis_abi::duration::UNITS;
use varpulis_abi::packed::LARGEST;
use varpulis_abi::reason::Reason;

use crate::state::Text;

/// The number of characters.
#[inline]
pub fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// In upper case.
pub fn upper(text: &str) -> Text {
    text.chars().flat_map(char::to_uppercase).collect()
}

/// In lower case.
pub fn lower(text: &str) -> Text {
    // The library's conversion knows the final sigma.
    Text::from(text.to_lowercase())
}

/// Without white space at both ends.
#[inline]
pub fn trim(text: &str) -> Text {
    Text::from(text.trim())
}

/// Whether `part` stands in `text`.
#[inline]
pub fn contains(text: &str, part: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some()
}

/// Whether `text` begins with `part`.
#[inline]
pub fn starts_with(text: &str, part: &str) -> bool {
    text.starts_with(part)
}

/// Whether `text` ends with `part`.
#[inline]
pub fn ends_with(text: &str, part: &str) -> bool {
    text.ends_with(part)
}

/// Every occurrence of `from` replaced by `to`.
pub fn replace(text: &str, from: &str, to: &str) -> Result<Text, Reason> {
    // What is not longer than the text can be is not counted.
    if to.len() > from.len() && text.len().saturating_add(1).saturating_mul(to.len()) > LARGEST {
        let more = text.matches(from).count().saturating_mul(to.len() - from.len());
        if text.len().saturating_add(more) > LARGEST {
            return Err(Reason::TooLarge);
        }
    }
    Ok(Text::from(text.replace(from, to)))
}

/// The text, unless it is too large.
pub fn limited_text(text: &str) -> Result<Text, Reason> {
    if text.len() > LARGEST { Err(Reason::TooLarge) } else { Ok(Text::from(text)) }
}

/// `count` characters from place `from` on, counted from 0; both are clamped to the text.
pub fn substring(text: &str, from: i64, count: i64) -> Text {
    // Characters before the text's start count towards `count`, so that the span asked for is what is cut out.
    let count = count.max(0).saturating_add(from.min(0)).max(0);
    let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
    text.chars().skip(from).take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

/// Both, joined.
#[inline]
pub fn concat(a: &str, b: &str) -> Text {
    let mut text = Text::with_capacity(a.len() + b.len());
    text.push_str(a);
    text.push_str(b);
    text
}

/// As decimal text.
#[inline]
pub fn text_of_int(value: i64) -> Text {
    Text::from(itoa::Buffer::new().format(value))
}

/// As shortest text that reads back to the same number.
#[inline]
pub fn text_of_float(value: f64) -> Text {
    Text::from(ryu::Buffer::new().format(value))
}

/// true or false.
#[inline]
pub fn text_of_bool(value: bool) -> Text {
    Text::const_new(if value { "true" } else { "false" })
}

/// With its units from the largest on, as `1m30s`; `0s` if there is none.
pub fn text_of_duration(nanoseconds: i64) -> Text {
    let mut text = Text::default();
    if nanoseconds == 0 {
        return Text::const_new("0s");
    }
    if nanoseconds < 0 {
        text.push('-');
    }
    let mut rest = nanoseconds.unsigned_abs();
    for (unit, size) in UNITS {
        let size = size.unsigned_abs();
        if rest >= size {
            let _ = write!(text, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    text
}

/// Reads true or false.
pub fn bool_of_text(text: &str) -> Result<bool, Reason> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Reason::Conversion),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn text_functions_count_characters() {
        assert_eq!(length("äöü"), 3);
        assert_eq!(substring("äöü", 1, 1), "ö");
        assert_eq!(substring("abc", -1, 2), "a");
        assert_eq!(substring("abc", 2, i64::MAX), "c");
        assert_eq!(substring("abc", i64::MIN, i64::MAX), "");
        assert_eq!(substring("abc", 9, 2), "");
        assert_eq!(upper("straße"), "STRASSE");
        assert_eq!(lower("ΑΣ"), "ας");
        assert_eq!(replace("aXbX", "X", "--"), Ok(Text::from("a--b--")));
        assert_eq!(replace(&"X".repeat(1 << 20), "", &"y".repeat(1 << 20)), Err(Reason::TooLarge));
        assert_eq!(replace(&"Y".repeat(1 << 20), "X", &"y".repeat(1 << 20)).map(|t| t.len()), Ok(1 << 20));
        assert_eq!(concat("a", "b"), "ab");
        assert!(contains("haystack", "st") && !contains("a", "ab"));
    }

    #[test]
    fn values_become_text() {
        assert_eq!(text_of_float(1.0), "1.0");
        assert_eq!(text_of_float(f64::NAN), "NaN");
        assert_eq!(text_of_duration(90_000_000_000), "1m30s");
        assert_eq!(text_of_duration(-1_500_000), "-1ms500us");
        assert_eq!(text_of_duration(0), "0s");
        assert_eq!(text_of_bool(true), "true");
        assert_eq!(bool_of_text(" false "), Ok(false));
        assert_eq!(bool_of_text("yes"), Err(Reason::Conversion));
    }
}
