//! What a name in an expression means: a local, a field, a key, a constant, a variant.

use std::rc::Rc;

use super::Analyzer;
use super::limits::Size;
use super::scope::{Scope, ScopeInput};
use super::streams::Key;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{EnumType, Kind, Type};
use crate::diagnostics::foreign::{self, ours};
use crate::diagnostics::{Code, Diagnostic, did_you_mean, listed};
use crate::plan::logical::Schema;
use crate::syntax::ast::{self, BinaryOp, Span, UnaryOp};

impl Analyzer<'_> {
    pub(super) fn name(&mut self, name: &str, span: Span, scope: &mut Scope) -> Expr {
        if let Some(local) = scope.locals.iter().rev().find(|l| l.name == name) {
            let fits = self.copies(&format!("`{name}`"), local.size, span);
            return if fits { Expr { span, ..local.value.clone() } } else { Expr::error(span) };
        }
        if let Some(input) = scope.current().cloned()
            && let Some(found) = self.field_if_known(&input, name, span)
        {
            return found;
        }
        if let Some(firing) = &scope.firing {
            if let Some(i) = firing.keys.iter().position(|k| k.column.name == name) {
                let ty = firing.keys.get(i).map_or(Type::ERROR, |k| k.column.ty.clone());
                return Expr::place(Place::Key(i), ty, span);
            }
            let (window, late) = (firing.window, firing.late);
            match name {
                "window_start" if window => return Expr::place(Place::WindowStart, Type::TIMESTAMP, span),
                "window_end" if window => return Expr::place(Place::WindowEnd, Type::TIMESTAMP, span),
                "is_update" if firing.updates => return self.is_update(late, span),
                "ts" => return Expr::place(Place::Now, Type::TIMESTAMP, span),
                _ => {}
            }
        }
        if let Some(global) = self.global(name, span) {
            return global;
        }
        if scope.current.is_none() {
            let holders: Vec<ScopeInput> = scope.inputs.iter().filter(|i| !i.kleene && i.schema.find(name).is_some()).cloned().collect();
            if let [only] = holders.as_slice()
                && let Some(found) = self.field_if_known(only, name, span)
            {
                return found;
            }
            if holders.len() > 1 {
                let names: Vec<String> = holders.iter().filter_map(|h| h.names.first().map(|n| format!("`{n}.{name}`"))).collect();
                return self.wrong(
                    Diagnostic::new(Code::UnknownName, span, format!("`{name}` stands in several records")).help(format!("write one of {}", names.join(", "))),
                );
            }
        }
        if let Some(firing) = &scope.firing
            && let Some(record) = firing.record.clone()
            && (record.schema.find(name).is_some() || record.schema.open.is_some())
        {
            return self.wrong(
                Diagnostic::new(Code::BareFieldInAggregate, span, format!("`{name}` is a field of the single records, and a window has many"))
                    .label("neither a key nor inside an aggregate")
                    .fix(span, format!("last({name})"), "the newest record's value"),
            );
        }
        if scope.input(name).is_some() {
            return self.wrong(
                Diagnostic::new(Code::TypeMismatch, span, format!("`{name}` is a record, not a value")).help(format!("name a field of it: `{name}.field`")),
            );
        }
        // Last, since an undeclared event takes any name for a field.
        if let Some(input) = scope.current().cloned() {
            if let Some(event) = input.schema.open {
                return self.inferred(event, &input, name, span);
            }
            return self.unknown_field(&input, name, span);
        }
        let candidates: Vec<String> = self.visible_names(scope);
        let mut d = Diagnostic::new(Code::UnknownName, span, format!("nothing is called `{name}` here"));
        if let Some(similar) = did_you_mean(name, candidates.iter().map(String::as_str)) {
            d = d.fix(span, similar, "a similar name exists");
        }
        let d = if let Some(value) = ours(name, foreign::VALUES) { d.fix(span, value, format!("`{name}` is written `{value}` here")) } else { d };
        let d = self.with_import(d, name, span);
        self.wrong(d)
    }

    fn visible_names(&self, scope: &Scope) -> Vec<String> {
        let mut names: Vec<String> = scope.locals.iter().map(|l| l.name.clone()).collect();
        names.extend(scope.inputs.iter().flat_map(|i| i.names.clone()));
        names.extend(scope.inputs.iter().flat_map(|i| i.schema.columns.iter().map(|c| c.name.clone())));
        names.extend(scope.firing.iter().flat_map(|f| f.keys.iter().map(|k| k.column.name.clone())));
        names.extend(self.constants.keys().cloned());
        names.extend(self.global_ids.keys().chain(self.state_ids.keys()).cloned());
        names
    }

    fn global(&mut self, name: &str, span: Span) -> Option<Expr> {
        let name = self.own(name, span);
        self.global_called(&name, span)
    }

    /// Whether a constant, a `let`, a parameter or a variable of the program is called that.
    fn is_global(&mut self, name: &str, span: Span) -> bool {
        let name = self.own(name, span);
        self.is_declared(&name, span)
    }

    /// The same by the name that the analysis knows it by. What is declared further down is, too.
    fn is_declared(&mut self, name: &str, span: Span) -> bool {
        let known = |a: &Self| a.constants.contains_key(name) || a.global_ids.contains_key(name) || a.state_ids.contains_key(name);
        if !known(self) {
            self.declare_pending(name, span);
        }
        known(self)
    }

    /// A constant, a `let`, a parameter or a variable of the program by the name that the analysis knows it by.
    pub(super) fn global_called(&mut self, name: &str, span: Span) -> Option<Expr> {
        if !self.is_declared(name, span) {
            return None;
        }
        if let Some(size) = self.constants.get(name).map(Size::of) {
            self.used.insert(name.to_owned());
            if !self.copies(&format!("`{name}`"), size, span) {
                return Some(Expr::error(span));
            }
            return self.constants.get(name).map(|value| Expr { span, ..value.clone() });
        }
        if let Some(state) = self.state(name, span) {
            return Some(state);
        }
        let id = *self.global_ids.get(name)?;
        self.used.insert(name.to_owned());
        let ty = self.plan.globals.get(id)?.ty.clone();
        Some(Expr::place(Place::Global(id), ty, span))
    }

    /// Whether a window's row comes before the window's end; of a window that takes late records, behind the first one.
    pub(crate) fn is_update(&mut self, late: bool, span: Span) -> Expr {
        if late {
            return Expr::place(Place::Updated, Type::BOOL, span);
        }
        let (ts, end) = (Expr::place(Place::Now, Type::TIMESTAMP, span), Expr::place(Place::WindowEnd, Type::TIMESTAMP, span));
        let instant = Expr::literal(Literal::Duration(1), Type::new(Kind::Duration), span);
        let last = self.difference(end, instant, span);
        self.compare(BinaryOp::Less, ts, last, span)
    }

    fn field_if_known(&mut self, input: &ScopeInput, name: &str, span: Span) -> Option<Expr> {
        if let Some(field) = input.schema.find(name) {
            let ty = input.schema.columns.get(field)?.ty.clone();
            if let Some(event) = input.schema.open {
                self.inferred_places.insert(span, (event, field));
            }
            return Some(Expr::place(input.field(field), ty, span));
        }
        if matches!(name, "window_start" | "window_end")
            && let Some(field) = input.schema.columns.iter().position(|c| c.hidden && c.name == name)
        {
            return Some(Expr::place(input.field(field), Type::TIMESTAMP, span));
        }
        (name == "ts").then(|| Expr::place(input.ts(), input.time(), span))
    }

    fn inferred(&mut self, event: usize, input: &ScopeInput, name: &str, span: Span) -> Expr {
        let (field, ty) = self.inferred_field(event, name);
        self.inferred_places.insert(span, (event, field));
        Expr::place(input.field(field), ty, span)
    }

    /// A field of a record, by name.
    pub(crate) fn field(&mut self, input: &ScopeInput, name: &str, span: Span) -> Expr {
        if let Some(found) = self.field_if_known(input, name, span) {
            return found;
        }
        match input.schema.open {
            Some(event) => self.inferred(event, input, name, span),
            None => self.unknown_field(input, name, span),
        }
    }

    fn unknown_field(&mut self, input: &ScopeInput, name: &str, span: Span) -> Expr {
        // A projection's record is the stream's, whose name comes last.
        let of = input.names.last().map_or("the record", String::as_str);
        let fields: Vec<&str> = input.schema.columns.iter().filter(|c| !c.hidden).map(|c| c.name.as_str()).collect();
        let globals: Vec<&str> = self.constants.keys().chain(self.global_ids.keys()).map(String::as_str).collect();
        let variant_of = self.enums.values().filter(|e| e.variants.iter().any(|v| v == name)).map(|e| &e.name).min();
        let similar = if variant_of.is_some() { None } else { did_you_mean(name, fields.iter().copied().chain(globals)) };
        let hint = similar.map_or_else(String::new, |similar| format!("; did you mean `{similar}`?"));
        let mut d = Diagnostic::new(Code::UnknownField, span, format!("`{of}` has no field `{name}`{hint}"));
        if let (None, Some(value)) = (variant_of, ours(name, foreign::VALUES)) {
            d = d.fix(span, value, format!("`{name}` is written `{value}` here"));
        } else if let Some(of) = variant_of {
            d = d.fix(span, format!("{of}.{name}"), format!("it is a variant of `{of}`"));
        } else if let Some(similar) = similar {
            d = d.fix(span, similar, "a similar name exists");
        } else if fields.is_empty() {
            d = d.note(format!("`{of}` has no fields but `ts`"));
        } else {
            d = d.note(format!("its fields are {}", listed(fields.iter().map(|f| format!("`{f}`")))));
        }
        let d = self.with_import(d, name, span);
        self.wrong(d)
    }

    pub(super) fn member(&mut self, object: &ast::Expr, name: &ast::Name, span: Span, scope: &mut Scope) -> Expr {
        if let Some(prefix) = self.imported(object, scope) {
            return self.imported_value(prefix, name, span);
        }
        if let ast::ExprKind::Member { object: file, name: e, .. } = &object.kind
            && let Some(prefix) = self.imported(file, scope)
            && let Some(e) = self.enums.get(&format!("{prefix}{}", e.text)).cloned()
        {
            self.used.insert(e.name.clone());
            return self.variant(&e, &name.text, name.span);
        }
        if let ast::ExprKind::Name(of) = &object.kind {
            if let Some(input) = scope.input(of).cloned() {
                return Expr { span, ..self.field(&input, &name.text, name.span) };
            }
            if let Some(firing) = &scope.firing
                && let Some(record) = firing.record.as_ref()
            {
                if record.is_called(of) {
                    return self.name(&name.text, span, scope);
                }
                if let Some(member) = record.member(of).cloned() {
                    let (keys, record) = (firing.keys.clone(), record.schema.clone());
                    return self.member_of_many(&member, (of, name), &keys, &record, span);
                }
            }
            if let Some(e) = self.enums.get(&*self.own(of, object.span)).cloned() {
                self.used.insert(e.name.clone());
                return self.variant(&e, &name.text, name.span);
            }
            let is_value = scope.locals.iter().any(|l| l.name == *of) || scope.current().is_some_and(|c| c.schema.find(of).is_some());
            if !is_value && !self.is_global(of, object.span) {
                let candidates: Vec<String> =
                    scope.inputs.iter().flat_map(|i| i.members.iter().chain([i])).flat_map(|i| i.names.clone()).chain(self.enums.keys().cloned()).collect();
                let mut d = Diagnostic::new(Code::UnknownAlias, object.span, format!("no step, alias, record or enum is called `{of}`"));
                if let Some(similar) = did_you_mean(of, candidates.iter().map(String::as_str)) {
                    d = d.fix(object.span, similar, "a similar name exists");
                } else if !candidates.is_empty() {
                    d = d.note(format!("known here: {}", listed(candidates.iter().map(|c| format!("`{c}`")))));
                }
                return self.wrong(d);
            }
        }
        if let ast::ExprKind::Index { object: array, index } = &object.kind
            && let ast::ExprKind::Name(of) = &array.kind
            && let Some(input) = scope.input(of).filter(|i| i.kleene).cloned()
        {
            if input.is_newest() {
                return self.newest_alone(of, span);
            }
            return self.element(&input, index, name, span);
        }
        let object = self.expr(object, scope);
        self.field_of_value(object, name, span)
    }

    /// A field of a member of a window's records: the key, if that is what it is.
    fn member_of_many(&mut self, member: &ScopeInput, (of, name): (&str, &ast::Name), keys: &[Key], record: &Schema, span: Span) -> Expr {
        let value = self.field(member, &name.text, name.span);
        if value.ty.kind == Kind::Error {
            return value;
        }
        // The partition of a pattern is that field of all of its members.
        let of_all = |key: &Key| {
            let hidden = |place: &Place| matches!(place, Place::Field { field, .. } if record.columns.get(*field).is_some_and(|column| column.hidden));
            key.column.name == name.text && key.expr.as_place().is_some_and(hidden)
        };
        if let Some(key) = keys.iter().position(|key| key.expr.as_place() == value.as_place() || of_all(key)) {
            return Expr { kind: ExprKind::Place(Place::Key(key)), span, ..value };
        }
        let text = format!("{of}.{}", name.text);
        let d = Diagnostic::new(Code::BareFieldInAggregate, span, format!("`{text}` is a field of the single records, and a window has many"));
        self.wrong(d.label("neither a key nor inside an aggregate").fix(span, format!("last({text})"), "the newest record's value"))
    }

    /// `tries[0].amount`, `tries[-1].amount`
    fn element(&mut self, input: &ScopeInput, index: &ast::Expr, name: &ast::Name, span: Span) -> Expr {
        let value = Expr { span, ..self.field(input, &name.text, name.span) };
        match &index.kind {
            ast::ExprKind::Int(0) => match value.kind {
                ExprKind::Place(Place::Field { input, field }) => Expr { kind: ExprKind::Place(Place::First { input, field }), ..value },
                ExprKind::Place(Place::Ts { input }) => Expr { kind: ExprKind::Place(Place::FirstTs { input }), ..value },
                _ => value,
            },
            ast::ExprKind::Int(-1) => value,
            ast::ExprKind::Unary { op: UnaryOp::Negate, operand } if operand.kind == ast::ExprKind::Int(1) => value,
            _ => self.not_compiled(span, "an element of a Kleene step other than the first `[0]` and the last `[-1]`", "aggregates range over all elements"),
        }
    }

    /// A variant of an enum, by name.
    pub(crate) fn variant(&mut self, e: &Rc<EnumType>, name: &str, span: Span) -> Expr {
        let ty = Type::new(Kind::Enum(e.clone()));
        if let Some(i) = e.variants.iter().position(|v| v == name) {
            return Expr::literal(Literal::Enum(i as u32), ty, span);
        }
        let mut d = Diagnostic::new(Code::UnknownVariant, span, format!("`{}` has no variant `{name}`", e.name));
        // A variant is written as a text or, behind the enum's name, as a word.
        let quoted = span.end - span.start > name.len() as u32;
        d = match did_you_mean(name, e.variants.iter().map(String::as_str)) {
            Some(similar) => d.fix(span, if quoted { format!("\"{similar}\"") } else { similar.to_owned() }, "a similar variant exists"),
            None => d.note(format!("its variants are {}", listed(e.variants.iter().cloned()))),
        };
        self.wrong(d)
    }
}

/// Every name in an expression.
pub(crate) fn collect_names<'e>(e: &'e ast::Expr, into: &mut Vec<&'e str>) {
    if let ast::ExprKind::Name(name) = &e.kind {
        into.push(name);
    }
    e.children().into_iter().for_each(|e| collect_names(e, into));
}
