//! New records of a stream: what is projected, what is carried along hidden, and whose names still count.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Analyzer;
use super::scope::{Inside, ScopeInput};
use super::streams::{Key, StreamBuilder};
use super::typed::{Expr, ExprKind, Place};
use super::types::Type;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeKind, Schema};
use crate::syntax::ast::Span;

/// How many fields a record may have that nobody listed.
const IMPLICIT_FIELDS: usize = 10_000;

impl Analyzer<'_> {
    /// What ends on a firing becomes a record: all fields of a pattern's or join's members; a window needs its aggregates. False if there would be
    /// too many of them, so that nothing can be read of it.
    pub(crate) fn close(&mut self, b: &mut StreamBuilder) -> bool {
        self.fork_must_be_joined(b, None);
        let Some(firing) = b.firing else { return true };
        if matches!(self.plan.node(firing).kind, NodeKind::Window { .. }) {
            let empty = matches!(&self.plan.node(firing).kind, NodeKind::Window { aggregates, .. } if aggregates.is_empty());
            if empty {
                self.report(
                    Diagnostic::new(Code::OperatorNeedsWindow, self.plan.node(firing).span, "a window without aggregates yields nothing")
                        .help("say what to compute: `.aggregate(n: count())`"),
                );
                return true;
            }
        }
        // Records of all fields of records of all fields double with every line.
        if b.inputs.iter().map(|i| i.schema.columns.len()).sum::<usize>() > IMPLICIT_FIELDS {
            let message = format!("all fields of the inputs of `{}` together are more than {IMPLICIT_FIELDS}", b.name);
            self.report(Diagnostic::new(Code::TooDeep, b.span, message).help("name the fields that are needed: `.select(…)` or `.emit(…)`"));
            return false;
        }
        let fields = all_fields(b);
        self.project_whole(b, fields, b.span);
        true
    }

    /// The bounds of the window that the record came of, where they can be read.
    fn bounds(&mut self, b: &StreamBuilder, span: Span) -> Vec<(&'static str, Expr)> {
        let bounds = [("window_start", Place::WindowStart), ("window_end", Place::WindowEnd)];
        let scope = self.scope(b);
        let is_window = scope.firing.as_ref().is_some_and(|firing| firing.window);
        let place = |(name, place): (&'static str, Place)| {
            if is_window {
                return Some((name, place));
            }
            let record = scope.current()?;
            let field = record.schema.columns.iter().position(|column| column.hidden && column.name == name)?;
            Some((name, record.field(field)))
        };
        bounds.into_iter().filter_map(place).map(|(name, place)| (name, Expr::place(place, Type::TIMESTAMP, span))).collect()
    }

    /// Makes a record that has all fields of what fired, or of the current record: its members can be named as before.
    pub(crate) fn project_whole(&mut self, b: &mut StreamBuilder, fields: Vec<(String, Expr)>, span: Span) {
        let members: Vec<ScopeInput> = if b.firing.is_none() {
            b.members.to_vec()
        } else {
            // What ranks records hands on theirs.
            b.inputs.iter().flat_map(|input| if input.members.is_empty() { std::slice::from_ref(input) } else { &input.members }).cloned().collect()
        };
        let times = members.iter().map(|m| (format!("{}_ts", m.names.first().map_or("", String::as_str)), Expr::place(m.ts(), m.time(), span)));
        let names = if b.firing.is_some() && !members.is_empty() { vec![] } else { b.names.clone() };
        let made = self.project_with(b, fields, times.collect(), span);
        b.names = names;
        if !b.names.contains(&b.name) {
            b.names.push(b.name.clone());
        }
        let at = |place: Place| made.iter().position(|e| e.as_place() == Some(&place));
        let kept = |m: ScopeInput| {
            let columns: Vec<(usize, &Column)> = m.schema.columns.iter().enumerate().filter(|(_, c)| !c.hidden).collect();
            let offset = columns.first().map_or(Some(0), |(first, _)| at(m.field(*first)))?;
            let ts = at(m.ts())?;
            let schema = Schema { columns: columns.into_iter().map(|(_, c)| c.clone()).collect(), open: m.schema.open };
            Some(ScopeInput { inside: Some(Inside { offset, ts }), optional: m.optional, kleene: m.kleene, ..ScopeInput::new(0, m.names, schema) })
        };
        b.members = members.into_iter().filter_map(kept).collect();
    }

    /// Makes a new record. Keys that it leaves out are carried along, hidden, and so are a window's bounds.
    pub(crate) fn project(&mut self, b: &mut StreamBuilder, fields: Vec<(String, Expr)>, span: Span) {
        self.project_with(b, fields, vec![], span);
    }

    /// The same with some more columns that are hidden; what all columns are.
    fn project_with(&mut self, b: &mut StreamBuilder, fields: Vec<(String, Expr)>, more: Vec<(String, Expr)>, span: Span) -> Vec<Expr> {
        let mut columns: Vec<Column> = vec![];
        let mut exprs = vec![];
        let mut seen = HashSet::new();
        for (name, expr) in fields {
            if !seen.insert(name.clone()) {
                self.report(Diagnostic::new(Code::DuplicateField, expr.span, format!("field `{name}` stands twice in the record")));
                continue;
            }
            columns.push(Column { name, ty: expr.ty.clone(), hidden: false });
            exprs.push(expr);
        }
        let mut keys = vec![];
        for (i, key) in b.keys.iter().enumerate() {
            let value = if b.firing.is_some() { Expr::place(Place::Key(i), key.column.ty.clone(), key.expr.span) } else { key.expr.clone() };
            let wanted = crate::plan::print::expression_key(&value);
            let at = exprs.iter().position(|e| crate::plan::print::expression_key(e) == wanted).unwrap_or_else(|| {
                columns.push(Column { hidden: true, ..key.column.clone() });
                exprs.push(value);
                exprs.len() - 1
            });
            let expr = Expr { kind: ExprKind::Place(Place::Field { input: 0, field: at }), ty: key.column.ty.clone(), span: key.expr.span };
            keys.push(Key { expr, column: key.column.clone() });
        }
        for (name, expr) in more {
            columns.push(Column { name, ty: expr.ty.clone(), hidden: true });
            exprs.push(expr);
        }
        for (name, expr) in self.bounds(b, span) {
            if !columns.iter().any(|column| column.name == name) {
                columns.push(Column { name: name.to_owned(), ty: expr.ty.clone(), hidden: true });
                exprs.push(expr);
            }
        }
        let name = b.name.clone();
        b.node = self.add_node(NodeKind::Project { input: b.node, columns: exprs.clone() }, Schema { columns, open: None }, &name, span);
        b.keys = keys;
        b.record_type = None;
        b.firing = None;
        b.inputs = vec![];
        b.members = Rc::new([]);
        if !b.names.contains(&name) {
            b.names.push(name);
        }
        exprs
    }
}

/// The keys of a window, or all fields of a pattern's or join's members: with the member's name in front where several have it.
fn all_fields(b: &StreamBuilder) -> Vec<(String, Expr)> {
    let mut fields: Vec<(String, Expr)> = vec![];
    for (i, key) in b.keys.iter().enumerate() {
        if b.inputs.is_empty() {
            fields.push((key.column.name.clone(), Expr::place(Place::Key(i), key.column.ty.clone(), b.span)));
        }
    }
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for input in &b.inputs {
        let own: HashSet<&str> = input.schema.columns.iter().filter(|c| !c.hidden).map(|c| c.name.as_str()).collect();
        own.into_iter().for_each(|name| *holders.entry(name).or_default() += 1);
    }
    for input in &b.inputs {
        let prefix = input.names.first().cloned().unwrap_or_default();
        for (i, column) in input.schema.columns.iter().enumerate().filter(|(_, c)| !c.hidden) {
            let alone = holders.get(column.name.as_str()) == Some(&1);
            let name = if alone { column.name.clone() } else { format!("{prefix}_{}", column.name) };
            fields.push((name, Expr::place(input.field(i), column.ty.clone(), b.span)));
        }
    }
    fields
}
