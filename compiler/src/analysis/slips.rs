//! What is right by the language and likely not meant: a warning each.

use super::Analyzer;
use super::builtins::is_builtin;
use super::scope::{Scope, ScopeInput};
use super::typed::Expr;
use crate::diagnostics::foreign::{self, ours};
use crate::diagnostics::{Code, Diagnostic};
use crate::functions::Function;
use crate::functions::aggregates::Aggregate;
use crate::plan::print::duration;
use crate::syntax::ast::{self, BinaryOp, ExprKind, Span};

impl Analyzer<'_> {
    /// `"… {price} …"` without the `f` that fills it in.
    pub(super) fn look_at_text(&mut self, text: &str, span: Span, scope: &Scope) {
        let is_known = |name: &str| {
            let has = |input: &ScopeInput| input.schema.find(name).is_some();
            scope.inputs.iter().any(has) || scope.locals.iter().any(|local| local.name == name)
        };
        let names = text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(inside, _)| inside);
        if let Some(name) = names.into_iter().find(|name| is_known(name)) {
            let start = Span { end: span.start, ..span };
            let d = Diagnostic::new(Code::LikelySlip, span, format!("this text has `{{{name}}}` in it as it stands"));
            self.report(d.fix(start, "f", format!("an f-string has the value of `{name}` there")));
        }
    }

    /// `x is null` of what is never null.
    pub(super) fn look_at_null(&mut self, operand: &Expr, negated: bool, span: Span, scope: &Scope) {
        // In a function, a parameter may be null in another call.
        if scope.calls.is_empty() && !operand.ty.nullable && !operand.ty.is_lenient() && operand.as_literal().is_none() {
            let d = Diagnostic::new(Code::LikelySlip, span, format!("this is {negated} of every record: the value is of type {}, and never null", operand.ty));
            self.report(d.help(format!("what may be missing is declared so, as `{}?`", operand.ty)));
        }
    }

    /// `x ^ 2` of integers.
    pub(super) fn look_at_power(&mut self, op: BinaryOp, right: &ast::Expr, span: Span) {
        if op == BinaryOp::BitXor
            && let ExprKind::Int(power @ 2..=4) = right.kind
        {
            let d = Diagnostic::new(Code::LikelySlip, span, "`^` is the exclusive or of bits");
            self.report(d.help(format!("a power is `x ** {power}`")));
        }
    }

    /// `percentile(x, 0.95)`
    pub(super) fn look_at_percentile(&mut self, p: f64, span: Span) {
        if p > 0.0 && p < 1.0 {
            let d = Diagnostic::new(Code::LikelySlip, span, format!("a percentile lies in 0..100, and {p} is next to the smallest value"));
            self.report(d.fix(span, format!("{}", (p * 1e6).round() / 1e4), "in percent"));
        }
    }

    /// `regex_match("^a", name)`
    pub(super) fn look_at_regex(&mut self, args: &[ast::Arg], span: Span) {
        let is_text = |arg: &ast::Arg| matches!(&arg.value, ast::ArgValue::Expr(e, None) if matches!(e.kind, ExprKind::Str(_)));
        if let [first, second] = args
            && is_text(first)
            && !is_text(second)
        {
            let d = Diagnostic::new(Code::LikelySlip, span, "this text never changes, and the expression does");
            self.report(d.help("the regular expression comes second: `regex_match(name, \"^a\")`"));
        }
    }

    /// A window that slides by more than its size.
    pub(crate) fn look_at_slide(&mut self, size: i64, slide: i64, span: Span) {
        if slide > size {
            let message = format!("records of {} between two windows are in none", duration(slide - size));
            self.report(Diagnostic::new(Code::LikelySlip, span, message).help("the size comes first, and then how far it slides: `.window(5m, sliding: 1m)`"));
        }
    }

    /// A function of the program that has a name of the library.
    pub(super) fn look_at_function(&mut self, name: &ast::Name) {
        let known = Function::overloads(&name.text).next().is_some() || Aggregate::find(&name.text).is_some() || is_builtin(&name.text);
        if known && !name.text.starts_with('.') {
            let d = Diagnostic::new(Code::LikelySlip, name.span, format!("the library has a function `{}`, which this one hides", name.text));
            self.report(d.help("give it a name of its own"));
        }
    }

    /// Fields of undeclared events that are values in other languages.
    pub(super) fn look_at_inferred_fields(&mut self) {
        let places: Vec<(Span, (usize, usize))> = self.inferred_places.iter().map(|(span, place)| (*span, *place)).collect();
        for (span, (event, field)) in places {
            let column = self.plan.events.get(event).filter(|event| !event.declared).and_then(|event| event.schema.columns.get(field));
            let Some(name) = column.map(|column| column.name.clone()).filter(|name| name.starts_with(char::is_uppercase)) else { continue };
            if let Some(value) = ours(&name, foreign::VALUES) {
                let d = Diagnostic::new(Code::LikelySlip, span, format!("`{name}` is taken for a field of the event, which is not declared"));
                self.report(d.fix(span, value, format!("`{name}` is written `{value}` here")));
            }
        }
    }
}
