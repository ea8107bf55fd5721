//! The pieces of JSON: white space, texts, numbers, and whole values that nobody reads.
//!
//! Every decoder path uses these same functions, so that they agree on what is well-formed. A place in a record is an index; errors are
//! [`Invalid`] with the place at fault.

use varpulis_abi::reason::Reason;

use super::Invalid;

/// How deeply values may nest, the record itself included.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Whether texts that nobody reads are checked too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Only as far as finding their end needs.
    Structure,
    /// Escapes, control characters and UTF-8 too.
    Everything,
}

#[inline(always)]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether `text` stands at `at`. Texts here are short: a few words are compared faster than a library function is called.
#[inline(always)]
pub(crate) fn stands_at(line: &[u8], at: usize, text: &[u8]) -> bool {
    let Some(found) = line.get(at..at + text.len()) else { return false };
    if let (Some(found_end), Some(text_end)) = (found.last_chunk::<8>(), text.last_chunk::<8>()) {
        // Whole words, and a last one that overlaps.
        let words = found.as_chunks::<8>().0.iter().zip(text.as_chunks::<8>().0);
        let differ = |a: &[u8; 8], b: &[u8; 8]| u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        return words.fold(differ(found_end, text_end), |sum, (a, b)| sum | differ(a, b)) == 0;
    }
    found.iter().zip(text).all(|(found, byte)| found == byte)
}

/// The first place from `at` on that is not white space.
#[inline(always)]
pub(crate) fn skip_space(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(|b| is_space(*b)) {
        at += 1;
    }
    at
}

#[cold]
pub(crate) fn malformed(at: usize) -> Invalid {
    Invalid::at(Reason::Malformed, at)
}

/// A text's place: what stands between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextPlace {
    pub(crate) start: usize,
    /// Where the closing quote is.
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A high bit in each byte that is zero; bytes above the lowest such one may be marked wrongly.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// The distance to the first byte of the word that is a quote, a backslash or a control character.
#[inline(always)]
fn special_in(word: u64) -> Option<usize> {
    let quote = zero_bytes(word ^ (LOW * b'"' as u64));
    let backslash = zero_bytes(word ^ (LOW * b'\\' as u64));
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    let found = quote | backslash | control;
    (found != 0).then_some(found.trailing_zeros() as usize / 8)
}

/// Reads the text whose opening quote stands before `start`.
#[inline(always)]
pub(crate) fn text_place(line: &[u8], start: usize) -> Result<TextPlace, Invalid> {
    let mut at = start;
    let mut escaped = false;
    loop {
        while let Some(chunk) = line.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            match special_in(u64::from_le_bytes(*chunk)) {
                None => at += 8,
                Some(distance) => {
                    at += distance;
                    break;
                }
            }
        }
        match line.get(at) {
            Some(b'"') => return Ok(TextPlace { start, end: at, escaped }),
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(0..0x20) | None => return Err(malformed(at.min(line.len()))),
            Some(_) => at += 1,
        }
    }
}

/// The text at a place, still escaped.
#[inline(always)]
pub(crate) fn text_at(line: &[u8], place: TextPlace) -> Result<&str, Invalid> {
    let bytes = line.get(place.start..place.end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => Err(Invalid::at(Reason::InvalidUtf8, place.start + error.valid_up_to())),
    }
}

/// Appends a JSON text's content to `out`, without its escapes.
///
/// # Errors
/// An escape is unknown or half a surrogate pair; the number is its place in `raw`.
pub fn unescape(raw: &str, out: &mut String) -> Result<(), usize> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let place = raw.len() - escape.len();
        let code = escape.as_bytes().get(1).copied().ok_or(place)?;
        let mut length = 2;
        match code {
            b'"' | b'\\' | b'/' => out.push(char::from(code)),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let first = code_unit(escape, 2).ok_or(place)?;
                length = 6;
                let character = match first {
                    0xd800..0xdc00 => {
                        length = 12;
                        let second = escape.get(6..8).filter(|s| *s == "\\u").and_then(|_| code_unit(escape, 8)).ok_or(place)?;
                        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(place)?;
                        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)
                    }
                    _ => char::from_u32(first),
                };
                out.push(character.ok_or(place)?);
            }
            _ => return Err(place),
        }
        rest = escape.get(length..).ok_or(place)?;
    }
    out.push_str(rest);
    Ok(())
}

