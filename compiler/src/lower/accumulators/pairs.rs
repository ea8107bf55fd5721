//! Accumulators over pairs of values: the value beside the largest or smallest, and how two numbers go together.

use varpulis_abi::scalar::{Physical, Scalar};

use super::{Accumulator, Accumulators, Kind};
use crate::functions::Function;
use crate::functions::aggregates::Aggregate;
use crate::lower::builder::{Builder, nullable, plain};
use crate::lower::ir::{Arithmetic, Comparison, Op, ParamName, SiteId, Statement, ValueId};
use crate::lower::order::beats;

const FLOAT: Physical = plain(Scalar::Float);

fn float(b: &mut Builder, op: Arithmetic, l: ValueId, r: ValueId) -> ValueId {
    b.arithmetic(op, l, r, Scalar::Float, SiteId(0))
}

/// Where a trend keeps the time that it counts from.
const ORIGIN: usize = 6;

/// The seconds from one time to another; at the ends of time it saturates.
fn seconds_between(b: &mut Builder, from: ValueId, to: ValueId) -> ValueId {
    let int = plain(Scalar::Int);
    let one = b.int(1);
    // −x = ~x + 1, and no difference of times refuses a record.
    let negated = b.value(Op::BitNot(from), int);
    let difference = b.value(Op::AddCounts(to, negated), int);
    let difference = b.value(Op::AddCounts(difference, one), int);
    let (nanoseconds, second) = (b.value(Op::ToFloat(difference), FLOAT), b.float(1e9));
    float(b, Arithmetic::Divide, nanoseconds, second)
}

/// Whether the first value is better than the second, which is there.
fn is_better(b: &mut Builder, kind: Kind, x: ValueId, than: ValueId) -> ValueId {
    let better = match kind {
        Kind::ArgMin => Comparison::Less,
        Kind::ArgLast => Comparison::GreaterEqual,
        _ => Comparison::Greater,
    };
    beats(b, better, x, than)
}

impl Accumulators {
    /// Adds a pair of values that are there.
    pub(super) fn add_pair(&self, b: &mut Builder, a: &Accumulator, param: ParamName, x: ValueId, y: ValueId) {
        match a.kind {
            Kind::ArgMax | Kind::ArgMin | Kind::ArgLast => {
                let old = self.load(b, param, a.field, nullable(b.ty(y).scalar));
                let none = b.is_null(old);
                let condition = b.or(none, |b| {
                    let old = b.unwrap(old);
                    is_better(b, a.kind, y, old)
                });
                self.store_pair(b, condition, param, a, x, y);
            }
            Kind::Trend => {
                let y = self.since_origin(b, a, param, y);
                self.add_co_moment(b, a, param, x, y);
            }
            _ => self.add_co_moment(b, a, param, x, y),
        }
    }

    /// A time in seconds since that of the first record, which is kept: seconds since the epoch would leave floats no room for small steps.
    fn since_origin(&self, b: &mut Builder, a: &Accumulator, param: ParamName, ts: ValueId) -> ValueId {
        let n = self.load(b, param, a.field, plain(Scalar::Int));
        let zero = b.int(0);
        let is_first = b.compare(Comparison::Equal, n, zero);
        let kept = self.load(b, param, a.field + ORIGIN, plain(Scalar::Int));
        let origin = b.choose(is_first, plain(Scalar::Int), |_| ts, |_| kept);
        self.store(b, param, a.field + ORIGIN, origin);
        seconds_between(b, origin, ts)
    }

    fn store_pair(&self, b: &mut Builder, condition: ValueId, param: ParamName, a: &Accumulator, x: ValueId, y: ValueId) {
        let then = b.region(|b| {
            let (x, y) = (b.wrap(x), b.wrap(y));
            self.store(b, param, a.field, y);
            self.store(b, param, a.field + 1, x);
            None
        });
        b.statement(Statement::If { condition, then: then.statements, otherwise: vec![] });
    }

