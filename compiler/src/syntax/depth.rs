//! The limit on nesting (§3), checked before anything recursive sees the text.

use super::ast::Span;
use crate::diagnostics::{Code, Diagnostic};

/// How deep brackets, blocks and expressions may nest.
pub(super) const LIMIT: usize = 128;

/// Refuses what nests deeper than the limit: brackets, and chains of prefix words and operators, each of which is a level.
pub(super) fn check(text: &str, clean: &str) -> Option<Diagnostic> {
    let bytes = clean.as_bytes();
    let (mut brackets, mut chain, mut at) = (0usize, 0usize, 0usize);
    while let Some(&b) = bytes.get(at) {
        let start = at;
        match b {
            b'"' | b'\'' => {
                at = skip_text(bytes, at);
                chain = 0;
            }
            b'(' | b'[' | b'{' => {
                brackets += 1;
                at += 1;
            }
            b')' | b']' | b'}' => {
                brackets = brackets.saturating_sub(1);
                chain = 0;
                at += 1;
            }
            b'-' | b'~' => {
                chain += 1;
                at += 1;
            }
            b'*' if bytes.get(at + 1) == Some(&b'*') => {
                chain += 1;
                at += 2;
            }
            b'=' if bytes.get(at + 1) == Some(&b'>') => {
                chain += 1;
                at += 2;
            }
            b'\n' => {
                // A declaration at the left edge starts afresh.
                if bytes.get(at + 1).is_some_and(|c| c.is_ascii_alphabetic()) && brackets == 0 {
                    chain = 0;
                }
                at += 1;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while bytes.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                    at += 1;
                }
                match bytes.get(start..at) {
                    Some(b"not" | b"if" | b"elif" | b"for" | b"while") => chain += 1,
                    Some(b"and" | b"or" | b"where" | b"then" | b"else" | b"stream") if chain < LIMIT / 2 => chain = chain.saturating_sub(1),
                    _ => {}
                }
            }
            b',' | b'.' => {
                chain = 0;
                at += 1;
            }
            _ => at += 1,
        }
        if brackets > LIMIT || chain > LIMIT {
            let end = (start + 1..=text.len()).find(|e| text.is_char_boundary(*e)).unwrap_or(text.len());
            return Some(
                Diagnostic::new(Code::TooDeep, Span::new(start, end), format!("this nests deeper than {LIMIT} levels"))
                    .help("split it into several streams or functions"),
            );
        }
    }
    None
}

fn skip_text(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied();
    let mut i = at + 1;
    while let Some(b) = bytes.get(i) {
        match b {
            b'\\' => i += 2,
            b'\n' => return i,
            _ if Some(*b) == quote => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}
