//! What aggregates accumulate: fields of a slot, and how records are folded in, slots merged and results read (§6).
//!
//! A fold computes everything that can refuse before it stores anything, so that a refused record leaves no trace.

use varpulis_abi::scalar::{Physical, Scalar};

use super::builder::{Builder, nullable, plain};
use super::expression::{Context, lower, physical, truth};
use super::ir::{Arithmetic, Comparison, FieldType, Method, Object, Op, ParamName, RecordField, RecordId, SiteId, Statement, ValueId};
use crate::analysis::typed::{Expr, ExprKind, Literal};
use crate::functions::Function;
use crate::functions::aggregates::Aggregate;
use crate::plan::logical::AggregateCall;
use crate::plan::print::expression_key;

/// What one accumulator keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Count,
    SumInt,
    SumFloat,
    Min,
    Max,
    First,
    Last,
    /// Count, mean, sum of squared differences (Welford; Chan et al. for merging).
    Moments,
    /// Value, first value, decay.
    Ema(f64),
    Distinct,
    Sorted,
    Collected,
}

/// The values that an accumulator ranges over.
#[derive(Clone, Debug)]
struct Input {
    value: Option<Expr>,
    condition: Option<Expr>,
    key: String,
}

#[derive(Clone, Debug)]
struct Accumulator {
    kind: Kind,
    input: usize,
    /// Its first field in the record.
    field: usize,
}

/// The accumulators of a window or of a Kleene step, and where their fields lie.
#[derive(Clone, Debug)]
pub struct Accumulators {
    /// The slot's record.
    pub record: RecordId,
    inputs: Vec<Input>,
    all: Vec<Accumulator>,
    /// Per aggregate: its accumulators.
    results: Vec<(AggregateCall, Vec<usize>)>,
}

/// A value of an input in a fold: the value if there is one, and whether the record counts.
struct Folded {
    value: Option<ValueId>,
    /// `None`: always.
    present: Option<ValueId>,
}

const DISTINCT: Object = Object { name: "DistinctSet" };
const SORTED: Object = Object { name: "Sorted" };
const COLLECTED: Object = Object { name: "Collected" };

impl Accumulators {
    /// Accumulators whose fields are appended to `fields` of `record`, their names beginning with `prefix`.
    pub fn new(record: RecordId, prefix: &str, calls: &[AggregateCall], name_of: &dyn Fn(&Expr) -> String, fields: &mut Vec<RecordField>) -> Self {
        let mut s = Self { record, inputs: vec![], all: vec![], results: vec![] };
        for call in calls {
            let value = call.args.first().cloned();
            let input = s.input(value.clone(), call.condition.clone());
            let kinds: Vec<Kind> = match call.aggregate {
                Aggregate::Count => vec![Kind::Count],
                Aggregate::Sum => vec![if matches!(value.as_ref().map(|v| v.ty.scalar()), Some(Scalar::Int)) { Kind::SumInt } else { Kind::SumFloat }],
                // The moments of floats hold the mean already: no second state for it. The sum of integers is exact, and its mean the better one.
                Aggregate::Avg
                    if !matches!(value.as_ref().map(|v| &v.kind), Some(ExprKind::ToFloat(_)))
                        && calls.iter().any(|c| is_spread(c.aggregate) && same_input(c, call)) =>
                {
                    vec![Kind::Moments]
                }
                Aggregate::Avg => vec![Kind::SumFloat, Kind::Count],
                Aggregate::Min => vec![Kind::Min],
                Aggregate::Max => vec![Kind::Max],
                Aggregate::First => vec![Kind::First],
                Aggregate::Last => vec![Kind::Last],
                Aggregate::Stddev | Aggregate::StddevPop | Aggregate::Variance | Aggregate::VarPop => vec![Kind::Moments],
                Aggregate::Median | Aggregate::Percentile => vec![Kind::Sorted],
                Aggregate::CountDistinct | Aggregate::CollectDistinct => vec![Kind::Distinct],
                Aggregate::Ema => vec![Kind::Ema(2.0 / (call.parameter.unwrap_or(1.0) + 1.0))],
                Aggregate::Collect => vec![Kind::Collected],
                _ => vec![],
            };
            let label = value.as_ref().map_or_else(|| call.condition.as_ref().map_or(String::new(), |_| format!("if{input}")), name_of);
            let ids = kinds.into_iter().map(|k| s.accumulator(k, input, prefix, &label, fields)).collect();
            s.results.push((call.clone(), ids));
        }
        s
    }

