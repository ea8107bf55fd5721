//! Makes bodies: values are shared within a region and the regions inside it, so that common subexpressions are computed once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use varpulis_abi::scalar::{Physical, Scalar};

use super::ir::{Arithmetic, Body, Comparison, Op, Region, SiteId, Statement, Value, ValueId, VariableId};
use crate::analysis::typed::Literal;

/// A body in the making.
#[derive(Default)]
pub struct Builder {
    values: Vec<Value>,
    /// Open regions, innermost last: their statements, and the values that can be shared in them.
    open: Vec<(Vec<Statement>, Known)>,
    /// What was computed that must not be again, by a number of its own, and in how many regions it stands.
    once: Vec<(u32, ValueId, usize)>,
    /// Gathers around what is being made: their numbers, and what they range over.
    elements: Vec<(u32, ValueId)>,
    /// How often variables were read.
    reads: u32,
}

/// The values of a region, by the hash of what they compute.
type Known = HashMap<u64, ValueId, BuildHasherDefault<AlreadyHashed>>;

/// Keys that are hashes themselves.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A type that is not null.
pub const fn plain(scalar: Scalar) -> Physical {
    Physical { scalar, nullable: false }
}

/// A type that may be null.
pub const fn nullable(scalar: Scalar) -> Physical {
    Physical { scalar, nullable: true }
}

impl Builder {
    /// An empty body.
    pub fn new() -> Self {
        Self { values: vec![], open: vec![(vec![], Known::default())], once: vec![], elements: vec![], reads: 0 }
    }

    /// The finished body.
    pub fn finish(mut self) -> Body {
        let statements = self.open.pop().map(|(s, _)| s).unwrap_or_default();
        Body { values: self.values, statements }
    }

    /// Adds a statement.
    pub fn statement(&mut self, statement: Statement) {
        if let Some((list, _)) = self.open.last_mut() {
            list.push(statement);
        }
    }

    /// Adds a value, or finds the equal one.
    pub fn value(&mut self, op: Op, ty: Physical) -> ValueId {
        let mut hasher = DefaultHasher::new();
        (&op, ty).hash(&mut hasher);
        let key = hasher.finish();
        let same = |id: &ValueId| {
            let value = self.get(*id);
            value.op == op && value.ty == ty
        };
        if let Some(found) = self.open.iter().rev().find_map(|(_, known)| known.get(&key).copied().filter(same)) {
            return found;
        }
        let owned = self.is_owned(&op, ty);
        let id = ValueId(self.values.len() as u32);
        self.values.push(Value { op, ty, owned });
        if let Some((list, known)) = self.open.last_mut() {
            list.push(Statement::Let(id));
            known.insert(key, id);
        }
        id
    }

    fn is_owned(&self, op: &Op, ty: Physical) -> bool {
        if !matches!(ty.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) {
            return false;
        }
        let owned = |v: &ValueId| self.get(*v).owned;
        match op {
            Op::Call { .. } | Op::Ask { .. } | Op::Pack(_) | Op::Gather { .. } | Op::Variable { .. } | Op::Run { .. } => true,
            Op::Wrap(v) => owned(v),
            Op::If { then, otherwise, .. } => [then, otherwise].iter().any(|r| r.result.is_some_and(|v| owned(&v) || self.borrows_from_inside(v, r))),
            _ => false,
        }
    }

    /// Whether a region's result is text borrowed from a value that ends with the region.
    fn borrows_from_inside(&self, v: ValueId, region: &Region) -> bool {
        if self.get(v).owned {
            return region.statements.iter().any(|s| matches!(s, Statement::Let(made) if *made == v));
        }
        match &self.get(v).op {
            Op::Wrap(of) | Op::Unwrap(of) | Op::Part { of, .. } => self.borrows_from_inside(*of, region),
            Op::If { then, otherwise, .. } => then.result.iter().chain(&otherwise.result).any(|v| self.borrows_from_inside(*v, region)),
            _ => false,
        }
    }

