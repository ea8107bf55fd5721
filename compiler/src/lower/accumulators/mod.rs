//! What aggregates accumulate: fields of a slot, and how records are folded in, slots merged and results read (§6).

mod finish;
mod fold;
mod merge;
mod pairs;

use std::collections::HashMap;

use varpulis_abi::scalar::{Physical, Scalar};

use super::builder::{Builder, nullable, plain};
use super::ir::{FieldType, Object, Op, ParamName, RecordField, RecordId, SiteId, Statement, ValueId};
use crate::analysis::typed::{Expr, ExprKind};
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
    SumDecimal,
    Min,
    Max,
    /// The largest or smallest of the second values, and the value beside it.
    ArgMax,
    ArgMin,
    /// The value beside the largest of the second values, the last of equal ones.
    ArgLast,
    First,
    Last,
    /// Count, mean, sum of squared differences (Welford; Chan et al. for merging).
    Moments,
    /// Count, both means, both sums of squared differences, sum of their products.
    CoMoments,
    /// The same of a number and the time, which counts from the first record's: that time comes last.
    Trend,
    /// Value, first value, decay.
    Ema(f64),
    Distinct,
    Sorted,
    Collected,
    /// So many of the largest.
    Largest(i64),
    DistinctSketch,
    PercentileSketch,
}

impl Kind {
    fn is_object(self) -> bool {
        matches!(self, Kind::Distinct | Kind::Sorted | Kind::Collected | Kind::Largest(_) | Kind::DistinctSketch | Kind::PercentileSketch)
    }
}

/// The values that an accumulator ranges over.
#[derive(Clone, Debug)]
struct Input {
    value: Option<Expr>,
    second: Option<Expr>,
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
    /// The next number for fields that would have one name.
    numbered: HashMap<String, usize>,
}

const DISTINCT: Object = Object { name: "DistinctSet" };
const SORTED: Object = Object { name: "Sorted" };
const COLLECTED: Object = Object { name: "Collected" };
const LARGEST: Object = Object { name: "Largest" };
const DISTINCT_SKETCH: Object = Object { name: "DistinctSketch" };
const PERCENTILE_SKETCH: Object = Object { name: "PercentileSketch" };

