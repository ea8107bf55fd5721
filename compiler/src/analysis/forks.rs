//! Forks: several paths over one record, joined again. Each path becomes a condition and a record, so that nothing behind analysis knows of it.

use std::rc::Rc;

use super::Analyzer;
use super::limits::Size;
use super::streams::StreamBuilder;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, RecordType, Type};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeId, NodeKind};
use crate::syntax::ast::{self, ArgValue, BinaryOp, Span};

/// What a path may do.
const IN_PATHS: &[&str] = &["where", "filter", "having", "select", "map"];

/// A fork that is not joined yet.
pub(crate) struct Fork {
    span: Span,
    /// Those that could be read.
    paths: Vec<Path>,
    /// How many are written.
    written: usize,
}

impl Fork {
    /// How many paths it has.
    pub(crate) fn paths(&self) -> usize {
        self.written
    }
}

/// One path over a record.
struct Path {
    name: ast::Name,
    /// Whether it has a result; never null.
    holds: Expr,
    /// Its result's fields.
    fields: Vec<(String, Expr)>,
}

/// When a fork's record goes on, and as what.
#[derive(Clone, Copy)]
pub(crate) enum Joined {
    /// If so many paths have a result: the record, and each path's result under its name.
    AtLeast(i64),
    /// If all have one.
    All,
    /// As the result of the first path that has one.
    First,
}

impl<'a> Analyzer<'a> {
    /// Reads `.fork(a: …, b: …)`.
    pub(crate) fn fork(&mut self, b: &mut StreamBuilder, op: &'a ast::Op) {
        self.need_record(b);
        let mut paths: Vec<Path> = vec![];
        for arg in &op.args {
            let (Some(name), ArgValue::Path(ops)) = (&arg.name, &arg.value) else {
                let d = Diagnostic::new(Code::BadArgument, arg.span, "a path of a fork has a name and operators");
                self.report(d.help("as in `.fork(big: .where(amount > 1000), late: .where(hour(ts) > 22))`"));
                continue;
            };
            let taken = paths.iter().find(|p| p.name.text == name.text).map(|p| p.name.span);
            if let Some(first) = taken {
                let d = Diagnostic::new(Code::DuplicateField, name.span, format!("the path `{}` stands here twice", name.text));
                self.report(d.also(first, "the first one"));
                continue;
            }
            paths.extend(self.path(b, name, ops));
        }
        if op.args.is_empty() {
            let d = Diagnostic::new(Code::MissingArgument, op.name.span, "`.fork` needs a path");
            self.report(d.help("as in `.fork(big: .where(amount > 1000), late: .where(hour(ts) > 22))`"));
        }
        b.fork = Some(Fork { span: op.span, paths, written: op.args.len() });
    }

    /// Joins the fork in front, of which nothing is known yet but its paths.
    pub(crate) fn join_fork(&mut self, b: &mut StreamBuilder, joined: Joined, op: &ast::Op) {
        let Some(fork) = b.fork.take() else {
            let d =
                Diagnostic::new(Code::BadArgument, op.name.span, format!("`.{}` joins the paths of a fork, and there is none in front of it", op.name.text));
            self.report(d.help("put it behind `.fork(a: …, b: …)`"));
            return;
        };
        let paths = fork.paths;
        if paths.is_empty() || paths.len() < fork.written {
            // Its mistakes have been told.
            return;
        }
        let condition = match joined {
            Joined::AtLeast(n) => at_least(&paths, n, op.span),
            Joined::All => Expr::all(paths.iter().map(|p| p.holds.clone()).collect(), op.span),
            Joined::First => at_least(&paths, 1, op.span),
        };
        self.chain(b, NodeKind::Filter { input: b.node, condition }, op.span);
        let fields = match joined {
            Joined::First => self.first_of(&paths, op.span),
            Joined::AtLeast(_) | Joined::All => self.beside(b, paths, matches!(joined, Joined::All), op.span),
        };
        let open = self.schema(b.node).open.filter(|_| !matches!(joined, Joined::First));
        match joined {
            Joined::First => self.project(b, fields, op.span),
            Joined::AtLeast(_) | Joined::All => self.project_whole(b, fields, op.span),
        }
        // Of an undeclared event, what is named behind the fork is a field, too: the next pass has it in the record.
        self.open_schema(b.node, open);
    }

