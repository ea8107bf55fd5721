//! Merging two slots: what holds for the older records and for the newer ones becomes what holds for all of them.

use varpulis_abi::scalar::Scalar;

use super::{Accumulator, Accumulators, Kind};
use crate::lower::builder::{Builder, nullable, plain};
use crate::lower::ir::{Arithmetic, Comparison, Op, ParamName, SiteId, Statement};

impl Accumulators {
    /// Puts `older` and `newer` together and stores the result in `into`, which is one of them.
    pub fn merge(&self, b: &mut Builder, into: ParamName, older: ParamName, newer: ParamName) {
        for a in &self.all {
            match a.kind {
                Kind::Count => {
                    let (o, n) = (self.load(b, older, a.field, plain(Scalar::Int)), self.load(b, newer, a.field, plain(Scalar::Int)));
                    let sum = b.value(Op::AddCounts(o, n), plain(Scalar::Int));
                    self.store(b, into, a.field, sum);
                }
                Kind::SumInt | Kind::SumFloat => {
                    let scalar = if a.kind == Kind::SumInt { Scalar::Wide } else { Scalar::Float };
                    let (o, n) = (self.load(b, older, a.field, plain(scalar)), self.load(b, newer, a.field, plain(scalar)));
                    let sum = b.arithmetic(Arithmetic::Add, o, n, scalar, SiteId(0));
                    self.store(b, into, a.field, sum);
                }
                Kind::SumDecimal => {
                    let ty = plain(Scalar::Decimal);
                    let (o, n) = (self.load(b, older, a.field, ty), self.load(b, newer, a.field, ty));
                    let sum = Self::decimal_sum(b, o, n);
                    self.store(b, into, a.field, sum);
                }
                Kind::Min | Kind::Max | Kind::First | Kind::Last => self.merge_one(b, a, into, older, newer),
                Kind::ArgMax | Kind::ArgMin | Kind::ArgLast => self.merge_best(b, a, into, older, newer),
                Kind::Moments => self.merge_moments(b, a, into, older, newer),
                Kind::CoMoments | Kind::Trend => self.merge_co_moments(b, a, into, older, newer),
                Kind::Ema(_) => self.merge_ema(b, a, into, older, newer),
                Kind::Distinct | Kind::Sorted | Kind::Collected | Kind::Largest(_) | Kind::DistinctSketch | Kind::PercentileSketch => {
                    b.statement(Statement::MergeObject { record: self.record, field: a.field, into, from: newer })
                }
            }
        }
    }

    /// One of the two values is taken.
    fn merge_one(&self, b: &mut Builder, a: &Accumulator, into: ParamName, older: ParamName, newer: ParamName) {
        let scalar = self.scalar(a);
        let (o, n) = (self.load(b, older, a.field, nullable(scalar)), self.load(b, newer, a.field, nullable(scalar)));
        let (mine, other) = if into == older { (o, n) } else { (n, o) };
        let other_there = {
            let null = b.is_null(other);
            b.not(null)
        };
        let mine_missing = b.is_null(mine);
        let take = match a.kind {
            Kind::Min | Kind::Max => {
                let op = if a.kind == Kind::Min { Comparison::Less } else { Comparison::Greater };
                b.and(other_there, |b| {
                    b.or(mine_missing, |b| {
                        let (x, y) = (b.unwrap(other), b.unwrap(mine));
                        b.compare(op, x, y)
                    })
                })
            }
            // The older one is the first, the newer one the last.
            Kind::First if into == older => b.and(mine_missing, |_| other_there),
            Kind::Last if into == newer => b.and(mine_missing, |_| other_there),
            _ => other_there,
        };
        let then = b.region(|b| {
            self.store(b, into, a.field, other);
            None
        });
        b.statement(Statement::If { condition: take, then: then.statements, otherwise: vec![] });
    }

