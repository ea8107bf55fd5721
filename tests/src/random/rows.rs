//! Random rows for the fields that random trees read, most of their values at the limits.

use std::fmt::Write;

use fastrand::Rng;
use varpulis_abi::number::decimal_text;
use varpulis_abi::scalar::Scalar;
use varpulis_compiler::analysis::typed::Literal;

use super::pick;
use super::trees::FIELDS;

const INTS: &[i64] = &[0, 1, -1, 2, 3, 10, 62, 63, 64, 255, 1 << 31, 1 << 32, (1 << 53) + 1, i64::MAX - 1, i64::MAX, i64::MIN + 1, i64::MIN];
const FLOATS: &[f64] =
    &[0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 0.1, 1e15, 9_007_199_254_740_992.0, 9_223_372_036_854_775_807.0, 1e308, -1e308, 5e-324, f64::MIN_POSITIVE, f64::MAX];
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "aa",
    "É",
    "ß",
    "Σας ΣΑΣ",
    "İı",
    "\u{a0}12\u{2003}",
    "12",
    "-12",
    "1e3",
    "1.5",
    "-0.0",
    "9223372036854775808",
    "nan",
    "-inf",
    "true",
    "日本語",
    "q\"\\\n",
    "2026-01-23T10:00:00.5Z",
    "1969-12-31",
    "🦀🦀",
];
const JSON: &[&str] = &["1", "1.0", "-0", "1e400", "9223372036854775808", "true", r#""a""#, r#""\u0061""#, r#""12""#, r#""""#, "[1, {}]", r#"{"a":null}"#];

/// A row: its time in nanoseconds, and a value for every field.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its time.
    pub ts: i64,
    /// In the order of the fields.
    pub values: Vec<Literal>,
}

impl Row {
    /// A random one. Some have values that no JSON can say: NaN and the infinities.
    pub fn random(rng: &mut Rng, ts: i64) -> Self {
        let strange = rng.u8(..4) == 0;
        Self { ts, values: FIELDS.iter().map(|(_, ty, nullable)| value(rng, *ty, *nullable, strange)).collect() }
    }

    /// As a line of NDJSON; `None` if it has values that no JSON can say.
    pub fn to_json(&self) -> Option<String> {
        let mut line = format!("{{\"type\":\"E\",\"ts\":{}", millis(self.ts));
        for ((name, ty, _), value) in FIELDS.iter().zip(&self.values) {
            let _ = write!(line, ",\"{name}\":");
            match value {
                Literal::Null => line.push_str("null"),
                Literal::Int(v) => line.push_str(&v.to_string()),
                Literal::Float(v) if !v.is_finite() => return None,
                Literal::Float(v) => line.push_str(&format!("{v:e}")),
                Literal::Decimal(v) => line.push_str(&decimal_text(*v, 3)),
                Literal::Bool(v) => line.push_str(&v.to_string()),
                Literal::Str(v) if *ty == Scalar::Json => line.push_str(v),
                Literal::Str(v) => line.push_str(&serde_json::to_string(v).ok()?),
                Literal::Timestamp(v) | Literal::Duration(v) => line.push_str(&millis(*v)),
                Literal::Enum(v) => line.push_str(["\"Buy\"", "\"Sell\"", "\"Hold\""].get(*v as usize)?),
            }
        }
        line.push('}');
        Some(line)
    }
}

/// Nanoseconds as milliseconds, all their digits kept.
fn millis(ns: i64) -> String {
    let (sign, ns) = (if ns < 0 { "-" } else { "" }, ns.unsigned_abs());
    format!("{sign}{}.{:06}", ns / 1_000_000, ns % 1_000_000)
}

fn value(rng: &mut Rng, ty: Scalar, nullable: bool, strange: bool) -> Literal {
    if nullable && rng.u8(..4) == 0 {
        return Literal::Null;
    }
    let int = |rng: &mut Rng| match rng.u8(..6) {
        0 => rng.i64(..),
        1 | 2 => rng.i64(-3..9),
        _ => pick(rng, INTS),
    };
    match ty {
        Scalar::Int | Scalar::Wide => Literal::Int(int(rng)),
        Scalar::Timestamp => Literal::Timestamp(if rng.u8(..3) == 0 { rng.i64(0..2_000_000_000_000_000_000) } else { int(rng) }),
        Scalar::Duration => Literal::Duration(if rng.u8(..3) == 0 { rng.i64(0..200_000_000_000_000) } else { int(rng) }),
        Scalar::Float if strange && rng.bool() => Literal::Float(pick(rng, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
        Scalar::Float if rng.u8(..4) == 0 => Literal::Float(rng.i32(-40..40) as f64 / 8.0),
        Scalar::Float => Literal::Float(pick(rng, FLOATS)),
        Scalar::Decimal => Literal::Decimal(match rng.u8(..3) {
            0 => pick(rng, &[0, 1, -1, 500, 99_999_999_999_999, -99_999_999_999_999]),
            1 => rng.i128(-100_000..100_000),
            _ => rng.i128(-99_999_999_999_999..=99_999_999_999_999),
        }),
        Scalar::Bool => Literal::Bool(rng.bool()),
        Scalar::Text => Literal::Str(pick(rng, TEXTS).to_owned()),
        Scalar::Enum => Literal::Enum(rng.u32(..3)),
        Scalar::Json | Scalar::Packed => Literal::Str(pick(rng, JSON).to_owned()),
    }
}
