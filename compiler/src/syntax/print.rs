//! `varpulis fmt`: canonical spacing and indentation. Lines stay where the author put them, comments stay in them; only white space changes,
//! so that the program's meaning cannot.

use crate::diagnostics::Diagnostic;

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Word,
    Text,
    Comment,
    Open,
    Close,
    Comma,
    Colon,
    /// Takes no space on either side: `.`, `..`, `?.`.
    Tight,
    /// Stands between two operands, or in front of one.
    Operator,
    /// Takes no space before it: `?`.
    Behind,
}

struct Piece<'t> {
    kind: Kind,
    text: &'t str,
    /// White space stood before it.
    spaced: bool,
}

/// Formats a program.
///
/// # Errors
/// The program has syntax errors: these are returned, and nothing is formatted.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = super::parse(text);
    let errors: Vec<Diagnostic> = parsed.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut out = String::new();
    let mut state = State { blocks: vec![0], brackets: 0, block_item: false, opened: false, comment: false };
    let mut blank = true;
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            if !blank && !state.comment {
                out.push('\n');
                blank = true;
            } else if state.comment {
                out.push('\n');
            }
            continue;
        }
        blank = false;
        state.line(line, lines.get(at + 1..).unwrap_or_default(), &mut out);
    }
    let end = out.trim_end().len();
    out.truncate(end);
    if !out.is_empty() {
        out.push('\n');
    }
    Ok(out)
}

struct State {
    /// Indentations of the open blocks, as written.
    blocks: Vec<usize>,
    brackets: usize,
    /// The declaration has a block.
    block_item: bool,
    /// The last code line ended with `:`.
    opened: bool,
    /// Inside `/* … */`.
    comment: bool,
}

