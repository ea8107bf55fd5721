//! Syntax: text to AST. Layout first (comments, blocks, nesting), then one pest parse per declaration, so that a mistake in one leaves the others.

pub mod ast;
mod depth;
mod errors;
mod expressions;
mod files;
mod foreign;
mod items;
mod layout;
mod literals;
mod parallel;
mod patterns;
pub mod print;
mod span;
mod streams;
mod walk;

use pest::Parser;

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
    /// Operators of the expressions around the one that is read.
    operators: usize,
    /// Whether the step at hand is a stream's source, and no pattern's: conditions stay among the operators, in their order.
    in_source: bool,
}

/// A file's text without the byte order mark that some editors put in front of it: it is no part of the program.
pub fn without_mark(text: String) -> String {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// Parses a program. Never fails: what cannot be read is left out and reported.
pub fn parse(text: &str) -> Parsed {
    let mut diagnostics = vec![];
    let mut program = ast::Program::default();
    let layout = layout::layout(text, &mut diagnostics);
    let lexical: Vec<usize> = diagnostics.iter().map(|d| d.span.start as usize).collect();
    let read = |i: usize, chunk: &layout::Chunk| {
        if let Some(too_deep) = depth::check(chunk, text) {
            return (None, vec![too_deep]);
        }
        let mut reader = Reader { map: chunk, text, diagnostics: vec![], operators: 0, in_source: false };
        let item = reader.read();
        // What a wrong text, comment or indentation made unreadable has been told.
        let end = layout.chunks.get(i + 1).map_or(text.len(), |next| next.original(0));
        if lexical.iter().any(|at| (chunk.original(0)..=end).contains(at)) {
            reader.diagnostics.retain(|d| d.code != Code::Syntax);
        }
        (item, reader.diagnostics)
    };
    for (item, told) in parallel::map(&layout.chunks, read) {
        program.items.extend(item);
        diagnostics.extend(told);
    }
    Parsed { program, diagnostics }
}

impl Reader<'_> {
    fn read(&mut self) -> Option<ast::Item> {
        match Grammar::parse(Rule::item, &self.map.text) {
            Ok(mut pairs) => pairs.next().and_then(|p| self.item(p)),
            Err(error) => {
                let d = self.syntax_error(&error, Rule::item);
                self.report(d);
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
}
