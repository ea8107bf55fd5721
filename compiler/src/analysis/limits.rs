//! How large an expression may become: what stands for something else is written out where it is used, so that a few lines could make any number
//! of copies.

use super::Analyzer;
use super::typed::{Expr, ExprKind, Literal};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::Span;

/// How many parts may be copied into one expression.
const PARTS: usize = 50_000;
/// How many parts may be copied in a whole program.
const ALL_PARTS: usize = 4_000_000;
/// How deep an expression may be, functions written out. Every later stage descends it.
const DEPTH: usize = 1_000;
/// How many operators a record may pass from its source, and how many streams may be read one out of the other.
pub(super) const STEPS: usize = 500;
/// How many values may be declared each in the midst of the one before, since it is named there.
pub(super) const VALUES: usize = 128;
/// How many bytes of a text count as one part.
const TEXT: usize = 16;

/// What the expression at hand, and the program, have been expanded to.
#[derive(Default)]
pub(crate) struct Expansion {
    depth: usize,
    parts: usize,
    all: usize,
    /// Whether a limit is passed: nothing more of this expression is looked at.
    is_over: bool,
    /// Whether that has been told, of this expression or of one before.
    is_told: bool,
}

/// An expression's parts and levels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    parts: usize,
    depth: usize,
}

impl Size {
    /// Counts the parts of an expression. O(parts).
    pub fn of(e: &Expr) -> Self {
        let text = if let ExprKind::Literal(Literal::Str(text)) = &e.kind { text.len() / TEXT } else { 0 };
        let (mut parts, mut depth) = (1 + text, 0);
        e.children(&mut |c| {
            let inner = Self::of(c);
            parts += inner.parts;
            depth = depth.max(inner.depth);
        });
        Self { parts, depth: depth + 1 }
    }

    /// Of that many copies, each a level below the one before.
    pub(super) fn times(self, copies: usize) -> Self {
        Self { parts: self.parts.saturating_mul(copies), depth: self.depth.saturating_add(copies) }
    }
}

impl Analyzer<'_> {
    /// Goes one level down in an expression, for as long as `read` runs; `None` if it is too large by now.
    pub(super) fn level<R>(&mut self, span: Span, read: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if !self.descend(span) {
            return None;
        }
        let result = read(self);
        self.ascend();
        Some(result)
    }

    /// Begins a level; `false` if the expression is too large by now. [`Self::ascend`] ends it.
    pub(super) fn descend(&mut self, span: Span) -> bool {
        if self.expansion.depth == 0 {
            self.expansion.parts = 0;
            self.expansion.is_over = false;
        }
        if self.expansion.depth >= DEPTH {
            let what = format!("this expression is more than {DEPTH} levels deep, with functions and names written out");
            self.too_large(Diagnostic::new(Code::TooDeep, span, what));
        }
        self.expansion.depth += usize::from(!self.expansion.is_over);
        !self.expansion.is_over
    }

    pub(super) fn ascend(&mut self) {
        self.expansion.depth -= 1;
    }

    /// Whether a part of a function's body may be written out once more.
    pub(super) fn expands(&mut self, span: Span) -> bool {
        self.copies("the function", Size { parts: 1, depth: 0 }, span)
    }

    /// Whether what a name stands for, or some other value, may be written out once more; the first that may not is reported.
    pub(super) fn copies(&mut self, what: &str, size: Size, span: Span) -> bool {
        if self.expansion.is_over {
            return false;
        }
        self.expansion.parts += size.parts;
        self.expansion.all += size.parts;
        let message = if self.expansion.depth + size.depth > DEPTH {
            format!("with {what} written out, this expression is more than {DEPTH} levels deep")
        } else if self.expansion.parts > PARTS {
            format!("with {what} written out, this expression has more than {PARTS} parts")
        } else if self.expansion.all > ALL_PARTS {
            format!("with {what} written out, the program's expressions have more than {ALL_PARTS} parts")
        } else {
            return true;
        };
        self.too_large(Diagnostic::new(Code::TooDeep, span, message));
        false
    }

    /// Reads a value that is named before its turn: an expression of its own, in the midst of another.
    pub(super) fn apart<R>(&mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        let (depth, parts) = (std::mem::take(&mut self.expansion.depth), self.expansion.parts);
        let result = read(self);
        (self.expansion.depth, self.expansion.parts, self.expansion.is_over) = (depth, parts, false);
        result
    }

    /// Reports that something is too large. What is so is so wherever it is used: once is enough.
    pub(super) fn tell_size(&mut self, diagnostic: Diagnostic) {
        if !std::mem::replace(&mut self.expansion.is_told, true) {
            self.report(diagnostic);
        }
    }

    fn too_large(&mut self, diagnostic: Diagnostic) {
        self.expansion.is_over = true;
        self.tell_size(diagnostic.help("names and functions are written out where they are used; compute the value in a stream of its own, with `.select`"));
    }
}