    /// The better pair is taken; of equal ones the older.
    pub(super) fn merge_best(&self, b: &mut Builder, a: &Accumulator, into: ParamName, older: ParamName, newer: ParamName) {
        let (by, value) = (nullable(self.second(a.input)), nullable(self.scalar(a)));
        let other = if into == older { newer } else { older };
        let (mine, theirs) = (self.load(b, into, a.field, by), self.load(b, other, a.field, by));
        let (mine_missing, missing) = (b.is_null(mine), b.is_null(theirs));
        let there = b.not(missing);
        let take = b.and(there, |b| {
            b.or(mine_missing, |b| {
                let (x, y) = (b.unwrap(theirs), b.unwrap(mine));
                if other == newer {
                    is_better(b, a.kind, x, y)
                } else {
                    let better = is_better(b, a.kind, y, x);
                    b.not(better)
                }
            })
        });
        let then = b.region(|b| {
            let x = self.load(b, other, a.field + 1, value);
            self.store(b, into, a.field, theirs);
            self.store(b, into, a.field + 1, x);
            None
        });
        b.statement(Statement::If { condition: take, then: then.statements, otherwise: vec![] });
    }

    /// Welford's update, for two numbers.
    fn add_co_moment(&self, b: &mut Builder, a: &Accumulator, param: ParamName, x: ValueId, y: ValueId) {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        let one = b.int(1);
        let n = self.load(b, param, a.field, plain(Scalar::Int));
        let n = b.value(Op::AddCounts(n, one), plain(Scalar::Int));
        let count = b.value(Op::ToFloat(n), FLOAT);
        let [mean_x, mean_y, m2_x, m2_y, product] = [1, 2, 3, 4, 5].map(|part| self.load(b, param, a.field + part, FLOAT));
        let shifted = |b: &mut Builder, v, mean| {
            let delta = float(b, Subtract, v, mean);
            let step = float(b, Divide, delta, count);
            let mean = float(b, Add, mean, step);
            (delta, mean, float(b, Subtract, v, mean))
        };
        let (delta_x, mean_x, rest_x) = shifted(b, x, mean_x);
        let (delta_y, mean_y, rest_y) = shifted(b, y, mean_y);
        let grown = |b: &mut Builder, sum, delta, rest| {
            let grow = float(b, Multiply, delta, rest);
            float(b, Add, sum, grow)
        };
        let parts = [mean_x, mean_y, grown(b, m2_x, delta_x, rest_x), grown(b, m2_y, delta_y, rest_y), grown(b, product, delta_x, rest_y)];
        self.store(b, param, a.field, n);
        for (at, part) in parts.into_iter().enumerate() {
            self.store(b, param, a.field + 1 + at, part);
        }
    }

    /// The newer part of a trend as counted from where the older one is; that is kept.
    fn moved_origin(
        &self,
        b: &mut Builder,
        a: &Accumulator,
        (into, older, newer): (ParamName, ParamName, ParamName),
        counts: (ValueId, ValueId),
        news: [ValueId; 5],
    ) -> [ValueId; 5] {
        let int = plain(Scalar::Int);
        let [from, to] = [older, newer].map(|param| self.load(b, param, a.field + ORIGIN, int));
        let zero = b.int(0);
        let (some_old, some_new) = (b.compare(Comparison::Greater, counts.0, zero), b.compare(Comparison::Greater, counts.1, zero));
        let both = b.and(some_old, |_| some_new);
        let [mean_x, mean_y, rest @ ..] = news;
        let moved = b.choose(
            both,
            FLOAT,
            |b| {
                let seconds = seconds_between(b, from, to);
                float(b, Arithmetic::Add, mean_y, seconds)
            },
            |_| mean_y,
        );
        let origin = b.choose(some_old, int, |_| from, |_| to);
        self.store(b, into, a.field + ORIGIN, origin);
        let [m2_x, m2_y, product] = rest;
        [mean_x, moved, m2_x, m2_y, product]
    }

