//! Where records end, for the formats whose records may span lines.

use std::ops::Range;

use varpulis_abi::reason::Reason;

/// What stands at the start of the bytes looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A record, and how many bytes to go on by.
    Record(Range<usize>, usize),
    /// Something that cannot be one.
    Refused(Range<usize>, usize, Reason),
    /// So many bytes between records.
    Between(usize),
    /// Not enough to tell.
    More,
}

/// Finds the ends of CSV records: line ends outside quotes. A quote opens only at the start of a cell.
#[derive(Default)]
pub(super) struct CsvFramer {
    /// How far the record was looked at.
    at: usize,
    quoted: bool,
}

impl CsvFramer {
    /// `data` starts where the record starts.
    pub(super) fn frame(&mut self, data: &[u8], ended: bool) -> Frame {
        loop {
            let rest = data.get(self.at..).unwrap_or_default();
            let found = if self.quoted { memchr::memchr(b'"', rest) } else { memchr::memchr2(b'"', b'\n', rest) };
            let Some(found) = found.map(|found| self.at + found) else {
                self.at = data.len();
                if !ended || data.is_empty() {
                    return Frame::More;
                }
                *self = Self::default();
                return Frame::Record(without_return(data, data.len()), data.len());
            };
            if data.get(found) == Some(&b'\n') {
                *self = Self::default();
                return Frame::Record(without_return(data, found), found + 1);
            }
            self.at = found + 1;
            if !self.quoted {
                self.quoted = found == 0 || data.get(found - 1) == Some(&b',');
                continue;
            }
            match data.get(found + 1) {
                Some(b'"') => self.at = found + 2,
                None if !ended => {
                    self.at = found;
                    return Frame::More;
                }
                _ => self.quoted = false,
            }
        }
    }
}

fn without_return(data: &[u8], end: usize) -> Range<usize> {
    0..end - usize::from(end > 0 && data.get(end - 1) == Some(&b'\r'))
}

/// Where between the values of a JSON file the framer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before anything.
    Start,
    /// Values one after the other, without an array.
    Sequence,
    /// Behind `[`.
    First,
    /// Behind an element.
    Behind,
    /// Behind a comma.
    Next,
    /// Behind `]`.
    Closed,
}

/// Finds the elements of a JSON array, or the values of a file that has one after the other.
pub(super) struct JsonFramer {
    place: Place,
    at: usize,
    depth: usize,
    in_text: bool,
}

impl JsonFramer {
    pub(super) fn new() -> Self {
        Self { place: Place::Start, at: 0, depth: 0, in_text: false }
    }

    /// Forgets a record of which only a part was seen.
    pub(super) fn resume(&mut self) {
        *self = Self { place: if self.place == Place::Sequence { Place::Sequence } else { Place::Next }, ..Self::new() };
    }

    /// What is wrong with the end of the file, if this is it.
    pub(super) fn end(&mut self) -> Option<Reason> {
        let open = matches!(self.place, Place::First | Place::Behind | Place::Next);
        self.place = Place::Closed;
        open.then_some(Reason::Truncated)
    }

    /// `data` starts where the last frame ended.
    pub(super) fn frame(&mut self, data: &[u8], ended: bool) -> Frame {
        if self.at == 0 {
            let space = data.iter().take_while(|b| b.is_ascii_whitespace()).count();
            if space > 0 {
                return Frame::Between(space);
            }
            let Some(byte) = data.first() else { return Frame::More };
            match (self.place, byte) {
                (Place::Start, b'[') => {
                    self.place = Place::First;
                    return Frame::Between(1);
                }
                (Place::Start, _) => self.place = Place::Sequence,
                (Place::First | Place::Behind, b']') => {
                    self.place = Place::Closed;
                    return Frame::Between(1);
                }
                (Place::Behind, b',') => {
                    self.place = Place::Next;
                    return Frame::Between(1);
                }
                (Place::Next, b']') => {
                    self.place = Place::Closed;
                    return Frame::Refused(0..1, 1, Reason::Malformed);
                }
                _ => {}
            }
        }
        let Some(end) = self.value_end(data) else {
            if !ended || data.is_empty() {
                return Frame::More;
            }
            (self.at, self.depth, self.in_text) = (0, 0, false);
            if self.place == Place::Sequence && data.first().is_some_and(|b| !matches!(b, b'{' | b'[' | b'"')) {
                return Frame::Record(0..data.len(), data.len());
            }
            self.place = Place::Closed;
            return Frame::Refused(0..data.len(), data.len(), Reason::Truncated);
        };
        (self.at, self.depth, self.in_text) = (0, 0, false);
        match self.place {
            Place::Start | Place::Sequence => Frame::Record(0..end, end),
            Place::First | Place::Next => {
                self.place = Place::Behind;
                Frame::Record(0..end, end)
            }
            Place::Behind | Place::Closed => Frame::Refused(0..end, end, Reason::Malformed),
        }
    }

