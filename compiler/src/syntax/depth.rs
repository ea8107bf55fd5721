//! The limit on nesting (§3), checked before anything recursive sees the text.

use super::ast::Span;
use super::layout::{CLOSE, Chunk, LINE, OPEN};
use crate::diagnostics::{Code, Diagnostic};

/// How deep brackets, blocks and expressions may nest.
pub(super) const LIMIT: usize = 128;

/// A level that no bracket shows, and that ends with its statement or argument.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// Behind `if` or `elif`.
    Condition,
    /// Behind `then`.
    Then,
    /// Behind `else` of an expression, or `=>`.
    Rest,
    /// Behind the `:` of a statement.
    Body,
}

/// Refuses a declaration that nests deeper than the limit: brackets, blocks, conditions, lambdas, and chains of signs, each of which is a level.
pub(super) fn check(chunk: &Chunk, text: &str) -> Option<Diagnostic> {
    // Layout ends a text that is not closed at its line, the grammar at the next quote: neither reading may be too deep.
    let at = [true, false].into_iter().find_map(|lines| Scan::new(&chunk.text, lines).too_deep())?;
    let start = chunk.original(at);
    let end = (start + 1..=text.len()).find(|e| text.is_char_boundary(*e)).unwrap_or(text.len());
    let d = Diagnostic::new(Code::TooDeep, Span::new(start, end), format!("this nests deeper than {LIMIT} levels"));
    Some(d.help("split it into several streams or functions"))
}

/// One pass over a declaration.
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Whether a text ends with its line at the latest.
    text_ends_with_line: bool,
    /// Levels without brackets, of all open brackets and blocks.
    levels: Vec<Level>,
    /// How many of them stood at the beginning of each open bracket or block.
    open: Vec<usize>,
    /// Signs in a row, or `?` in a row.
    chain: usize,
    /// Whether a value has just ended, so that `-` is no sign.
    behind_value: bool,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, text_ends_with_line: bool) -> Self {
        Self { bytes: text.as_bytes(), at: 0, text_ends_with_line, levels: vec![], open: vec![], chain: 0, behind_value: false }
    }

    /// The place that is too deep, if one is.
    fn too_deep(mut self) -> Option<usize> {
        while let Some(&b) = self.bytes.get(self.at) {
            let start = self.at;
            self.at += 1;
            match b {
                b'"' | b'\'' => {
                    self.at = text_end(self.bytes, start, self.text_ends_with_line);
                    self.value();
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => {
                    while self.bytes.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                        self.at += 1;
                    }
                    self.word(start);
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => self.symbol(b),
            }
            if self.open.len() + self.levels.len() > LIMIT || self.chain > LIMIT {
                return Some(start);
            }
        }
        None
    }

    fn value(&mut self) {
        self.chain = 0;
        self.behind_value = true;
    }

    fn word(&mut self, start: usize) {
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let before = self.bytes.get(..start).unwrap_or_default();
        if before.ends_with(b".") && !before.ends_with(b"..") {
            // A field may have any word's name.
            return self.value();
        }
        match word {
            b"not" if !self.behind_value => self.chain += 1,
            b"if" | b"elif" | b"for" | b"while" => self.levels.push(Level::Condition),
            b"then" => self.continues(&[Level::Condition], Level::Then),
            b"else" => self.continues(&[Level::Then, Level::Body], Level::Rest),
            // An expression that no bracket closes ends here.
            b"where" | b"as" | b"until" | b"within" => self.end_levels(),
            b"and" | b"or" | b"xor" | b"in" | b"is" | b"not" => {}
            _ => return self.value(),
        }
        if word != b"not" {
            self.chain = 0;
        }
        self.behind_value = false;
    }

    fn symbol(&mut self, b: u8) {
        let next = self.bytes.get(self.at).copied();
        let is = |c: char| b == c as u8;
        match (b, next) {
            (b'(' | b'[' | b'{', _) => self.open.push(self.levels.len()),
            (b')' | b']' | b'}', _) => {
                self.close();
                return self.value();
            }
            (b'-' | b'~', n) if !self.behind_value && n != Some(b'>') => {
                self.chain += 1;
                return;
            }
            (b'?', _) => {
                self.chain += 1;
                return;
            }
            (b'-', Some(b'>')) | (b',', _) => self.end_levels(),
            (b'=', Some(b'>')) => {
                self.at += 1;
                self.levels.push(Level::Rest);
            }
            (b':', _) => {
                let first = self.open.last().copied().unwrap_or(0);
                if let Some(level) = self.levels.get_mut(first..).and_then(<[Level]>::last_mut).filter(|l| **l == Level::Condition) {
                    *level = Level::Body;
                }
            }
            _ if is(OPEN) => self.open.push(self.levels.len()),
            _ if is(LINE) => self.end_levels(),
            _ if is(CLOSE) => self.close(),
            _ => {}
        }
        self.chain = 0;
        self.behind_value = false;
    }

    /// The innermost level of one of these kinds goes on as another; what is inside it has ended.
    fn continues(&mut self, from: &[Level], to: Level) {
        let first = self.open.last().copied().unwrap_or(0);
        if let Some(at) = self.levels.iter().skip(first).rposition(|l| from.contains(l)) {
            self.levels.truncate(first + at);
            self.levels.push(to);
        }
    }

    fn end_levels(&mut self) {
        self.levels.truncate(self.open.last().copied().unwrap_or(0));
    }

    fn close(&mut self) {
        if let Some(first) = self.open.pop() {
            self.levels.truncate(first);
        }
    }
}

fn text_end(bytes: &[u8], at: usize, ends_with_line: bool) -> usize {
    let quote = bytes.get(at).copied();
    let mut i = at + 1;
    while let Some(b) = bytes.get(i) {
        match b {
            b'\\' => i += 2,
            b'\n' if ends_with_line => return i,
            _ if Some(*b) == quote => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}