    fn merge_moments(&self, b: &mut Builder, a: &Accumulator, into: ParamName, older: ParamName, newer: ParamName) {
        let f = plain(Scalar::Float);
        let float = |b: &mut Builder, op, l, r| b.arithmetic(op, l, r, Scalar::Float, SiteId(0));
        let (n1, n2) = (self.load(b, older, a.field, plain(Scalar::Int)), self.load(b, newer, a.field, plain(Scalar::Int)));
        let (m1, m2) = (self.load(b, older, a.field + 1, f), self.load(b, newer, a.field + 1, f));
        let (s1, s2) = (self.load(b, older, a.field + 2, f), self.load(b, newer, a.field + 2, f));
        let n = b.value(Op::AddCounts(n1, n2), plain(Scalar::Int));
        let zero = b.int(0);
        let condition = b.compare(Comparison::Greater, n, zero);
        let then = b.region(|b| {
            let (c1, c2, c) = (b.value(Op::ToFloat(n1), f), b.value(Op::ToFloat(n2), f), b.value(Op::ToFloat(n), f));
            let delta = float(b, Arithmetic::Subtract, m2, m1);
            let share = float(b, Arithmetic::Divide, c2, c);
            let shift = float(b, Arithmetic::Multiply, delta, share);
            let mean = float(b, Arithmetic::Add, m1, shift);
            let cross = float(b, Arithmetic::Multiply, delta, shift);
            let cross = float(b, Arithmetic::Multiply, cross, c1);
            let both = float(b, Arithmetic::Add, s1, s2);
            let m2 = float(b, Arithmetic::Add, both, cross);
            self.store(b, into, a.field, n);
            self.store(b, into, a.field + 1, mean);
            self.store(b, into, a.field + 2, m2);
            None
        });
        b.statement(Statement::If { condition, then: then.statements, otherwise: vec![] });
    }

    /// value = newer.value + newer.decay × (older.value − newer.first)
    fn merge_ema(&self, b: &mut Builder, a: &Accumulator, into: ParamName, older: ParamName, newer: ParamName) {
        let f = plain(Scalar::Float);
        let (o, n) = (self.load(b, older, a.field, nullable(Scalar::Float)), self.load(b, newer, a.field, nullable(Scalar::Float)));
        let (first_old, first) = (self.load(b, older, a.field + 1, f), self.load(b, newer, a.field + 1, f));
        let (decay_old, decay) = (self.load(b, older, a.field + 2, f), self.load(b, newer, a.field + 2, f));
        let both = {
            let null = b.any_null(&[o, n]);
            b.not(null)
        };
        let then = b.region(|b| {
            let (ov, nv) = (b.unwrap(o), b.unwrap(n));
            let gap = b.arithmetic(Arithmetic::Subtract, ov, first, Scalar::Float, SiteId(0));
            let part = b.arithmetic(Arithmetic::Multiply, decay, gap, Scalar::Float, SiteId(0));
            let value = b.arithmetic(Arithmetic::Add, nv, part, Scalar::Float, SiteId(0));
            let value = b.wrap(value);
            let product = b.arithmetic(Arithmetic::Multiply, decay_old, decay, Scalar::Float, SiteId(0));
            self.store(b, into, a.field, value);
            self.store(b, into, a.field + 1, first_old);
            self.store(b, into, a.field + 2, product);
            None
        });
        let (mine, other, other_first, other_decay) = if into == older { (o, n, first, decay) } else { (n, o, first_old, decay_old) };
        let otherwise = b.region(|b| {
            let missing = b.is_null(mine);
            let take = b.region(|b| {
                self.store(b, into, a.field, other);
                self.store(b, into, a.field + 1, other_first);
                self.store(b, into, a.field + 2, other_decay);
                None
            });
            b.statement(Statement::If { condition: missing, then: take.statements, otherwise: vec![] });
            None
        });
        b.statement(Statement::If { condition: both, then: then.statements, otherwise: otherwise.statements });
    }
}
