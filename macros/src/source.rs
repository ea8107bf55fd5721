//! A program's text: what it is, what it is called in messages, and which tokens it was made of.

use std::ops::Range;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::LitStr;
use varpulis_compiler::syntax::ast;

/// A program's text and its origin.
pub(crate) struct Source {
    /// Its file, for messages.
    pub(crate) file: String,
    /// The text.
    pub(crate) text: String,
    /// The folder that paths are relative to.
    pub(crate) folder: PathBuf,
    /// Where the whole of it is in the user's Rust.
    pub(crate) whole: Span,
    /// Which bytes each token became, in order.
    tokens: Vec<(Range<usize>, Span)>,
}

/// The folder of the package's `Cargo.toml`.
pub(crate) fn package() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

impl Source {
    /// The text of a file.
    pub(crate) fn file(path: &LitStr, text: String) -> Self {
        Self { file: path.value(), text, folder: package(), whole: path.span(), tokens: vec![] }
    }

    /// The text of a string literal, without the indentation that its lines share. Lines count as in the Rust file wherever they can.
    pub(crate) fn literal(literal: &LitStr) -> Self {
        let whole = literal.span();
        let text = dedent(&literal.value());
        // Escapes and line continuations would shift the lines.
        let verbatim = literal.token().to_string();
        let padding = if verbatim.starts_with('r') || !verbatim.contains('\\') { whole.start().line.saturating_sub(1) } else { 0 };
        Self { file: whole.file(), text: "\n".repeat(padding) + &text, folder: std::env::current_dir().unwrap_or_default(), whole, tokens: vec![] }
    }

    /// The text of tokens, each at its line and column, so that blocks are what they look like. The first token's column becomes the margin,
    /// and lines count as in the Rust file.
    pub(crate) fn inline(tokens: TokenStream) -> Self {
        let whole = tokens.clone().into_iter().next().map_or_else(Span::call_site, |t| opening(&t));
        let start = whole.start();
        let mut writer =
            Writer { text: "\n".repeat(start.line.saturating_sub(1)), tokens: vec![], line: start.line.max(1), column: 0, margin: start.column, glued: true };
        writer.stream(tokens);
        writer.text.push('\n');
        Self { file: whole.file(), text: writer.text, folder: std::env::current_dir().unwrap_or_default(), whole, tokens: writer.tokens }
    }

    /// The token that a place of the text begins with, or the last one before it.
    pub(crate) fn token(&self, at: ast::Span) -> Option<Span> {
        let start = at.start as usize;
        let next = self.tokens.partition_point(|(bytes, _)| bytes.end <= start);
        let inside = self.tokens.get(next).filter(|(bytes, _)| bytes.start < (at.end as usize).max(start + 1));
        inside.or_else(|| self.tokens.get(next.checked_sub(1)?)).or_else(|| self.tokens.first()).map(|(_, span)| *span)
    }
}

/// Takes away the spaces that every line begins with. The first line stands behind a quote, so that it has no say unless it is the only one.
fn dedent(text: &str) -> String {
    let width = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let margin = text.lines().skip(1).filter(|l| !l.trim().is_empty()).map(width).min().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.lines().enumerate() {
        let spaces = if i == 0 { width(line) } else { margin.min(width(line)) };
        out.push_str(line.get(spaces..).unwrap_or_default());
        out.push('\n');
    }
    out
}

/// Where a token begins: for a group, its bracket.
fn opening(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(g) if g.delimiter() == Delimiter::None => g.stream().into_iter().next().map_or_else(|| g.span(), |t| opening(&t)),
        TokenTree::Group(g) => g.span_open(),
        other => other.span(),
    }
}

/// Writes tokens at their places.
struct Writer {
    text: String,
    tokens: Vec<(Range<usize>, Span)>,
    /// The line of the Rust file that is being written, from 1.
    line: usize,
    /// The characters in that line so far.
    column: usize,
    /// The column of the Rust file that is the text's first.
    margin: usize,
    /// Whether the next token may follow without a space even where its place is unknown.
    glued: bool,
}

impl Writer {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            match &token {
                TokenTree::Group(g) => {
                    let (open, close) = match g.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    if !open.is_empty() {
                        self.put(open, g.span_open(), false);
                    }
                    self.stream(g.stream());
                    if !close.is_empty() {
                        self.put(close, g.span_close(), false);
                    }
                }
                TokenTree::Punct(p) => self.put(p.as_char().encode_utf8(&mut [0; 4]), p.span(), p.spacing() == Spacing::Joint),
                // Both are spelled as they were written.
                TokenTree::Ident(i) => self.put(&i.to_string(), i.span(), false),
                TokenTree::Literal(l) => self.put(&l.to_string(), l.span(), false),
            }
        }
    }

    /// Writes one token where it stands in the Rust file. One that a macro put there has no place in order: it follows with a space.
    fn put(&mut self, written: &str, span: Span, joint: bool) {
        let at = span.start();
        let column = at.column.saturating_sub(self.margin);
        if at.line > self.line {
            self.text.extend(std::iter::repeat_n('\n', at.line - self.line));
            self.line = at.line;
            self.column = 0;
            self.pad(column);
        } else if at.line == self.line && column >= self.column {
            self.pad(column - self.column);
        } else if !self.glued {
            self.pad(1);
        }
        let start = self.text.len();
        self.text.push_str(written);
        self.tokens.push((start..self.text.len(), span));
        self.glued = joint;
        // A text may have line breaks inside.
        self.line += written.matches('\n').count();
        self.column = match written.rsplit_once('\n') {
            Some((_, last)) => (last.chars().count()).saturating_sub(self.margin),
            None => self.column + written.chars().count(),
        };
    }

    fn pad(&mut self, spaces: usize) {
        self.text.extend(std::iter::repeat_n(' ', spaces));
        self.column += spaces;
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
