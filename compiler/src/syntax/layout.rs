//! Layout: comments are blanked, the text is cut into declarations, and blocks get marks. Every position can be traced back to the program's text.

use std::ops::Range;

use super::ast::Span;
use super::errors::DECLARATIONS;
use crate::diagnostics::{Code, Diagnostic};

/// The mark where a block begins.
pub(super) const OPEN: char = '\u{1}';
/// The mark where a line of a block ends.
pub(super) const LINE: char = '\u{2}';
/// The mark where a block ends.
pub(super) const CLOSE: char = '\u{3}';

/// One declaration, ready to parse.
pub(crate) struct Chunk {
    /// Its text, with marks.
    pub(super) text: String,
    /// Pieces: from that byte of `text` on, bytes stand at that byte of the program's text.
    pieces: Vec<(usize, usize)>,
}

impl Chunk {
    /// A piece of the program's text by itself.
    pub(super) fn at(text: &str, original: usize) -> Self {
        Self { text: text.to_owned(), pieces: vec![(0, original)] }
    }
    /// The place in the program's text of a byte of this one.
    pub(super) fn original(&self, at: usize) -> usize {
        let i = self.pieces.partition_point(|(mine, _)| *mine <= at);
        i.checked_sub(1).and_then(|i| self.pieces.get(i)).map_or(at, |(mine, theirs)| theirs + (at - mine))
    }
    /// The same for one past the last byte.
    pub(super) fn original_end(&self, at: usize) -> usize {
        if at == 0 { self.original(0) } else { self.original(at - 1) + 1 }
    }
}

/// The program, cut.
pub(super) struct Layout {
    /// The declarations.
    pub(super) chunks: Vec<Chunk>,
}

/// A line that is not blank.
struct Line {
    /// Where its text begins, behind its indentation.
    start: usize,
    end: usize,
    indent: usize,
    opens: bool,
    /// The bracket depth at its start: above 0, it continues the line before.
    depth: usize,
}

/// Cuts a program into declarations.
pub(super) fn layout(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Layout {
    let (clean, comments) = blank(text, diagnostics);
    let lines = lines(&clean, &comments, diagnostics);
    let mut chunks = vec![];
    let mut at = 0;
    while at < lines.len() {
        let mut end = at + 1;
        while lines.get(end).is_some_and(|l| l.depth > 0 || l.indent > 0 || continues(clean.get(l.start..l.end).unwrap_or_default())) {
            end += 1;
        }
        if let Some(own) = lines.get(at..end) {
            chunks.push(chunk(&clean, own, diagnostics));
        }
        at = end;
    }
    Layout { chunks }
}

/// Blanks comments and refuses characters that hide what the text says. With the text come the places of its `/* … */`.
fn blank(text: &str, diagnostics: &mut Vec<Diagnostic>) -> (String, Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut comments = vec![];
    let mut out = bytes.to_vec();
    let mut at = 0;
    let wipe = |out: &mut Vec<u8>, from: usize, to: usize| {
        for b in out.iter_mut().take(to).skip(from) {
            if *b != b'\n' {
                *b = b' ';
            }
        }
    };
    while let Some(&b) = bytes.get(at) {
        match (b, bytes.get(at + 1)) {
            (b'"' | b'\'', _) => at = text_end(bytes, at, diagnostics),
            (b'#', _) | (b'/', Some(b'/')) => {
                let end = bytes.iter().skip(at).position(|c| *c == b'\n').map_or(bytes.len(), |n| at + n);
                wipe(&mut out, at, end);
                at = end;
            }
            (b'/', Some(b'*')) => {
                let end = text.get(at + 2..).and_then(|t| t.find("*/")).map(|n| at + 2 + n + 2);
                if end.is_none() {
                    diagnostics.push(Diagnostic::new(Code::UnterminatedComment, Span::new(at, at + 2), "this comment has no end").help("end it with `*/`"));
                }
                let end = end.unwrap_or(bytes.len());
                wipe(&mut out, at, end);
                comments.push(at..end);
                at = end;
            }
            (0..=8 | 11..=12 | 14..=31 | 127, _) => {
                diagnostics.push(Diagnostic::new(
                    Code::InvalidCharacter,
                    Span::new(at, at + 1),
                    format!("a control character (U+{b:04X}) does not belong in a program"),
                ));
                wipe(&mut out, at, at + 1);
                at += 1;
            }
            _ => at += 1,
        }
    }
    bidi_controls(text, diagnostics);
    (String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()), comments)
}

fn bidi_controls(text: &str, diagnostics: &mut Vec<Diagnostic>) {
    for (at, c) in text.char_indices() {
        if matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}') {
            let d = Diagnostic::new(Code::BidiControl, Span::new(at, at + c.len_utf8()), "this invisible character changes the order in which text is shown")
                .help("remove it, or write it as `\\u{…}` in a text");
            diagnostics.push(d);
        }
    }
}

