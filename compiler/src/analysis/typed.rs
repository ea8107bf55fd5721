//! Typed expressions: names resolved, types known, implicit conversions written out. Null is still implicit: lowering makes it explicit.

use std::fmt;

use super::run::Run;
use super::types::{Kind, Type};
use crate::functions::Function;
use crate::lower::ir::VariableId;
use crate::syntax::ast::{BinaryOp, Span, UnaryOp};

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Where it stands in the program.
    pub span: Span,
}

/// A value known at compile time. Floats are equal if their bits are: 0 and −0 are two constants.
#[derive(Clone, Debug)]
pub enum Literal {
    /// `null` of the expression's type.
    Null,
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `decimal`: the digits as an integer; the type says how many are decimals.
    Decimal(i128),
    /// `bool`
    Bool(bool),
    /// `str`
    Str(String),
    /// `timestamp` in ns.
    Timestamp(i64),
    /// `duration` in ns.
    Duration(i64),
    /// An enum's variant, by place.
    Enum(u32),
}

impl Literal {
    /// Its bits, if it is a number of any kind.
    fn bits(&self) -> Option<u128> {
        match self {
            Literal::Null | Literal::Str(_) => None,
            Literal::Decimal(v) => Some(v.cast_unsigned()),
            Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => Some(u128::from(v.cast_unsigned())),
            Literal::Float(v) => Some(u128::from(v.to_bits())),
            Literal::Bool(v) => Some(u128::from(*v)),
            Literal::Enum(v) => Some(u128::from(*v)),
        }
    }

    fn text(&self) -> Option<&str> {
        if let Literal::Str(text) = self { Some(text) } else { None }
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.bits() == other.bits() && self.text() == other.text()
    }
}

impl Eq for Literal {}

impl std::hash::Hash for Literal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        self.bits().hash(state);
        self.text().hash(state);
    }
}

/// Where a value is read from; what it means belongs to the plan node that holds the expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A field of an input's record: of a pattern's step, the newest event that took it.
    Field {
        /// Which input (join side, pattern step); 0 where there is one.
        input: usize,
        /// The field's index in that input's schema.
        field: usize,
    },
    /// The event time of an input's record.
    Ts {
        /// Which input.
        input: usize,
    },
    /// A field of the first element of a Kleene step.
    First {
        /// The step.
        input: usize,
        /// The field's index.
        field: usize,
    },
    /// The event time of the first element of a Kleene step.
    FirstTs {
        /// The step.
        input: usize,
    },
    /// The result of an aggregate of the node.
    Aggregate(usize),
    /// A key of the node's partition.
    Key(usize),
    /// The window's start.
    WindowStart,
    /// The window's end.
    WindowEnd,
    /// A `param` or `let` of the program.
    Global(usize),
    /// Whether a late record changed a window's row that had been told.
    Updated,
    /// The current event time.
    Now,
    /// The machine's time, as it is read at one place of the program.
    WallClock(u32),
}

/// The forms of a typed expression. Operands have the types their operator needs.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A value read from somewhere.
    Place(Place),
    /// `-x`, `~x`, `not x`.
    Unary(UnaryOp, Box<Expr>),
    /// Two operands of equal kind; for `??` the left one is nullable.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `int → float`.
    ToFloat(Box<Expr>),
    /// `x is null`.
    IsNull(Box<Expr>),
    /// `if c then a else b`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x in [a, b]`.
    In(Box<Expr>, Vec<Expr>),
    /// A run-time function.
    Call(Function, Vec<Expr>),
    /// An array, tuple, map (keys and values in turn) or record of these.
    Pack(Vec<Expr>),
    /// A part of such a value, by its place from 0; null where there is none, so that the type is nullable unless there always is.
    Part(Box<Expr>, Box<Expr>),
    /// The element at hand, inside the gather of that number.
    Element(u32),
    /// An array of what is made of each element of another.
    Gather(Box<Gather>),
    /// A variable of the function around it, by its number.
    Variable(u32),
    /// The value that a function's statements come to.
    Run(Box<Run>),
}

/// `.filter` and `.map` of an array.
#[derive(Clone, Debug)]
pub struct Gather {
    /// Its number, by which [`ExprKind::Element`] names it.
    pub number: u32,
    /// The array.
    pub of: Expr,
    /// Which elements count; all if there is no condition.
    pub keep: Option<Expr>,
    /// What an element becomes.
    pub value: Expr,
}

