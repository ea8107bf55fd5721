//! Aggregates (§6): each from the list of values it ranges over.

use varpulis_compiler::functions::aggregates::Aggregate;
use varpulis_compiler::plan::logical::AggregateCall;

use crate::value::Value;

/// The value of an aggregate over the values that count, in order; of `count()`, one (non-null) value stands for each record.
pub(crate) fn of(call: &AggregateCall, values: &[Value]) -> Value {
    let numbers: Vec<f64> = values.iter().filter_map(|v| if let Value::Float(f) = v { Some(*f) } else { None }).collect();
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    let some = |v: f64, enough: bool| if enough { Value::Float(v) } else { Value::Null };
    match call.aggregate {
        Aggregate::Count => Value::Int(values.len() as i64),
        Aggregate::Sum if call.ty.kind == varpulis_compiler::analysis::types::Kind::Int => {
            let sum: i128 = values.iter().map(|v| i128::from(v.int())).sum();
            i64::try_from(sum).map_or(Value::Refused("integer overflow"), Value::Int)
        }
        Aggregate::Sum if call.ty.is_decimal() => crate::decimal::sum(values, call.ty.decimal().1).unwrap_or_else(Value::Refused),
        Aggregate::Sum => Value::Float(numbers.iter().fold(0.0, |sum, x| sum + x)),
        Aggregate::Avg => some(mean, n > 0.0),
        Aggregate::Variance => some(squares / (n - 1.0), n > 1.0),
        Aggregate::Stddev => some((squares / (n - 1.0)).sqrt(), n > 1.0),
        Aggregate::VarPop => some(squares / n, n > 0.0),
        Aggregate::StddevPop => some((squares / n).sqrt(), n > 0.0),
        Aggregate::Min => extreme(call, values, std::cmp::Ordering::Less),
        Aggregate::Max => extreme(call, values, std::cmp::Ordering::Greater),
        Aggregate::Any => extreme(call, values, std::cmp::Ordering::Greater),
        Aggregate::Every => extreme(call, values, std::cmp::Ordering::Less),
        Aggregate::ArgMax => best(values, std::cmp::Ordering::Greater),
        Aggregate::ArgMin => best(values, std::cmp::Ordering::Less),
        Aggregate::Covar | Aggregate::Corr | Aggregate::Slope => together(call.aggregate, values),
        Aggregate::First => values.first().cloned().unwrap_or(Value::Null),
        // By the time beside it; of equal times the last.
        Aggregate::Last if call.args.len() == 2 => values
            .iter()
            .map(pair)
            .reduce(|last, v| if v.1.order(last.1) == Some(std::cmp::Ordering::Less) { last } else { v })
            .map_or(Value::Null, |v| v.0.clone()),
        Aggregate::Last => values.last().cloned().unwrap_or(Value::Null),
        Aggregate::CountDistinct => Value::Int(distinct(values).len() as i64),
        // Few values are counted.
        Aggregate::ApproxCountDistinct => Value::Int(distinct(values).len() as i64),
        Aggregate::TopK => Value::Array(largest(values, call.parameter.unwrap() as usize)),
        Aggregate::ApproxPercentile => approx_percentile(numbers, call.parameter.unwrap()),
        Aggregate::CollectDistinct => Value::Array(distinct(values)),
        Aggregate::Collect => Value::Array(values.to_vec()),
        Aggregate::Median => percentile(numbers, 50.0),
        Aggregate::Percentile => percentile(numbers, call.parameter.unwrap()),
        Aggregate::Ema => {
            let alpha = 2.0 / (call.parameter.unwrap() + 1.0);
            numbers.into_iter().reduce(|ema, x| alpha * x + (1.0 - alpha) * ema).map_or(Value::Null, Value::Float)
        }
    }
}

/// The first of the smallest or largest; NaN is skipped. Of NaN alone it is null, where that can be; else NaN, since there are values.
fn extreme(call: &AggregateCall, values: &[Value], better: std::cmp::Ordering) -> Value {
    let of_none = if call.ty.nullable || values.is_empty() { Value::Null } else { Value::Float(f64::NAN) };
    let numbers = values.iter().filter(|v| !matches!(v, Value::Float(f) if f.is_nan()));
    numbers.cloned().reduce(|best, v| if v.order(&best) == Some(better) { v } else { best }).unwrap_or(of_none)
}

