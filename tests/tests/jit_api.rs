//! The library's door to the JIT: what a program that comes at run time is, what it refuses, and how an instance is used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use varpulis_compiler::diagnostics::Code;
use varpulis_compiler::jit::{Limits, Program, Refused};
use varpulis_runtime::output::rows;
use varpulis_runtime::program::{Instance as _, Params};
use varpulis_runtime::value::Value;

const BIG: &str = "event Trade:\n    symbol: str\n    price: float?\nparam least: float\nstream Big = Trade.where(price > least).emit(symbol, price)\n";

fn refused(text: &str, limits: Limits) -> Vec<(Code, String)> {
    match Program::compile_as("p", "p.vpl", text, limits) {
        Ok(_) => panic!("it is accepted"),
        Err(Refused::Program(diagnostics)) => diagnostics.into_iter().filter(|d| d.is_error()).map(|d| (d.code, d.message)).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn programs_are_refused_with_what_is_wrong() {
    let found = refused("event Trade:\n    price: float\nstream Big = Trade.where(pirce > 1.0)\n", Limits::default());
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("pirce"), "{found:?}");
    let told = Program::compile("stream").map(|_| ()).unwrap_err().to_string();
    assert!(told.starts_with("error E"), "{told}");
}

#[test]
fn programs_have_limits() {
    let limits = [
        (Limits { text: 10, ..Limits::default() }, "the program has more than 10 bytes of text"),
        (Limits { streams: 0, ..Limits::default() }, "the program has more than 0 published streams"),
        (Limits { code: 10, ..Limits::default() }, "the program has more than 10 bytes of machine code"),
    ];
    for (limits, message) in limits {
        assert_eq!(refused(BIG, limits), [(Code::TooLarge, message.to_owned())]);
    }
}

#[test]
fn parameters_are_checked() {
    let program = Program::compile(BIG).unwrap();
    assert_eq!(program.instance().map(|_| ()).unwrap_err(), "parameter `least` must be set");
    let with = |name: &str, value: &str| {
        let mut params = Params::default();
        params.set(name, value);
        program.with_params(&params).map(|_| ())
    };
    assert_eq!(with("most", "1").unwrap_err(), "the program has no parameter `most`");
    assert_eq!(with("least", "x").unwrap_err(), "parameter `least` is a number, not `x`");
    assert_eq!(with("least", "1.5"), Ok(()));
}

#[test]
fn rows_are_read_by_name() {
    let program = Program::compile(BIG).unwrap();
    let mut params = Params::default();
    params.set("least", "50");
    let mut instance = program.with_params(&params).unwrap();
    assert_eq!((instance.event_named("Trade"), instance.event_named("Quote")), (Some(0), None));
    let fields: Vec<String> = program.schema().events[0].fields.iter().map(|f| f.name.to_string()).collect();
    assert_eq!(fields, ["symbol", "price"]);
    let mut seen = vec![];
    let mut out = rows(|row: varpulis_compiler::jit::Row<'_>| {
        let Some(Value::Text(symbol)) = row.get("symbol") else { panic!("no symbol") };
        seen.push((row.stream().to_owned(), row.ts(), symbol.to_owned(), row.get("price").map(|v| format!("{v:?}")), row.get("none").is_none()));
    });
    instance.event(0, 7, &[Value::Text("ACME"), Value::Float(60.0)], &mut out);
    instance.event(0, 8, &[Value::Text("INIT"), Value::Null], &mut out);
    instance.event(0, 6, &[Value::Text("LATE"), Value::Float(70.0)], &mut out);
    // What fits no event of the program is not taken.
    instance.event(0, 9, &[Value::Text("SHORT")], &mut out);
    instance.event(9, 9, &[], &mut out);
    instance.finish(&mut out);
    assert_eq!(out.late, 1);
    assert_eq!(seen, [("Big".to_owned(), 7, "ACME".to_owned(), Some("Float(60.0)".to_owned()), true)]);
}