/// Four hexadecimal digits.
fn code_unit(escape: &str, at: usize) -> Option<u32> {
    let digits = escape.as_bytes().get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

/// Skips the text whose opening quote stands before `start`; the result is behind its closing quote.
#[inline(always)]
fn skip_text(line: &[u8], start: usize, care: Care) -> Result<usize, Invalid> {
    if care == Care::Everything {
        return checked_text(line, start);
    }
    let mut at = start;
    loop {
        let rest = line.get(at..).unwrap_or_default();
        match memchr::memchr2(b'"', b'\\', rest) {
            None => return Err(malformed(line.len())),
            Some(found) if rest.get(found) == Some(&b'"') => return Ok(at + found + 1),
            Some(found) => at += found + 2,
        }
    }
}

#[cold]
fn checked_text(line: &[u8], start: usize) -> Result<usize, Invalid> {
    let place = text_place(line, start)?;
    let text = text_at(line, place)?;
    if place.escaped {
        unescape(text, &mut String::new()).map_err(|at| malformed(start + at))?;
    }
    Ok(place.end + 1)
}

/// Whether a number or literal may end before `at`: in a record something follows it.
#[inline(always)]
pub(crate) fn ends_token(line: &[u8], at: usize) -> bool {
    matches!(line.get(at), Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
}

#[inline(always)]
pub(crate) fn literal(line: &[u8], at: usize, text: &[u8]) -> Result<usize, Invalid> {
    let end = at + text.len();
    if line.get(at..end) == Some(text) && ends_token(line, end) { Ok(end) } else { Err(malformed(at)) }
}

#[inline(always)]
fn skip_digits(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Skips a number of JSON's grammar; the result is behind it.
#[inline(always)]
fn skip_number(line: &[u8], start: usize) -> Result<usize, Invalid> {
    let first = start + usize::from(line.get(start) == Some(&b'-'));
    let mut at = skip_digits(line, first);
    if at == first || (line.get(first) == Some(&b'0') && at != first + 1) {
        return Err(malformed(start));
    }
    if line.get(at) == Some(&b'.') {
        let decimals = at + 1;
        at = skip_digits(line, decimals);
        if at == decimals {
            return Err(malformed(start));
        }
    }
    if matches!(line.get(at), Some(b'e' | b'E')) {
        let sign = at + 1;
        let exponent = sign + usize::from(matches!(line.get(sign), Some(b'+' | b'-')));
        at = skip_digits(line, exponent);
        if at == exponent {
            return Err(malformed(start));
        }
    }
    if ends_token(line, at) { Ok(at) } else { Err(malformed(start)) }
}

/// Skips one value that starts at `at`, inside the record's braces; the result is behind it.
#[inline(always)]
pub(crate) fn skip_value(line: &[u8], at: usize, care: Care) -> Result<usize, Invalid> {
    match line.get(at) {
        Some(b'"') => skip_text(line, at + 1, care),
        Some(b'-' | b'0'..=b'9') => skip_number(line, at),
        Some(b't') => literal(line, at, b"true"),
        Some(b'f') => literal(line, at, b"false"),
        Some(b'n') => literal(line, at, b"null"),
        Some(b'{' | b'[') => skip_nested(line, at, 1, care),
        _ => Err(malformed(at)),
    }
}

/// Skips an array or object that starts at `at`, `outside` levels below the outermost; the result is behind it. The levels are bits: set for an object.
pub(crate) fn skip_nested(line: &[u8], mut at: usize, outside: u32, care: Care) -> Result<usize, Invalid> {
    let mut levels: u128 = 0;
    let mut depth = 0;
    loop {
        // At the start of a value.
        at = skip_space(line, at);
        match line.get(at) {
            Some(open @ (b'{' | b'[')) => {
                if depth + outside >= MAX_DEPTH {
                    return Err(malformed(at));
                }
                let object = *open == b'{';
                levels = levels << 1 | u128::from(object);
                depth += 1;
                at = skip_space(line, at + 1);
                if line.get(at) != Some(if object { &b'}' } else { &b']' }) {
                    if object {
                        at = skip_key(line, at, care)?;
                    }
                    continue;
                }
            }
            _ => at = skip_value_flat(line, at, care)?,
        }
        // Behind a value, or at the end of an empty level.
        loop {
            at = skip_space(line, at);
            let object = levels & 1 == 1;
            match line.get(at) {
                Some(b',') => {
                    at = skip_space(line, at + 1);
                    if object {
                        at = skip_key(line, at, care)?;
                    }
                    break;
                }
                Some(close @ (b'}' | b']')) if (*close == b'}') == object => {
                    at += 1;
                    levels >>= 1;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(at);
                    }
                }
                _ => return Err(malformed(at)),
            }
        }
    }
}

fn skip_value_flat(line: &[u8], at: usize, care: Care) -> Result<usize, Invalid> {
    match line.get(at) {
        Some(b'{' | b'[') | None => Err(malformed(at)),
        Some(_) => skip_value(line, at, care),
    }
}

/// Skips a key and its colon.
fn skip_key(line: &[u8], at: usize, care: Care) -> Result<usize, Invalid> {
    if line.get(at) != Some(&b'"') {
        return Err(malformed(at));
    }
    let end = skip_space(line, skip_text(line, at + 1, care)?);
    if line.get(end) == Some(&b':') { Ok(end + 1) } else { Err(malformed(end)) }
}

/// The part of a JSON value at a path: names of members behind dots, places in brackets.
pub(crate) fn json_part<'j>(json: &'j str, path: &str) -> Option<&'j str> {
    // Something follows each value, as in a record.
    let whole = format!("{json} ");
    let line = whole.as_bytes();
    let mut at = skip_space(line, 0);
    let mut rest = path;
    while !rest.is_empty() {
        (at, rest) = match rest.strip_prefix('[') {
            Some(index) => {
                let (index, behind) = index.split_once(']')?;
                (element(line, at, index.parse().ok()?)?, behind)
            }
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let (name, behind) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                (member(line, at, name)?, behind)
            }
        };
    }
    if path.is_empty() {
        return None;
    }
    json.get(at..skip_value(line, at, Care::Structure).ok()?)
}