impl State {
    fn line(&mut self, line: &str, rest: &[&str], out: &mut String) {
        if self.comment {
            out.push_str(line.trim_end());
            out.push('\n');
            self.comment = !line.contains("*/");
            return;
        }
        let pieces = pieces(line.trim());
        let only_comment = pieces.first().is_some_and(|p| p.kind == Kind::Comment);
        let level = if only_comment {
            // A comment belongs to the code that follows it.
            let next = rest.iter().find(|l| !l.trim().is_empty() && !is_comment(l)).copied().unwrap_or("");
            self.clone_level(next)
        } else {
            self.level(line, &pieces)
        };
        out.push_str(&"    ".repeat(level));
        write_line(&pieces, out);
        out.push('\n');
        for p in &pieces {
            match p.kind {
                Kind::Open => self.brackets += 1,
                Kind::Close => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
        }
        if let Some(last) = pieces.last()
            && last.kind == Kind::Comment
            && last.text.starts_with("/*")
            && !last.text.ends_with("*/")
        {
            self.comment = true;
        }
        if let Some(last) = pieces.iter().rfind(|p| p.kind != Kind::Comment) {
            self.opened = self.brackets == 0 && last.kind == Kind::Colon;
        }
    }

    fn clone_level(&self, next: &str) -> usize {
        let mut probe = State { blocks: self.blocks.clone(), ..*self };
        if next.is_empty() { 0 } else { probe.level(next, &pieces(next.trim())) }
    }

    /// The level of a code line, from how it is indented and what it begins with.
    fn level(&mut self, line: &str, pieces: &[Piece<'_>]) -> usize {
        let indent = line.len() - line.trim_start().len();
        let closes = pieces.iter().take_while(|p| p.kind == Kind::Close).count();
        let depth = self.brackets.saturating_sub(closes);
        if self.brackets > 0 {
            let base = if self.block_item { self.blocks.len() - 1 } else { 0 };
            return base + depth;
        }
        if indent == 0 && !super::layout::continues(line) {
            self.blocks = vec![0];
            let first = pieces.first().map_or("", |p| p.text);
            self.block_item = matches!(first, "event" | "enum" | "fn" | "embedding" | "config");
            return 0;
        }
        if !self.block_item {
            return 1;
        }
        let top = self.blocks.last().copied().unwrap_or(0);
        if self.opened && indent > top {
            self.blocks.push(indent);
        } else if indent > top {
            // Goes on with the line before.
            return self.blocks.len();
        }
        while self.blocks.len() > 1 && self.blocks.last().is_some_and(|t| indent < *t) {
            self.blocks.pop();
        }
        self.blocks.len() - 1
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

fn write_line(pieces: &[Piece<'_>], out: &mut String) {
    let mut square = 0usize;
    for (i, p) in pieces.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| pieces.get(i));
        if let Some(before) = before
            && wants_space(i.checked_sub(2).and_then(|i| pieces.get(i)), before, p, pieces.get(i + 1), square)
        {
            out.push_str(if p.kind == Kind::Comment { "  " } else { " " });
        }
        match p.text {
            "[" => square += 1,
            "]" => square = square.saturating_sub(1),
            _ => {}
        }
        out.push_str(p.text.trim_end());
    }
}

/// Whether a space stands between two pieces.
fn wants_space(two_before: Option<&Piece<'_>>, before: &Piece<'_>, p: &Piece<'_>, after: Option<&Piece<'_>>, square: usize) -> bool {
    if p.kind == Kind::Comment || before.kind == Kind::Comment {
        return true;
    }
    match (before.kind, p.kind) {
        (Kind::Open, _) | (_, Kind::Close | Kind::Comma) => false,
        // `a[1:2]`
        (_, Kind::Colon) => false,
        (Kind::Colon, _) if square > 0 => p.spaced,
        (Kind::Tight, _) => false,
        // A space in front of an operator's dot sets it apart from the step before it.
        (_, Kind::Tight) => p.spaced && p.text == "." && before.kind == Kind::Word,
        (_, Kind::Behind) => false,
        (Kind::Comma | Kind::Colon, _) => true,
        // `Trade+ where …`: a quantifier stands close behind its event.
        (Kind::Word, Kind::Operator) if is_quantifier(p, after) => false,
        (_, Kind::Operator) => !(is_prefix(Some(before), p) && matches!(before.text, "-" | "~") && !before.spaced) || p.spaced,
        (Kind::Operator, _) if is_prefix(two_before, before) => false,
        (Kind::Operator, _) => true,
        // What stands close to a bracket is called or indexed; what stands apart is not.
        (_, Kind::Open) | (Kind::Close, _) | (Kind::Behind, _) | (_, Kind::Text) | (Kind::Text, _) => p.spaced,
        (Kind::Word, Kind::Word) => true,
        (Kind::Comment, _) | (_, Kind::Comment) => true,
    }
}

fn is_quantifier(p: &Piece<'_>, after: Option<&Piece<'_>>) -> bool {
    matches!(p.text, "+" | "*")
        && !p.spaced
        && after.is_none_or(|a| matches!(a.kind, Kind::Close | Kind::Comma | Kind::Comment) || matches!(a.text, "where" | "as" | "->" | "until" | "reluctant"))
}

/// Whether an operator stands in front of one operand.
fn is_prefix(before: Option<&Piece<'_>>, p: &Piece<'_>) -> bool {
    if !matches!(p.text, "-" | "~") {
        return false;
    }
    match before {
        None => true,
        Some(b) => match b.kind {
            Kind::Open | Kind::Comma | Kind::Colon | Kind::Operator => true,
            Kind::Word => matches!(b.text, "and" | "or" | "xor" | "not" | "in" | "where" | "then" | "else" | "if" | "return" | "elif" | "while"),
            _ => false,
        },
    }
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    let bytes = line.as_bytes();
    let mut out = vec![];
    let mut at = 0;
    let mut spaced = false;
    while let Some(b) = bytes.get(at) {
        if b.is_ascii_whitespace() {
            spaced = true;
            at += 1;
            continue;
        }
        let (kind, length) = piece(line.get(at..).unwrap_or_default());
        let end = (at + length.max(1)).min(line.len());
        let Some(text) = line.get(at..end) else { break };
        out.push(Piece { kind, text, spaced });
        spaced = false;
        at = end;
    }
    out
}

/// The kind and length of the first piece.
fn piece(rest: &str) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let first = bytes.first().copied().unwrap_or(b' ');
    if first == b'#' || rest.starts_with("//") {
        return (Kind::Comment, rest.len());
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, rest.find("*/").map_or(rest.len(), |n| n + 2));
    }
    let quoted = |from: usize| {
        let quote = bytes.get(from).copied();
        let mut i = from + 1;
        while let Some(b) = bytes.get(i) {
            match b {
                b'\\' => i += 2,
                b if Some(*b) == quote => return i + 1,
                _ => i += 1,
            }
        }
        rest.len()
    };
    if matches!(first, b'"' | b'\'') {
        return (Kind::Text, quoted(0));
    }
    if first == b'f' && matches!(bytes.get(1), Some(b'"' | b'\'')) {
        return (Kind::Text, quoted(1));
    }
    if first == b'@' {
        let n = bytes.iter().skip(1).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'.' | b'+')).count();
        return (Kind::Word, n + 1);
    }
    if first.is_ascii_digit() {
        return (Kind::Word, number(bytes));
    }
    if first.is_ascii_alphabetic() || first == b'_' || !first.is_ascii() {
        let n = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || !c.is_ascii()).map(char::len_utf8).sum();
        return (Kind::Word, n);
    }
    for (texts, kind) in [
        (["..=", "...", "**", "->", "=>", ":="].as_slice(), Kind::Operator),
        (["==", "!=", "<=", ">=", "<<", ">>", "??"].as_slice(), Kind::Operator),
        (["?.", ".."].as_slice(), Kind::Tight),
    ] {
        if let Some(found) = texts.iter().find(|t| rest.starts_with(**t)) {
            return (if *found == "..=" { Kind::Tight } else { kind }, found.len());
        }
    }
    let kind = match first {
        b'(' | b'[' | b'{' => Kind::Open,
        b')' | b']' | b'}' => Kind::Close,
        b',' => Kind::Comma,
        b':' => Kind::Colon,
        b'.' => Kind::Tight,
        b'?' => Kind::Behind,
        _ => Kind::Operator,
    };
    (kind, 1)
}

