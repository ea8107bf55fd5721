//! What the compiler computes of constants is what the runtime computes of the same values: every function that both know, over values at the limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use varpulis_abi::functions::{FUNCTIONS, FunctionRow};
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;
use varpulis_compiler::analysis::typed::{Expr, ExprKind, Literal};
use varpulis_compiler::analysis::types::{Kind, Type};
use varpulis_compiler::evaluate::{Refusal, constant};
use varpulis_compiler::functions::Function;
use varpulis_compiler::syntax::ast::Span;

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
        Scalar::Json | Scalar::Enum | Scalar::Wide => return None,
    })
}

fn type_of(scalar: Scalar) -> Type {
    Type::new(match scalar {
        Scalar::Int | Scalar::Enum | Scalar::Wide => Kind::Int,
        Scalar::Float => Kind::Float,
        Scalar::Bool => Kind::Bool,
        Scalar::Text => Kind::Str,
        Scalar::Timestamp => Kind::Timestamp,
        Scalar::Duration => Kind::Duration,
        Scalar::Json => Kind::Any,
    })
}

/// Calls a function's body on constants.
macro_rules! at_run_time {
    ($($name:literal $body:ident($($arg:ident),*) -> $r1:ident $($r2:ident)?: $doc:literal;)*) => {
        fn at_run_time(body: &str, args: &[Literal]) -> Result<Literal, Reason> {
            match body {
                $(stringify!($body) => {
                    let mut args = args.iter();
                    let result = varpulis_runtime::scalar::$body($(at_run_time!(@arg $arg args)),*);
                    at_run_time!(@result $r1 $($r2)? result)
                })*
                _ => panic!("no function is called {body}"),
            }
        }
    };
    (@arg Text $args:ident) => { match $args.next() { Some(Literal::Str(v)) => v.as_str(), other => panic!("{other:?}") } };
    (@arg Json $args:ident) => { match $args.next() { Some(Literal::Str(v)) => v.as_str(), other => panic!("{other:?}") } };
    (@arg Float $args:ident) => { match $args.next() { Some(Literal::Float(v)) => *v, other => panic!("{other:?}") } };
    (@arg Bool $args:ident) => { match $args.next() { Some(Literal::Bool(v)) => *v, other => panic!("{other:?}") } };
    (@arg $other:ident $args:ident) => {
        match $args.next() { Some(Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v)) => *v, other => panic!("{other:?}") }
    };
    (@result fallible $r:ident $value:ident) => { $value.map(|v| at_run_time!(@literal $r v)) };
    (@result $r:ident $value:ident) => { Ok(at_run_time!(@literal $r $value)) };
    (@literal Text $v:ident) => { Literal::Str((*$v).to_owned()) };
    (@literal Float $v:ident) => { Literal::Float($v) };
    (@literal Bool $v:ident) => { Literal::Bool($v) };
    (@literal Timestamp $v:ident) => { Literal::Timestamp($v) };
    (@literal Duration $v:ident) => { Literal::Duration($v) };
    (@literal Int $v:ident) => { Literal::Int($v) };
}
varpulis_abi::for_each_function!(at_run_time);

/// Whether both are one value: NaN is NaN, and -0.0 is not 0.0.
fn same(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::Float(a), Literal::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        _ => a == b,
    }
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
            let agree = match (&computed, &at_run_time(row.body, &args)) {
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