    /// Chan et al., for two numbers.
    pub(super) fn merge_co_moments(&self, b: &mut Builder, a: &Accumulator, into: ParamName, older: ParamName, newer: ParamName) {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        let (n1, n2) = (self.load(b, older, a.field, plain(Scalar::Int)), self.load(b, newer, a.field, plain(Scalar::Int)));
        let [olds, news] = [older, newer].map(|param| [1, 2, 3, 4, 5].map(|part| self.load(b, param, a.field + part, FLOAT)));
        let n = b.value(Op::AddCounts(n1, n2), plain(Scalar::Int));
        let zero = b.int(0);
        let condition = b.compare(Comparison::Greater, n, zero);
        let then = b.region(|b| {
            let news = if a.kind == Kind::Trend { self.moved_origin(b, a, (into, older, newer), (n1, n2), news) } else { news };
            let (c1, c2, c) = (b.value(Op::ToFloat(n1), FLOAT), b.value(Op::ToFloat(n2), FLOAT), b.value(Op::ToFloat(n), FLOAT));
            let share = float(b, Divide, c2, c);
            let ([x1, y1, ..], [x2, y2, ..]) = (olds, news);
            let (delta_x, delta_y) = (float(b, Subtract, x2, x1), float(b, Subtract, y2, y1));
            let (shift_x, shift_y) = (float(b, Multiply, delta_x, share), float(b, Multiply, delta_y, share));
            let crosses = [(delta_x, shift_x), (delta_y, shift_y), (delta_x, shift_y)];
            let mut parts = vec![float(b, Add, x1, shift_x), float(b, Add, y1, shift_y)];
            for ((old, new), (delta, shift)) in olds.into_iter().zip(news).skip(2).zip(crosses) {
                let cross = float(b, Multiply, delta, shift);
                let cross = float(b, Multiply, cross, c1);
                let both = float(b, Add, old, new);
                parts.push(float(b, Add, both, cross));
            }
            self.store(b, into, a.field, n);
            for (at, part) in parts.into_iter().enumerate() {
                self.store(b, into, a.field + 1 + at, part);
            }
            None
        });
        b.statement(Statement::If { condition, then: then.statements, otherwise: vec![] });
    }

    /// By how much the first number grows with the second; null where that never changes.
    fn slope(&self, b: &mut Builder, n: ValueId, product: ValueId, m2_y: ValueId, ty: Physical) -> ValueId {
        let (zero, one) = (b.float(0.0), b.int(1));
        let several = b.compare(Comparison::Greater, n, one);
        let varies = b.and(several, |b| b.compare(Comparison::Greater, m2_y, zero));
        b.choose(
            varies,
            ty,
            |b| {
                let slope = float(b, Arithmetic::Divide, product, m2_y);
                b.wrap(slope)
            },
            |b| b.value(Op::Null, ty),
        )
    }

    /// The covariance, the correlation or the slope.
    pub(super) fn together(&self, b: &mut Builder, aggregate: Aggregate, a: &Accumulator, param: ParamName, ty: Physical) -> ValueId {
        let n = self.load(b, param, a.field, plain(Scalar::Int));
        let [m2_x, m2_y, product] = [3, 4, 5].map(|part| self.load(b, param, a.field + part, FLOAT));
        if aggregate == Aggregate::Slope {
            return self.slope(b, n, product, m2_y, ty);
        }
        let (Aggregate::Corr, Some(sqrt)) = (aggregate, Function::find("sqrt", &[Scalar::Float])) else { return self.ratio(b, product, n, 1, ty) };
        let (zero, none) = (b.float(0.0), b.int(1));
        let several = b.compare(Comparison::Greater, n, none);
        let varies = b.and(several, |b| {
            let x = b.compare(Comparison::Greater, m2_x, zero);
            b.and(x, |b| b.compare(Comparison::Greater, m2_y, zero))
        });
        b.choose(
            varies,
            ty,
            |b| {
                // The root of two slopes' product: exact where one number is a multiple of the other, and no square leaves the range of floats.
                let (slope, back) = (float(b, Arithmetic::Divide, product, m2_x), float(b, Arithmetic::Divide, product, m2_y));
                let square = float(b, Arithmetic::Multiply, slope, back);
                let root = b.value(Op::Call { function: sqrt, args: vec![square], site: SiteId(0) }, FLOAT);
                let most = b.float(1.0);
                // Rounding must not carry it beyond its bounds.
                let beyond = b.compare(Comparison::Greater, root, most);
                let root = b.choose(beyond, FLOAT, |_| most, |_| root);
                let falls = b.compare(Comparison::Less, product, zero);
                let root = b.choose(falls, FLOAT, |b| b.value(Op::Negate(root, SiteId(0)), FLOAT), |_| root);
                b.wrap(root)
            },
            |b| b.value(Op::Null, ty),
        )
    }
}