    /// Every field, in order.
    pub fn fields(&self) -> impl Iterator<Item = usize> + '_ {
        self.all.iter().flat_map(|a| {
            let count = match a.kind {
                Kind::Moments | Kind::Ema(_) => 3,
                _ => 1,
            };
            a.field..a.field + count
        })
    }

    /// Whether some of it cannot be put in front of later elements: objects only grow at their end.
    pub fn has_objects(&self) -> bool {
        self.all.iter().any(|a| matches!(a.kind, Kind::Distinct | Kind::Sorted | Kind::Collected))
    }

    fn input(&mut self, value: Option<Expr>, condition: Option<Expr>) -> usize {
        let text = |e: &Option<Expr>| e.as_ref().map(expression_key).unwrap_or_default();
        let key = format!("{} where {}", text(&value), text(&condition));
        self.inputs.iter().position(|i| i.key == key).unwrap_or_else(|| {
            self.inputs.push(Input { value, condition, key });
            self.inputs.len() - 1
        })
    }

    fn accumulator(&mut self, kind: Kind, input: usize, prefix: &str, label: &str, fields: &mut Vec<RecordField>) -> usize {
        // The count of values that are never null is the count of records.
        if let Some(at) = self.all.iter().position(|a| a.kind == kind && a.input == input) {
            return at;
        }
        let scalar = self.inputs.get(input).and_then(|i| i.value.as_ref()).map_or(Scalar::Int, |v| v.ty.scalar());
        let value = |s| FieldType::Scalar(plain(s));
        let parts: Vec<(&str, FieldType)> = match kind {
            Kind::Count => vec![("count", value(Scalar::Int))],
            Kind::SumInt => vec![("sum", value(Scalar::Int))],
            Kind::SumFloat => vec![("sum", value(Scalar::Float))],
            Kind::Min => vec![("min", FieldType::Scalar(nullable(scalar)))],
            Kind::Max => vec![("max", FieldType::Scalar(nullable(scalar)))],
            Kind::First => vec![("first", FieldType::Scalar(nullable(scalar)))],
            Kind::Last => vec![("last", FieldType::Scalar(nullable(scalar)))],
            Kind::Moments => vec![("moments_n", value(Scalar::Int)), ("moments_mean", value(Scalar::Float)), ("moments_m2", value(Scalar::Float))],
            Kind::Ema(_) => vec![("ema", FieldType::Scalar(nullable(Scalar::Float))), ("ema_first", value(Scalar::Float)), ("ema_decay", value(Scalar::Float))],
            Kind::Distinct => vec![("distinct", FieldType::Object(DISTINCT))],
            Kind::Sorted => vec![("sorted", FieldType::Object(SORTED))],
            Kind::Collected => vec![("collected", FieldType::Object(COLLECTED))],
        };
        let field = fields.len();
        for (part, ty) in parts {
            let base = [prefix, part, label].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("_");
            let taken = |n: &str| fields.iter().any(|f| f.name == n);
            let name = if taken(&base) { (2..).map(|i| format!("{base}_{i}")).find(|n| !taken(n)).unwrap_or(base) } else { base };
            fields.push(RecordField { name, ty });
        }
        self.all.push(Accumulator { kind, input, field });
        self.all.len() - 1
    }

    fn load(&self, b: &mut Builder, param: ParamName, field: usize, ty: Physical) -> ValueId {
        b.value(Op::Load { param, record: self.record, field }, ty)
    }

    fn store(&self, b: &mut Builder, param: ParamName, field: usize, value: ValueId) {
        b.statement(Statement::Store { param, record: self.record, field, value });
    }

    fn scalar(&self, a: &Accumulator) -> Scalar {
        self.inputs.get(a.input).and_then(|i| i.value.as_ref()).map_or(Scalar::Int, |v| v.ty.scalar())
    }

    /// Adds a record to the slot `param`.
    pub fn fold(&self, b: &mut Builder, cx: &mut dyn Context, param: ParamName) {
        let folded: Vec<Folded> = self.inputs.iter().map(|i| folded(b, cx, i)).collect();
        // First whatever can refuse.
        let mut sums = vec![];
        for a in self.all.iter().filter(|a| a.kind == Kind::SumInt) {
            let Some(f) = folded.get(a.input) else { continue };
            let Some(value) = f.value else { continue };
            let span = self.results.iter().find(|(c, _)| c.aggregate == Aggregate::Sum).map(|(c, _)| c.span).unwrap_or_default();
            let site = cx.site(span);
            let old = self.load(b, param, a.field, plain(Scalar::Int));
            let add = |b: &mut Builder| {
                let v = b.unwrap(value);
                b.arithmetic(Arithmetic::Add, old, v, Scalar::Int, site)
            };
            let new = match f.present {
                None => add(b),
                Some(present) => b.choose(present, plain(Scalar::Int), add, |_| old),
            };
            sums.push((a.field, new));
        }
        for (field, new) in sums {
            self.store(b, param, field, new);
        }
        for (at, f) in folded.iter().enumerate() {
            let mine: Vec<&Accumulator> = self.all.iter().filter(|a| a.input == at && a.kind != Kind::SumInt).collect();
            if mine.is_empty() {
                continue;
            }
            let apply = |b: &mut Builder| mine.iter().for_each(|a| self.add(b, a, param, f.value));
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
    fn add(&self, b: &mut Builder, a: &Accumulator, param: ParamName, value: Option<ValueId>) {
        let one = b.int(1);
        if a.kind == Kind::Count {
            let old = self.load(b, param, a.field, plain(Scalar::Int));
            let new = b.value(Op::AddCounts(old, one), plain(Scalar::Int));
            return self.store(b, param, a.field, new);
        }
        let Some(value) = value else { return };
        let x = b.unwrap(value);
        let scalar = b.ty(x).scalar;
        match a.kind {
            Kind::Count | Kind::SumInt => {}
            Kind::SumFloat => {
                let x = if scalar == Scalar::Int { b.value(Op::ToFloat(x), plain(Scalar::Float)) } else { x };
                let old = self.load(b, param, a.field, plain(Scalar::Float));
                let new = b.arithmetic(Arithmetic::Add, old, x, Scalar::Float, SiteId(0));
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
            Kind::Ema(alpha) => self.add_ema(b, a, param, x, alpha),
            Kind::Distinct | Kind::Collected => {
                let name = match scalar {
                    Scalar::Int => "add_int",
                    Scalar::Float => "add_float",
                    Scalar::Bool => "add_bool",
                    Scalar::Text => "add_text",
                    Scalar::Timestamp => "add_timestamp",
                    Scalar::Duration => "add_duration",
                    Scalar::Enum => "add_variant",
                    Scalar::Json => "add_json",
                };
                b.statement(Statement::Tell { param, record: self.record, field: a.field, method: Method { name, result: None }, args: vec![x] });
            }
            Kind::Sorted => {
                b.statement(Statement::Tell { param, record: self.record, field: a.field, method: Method { name: "add", result: None }, args: vec![x] })
            }
        }
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

    /// Puts `older` and `newer` together and stores the result in `into`, which is one of them.
    pub fn merge(&self, b: &mut Builder, into: ParamName, older: ParamName, newer: ParamName) {
        for a in &self.all {
            match a.kind {
                Kind::Count | Kind::SumInt => {
                    let (o, n) = (self.load(b, older, a.field, plain(Scalar::Int)), self.load(b, newer, a.field, plain(Scalar::Int)));
                    let sum = b.value(Op::AddCounts(o, n), plain(Scalar::Int));
                    self.store(b, into, a.field, sum);
                }
                Kind::SumFloat => {
                    let (o, n) = (self.load(b, older, a.field, plain(Scalar::Float)), self.load(b, newer, a.field, plain(Scalar::Float)));
                    let sum = b.arithmetic(Arithmetic::Add, o, n, Scalar::Float, SiteId(0));
                    self.store(b, into, a.field, sum);
                }
                Kind::Min | Kind::Max | Kind::First | Kind::Last => self.merge_one(b, a, into, older, newer),
                Kind::Moments => self.merge_moments(b, a, into, older, newer),
                Kind::Ema(_) => self.merge_ema(b, a, into, older, newer),
                Kind::Distinct | Kind::Sorted | Kind::Collected => {
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

    /// The result of an aggregate, read from the slot `param`.
    pub fn finish(&self, b: &mut Builder, index: usize, param: ParamName) -> ValueId {
        let Some((call, ids)) = self.results.get(index) else { return b.int(0) };
        let ty = physical(&call.ty);
        let part = |i: usize| ids.get(i).and_then(|id| self.all.get(*id));
        let Some(a) = part(0) else { return b.value(Op::Null, ty) };
        let value = match call.aggregate {
            Aggregate::Count => self.load(b, param, a.field, plain(Scalar::Int)),
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
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => {
                let v = self.load(b, param, a.field, nullable(ty.scalar));
                if !ty.nullable && ty.scalar == Scalar::Float {
                    let none = b.is_null(v);
                    return b.choose(none, ty, |b| b.float(f64::NAN), |b| b.unwrap(v));
                }
                v
            }
            Aggregate::Variance | Aggregate::Stddev | Aggregate::VarPop | Aggregate::StddevPop => self.spread(b, call.aggregate, a, param, ty),
            Aggregate::Median | Aggregate::Percentile => {
                let p = b.float(call.parameter.unwrap_or(50.0));
                let method = Method { name: "percentile", result: Some(nullable(Scalar::Float)) };
                let v = b.value(Op::Ask { param, record: self.record, field: a.field, method, args: vec![p] }, nullable(Scalar::Float));
                if !ty.nullable {
                    let none = b.is_null(v);
                    return b.choose(none, ty, |b| b.float(f64::NAN), |b| b.unwrap(v));
                }
                v
            }
            Aggregate::CountDistinct => self.ask(b, a, param, "len", Scalar::Int),
            Aggregate::CollectDistinct | Aggregate::Collect => self.ask(b, a, param, "json", Scalar::Json),
            Aggregate::Ema => self.load(b, param, a.field, nullable(Scalar::Float)),
            _ => b.value(Op::Null, ty),
        };
        b.fit(value, ty)
    }

    fn ask(&self, b: &mut Builder, a: &Accumulator, param: ParamName, name: &'static str, result: Scalar) -> ValueId {
        let method = Method { name, result: Some(plain(result)) };
        b.value(Op::Ask { param, record: self.record, field: a.field, method, args: vec![] }, plain(result))
    }

    /// `sum / (n − less)`; null (where the type has it) unless n > less.
    fn ratio(&self, b: &mut Builder, sum: ValueId, n: ValueId, less: i64, ty: Physical) -> ValueId {
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

fn is_spread(a: Aggregate) -> bool {
    matches!(a, Aggregate::Stddev | Aggregate::StddevPop | Aggregate::Variance | Aggregate::VarPop)
}

/// Whether two aggregates range over the same values.
fn same_input(a: &AggregateCall, b: &AggregateCall) -> bool {
    let key = |c: &AggregateCall| (c.args.first().map(expression_key), c.condition.as_ref().map(expression_key));
    key(a) == key(b)
}

fn folded(b: &mut Builder, cx: &mut dyn Context, input: &Input) -> Folded {
    let active = input.condition.as_ref().map(|c| truth(b, cx, c, true));
    let Some(e) = &input.value else { return Folded { value: None, present: active } };
    let ty = Physical { nullable: active.is_some() || e.ty.nullable, ..physical(&e.ty) };
    let value = match active {
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
    };
    if !ty.nullable {
        return Folded { value: Some(value), present: None };
    }
    let null = b.is_null(value);
    let present = b.not(null);
    Folded { value: Some(value), present: Some(present) }
}

/// A short name for what an expression computes, to name fields after.
pub fn label_of(e: &Expr, column: &dyn Fn(&crate::analysis::typed::Place) -> Option<String>) -> String {
    match &e.kind {
        ExprKind::Place(p) => column(p).unwrap_or_default(),
        ExprKind::ToFloat(inner) => label_of(inner, column),
        ExprKind::Literal(Literal::Null) => String::new(),
        _ => String::new(),
    }
}
