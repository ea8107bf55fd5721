//! Joins: their conditions, the equalities among them that become keys, and how far apart in time their members may be.

use std::collections::HashMap;
use std::rc::Rc;

use super::Analyzer;
use super::decimals::widened;
use super::scope::{Inside, Scope, ScopeInput};
use super::streams::StreamBuilder;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use crate::diagnostics::{Code, Diagnostic};
use crate::optimize::can_fail;
use crate::plan::logical::{Column, NodeId, NodeKind, Outer, Schema};
use crate::syntax::ast::{self, BinaryOp, JoinKind, Span};

impl<'a> Analyzer<'a> {
    /// The inputs of a join, each with names that are no other's.
    fn join_inputs(&mut self, name: &str, args: &'a [ast::StreamArg]) -> Option<Vec<StreamBuilder>> {
        let mut inputs = self.stream_args(name, args)?;
        let mut own: Vec<&String> = vec![];
        for (input, arg) in inputs.iter().zip(args) {
            let Some(name) = input.names.first() else {
                let d = Diagnostic::new(Code::PatternAlias, arg.span, "this input of the join has no name, by which its fields could be read");
                self.report(d.help("give it one in front: `stream a = …`"));
                return None;
            };
            if own.contains(&name) {
                let d = Diagnostic::new(Code::PatternAlias, arg.span, format!("two inputs of the join are called `{name}`"));
                let d = match arg.source.named() {
                    Some(source) => d.help(format!("give each a name of its own: `{0} as a, {0} as b`", source.text)),
                    None => d.help("give each a name of its own: `… as a, … as b`"),
                };
                self.report(d);
                return None;
            }
            own.push(name);
        }
        // What several are called names none, but for the one whose own name it is.
        let mut holders: HashMap<String, usize> = HashMap::new();
        inputs.iter().flat_map(|input| &input.names).for_each(|name| *holders.entry(name.clone()).or_default() += 1);
        for input in &mut inputs {
            let own = input.names.first().cloned();
            input.names.retain(|n| own.as_ref() == Some(n) || holders.get(n) == Some(&1));
        }
        Some(inputs)
    }

    /// A join's condition and window, and how many operators say them.
    fn join_operators(&mut self, kind: JoinKind, ops: &'a [ast::Op], at: Span) -> Option<(&'a ast::Expr, Option<i64>, usize)> {
        let mut taken = 0;
        // Outer: whether it is written; inner: whether it is right.
        let mut condition: Option<Option<&ast::Expr>> = None;
        let mut window: Option<Option<i64>> = None;
        for op in ops {
            match op.name.text.as_str() {
                "on" if condition.is_none() => {
                    condition = Some(if self.check_args(op, &[], 1, 1) { self.positional(op).first().copied() } else { None });
                }
                // A further window is one over the joined records.
                "window" if kind != JoinKind::Latest && window.is_none() => {
                    let size = if self.check_args(op, &[], 1, 1) { self.positional(op).first().copied() } else { None };
                    window = Some(size.and_then(|e| self.constant_span(e, "a join's window", 0)));
                }
                _ => break,
            }
            taken += 1;
        }
        if condition == Some(None) || window == Some(None) {
            return None;
        }
        let window = window.flatten();
        let Some(condition) = condition.flatten() else {
            self.report(Diagnostic::new(Code::JoinCondition, at, "a join needs a condition").help("as in `.on(A.key == B.key)`"));
            return None;
        };
        if kind != JoinKind::Latest && window.is_none() {
            self.report(
                Diagnostic::new(Code::JoinCondition, at, "a join needs a window: how far apart in time its members may be").help("as in `.window(5m)`"),
            );
            return None;
        }
        Some((condition, window, taken))
    }

