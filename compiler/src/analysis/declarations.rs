//! Declarations: who has which name, what types and schemas are, constants and globals.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Analyzer;
use super::limits::VALUES;
use super::scope::Scope;
use super::typed::{Expr, ExprKind};
use super::types::{EnumType, Kind, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::evaluate::{LONGEST_TEXT, MOST_ROUNDS, Refusal};
use crate::plan::logical::{Column, Event, Global, Schema};
use crate::syntax::ast::{self, ItemKind, Span, TypeExpr, TypeExprKind};

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
                    self.look_at_function(&f.name);
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
            self.plan.events.push(Event { name: event.name.text.clone(), declared: true, schema, out_of_order: 0, idle: None, span: event.name.span });
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
                let ty = self.resolve_type(written);
                let value = default.as_ref().and_then(|default| {
                    let value = self.expr(default, &mut Scope::default());
                    let value = self.coerce(value, &ty, &format!("`{}`", name.text));
                    self.computed(&value, default.span)
                });
                self.tell_param(&name.text, name.span, &ty, default.as_ref().map(|default| default.span));
                self.add_global(Global { name: name.text.clone(), ty, value, is_param: true });
            }
            _ => {}
        }
    }

    /// Lists a parameter: its type, and its default as written.
    fn tell_param(&mut self, name: &str, span: Span, ty: &Type, default: Option<Span>) {
        let has = if default.is_some() || ty.nullable { "may be set" } else { "must be set" };
        let d = Diagnostic::new(Code::Parameter, span, format!("the parameter `{name}`, {ty}, {has}")).help(format!("set it with `--param {name}=…`"));
        self.report(match default {
            Some(at) => d.also(at, "its default"),
            None => d,
        });
    }

    pub(super) fn add_global(&mut self, global: Global) {
        self.global_ids.insert(global.name.clone(), self.plan.globals.len());
        self.plan.globals.push(global);
    }

    /// Types and evaluates an expression that must be known at compile time.
    pub(crate) fn constant(&mut self, e: &ast::Expr) -> Option<Expr> {
        let expr = self.expr(e, &mut Scope::default());
        self.computed(&expr, e.span)
    }

    /// Evaluates what must be known at compile time.
    fn computed(&mut self, expr: &Expr, span: Span) -> Option<Expr> {
        if expr.ty.kind == Kind::Error {
            return None;
        }
        match crate::evaluate::constant(expr) {
            Ok(Some(value)) => Some(Expr::literal(value, expr.ty.clone(), span)),
            Ok(None) => {
                let loops = matches!(expr.kind, ExprKind::Run(_));
                self.report(
                    Diagnostic::new(Code::NotConstant, span, "this must be known at compile time")
                        .help("constants are made of literals, other constants, operators and functions")
                        .help(match loops {
                            true => format!("loops of more than {MOST_ROUNDS} rounds are for run time: what `let` says is computed at start"),
                            false => "what a `let` of the program says is computed at start".to_owned(),
                        }),
                );
                None
            }
            Err(Refusal::Fails(reason)) => {
                self.report(Diagnostic::new(Code::ConstantEvaluation, span, format!("this constant cannot be computed: {reason}")));
                None
            }
            Err(Refusal::TooLong) => {
                let message = format!("this constant is a text of more than {LONGEST_TEXT} bytes");
                self.report(
                    Diagnostic::new(Code::TooDeep, span, message).help("constants are written out where they are used; read long texts from the input"),
                );
                None
            }
        }
    }

    /// A constant duration in ns, above zero.
    pub(crate) fn constant_duration(&mut self, e: &ast::Expr, what: &str) -> Option<i64> {
        self.constant_span(e, what, 1)
    }

    /// A duration of at least so many ns.
    pub(crate) fn constant_span(&mut self, e: &ast::Expr, what: &str, least: i64) -> Option<i64> {
        let expr = self.constant(e)?;
        match expr.as_literal() {
            Some(super::typed::Literal::Duration(v)) if *v > LONGEST_SPAN => {
                let d = Diagnostic::new(Code::BadArgument, e.span, format!("{what} is at most 30 years, `10950d`"));
                self.report(d.note("the times of events lie from 1700 to 2199, and so may all that is computed of them be told"));
                None
            }
            Some(super::typed::Literal::Duration(v)) if *v >= least => Some(*v),
            Some(super::typed::Literal::Duration(_)) => {
                self.report(Diagnostic::new(
                    Code::BadArgument,
                    e.span,
                    format!("{what} must be {}", if least > 0 { "longer than zero" } else { "zero or longer" }),
                ));
                None
            }
            _ => {
                self.report(Diagnostic::new(Code::WrongArgumentType, e.span, format!("{what} must be a duration such as `5m`, found {}", expr.ty)));
                None
            }
        }
    }
}

/// The longest span of a window and the like, ns: added twice to an event's time, it still is one.
const LONGEST_SPAN: i64 = 10_950 * 86_400 * 1_000_000_000;

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
