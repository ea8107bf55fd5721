//! Results: what an aggregate reads from its slot.

use varpulis_abi::scalar::{Physical, Scalar};

use super::{Accumulator, Accumulators, Kind};
use crate::functions::Function;
use crate::functions::aggregates::Aggregate;
use crate::lower::builder::{Builder, nullable, plain};
use crate::lower::expression::physical;
use crate::lower::ir::{Arithmetic, Comparison, Method, Op, ParamName, SiteId, ValueId};
use crate::syntax::ast::Span;

impl Accumulators {
    /// The result of an aggregate, read from the slot `param`. A sum of integers refuses where it does not fit 64 bits: only then, so that the
    /// order of its terms and the parts that a window is kept in make no difference.
    pub fn finish(&self, b: &mut Builder, index: usize, param: ParamName, site: &mut dyn FnMut(Span) -> SiteId) -> ValueId {
        let Some((call, ids)) = self.results.get(index) else { return b.int(0) };
        let ty = physical(&call.ty);
        let part = |i: usize| ids.get(i).and_then(|id| self.all.get(*id));
        let Some(a) = part(0) else { return b.value(Op::Null, ty) };
        let value = match call.aggregate {
            Aggregate::Count => self.load(b, param, a.field, plain(Scalar::Int)),
            Aggregate::Sum if a.kind == Kind::SumInt => {
                let sum = self.load(b, param, a.field, plain(Scalar::Wide));
                b.value(Op::Narrow(sum, site(call.span)), plain(Scalar::Int))
            }
            Aggregate::Sum if a.kind == Kind::SumDecimal => {
                let sum = self.load(b, param, a.field, plain(Scalar::Decimal));
                self.whole_sum(b, sum, site(call.span))
            }
            Aggregate::Sum => self.load(b, param, a.field, ty),
            Aggregate::Avg if a.kind == Kind::Moments => {
                let mean = self.load(b, param, a.field + 1, plain(Scalar::Float));
                if !ty.nullable {
                    return mean;
                }
                let n = self.load(b, param, a.field, plain(Scalar::Int));
                let zero = b.int(0);
                let some = b.compare(Comparison::Greater, n, zero);
                b.choose(some, ty, |b| b.wrap(mean), |b| b.value(Op::Null, ty))
            }
            Aggregate::Avg => {
                let sum = self.load(b, param, a.field, plain(Scalar::Float));
                let n = part(1).map_or(0, |c| c.field);
                let n = self.load(b, param, n, plain(Scalar::Int));
                self.ratio(b, sum, n, 0, ty)
            }
            Aggregate::Last if a.kind == Kind::ArgLast => self.load(b, param, a.field + 1, nullable(ty.scalar)),
            Aggregate::ArgMax | Aggregate::ArgMin => self.load(b, param, a.field + 1, nullable(ty.scalar)),
            Aggregate::Covar | Aggregate::Corr | Aggregate::Slope => self.together(b, call.aggregate, a, param, ty),
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last | Aggregate::Any | Aggregate::Every => {
                let v = self.load(b, param, a.field, nullable(ty.scalar));
                if !ty.nullable && ty.scalar == Scalar::Float {
                    let none = b.is_null(v);
                    return b.choose(none, ty, |b| b.float(f64::NAN), |b| b.unwrap(v));
                }
                v
            }
            Aggregate::Variance | Aggregate::Stddev | Aggregate::VarPop | Aggregate::StddevPop => self.spread(b, call.aggregate, a, param, ty),
            Aggregate::Median | Aggregate::Percentile | Aggregate::ApproxPercentile => {
                let p = b.float(call.parameter.unwrap_or(50.0));
                let method = Method { name: "percentile", result: Some(nullable(Scalar::Float)) };
                let v = b.value(Op::Ask { param, record: self.record, field: a.field, method, args: vec![p] }, nullable(Scalar::Float));
                if !ty.nullable {
                    let none = b.is_null(v);
                    return b.choose(none, ty, |b| b.float(f64::NAN), |b| b.unwrap(v));
                }
                v
            }
            Aggregate::CountDistinct | Aggregate::ApproxCountDistinct => self.ask(b, a, param, "len", Scalar::Int),
            Aggregate::CollectDistinct | Aggregate::Collect | Aggregate::TopK => self.ask(b, a, param, "packed", Scalar::Packed),
            Aggregate::Ema => self.load(b, param, a.field, nullable(Scalar::Float)),
        };
        b.fit(value, ty)
    }

    fn ask(&self, b: &mut Builder, a: &Accumulator, param: ParamName, name: &'static str, result: Scalar) -> ValueId {
        let method = Method { name, result: Some(plain(result)) };
        b.value(Op::Ask { param, record: self.record, field: a.field, method, args: vec![] }, plain(result))
    }

    /// A sum of decimals, if it has no more digits than a decimal can.
    fn whole_sum(&self, b: &mut Builder, sum: ValueId, site: SiteId) -> ValueId {
        let Some(function) = Function::find(".rescale", &[Scalar::Decimal, Scalar::Int, Scalar::Int]) else { return sum };
        let (by, digits) = (b.int(0), b.int(38));
        b.value(Op::Call { function, args: vec![sum, by, digits], site }, plain(Scalar::Decimal))
    }

    /// `sum / (n − less)`; null (where the type has it) unless n > less.
    pub(super) fn ratio(&self, b: &mut Builder, sum: ValueId, n: ValueId, less: i64, ty: Physical) -> ValueId {
        let divide = |b: &mut Builder| {
            let count = b.value(Op::ToFloat(n), plain(Scalar::Float));
            let off = b.float(less as f64);
            let count = if less == 0 { count } else { b.arithmetic(Arithmetic::Subtract, count, off, Scalar::Float, SiteId(0)) };
            b.arithmetic(Arithmetic::Divide, sum, count, Scalar::Float, SiteId(0))
        };
        if !ty.nullable {
            return divide(b);
        }
        let least = b.int(less);
        let enough = b.compare(Comparison::Greater, n, least);
        b.choose(
            enough,
            ty,
            |b| {
                let v = divide(b);
                b.wrap(v)
            },
            |b| b.value(Op::Null, ty),
        )
    }

    fn spread(&self, b: &mut Builder, aggregate: Aggregate, a: &Accumulator, param: ParamName, ty: Physical) -> ValueId {
        let n = self.load(b, param, a.field, plain(Scalar::Int));
        let m2 = self.load(b, param, a.field + 2, plain(Scalar::Float));
        let sample = matches!(aggregate, Aggregate::Variance | Aggregate::Stddev);
        let variance = self.ratio(b, m2, n, i64::from(sample), ty);
        let root = Function::find("sqrt", &[Scalar::Float]).filter(|_| matches!(aggregate, Aggregate::Stddev | Aggregate::StddevPop));
        let Some(function) = root else { return variance };
        let none = b.is_null(variance);
        b.choose(
            none,
            ty,
            |b| b.value(Op::Null, ty),
            |b| {
                let v = b.unwrap(variance);
                let v = b.value(Op::Call { function, args: vec![v], site: SiteId(0) }, plain(Scalar::Float));
                b.fit(v, ty)
            },
        )
    }
}
