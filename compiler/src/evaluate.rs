//! The evaluator of lowered code: folds constants, and serves tests as a witness beside the backends.
//!
//! It knows operations, and of the run-time functions those that are one call of the standard library; a call of another is "not known here".

mod decimals;
mod functions;

use std::collections::HashMap;

use varpulis_abi::packed::{self, Cell, Packed, Packer};
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use crate::analysis::typed::{Expr, Literal, Place};
use crate::analysis::types::Type;
use crate::lower::builder::Builder;
use crate::lower::expression::{Context, lower};
use crate::lower::ir::{Arithmetic, Body, ChainId, Comparison, Label, Op, Read, RecordId, Region, RowSource, SiteId, Statement, ValueId, VariableId};
use crate::syntax::ast::Span;

/// How many bytes a computed text may have: texts that are put together of themselves double with every line of a program.
pub const LONGEST_TEXT: usize = 100_000;

/// How often loops may begin again while a constant is computed: what takes longer is computed at run time. A program may have many.
pub const MOST_ROUNDS: u32 = 20_000;

/// Why an expression has no value at compile time though all of it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Computing it fails.
    Fails(Reason),
    /// It is a text longer than `LONGEST_TEXT`.
    TooLong,
}

/// Why there is no value.
enum Stop {
    /// It depends on something that is not known here.
    Unknown,
    /// It refuses.
    Refused(Reason),
    /// A text would be too long.
    TooLong,
    /// A condition keeps the row from what follows.
    Dropped,
    /// A block of statements is left.
    Left(Label),
}

/// Lowering without places: reading one makes the value unknown.
struct NoPlaces;

impl Context for NoPlaces {
    fn place(&mut self, b: &mut Builder, _: &Place, ty: &Type) -> ValueId {
        let ty = crate::lower::expression::physical(ty);
        b.value(Op::Global(usize::MAX), ty)
    }
    fn site(&mut self, _: Span) -> SiteId {
        SiteId(0)
    }
}

/// The value of an expression that reads nothing; `None` if it is not known at compile time.
///
/// # Errors
/// Computing it refuses, as an overflow does, or makes too long a text.
pub fn constant(e: &Expr) -> Result<Option<Literal>, Refusal> {
    if e.touches_state() {
        return Ok(None);
    }
    let mut b = Builder::new();
    let value = lower(&mut b, &mut NoPlaces, e);
    b.statement(Statement::Return(value));
    let body = b.finish();
    let mut machine = Machine::new(&body, &Nothing);
    match machine.list(&body.statements) {
        Ok(v) => Ok(v),
        Err(Stop::Unknown | Stop::Dropped | Stop::Left(_)) => Ok(None),
        Err(Stop::Refused(reason)) => Err(Refusal::Fails(reason)),
        Err(Stop::TooLong) => Err(Refusal::TooLong),
    }
}

/// What surrounds a body that is evaluated outside of a program.
pub trait Surroundings {
    /// A field of the row at hand; of an `any`, the text of its JSON.
    fn field(&self, record: RecordId, field: usize) -> Option<Literal>;
    /// The row's time.
    fn ts(&self) -> Option<i64>;
    /// A run-time function that is not known here.
    fn call(&self, body: &str, args: &[Literal]) -> Option<Result<Literal, Reason>>;
}

/// Constants have nothing around them.
struct Nothing;

impl Surroundings for Nothing {
    fn field(&self, _: RecordId, _: usize) -> Option<Literal> {
        None
    }
    fn ts(&self) -> Option<i64> {
        None
    }
    fn call(&self, _: &str, _: &[Literal]) -> Option<Result<Literal, Reason>> {
        None
    }
}

/// What a chain does with a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It keeps the row from what follows, or comes to its end.
    Done {
        /// What it publishes: the publication, and its fields.
        rows: Vec<(usize, Vec<Literal>)>,
        /// The chains that it hands the row to as it is.
        calls: Vec<ChainId>,
    },
    /// It refuses the row, having done nothing with it.
    Refused(SiteId, Reason),
    /// It does something that is not known here.
    Unknown,
}

/// Evaluates the body of a chain on one row.
pub fn chain(body: &Body, around: &dyn Surroundings) -> Outcome {
    let mut machine = Machine::new(body, around);
    match machine.list(&body.statements) {
        Ok(None) | Err(Stop::Dropped) => Outcome::Done { rows: machine.rows, calls: machine.calls },
        Err(Stop::Refused(reason)) if machine.rows.is_empty() && machine.calls.is_empty() => Outcome::Refused(machine.site, reason),
        _ => Outcome::Unknown,
    }
}