    /// The end of the value that starts with the data, if it is there.
    fn value_end(&mut self, data: &[u8]) -> Option<usize> {
        loop {
            let rest = data.get(self.at..).unwrap_or_default();
            if self.in_text {
                let found = memchr::memchr2(b'"', b'\\', rest)?;
                let at = self.at + found;
                if data.get(at) == Some(&b'\\') {
                    // An escape whose second byte is not there yet is looked at again.
                    data.get(at + 1)?;
                    self.at = at + 2;
                    continue;
                }
                self.in_text = false;
                self.at = at + 1;
            } else {
                match rest.first()? {
                    b'"' => {
                        if self.depth == 0 && self.at > 0 {
                            return Some(self.at);
                        }
                        self.in_text = true;
                        self.at += 1;
                        continue;
                    }
                    b'{' | b'[' => {
                        if self.depth == 0 && self.at > 0 {
                            return Some(self.at);
                        }
                        self.depth += 1;
                    }
                    b'}' | b']' if self.depth == 0 && self.at > 0 => return Some(self.at),
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return Some(self.at.max(1)),
                    // A part of a bare word, or of what stands between brackets.
                    _ => {
                        self.at += 1;
                        continue;
                    }
                }
                self.at += 1;
            }
            if self.depth == 0 {
                return Some(self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    /// All frames of a text that arrives in pieces of `chunk` bytes.
    fn frames(text: &str, chunk: usize, mut frame: impl FnMut(&[u8], bool) -> Frame) -> Vec<String> {
        let (mut start, mut end, mut found) = (0, 0, Vec::new());
        let text = text.as_bytes();
        loop {
            let ended = end == text.len();
            match frame(&text[start..end], ended) {
                Frame::Record(range, next) => {
                    found.push(String::from_utf8_lossy(&text[start..][range]).into_owned());
                    start += next;
                }
                Frame::Refused(range, next, reason) => {
                    found.push(format!("{reason}: {}", String::from_utf8_lossy(&text[start..][range])));
                    start += next;
                }
                Frame::Between(next) => start += next,
                Frame::More if ended => return found,
                Frame::More => end = (end + chunk).min(text.len()),
            }
        }
    }

    fn json(text: &str) -> Vec<String> {
        let read = |chunk| {
            let mut framer = JsonFramer::new();
            let mut found = frames(text, chunk, |data, ended| framer.frame(data, ended));
            found.extend(framer.end().map(|reason| reason.to_string()));
            found
        };
        let whole = read(usize::MAX / 2);
        for chunk in 1..5 {
            assert_eq!(read(chunk), whole);
        }
        whole
    }

    #[test]
    fn json_values_are_told_apart() {
        assert_eq!(json(" [ {\"a\":\"]}\\\"\"} , {\"b\":[1]}\n]\n"), ["{\"a\":\"]}\\\"\"}", "{\"b\":[1]}"]);
        assert_eq!(json("{\"a\":1}{\"b\":2}\n\n{\n}"), ["{\"a\":1}", "{\"b\":2}", "{\n}"]);
        assert_eq!(json("[]"), [""; 0]);
        assert_eq!(json("[1, \"x\",tru]"), ["1", "\"x\"", "tru"]);
        assert_eq!(json("[{} {}]"), ["{}", "malformed record: {}"]);
        assert_eq!(json("[{},]"), ["{}", "malformed record: ]"]);
        assert_eq!(json("[{}] x"), ["{}", "truncated input: x"]);
        assert_eq!(json("[{},{\"a\""), ["{}", "truncated input: {\"a\""]);
        assert_eq!(json("[{}"), ["{}", "truncated input"]);
        assert_eq!(json("[,]"), [",", "malformed record: ]"].map(str::to_owned).to_vec()[..1].to_vec());
        assert_eq!(json(""), [""; 0]);
    }

    #[test]
    fn csv_records_may_span_lines() {
        let text = "a,b\r\n\"x\ny\",\"q\"\"\n\"\n5\",2\n\"open";
        for chunk in [1, 2, 3, 1000] {
            let mut framer = CsvFramer::default();
            let found = frames(text, chunk, |data, ended| framer.frame(data, ended));
            assert_eq!(found, ["a,b", "\"x\ny\",\"q\"\"\n\"", "5\",2", "\"open"]);
        }
    }
}
