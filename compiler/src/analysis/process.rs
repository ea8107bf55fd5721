//! Functions that emit records: what `.process(f(…))` calls, once for each record of a stream.

use std::rc::Rc;

use super::Analyzer;
use super::run::{Block, Run, Step};
use super::scope::Scope;
use super::statements::{Flow, Function};
use super::streams::StreamBuilder;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, RecordType, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::plan::logical::{Column, NodeKind, Schema};
use crate::syntax::ast::{self, Span, StmtKind};

/// A record that a function emits.
pub(super) struct Emitted {
    of: ast::Name,
    fields: Vec<Field>,
    span: Span,
}

/// A field, and where its name stands.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Expr,
    pub(super) span: Span,
}

/// What a function does that emits records.
pub(crate) struct Process {
    /// The records' type.
    pub(crate) of: String,
    /// Their fields.
    pub(crate) columns: Vec<Column>,
    /// Its steps.
    pub(crate) run: Run,
}

/// Whether a body emits records.
pub(super) fn emits(body: &[ast::Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::Emit { .. } => true,
        StmtKind::If { branches, otherwise } => branches.iter().any(|(_, body)| emits(body)) || emits(otherwise),
        StmtKind::For { body, .. } | StmtKind::While { body, .. } => emits(body),
        StmtKind::Match { arms, .. } => arms.iter().any(|(_, body)| emits(body)),
        StmtKind::Let { .. }
        | StmtKind::Var { .. }
        | StmtKind::Assign { .. }
        | StmtKind::Return(_)
        | StmtKind::Break
        | StmtKind::Continue
        | StmtKind::Expr(_) => false,
    })
}

impl Function<'_, '_> {
    /// `emit Type(a, b: e)`.
    pub(super) fn emit(&mut self, of: &ast::Name, args: &[ast::Arg], span: Span, steps: &mut Vec<Step>) -> Flow {
        if self.emitted.is_none() {
            let d = Diagnostic::new(Code::EmitWithoutStream, span, format!("`{}` is called for its value, and emits a record", self.name));
            self.a.report(d.help(format!("a stream takes what it emits: `.process({}(…))`", self.name)));
            self.values.push(Expr::error(span));
            return Flow::Ends;
        }
        let mut fields = vec![];
        for arg in args {
            let Some(e) = self.a.arg_expr(arg) else { continue };
            let Some((name, at)) = self.a.field_name(arg, e) else { continue };
            let value = self.a.expr(e, self.scope);
            fields.push(Field { name, value, span: at });
        }
        if let Some(emitted) = &mut self.emitted {
            steps.push(Step::Emit(emitted.len()));
            emitted.push(Emitted { of: of.clone(), fields, span });
        }
        Flow::On
    }

    fn process(mut self, function: &ast::FunctionDecl, span: Span) -> Option<Process> {
        let mut steps = vec![];
        for (at, param) in function.params.iter().enumerate() {
            self.keep_argument(at, param, &mut steps);
        }
        let (body, _) = self.steps(&function.body, false);
        steps.push(Step::Block(Block { number: self.whole, repeats: false, steps: body, span }));
        let emitted = self.emitted.take()?;
        let (of, columns, records) = self.a.records(self.name, emitted)?;
        Some(Process { of, columns, run: Run { variables: self.variables, steps, result: self.result, records } })
    }
}

