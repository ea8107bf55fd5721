//! A byte stream cut into records, in bounded memory.
//!
//! Records are handed out in place: the caller drains what is [buffered](Source::buffered), then lets the source [refill](Source::refill) its
//! buffer. One that is longer than the limit is refused, and reading goes on behind the next line end.

use std::io::{self, Read};

use varpulis_abi::reason::Reason;

use super::framing::{CsvFramer, Frame, JsonFramer};

/// Where a record starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its line, from 1.
    pub line: u64,
    /// Its first byte, from 0, of the decompressed stream.
    pub offset: u64,
}

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One per line; blank lines are none.
    Lines,
    /// Elements of a JSON array, or JSON values one after the other.
    JsonValues,
    /// Lines, but for line ends in quotes.
    CsvRecords,
}

/// What a source hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record, without its line end.
    Record(Position, &'a [u8]),
    /// What cannot be one, and its beginning.
    Refused(Position, Reason, &'a [u8]),
}

enum Framer {
    Lines {
        /// How far the line was looked at.
        at: usize,
    },
    Json(JsonFramer),
    Csv(CsvFramer),
}

/// The size of the buffer, unless a record needs more.
const BUFFER: usize = 1 << 20;
/// The longest record.
const LONGEST: usize = 16 << 20;
/// How much of a refused record is shown.
const SHOWN: usize = 4096;

/// Records out of a byte stream.
pub struct Source {
    reader: Box<dyn Read + Send>,
    /// Compressed input that broke off is the data's fault, not the machine's.
    compressed: bool,
    opened: bool,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    position: Position,
    framer: Framer,
    longest: usize,
    /// The rest of a record that was refused for its length is to be dropped.
    dropping: bool,
    ended: bool,
    broken: Option<String>,
    /// Whether the end itself still has to be looked at.
    closing: bool,
}

impl Source {
    /// Reads records of up to 16 MiB. Gzip is recognised by its first bytes.
    pub fn new(reader: Box<dyn Read + Send>, framing: Framing) -> Self {
        Self::with_limits(reader, framing, BUFFER, LONGEST)
    }

    /// The same with a buffer and a longest record of so many bytes.
    pub fn with_limits(reader: Box<dyn Read + Send>, framing: Framing, buffer: usize, longest: usize) -> Self {
        let framer = match framing {
            Framing::Lines => Framer::Lines { at: 0 },
            Framing::JsonValues => Framer::Json(JsonFramer::new()),
            Framing::CsvRecords => Framer::Csv(CsvFramer::default()),
        };
        Self {
            reader,
            compressed: false,
            opened: false,
            buffer: vec![0; buffer.max(8)],
            start: 0,
            end: 0,
            position: Position { line: 1, offset: 0 },
            framer,
            longest,
            dropping: false,
            ended: false,
            broken: None,
            closing: true,
        }
    }

    /// Why the stream ended early, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The next record that is in the buffer.
    #[inline]
    pub fn buffered(&mut self) -> Option<Item<'_>> {
        while let (Framer::Lines { at }, false) = (&mut self.framer, self.dropping) {
            let data = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(found) = data.get(*at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
                let length = *at + found;
                *at = 0;
                let position = self.position;
                let start = self.start;
                self.start += length + 1;
                self.position.line += 1;
                self.position.offset += length as u64 + 1;
                if length <= self.longest && data.first().is_some_and(|byte| *byte > b' ') {
                    let record = self.buffer.get(start..start + length).unwrap_or_default();
                    return Some(Item::Record(position, record.strip_suffix(b"\r").unwrap_or(record)));
                }
                if !self.is_blank(start, start + length) {
                    return self.odd_line(position, start, start + length);
                }
                continue;
            }
            *at = data.len();
            break;
        }
        self.otherwise()
    }

    #[cold]
    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.buffer.get(start..end).unwrap_or_default().iter().all(u8::is_ascii_whitespace)
    }

    /// A line that begins with white space, or is too long.
    #[cold]
    fn odd_line(&mut self, position: Position, start: usize, end: usize) -> Option<Item<'_>> {
        let line = self.buffer.get(start..end).unwrap_or_default();
        if line.len() > self.longest {
            return Some(Item::Refused(position, Reason::TooLong, beginning(line)));
        }
        Some(Item::Record(position, line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// All but complete lines.
    fn otherwise(&mut self) -> Option<Item<'_>> {
        loop {
            if self.dropping && !self.drop_line() {
                return None;
            }
            let data = self.buffer.get(self.start..self.end).unwrap_or_default();
            let ended = self.ended;
            let frame = match &mut self.framer {
                Framer::Lines { at } => match memchr::memchr(b'\n', data.get(*at..).unwrap_or_default()) {
                    Some(found) => {
                        let length = std::mem::take(at) + found;
                        Frame::Record(0..length, length + 1)
                    }
                    None if ended && !data.is_empty() => {
                        *at = 0;
                        Frame::Record(0..data.len(), data.len())
                    }
                    None => Frame::More,
                },
                Framer::Json(framer) => framer.frame(data, ended),
                Framer::Csv(framer) => framer.frame(data, ended),
            };
            let position = self.position;
            let start = self.start;
            let (range, reason) = match frame {
                Frame::Between(length) => {
                    self.go_on(length);
                    continue;
                }
                Frame::More if ended => return self.close(),
                Frame::More if data.len() > self.longest => {
                    self.go_on(data.len());
                    self.dropping = true;
                    let data = self.buffer.get(start..self.end).unwrap_or_default();
                    return Some(Item::Refused(position, Reason::TooLong, beginning(data)));
                }
                Frame::More => return None,
                Frame::Record(range, next) => {
                    let cut = self.broken.is_some() && self.start + next == self.end && range.end == next && !matches!(self.framer, Framer::Json(_));
                    self.go_on(next);
                    (range, cut.then_some(Reason::Truncated))
                }
                Frame::Refused(range, next, reason) => {
                    self.go_on(next);
                    (range, Some(reason))
                }
            };
            if reason == Some(Reason::Truncated) {
                self.closing = false;
            }
            let record = self.buffer.get(start + range.start..start + range.end).unwrap_or_default();
            let reason = reason.or((record.len() > self.longest).then_some(Reason::TooLong));
            if reason.is_none() && record.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let record = self.buffer.get(start + range.start..start + range.end).unwrap_or_default();
            return Some(match reason {
                Some(reason) => Item::Refused(position, reason, beginning(record)),
                None => Item::Record(position, record.strip_suffix(b"\r").unwrap_or(record)),
            });
        }
    }

    /// Drops the rest of a line; false if it does not end in the buffer.
    fn drop_line(&mut self) -> bool {
        let data = self.buffer.get(self.start..self.end).unwrap_or_default();
        match memchr::memchr(b'\n', data) {
            Some(found) => {
                self.go_on(found + 1);
                self.dropping = false;
                match &mut self.framer {
                    Framer::Lines { at } => *at = 0,
                    Framer::Json(framer) => framer.resume(),
                    Framer::Csv(framer) => *framer = CsvFramer::default(),
                }
                true
            }
            None => {
                self.go_on(data.len());
                self.ended && {
                    self.dropping = false;
                    true
                }
            }
        }
    }

    /// The end of the stream: it may be one record too early.
    fn close(&mut self) -> Option<Item<'_>> {
        if !std::mem::take(&mut self.closing) {
            return None;
        }
        let unfinished = match &mut self.framer {
            Framer::Json(framer) => framer.end(),
            Framer::Lines { .. } | Framer::Csv(_) => None,
        };
        let reason = unfinished.or(self.broken.as_ref().map(|_| Reason::Truncated))?;
        Some(Item::Refused(self.position, reason, &[]))
    }

    fn go_on(&mut self, length: usize) {
        let passed = self.buffer.get(self.start..self.start + length).unwrap_or_default();
        self.position.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.position.offset += length as u64;
        self.start += length;
    }

    /// Reads on; false at the end of the stream, when nothing is left.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub fn refill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if !self.opened {
            self.open()?;
            self.opened = true;
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).min(self.longest.max(BUFFER) + BUFFER), 0);
        }
        self.read()?;
        Ok(true)
    }

    /// Reads once into the rest of the buffer.
    fn read(&mut self) -> io::Result<()> {
        loop {
            match self.reader.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if self.compressed && is_broken(&error) => {
                    self.ended = true;
                    self.broken = Some(error.to_string());
                }
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    /// Reads the first bytes, which may be a mark of gzip or of the encoding. It can be asked again where there are not enough yet.
    fn open(&mut self) -> io::Result<()> {
        self.read_at_least(2)?;
        if !self.compressed && self.buffer.get(..self.end).is_some_and(|read| read.starts_with(&[0x1f, 0x8b])) {
            self.decompress();
        }
        self.read_at_least(3)?;
        if self.buffer.get(..self.end).is_some_and(|read| read.starts_with(b"\xef\xbb\xbf")) {
            self.go_on(3);
        }
        Ok(())
    }

    fn read_at_least(&mut self, length: usize) -> io::Result<()> {
        while self.end < length && !self.ended {
            self.read()?;
        }
        Ok(())
    }

    #[cfg(feature = "standalone")]
    fn decompress(&mut self) {
        let read = self.buffer.get(..self.end).unwrap_or_default().to_vec();
        let reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(flate2::read::MultiGzDecoder::new(io::Cursor::new(read).chain(reader)));
        (self.end, self.ended, self.compressed) = (0, false, true);
    }

    /// Gzip needs the feature `standalone`; without it, its bytes are lines like any others.
    #[cfg(not(feature = "standalone"))]
    fn decompress(&mut self) {}
}

/// Whether a decompressor refused its data.
fn is_broken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

fn beginning(record: &[u8]) -> &[u8] {
    record.get(..SHOWN).unwrap_or(record)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    /// Hands out its bytes in pieces.
    struct Pieces(Vec<u8>, usize, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.2.min(buffer.len()).min(self.0.len() - self.1);
            buffer[..length].copy_from_slice(&self.0[self.1..self.1 + length]);
            self.1 += length;
            Ok(length)
        }
    }

    fn read(bytes: &[u8], framing: Framing, piece: usize, longest: usize) -> Vec<(u64, u64, String)> {
        let mut source = Source::with_limits(Box::new(Pieces(bytes.to_vec(), 0, piece)), framing, 8, longest);
        let mut found = Vec::new();
        loop {
            while let Some(item) = source.buffered() {
                found.push(match item {
                    Item::Record(position, record) => (position.line, position.offset, String::from_utf8_lossy(record).into_owned()),
                    Item::Refused(position, reason, _) => (position.line, position.offset, format!("!{reason}")),
                });
            }
            if !source.refill().unwrap() {
                return found;
            }
        }
    }

    fn texts(bytes: &[u8], framing: Framing, longest: usize) -> Vec<(u64, u64, String)> {
        let whole = read(bytes, framing, 1 << 20, longest);
        for piece in [1, 2, 3, 7] {
            assert_eq!(read(bytes, framing, piece, longest), whole, "pieces of {piece}");
        }
        whole
    }

    fn row(line: u64, offset: u64, text: &str) -> (u64, u64, String) {
        (line, offset, text.to_owned())
    }

    #[test]
    fn blank_lines_are_passed_one_by_one() {
        let blank = format!("{}{{}}", "\n  \n".repeat(500_000));
        assert_eq!(texts(blank.as_bytes(), Framing::Lines, 100), [row(1_000_001, 2_000_000, "{}")]);
    }

    #[test]
    fn lines_know_where_they_stand() {
        let found = texts(b"\xef\xbb\xbfone\r\n\n  \r\n two\nlast", Framing::Lines, 100);
        assert_eq!(found, [row(1, 3, "one"), row(4, 13, " two"), row(5, 18, "last")]);
        assert_eq!(texts(b"", Framing::Lines, 100), []);
        assert_eq!(texts(b"\n", Framing::Lines, 100), []);
        assert_eq!(texts(b"a", Framing::Lines, 100), [row(1, 0, "a")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_and_reading_goes_on() {
        let long = format!("a\n{}\nb\n{}", "x".repeat(50), "y".repeat(50));
        let found = texts(long.as_bytes(), Framing::Lines, 10);
        assert_eq!(found, [row(1, 0, "a"), row(2, 2, "!record too long"), row(3, 53, "b"), row(4, 55, "!record too long")]);
    }

    #[test]
    fn json_and_csv_records_span_lines() {
        let found = texts(b"[{\"a\":\n1},\n {}]\n", Framing::JsonValues, 100);
        assert_eq!(found, [row(1, 1, "{\"a\":\n1}"), row(3, 12, "{}")]);
        let found = texts(b"a,b\n\n\"x\ny\",2\n", Framing::CsvRecords, 100);
        assert_eq!(found, [row(1, 0, "a,b"), row(3, 5, "\"x\ny\",2")]);
        assert_eq!(texts(b"[{}", Framing::JsonValues, 100), [row(1, 1, "{}"), row(1, 3, "!truncated input")]);
    }

    #[cfg(feature = "standalone")]
    #[test]
    fn gzip_is_recognised_and_its_end_is_checked() {
        use std::io::Write;
        let member = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let mut whole = member("one\ntw");
        whole.extend(member("o\n"));
        assert_eq!(texts(&whole, Framing::Lines, 100), [row(1, 0, "one"), row(2, 4, "two")]);
        let cut = texts(&whole[..whole.len() - 4], Framing::Lines, 100);
        assert_eq!(cut, [row(1, 0, "one"), row(2, 4, "two"), row(3, 8, "!truncated input")]);
        let first = member("one\ntwo");
        assert_eq!(texts(&first[..first.len() - 1], Framing::Lines, 100), [row(1, 0, "one"), row(2, 4, "!truncated input")]);
        assert_eq!(texts(b"\x1f\x8b", Framing::Lines, 100), [row(1, 0, "!truncated input")]);
    }
}
