//! Syntax errors in a user's words: from what pest expected at the place where it came furthest to what is wrong there.

use std::sync::{Mutex, PoisonError};

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::ast::Span;
use super::foreign::{self, Advice};
use super::{Grammar, Reader, Rule, layout};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};

/// The words that begin declarations.
pub(super) const DECLARATIONS: &[&str] =
    &["event", "type", "enum", "const", "let", "param", "var", "fn", "connector", "context", "pattern", "embedding", "config", "import", "stream"];

/// Operators of other languages: how they begin, how far in front of the failure, and what is written here.
const FOREIGN: &[(&str, usize, &str)] =
    &[("===", 2, "=="), ("!==", 2, "!="), ("&&", 1, "and"), ("||", 1, "or"), ("<>", 1, "!="), ("!", 0, "not "), ("=", 0, "==")];

/// What a lone `=` is in other languages.
enum Equals {
    Assigns,
    Names,
    Compares,
}

/// Pest's request for details is the process's: one thread at a time makes it.
static DETAIL: Mutex<()> = Mutex::new(());

impl Reader<'_> {
    /// What is wrong with a text that does not read as that rule.
    pub(super) fn syntax_error(&self, error: &Error<Rule>, rule: Rule) -> Diagnostic {
        let text = &self.map.text;
        let failed = match error.location {
            InputLocation::Pos(p) | InputLocation::Span((p, _)) => p,
        };
        // Where a bracket is wrong, the place at which that fails to read tells a user nothing.
        if let Some((place, message)) = layout::bracket_mistake(text, failed) {
            let d = Diagnostic::new(Code::Syntax, self.place(place, 1), message);
            let line = self.text.get(d.span.start as usize..).and_then(|t| t.lines().next()).unwrap_or_default();
            return if line.contains("//") { d.help("`//` begins a comment; integers are divided by `/`") } else { d };
        }
        let (mut at, mut expected) = (failed, words(error));
        if let Some((further, symbols)) = self.symbols(rule).filter(|(further, _)| *further >= failed) {
            let before = text.get(..further).unwrap_or_default().trim_end().len();
            if symbols.iter().any(|s| s == "`:`") && text.get(before..further).is_some_and(|gap| gap.contains('\n')) {
                // What is missing is missing where the line ends, not where the next one begins.
                return Diagnostic::new(Code::Syntax, self.place(before, 0), "expected `:`, found the end of the line");
            }
            if further > failed || expected.is_empty() {
                (at, expected) = (further, symbols);
            }
        }
        let wanted = match expected.as_slice() {
            [] => String::new(),
            [one] => format!("expected {one}, "),
            [some @ .., last] if some.len() < 5 => format!("expected {} or {last}, ", some.join(", ")),
            _ => String::new(),
        };
        let rest = text.get(at..).unwrap_or_default();
        let found: String = match rest.chars().next() {
            None if rule == Rule::item => "the end of the declaration".to_owned(),
            None => "`}`".to_owned(),
            Some(c) if c.is_control() => "the end of the line".to_owned(),
            Some(c) if c.is_alphanumeric() || c == '_' => format!("`{}`", rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()),
            Some(c) => format!("`{c}`"),
        };
        let length = if found.starts_with('`') { found.len() - 2 } else { 0 };
        let message = if wanted.is_empty() { format!("unexpected {found}") } else { format!("{wanted}found {found}") };
        let d = Diagnostic::new(Code::Syntax, self.place(at, length), message);
        let d = match foreign::advice(text, at, &d.message, rule) {
            Some(Advice { from, to, with: Some(with), say }) => return d.fix(self.place(from, to - from), with, say),
            Some(Advice { with: None, say, .. }) => return d.help(say),
            None => d,
        };
        if at == 0 && rule == Rule::item { self.no_declaration(d) } else { self.advise(d, at) }
    }

    /// The place in the program of some bytes of this text.
    fn place(&self, at: usize, length: usize) -> Span {
        let start = self.map.original(at);
        Span::new(start, (start + length).min(self.text.len()))
    }

    /// No declaration begins like this one.
    fn no_declaration(&self, d: Diagnostic) -> Diagnostic {
        let span = d.span;
        let word = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        match did_you_mean(word, DECLARATIONS.iter().copied()) {
            Some(similar) => d.fix(span, similar, "a similar word begins a declaration"),
            None => d.help(format!("a declaration begins with one of {}", DECLARATIONS.join(", "))),
        }
    }

    /// What a user may have meant.
    fn advise(&self, d: Diagnostic, at: usize) -> Diagnostic {
        let text = &self.map.text;
        let rest = text.get(at..).unwrap_or_default();
        // A name and its value are told apart elsewhere; only behind a value does `=` compare.
        let compares = d.message.contains("an operator,");
        if compares && rest.starts_with('=') && !rest.starts_with("==") {
            match self.equals_behind(at) {
                Equals::Assigns => return d.fix(self.place(at, 1), ":=", "`:=` gives a variable another value; `==` compares"),
                Equals::Names => return d.fix(self.place(at, 1), ":", "`:` stands between a field's name and its value; `==` compares"),
                Equals::Compares => {}
            }
        }
        for (symbol, back, ours) in FOREIGN {
            let Some(from) = at.checked_sub(*back) else { continue };
            if text.get(from..).is_some_and(|t| t.starts_with(symbol)) && (compares || *symbol != "=") {
                return d.fix(self.place(from, symbol.len()), *ours, format!("`{}` is what `{symbol}` is in other languages", ours.trim_end()));
            }
        }
        if rest.starts_with(';') {
            return d.help("a declaration ends with its line; put the next one on a line of its own");
        }
        if rest.starts_with(|c: char| c.is_alphabetic() && !c.is_ascii()) {
            return d.help("names are made of the letters A to Z, digits and `_`");
        }
        d
    }

    /// What a lone `=` was meant for, by what stands in front of it.
    fn equals_behind(&self, at: usize) -> Equals {
        let before = self.map.text.get(..at).unwrap_or_default().trim_end();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let in_front = before.trim_end_matches(is_word);
        let is_name = in_front.len() < before.len();
        if is_name && in_front.trim_end_matches(' ').ends_with(|c: char| c.is_control()) {
            return Equals::Assigns;
        }
        if !is_name || !in_front.trim_end().ends_with(['(', ',']) {
            return Equals::Compares;
        }
        // The word in front of the bracket that is open here.
        let mut depth = 0;
        let open = in_front.char_indices().rev().find(|(_, c)| {
            depth += match c {
                ')' | ']' | '}' => 1,
                '(' | '[' | '{' => -1,
                _ => 0,
            };
            depth < 0
        });
        let called = open.map_or("", |(at, _)| in_front.get(..at).unwrap_or_default().trim_end());
        let word = called.rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
        if ["select", "emit", "aggregate", "partition_by", "tap", "fork", "pattern"].contains(&word) { Equals::Names } else { Equals::Compares }
    }

    /// The symbols that could stand where parsing came furthest, and where that is. Pest keeps them on request only, since that takes time.
    fn symbols(&self, rule: Rule) -> Option<(usize, Vec<String>)> {
        let lock = DETAIL.lock().unwrap_or_else(PoisonError::into_inner);
        pest::set_error_detail(true);
        let again = Grammar::parse(rule, &self.map.text);
        pest::set_error_detail(false);
        drop(lock);
        let attempts = again.err()?.parse_attempts()?;
        let tokens = attempts.expected_tokens();
        // Words are rules of their own; ranges of characters and marks of the layout say nothing to a user.
        let symbol = |t: &String| !t.is_empty() && !t.contains(|c: char| c.is_alphanumeric() || c.is_whitespace() || c.is_control() || c == '_');
        let symbols: Vec<String> = tokens.iter().map(ToString::to_string).filter(symbol).map(|t| format!("`{t}`")).collect();
        let at = attempts.max_position;
        let blank = self.map.text.get(at..)?.chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>();
        (!symbols.is_empty()).then_some((at + blank, symbols))
    }
}

