//! Types as written: names, and what is made of them.

use std::collections::HashSet;
use std::rc::Rc;

use super::Analyzer;
use super::types::{Kind, RecordType, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::syntax::ast::{self, ItemKind, Span, TypeExprKind};

/// How deep values may stand in values.
const LEVELS: usize = 128;
/// How many types one is made of at most: one that is made of another twice, and that of a third, doubles with every line.
const PARTS: usize = 20_000;

impl Analyzer<'_> {
    /// What a written type means.
    pub(crate) fn resolve_type(&mut self, t: &ast::TypeExpr) -> Type {
        match &t.kind {
            TypeExprKind::Optional(inner) => self.resolve_type(inner).with_null(true),
            TypeExprKind::Array(inner) => {
                let inner = self.resolve_type(inner);
                self.packed_type(Kind::Array(Box::new(inner)), t.span)
            }
            TypeExprKind::Map(key, value) => match &key.kind {
                // One field, and no type of its name: a record.
                TypeExprKind::Named(name, _) if !self.names_a_type(&name.text) => {
                    let fields = vec![(name.text.clone(), self.resolve_type(value))];
                    self.packed_type(Kind::Record(Rc::new(RecordType { fields })), t.span)
                }
                _ => {
                    let (key_type, value) = (self.resolve_type(key), self.resolve_type(value));
                    if key_type.nullable || key_type.is_packed() || key_type.kind == Kind::Any {
                        let message = format!("a key of a map cannot be {key_type}");
                        self.report(Diagnostic::new(Code::TypeMismatch, key.span, message).help("keys are texts, numbers, truth values, times or variants"));
                        return Type::ERROR;
                    }
                    self.packed_type(Kind::Map(Box::new(key_type), Box::new(value)), t.span)
                }
            },
            TypeExprKind::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.resolve_type(part)).collect();
                self.packed_type(Kind::Tuple(parts), t.span)
            }
            TypeExprKind::Record(fields) => {
                let mut seen = HashSet::new();
                for (name, _) in fields {
                    if !seen.insert(&name.text) {
                        self.report(Diagnostic::new(Code::DuplicateField, name.span, format!("field `{}` is declared twice", name.text)));
                    }
                }
                let fields = fields.iter().map(|(name, ty)| (name.text.clone(), self.resolve_type(ty))).collect();
                self.packed_type(Kind::Record(Rc::new(RecordType { fields })), t.span)
            }
            TypeExprKind::Named(name, args) => match name.text.as_str() {
                "int" => Type::INT,
                "float" => Type::FLOAT,
                "bool" => Type::BOOL,
                "str" => Type::STR,
                "timestamp" => Type::TIMESTAMP,
                "duration" => Type::new(Kind::Duration),
                "any" => Type::optional(Kind::Any),
                "decimal" => self.decimal_type(args, t.span),
                other => self.named_type(other, t.span),
            },
        }
    }

    /// A type made of others, unless one of these is wrong or they stand too deep.
    fn packed_type(&mut self, kind: Kind, span: Span) -> Type {
        let ty = Type::new(kind);
        if ty.parts().iter().any(|part| part.kind == Kind::Error) {
            return Type::ERROR;
        }
        if ty.levels() > LEVELS {
            let message = format!("this type is more than {LEVELS} levels deep");
            self.report(Diagnostic::new(Code::TooDeep, span, message).help("declare it as `any`, which passes any JSON value through"));
            return Type::ERROR;
        }
        if ty.size() > PARTS {
            let d = Diagnostic::new(Code::TooDeep, span, format!("this type is made of more than {PARTS} others"));
            self.report(d.help("declare a part of it as `any`, which passes any JSON value through"));
            return Type::ERROR;
        }
        ty
    }

    fn names_a_type(&self, name: &str) -> bool {
        let declares = |item: &ast::Item| match &item.kind {
            ItemKind::Event(e) => e.name.text == name,
            ItemKind::TypeAlias { name: n, .. } | ItemKind::Enum { name: n, .. } => n.text == name,
            _ => false,
        };
        matches!(name, "int" | "float" | "bool" | "str" | "timestamp" | "duration" | "any" | "decimal") || self.ast.items.iter().any(declares)
    }

    pub(super) fn named_type(&mut self, name: &str, span: Span) -> Type {
        let own = self.own(name, span);
        // Events have one name everywhere.
        self.used.extend([name.to_owned(), own.clone().into_owned()]);
        if let Some(e) = self.enums.get(&*own) {
            return Type::new(Kind::Enum(e.clone()));
        }
        if let Some(t) = self.aliases.get(&*own) {
            return t.clone();
        }
        if let Some(ty) = self.declared_type(&own, span).or_else(|| self.declared_type(name, span)) {
            return ty;
        }
        let mut d = Diagnostic::new(Code::UnknownType, span, format!("no type is called `{name}`"));
        let known = ["int", "float", "bool", "str", "timestamp", "duration", "any"];
        let hint = match name {
            "string" | "String" | "text" => Some("str"),
            "integer" | "i64" | "long" => Some("int"),
            "double" | "f64" | "number" => Some("float"),
            "boolean" => Some("bool"),
            "datetime" | "time" => Some("timestamp"),
            _ => None,
        };
        if let Some(similar) =
            hint.or_else(|| did_you_mean(name, known.into_iter().chain(self.enums.keys().map(String::as_str)).chain(self.aliases.keys().map(String::as_str))))
        {
            d = d.fix(span, similar, "a similar type exists");
        }
        self.report(d);
        Type::ERROR
    }
}

impl Analyzer<'_> {
    /// An event as a type, or an alias that stands behind its use.
    fn declared_type(&mut self, name: &str, span: Span) -> Option<Type> {
        if let Some(known) = self.resolved_types.get(name) {
            return Some(known.clone());
        }
        let ast = self.ast;
        let (event, alias) = ast.items.iter().find_map(|item| match &item.kind {
            ItemKind::Event(e) if e.name.text == name => Some((Some(e), None)),
            ItemKind::TypeAlias { name: n, ty } if n.text == name => Some((None, Some(ty))),
            _ => None,
        })?;
        if self.resolving.iter().any(|n| n == name) {
            self.report(Diagnostic::new(Code::CyclicStreams, span, format!("the type `{name}` is made of itself")));
            return Some(Type::ERROR);
        }
        self.resolving.push(name.to_owned());
        let ty = match (event, alias) {
            (_, Some(ty)) => self.resolve_type(ty),
            (Some(event), None) => self.event_type(event),
            (None, None) => Type::ERROR,
        };
        self.resolving.pop();
        self.resolved_types.insert(name.to_owned(), ty.clone());
        Some(ty)
    }

    /// The fields of an event, and before them those that it inherits.
    fn event_type(&mut self, event: &ast::EventDecl) -> Type {
        let base = event.extends.as_ref().map(|base| self.named_type(&base.text, base.span));
        let mut fields = match base.map(|base| base.kind) {
            Some(Kind::Record(record)) => record.fields.clone(),
            Some(Kind::Error) => return Type::ERROR,
            _ => vec![],
        };
        for field in &event.fields {
            fields.push((field.name.text.clone(), self.resolve_type(&field.ty)));
        }
        self.packed_type(Kind::Record(Rc::new(RecordType { fields })), event.name.span)
    }
}