/// One past the end of a text that begins at `at`. A text does not go past the end of its line.
fn text_end(bytes: &[u8], at: usize, diagnostics: &mut Vec<Diagnostic>) -> usize {
    let quote = bytes.get(at).copied();
    let mut i = at + 1;
    while let Some(b) = bytes.get(i) {
        match b {
            b'\\' => i += 2,
            b'\n' => break,
            _ if Some(*b) == quote => return i + 1,
            _ => i += 1,
        }
    }
    let end = i.min(bytes.len());
    diagnostics.push(
        Diagnostic::new(Code::UnterminatedText, Span::new(at, at + 1), "this text has no end on its line")
            .help("close it with the quote that opened it; write a line break as `\\n`"),
    );
    end
}

fn lines(clean: &str, comments: &[Range<usize>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    let mut from = 0;
    let mut brackets = Brackets::none();
    for line in clean.split_inclusive('\n') {
        let (begin, body) = (from, line.trim_end());
        from += line.len();
        let blank = body.len() - body.trim_start().len();
        if body.trim().is_empty() {
            continue;
        }
        let start = begin + blank;
        let indent = indentation(clean, comments, begin, start);
        let before = lines.last().and_then(|l| clean.get(l.start..l.end)).unwrap_or_default();
        if indent == 0 && begins_declaration(body.trim_start(), before, brackets.open.last()) {
            // A bracket that is open here is a mistake, which is not this declaration's.
            brackets = Brackets::none();
        }
        if brackets.open.is_empty()
            && let Some(tab) = body.get(..blank).and_then(|i| i.find('\t'))
        {
            diagnostics.push(
                Diagnostic::new(Code::TabIndentation, Span::new(begin + tab, begin + tab + 1), "a tab in indentation")
                    .help("indent with spaces: a tab has no fixed width"),
            );
        }
        let depth = brackets.open.len();
        scan_brackets(body, &mut brackets);
        lines.push(Line { start, end: begin + body.len(), indent, opens: brackets.open.is_empty() && body.ends_with(':'), depth });
    }
    lines
}

/// How far a line is indented whose text begins at `start`. A comment in front of the text stands where the text would.
fn indentation(clean: &str, comments: &[Range<usize>], begin: usize, start: usize) -> usize {
    let first = comments.partition_point(|c| c.end <= begin);
    let Some(comment) = comments.get(first).filter(|c| c.start < start) else { return start - begin };
    let before = clean.get(..comment.start).unwrap_or_default();
    let column = comment.start - before.rfind('\n').map_or(0, |n| n + 1);
    let is_first = before.get(before.len() - column..).is_some_and(|b| b.trim().is_empty());
    if is_first { column } else { start - begin }
}

/// A bracket that is open.
struct Bracket {
    symbol: u8,
    /// Whether it holds the inputs of `merge(…)` or a join, which may be declared in place.
    holds_streams: bool,
}

/// Whether a line at the left edge begins a declaration though a bracket is open. In brackets no two names follow each other, but where
/// `merge(…)` or a join declares an input: at the beginning of the list, or behind a comma.
fn begins_declaration(line: &str, before: &str, bracket: Option<&Bracket>) -> bool {
    let word = line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let rest = line.get(word.len()..).unwrap_or_default();
    let next = rest.trim_start();
    let is_input = word == "stream" && bracket.is_some_and(|b| b.holds_streams) && before.ends_with([',', '(']);
    DECLARATIONS.contains(&word) && !is_input && rest.starts_with(' ') && next.starts_with(|c: char| c.is_alphabetic() || c == '_') && !continues(next)
}

/// The brackets that are open, and how many there are of each symbol: what closes nothing is found without looking at them all.
struct Brackets {
    open: Vec<Bracket>,
    counts: [usize; 128],
}

impl Brackets {
    fn none() -> Self {
        Self { open: vec![], counts: [0; 128] }
    }

    fn open(&mut self, bracket: Bracket) {
        self.count(bracket.symbol, |n| n + 1);
        self.open.push(bracket);
    }

    /// Closes the innermost one of that symbol and what is open inside it; passes over what closes nothing.
    fn close(&mut self, symbol: u8) {
        if self.counts.get(usize::from(symbol)) == Some(&0) {
            return;
        }
        while let Some(closed) = self.open.pop() {
            self.count(closed.symbol, |n| n.saturating_sub(1));
            if closed.symbol == symbol {
                return;
            }
        }
    }

    fn count(&mut self, symbol: u8, change: impl FnOnce(usize) -> usize) {
        if let Some(count) = self.counts.get_mut(usize::from(symbol)) {
            *count = change(*count);
        }
    }
}

/// Follows brackets outside texts. One that closes another's closes what is open inside it too, and one that closes nothing is passed over.
fn scan_brackets(body: &str, brackets: &mut Brackets) {
    let bytes = body.as_bytes();
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' | b'\'' => {
                at = text_end(bytes, at, &mut vec![]);
                continue;
            }
            b'(' | b'[' | b'{' => {
                let before = body.get(..at).unwrap_or_default().trim_end();
                brackets.open(Bracket { symbol: *b, holds_streams: before.ends_with("merge") || before.ends_with("join") });
            }
            b')' => brackets.close(b'('),
            b']' => brackets.close(b'['),
            b'}' => brackets.close(b'{'),
            _ => {}
        }
        at += 1;
    }
}