struct Machine<'b> {
    body: &'b Body,
    values: Vec<Option<Literal>>,
    around: &'b dyn Surroundings,
    rows: Vec<(usize, Vec<Literal>)>,
    calls: Vec<ChainId>,
    /// The last operation's that can refuse.
    site: SiteId,
    /// The gathers around what is evaluated, and where they are.
    indices: Vec<(u32, i64)>,
    variables: HashMap<VariableId, Literal>,
    /// How often loops may still begin again.
    rounds: u32,
}

impl<'b> Machine<'b> {
    fn new(body: &'b Body, around: &'b dyn Surroundings) -> Self {
        Self {
            body,
            values: vec![None; body.values.len()],
            around,
            rows: vec![],
            calls: vec![],
            site: SiteId(0),
            indices: vec![],
            variables: HashMap::new(),
            rounds: MOST_ROUNDS,
        }
    }

    fn list(&mut self, list: &[Statement]) -> Result<Option<Literal>, Stop> {
        for s in list {
            match s {
                Statement::Let(v) => {
                    let value = self.op(*v)?;
                    if let Some(slot) = self.values.get_mut(v.0 as usize) {
                        *slot = Some(value);
                    }
                }
                Statement::Return(v) => return self.get(*v).map(Some),
                Statement::Publish { publication, fields } => {
                    let fields = fields.iter().map(|v| self.get(*v)).collect::<Result<_, _>>()?;
                    self.rows.push((*publication, fields));
                }
                Statement::Call { chain, row: RowSource::Same } => self.calls.push(*chain),
                Statement::Guard(v) if self.get(*v)? != Literal::Bool(true) => return Err(Stop::Dropped),
                Statement::Guard(_) | Statement::Comment(_) => {}
                Statement::If { condition, then, otherwise } => {
                    let chosen = if self.get(*condition)? == Literal::Bool(true) { then } else { otherwise };
                    if let Some(returned) = self.list(chosen)? {
                        return Ok(Some(returned));
                    }
                }
                Statement::Set { variable, value } => {
                    let value = self.get(*value)?;
                    self.variables.insert(*variable, value);
                }
                Statement::Block { label, repeats, body } => self.block(*label, repeats.is_some(), body)?,
                Statement::Leave(label) => return Err(Stop::Left(*label)),
                _ => return Err(Stop::Unknown),
            }
        }
        Ok(None)
    }

    fn block(&mut self, label: Label, repeats: bool, body: &[Statement]) -> Result<(), Stop> {
        loop {
            match self.list(body) {
                Err(Stop::Left(left)) if left == label => return Ok(()),
                Err(stop) => return Err(stop),
                Ok(_) if !repeats => return Ok(()),
                Ok(_) => self.rounds = self.rounds.checked_sub(1).ok_or(Stop::Unknown)?,
            }
        }
    }

    fn get(&self, v: ValueId) -> Result<Literal, Stop> {
        self.values.get(v.0 as usize).cloned().flatten().ok_or(Stop::Unknown)
    }

    fn region(&mut self, r: &Region) -> Result<Literal, Stop> {
        self.list(&r.statements)?;
        self.get(r.result.ok_or(Stop::Unknown)?)
    }