    pub(crate) fn join(&mut self, name: &str, kind: JoinKind, args: &'a [ast::StreamArg], ops: &'a [ast::Op], at: Span, span: Span) -> Option<StreamBuilder> {
        if args.len() < 2 {
            self.report(Diagnostic::new(Code::MissingArgument, at, "a join has two inputs or more").help("as in `join(A, B).on(A.key == B.key).window(5m)`"));
            return None;
        }
        if args.len() > 2 && kind != JoinKind::Inner {
            let d = Diagnostic::new(Code::WrongArgumentCount, at, "only `join` takes more than two inputs");
            self.report(d.help("join two, then join the result with the third"));
            return None;
        }
        let sides = self.join_inputs(name, args)?;
        let input = |(i, b): (usize, &StreamBuilder)| ScopeInput::new(i, b.names.clone(), self.schema(b.node));
        let inputs: Vec<ScopeInput> = sides.iter().enumerate().map(input).collect();
        let (condition, window, taken) = self.join_operators(kind, ops, at)?;
        let typed = self.condition(condition, &mut Scope { inputs: inputs.clone(), ..Scope::default() });
        let typed = self.without_state(typed);
        let keeps = [matches!(kind, JoinKind::Left | JoinKind::Full), matches!(kind, JoinKind::Right | JoinKind::Full)];
        let mut joining = Joining { a: self, name, at, condition, window, sides: &sides, inputs, open: typed.conjuncts(), members: vec![], keeps };
        let (node, filter) = joining.run()?;
        let inputs = joining.inputs;
        let names = vec![name.to_owned()];
        let mut b = StreamBuilder { inputs, firing: Some(node), taken, ..StreamBuilder::new(name, node, names, span) };
        if let Some(condition) = filter {
            self.chain(&mut b, NodeKind::Filter { input: node, condition }, at);
        }
        Some(b)
    }
}

/// A join on its way: of two inputs, then of their pairs with the third, and so on. The records of one such join are all columns of its members.
struct Joining<'j, 'a> {
    a: &'j mut Analyzer<'a>,
    name: &'j str,
    at: Span,
    condition: &'j ast::Expr,
    window: Option<i64>,
    sides: &'j [StreamBuilder],
    /// By number; from the end on with their places in what fires.
    inputs: Vec<ScopeInput>,
    /// What is still to be fulfilled, over the inputs' own places.
    open: Vec<Expr>,
    /// The inputs that are joined so far.
    members: Vec<usize>,
    keeps: [bool; 2],
}

impl Joining<'_, '_> {
    /// The last join, and what its pairs must fulfil.
    fn run(&mut self) -> Option<(NodeId, Option<Expr>)> {
        self.members.push(0);
        let mut node = self.sides.first()?.node;
        loop {
            let next = self.next()?;
            let is_last = self.members.len() + 1 == self.sides.len();
            let (joined, filter) = self.join_with(node, next, is_last)?;
            if is_last {
                return Some((joined, filter));
            }
            let joined = match filter {
                Some(condition) => self.a.add_node(NodeKind::Filter { input: joined, condition }, Schema::default(), self.name, self.at),
                None => joined,
            };
            node = self.members_of(joined, next);
        }
    }

    /// An input that an equality ties to the members; else the first that is left.
    fn next(&self) -> Option<usize> {
        let left: Vec<usize> = (0..self.sides.len()).filter(|input| !self.members.contains(input)).collect();
        let tied = left.iter().find(|next| self.open.iter().any(|part| equality_of_sides(&self.over(part, **next)).is_some()));
        tied.or(left.first()).copied()
    }

    /// An expression over what is joined so far (input 0) and the next input (1).
    fn over(&self, part: &Expr, next: usize) -> Expr {
        part.map_places(&mut |place, e| {
            let place = match place {
                Place::Field { input, field } if *input == next => Place::Field { input: 1, field: *field },
                Place::Ts { input } if *input == next => Place::Ts { input: 1 },
                Place::Field { input, field } => self.place(*input, |input| input.field(*field)),
                Place::Ts { input } => self.place(*input, ScopeInput::ts),
                other => other.clone(),
            };
            Expr { kind: ExprKind::Place(place), ..e.clone() }
        })
    }

    /// A place of a member; of an input that is none yet, one that no join has.
    fn place(&self, input: usize, of: impl Fn(&ScopeInput) -> Place) -> Place {
        match self.inputs.get(input) {
            Some(member) if self.members.contains(&input) => of(&ScopeInput { input: 0, ..member.clone() }),
            _ => Place::Ts { input: usize::MAX },
        }
    }