/// Where the element of an array at `at` stands.
fn element(line: &[u8], at: usize, index: usize) -> Option<usize> {
    let mut at = skip_space(line, line.get(at).filter(|b| **b == b'[').map(|_| at + 1)?);
    for _ in 0..index {
        at = skip_space(line, skip_value(line, at, Care::Structure).ok()?);
        at = skip_space(line, line.get(at).filter(|b| **b == b',').map(|_| at + 1)?);
    }
    (line.get(at) != Some(&b']')).then_some(at)
}

/// Where the value of a member of the object at `at` stands; the first of that name counts.
fn member(line: &[u8], at: usize, name: &str) -> Option<usize> {
    let mut at = skip_space(line, line.get(at).filter(|b| **b == b'{').map(|_| at + 1)?);
    let mut key = String::new();
    loop {
        let place = text_place(line, line.get(at).filter(|b| **b == b'"').map(|_| at + 1)?).ok()?;
        key.clear();
        unescape(text_at(line, place).ok()?, &mut key).ok()?;
        let value = skip_space(line, skip_key(line, at, Care::Structure).ok()?);
        if key == name {
            return Some(value);
        }
        at = skip_space(line, skip_value(line, value, Care::Structure).ok()?);
        at = skip_space(line, line.get(at).filter(|b| **b == b',').map(|_| at + 1)?);
    }
}

/// Checks that a whole record is one JSON object.
pub(crate) fn check_record(line: &[u8]) -> Result<(), Invalid> {
    let start = skip_space(line, 0);
    if line.get(start) != Some(&b'{') {
        return Err(malformed(start));
    }
    let end = skip_space(line, skip_nested(line, start, 0, Care::Everything)?);
    if end == line.len() { Ok(()) } else { Err(malformed(end)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes() {
        let read = |raw| {
            let mut text = String::new();
            unescape(raw, &mut text).map(|()| text)
        };
        assert_eq!(read(r#"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        assert_eq!(read(r"ab\ud800"), Err(2));
        assert_eq!(read(r"\udc00"), Err(0));
        assert_eq!(read(r"\ud800\u0041"), Err(0));
        assert_eq!(read(r"\x"), Err(0));
        assert_eq!(read(r"\u00g0"), Err(0));
        assert_eq!(read(r"\u+123"), Err(0));
        assert_eq!(read("\\u00é"), Err(0));
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}{}", "{\"a\":".repeat(depth - 1) + "{", "}".repeat(depth));
        assert!(check_record(nested(128).as_bytes()).is_ok());
        assert!(check_record(nested(129).as_bytes()).is_err());
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("-0.5e+3".to_owned()),
            Just("01".to_owned()),
            Just("1.".to_owned()),
            Just("[]".to_owned()),
            Just("{}".to_owned()),
            Just(r#""a\ud800""#.to_owned()),
            Just("nul".to_owned()),
            any::<i64>().prop_map(|i| i.to_string()),
            any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(" , "))),
                prop::collection::vec(inner, 0..4).prop_map(|v| {
                    let members: Vec<String> = v.iter().enumerate().map(|(i, v)| format!("\"k{i}\" :{v}")).collect();
                    format!("{{ {}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn strict_check_agrees_with_serde_json(value in json(), cut in any::<prop::sample::Index>(), mutate in any::<bool>()) {
            let mut text = format!("{{\"x\":{value}}}").into_bytes();
            if mutate {
                let at = cut.index(text.len());
                text.remove(at);
            }
            let expected = serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|v| v.is_object());
            prop_assert_eq!(check_record(&text).is_ok(), expected, "{}", String::from_utf8_lossy(&text));
        }
    }
}
