//! Functions that may have no value: what they find, alone, as a packed value; or nothing.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::Regex;
use varpulis_abi::packed::{Cell, pack};
use varpulis_abi::reason::Reason;

use super::{bool_of_json, bool_of_text, float_of_json, float_of_text, int_of_float, int_of_json, int_of_text, timestamp_of_text};
use crate::input::json_part;
use crate::state::Text;

fn alone<T>(found: Result<T, Reason>, cell: impl FnOnce(T) -> Cell<'static>) -> Text {
    Text::from(pack(found.ok().map(cell)))
}

macro_rules! tries {
    ($($(#[$doc:meta])* $name:ident($ty:ty) = $plain:ident as $cell:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(value: $ty) -> Text {
            alone($plain(value), Cell::$cell)
        })*
    };
}

tries! {
    /// An integer, alone; nothing if the text is none.
    try_int_of_text(&str) = int_of_text as Int;
    /// The number without decimals, alone; nothing if it is out of range.
    try_int_of_float(f64) = int_of_float as Int;
    /// An integer, alone; nothing if the JSON value is none.
    try_int_of_json(&str) = int_of_json as Int;
    /// A number, alone; nothing if the text is none.
    try_float_of_text(&str) = float_of_text as Float;
    /// A number, alone; nothing if the JSON value is none.
    try_float_of_json(&str) = float_of_json as Float;
    /// A truth value, alone; nothing if the text is none.
    try_bool_of_text(&str) = bool_of_text as Bool;
    /// A truth value, alone; nothing if the JSON value is none.
    try_bool_of_json(&str) = bool_of_json as Bool;
    /// A timestamp, alone; nothing if the text is none.
    try_timestamp_of_text(&str) = timestamp_of_text as Timestamp;
}

/// How many regular expressions a thread keeps compiled: programs name theirs, and few are made of data.
const KEPT: usize = 1_000;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::new(HashMap::new());
}

fn with_regex<R>(pattern: &str, run: impl FnOnce(&Regex) -> R) -> Result<R, Reason> {
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            if compiled.len() >= KEPT {
                compiled.clear();
            }
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        compiled.get(pattern).and_then(Option::as_ref).map(run).ok_or(Reason::Conversion)
    })
}

/// Whether a part of the text matches the regular expression. Time linear in the text.
pub fn regex_match(text: &str, pattern: &str) -> Result<bool, Reason> {
    with_regex(pattern, |regex| regex.is_match(text))
}

/// A group of the first match, alone; nothing if there is none.
pub fn regex_group(text: &str, pattern: &str, group: i64) -> Result<Text, Reason> {
    with_regex(pattern, |regex| {
        let found = regex.captures(text).and_then(|captures| captures.get(usize::try_from(group).ok()?));
        Text::from(pack(found.map(|found| Cell::Text(found.as_str()))))
    })
}

/// A part of a JSON value by its path (`a.b[0]`), alone; nothing if there is none, or it is null.
pub fn json_get(json: &str, path: &str) -> Text {
    Text::from(pack(json_part(json, path).filter(|part| *part != "null").map(Cell::Json)))
}

fn fnv(bytes: &[u8]) -> i64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME)).cast_signed()
}

/// FNV-1a of its 8 bytes, the lowest first.
pub fn hash_of_int(value: i64) -> i64 {
    fnv(&value.to_le_bytes())
}

/// The hash of its bits; 0 and −0 have one, and so has every NaN.
pub fn hash_of_float(value: f64) -> i64 {
    fnv(&super::float_key(value).to_le_bytes())
}

/// FNV-1a of its bytes, 64 bits.
pub fn hash_of_text(text: &str) -> i64 {
    fnv(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_stands_alone() {
        assert_eq!(try_int_of_text("7"), pack([Cell::Int(7)]));
        assert_eq!(try_int_of_text("x"), pack([]));
        assert_eq!(regex_group("user 42", "([a-z]+) ([0-9]+)", 2).as_deref(), Ok(pack([Cell::Text("42")]).as_str()));
        assert_eq!(regex_group("user", "([0-9]+)", 1).as_deref(), Ok(pack([]).as_str()));
        assert_eq!((regex_match("abc", "^b"), regex_match("abc", "b"), regex_match("abc", "(")), (Ok(false), Ok(true), Err(Reason::Conversion)));
    }

    #[test]
    fn parts_of_json() {
        let json = r#"{"a": {"b": [1, {"c\u0064": "x"}, null]}, "a": 5}"#;
        assert_eq!(json_get(json, "a.b[1].cd"), pack([Cell::Json("\"x\"")]));
        assert_eq!(json_get(json, "a.b[0]"), pack([Cell::Json("1")]));
        for path in ["a.b[2]", "a.b[3]", "a.c", "b", "a[0]", "a.b.c", "", "a.", "a.b[x]"] {
            assert_eq!(json_get(json, path), pack([]), "{path}");
        }
        assert_eq!(json_get("[[5]]", "[0][0]"), pack([Cell::Json("5")]));
    }

    #[test]
    fn hashes_are_those_of_the_definition() {
        assert_eq!(hash_of_text("").cast_unsigned(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash_of_text("a").cast_unsigned(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash_of_float(0.0), hash_of_float(-0.0));
    }
}