    /// A value made before.
    #[expect(clippy::indexing_slicing, reason = "ids come from this builder")]
    pub fn get(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// Its type.
    pub fn ty(&self, id: ValueId) -> Physical {
        self.get(id).ty
    }

    /// Runs `fill` with a fresh region and returns it; its values are seen only inside.
    pub fn region(&mut self, fill: impl FnOnce(&mut Self) -> Option<ValueId>) -> Region {
        self.open.push((vec![], Known::default()));
        let result = fill(self);
        let statements = self.open.pop().map(|(s, _)| s).unwrap_or_default();
        let open = self.open.len();
        self.once.retain(|(_, _, regions)| *regions <= open);
        Region { statements, result }
    }

    /// `if condition then a else b`; a constant condition chooses at once.
    pub fn choose(
        &mut self,
        condition: ValueId,
        ty: Physical,
        then: impl FnOnce(&mut Self) -> ValueId,
        otherwise: impl FnOnce(&mut Self) -> ValueId,
    ) -> ValueId {
        if let Op::Const(Literal::Bool(known)) = self.get(condition).op {
            return if known { then(self) } else { otherwise(self) };
        }
        let then = self.region(|b| Some(then(b)));
        let otherwise = self.region(|b| Some(otherwise(b)));
        self.value(Op::If { condition, then, otherwise }, ty)
    }

    /// A constant.
    pub fn constant(&mut self, literal: Literal, scalar: Scalar) -> ValueId {
        match literal {
            Literal::Null => self.value(Op::Null, nullable(scalar)),
            _ => self.value(Op::Const(literal), plain(scalar)),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> ValueId {
        self.constant(Literal::Bool(value), Scalar::Bool)
    }

    /// An integer.
    pub fn int(&mut self, value: i64) -> ValueId {
        self.constant(Literal::Int(value), Scalar::Int)
    }

    /// A float.
    pub fn float(&mut self, value: f64) -> ValueId {
        self.constant(Literal::Float(value), Scalar::Float)
    }

    /// Whether it is null; of a value that cannot be, `false`.
    pub fn is_null(&mut self, v: ValueId) -> ValueId {
        match (&self.get(v).op, self.ty(v).nullable) {
            (Op::Null, _) => self.boolean(true),
            (Op::Wrap(_), _) | (_, false) => self.boolean(false),
            _ => self.value(Op::IsNull(v), plain(Scalar::Bool)),
        }
    }

    /// The value without null.
    pub fn unwrap(&mut self, v: ValueId) -> ValueId {
        match (&self.get(v).op, self.ty(v)) {
            (Op::Wrap(inner), _) => *inner,
            (_, Physical { nullable: false, .. }) => v,
            // Null itself is asked for its value only where it is known not to be null, that is nowhere.
            (Op::Null, Physical { scalar, .. }) => match zero(scalar) {
                Some(zero) => self.constant(zero, scalar),
                None => self.value(Op::Unwrap(v), plain(scalar)),
            },
            (_, Physical { scalar, .. }) => self.value(Op::Unwrap(v), plain(scalar)),
        }
    }

    /// The value as a nullable.
    pub fn wrap(&mut self, v: ValueId) -> ValueId {
        let ty = self.ty(v);
        if ty.nullable { v } else { self.value(Op::Wrap(v), nullable(ty.scalar)) }
    }

    /// The value as nullable or not, as the type says.
    pub fn fit(&mut self, v: ValueId, ty: Physical) -> ValueId {
        if ty.nullable { self.wrap(v) } else { self.unwrap(v) }
    }

    /// `not`
    pub fn not(&mut self, v: ValueId) -> ValueId {
        match self.get(v).op {
            Op::Const(Literal::Bool(b)) => self.boolean(!b),
            Op::Not(inner) => inner,
            _ => self.value(Op::Not(v), plain(Scalar::Bool)),
        }
    }

    /// `a and b` of bools that are not null; `b` is evaluated only if `a` is true.
    pub fn and(&mut self, a: ValueId, b: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        self.choose(a, plain(Scalar::Bool), b, |s| s.boolean(false))
    }

    /// `a or b` of bools that are not null; `b` is evaluated only if `a` is false.
    pub fn or(&mut self, a: ValueId, b: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        self.choose(a, plain(Scalar::Bool), |s| s.boolean(true), b)
    }

    /// Whether a bool is true; null is not.
    pub fn is_true(&mut self, v: ValueId) -> ValueId {
        match (&self.get(v).op, self.ty(v).nullable) {
            (Op::Wrap(inner), _) => *inner,
            (Op::Null, _) => self.boolean(false),
            (_, false) => v,
            (_, true) => self.value(Op::IsTrue(v), plain(Scalar::Bool)),
        }
    }

    /// A comparison of values that are not null.
    pub fn compare(&mut self, op: Comparison, left: ValueId, right: ValueId) -> ValueId {
        if let (Op::Const(l), Op::Const(r)) = (&self.get(left).op, &self.get(right).op)
            && let Some(known) = crate::evaluate::comparison(op, l, r)
        {
            return self.boolean(known);
        }
        // NaN is unequal to everything, and in no order with it.
        let is_nan = |v: ValueId| matches!(self.get(v).op, Op::Const(Literal::Float(v)) if v.is_nan());
        if is_nan(left) || is_nan(right) {
            return self.boolean(op == Comparison::NotEqual);
        }
        // No variant stands before the first one.
        let is_first = |v: ValueId| matches!(self.get(v).op, Op::Const(Literal::Enum(0)));
        match op {
            Comparison::GreaterEqual if is_first(right) => return self.boolean(true),
            Comparison::LessEqual if is_first(left) => return self.boolean(true),
            Comparison::Less if is_first(right) => return self.boolean(false),
            Comparison::Greater if is_first(left) => return self.boolean(false),
            _ => {}
        }
        self.value(Op::Compare { op, left, right }, plain(Scalar::Bool))
    }

    /// Arithmetic on values that are not null.
    pub fn arithmetic(&mut self, op: Arithmetic, left: ValueId, right: ValueId, result: Scalar, site: SiteId) -> ValueId {
        self.value(Op::Arithmetic { op, left, right, site }, plain(result))
    }

    /// For each element of a packed value that `keep` keeps, what `body` makes of it.
    pub fn gather(
        &mut self,
        (of, index): (ValueId, u32),
        keep: Option<impl FnOnce(&mut Self) -> ValueId>,
        body: impl FnOnce(&mut Self) -> ValueId,
        site: SiteId,
    ) -> ValueId {
        self.elements.push((index, of));
        let keep = keep.map(|keep| self.region(|b| Some(keep(b))));
        let body = self.region(|b| Some(body(b)));
        self.elements.pop();
        let grows = body.result.is_some_and(|v| self.ty(v).scalar.is_text());
        self.value(Op::Gather { of, index, keep, body, site, grows }, plain(Scalar::Packed))
    }

    /// The element at hand in the [`gather`](Self::gather) of that number.
    pub fn element(&mut self, index: u32, ty: Physical) -> ValueId {
        match self.elements.iter().rev().find(|(open, _)| *open == index).copied() {
            Some((_, of)) => {
                let at = self.value(Op::Index(index), plain(Scalar::Int));
                self.value(Op::Part { of, at }, ty)
            }
            None => self.value(Op::Null, nullable(ty.scalar)),
        }
    }

    /// A variable's value as it is now; no other reading shares it.
    pub fn variable(&mut self, variable: VariableId, ty: Physical) -> ValueId {
        self.reads += 1;
        self.value(Op::Variable { variable, read: self.reads }, ty)
    }

    /// What `make` computes, which is computed once however often it stands in an expression.
    pub fn once(&mut self, number: u32, make: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        if let Some((_, made, _)) = self.once.iter().find(|(n, _, _)| *n == number) {
            return *made;
        }
        let made = make(self);
        self.once.push((number, made, self.open.len()));
        made
    }

    /// Whether any of the values is null.
    pub fn any_null(&mut self, values: &[ValueId]) -> ValueId {
        let mut result = self.boolean(false);
        for v in values {
            if self.ty(*v).nullable {
                let null = self.is_null(*v);
                result = if matches!(self.get(result).op, Op::Const(Literal::Bool(false))) { null } else { self.or(result, |_| null) };
            }
        }
        result
    }
}

/// A value of the type, where a literal can be one.
fn zero(scalar: Scalar) -> Option<Literal> {
    Some(match scalar {
        Scalar::Int => Literal::Int(0),
        Scalar::Float => Literal::Float(0.0),
        Scalar::Decimal => Literal::Decimal(0),
        Scalar::Bool => Literal::Bool(false),
        Scalar::Text => Literal::Str(String::new()),
        Scalar::Timestamp => Literal::Timestamp(0),
        Scalar::Duration => Literal::Duration(0),
        Scalar::Enum => Literal::Enum(0),
        Scalar::Json | Scalar::Packed | Scalar::Wide => return None,
    })
}