fn pair(v: &Value) -> (&Value, &Value) {
    match v {
        Value::Array(pair) => (&pair[0], &pair[1]),
        other => panic!("{other:?} is no pair"),
    }
}

/// The value of the first pair whose second value no other beats; a NaN beats nothing.
fn best(values: &[Value], better: std::cmp::Ordering) -> Value {
    let is_nan = |v: &Value| matches!(v, Value::Float(f) if f.is_nan());
    let beats = |a: &Value, b: &Value| a.order(b) == Some(better) || (is_nan(b) && !is_nan(a));
    let pairs = values.iter().map(pair);
    pairs.reduce(|best, next| if beats(next.1, best.1) { next } else { best }).map_or(Value::Null, |(value, _)| value.clone())
}

fn together(aggregate: Aggregate, values: &[Value]) -> Value {
    let float = |v: &Value| if let Value::Float(f) = v { *f } else { panic!("{v:?} is no float") };
    let since = |v: &Value, first: i64| if let Value::Timestamp(ts) = v { (*ts as i128 - first as i128) as f64 / 1e9 } else { float(v) };
    let first = values.first().map_or(0, |v| if let Value::Timestamp(ts) = pair(v).1 { *ts } else { 0 });
    let pairs: Vec<(f64, f64)> = values.iter().map(pair).map(|(x, y)| (float(x), since(y, first))).collect();
    let n = pairs.len() as f64;
    if n < 2.0 {
        return Value::Null;
    }
    let (mean_x, mean_y) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum::<f64>();
    let (product, x, y) = (sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y));
    match aggregate {
        Aggregate::Covar => Value::Float(product / (n - 1.0)),
        Aggregate::Slope if y > 0.0 => Value::Float(product / y),
        Aggregate::Slope => Value::Null,
        _ if x > 0.0 && y > 0.0 => Value::Float((product / (x.sqrt() * y.sqrt())).clamp(-1.0, 1.0)),
        _ => Value::Null,
    }
}

fn distinct(values: &[Value]) -> Vec<Value> {
    let mut seen: Vec<Value> = vec![];
    for v in values {
        if !seen.iter().any(|s| s.same_key(v)) {
            seen.push(v.clone());
        }
    }
    seen
}

/// The largest first, NaN last.
fn largest(values: &[Value], count: usize) -> Vec<Value> {
    let is_nan = |v: &Value| matches!(v, Value::Float(f) if f.is_nan());
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.order(a).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b))));
    sorted.truncate(count);
    sorted
}

/// The middle of the 64th of a power of two in which the value of that rank lies.
fn approx_percentile(mut numbers: Vec<f64>, p: f64) -> Value {
    numbers.retain(|x| !x.is_nan());
    numbers.sort_by(f64::total_cmp);
    let Some(last) = numbers.len().checked_sub(1) else { return Value::Null };
    let value = numbers[(p / 100.0 * last as f64) as usize];
    if value.is_infinite() {
        return Value::Float(value);
    }
    let bits = value.abs().to_bits();
    let first = bits - bits % (1 << 46);
    Value::Float(if first == 0 { 0.0 } else { f64::from_bits(first + (1 << 45)).copysign(value) })
}

/// Linear between order statistics, at rank p/100·(n−1).
fn percentile(mut numbers: Vec<f64>, p: f64) -> Value {
    numbers.retain(|x| !x.is_nan());
    numbers.sort_by(f64::total_cmp);
    if numbers.is_empty() {
        return Value::Null;
    }
    let rank = p / 100.0 * (numbers.len() - 1) as f64;
    let (low, high) = (numbers[rank.floor() as usize], numbers[rank.ceil() as usize]);
    // Between equal values, infinite ones too, there is nothing to interpolate.
    Value::Float(if low == high { low } else { low + (high - low) * rank.fract() })
}