impl Analyzer<'_> {
    /// The steps of a function that emits records; its parameters are the scope's locals.
    pub(super) fn process_function(&mut self, function: &ast::FunctionDecl, span: Span, scope: &mut Scope) -> Option<Process> {
        let name = &function.name.text;
        if !emits(&function.body) {
            self.report(
                Diagnostic::new(Code::BadArgument, span, format!("`{name}` emits no record"))
                    .help("as in `emit Pixel(x: 1)`; a value is computed in `.select`"),
            );
            return None;
        }
        let (result, whole) = (self.number(), self.number());
        let function_of =
            Function { a: self, scope, name, declared: None, variables: vec![], result, whole, values: vec![], emitted: Some(vec![]), loops: vec![] };
        function_of.process(function, span)
    }

    /// `f(…)` of `.process`, over the records that the scope reads.
    pub(crate) fn process_call(&mut self, e: &ast::Expr, scope: &mut Scope) -> Option<Process> {
        let called = match &e.kind {
            ast::ExprKind::Call { callee, args } => self.function_named(callee, scope).map(|function| (function, args)),
            _ => None,
        };
        let Some((function, args)) = called else {
            let d = Diagnostic::new(Code::BadArgument, e.span, "`.process` calls a function of the program");
            self.report(d.help("one that emits records: `fn f(x: int): …` with `emit Pixel(x: 1)`"));
            return None;
        };
        self.used.insert(function.name.text.clone());
        let mut inner = self.bound_arguments(function, args, e.span, scope)?;
        self.process_function(function, e.span, &mut inner)
    }

    /// The type and the fields of a function's records, and the values of each.
    fn records(&mut self, name: &str, emitted: Vec<Emitted>) -> Option<(String, Vec<Column>, Vec<Vec<Expr>>)> {
        let first = emitted.first()?.of.clone();
        if let Some(other) = emitted.iter().find(|record| record.of.text != first.text) {
            let message = format!("`{name}` emits records of two types: `{}` and `{}`", first.text, other.of.text);
            let d = Diagnostic::new(Code::TypeMismatch, other.of.span, message).also(first.span, "the first one");
            self.report(d.help("a field can tell them apart; or call two functions, each in a stream of its own"));
            return None;
        }
        let record = match self.emitted_type(&first.text, first.span) {
            Some(record) => record,
            None => self.common_fields(&emitted)?,
        };
        let mut rows = vec![];
        for Emitted { fields, span, .. } in emitted {
            rows.push(self.fitted(fields, &record, &first.text, span)?);
        }
        let columns = record.fields.iter().map(|(name, ty)| Column { name: name.clone(), ty: ty.clone(), hidden: false }).collect();
        Some((first.text, columns, rows))
    }

    /// The fields of a declared event, if one has that name.
    fn emitted_type(&mut self, name: &str, span: Span) -> Option<Rc<RecordType>> {
        let is_event = self.ast.items.iter().any(|item| matches!(&item.kind, ast::ItemKind::Event(e) if e.name.text == name));
        if !is_event {
            return None;
        }
        match self.named_type(name, span).kind {
            Kind::Record(record) => Some(record),
            _ => None,
        }
    }

    /// All fields that some record has, in order of appearance; those that another lacks may be null.
    fn common_fields(&mut self, emitted: &[Emitted]) -> Option<Rc<RecordType>> {
        let mut names: Vec<&str> = vec![];
        for field in emitted.iter().flat_map(|record| &record.fields) {
            if !names.contains(&field.name.as_str()) {
                names.push(&field.name);
            }
        }
        let mut fields = vec![];
        for name in names {
            let mut values: Vec<Expr> = emitted.iter().filter_map(|record| record.fields.iter().find(|f| f.name == name)).map(|f| f.value.clone()).collect();
            let span = values.first().map_or(Span::default(), |value| value.span);
            let ty = self.alike(&mut values, &format!("the values of `{name}`"), span)?;
            fields.push((name.to_owned(), ty.with_null(values.len() < emitted.len())));
        }
        Some(Rc::new(RecordType { fields }))
    }

    /// The values of a record type's fields, in its order.
    pub(super) fn fitted(&mut self, fields: Vec<Field>, record: &RecordType, of: &str, span: Span) -> Option<Vec<Expr>> {
        let mut fine = true;
        for (at, field) in fields.iter().enumerate() {
            if let Some(before) = fields.iter().take(at).find(|f| f.name == field.name) {
                let d = Diagnostic::new(Code::DuplicateField, field.span, format!("field `{}` stands twice in the record", field.name));
                self.report(d.also(before.span, "the first one"));
                fine = false;
            }
            if !record.fields.iter().any(|(name, _)| *name == field.name) {
                let mut d = Diagnostic::new(Code::UnknownField, field.span, format!("`{of}` has no field `{}`", field.name));
                if let Some(similar) = did_you_mean(&field.name, record.fields.iter().map(|(name, _)| name.as_str())) {
                    d = d.help(format!("did you mean `{similar}`?"));
                }
                self.report(d);
                fine = false;
            }
        }
        let mut values = vec![];
        for (name, ty) in &record.fields {
            let value = match fields.iter().find(|f| f.name == *name) {
                Some(field) => self.coerce(field.value.clone(), ty, &format!("`{name}`")),
                None if name == "ts" && ty.kind == Kind::Timestamp => Expr::place(Place::Now, Type::TIMESTAMP, span),
                None if ty.nullable => Expr::literal(Literal::Null, ty.clone(), span),
                None => self.wrong(Diagnostic::new(Code::MissingArgument, span, format!("the field `{name}` of `{of}` is missing"))),
            };
            fine &= value.ty.kind != Kind::Error;
            values.push(value);
        }
        fine.then_some(values)
    }

    /// A stream's record as its declared type says: the same fields, in its order, each of its type.
    pub(super) fn as_declared(&mut self, columns: &[Column], declared: &ast::TypeExpr, span: Span) -> Option<Vec<(String, Expr)>> {
        let ty = self.resolve_type(declared);
        let Kind::Record(record) = &ty.kind else {
            if ty.kind != Kind::Error {
                let d = Diagnostic::new(Code::TypeMismatch, declared.span, format!("a stream's type is that of its records, and {ty} is no record"));
                self.report(d.help("name an event, or a `type` such as `{symbol: str, price: float}`"));
            }
            return None;
        };
        let field = |(at, column): (usize, &Column)| Field {
            name: column.name.clone(),
            value: Expr { kind: ExprKind::Place(Place::Field { input: 0, field: at }), ty: column.ty.clone(), span },
            span,
        };
        let fields = columns.iter().enumerate().filter(|(_, column)| !column.hidden).map(field).collect();
        let name = if let ast::TypeExprKind::Named(name, _) = &declared.kind { name.text.clone() } else { ty.to_string() };
        let values = self.fitted(fields, record, &name, span)?;
        Some(record.fields.iter().map(|(name, _)| name.clone()).zip(values).collect())
    }
}

impl Analyzer<'_> {
    /// Goes on with the records that a function emits; keys of the partition are theirs, too.
    pub(crate) fn processed(&mut self, b: &mut StreamBuilder, process: Process, span: Span) {
        let Process { of, mut columns, mut run } = process;
        for (at, key) in b.keys.iter_mut().enumerate() {
            let value = if b.firing.is_some() { Expr::place(Place::Key(at), key.column.ty.clone(), key.expr.span) } else { key.expr.clone() };
            run.records.iter_mut().for_each(|record| record.push(value.clone()));
            let at = Place::Field { input: 0, field: columns.len() };
            columns.push(Column { hidden: true, ..key.column.clone() });
            key.expr = Expr::place(at, key.column.ty.clone(), key.expr.span);
        }
        let name = b.name.clone();
        b.node = self.add_node(NodeKind::Process { input: b.node, run: Box::new(run) }, Schema { columns, open: None }, &name, span);
        b.inputs = vec![];
        b.members = Rc::new([]);
        b.firing = None;
        b.names = vec![name, of.clone()];
        b.record_type = Some(of);
    }
}