impl Expr {
    /// A constant.
    pub fn literal(value: Literal, ty: Type, span: Span) -> Self {
        Self { kind: ExprKind::Literal(value), ty, span }
    }
    /// A place.
    pub fn place(place: Place, ty: Type, span: Span) -> Self {
        Self { kind: ExprKind::Place(place), ty, span }
    }
    /// The stand-in for a wrong expression.
    pub fn error(span: Span) -> Self {
        Self::literal(Literal::Null, Type::ERROR, span)
    }
    /// The place, if it is one.
    pub fn as_place(&self) -> Option<&Place> {
        match &self.kind {
            ExprKind::Place(place) => Some(place),
            _ => None,
        }
    }
    /// The constant, if it is one.
    pub fn as_literal(&self) -> Option<&Literal> {
        match &self.kind {
            ExprKind::Literal(l) => Some(l),
            _ => None,
        }
    }
    /// Calls `visit` with every place it reads.
    pub fn places(&self, visit: &mut impl FnMut(&Place)) {
        if let ExprKind::Place(p) = &self.kind {
            visit(p);
        }
        self.children(&mut |c| c.places(visit));
    }
    /// Whether it reads anything: a constant does not.
    pub fn reads_something(&self) -> bool {
        let mut reads = false;
        self.places(&mut |_| reads = true);
        reads || self.touches_state()
    }
    /// Whether it reads or changes what other records see, the program's state, or reads the machine's clock. When and how often it is computed matters then.
    pub fn touches_state(&self) -> bool {
        let mine = match &self.kind {
            ExprKind::Variable(number) => VariableId(*number).state().is_some(),
            ExprKind::Place(Place::WallClock(_)) => true,
            ExprKind::Run(run) => run.changes_state(),
            _ => false,
        };
        let mut touches = mine;
        self.children(&mut |c| touches |= c.touches_state());
        touches
    }
    /// Calls `visit` with every direct part.
    pub fn children(&self, visit: &mut impl FnMut(&Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Place(_) | ExprKind::Element(_) | ExprKind::Variable(_) => {}
            ExprKind::Unary(_, a) | ExprKind::ToFloat(a) | ExprKind::IsNull(a) => visit(a),
            ExprKind::Binary(_, a, b) => {
                visit(a);
                visit(b);
            }
            ExprKind::If(a, b, c) => {
                visit(a);
                visit(b);
                visit(c);
            }
            ExprKind::In(a, list) => {
                visit(a);
                list.iter().for_each(visit);
            }
            ExprKind::Call(_, args) | ExprKind::Pack(args) => args.iter().for_each(visit),
            ExprKind::Part(of, at) => {
                visit(of);
                visit(at);
            }
            ExprKind::Gather(gather) => {
                visit(&gather.of);
                gather.keep.iter().for_each(&mut *visit);
                visit(&gather.value);
            }
            ExprKind::Run(run) => run.expressions(visit),
        }
    }
    /// The same expression with every direct part replaced.
    pub fn map_children(&self, change: &mut impl FnMut(&Expr) -> Expr) -> Expr {
        let kind = match &self.kind {
            ExprKind::Literal(_) | ExprKind::Place(_) | ExprKind::Element(_) | ExprKind::Variable(_) => self.kind.clone(),
            ExprKind::Unary(op, a) => ExprKind::Unary(*op, Box::new(change(a))),
            ExprKind::ToFloat(a) => ExprKind::ToFloat(Box::new(change(a))),
            ExprKind::IsNull(a) => ExprKind::IsNull(Box::new(change(a))),
            ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, Box::new(change(a)), Box::new(change(b))),
            ExprKind::If(a, b, c) => ExprKind::If(Box::new(change(a)), Box::new(change(b)), Box::new(change(c))),
            ExprKind::In(a, list) => ExprKind::In(Box::new(change(a)), list.iter().map(&mut *change).collect()),
            ExprKind::Call(f, args) => ExprKind::Call(*f, args.iter().map(&mut *change).collect()),
            ExprKind::Pack(items) => ExprKind::Pack(items.iter().map(&mut *change).collect()),
            ExprKind::Part(of, at) => ExprKind::Part(Box::new(change(of)), Box::new(change(at))),
            ExprKind::Gather(gather) => ExprKind::Gather(Box::new(Gather {
                number: gather.number,
                of: change(&gather.of),
                keep: gather.keep.as_ref().map(&mut *change),
                value: change(&gather.value),
            })),
            ExprKind::Run(run) => ExprKind::Run(Box::new(run.map(change))),
        };
        Expr { kind, ty: self.ty.clone(), span: self.span }
    }
    /// The same expression with every place replaced by what `change` says.
    pub fn map_places(&self, change: &mut dyn FnMut(&Place, &Expr) -> Expr) -> Expr {
        match &self.kind {
            ExprKind::Place(p) => change(p, self),
            _ => self.map_children(&mut |c| c.map_places(change)),
        }
    }
    /// The parts joined by `and`, in order.
    pub fn conjuncts(self) -> Vec<Expr> {
        match self.kind {
            ExprKind::Binary(BinaryOp::And, a, b) => {
                let mut all = a.conjuncts();
                all.extend(b.conjuncts());
                all
            }
            _ => vec![self],
        }
    }
    /// The parts joined by `and` again; `true` if there are none.
    pub fn all(parts: Vec<Expr>, span: Span) -> Expr {
        parts
            .into_iter()
            .reduce(|a, b| Expr {
                ty: Type::BOOL.with_null(a.ty.nullable || b.ty.nullable),
                span: a.span.to(b.span),
                kind: ExprKind::Binary(BinaryOp::And, Box::new(a), Box::new(b)),
            })
            .unwrap_or_else(|| Expr::literal(Literal::Bool(true), Type::BOOL, span))
    }
}

/// The text of an operator.
pub fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Power => "**",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitXor => "^",
        BinaryOp::BitOr => "|",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::And => "and",
        BinaryOp::Xor => "xor",
        BinaryOp::Or => "or",
        BinaryOp::Coalesce => "??",
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Int(v) => write!(f, "{v}"),
            Literal::Float(v) => write!(f, "{v:?}"),
            Literal::Decimal(v) => write!(f, "{v}d"),
            Literal::Bool(v) => write!(f, "{v}"),
            Literal::Str(v) => write!(f, "{v:?}"),
            Literal::Timestamp(v) => write!(f, "@{v}ns"),
            Literal::Duration(v) => write!(f, "{v}ns"),
            Literal::Enum(v) => write!(f, "#{v}"),
        }
    }
}

impl Kind {
    /// Whether a field of that kind can be a key.
    pub fn is_key(&self) -> bool {
        !matches!(self, Kind::Array(_) | Kind::Map(..) | Kind::Tuple(_) | Kind::Record(_))
    }
}