    fn join_with(&mut self, left: NodeId, next: usize, is_last: bool) -> Option<(NodeId, Option<Expr>)> {
        let right = self.sides.get(next)?.node;
        // Time first: what lies too far apart is no combination that could refuse.
        let (mut left_keys, mut right_keys, mut rest, mut later) = (vec![], vec![], self.all_within(next), vec![]);
        for part in std::mem::take(&mut self.open) {
            let mapped = self.over(&part, next);
            let mut known = true;
            mapped.places(&mut |place| known &= !matches!(place, Place::Ts { input: usize::MAX }));
            match equality_of_sides(&mapped) {
                _ if !known => later.push(part),
                Some((a, b)) => {
                    // As a key NaN is like itself, and it is equal to nothing.
                    if [&a, &b].iter().all(|side| side.ty.kind == Kind::Float && !matches!(side.kind, ExprKind::ToFloat(_))) {
                        rest.push(mapped);
                    }
                    left_keys.push(a);
                    right_keys.push(b);
                }
                // What refuses takes away whole combinations, once they are whole.
                None if !is_last && can_fail(&mapped) => later.push(part),
                None => rest.push(mapped),
            }
        }
        self.open = later;
        if left_keys.is_empty() && rest.iter().all(|part| part.ty.kind != Kind::Error) {
            let of = self.inputs.get(next).and_then(|input| input.names.first()).filter(|_| self.sides.len() > 2);
            let message = of.map_or_else(
                || "this join has no equality: every record is compared with all others in the window".to_owned(),
                |of| format!("no equality ties `{of}` to the others: every record of it is compared with all others in the window"),
            );
            let d = Diagnostic::new(Code::CrossJoin, self.condition.span, message);
            let computed = rest.iter().any(|part| matches!(part.kind, ExprKind::Binary(BinaryOp::Equal, ..)) && can_fail(part));
            self.a.report(match computed {
                true => {
                    d.note("an equality with a side that can refuse, as `1 / a.n` can, is no key").help("compute it in a stream in front: `.select(…, key: …)`")
                }
                false => d.help("add an equality between the two sides, as in `A.key == B.key`"),
            });
        }
        let key_columns: Vec<Column> =
            left_keys.iter().enumerate().map(|(i, k): (usize, &Expr)| Column { name: format!("key{}", i + 1), ty: k.ty.clone(), hidden: true }).collect();
        let mut filter = (!rest.is_empty()).then(|| Expr::all(rest, self.condition.span));
        let outer = (self.keeps != [false, false]).then(|| Outer { keeps: self.keeps, condition: filter.clone() });
        if outer.is_some() {
            // A record of which one side is missing has been through the condition with every other; what refuses is told behind the join.
            filter = filter.filter(can_fail).map(|filter| unless_alone(filter, self.keeps));
            for (input, missing) in self.inputs.iter_mut().zip([self.keeps[1], self.keeps[0]]) {
                if missing {
                    input.optional = true;
                    input.schema = Rc::new(with_nulls(&input.schema));
                }
            }
        }
        if is_last {
            for (number, input) in self.inputs.iter_mut().enumerate() {
                input.input = usize::from(number == next);
            }
        }
        let kind = NodeKind::Join { left, right, left_keys, right_keys, key_columns, span: self.window, outer };
        Some((self.a.add_node(kind, Schema::default(), self.name, self.at), filter))
    }

    /// That the next record is no further behind any member than the window: the newest of them is what the join itself looks at.
    fn all_within(&self, next: usize) -> Vec<Expr> {
        let (Some(window), true) = (self.window, self.members.len() > 1) else { return vec![] };
        let span = self.condition.span;
        let ts = |place: Place| Expr::place(place, Type::TIMESTAMP, span);
        let within = |member: &usize| {
            let duration = Type::new(Kind::Duration);
            let behind = ExprKind::Binary(BinaryOp::Subtract, Box::new(ts(Place::Ts { input: next })), Box::new(ts(Place::Ts { input: *member })));
            let behind = Expr { kind: behind, ty: duration.clone(), span };
            let most = Expr::literal(Literal::Duration(window), duration, span);
            self.over(&Expr { kind: ExprKind::Binary(BinaryOp::LessEqual, Box::new(behind), Box::new(most)), ty: Type::BOOL, span }, next)
        };
        self.members.iter().map(within).collect()
    }