    /// Tells of a fork that the operator `next`, or the end of the stream, finds not joined.
    pub(crate) fn fork_must_be_joined(&mut self, b: &mut StreamBuilder, next: Option<&ast::Op>) {
        if next.is_some_and(|op| matches!(op.name.text.as_str(), "any" | "all" | "first")) {
            return;
        }
        if let Some(fork) = b.fork.take() {
            let d = Diagnostic::new(Code::MissingArgument, fork.span, "the paths of this fork are not joined");
            self.report(d.help("put `.any()`, `.all()` or `.first()` behind it"));
        }
    }

    fn path(&mut self, b: &StreamBuilder, name: &ast::Name, ops: &'a [ast::Op]) -> Option<Path> {
        if let Some(op) = ops.iter().find(|op| crate::operators::find(&op.name.text).is_some() && !IN_PATHS.contains(&op.name.text.as_str())) {
            let message = format!("`.{}` cannot stand in a path of a fork", op.name.text);
            let d = Diagnostic::new(Code::BadArgument, op.name.span, message).note("a path looks at one record: `.where`, `.filter`, `.select`, `.map`");
            self.report(d.help("put it behind the fork, or make streams of the paths"));
            return None;
        }
        let before = self.plan.nodes.len();
        let mut walk = b.beside();
        self.apply(&mut walk, ops);
        // From the fork to the path's end.
        let mut nodes = vec![];
        let mut at = walk.node;
        while at != b.node {
            nodes.push(at);
            at = *self.plan.node(at).kind.inputs().first()?;
        }
        if let Some(looks_back) = nodes.iter().find(|n| matches!(self.plan.node(**n).kind, NodeKind::Lag { .. })) {
            let d = Diagnostic::new(Code::LagWithoutRecords, self.plan.node(*looks_back).span, "a path of a fork sees one record, and cannot look back");
            self.report(d.help("compute it in front of the fork: `.select(…, before: lag(x))`"));
            return None;
        }
        let path = self.as_one(b.node, &walk, nodes, name);
        self.forget_nodes(before);
        path
    }

    /// A path's nodes as one condition and one record over the fork's.
    fn as_one(&mut self, fork: NodeId, end: &StreamBuilder, nodes: Vec<NodeId>, name: &ast::Name) -> Option<Path> {
        let mut columns: Option<Vec<Expr>> = None;
        let mut conditions = vec![];
        for node in nodes.into_iter().rev() {
            match self.plan.node(node).kind.clone() {
                NodeKind::Filter { condition, .. } => conditions.push(self.over_fork(&condition, columns.as_deref(), name.span)?),
                NodeKind::Project { columns: made, .. } => {
                    columns = Some(made.iter().map(|c| self.over_fork(c, columns.as_deref(), name.span)).collect::<Option<_>>()?);
                }
                _ => return None,
            }
        }
        let schema = self.schema(end.node);
        let columns = columns.unwrap_or_else(|| self.schema(fork).places(name.span));
        let visible = schema.columns.iter().zip(columns).filter(|(c, _)| !c.hidden);
        let fields = visible.map(|(c, e)| (c.name.clone(), e)).collect();
        // Each condition is asked only if those before it hold, as in a stream.
        let span = name.span;
        let truth = |known| Expr::literal(Literal::Bool(known), Type::BOOL, span);
        let holds = conditions.into_iter().rev().fold(truth(true), |rest, condition| either(condition, rest, truth(false), span));
        Some(Path { name: name.clone(), holds, fields })
    }

    /// The expression with columns that the path made written out.
    fn over_fork(&mut self, e: &Expr, columns: Option<&[Expr]>, span: Span) -> Option<Expr> {
        let Some(columns) = columns else { return Some(e.clone()) };
        let mut fits = true;
        let made = e.map_places(&mut |place, e| match place {
            Place::Field { field, .. } => match columns.get(*field) {
                Some(column) if fits => {
                    fits = self.copies("the path's fields", Size::of(column), span);
                    column.clone()
                }
                _ => e.clone(),
            },
            _ => e.clone(),
        });
        fits.then_some(made)
    }

