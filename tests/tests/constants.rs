//! What the compiler computes of constants is what the runtime computes of the same values: every function that both know, over values at the limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use varpulis_abi::functions::{FUNCTIONS, FunctionRow};
use varpulis_abi::scalar::Scalar;
use varpulis_compiler::analysis::typed::{Expr, ExprKind, Literal};
use varpulis_compiler::analysis::types::{Kind, Type};
use varpulis_compiler::evaluate::{Refusal, constant};
use varpulis_compiler::functions::Function;
use varpulis_compiler::syntax::ast::Span;
use varpulis_tests::functions::{at_run_time, same};

const INTS: &[i64] =
    &[0, 1, -1, 2, -2, 3, 10, 62, 63, 64, -63, 255, 1 << 31, 1 << 32, (1 << 32) + 1, (1 << 53) + 1, i64::MAX - 1, i64::MAX, i64::MIN + 1, i64::MIN];

const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.1,
    1e15,
    9_007_199_254_740_993.0,
    9_223_372_036_854_775_807.0,
    -9_223_372_036_854_775_808.0,
    -9_223_372_036_854_777_856.0,
    1e308,
    -1e308,
    5e-324,
    f64::MIN_POSITIVE,
    f64::EPSILON,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "aa",
    "É",
    "ß",
    "ŉ",
    "Σας ΣΑΣ",
    "İı",
    "\u{a0}12\u{2003}",
    " 12 ",
    "12",
    "+12",
    "-12",
    "--12",
    "1e3",
    "1.0",
    "1.5",
    "-0.0",
    ".5",
    "5.",
    "1_000",
    "0x10",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e400",
    "nan",
    "-inf",
    "infinity",
    "true",
    " false ",
    "True",
    "\t\n",
    "日本語",
];

/// Values of a type; `None` for one that no constant has.
fn values(scalar: Scalar) -> Option<Vec<Literal>> {
    Some(match scalar {
        Scalar::Int => INTS.iter().map(|v| Literal::Int(*v)).collect(),
        Scalar::Float => FLOATS.iter().map(|v| Literal::Float(*v)).collect(),
        Scalar::Bool => vec![Literal::Bool(false), Literal::Bool(true)],
        Scalar::Text => TEXTS.iter().map(|v| Literal::Str((*v).to_owned())).collect(),
        Scalar::Timestamp => INTS.iter().map(|v| Literal::Timestamp(*v)).collect(),
        Scalar::Duration => INTS.iter().map(|v| Literal::Duration(*v)).collect(),
        Scalar::Decimal => INTS.iter().map(|v| Literal::Decimal(i128::from(*v))).collect(),
        Scalar::Json | Scalar::Enum | Scalar::Packed | Scalar::Wide => return None,
    })
}

fn type_of(scalar: Scalar) -> Type {
    Type::new(match scalar {
        Scalar::Int | Scalar::Enum | Scalar::Wide => Kind::Int,
        Scalar::Float => Kind::Float,
        Scalar::Decimal => Kind::Decimal(38, 0),
        Scalar::Bool => Kind::Bool,
        Scalar::Text => Kind::Str,
        Scalar::Timestamp => Kind::Timestamp,
        Scalar::Duration => Kind::Duration,
        Scalar::Json => Kind::Any,
        Scalar::Packed => Kind::Array(Box::new(Type::INT)),
    })
}

/// Every choice of arguments.
fn calls(row: &FunctionRow) -> Vec<Vec<Literal>> {
    let mut all = vec![vec![]];
    for scalar in row.args {
        let Some(values) = values(*scalar) else { return vec![] };
        all = all.iter().flat_map(|before: &Vec<Literal>| values.iter().map(|v| [before.as_slice(), std::slice::from_ref(v)].concat())).collect();
    }
    all
}

#[test]
fn constants_are_what_the_runtime_computes() {
    let (mut known, mut wrong) = (BTreeSet::new(), vec![]);
    for row in FUNCTIONS {
        let function = Function::find(row.name, row.args).unwrap();
        for args in calls(row) {
            let parts = args.iter().zip(row.args).map(|(v, s)| Expr::literal(v.clone(), type_of(*s), Span::default())).collect();
            let call = Expr { kind: ExprKind::Call(function, parts), ty: type_of(row.result), span: Span::default() };
            let computed = match constant(&call) {
                // What the compiler does not know is computed at run time; what is too long as well, or refused.
                Ok(None) | Err(Refusal::TooLong) => continue,
                Ok(Some(v)) => Ok(v),
                Err(Refusal::Fails(reason)) => Err(reason),
            };
            known.insert(row.body);
            let agree = match (&computed, &at_run_time(row.body, &args).unwrap()) {
                (Ok(a), Ok(b)) => same(a, b),
                (Err(a), Err(b)) => a == b,
                _ => false,
            };
            if !agree {
                wrong.push(format!("{}{args:?}: {computed:?} at compile time, {:?} at run time", row.body, at_run_time(row.body, &args)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(known.len() >= 25, "the compiler knows only {known:?}");
}