/// What pest expected, in words.
fn words(error: &Error<Rule>) -> Vec<String> {
    let mut expected: Vec<String> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.iter().filter_map(|r| in_words(*r)).map(str::to_owned).collect(),
        ErrorVariant::CustomError { .. } => vec![],
    };
    expected.sort_unstable();
    expected.dedup();
    expected
}

/// What a rule is called in messages; `None` for rules that say nothing to a user.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::expr | Rule::operand | Rule::primary | Rule::value_name | Rule::match_value => "an expression",
        Rule::name | Rule::event_name | Rule::arg_name => "a name",
        Rule::type_expr | Rule::named_type => "a type",
        Rule::int => "a number",
        Rule::string => "a text",
        Rule::infix | Rule::is_null => "an operator",
        Rule::args | Rule::arg => "an argument",
        Rule::op | Rule::op_call | Rule::any_op => "an operator such as `.where(…)`",
        Rule::source | Rule::sequence | Rule::element | Rule::step => "an event or a stream",
        Rule::open_block => "an indented block",
        Rule::end_line => "the end of the line",
        Rule::close_block => "the end of the block",
        Rule::then_word => "`then`",
        Rule::else_word => "`else`",
        Rule::field => "a field",
        Rule::statement => "a statement",
        _ => return None,
    })
}
