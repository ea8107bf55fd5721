//! What the operators of the catalogue share when they read their arguments.

use std::collections::HashMap;

use super::Analyzer;
use super::scope::Scope;
use super::streams::{Key, StreamBuilder};
use super::typed::{self, Expr, Literal, Place};
use super::types::{Kind, Type};
use crate::diagnostics::foreign::{self, ours};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeId, NodeKind, Schema};
use crate::syntax::ast::{self, ArgValue, ExprKind};

/// How many parts a line of text may be joined of: each is a level of its expression.
const LINE_PARTS: usize = 250;

impl<'a> Analyzer<'a> {
    /// The expression of an argument.
    pub(crate) fn arg_expr<'e>(&mut self, arg: &'e ast::Arg) -> Option<&'e ast::Expr> {
        match &arg.value {
            ArgValue::Expr(e, None) => Some(e),
            _ => {
                self.report(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression"));
                None
            }
        }
    }

    /// The named argument, if it stands there.
    pub(crate) fn named<'e>(&mut self, op: &'e ast::Op, name: &str) -> Option<&'e ast::Expr> {
        let arg = op.args.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == name))?;
        self.arg_expr(arg)
    }

    /// Arguments without a name.
    pub(crate) fn positional<'e>(&mut self, op: &'e ast::Op) -> Vec<&'e ast::Expr> {
        op.args.iter().filter(|a| a.name.is_none()).filter_map(|a| self.arg_expr(a)).collect()
    }

    /// Refuses named arguments that the operator does not take, and a wrong number of others.
    pub(crate) fn check_args(&mut self, op: &ast::Op, names: &[&str], least: usize, most: usize) -> bool {
        let mut fine = true;
        let mut seen: Vec<&ast::Name> = vec![];
        for name in op.args.iter().filter_map(|a| a.name.as_ref()) {
            if let Some(first) = seen.iter().find(|first| first.text == name.text) {
                let d = Diagnostic::new(Code::BadArgument, name.span, format!("the argument `{}` stands twice", name.text));
                self.report(d.also(first.span, "the first one"));
                return false;
            }
            seen.push(name);
            if !names.contains(&name.text.as_str()) {
                let mut d = Diagnostic::new(Code::UnknownArgument, name.span, format!("`.{}` takes no argument by the name of `{}`", op.name.text, name.text));
                if let Some(ours) = ours(&name.text, foreign::ARGUMENTS)
                    .filter(|ours| names.contains(ours) && op.args.iter().all(|a| a.name.as_ref().is_none_or(|n| n.text != *ours)))
                {
                    d = d.fix(name.span, ours, format!("`{}` is called `{ours}` here", name.text));
                } else if let Some(similar) = crate::diagnostics::did_you_mean(&name.text, names.iter().copied()) {
                    d = d.fix(name.span, similar, "a similar argument exists");
                } else {
                    d = d.note(takes(op));
                }
                self.report(d);
                fine = false;
            }
        }
        if !fine {
            // What has the wrong name is likely what would be missing.
            return false;
        }
        let unnamed: Vec<&ast::Arg> = op.args.iter().filter(|a| a.name.is_none()).collect();
        let count = unnamed.len();
        if count < least {
            self.report(Diagnostic::new(
                Code::MissingArgument,
                op.name.span,
                format!("`.{}` needs {}", op.name.text, if least == 1 { "an argument".to_owned() } else { format!("{least} arguments") }),
            ));
            fine = false;
        } else if count > most {
            let message = if most == 0 {
                format!("`.{}` takes named arguments only", op.name.text)
            } else {
                format!("`.{}` takes at most {most} argument(s), {count} given", op.name.text)
            };
            let surplus = unnamed.get(most).zip(unnamed.last()).map_or(op.name.span, |(first, last)| first.span.to(last.span));
            self.report(Diagnostic::new(Code::WrongArgumentCount, surplus, message).note(takes(op)));
            fine = false;
        }
        fine
    }

    /// A condition, or a lambda whose parameter is the record.
    pub(crate) fn record_condition(&mut self, b: &StreamBuilder, e: &ast::Expr) -> Expr {
        self.in_scope(b, |a, scope| a.with_lambda(e, scope, |a, e, scope| a.condition(e, scope)))
    }

    /// Opens a lambda `x => …` over the record; anything else is read as it is.
    pub(crate) fn with_lambda<R>(&mut self, e: &ast::Expr, scope: &mut Scope, read: impl FnOnce(&mut Self, &ast::Expr, &mut Scope) -> R) -> R {
        if let ExprKind::Lambda { params, body } = &e.kind
            && let [param] = params.as_slice()
        {
            if let Some(input) = scope.current.and_then(|c| scope.inputs.get_mut(c)) {
                input.names.push(param.text.clone());
            }
            return read(self, body, scope);
        }
        read(self, e, scope)
    }

    /// The fields of a projection: `a`, `x.b`, `c: expr`.
    pub(crate) fn fields(&mut self, b: &StreamBuilder, args: &[ast::Arg], reserved: &[&str]) -> Vec<(String, Expr)> {
        let mut fields: Vec<(String, Expr)> = vec![];
        let mut seen = HashMap::new();
        // One scope for all: a wide record is not copied for each of its fields.
        let mut scope = self.scope(b);
        for arg in args {
            if arg.name.as_ref().is_some_and(|n| reserved.contains(&n.text.as_str())) {
                continue;
            }
            let Some(e) = self.arg_expr(arg) else { continue };
            if arg.name.is_none()
                && let ExprKind::Lambda { body, .. } = &e.kind
                && let ExprKind::Map(entries) = &body.kind
            {
                let mut named = scope.clone();
                for (key, value) in entries {
                    let expr = self.with_lambda(e, &mut named, |a, _, scope| a.expr(value, scope));
                    match &key.kind {
                        ExprKind::Name(n) | ExprKind::Str(n) if self.is_new_field(&mut seen, n, key.span, expr.span) => {
                            fields.push((n.clone(), null_as_any(expr)))
                        }
                        ExprKind::Name(_) | ExprKind::Str(_) => {}
                        _ => self.report(Diagnostic::new(Code::BadArgument, key.span, "a field's name is a word or a text")),
                    }
                }
                scope.firing = named.firing;
                continue;
            }
            let Some((name, named_at)) = self.field_name(arg, e) else { continue };
            let expr = self.expr(e, &mut scope);
            if self.is_new_field(&mut seen, &name, named_at, expr.span) {
                fields.push((name, null_as_any(expr)));
            }
        }
        self.keep_aggregates(b, scope);
        fields
    }

    /// What a field of a new record is called, and where that stands: `c: e`, or `a` and `x.b` by themselves.
    pub(crate) fn field_name(&mut self, arg: &ast::Arg, e: &ast::Expr) -> Option<(String, ast::Span)> {
        match (&arg.name, &e.kind) {
            (Some(name), _) => Some((name.text.clone(), name.span)),
            (None, ExprKind::Name(name)) => Some((name.clone(), e.span)),
            (None, ExprKind::Member { name, .. }) => Some((name.text.clone(), e.span)),
            _ => {
                let start = ast::Span { start: e.span.start, end: e.span.start };
                self.report(Diagnostic::new(Code::BadArgument, e.span, "a computed field needs a name").fix(start, "name: ", "name it"));
                None
            }
        }
    }

    /// Refuses a second field of one name where that name stands. `seen` holds the places of the fields before.
    pub(crate) fn is_new_field(&mut self, seen: &mut HashMap<String, ast::Span>, name: &str, span: ast::Span, value: ast::Span) -> bool {
        let Some(first) = seen.get(name).copied() else {
            seen.insert(name.to_owned(), value);
            return true;
        };
        let d = Diagnostic::new(Code::DuplicateField, span, format!("field `{name}` stands twice in the record"));
        self.report(d.also(first, "the first one"));
        false
    }

    /// Keys over the current record. What is no field is computed in front, as one that is carried along; if it has a name, it is one.
    pub(crate) fn keys(&mut self, b: &mut StreamBuilder, args: &[(Option<&ast::Name>, &ast::Expr)], span: ast::Span) -> Vec<Key> {
        let (mut keys, mut computed) = (vec![], vec![]);
        let columns = self.schema(b.node).columns;
        for (name, e) in args {
            let expr = self.in_scope(b, |a, scope| a.expr(e, scope));
            let mut expr = self.without_state(expr);
            let is_place = matches!(expr.kind, typed::ExprKind::Place(_));
            if !self.is_key(&mut expr, e.span) {
                continue;
            }
            if let Some(name) = name.filter(|name| columns.iter().any(|c| !c.hidden && c.name == name.text)) {
                let d = Diagnostic::new(Code::DuplicateField, name.span, format!("the record has a field `{}` already", name.text));
                self.report(d.help("give the key another name"));
                continue;
            }
            let text = match (name, &e.kind) {
                (Some(name), _) => name.text.clone(),
                (None, ExprKind::Name(n)) => n.clone(),
                (None, ExprKind::Member { name, .. }) => name.text.clone(),
                _ => format!("key{}", keys.len() + 1),
            };
            let column = Column { name: text, ty: expr.ty.clone(), hidden: false };
            if !is_place || name.is_some() {
                let place = Place::Field { input: 0, field: columns.len() + computed.len() };
                computed.push((Column { hidden: name.is_none(), ..column.clone() }, expr.clone()));
                expr = Expr::place(place, expr.ty.clone(), expr.span);
            }
            keys.push(Key { column, expr });
        }
        if !computed.is_empty() {
            self.carry(b, computed, span);
        }
        keys
    }

    /// Goes on with the same record and some more columns.
    fn carry(&mut self, b: &mut StreamBuilder, more: Vec<(Column, Expr)>, span: ast::Span) {
        b.node = self.carried(b.node, &b.name, more, span);
    }

    /// The records of a node with some more columns.
    pub(super) fn carried(&mut self, node: NodeId, stream: &str, more: Vec<(Column, Expr)>, span: ast::Span) -> NodeId {
        let Schema { mut columns, open } = self.schema(node);
        let mut values = Schema { columns: columns.clone(), open }.places(span);
        for (column, value) in more {
            columns.push(column);
            values.push(value);
        }
        self.add_node(NodeKind::Project { input: node, columns: values }, Schema { columns, open }, stream, span)
    }

    /// Whether it can be a key, which is told if not.
    pub(super) fn is_key(&mut self, expr: &mut Expr, span: ast::Span) -> bool {
        if !matches!(expr.kind, typed::ExprKind::Place(_)) {
            if expr.ty.kind != Kind::Error && !expr.reads_something() {
                let d = Diagnostic::new(Code::BadArgument, expr.span, "a constant is no key: every record would have it");
                self.report(d.help("name a field"));
                return false;
            }
            self.settle(expr, Kind::Any);
        }
        if !expr.ty.kind.is_key() {
            self.report(Diagnostic::new(Code::WrongArgumentType, span, format!("{} cannot be a key", expr.ty)));
            return false;
        }
        true
    }

    /// A whole number above zero, known at compile time.
    pub(crate) fn constant_count(&mut self, e: &ast::Expr, what: &str) -> Option<i64> {
        let expr = self.constant(e)?;
        match expr.as_literal() {
            Some(Literal::Int(v)) if *v > 0 => Some(*v),
            _ => {
                self.report(Diagnostic::new(Code::BadArgument, e.span, format!("{what} must be a whole number above zero")));
                None
            }
        }
    }

    /// A text known at compile time.
    pub(crate) fn constant_text(&mut self, e: &ast::Expr, what: &str) -> Option<String> {
        let expr = self.constant(e)?;
        match expr.as_literal() {
            Some(Literal::Str(v)) => Some(v.clone()),
            _ => {
                self.report(Diagnostic::new(Code::BadArgument, e.span, format!("{what} must be a text")));
                None
            }
        }
    }

    /// Requires a record, not the firing of a window without aggregates, a pattern or a join: those get their implicit record.
    pub(crate) fn need_record(&mut self, b: &mut StreamBuilder) {
        if b.firing.is_some() {
            self.close(b);
        }
    }

    /// A line of text of several expressions, for `.print` and `.log`.
    pub(crate) fn line(&mut self, parts: Vec<Expr>, span: ast::Span) -> Expr {
        if parts.len() > LINE_PARTS {
            return self.wrong(Diagnostic::new(Code::TooDeep, span, format!("this line of text has more than {LINE_PARTS} parts")).help("write several lines"));
        }
        let mut line: Option<Expr> = None;
        for part in parts {
            let text = self.text_of(part, span);
            line = Some(match line {
                None => text,
                Some(before) => {
                    let space = Expr::literal(Literal::Str(" ".to_owned()), Type::STR, span);
                    let before = self.concat(before, space, span);
                    self.concat(before, text, span)
                }
            });
        }
        line.unwrap_or_else(|| Expr::literal(Literal::Str(String::new()), Type::STR, span))
    }

    /// The window, pattern or join whose places expressions read here.
    pub(crate) fn current_firing(&self, b: &StreamBuilder) -> Option<&NodeKind> {
        b.firing.map(|f| &self.plan.node(f).kind)
    }

    /// An event may lag by that many ns.
    pub(crate) fn set_watermark(&mut self, event: usize, lag: Option<i64>, idle: Option<i64>) {
        if let Some(e) = self.plan.events.get_mut(event) {
            e.out_of_order = e.out_of_order.max(lag.unwrap_or(0));
            e.idle = e.idle.max(idle);
        }
    }

    pub(crate) fn current_node(&self, b: &StreamBuilder) -> &NodeKind {
        &self.plan.node(b.node).kind
    }
}

/// What an operator takes, as its documentation shows it.
fn takes(op: &ast::Op) -> String {
    let arguments = crate::operators::find(&op.name.text).map_or("", |entry| entry.arguments);
    format!("`.{}` takes {arguments}", op.name.text)
}

/// A column of nothing but `null` holds an opaque value.
fn null_as_any(expr: Expr) -> Expr {
    if expr.ty.kind == Kind::Null { Expr { ty: Type::optional(Kind::Any), ..expr } } else { expr }
}
