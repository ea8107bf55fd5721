//! Syntax: text to AST. Layout first (comments, blocks, nesting), then one pest parse per declaration, so that a mistake in one leaves the others.

pub mod ast;
mod depth;
mod expressions;
mod items;
mod layout;
mod literals;
mod patterns;
pub mod print;
mod streams;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

use crate::diagnostics::{Code, Diagnostic};
use ast::Span;

/// The generated parser. Its rules are the grammar file's.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "syntax/grammar.pest"]
    pub(super) struct Grammar;
}
use grammar::{Grammar, Rule};

/// A parsed program and what is wrong with it.
pub struct Parsed {
    /// What could be read.
    pub program: ast::Program,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads declarations out of one item; places are mapped to the program's text.
pub(crate) struct Reader<'m> {
    map: &'m layout::Chunk,
    text: &'m str,
    diagnostics: Vec<Diagnostic>,
}

/// Parses a program. Never fails: what cannot be read is left out and reported.
pub fn parse(text: &str) -> Parsed {
    let mut diagnostics = vec![];
    let mut program = ast::Program::default();
    let layout = layout::layout(text, &mut diagnostics);
    if let Some(too_deep) = depth::check(text, &layout.clean) {
        diagnostics.push(too_deep);
        return Parsed { program, diagnostics };
    }
    for chunk in &layout.chunks {
        let mut reader = Reader { map: chunk, text, diagnostics: vec![] };
        if let Some(item) = reader.read() {
            program.items.push(item);
        }
        diagnostics.extend(reader.diagnostics);
    }
    Parsed { program, diagnostics }
}

impl Reader<'_> {
    fn read(&mut self) -> Option<ast::Item> {
        match Grammar::parse(Rule::item, &self.map.text) {
            Ok(mut pairs) => pairs.next().and_then(|p| self.item(p)),
            Err(error) => {
                self.syntax_error(&error);
                None
            }
        }
    }

    /// The place of a pair in the program's text.
    fn span(&self, pair: &pest::iterators::Pair<'_, Rule>) -> Span {
        // A rule may end in white space that it skipped while looking for more.
        let trimmed = pair.as_str().trim_end_matches(|c: char| c.is_whitespace() || c.is_control());
        let start = pair.as_span().start();
        Span::new(self.map.original(start), self.map.original_end(start + trimmed.len()))
    }

    fn report(&mut self, d: Diagnostic) {
        self.diagnostics.push(d);
    }

    fn syntax_error(&mut self, error: &pest::error::Error<Rule>) {
        let at = match error.location {
            InputLocation::Pos(p) | InputLocation::Span((p, _)) => p,
        };
        let rest = self.map.text.get(at..).unwrap_or_default();
        let found: String = match rest.chars().next() {
            None => "the end of the declaration".to_owned(),
            Some(c) if c.is_control() => "the end of the line".to_owned(),
            Some(c) if c.is_alphanumeric() || c == '_' => format!("`{}`", rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()),
            Some(c) => format!("`{c}`"),
        };
        let length = if found.starts_with('`') { found.len() - 2 } else { 0 };
        let start = self.map.original(at);
        let span = Span::new(start, (start + length).min(self.text.len()));
        let mut expected: Vec<&'static str> = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.iter().filter_map(|r| in_words(*r)).collect(),
            ErrorVariant::CustomError { .. } => vec![],
        };
        expected.sort_unstable();
        expected.dedup();
        let wanted = match expected.as_slice() {
            [] => String::new(),
            [one] => format!("expected {one}, "),
            [some @ .., last] if some.len() < 5 => format!("expected {} or {last}, ", some.join(", ")),
            _ => String::new(),
        };
        let message = if wanted.is_empty() { format!("unexpected {found}") } else { format!("{wanted}found {found}") };
        let mut d = Diagnostic::new(Code::Syntax, span, message);
        if at == 0 {
            d = d.help("a declaration begins with one of event, type, enum, const, let, param, var, fn, connector, context, pattern, embedding, config, import, stream");
        }
        self.report(d);
    }
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