    /// The records of a join that is joined again: all columns and times of its members.
    fn members_of(&mut self, joined: NodeId, next: usize) -> NodeId {
        let (mut columns, mut exprs): (Vec<Column>, Vec<Expr>) = (vec![], vec![]);
        self.members.push(next);
        for member in self.members.clone() {
            let Some(input) = self.inputs.get(member).cloned() else { continue };
            let now = ScopeInput { input: usize::from(member == next), ..input.clone() };
            let prefix = input.names.first().cloned().unwrap_or_default();
            let offset = columns.len();
            let mut add = |name: &str, ty: Type, place: Place| {
                let name = format!("{prefix}_{name}");
                let taken = columns.iter().any(|column| column.name == name);
                let name = if taken { format!("{name}_{}", columns.len()) } else { name };
                columns.push(Column { name, ty: ty.clone(), hidden: true });
                exprs.push(Expr::place(place, ty, self.at));
            };
            for (field, column) in input.schema.columns.iter().enumerate() {
                add(&column.name, column.ty.clone(), now.field(field));
            }
            add("ts", Type::TIMESTAMP, now.ts());
            let ts = columns.len() - 1;
            if let Some(input) = self.inputs.get_mut(member) {
                input.inside = Some(Inside { offset, ts });
            }
        }
        self.a.add_node(NodeKind::Project { input: joined, columns: exprs }, Schema { columns, open: None }, self.name, self.at)
    }
}

/// The columns of a record that may be missing.
fn with_nulls(schema: &Schema) -> Schema {
    let columns = schema.columns.iter().map(|column| Column { ty: column.ty.with_null(true), ..column.clone() });
    Schema { columns: columns.collect(), open: schema.open }
}

/// The condition, where both records are there.
fn unless_alone(condition: Expr, keeps: [bool; 2]) -> Expr {
    let span = condition.span;
    let is_missing = |input: usize| {
        let ts = Expr::place(Place::Ts { input }, Type::TIMESTAMP.with_null(true), span);
        Expr { kind: ExprKind::IsNull(Box::new(ts)), ty: Type::BOOL, span }
    };
    let missing = [keeps[1], keeps[0]].into_iter().enumerate().filter(|(_, may)| *may).map(|(input, _)| is_missing(input));
    missing.fold(condition, |condition, alone| Expr {
        ty: condition.ty.clone(),
        kind: ExprKind::Binary(BinaryOp::Or, Box::new(alone), Box::new(condition)),
        span,
    })
}

/// `left expression == right expression`, if that is what it is.
fn equality_of_sides(e: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Binary(BinaryOp::Equal, a, b) = &e.kind else { return None };
    // What can refuse, a hash cannot: such an equality stays a condition.
    if !is_hashed(a) || !is_hashed(b) {
        return None;
    }
    let side = |e: &Expr| {
        let (mut left, mut right, mut other) = (false, false, false);
        e.places(&mut |p| match p {
            Place::Field { input: 0, .. } | Place::Ts { input: 0 } => left = true,
            Place::Field { input: 1, .. } | Place::Ts { input: 1 } => right = true,
            Place::Global(_) => {}
            _ => other = true,
        });
        (left, right, other)
    };
    match (side(a), side(b)) {
        ((true, false, false), (false, true, false)) => Some((a.as_ref().clone(), b.as_ref().clone())),
        ((false, true, false), (true, false, false)) => Some((b.as_ref().clone(), a.as_ref().clone())),
        _ => None,
    }
}

/// Whether a hash can stand for the value.
fn is_hashed(e: &Expr) -> bool {
    let place = match &e.kind {
        ExprKind::ToFloat(inner) => inner,
        _ => widened(e).unwrap_or(e),
    };
    place.as_place().is_some() || (e.ty.kind.is_key() && !can_fail(e))
}