    fn op(&mut self, id: ValueId) -> Result<Literal, Stop> {
        let value = self.body.value(id);
        let float = value.ty.scalar == Scalar::Float;
        Ok(match &value.op {
            Op::Const(l) => l.clone(),
            Op::Null => Literal::Null,
            Op::Wrap(v) | Op::Unwrap(v) => self.get(*v)?,
            Op::IsNull(v) => Literal::Bool(self.get(*v)? == Literal::Null),
            Op::IsTrue(v) => Literal::Bool(self.get(*v)? == Literal::Bool(true)),
            Op::ToFloat(v) => Literal::Float(int(&self.get(*v)?)? as f64),
            Op::Negate(v, _) if float => Literal::Float(-number(&self.get(*v)?)?),
            Op::Negate(v, site) => {
                self.site = *site;
                let v = self.get(*v)?;
                like(&v, int(&v)?.checked_neg().ok_or(Stop::Refused(Reason::Overflow))?)
            }
            Op::Not(v) => Literal::Bool(self.get(*v)? == Literal::Bool(false)),
            Op::BitNot(v) => Literal::Int(!int(&self.get(*v)?)?),
            Op::AddCounts(a, b) => Literal::Int(int(&self.get(*a)?)?.saturating_add(int(&self.get(*b)?)?)),
            Op::Arithmetic { op, left, right, site } => {
                self.site = *site;
                self.arithmetic(*op, *left, *right, value.ty.scalar)?
            }
            Op::Compare { op, left, right } if self.body.value(*left).ty.scalar == Scalar::Json => {
                let same = self.outside("equal_json", &[self.get(*left)?, self.get(*right)?])?;
                Literal::Bool((same == Literal::Bool(true)) == (*op == Comparison::Equal))
            }
            Op::Compare { op, left, right } if self.body.value(*left).ty.scalar == Scalar::Packed => {
                let (Literal::Str(left), Literal::Str(right)) = (self.get(*left)?, self.get(*right)?) else { return Err(Stop::Unknown) };
                Literal::Bool(packed::same(&left, &right) == (*op == Comparison::Equal))
            }
            Op::Compare { op, left, right } => Literal::Bool(compare(*op, &self.get(*left)?, &self.get(*right)?)?),
            Op::If { condition, then, otherwise } => {
                if self.get(*condition)? == Literal::Bool(true) {
                    self.region(then)?
                } else {
                    self.region(otherwise)?
                }
            }
            Op::Call { function, args, site } => {
                self.site = *site;
                let args = args.iter().map(|a| self.get(*a)).collect::<Result<Vec<_>, _>>()?;
                match functions::call(function.row().body, &args) {
                    Err(Stop::Unknown) => self.outside(function.row().body, &args)?,
                    known => known?,
                }
            }
            Op::Pack(items) => {
                let items = items.iter().map(|v| Ok((self.get(*v)?, self.body.value(*v).ty.scalar))).collect::<Result<Vec<_>, Stop>>()?;
                Literal::Str(packed::pack(items.iter().map(|(item, scalar)| cell(item, *scalar))))
            }
            Op::Part { of, at } => self.part(*of, *at, value.ty.nullable)?,
            Op::Index(number) => Literal::Int(self.indices.iter().rev().find(|(n, _)| n == number).ok_or(Stop::Unknown)?.1),
            Op::Gather { of, index, keep, body, .. } => self.gather(*of, *index, keep.as_ref(), body)?,
            Op::Variable { variable, .. } => self.variables.get(variable).cloned().ok_or(Stop::Unknown)?,
            Op::Run { body, .. } => self.region(body)?,
            Op::Load { param: "row", record, field } => self.around.field(*record, *field).ok_or(Stop::Unknown)?,
            Op::Read(Read::Ts) => Literal::Timestamp(self.around.ts().ok_or(Stop::Unknown)?),
            Op::Widen(_)
            | Op::Narrow(..)
            | Op::Load { .. }
            | Op::Read(_)
            | Op::Global(_)
            | Op::WallClock(_)
            | Op::SameKey(..)
            | Op::Hash(_)
            | Op::Mask(_)
            | Op::Ask { .. } => {
                return Err(Stop::Unknown);
            }
        })
    }

    fn part(&self, of: ValueId, at: ValueId, nullable: bool) -> Result<Literal, Stop> {
        let (of, at) = (self.get(of)?, int(&self.get(at)?)?);
        let Literal::Str(of) = of else { return Err(Stop::Unknown) };
        Ok(match usize::try_from(at).map_or(Cell::Null, |at| Packed(&of).cell(at)) {
            // The zero of a type is not known here.
            Cell::Null if !nullable => return Err(Stop::Unknown),
            Cell::Null => Literal::Null,
            Cell::Int(v) => Literal::Int(v),
            Cell::Float(v) => Literal::Float(v),
            Cell::Decimal(v) => Literal::Decimal(v),
            Cell::Bool(v) => Literal::Bool(v),
            Cell::Timestamp(v) => Literal::Timestamp(v),
            Cell::Duration(v) => Literal::Duration(v),
            Cell::Enum(v) => Literal::Enum(v),
            Cell::Text(v) | Cell::Json(v) | Cell::Packed(v) => Literal::Str(v.to_owned()),
        })
    }

    fn gather(&mut self, of: ValueId, index: u32, keep: Option<&'b Region>, body: &'b Region) -> Result<Literal, Stop> {
        let Literal::Str(of) = self.get(of)? else { return Err(Stop::Unknown) };
        let scalar = body.result.map_or(Scalar::Int, |v| self.body.value(v).ty.scalar);
        let mut packer = Packer::new();
        for at in 0..Packed(&of).len() {
            self.indices.push((index, at as i64));
            if keep.map_or(Ok(Literal::Bool(true)), |keep| self.region(keep))? == Literal::Bool(true) {
                packer.push_within(cell(&self.region(body)?, scalar), of.len()).map_err(Stop::Refused)?;
            }
            self.indices.pop();
        }
        Ok(Literal::Str(packer.finish()))
    }

