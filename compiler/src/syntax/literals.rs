//! Literals: numbers, texts, durations, timestamps.

use pest::Parser;
use pest::iterators::Pair;
use varpulis_abi::duration;

use super::ast::{Expr, ExprKind, FormatPart, Span};
use super::{Grammar, Reader, Rule, depth, layout};
use crate::diagnostics::{Code, Diagnostic};

impl Reader<'_> {
    pub(super) fn int(&mut self, pair: &Pair<'_, Rule>) -> i64 {
        let digits: String = pair.as_str().chars().filter(|c| *c != '_').collect();
        match digits.parse::<i64>() {
            Ok(v) => v,
            Err(_) => {
                let span = self.span(pair);
                self.report(Diagnostic::new(Code::InvalidNumber, span, "this integer does not fit 64 bits").help("write it as a float: `1e20`"));
                0
            }
        }
    }

    pub(super) fn float(&self, pair: &Pair<'_, Rule>, negative: bool) -> ExprKind {
        let text = pair.as_str().trim().replace('_', "");
        let text = if negative { format!("-{text}") } else { text };
        let value: f64 = text.parse().unwrap_or(f64::NAN);
        if significant(&text) == significant(&value.to_string()) { ExprKind::Float(value) } else { ExprKind::LongFloat(value, text) }
    }

    pub(super) fn duration(&mut self, pair: &Pair<'_, Rule>) -> i64 {
        let mut total: i64 = 0;
        let mut number = String::new();
        let mut name = String::new();
        let mut parts = vec![];
        for c in pair.as_str().chars() {
            if c.is_ascii_digit() || c == '_' {
                if !name.is_empty() {
                    parts.push((std::mem::take(&mut number), std::mem::take(&mut name)));
                }
                number.push(c);
            } else {
                name.push(c);
            }
        }
        parts.push((number, name));
        let mut fits = true;
        for (number, name) in parts {
            let value =
                duration::unit(&name).and_then(|length| number.replace('_', "").parse::<i64>().ok()?.checked_mul(length)).and_then(|n| total.checked_add(n));
            match value {
                Some(v) => total = v,
                None => fits = false,
            }
        }
        if !fits {
            let span = self.span(pair);
            self.report(Diagnostic::new(Code::InvalidNumber, span, "this duration is too long").help("durations reach 292 years"));
        }
        total
    }

    pub(super) fn timestamp(&mut self, pair: &Pair<'_, Rule>) -> i64 {
        let text = pair.as_str().trim_start_matches('@');
        let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let full = if full.ends_with(['Z', 'z']) || full.get(10..).is_some_and(|t| t.contains(['+', '-'])) { full } else { format!("{full}Z") };
        let parsed = full.parse::<jiff::Timestamp>().ok().and_then(|t| i64::try_from(t.as_nanosecond()).ok());
        match parsed {
            Some(v) => v,
            None => {
                let span = self.span(pair);
                self.report(Diagnostic::new(Code::InvalidNumber, span, "this is no date").help("as in `@2026-01-23T10:00:00Z` or `@2026-01-23`"));
                0
            }
        }
    }

    /// A text without its quotes, escapes resolved.
    pub(super) fn string(&mut self, pair: &Pair<'_, Rule>) -> String {
        let inner = pair.as_str();
        let inner = inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default();
        let start = pair.as_span().start() + 1;
        self.unescape(inner, start, false)
    }

    fn unescape(&mut self, text: &str, start: usize, braces: bool) -> String {
        let mut out = String::new();
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if braces && (c == '{' || c == '}') && chars.peek().is_some_and(|(_, n)| *n == c) {
                chars.next();
                out.push(c);
                continue;
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, q @ ('\\' | '"' | '\''))) => out.push(q),
                Some((_, 'u')) => {
                    let rest = text.get(at + 2..).unwrap_or_default();
                    let code = rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|(hex, _)| hex);
                    match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
                        Some(c) => {
                            out.push(c);
                            for _ in 0..code.map_or(0, str::len) + 2 {
                                chars.next();
                            }
                        }
                        None => self.bad_escape(start + at, code.map_or(2, |hex| hex.len() + 4), "`\\u{…}` takes the hexadecimal number of a character"),
                    }
                }
                other => {
                    let length = 1 + other.map_or(0, |(_, c)| c.len_utf8());
                    self.bad_escape(start + at, length, "escapes are \\n \\t \\r \\\\ \\\" \\' \\u{…}");
                }
            }
        }
        out
    }

    fn bad_escape(&mut self, at: usize, length: usize, help: &str) {
        let start = self.map.original(at);
        self.report(Diagnostic::new(Code::InvalidEscape, Span::new(start, start + length), "unknown escape").help(help));
    }

    /// `f"… {expr:.2} …"`
    pub(super) fn format(&mut self, pair: &Pair<'_, Rule>) -> Vec<FormatPart> {
        let whole = pair.as_str();
        let text = whole.get(2..whole.len().saturating_sub(1)).unwrap_or_default().to_owned();
        let base = pair.as_span().start() + 2;
        let mut parts = vec![];
        let (mut from, mut at) = (0, 0);
        let bytes = text.as_bytes();
        while let Some(b) = bytes.get(at) {
            match b {
                b'\\' if bytes.get(at + 1) == Some(&b'u') && bytes.get(at + 2) == Some(&b'{') => {
                    at += bytes.iter().skip(at).position(|b| *b == b'}').map_or(3, |n| n + 1);
                }
                b'\\' => at += 2,
                b'{' | b'}' if bytes.get(at + 1) == Some(b) => at += 2,
                b'}' => {
                    let start = self.map.original(base + at);
                    self.report(Diagnostic::new(Code::Syntax, Span::new(start, start + 1), "this `}` closes nothing").help("write a brace as `}}`"));
                    at += 1;
                }
                b'{' => {
                    if from < at {
                        let piece = text.get(from..at).unwrap_or_default();
                        parts.push(FormatPart::Text(self.unescape(piece, base + from, true)));
                    }
                    let end = matching(bytes, at);
                    let Some(end) = end else {
                        let start = self.map.original(base + at);
                        self.report(Diagnostic::new(Code::Syntax, Span::new(start, start + 1), "this `{` has no `}`").help("write a brace as `{{`"));
                        return parts;
                    };
                    parts.extend(self.format_value(text.get(at + 1..end).unwrap_or_default(), base + at + 1));
                    at = end + 1;
                    from = at;
                }
                _ => at += 1,
            }
        }
        // Each value is joined to the text before it, which is a level.
        if !self.operators_fit(parts.len()) {
            self.too_many_operators(self.span(pair), "write several texts");
            return vec![];
        }
        if from < text.len() {
            let piece = text.get(from..).unwrap_or_default();
            parts.push(FormatPart::Text(self.unescape(piece, base + from, true)));
        }
        parts
    }

    fn format_value(&mut self, text: &str, base: usize) -> Option<FormatPart> {
        let (expr, decimals) = match text.rsplit_once(":.") {
            Some((e, n)) if !n.is_empty() && n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()) => (e, n.parse().ok()),
            _ => (text, None),
        };
        let start = self.map.original(base);
        let chunk = layout::Chunk::at(expr, start);
        if let Some(too_deep) = depth::check(&chunk, self.text) {
            self.report(too_deep);
            return None;
        }
        let mut inner = Reader { map: &chunk, text: self.text, diagnostics: vec![], operators: self.operators, in_source: false };
        let parsed = match Grammar::parse(Rule::lone_expr, &chunk.text) {
            Ok(mut pairs) => pairs.next().and_then(|p| p.into_inner().next()).map(|p| inner.expr(p)),
            Err(error) => {
                let d = inner.syntax_error(&error, Rule::lone_expr);
                inner.report(d);
                None
            }
        };
        self.diagnostics.extend(inner.diagnostics);
        let e = parsed.unwrap_or(Expr { kind: ExprKind::Error, span: Span::new(start, start + expr.len()) });
        Some(FormatPart::Value(Box::new(e), decimals))
    }
}

/// The `}` of the `{` at `at`, over nested braces and texts.
fn matching(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote: Option<u8> = None;
    for (i, b) in bytes.iter().enumerate().skip(at) {
        match (quote, b) {
            (Some(q), b) if q == *b => quote = None,
            (Some(_), _) => {}
            (None, b'\'') => quote = Some(*b),
            (None, b'{') => depth += 1,
            (None, b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// A number's digits without zeros in front and behind, and the power of ten that they are multiplied with.
fn significant(number: &str) -> (String, i64) {
    let unsigned = number.trim_start_matches('-');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{decimals}");
    let kept = digits.trim_end_matches('0');
    let cut = digits.len() as i64 - kept.len() as i64;
    let power = exponent.parse::<i64>().unwrap_or(0).saturating_sub(decimals.len() as i64).saturating_add(cut);
    let kept = kept.trim_start_matches('0');
    // Zero has no power.
    (kept.to_owned(), if kept.is_empty() { 0 } else { power })
}