fn number(bytes: &[u8]) -> usize {
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let fraction = *b == b'.' && bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
        let exponent = matches!(b, b'+' | b'-')
            && matches!(bytes.get(i.wrapping_sub(1)), Some(b'e' | b'E'))
            && bytes.iter().take(i).all(|b| !b.is_ascii_alphabetic() || matches!(b, b'e' | b'E'));
        if !(b.is_ascii_alphanumeric() || *b == b'_' || fraction || exponent) {
            break;
        }
        i += 1;
    }
    i
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// The syntax tree without its places.
    fn shape(text: &str) -> String {
        let debug = format!("{:?}", super::super::parse(text).program);
        let mut out = String::new();
        let mut rest = debug.as_str();
        while let Some(at) = rest.find("Span { ") {
            out.push_str(rest.get(..at).unwrap());
            let end = rest.get(at..).unwrap().find('}').unwrap();
            rest = rest.get(at + end + 1..).unwrap();
        }
        out.push_str(rest);
        out
    }

    #[test]
    fn spacing_is_canonical_and_stable() {
        let text = "event Trade :\n  symbol:str\n  venue : str?   # where\n\n\n\nstream Big=Trade.where( price*-1<volume and not x )\n  .emit( a , b:price *2 )\n# about S\nstream S = A as a->all B+ where x>-1 as b .within( 5m )\n";
        let once = format(text).unwrap();
        assert_eq!(
            once,
            "event Trade:\n    symbol: str\n    venue: str?  # where\n\nstream Big = Trade.where(price * -1 < volume and not x)\n    .emit(a, b: price * 2)\n# about S\nstream S = A as a -> all B+ where x > -1 as b .within(5m)\n"
        );
        assert_eq!(format(&once).unwrap(), once);
        assert_eq!(shape(text), shape(&once));
    }

    #[test]
    fn blocks_keep_their_structure() {
        let text = "fn f(a:int)->int :\n   if a>1:\n        return 2\n   let b=a[1:2]\n   b\n";
        let once = format(text).unwrap();
        assert_eq!(once, "fn f(a: int) -> int:\n    if a > 1:\n        return 2\n    let b = a[1:2]\n    b\n");
        assert_eq!(format(&once).unwrap(), once);
        assert_eq!(shape(text), shape(&once));
    }
}
