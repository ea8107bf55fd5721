//! Handlers of evaluation errors: what is refused in a stream so far becomes records of a source of their own, which the stream goes on with.

use std::collections::HashSet;
use std::rc::Rc;

use super::Analyzer;
use super::streams::StreamBuilder;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use super::values::null_of;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeId, NodeKind, Schema};
use crate::syntax::ast;

impl<'a> Analyzer<'a> {
    /// Reads `.on_error(e => {…})`, of which is known that it makes a record.
    pub(crate) fn handle_errors(&mut self, b: &mut StreamBuilder, op: &'a ast::Op) {
        self.need_record(b);
        let handled = self.so_far(b);
        if handled.is_empty() {
            let d = Diagnostic::new(Code::BadArgument, op.name.span, "nothing stands in front of `.on_error` that could fail");
            self.report(d.help("put it behind the operators whose errors it handles"));
            return;
        }
        let column = |name: &str, ty: Type| Column { name: name.to_owned(), ty, hidden: false };
        let columns = vec![column("reason", Type::STR), column("expression", Type::STR), column("line", Type::INT), column("record", Type::new(Kind::Any))];
        let errors = self.add_node(NodeKind::Errors, Schema { columns, open: None }, &b.name, op.span);
        for node in handled {
            if let Some(node) = self.plan.nodes.get_mut(node.0) {
                node.errors_to = Some(errors);
            }
        }
        let mut handler = StreamBuilder { node: errors, names: vec![], ..b.beside() };
        let fields = self.fields(&handler, &op.args, &[]);
        let fields = self.as_in_stream(b, fields);
        self.project(&mut handler, fields, op.span);
        self.go_on_with(b, handler.node, op.span);
    }

    /// The nodes of the stream in front, whose errors nothing handles yet.
    fn so_far(&self, b: &StreamBuilder) -> Vec<NodeId> {
        let (mut found, mut seen, mut wanted) = (vec![], HashSet::new(), vec![b.node]);
        while let Some(id) = wanted.pop() {
            let node = self.plan.node(id);
            if node.stream != b.name || !seen.insert(id) {
                continue;
            }
            if node.errors_to.is_none() && !matches!(node.kind, NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors) {
                found.push(id);
            }
            wanted.extend(node.kind.inputs());
        }
        found
    }

    /// What the handler's fields are worth as the fields of those names that the stream has.
    fn as_in_stream(&mut self, b: &StreamBuilder, fields: Vec<(String, Expr)>) -> Vec<(String, Expr)> {
        self.ask_for(b, &fields);
        let schema = self.schema(b.node);
        let fitted = |(name, value): (String, Expr)| match place_of(&schema, &name).and_then(|at| schema.columns.get(at)) {
            Some(column) if value.as_literal() == Some(&Literal::Null) => {
                let null = null_of(value, column.ty.with_null(true));
                (name, null)
            }
            Some(column) if !column.ty.is_lenient() => {
                let ty = column.ty.with_null(value.ty.nullable);
                let value = self.coerce(value, &ty, &format!("`{name}`, as the stream has it,"));
                (name, value)
            }
            _ => (name, value),
        };
        fields.into_iter().map(fitted).collect()
    }

    /// Of an undeclared event, a field that the handler names is one: what is in the input is in the stream's own records.
    fn ask_for(&mut self, b: &StreamBuilder, fields: &[(String, Expr)]) {
        let schema = self.schema(b.node);
        if schema.open.is_none() {
            return;
        }
        for (name, value) in fields.iter().filter(|(name, _)| place_of(&schema, name).is_none()) {
            self.ask(b, name, &value.ty, value.span);
        }
    }

    /// The stream's records and the handler's, as one stream.
    fn go_on_with(&mut self, b: &mut StreamBuilder, handler: NodeId, span: ast::Span) {
        let (schema, made) = (self.schema(b.node), self.schema(handler));
        let mut columns = schema.columns.clone();
        let mut maps = [(0..columns.len()).map(Some).collect::<Vec<_>>(), vec![None; columns.len()]];
        for (at, column) in made.columns.iter().enumerate() {
            let place = place_of(&schema, &column.name).unwrap_or_else(|| {
                columns.push(Column { ty: column.ty.with_null(true), ..column.clone() });
                maps.iter_mut().for_each(|map| map.push(None));
                columns.len() - 1
            });
            if let (Some(from), Some(into)) = (maps[1].get_mut(place), columns.get_mut(place)) {
                *from = Some(at);
                into.ty = Type {
                    nullable: into.ty.nullable || column.ty.nullable,
                    kind: if into.ty.is_lenient() { column.ty.kind.clone() } else { into.ty.kind.clone() },
                };
            }
        }
        for (column, from) in columns.iter_mut().zip(&maps[1]) {
            column.ty.nullable |= from.is_none();
        }
        for key in &mut b.keys {
            if let ExprKind::Place(Place::Field { field, .. }) = &key.expr.kind
                && let Some(column) = columns.get(*field)
            {
                key.expr.ty = column.ty.clone();
                key.column.ty = column.ty.clone();
            }
        }
        let [own, of_handler] = maps;
        let inputs = vec![(b.node, own), (handler, of_handler)];
        let name = b.name.clone();
        b.node = self.add_node(NodeKind::Merge { inputs }, Schema { columns, open: schema.open }, &name, span);
        b.inputs = vec![];
        b.members = Rc::new([]);
    }
}

/// The column of that name: a visible one, else one that is carried for a key.
fn place_of(schema: &Schema, name: &str) -> Option<usize> {
    schema.find(name).or_else(|| schema.columns.iter().position(|c| c.name == name))
}