    /// The record with the paths' results beside its fields.
    fn beside(&mut self, b: &StreamBuilder, paths: Vec<Path>, all: bool, span: Span) -> Vec<(String, Expr)> {
        let schema = self.schema(b.node);
        let mut fields: Vec<(String, Expr)> = vec![];
        for (column, place) in schema.columns.iter().zip(schema.places(span)).filter(|(c, _)| !c.hidden) {
            if let Some(path) = paths.iter().find(|p| p.name.text == column.name) {
                let message = format!("the record has a field `{}` already", column.name);
                self.report(Diagnostic::new(Code::DuplicateField, path.name.span, message).help("give the path another name"));
                continue;
            }
            fields.push((column.name.clone(), place));
        }
        for path in paths {
            let record = packed(path.fields, span);
            let value = if all {
                record
            } else {
                let null = Expr::literal(Literal::Null, record.ty.with_null(true), span);
                either(path.holds, record, null, span)
            };
            fields.push((path.name.text, value));
        }
        fields
    }

    /// The fields of the first path that has a result; what it lacks is null.
    fn first_of(&mut self, paths: &[Path], span: Span) -> Vec<(String, Expr)> {
        let mut names: Vec<&str> = vec![];
        for (name, _) in paths.iter().flat_map(|p| &p.fields) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let mut fields = vec![];
        for name in names {
            let of = |path: &Path| path.fields.iter().find(|(n, _)| n == name).map(|(_, e)| e.clone());
            let null = || Expr::literal(Literal::Null, Type::new(Kind::Null).with_null(true), span);
            let mut values: Vec<Expr> = paths.iter().map(|p| of(p).unwrap_or_else(null)).collect();
            let Some(ty) = self.alike(&mut values, &format!("`{name}` of the paths"), span) else { continue };
            // One of the paths has a result: behind all others, the last.
            let value = paths.iter().zip(values).rev().fold(None, |rest: Option<Expr>, (path, value)| {
                Some(match rest {
                    None => value,
                    Some(rest) => Expr { ty: ty.clone(), ..either(path.holds.clone(), value, rest, span) },
                })
            });
            fields.extend(value.map(|value| (name.to_owned(), Expr { ty, ..value })));
        }
        fields
    }
}

/// `if condition then a else b`, of one type.
fn either(condition: Expr, then: Expr, otherwise: Expr, span: Span) -> Expr {
    let ty = then.ty.with_null(otherwise.ty.nullable);
    Expr { kind: ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty, span }
}

/// Whether so many paths have a result.
fn at_least(paths: &[Path], n: i64, span: Span) -> Expr {
    let int = |v| Expr::literal(Literal::Int(v), Type::INT, span);
    let both = |op, l, r, ty| Expr { kind: ExprKind::Binary(op, Box::new(l), Box::new(r)), ty, span };
    let holding = paths.iter().map(|p| p.holds.clone());
    let condition = if n == 1 {
        holding.reduce(|a, b| both(BinaryOp::Or, a, b, Type::BOOL))
    } else {
        let count = holding.map(|h| either(h, int(1), int(0), span)).reduce(|a, b| both(BinaryOp::Add, a, b, Type::INT));
        count.map(|count| both(BinaryOp::GreaterEqual, count, int(n), Type::BOOL))
    };
    condition.unwrap_or_else(|| Expr::literal(Literal::Bool(true), Type::BOOL, span))
}

fn packed(fields: Vec<(String, Expr)>, span: Span) -> Expr {
    let types = fields.iter().map(|(name, e)| (name.clone(), e.ty.clone())).collect();
    let values = fields.into_iter().map(|(_, e)| e).collect();
    Expr { kind: ExprKind::Pack(values), ty: Type::new(Kind::Record(Rc::new(RecordType { fields: types }))), span }
}