/// The bracket that keeps a declaration from being read at `at`: one that closes nothing or another one's, or one before it that stays open.
pub(super) fn bracket_mistake(text: &str, failed: usize) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let mut open: Vec<(usize, char)> = vec![];
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' | b'\'' => {
                at = text_end(bytes, at, &mut vec![]);
                continue;
            }
            b'(' | b'[' | b'{' => open.push((at, char::from(*b))),
            b')' | b']' | b'}' => match open.pop() {
                Some((_, '(')) if *b == b')' => {}
                Some((_, '[')) if *b == b']' => {}
                Some((_, '{')) if *b == b'}' => {}
                Some((_, bracket)) => return (at == failed).then(|| (at, format!("this `{}` does not close the `{bracket}`", char::from(*b)))),
                None => return (at == failed).then(|| (at, format!("this `{}` closes nothing", char::from(*b)))),
            },
            _ => {}
        }
        at += 1;
    }
    open.pop().filter(|(place, _)| *place < failed).map(|(place, bracket)| (place, format!("this `{bracket}` is never closed")))
}

/// Whether a line at the left edge goes on with the declaration before it.
pub(super) fn continues(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with(['.', ')', ']', '}', ',', '+', '*', '|', '&', '<', '>', '=', '?', '/']) || line.starts_with("->") || line.starts_with("- ") {
        return true;
    }
    let word: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    matches!(word.as_str(), "where" | "within" | "partition" | "and" | "or" | "xor" | "as" | "then" | "else" | "is" | "in" | "not")
}

/// Puts marks into the blocks of one declaration.
fn chunk(clean: &str, lines: &[Line], diagnostics: &mut Vec<Diagnostic>) -> Chunk {
    let mut chunk = Chunk { text: String::new(), pieces: vec![] };
    let block = lines.first().is_some_and(|l| clean.get(l.start..l.end).is_some_and(opens_block)) && lines.iter().any(|l| l.opens);
    let copy = |chunk: &mut Chunk, from: usize, to: usize| {
        chunk.pieces.push((chunk.text.len(), from));
        chunk.text.push_str(clean.get(from..to).unwrap_or_default());
    };
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return chunk };
    if !block {
        copy(&mut chunk, first.start, last.end);
        return chunk;
    }
    let mut stack = vec![first.indent];
    let mut expects = false;
    let mut before: Option<&Line> = None;
    for line in lines {
        if line.depth > 0 {
            chunk.text.push('\n');
            copy(&mut chunk, line.start, line.end);
            expects = line.opens;
            before = Some(line);
            continue;
        }
        if let Some(previous) = before {
            let mark = |chunk: &mut Chunk, c: char| {
                chunk.pieces.push((chunk.text.len(), previous.end.saturating_sub(1)));
                chunk.text.push(c);
            };
            let top = stack.last().copied().unwrap_or(0);
            if expects && line.indent > top {
                stack.push(line.indent);
                mark(&mut chunk, OPEN);
            } else if line.indent > top {
                // A deeper line that opens no block goes on with the line before.
                chunk.text.push('\n');
            } else {
                mark(&mut chunk, LINE);
                while stack.last().is_some_and(|t| line.indent < *t) {
                    stack.pop();
                    mark(&mut chunk, CLOSE);
                    mark(&mut chunk, LINE);
                }
                if stack.last() != Some(&line.indent) {
                    diagnostics.push(Diagnostic::new(
                        Code::Indentation,
                        Span::new(line.start, line.start),
                        "this line is indented like no line of a block around it",
                    ));
                }
            }
        }
        copy(&mut chunk, line.start, line.end);
        expects = line.opens;
        before = Some(line);
    }
    let end = last.end.saturating_sub(1);
    for _ in 1..stack.len() {
        for c in [LINE, CLOSE] {
            chunk.pieces.push((chunk.text.len(), end));
            chunk.text.push(c);
        }
    }
    chunk
}

/// Whether declarations that begin like this have blocks.
fn opens_block(line: &str) -> bool {
    let word: String = line.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    matches!(word.as_str(), "event" | "enum" | "fn" | "embedding" | "config")
}
