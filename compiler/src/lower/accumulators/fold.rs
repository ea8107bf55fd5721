//! Folding a record into a slot: everything that can refuse is computed before anything is stored, so that a refused record leaves no trace.

use varpulis_abi::scalar::{Physical, Scalar};

use super::{Accumulator, Accumulators, Input, Kind};
use crate::analysis::typed::Expr;
use crate::functions::Function;
use crate::lower::builder::{Builder, nullable, plain};
use crate::lower::expression::{Context, lower, physical, truth};
use crate::lower::ir::{Arithmetic, Comparison, Method, Op, ParamName, SiteId, Statement, ValueId};

/// A value of an input in a fold: the value if there is one, and whether the record counts.
struct Folded {
    value: Option<ValueId>,
    second: Option<ValueId>,
    /// `None`: always.
    present: Option<ValueId>,
}

impl Accumulators {
    /// Adds a record to the slot `param`.
    pub fn fold(&self, b: &mut Builder, cx: &mut dyn Context, param: ParamName) {
        let folded: Vec<Folded> = self.inputs.iter().map(|i| folded(b, cx, i)).collect();
        for (at, f) in folded.iter().enumerate() {
            let mine: Vec<&Accumulator> = self.all.iter().filter(|a| a.input == at).collect();
            if mine.is_empty() {
                continue;
            }
            let apply = |b: &mut Builder| mine.iter().for_each(|a| self.add(b, a, param, f));
            match f.present {
                None => apply(b),
                Some(condition) => {
                    let then = b.region(|b| {
                        apply(b);
                        None
                    });
                    b.statement(Statement::If { condition, then: then.statements, otherwise: vec![] });
                }
            }
        }
    }

    /// Adds a value that is there to one accumulator.
    fn add(&self, b: &mut Builder, a: &Accumulator, param: ParamName, folded: &Folded) {
        let one = b.int(1);
        if a.kind == Kind::Count {
            let old = self.load(b, param, a.field, plain(Scalar::Int));
            let new = b.value(Op::AddCounts(old, one), plain(Scalar::Int));
            return self.store(b, param, a.field, new);
        }
        let Some(value) = folded.value else { return };
        let x = b.unwrap(value);
        if let Some(second) = folded.second {
            let y = b.unwrap(second);
            return self.add_pair(b, a, param, x, y);
        }
        let scalar = b.ty(x).scalar;
        match a.kind {
            Kind::Count => {}
            Kind::SumInt => {
                let old = self.load(b, param, a.field, plain(Scalar::Wide));
                let x = b.value(Op::Widen(x), plain(Scalar::Wide));
                let new = b.arithmetic(Arithmetic::Add, old, x, Scalar::Wide, SiteId(0));
                self.store(b, param, a.field, new);
            }
            Kind::SumFloat => {
                let x = if scalar == Scalar::Int { b.value(Op::ToFloat(x), plain(Scalar::Float)) } else { x };
                let old = self.load(b, param, a.field, plain(Scalar::Float));
                let new = b.arithmetic(Arithmetic::Add, old, x, Scalar::Float, SiteId(0));
                self.store(b, param, a.field, new);
            }
            Kind::SumDecimal => {
                let old = self.load(b, param, a.field, plain(Scalar::Decimal));
                let new = Self::decimal_sum(b, old, x);
                self.store(b, param, a.field, new);
            }
            Kind::Min | Kind::Max => self.add_extreme(b, a, param, x),
            Kind::First => {
                let old = self.load(b, param, a.field, nullable(scalar));
                let condition = b.is_null(old);
                self.store_if(b, condition, param, a.field, x);
            }
            Kind::Last => {
                let new = b.wrap(x);
                self.store(b, param, a.field, new);
            }
            Kind::Moments => self.add_moment(b, a, param, x),
            // Of pairs, added above.
            Kind::ArgMax | Kind::ArgMin | Kind::ArgLast | Kind::CoMoments | Kind::Trend => {}
            Kind::Ema(alpha) => self.add_ema(b, a, param, x, alpha),
            Kind::Distinct | Kind::Collected | Kind::DistinctSketch | Kind::Largest(_) => {
                if let Kind::Largest(most) = a.kind {
                    let most = b.int(most);
                    self.tell(b, a, param, "limit", most);
                }
                let name = match scalar {
                    Scalar::Int | Scalar::Wide => "add_int",
                    Scalar::Float => "add_float",
                    Scalar::Decimal => "add_decimal",
                    Scalar::Bool => "add_bool",
                    Scalar::Text => "add_text",
                    Scalar::Timestamp => "add_timestamp",
                    Scalar::Duration => "add_duration",
                    Scalar::Enum => "add_variant",
                    Scalar::Json => "add_json",
                    Scalar::Packed => "add_packed",
                };
                self.tell(b, a, param, name, x);
            }
            Kind::Sorted | Kind::PercentileSketch => self.tell(b, a, param, "add", x),
        }
    }

