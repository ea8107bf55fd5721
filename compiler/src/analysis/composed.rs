//! The text of what is composed: arrays, tuples, records and maps, as JSON has them. It is put together of functions that there are anyway, so
//! that neither backend knows of it.

use super::Analyzer;
use super::limits::Size;
use super::methods::gather;
use super::typed::{Expr, ExprKind, Literal};
use super::types::{Kind, Type};
use super::values::{call, part};
use crate::syntax::ast::Span;

fn text(of: &str, span: Span) -> Expr {
    Expr::literal(Literal::Str(of.to_owned()), Type::STR, span)
}

fn quoted(value: Expr, span: Span) -> Expr {
    call(".quoted", vec![value], Kind::Str, span)
}

impl Analyzer<'_> {
    /// `str(xs)`; null is null.
    pub(super) fn composed_text(&mut self, value: &Expr, span: Span) -> Expr {
        let made = self.composition(value, span);
        // Parts of null are null each.
        if !value.ty.nullable || made.ty.nullable || made.ty.kind == Kind::Error {
            return made;
        }
        if !self.copies("the value", Size::of(value).times(2), span) {
            return Expr::error(span);
        }
        let is_null = Expr { kind: ExprKind::IsNull(Box::new(value.clone())), ty: Type::BOOL, span };
        let ty = Type::optional(Kind::Str);
        let null = Expr::literal(Literal::Null, ty.clone(), span);
        Expr { kind: ExprKind::If(Box::new(is_null), Box::new(null), Box::new(made)), ty, span }
    }

    fn composition(&mut self, value: &Expr, span: Span) -> Expr {
        match &value.ty.kind {
            Kind::Array(element) if element.kind == Kind::Null => self.untyped_array(value.span),
            Kind::Array(element) => {
                let texts = self.each(value.clone(), element, span, |a, element| a.inner_text(element, span));
                self.bracketed("[", texts, "]", span)
            }
            Kind::Tuple(parts) => {
                let parts: Vec<(Option<&str>, &Type)> = parts.iter().map(|ty| (None, ty)).collect();
                let texts = self.parts(value, &parts, span);
                self.bracketed("[", texts, "]", span)
            }
            Kind::Record(record) => {
                let parts: Vec<(Option<&str>, &Type)> = record.fields.iter().map(|(name, ty)| (Some(name.as_str()), ty)).collect();
                let texts = self.parts(value, &parts, span);
                self.bracketed("{", texts, "}", span)
            }
            Kind::Map(key, of) => {
                if !self.copies("the map", Size::of(value).times(2), span) {
                    return Expr::error(span);
                }
                let keys = call(".keys", vec![value.clone()], Kind::Array(key.clone()), span);
                let values = call(".values", vec![value.clone()], Kind::Array(of.clone()), span);
                let pair = Type::new(Kind::Tuple(vec![(**key).clone(), (**of).clone()]));
                let pairs = call(".zip", vec![keys, values], Kind::Array(Box::new(pair.clone())), span);
                let texts = self.each(pairs, &pair, span, |a, entry| {
                    let name = a.text_of(part(entry.clone(), 0, key, span), span);
                    let name = a.concat(quoted(name, span), text(":", span), span);
                    let value = a.inner_text(part(entry, 1, of, span), span);
                    a.concat(name, value, span)
                });
                self.bracketed("{", texts, "}", span)
            }
            _ => self.text_of(value.clone(), span),
        }
    }

    /// The texts of an array's elements, as an array.
    fn each(&mut self, of: Expr, element: &Type, span: Span, make: impl FnOnce(&mut Self, Expr) -> Expr) -> Expr {
        let number = self.number();
        let made = make(self, Expr { kind: ExprKind::Element(number), ty: element.clone(), span });
        gather(number, of, None, made, span)
    }

    /// The texts of parts, with their names if they have any, as an array.
    fn parts(&mut self, of: &Expr, parts: &[(Option<&str>, &Type)], span: Span) -> Expr {
        if !self.copies("the parts", Size::of(of).times(parts.len()), span) {
            return Expr::error(span);
        }
        let mut texts = vec![];
        for (at, (name, ty)) in parts.iter().enumerate() {
            let value = self.inner_text(part(of.clone(), at, ty, span), span);
            texts.push(match name {
                Some(name) => self.concat(text(&format!("{}:", serde_json::Value::from(*name)), span), value, span),
                None => value,
            });
        }
        if texts.iter().any(|text| text.ty.kind == Kind::Error) {
            return Expr::error(span);
        }
        Expr { kind: ExprKind::Pack(texts), ty: Type::new(Kind::Array(Box::new(Type::STR))), span }
    }

    fn bracketed(&mut self, open: &str, texts: Expr, close: &str, span: Span) -> Expr {
        if texts.ty.kind == Kind::Error {
            return texts;
        }
        let inside = self.joined(texts, text(",", span), span);
        let begun = self.concat(text(open, span), inside, span);
        self.concat(begun, text(close, span), span)
    }

    /// A part: texts, variants and times are quoted, numbers and truth values are not.
    fn inner_text(&mut self, value: Expr, span: Span) -> Expr {
        let made = match value.ty.kind {
            Kind::Str | Kind::Any => quoted(value, span),
            Kind::Enum(_) | Kind::Timestamp | Kind::Duration => {
                let plain = self.run_time_function("str", span, vec![value], span);
                quoted(plain, span)
            }
            _ => self.run_time_function("str", span, vec![value], span),
        };
        if !made.ty.nullable {
            return made;
        }
        self.coalesce(made, text("null", span), span)
    }
}
