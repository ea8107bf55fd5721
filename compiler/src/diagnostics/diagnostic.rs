//! A diagnostic as a value: what is wrong, where, and how to mend it. Renderers live beside this file.

use crate::syntax::ast::Span;

use super::codes::Code;
use super::quoted::shortened;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The program is refused.
    Error,
    /// The program runs, but probably not as meant.
    Warning,
    /// Something to know, such as an inferred schema.
    Note,
}

/// A second place that explains the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A replacement that would mend the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// The text to replace (empty: insert here).
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// What this does, as in "a field with a similar name exists".
    pub title: String,
}

/// One message about the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Its severity.
    pub level: Level,
    /// What is wrong, in the user's terms, without a full stop.
    pub message: String,
    /// The place to underline.
    pub span: Span,
    /// What the underline says; may be empty.
    pub label: String,
    /// Other places.
    pub labels: Vec<Label>,
    /// Facts that help.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// A text change that would do it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A message at a place, with the level that belongs to its code. Program text stands in it between backquotes, and is cut short.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let message = shortened(message.into());
        Self { code, level: code.level(), message, span, label: String::new(), labels: vec![], notes: vec![], help: vec![], fix: None }
    }
    /// Says something under the underlined place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = shortened(text.into());
        self
    }
    /// Shows another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: shortened(text.into()) });
        self
    }
    /// Adds a fact.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(shortened(text.into()));
        self
    }
    /// Adds advice.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(shortened(text.into()));
        self
    }
    /// Offers a change of the text.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>, title: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into(), title: title.into() });
        self
    }
    /// Whether the program is refused for it.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}