    fn tell(&self, b: &mut Builder, a: &Accumulator, param: ParamName, name: &'static str, x: ValueId) {
        b.statement(Statement::Tell { param, record: self.record, field: a.field, method: Method { name, result: None }, args: vec![x] });
    }

    fn store_if(&self, b: &mut Builder, condition: ValueId, param: ParamName, field: usize, x: ValueId) {
        let then = b.region(|b| {
            let new = b.wrap(x);
            self.store(b, param, field, new);
            None
        });
        b.statement(Statement::If { condition, then: then.statements, otherwise: vec![] });
    }

    fn add_extreme(&self, b: &mut Builder, a: &Accumulator, param: ParamName, x: ValueId) {
        let scalar = b.ty(x).scalar;
        let op = if a.kind == Kind::Min { Comparison::Less } else { Comparison::Greater };
        let old = self.load(b, param, a.field, nullable(scalar));
        let none = b.is_null(old);
        let mut better = b.or(none, |b| {
            let old = b.unwrap(old);
            b.compare(op, x, old)
        });
        if scalar == Scalar::Float
            && let Some(is_nan) = Function::find("is_nan", &[Scalar::Float])
        {
            let nan = b.value(Op::Call { function: is_nan, args: vec![x], site: SiteId(0) }, plain(Scalar::Bool));
            let number = b.not(nan);
            better = b.and(number, |_| better);
        }
        self.store_if(b, better, param, a.field, x);
    }

    fn add_moment(&self, b: &mut Builder, a: &Accumulator, param: ParamName, x: ValueId) {
        let f = plain(Scalar::Float);
        let float = |b: &mut Builder, op, l, r| b.arithmetic(op, l, r, Scalar::Float, SiteId(0));
        let one = b.int(1);
        let n = self.load(b, param, a.field, plain(Scalar::Int));
        let n = b.value(Op::AddCounts(n, one), plain(Scalar::Int));
        let count = b.value(Op::ToFloat(n), f);
        let mean = self.load(b, param, a.field + 1, f);
        let m2 = self.load(b, param, a.field + 2, f);
        let delta = float(b, Arithmetic::Subtract, x, mean);
        let step = float(b, Arithmetic::Divide, delta, count);
        let mean = float(b, Arithmetic::Add, mean, step);
        let rest = float(b, Arithmetic::Subtract, x, mean);
        let grow = float(b, Arithmetic::Multiply, delta, rest);
        let m2 = float(b, Arithmetic::Add, m2, grow);
        self.store(b, param, a.field, n);
        self.store(b, param, a.field + 1, mean);
        self.store(b, param, a.field + 2, m2);
    }

    fn add_ema(&self, b: &mut Builder, a: &Accumulator, param: ParamName, x: ValueId, alpha: f64) {
        let f = plain(Scalar::Float);
        let old = self.load(b, param, a.field, nullable(Scalar::Float));
        let decay = self.load(b, param, a.field + 2, f);
        let condition = b.is_null(old);
        let keep = 1.0 - alpha;
        let then = b.region(|b| {
            let keep = b.float(keep);
            let new = b.wrap(x);
            self.store(b, param, a.field, new);
            self.store(b, param, a.field + 1, x);
            self.store(b, param, a.field + 2, keep);
            None
        });
        let otherwise = b.region(|b| {
            let (alpha, keep) = (b.float(alpha), b.float(keep));
            let old = b.unwrap(old);
            let part = b.arithmetic(Arithmetic::Multiply, alpha, x, Scalar::Float, SiteId(0));
            let rest = b.arithmetic(Arithmetic::Multiply, keep, old, Scalar::Float, SiteId(0));
            let new = b.arithmetic(Arithmetic::Add, part, rest, Scalar::Float, SiteId(0));
            let new = b.wrap(new);
            let decay = b.arithmetic(Arithmetic::Multiply, decay, keep, Scalar::Float, SiteId(0));
            self.store(b, param, a.field, new);
            self.store(b, param, a.field + 2, decay);
            None
        });
        b.statement(Statement::If { condition, then: then.statements, otherwise: otherwise.statements });
    }
}

fn folded(b: &mut Builder, cx: &mut dyn Context, input: &Input) -> Folded {
    let active = input.condition.as_ref().map(|c| truth(b, cx, c, true));
    let mut value = |e: &Expr| {
        let ty = Physical { nullable: active.is_some() || e.ty.nullable, ..physical(&e.ty) };
        match active {
            None => lower(b, cx, e),
            Some(active) => b.choose(
                active,
                ty,
                |b| {
                    let v = lower(b, cx, e);
                    b.wrap(v)
                },
                |b| b.value(Op::Null, ty),
            ),
        }
    };
    let (value, second) = (input.value.as_ref().map(&mut value), input.second.as_ref().map(&mut value));
    if value.is_none() {
        return Folded { value, second, present: active };
    }
    let values: Vec<ValueId> = value.into_iter().chain(second).filter(|v| b.ty(*v).nullable).collect();
    let present = (!values.is_empty()).then(|| {
        let null = b.any_null(&values);
        b.not(null)
    });
    Folded { value, second, present }
}