    /// Calls a function that is known outside only.
    fn outside(&self, body: &str, args: &[Literal]) -> Result<Literal, Stop> {
        self.around.call(body, args).ok_or(Stop::Unknown)?.map_err(Stop::Refused)
    }

    fn arithmetic(&self, op: Arithmetic, left: ValueId, right: ValueId, scalar: Scalar) -> Result<Literal, Stop> {
        let (l, r) = (self.get(left)?, self.get(right)?);
        if scalar == Scalar::Float {
            let (l, r) = (number(&l)?, number(&r)?);
            return Ok(Literal::Float(match op {
                Arithmetic::Add => l + r,
                Arithmetic::Subtract => l - r,
                Arithmetic::Multiply => l * r,
                Arithmetic::Divide => l / r,
                Arithmetic::BitAnd | Arithmetic::BitOr | Arithmetic::BitXor => return Err(Stop::Unknown),
            }));
        }
        let (x, y) = (int(&l)?, int(&r)?);
        let v = match op {
            Arithmetic::Add => x.checked_add(y),
            Arithmetic::Subtract => x.checked_sub(y),
            Arithmetic::Multiply => x.checked_mul(y),
            Arithmetic::BitAnd => Some(x & y),
            Arithmetic::BitOr => Some(x | y),
            Arithmetic::BitXor => Some(x ^ y),
            Arithmetic::Divide => return Err(Stop::Unknown),
        };
        let v = v.ok_or(Stop::Refused(Reason::Overflow))?;
        Ok(match scalar {
            Scalar::Timestamp => Literal::Timestamp(v),
            Scalar::Duration => Literal::Duration(v),
            _ => Literal::Int(v),
        })
    }
}

/// A value of a type as a part of a packed one.
fn cell(literal: &Literal, scalar: Scalar) -> Cell<'_> {
    match literal {
        Literal::Null => Cell::Null,
        Literal::Int(v) => Cell::Int(*v),
        Literal::Float(v) => Cell::Float(*v),
        Literal::Decimal(v) => Cell::Decimal(*v),
        Literal::Bool(v) => Cell::Bool(*v),
        Literal::Timestamp(v) => Cell::Timestamp(*v),
        Literal::Duration(v) => Cell::Duration(*v),
        Literal::Enum(v) => Cell::Enum(*v),
        Literal::Str(v) => match scalar {
            Scalar::Packed => Cell::Packed(v),
            Scalar::Json => Cell::Json(v),
            _ => Cell::Text(v),
        },
    }
}

fn int(l: &Literal) -> Result<i64, Stop> {
    match l {
        Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => Ok(*v),
        _ => Err(Stop::Unknown),
    }
}

fn number(l: &Literal) -> Result<f64, Stop> {
    match l {
        Literal::Float(v) => Ok(*v),
        _ => Err(Stop::Unknown),
    }
}

fn like(l: &Literal, v: i64) -> Literal {
    match l {
        Literal::Timestamp(_) => Literal::Timestamp(v),
        Literal::Duration(_) => Literal::Duration(v),
        _ => Literal::Int(v),
    }
}

/// What a comparison of two constants yields; `None` if they are not of one type.
pub(crate) fn comparison(op: Comparison, l: &Literal, r: &Literal) -> Option<bool> {
    compare(op, l, r).ok()
}

fn compare(op: Comparison, l: &Literal, r: &Literal) -> Result<bool, Stop> {
    let order = match (l, r) {
        (Literal::Float(a), Literal::Float(b)) => a.partial_cmp(b),
        (Literal::Decimal(a), Literal::Decimal(b)) => Some(a.cmp(b)),
        (Literal::Str(a), Literal::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Literal::Bool(a), Literal::Bool(b)) => Some(a.cmp(b)),
        (Literal::Enum(a), Literal::Enum(b)) => Some(a.cmp(b)),
        _ => Some(int(l)?.cmp(&int(r)?)),
    };
    Ok(match op {
        Comparison::Less => order.is_some_and(|o| o.is_lt()),
        Comparison::LessEqual => order.is_some_and(|o| o.is_le()),
        Comparison::Greater => order.is_some_and(|o| o.is_gt()),
        Comparison::GreaterEqual => order.is_some_and(|o| o.is_ge()),
        Comparison::Equal => order.is_some_and(|o| o.is_eq()),
        Comparison::NotEqual => order.is_none_or(|o| o.is_ne()),
    })
}
