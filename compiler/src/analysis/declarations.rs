//! Declarations: who has which name, what types and schemas are, constants and globals.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Analyzer;
use super::limits::VALUES;
use super::scope::Scope;
use super::typed::Expr;
use super::types::{EnumType, Kind, RecordType, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::evaluate::{LONGEST_TEXT, MOST_ROUNDS, Refusal};
use crate::plan::logical::{Column, Event, Global, Schema};
use crate::syntax::ast::{self, ItemKind, Span, TypeExpr, TypeExprKind};

/// How deep values may stand in values.
const LEVELS: usize = 128;

impl<'a> Analyzer<'a> {
    pub(crate) fn collect_declarations(&mut self) {
        self.claim_names();
        let ast = self.ast;
        for item in &ast.items {
            match &item.kind {
                ItemKind::Enum { name, variants } => {
                    let e = EnumType { name: name.text.clone(), variants: variants.iter().map(|v| v.text.clone()).collect() };
                    let mut seen = HashSet::new();
                    for v in variants {
                        if !seen.insert(&v.text) {
                            self.report(Diagnostic::new(Code::DuplicateName, v.span, format!("variant `{}` is listed twice", v.text)));
                        }
                    }
                    self.enums.insert(name.text.clone(), Rc::new(e));
                }
                ItemKind::Function(f) => {
                    for (i, p) in f.params.iter().enumerate() {
                        if let Some(first) = f.params.iter().take(i).find(|o| o.name.text == p.name.text) {
                            let d = Diagnostic::new(Code::DuplicateName, p.name.span, format!("two parameters are called `{}`", p.name.text));
                            self.report(d.also(first.name.span, "the first one"));
                        }
                    }
                    self.functions.insert(f.name.text.clone(), f);
                }
                ItemKind::Pattern(p) => {
                    self.patterns.insert(p.name.text.clone(), p);
                }
                _ => {}
            }
        }
        let aliases: Vec<_> = ast.items.iter().filter_map(|i| if let ItemKind::TypeAlias { name, ty } = &i.kind { Some((name, ty)) } else { None }).collect();
        self.declare_aliases(&aliases);
        self.declare_events();
        self.declare_values();
    }

    fn declare_aliases(&mut self, aliases: &[(&'a ast::Name, &'a ast::TypeExpr)]) {
        let by_name: HashMap<&str, &'a ast::TypeExpr> = aliases.iter().map(|(name, ty)| (name.text.as_str(), *ty)).collect();
        for (name, ty) in aliases {
            let last = by_name.get(name.text.as_str()).is_some_and(|last| std::ptr::eq(*last, *ty));
            if last {
                self.declare_alias(&name.text, &by_name, aliases);
            } else {
                self.resolve_type(ty);
            }
        }
    }

    /// Aliases may name aliases that stand behind them: those are declared first.
    fn declare_alias(&mut self, name: &'a str, by_name: &HashMap<&'a str, &'a TypeExpr>, aliases: &[(&'a ast::Name, &'a TypeExpr)]) {
        let mut path: Vec<&str> = vec![];
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut next = Some(name);
        while let Some(at) = next.filter(|n| by_name.contains_key(n) && !self.aliases.contains_key(*n)) {
            if let Some(first) = places.insert(at, path.len()) {
                let circle = path.split_off(first);
                for (name, _) in aliases.iter().filter(|(n, _)| places.get(n.text.as_str()).is_some_and(|place| *place >= first)) {
                    self.report(Diagnostic::new(Code::CyclicStreams, name.span, format!("the type `{}` is made of itself", name.text)));
                }
                for name in circle {
                    self.aliases.insert(name.to_owned(), Type::ERROR);
                    self.used.insert(name.to_owned());
                }
                break;
            }
            path.push(at);
            next = alias_of(by_name, at);
        }
        for name in path.into_iter().rev() {
            if let Some(ty) = by_name.get(name) {
                let ty = self.resolve_type(ty);
                self.aliases.insert(name.to_owned(), ty);
            }
        }
    }

    fn claim_names(&mut self) {
        let mut owners: HashMap<&str, Span> = HashMap::new();
        for (at, item) in self.ast.items.iter().enumerate() {
            let Some(name) = declared_name(&item.kind) else {
                self.declare_later_kind(&item.kind, item.span);
                continue;
            };
            if let Some(first) = owners.insert(&name.text, name.span) {
                self.diagnostics
                    .push(Diagnostic::new(Code::DuplicateName, name.span, format!("`{}` is declared twice", name.text)).also(first, "first declared here"));
            }
            if let ItemKind::Stream(s) = &item.kind {
                self.stream_decls.insert(s.name.text.clone(), at);
            }
            self.declare_later_kind(&item.kind, item.span);
        }
    }

    fn declare_later_kind(&mut self, kind: &ItemKind, span: Span) {
        let what = match kind {
            ItemKind::Connector { .. } => "connectors",
            ItemKind::Context { .. } => "contexts",
            ItemKind::Embedding { .. } => "embeddings",
            ItemKind::Config { entries } => return self.settings(entries),
            _ => return,
        };
        // What has no name is told at its first word, not over all its lines.
        let at = declared_name(kind).map_or(Span { end: span.end.min(span.start + "import".len() as u32), ..span }, |name| name.span);
        self.report(Diagnostic::new(Code::NotCompiledYet, at, format!("{what}: understood, not compiled yet")));
    }

    fn declare_events(&mut self) {
        let ast = self.ast;
        let decls: HashMap<&str, &ast::EventDecl> =
            ast.items.iter().filter_map(|i| if let ItemKind::Event(e) = &i.kind { Some((e.name.text.as_str(), e)) } else { None }).collect();
        let mut done: HashMap<&str, Vec<Column>> = HashMap::new();
        for item in &ast.items {
            let ItemKind::Event(event) = &item.kind else { continue };
            if self.event_ids.contains_key(&event.name.text) {
                continue;
            }
            // What is extended may stand behind this, and is declared first.
            let missing = if done.contains_key(event.name.text.as_str()) { vec![] } else { self.bases(event, &decls, &done) };
            for e in missing.into_iter().rev() {
                let base = e.extends.as_ref().and_then(|base| done.get(base.text.as_str())).cloned().unwrap_or_default();
                let columns = self.event_columns(e, base);
                done.insert(&e.name.text, columns);
            }
            let id = self.plan.events.len();
            let schema = Schema { columns: done.get(event.name.text.as_str()).cloned().unwrap_or_default(), open: None };
            self.plan.events.push(Event { name: event.name.text.clone(), declared: true, schema, out_of_order: 0, span: event.name.span });
            self.event_ids.insert(event.name.text.clone(), id);
        }
    }

    /// An event and what it extends, as far as that is not done yet.
    fn bases(&mut self, event: &'a ast::EventDecl, decls: &HashMap<&str, &'a ast::EventDecl>, done: &HashMap<&str, Vec<Column>>) -> Vec<&'a ast::EventDecl> {
        let mut chain = vec![event];
        let mut seen = HashSet::from([event.name.text.as_str()]);
        while let Some(base) = chain.last().and_then(|e| e.extends.as_ref()) {
            self.used.insert(base.text.clone());
            match decls.get(base.text.as_str()) {
                _ if done.contains_key(base.text.as_str()) => break,
                Some(e) if seen.insert(&e.name.text) => chain.push(e),
                Some(e) => {
                    // Each of the circle extends itself by way of the others.
                    for base in chain.iter().skip_while(|c| c.name.text != e.name.text).filter_map(|c| c.extends.as_ref()) {
                        self.report(Diagnostic::new(Code::CyclicStreams, base.span, format!("`{}` extends itself", base.text)));
                    }
                    break;
                }
                None => {
                    let mut d = Diagnostic::new(Code::UnknownType, base.span, format!("no event is called `{}`", base.text));
                    if let Some(similar) = did_you_mean(&base.text, decls.keys().copied()) {
                        d = d.fix(base.span, similar, "a similar name exists");
                    }
                    self.report(d);
                    break;
                }
            }
        }
        chain
    }

    /// The columns of an event, behind those that it inherits.
    fn event_columns(&mut self, event: &ast::EventDecl, mut columns: Vec<Column>) -> Vec<Column> {
        let mut seen: HashSet<String> = columns.iter().map(|c| c.name.clone()).collect();
        for field in &event.fields {
            let ty = self.resolve_type(&field.ty);
            if field.name.text == "ts" {
                // Every record has `ts`, listed or not.
                continue;
            }
            if !seen.insert(field.name.text.clone()) {
                self.report(Diagnostic::new(Code::DuplicateField, field.name.span, format!("field `{}` is declared twice", field.name.text)));
                continue;
            }
            columns.push(Column { name: field.name.text.clone(), ty, hidden: false });
        }
        columns
    }

    /// Values may name values that are declared behind them: each is declared when it is first named.
    fn declare_values(&mut self) {
        let ast = self.ast;
        for item in &ast.items {
            let Some(name) = value_name(&item.kind) else { continue };
            self.pending.insert(name.text.clone(), &item.kind);
        }
        for item in &ast.items {
            let Some(name) = value_name(&item.kind) else { continue };
            self.declare_pending(&name.text, name.span);
        }
    }

    /// Declares a value that is named before its turn.
    pub(crate) fn declare_pending(&mut self, name: &str, used_at: Span) {
        if self.in_progress.len() > VALUES && self.pending.contains_key(name) {
            self.pending.remove(name);
            self.tell_size(Diagnostic::new(Code::TooDeep, used_at, format!("values need one another more than {VALUES} deep")));
            self.constants.insert(name.to_owned(), Expr::error(used_at));
        } else if let Some(item) = self.pending.remove(name) {
            self.in_progress.push(name.to_owned());
            self.apart(|a| a.declare_value(item));
            self.in_progress.pop();
        } else if self.in_progress.iter().any(|n| n == name) && !self.stream_decls.contains_key(name) {
            let path = self.in_progress.iter().skip_while(|n| *n != name).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" needs ");
            self.report(Diagnostic::new(Code::CyclicStreams, used_at, format!("values need each other in a circle: {path} needs `{name}`")));
            self.constants.insert(name.to_owned(), Expr::error(used_at));
        }
    }

    fn declare_value(&mut self, item: &'a ItemKind) {
        match item {
            ItemKind::Const { name, ty, value } => {
                let mut expr = self.constant(value).unwrap_or_else(|| Expr::error(value.span));
                if let Some(ty) = ty {
                    let ty = self.resolve_type(ty);
                    expr = self.coerce(expr, &ty, &format!("`{}`", name.text));
                }
                self.constants.insert(name.text.clone(), expr);
            }
            ItemKind::Let { name, ty, value } => {
                let mut expr = self.expr(value, &mut Scope::default());
                if let Some(ty) = ty {
                    let ty = self.resolve_type(ty);
                    expr = self.coerce(expr, &ty, &format!("`{}`", name.text));
                }
                if expr.touches_state() {
                    let d = Diagnostic::new(
                        Code::StateOutOfOrder,
                        value.span,
                        format!("what `let` says is computed once, at start, and cannot depend on {}", self.what_is_seen(&expr)),
                    );
                    expr = self.wrong(d.help("read it where records pass: `.where`, `.select`, `.emit`, `.process`"));
                }
                self.add_global(Global { name: name.text.clone(), ty: expr.ty.clone(), value: Some(expr), is_param: false });
            }
            ItemKind::Var { name, ty, value } => self.declare_state(name, ty.as_ref(), value),
            ItemKind::Param { name, ty: written, default } => {
                let mut ty = self.resolve_type(written);
                if ty.is_packed() {
                    ty = self.later_type(written.span, "parameters that are arrays, maps, tuples or records");
                }
                let value = default.as_ref().and_then(|d| self.constant(d)).map(|d| self.coerce(d, &ty, &format!("`{}`", name.text)));
                self.add_global(Global { name: name.text.clone(), ty, value, is_param: true });
            }
            _ => {}
        }
    }

    pub(super) fn add_global(&mut self, global: Global) {
        self.global_ids.insert(global.name.clone(), self.plan.globals.len());
        self.plan.globals.push(global);
    }

    /// Types and evaluates an expression that must be known at compile time.
    pub(crate) fn constant(&mut self, e: &ast::Expr) -> Option<Expr> {
        let expr = self.expr(e, &mut Scope::default());
        if expr.ty.kind == Kind::Error {
            return None;
        }
        match crate::evaluate::constant(&expr) {
            Ok(Some(value)) => Some(Expr::literal(value, expr.ty, e.span)),
            Ok(None) => {
                self.report(
                    Diagnostic::new(Code::NotConstant, e.span, "this must be known at compile time")
                        .help("constants are made of literals, other constants, operators and functions")
                        .help(format!("loops of more than {MOST_ROUNDS} rounds are for run time: what `let` says is computed at start")),
                );
                None
            }
            Err(Refusal::Fails(reason)) => {
                self.report(Diagnostic::new(Code::ConstantEvaluation, e.span, format!("this constant cannot be computed: {reason}")));
                None
            }
            Err(Refusal::TooLong) => {
                let message = format!("this constant is a text of more than {LONGEST_TEXT} bytes");
                self.report(
                    Diagnostic::new(Code::TooDeep, e.span, message).help("constants are written out where they are used; read long texts from the input"),
                );
                None
            }
        }
    }

    /// A constant duration in ns, above zero.
    pub(crate) fn constant_duration(&mut self, e: &ast::Expr, what: &str) -> Option<i64> {
        let expr = self.constant(e)?;
        match expr.as_literal() {
            Some(super::typed::Literal::Duration(v)) if *v > 0 => Some(*v),
            Some(super::typed::Literal::Duration(_)) => {
                self.report(Diagnostic::new(Code::BadArgument, e.span, format!("{what} must be longer than zero")));
                None
            }
            _ => {
                self.report(Diagnostic::new(Code::WrongArgumentType, e.span, format!("{what} must be a duration such as `5m`, found {}", expr.ty)));
                None
            }
        }
    }

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
            TypeExprKind::Named(name, _) => match name.text.as_str() {
                "int" => Type::INT,
                "float" => Type::FLOAT,
                "bool" => Type::BOOL,
                "str" => Type::STR,
                "timestamp" => Type::TIMESTAMP,
                "duration" => Type::new(Kind::Duration),
                "any" => Type::optional(Kind::Any),
                "decimal" => self.later_type(t.span, "`decimal`"),
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

    fn later_type(&mut self, span: Span, what: &str) -> Type {
        self.report(Diagnostic::new(Code::TypeNotCompiledYet, span, format!("{what}: understood, not compiled yet")));
        Type::ERROR
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

/// The name that an alias stands for, whatever is optional or an array on the way.
fn alias_of<'e>(aliases: &HashMap<&str, &'e ast::TypeExpr>, name: &str) -> Option<&'e str> {
    let mut ty = *aliases.get(name)?;
    loop {
        match &ty.kind {
            TypeExprKind::Named(other, _) => return Some(&other.text),
            TypeExprKind::Optional(inner) | TypeExprKind::Array(inner) => ty = inner,
            TypeExprKind::Map(..) | TypeExprKind::Tuple(_) | TypeExprKind::Record(_) => return None,
        }
    }
}

fn declared_name(kind: &ItemKind) -> Option<&ast::Name> {
    match kind {
        ItemKind::Event(e) => Some(&e.name),
        ItemKind::Function(f) => Some(&f.name),
        ItemKind::Pattern(p) => Some(&p.name),
        ItemKind::Stream(s) => Some(&s.name),
        ItemKind::TypeAlias { name, .. }
        | ItemKind::Enum { name, .. }
        | ItemKind::Const { name, .. }
        | ItemKind::Let { name, .. }
        | ItemKind::Param { name, .. }
        | ItemKind::Var { name, .. }
        | ItemKind::Connector { name, .. }
        | ItemKind::Context { name, .. }
        | ItemKind::Embedding { name, .. } => Some(name),
        ItemKind::Config { .. } | ItemKind::Import { .. } => None,
    }
}

/// The name of what is computed at compile time or at start.
fn value_name(item: &ItemKind) -> Option<&ast::Name> {
    match item {
        ItemKind::Const { name, .. } | ItemKind::Let { name, .. } | ItemKind::Param { name, .. } | ItemKind::Var { name, .. } => Some(name),
        _ => None,
    }
}