impl Accumulators {
    /// Accumulators whose fields are appended to `fields` of `record`, their names beginning with `prefix`.
    pub fn new(record: RecordId, prefix: &str, calls: &[AggregateCall], name_of: &dyn Fn(&Expr) -> String, fields: &mut Vec<RecordField>) -> Self {
        let mut s = Self { record, inputs: vec![], all: vec![], results: vec![], numbered: HashMap::new() };
        for call in calls {
            let value = call.args.first().cloned();
            let input = s.input(value.clone(), call.args.get(1).cloned(), call.condition.clone());
            let kinds: Vec<Kind> = match call.aggregate {
                Aggregate::Count => vec![Kind::Count],
                Aggregate::Sum => vec![match value.as_ref().map(|v| v.ty.scalar()) {
                    Some(Scalar::Int) => Kind::SumInt,
                    Some(Scalar::Decimal) => Kind::SumDecimal,
                    _ => Kind::SumFloat,
                }],
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
                // True is larger than false.
                Aggregate::Any => vec![Kind::Max],
                Aggregate::Every => vec![Kind::Min],
                Aggregate::ArgMax => vec![Kind::ArgMax],
                Aggregate::ArgMin => vec![Kind::ArgMin],
                Aggregate::Covar | Aggregate::Corr => vec![Kind::CoMoments],
                Aggregate::Slope => vec![Kind::Trend],
                Aggregate::First => vec![Kind::First],
                Aggregate::Last if call.args.len() == 2 => vec![Kind::ArgLast],
                Aggregate::Last => vec![Kind::Last],
                Aggregate::Stddev | Aggregate::StddevPop | Aggregate::Variance | Aggregate::VarPop => vec![Kind::Moments],
                Aggregate::Median | Aggregate::Percentile => vec![Kind::Sorted],
                Aggregate::CountDistinct | Aggregate::CollectDistinct => vec![Kind::Distinct],
                Aggregate::Ema => vec![Kind::Ema(2.0 / (call.parameter.unwrap_or(1.0) + 1.0))],
                Aggregate::Collect => vec![Kind::Collected],
                Aggregate::TopK => vec![Kind::Largest(call.parameter.unwrap_or(1.0) as i64)],
                Aggregate::ApproxCountDistinct => vec![Kind::DistinctSketch],
                Aggregate::ApproxPercentile => vec![Kind::PercentileSketch],
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
                Kind::ArgMax | Kind::ArgMin | Kind::ArgLast => 2,
                Kind::Moments | Kind::Ema(_) => 3,
                Kind::CoMoments => 6,
                Kind::Trend => 7,
                _ => 1,
            };
            a.field..a.field + count
        })
    }

    /// Whether some of it cannot be put in front of later elements: objects only grow at their end.
    pub fn has_objects(&self) -> bool {
        self.all.iter().any(|a| a.kind.is_object())
    }

    fn input(&mut self, value: Option<Expr>, second: Option<Expr>, condition: Option<Expr>) -> usize {
        let text = |e: &Option<Expr>| e.as_ref().map(expression_key).unwrap_or_default();
        let key = format!("{}, {} where {}", text(&value), text(&second), text(&condition));
        self.inputs.iter().position(|i| i.key == key).unwrap_or_else(|| {
            self.inputs.push(Input { value, second, condition, key });
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
            Kind::SumInt => vec![("sum", value(Scalar::Wide))],
            Kind::SumFloat => vec![("sum", value(Scalar::Float))],
            Kind::SumDecimal => vec![("sum", value(Scalar::Decimal))],
            Kind::Min => vec![("min", FieldType::Scalar(nullable(scalar)))],
            Kind::Max => vec![("max", FieldType::Scalar(nullable(scalar)))],
            Kind::ArgMax | Kind::ArgMin | Kind::ArgLast => {
                let second = self.second(input);
                let names = match kind {
                    Kind::ArgMax => ["arg_max_by", "arg_max"],
                    Kind::ArgMin => ["arg_min_by", "arg_min"],
                    _ => ["last_at", "last"],
                };
                names.into_iter().zip([second, scalar].map(|s| FieldType::Scalar(nullable(s)))).collect()
            }
            Kind::First => vec![("first", FieldType::Scalar(nullable(scalar)))],
            Kind::Last => vec![("last", FieldType::Scalar(nullable(scalar)))],
            Kind::Moments => vec![("moments_n", value(Scalar::Int)), ("moments_mean", value(Scalar::Float)), ("moments_m2", value(Scalar::Float))],
            Kind::CoMoments | Kind::Trend => {
                let parts = ["mean_x", "mean_y", "m2_x", "m2_y", "product"].map(|part| (part, value(Scalar::Float)));
                let origin = (kind == Kind::Trend).then_some(("origin", value(Scalar::Int)));
                [("pairs", value(Scalar::Int))].into_iter().chain(parts).chain(origin).collect()
            }
            Kind::Ema(_) => vec![("ema", FieldType::Scalar(nullable(Scalar::Float))), ("ema_first", value(Scalar::Float)), ("ema_decay", value(Scalar::Float))],
            Kind::Distinct => vec![("distinct", FieldType::Object(DISTINCT))],
            Kind::Sorted => vec![("sorted", FieldType::Object(SORTED))],
            Kind::Collected => vec![("collected", FieldType::Object(COLLECTED))],
            Kind::Largest(_) => vec![("largest", FieldType::Object(LARGEST))],
            Kind::DistinctSketch => vec![("distinct_sketch", FieldType::Object(DISTINCT_SKETCH))],
            Kind::PercentileSketch => vec![("percentile_sketch", FieldType::Object(PERCENTILE_SKETCH))],
        };
        let field = fields.len();
        for (part, ty) in parts {
            let base = [prefix, part, label].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("_");
            let taken = |n: &str| fields.iter().any(|f| f.name == n);
            let name = if taken(&base) {
                // Those before have the numbers below.
                let from = self.numbered.entry(base.clone()).or_insert(2);
                let number = (*from..).find(|i| !taken(&format!("{base}_{i}"))).unwrap_or(*from);
                *from = number + 1;
                format!("{base}_{number}")
            } else {
                base
            };
            fields.push(RecordField { name, ty });
        }
        self.all.push(Accumulator { kind, input, field });
        self.all.len() - 1
    }

    /// The sum of two sums of decimals. One that has no room is refused where it is read.
    fn decimal_sum(b: &mut Builder, left: ValueId, right: ValueId) -> ValueId {
        match Function::find(".sum", &[Scalar::Decimal, Scalar::Decimal]) {
            Some(function) => b.value(Op::Call { function, args: vec![left, right], site: SiteId(0) }, plain(Scalar::Decimal)),
            None => left,
        }
    }

    fn load(&self, b: &mut Builder, param: ParamName, field: usize, ty: Physical) -> ValueId {
        b.value(Op::Load { param, record: self.record, field }, ty)
    }

    fn store(&self, b: &mut Builder, param: ParamName, field: usize, value: ValueId) {
        b.statement(Statement::Store { param, record: self.record, field, value });
    }

    /// The type of an input's second values.
    fn second(&self, input: usize) -> Scalar {
        self.inputs.get(input).and_then(|i| i.second.as_ref()).map_or(Scalar::Int, |v| v.ty.scalar())
    }

    fn scalar(&self, a: &Accumulator) -> Scalar {
        self.inputs.get(a.input).and_then(|i| i.value.as_ref()).map_or(Scalar::Int, |v| v.ty.scalar())
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

/// A short name for what an expression computes, to name fields after.
pub fn label_of(e: &Expr, column: &dyn Fn(&crate::analysis::typed::Place) -> Option<String>) -> String {
    match &e.kind {
        ExprKind::Place(p) => column(p).unwrap_or_default(),
        ExprKind::ToFloat(inner) => label_of(inner, column),
        _ => String::new(),
    }
}
