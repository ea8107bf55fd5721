//! Snapshots of plans and generated code: what a reader of `varpulis explain` and `varpulis emit` finds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use varpulis_compiler::lower::print::Lowered;
use varpulis_compiler::rust::{Options, file, items, path};
use varpulis_compiler::{Compiled, compile};

#[track_caller]
fn lowered(text: &str) -> String {
    let compiled = compiled(text);
    Lowered::new(&compiled.physical, &compiled.sources).to_string()
}

fn compiled(text: &str) -> Compiled {
    let compilation = compile(text);
    compilation.program.unwrap_or_else(|| {
        panic!("{}", varpulis_compiler::diagnostics::render(&compilation.diagnostics, &varpulis_compiler::sources::Sources::new("test.vpl", text), false))
    })
}

fn rust(text: &str) -> String {
    let options = Options { runtime: path("::varpulis_runtime"), name: "test".to_owned(), file: "test.vpl".to_owned(), comments: true };
    let compiled = compiled(text);
    file(items(&compiled.physical, &compiled.sources, &options), &[]).unwrap()
}

const CASCADE: &str = include_str!("../../tests/cases/flights/cascade/program.vpl");
const HOURLY: &str = include_str!("../../tests/cases/flights/hourly/program.vpl");
const OVERDUE: &str = include_str!("../../tests/cases/flights/overdue/program.vpl");

#[test]
fn generated_code_of_a_filter() {
    insta::assert_snapshot!(rust(
        "event Trade:\n    symbol: str\n    price: float\n    volume: int\nstream Big = Trade\n    .where(price > 900 and volume > 500)\n    .emit(symbol, notional: price * volume)\n"
    ));
}

/// Errors find their handler through the stages; windows by the machine's time are driven beside those by event time.
#[test]
fn generated_code_of_a_handler() {
    insta::assert_snapshot!(rust(
        "event Order:\n    price: int\n    parts: int\nstream Each = Order\n    .window(1m, policy: \"processing_time\")\n    .aggregate(each: sum(price / parts))\n    .on_error(e => {failed: e.reason, line: e.line})\n"
    ));
}

/// What users name has a lifetime, though nothing here borrows.
#[test]
fn types_without_texts_have_a_lifetime() {
    insta::assert_snapshot!(rust("event Reading:\n    sensor: int\n    value: float\nstream Hot = Reading.where(value > 30.0).emit(sensor)\n"));
}

/// `--help` shows them.
#[test]
fn defaults_of_parameters_are_stated() {
    let text = "param a: int = 6 * 10\nparam b: float = 2\nparam c: str = \"x\"\nparam d: duration = 90s\nparam e: timestamp = @2026-01-23\nparam f: bool\nparam g: int?\n\
        stream S = T.where(x > a and y > b and z == c and f and x > (g ?? 0)).emit(x, d: d, e: e)\n";
    let rust = rust(text);
    for default in ["Some(\"60\")", "Some(\"2.0\")", "Some(\"x\")", "Some(\"90s\")", "Some(\"2026-01-23T00:00:00Z\")", "None", "Some(\"null\")"] {
        assert!(rust.split_whitespace().any(|word| word.trim_end_matches([',', ')']) == default.trim_end_matches(')')), "{default} in {rust}");
    }
}

#[test]
fn generated_code_of_the_flights() {
    insta::assert_snapshot!("cascade", rust(CASCADE));
    insta::assert_snapshot!("hourly", rust(HOURLY));
    insta::assert_snapshot!("overdue", rust(OVERDUE));
}

#[test]
fn rules_that_differ_in_constants_become_one_table() {
    let mut text = String::from("event Trade:\n    symbol: str\n    price: float\n    volume: int\n");
    for i in 0..16 {
        text.push_str(&format!("stream Rule{i} = Trade.where(symbol == \"S{i}\" and price > {i}.5).emit(symbol, price)\n"));
    }
    insta::assert_snapshot!(compiled(&text).physical.to_string());
}

#[test]
fn plans() {
    for (name, text) in [("cascade_plan", CASCADE), ("hourly_plan", HOURLY), ("overdue_plan", OVERDUE)] {
        let c = compiled(text);
        insta::assert_snapshot!(name, format!("{}\n{}\n{}", c.logical, c.physical, c.physical.memory()));
    }
}

#[test]
fn lowered_code() {
    let text = "param limit: int = 100\nevent Trade:\n    symbol: str\n    price: float\n    volume: int?\nstream Busy = Trade\n    .where(if symbol == \"X\" then price > 1.0 else volume > limit)\n    .partition_by(symbol)\n    .window(1m)\n    .aggregate(n: count(), total: sum(volume * 2), names: count_distinct(symbol))\n    .where(n > 3)\n    .emit(symbol, twice: n * 2, total)\n    .tap(counter: \"busy\")\n";
    insta::assert_snapshot!(lowered(text));
    insta::assert_snapshot!("overdue_lowered", lowered(OVERDUE));
}

#[test]
fn plans_as_json() {
    insta::assert_snapshot!(format!("{:#}", varpulis_compiler::plan::json::json(&compiled(OVERDUE))));
}

#[test]
fn streams_over_one_window_keep_one_state() {
    let text = "stream A = Trade.partition_by(symbol).window(1m).aggregate(n: count()).where(n > 3)\nstream B = Trade.partition_by(symbol).window(1m).aggregate(top: max(price), m: count())\n";
    insta::assert_snapshot!(compiled(text).logical.to_string());
}

#[test]
fn filters_move_towards_their_sources() {
    let text = "event Trade:\n    symbol: str\n    price: float\nstream A = Trade.select(s: symbol, p: price).where(p > 1.0)\nstream B = Trade.partition_by(symbol).window(1m).aggregate(n: count()).where(symbol == \"X\")\nstream C = Trade as a -> Trade where price > a.price as b .within(1m).where(a.price > 5.0).emit(p: a.price)\n";
    insta::assert_snapshot!(compiled(text).logical.to_string());
}

#[test]
fn constants_are_folded() {
    insta::assert_snapshot!(
        compiled("const HOUR = 60 * 60\nstream A = Trade.where(price > 2.0 * 50.0 and volume > HOUR + 1).emit(x: if 1 < 2 then price else 0.0)")
            .logical
            .to_string()
    );
}

#[test]
fn generated_code_does_not_depend_on_chance() {
    for text in [CASCADE, HOURLY, OVERDUE] {
        assert_eq!(rust(text), rust(text));
    }
}

/// Names of the program reach Rust as tokens: keywords, names of the runtime, hostile texts.
#[test]
fn hostile_names_are_names() {
    let text = "event Option:\n    type: str\n    match: int\n    self: float\nstream Result = Option.where(type == \"\\\"; std::process::exit(1); //\" and match > 1).emit(kind: type, match, self)\nstream Vec = Option.partition_by(type).window(1m).aggregate(type: type, n: count()).select(n)\n";
    let code = rust(text);
    assert!(code.contains("r#match") && code.contains("pub struct Option<'a>"), "{code}");
    syn::parse_file(&code).unwrap();
}
