//! The records of a window as an array (§6): what is collected of them follows from what is read of the array.

use super::Analyzer;
use super::scope::{Local, Scope};
use super::typed::{Expr, Literal};
use super::types::Type;
use crate::functions::aggregates::Aggregate;
use crate::plan::logical::AggregateCall;
use crate::syntax::ast::{self, Span};

impl Analyzer<'_> {
    /// A condition in which `name` is the array of the window's records.
    pub(crate) fn rows_condition(&mut self, name: &ast::Name, condition: &ast::Expr, scope: &mut Scope) -> Expr {
        let mut members = vec![];
        members_of(condition, &mut members);
        let rows = self.rows(&members, name.span, scope);
        scope.locals.push(Local::new(&name.text, rows));
        let condition = self.condition(condition, scope);
        scope.locals.pop();
        condition
    }

    /// The window's records, with those of their fields that are among the members read.
    fn rows(&mut self, members: &[&str], span: Span, scope: &mut Scope) -> Expr {
        let Some(record) = scope.firing.as_ref().and_then(|firing| firing.record.clone()) else { return Expr::error(span) };
        let is_field = |name: &str| name != "ts" && (record.schema.find(name).is_some() || record.schema.open.is_some());
        let mut fields: Vec<&str> = vec![];
        for name in members.iter().copied().filter(|name| is_field(name)).chain(["ts"]) {
            if !fields.contains(&name) {
                fields.push(name);
            }
        }
        // Fields whose types are not known yet take those that the condition needs.
        let values = fields.iter().map(|name| self.field(&record, name, span)).collect();
        self.call_of(collected(&fields, values, span), 0, scope)
    }
}

/// What collects records of these fields into an array.
pub(crate) fn collected(names: &[&str], values: Vec<Expr>, span: Span) -> AggregateCall {
    let names: Vec<Expr> = names.iter().map(|name| Expr::literal(Literal::Str((*name).to_owned()), Type::STR, span)).collect();
    let row = super::values::record(&names, values, span);
    let ty = Aggregate::Collect.result(Some(&row.ty), false);
    AggregateCall { aggregate: Aggregate::Collect, args: vec![row], parameter: None, condition: None, ty, span }
}

/// The names behind dots, those of methods left out.
fn members_of<'e>(e: &'e ast::Expr, into: &mut Vec<&'e str>) {
    for (at, child) in e.children().into_iter().enumerate() {
        match (&e.kind, &child.kind) {
            // A method's name is no field's.
            (ast::ExprKind::Call { .. }, ast::ExprKind::Member { object, .. }) if at == 0 => members_of(object, into),
            _ => members_of(child, into),
        }
    }
    if let ast::ExprKind::Member { name, .. } = &e.kind {
        into.push(&name.text);
    }
}
