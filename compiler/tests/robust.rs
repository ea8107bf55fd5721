//! Programs that are damaged, odd or large are refused or compiled; never a panic, and what compiles prints as Rust.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use varpulis_compiler::compile;
use varpulis_compiler::rust::{Options, file, items, path};

const PROGRAM: &str = r#"
enum Side: Buy, Sell
const LIMIT = 10 * 1_000
param limit: float = 9.5
let base: float = limit * 2.0
fn fee(amount: float, rate: float = 0.02) -> float:
    let x = amount * rate
    if x > 100:
        return 100.0
    x
event Trade:
    symbol: str
    price: float
    volume: int
    venue: str?
    side: Side
stream Big = Trade.where(price * volume > LIMIT and venue != "X").emit(symbol, notional: price * volume, f: fee(price), side, label: f"{symbol}: {price:.2}")
stream Roll = Trade.partition_by(symbol).window(5m, sliding: 1m).aggregate(n: count(), top: max(price), p: percentile(price, 90), e: ema(price, 5))
stream Ses = Trade.partition_by(symbol).window(session: 30s).aggregate(n: count(), s: sum(volume)).where(n > 1)
stream M = merge(Big, Roll).select(symbol)
stream J = join(Trade, Quote).on(Trade.symbol == Quote.symbol and Quote.bid > 1.0).window(1m).emit(s: Trade.symbol, b: Quote.bid)
stream L = latest_join(Trade, Quote as q).on(Trade.symbol == q.symbol).emit(s: Trade.symbol, b: q.bid)
stream Rise = Trade as a -> all Trade where price > up.price as up -> not Quote where bid > a.price -> Trade where symbol == a.symbol as c .within(10m).partition_by(symbol).emit(n: count(up), hi: max(up.price), first: up[0].price)
"#;

fn print(text: &str) {
    if let Some(program) = compile(text).program {
        let options = Options { runtime: path("::varpulis_runtime"), name: "test".to_owned(), file: "test.vpl".to_owned(), comments: true };
        file(items(&program.physical, &program.sources, &options), &[]).unwrap();
    }
}

#[test]
fn the_whole_program_compiles() {
    let c = compile(PROGRAM);
    assert!(
        c.program.is_some(),
        "{}",
        varpulis_compiler::diagnostics::render(&c.diagnostics, &varpulis_compiler::sources::Sources::new("test.vpl", PROGRAM), false)
    );
    print(PROGRAM);
}

/// The errors of a program, compiled on a stack like that of a main thread.
fn refused(text: &str) -> Vec<String> {
    let text = text.to_owned();
    let errors = move || varpulis_compiler::compile(&text).diagnostics.into_iter().filter(|d| d.is_error()).map(|d| d.message).collect();
    std::thread::Builder::new().stack_size(8 << 20).spawn(errors).unwrap().join().unwrap()
}

#[test]
fn long_expressions_compile_or_are_refused() {
    let chain = |n| format!("event T:\n    x: int\nstream S = T.where(x > 0{})\n", " + 1".repeat(n));
    assert_eq!(refused(&chain(480)), Vec::<String>::new());
    assert_eq!(refused(&chain(100_000)), ["this expression has more than 500 operators"]);
    // Chains within chains are one tree.
    let nested = format!(
        "event T:\n    x: int\nstream S = T.where({}x > 0{})\n",
        "(".repeat(100),
        " and x > 0)".repeat(100).replace(")", &(" or x > 1".repeat(20) + ")"))
    );
    assert_eq!(refused(&nested), ["this expression has more than 500 operators"]);
}

#[test]
fn functions_that_double_are_refused() {
    let mut text = "fn f0(x: int) -> int:\n    x\n".to_owned();
    for i in 1..40 {
        text += &format!("fn f{i}(x: int) -> int:\n    f{0}(x) + f{0}(x)\n", i - 1);
    }
    text += "event T:\n    x: int\nstream S = T.where(f39(x) > 1)\n";
    assert_eq!(refused(&text).len(), 1, "{:?}", refused(&text));
    let mut text = "fn f0(x: int) -> int:\n    x\n".to_owned();
    for i in 1..1_000 {
        text += &format!("fn f{i}(x: int) -> int:\n    f{}(x)\n", i - 1);
    }
    text += "event T:\n    x: int\nstream S = T.where(f999(x) > 1)\n";
    assert!(refused(&text).iter().any(|m| m.contains("128 deep")), "{:?}", refused(&text));
}

/// A program of one function over `Trade`, whose body is given.
fn body(lines: &str) -> String {
    format!("event T:\n    x: float\nfn f(x: float) -> float:\n{lines}\nstream S = T.select(y: f(x))\n")
}

#[test]
fn what_is_deep_once_written_out_is_refused() {
    let deep = "this expression is more than 1000 levels deep, with functions and names written out";
    let lets = |n: usize| body(&format!("    let a0 = x\n{}    a{n}", (1..=n).map(|i| format!("    let a{i} = a{} + 1.0\n", i - 1)).collect::<String>()));
    let calls = |n: usize| {
        let sums = " + 1.0".repeat(100);
        let more: String = (1..=n).map(|i| format!("fn f{i}(x: float) -> float: f{}(x){sums}\n", i - 1)).collect();
        format!("event T:\n    x: float\nfn f0(x: float) -> float: x\n{more}stream S = T.select(y: f{n}(x))\n")
    };
    let returns = |n: usize| body(&format!("{}    x", (0..n).map(|i| format!("    if x > {i}.0:\n        return {i}.0\n")).collect::<String>()));
    let branches = |n: usize| body(&format!("    if x > 0.0: 0.0\n{}    else: x", "    elif x > 1.0: 1.0\n".repeat(n)));
    for fits in [lets(200), calls(8), returns(400), branches(100)] {
        assert_eq!(refused(&fits), Vec::<String>::new());
    }
    for (text, message) in [
        (lets(20_000), "with `a222` written out, this expression has more than 50000 parts"),
        (calls(100), deep),
        (returns(5_000), "with `x` written out, this expression is more than 1000 levels deep"),
    ] {
        assert_eq!(refused(&text), [message]);
    }
}

#[test]
fn long_streams_compile_or_are_refused() {
    let event = "event T:\n    x: int\n";
    let operators = |n: usize| format!("{event}stream S = T{}\n", ".where(x > 1)".repeat(n));
    let streams = |n: usize| (1..=n).map(|i| format!("stream S{i} = S{}.where(x > {i})\n", i - 1)).collect::<Vec<_>>();
    let forwards = |n: usize| format!("{event}stream S0 = T\n{}", streams(n).concat());
    let backwards = |n: usize| format!("{event}{}stream S0 = T\n", streams(n).into_iter().rev().collect::<String>());
    for fits in [operators(490), forwards(490), backwards(490)] {
        assert_eq!(refused(&fits), Vec::<String>::new());
    }
    let far = "this is more than 500 operators away from its source";
    assert_eq!(refused(&operators(20_000)), [far]);
    assert_eq!(refused(&forwards(5_000)), [far]);
    assert_eq!(refused(&backwards(50_000)), ["streams read one another more than 500 deep"]);
    let constants: String = (1..20_000).rev().map(|i| format!("const A{i} = A{} + 1\n", i - 1)).collect();
    assert_eq!(refused(&format!("{constants}const A0 = 0\n")), ["values need one another more than 128 deep"]);
}

#[test]
fn thousands_of_aliases_compile() {
    let mut text = "type C0 = int\n".to_owned();
    for i in 1..5_000 {
        text += &format!("type C{i} = C{}\n", i - 1);
    }
    text += "event T:\n    x: C4999\nstream S = T.where(x > 1)\n";
    assert_eq!(refused(&text), Vec::<String>::new());
    let backwards: Vec<&str> = text.lines().rev().collect();
    let text = format!("event T:\n    x: C4999\nstream S = T.where(x > 1)\n{}", backwards.get(3..).unwrap().join("\n"));
    assert_eq!(refused(&text), Vec::<String>::new());
    let mut text = "type C0 = int\n".to_owned();
    for i in 1..5_000 {
        text += &format!("type C{i} = [C{}]\n", i - 1);
    }
    text += "stream S = T.where(x > 1)\n";
    assert_eq!(refused(&text), ["this type is more than 128 levels deep"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_program() {
    assert_eq!(varpulis_compiler::syntax::without_mark("\u{feff}event T:".to_owned()), "event T:");
    assert_eq!(varpulis_compiler::syntax::without_mark("event T:".to_owned()), "event T:");
}

#[test]
fn thousands_of_rules_compile() {
    let mut text = String::from("event Trade:\n    symbol: str\n    price: float\n");
    for i in 0..2_000 {
        text.push_str(&format!("stream R{i} = Trade.where(symbol == \"S{i}\" and price > {i}.0).emit(symbol, price)\n"));
    }
    print(&text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_exchanged(from in 0usize..400, to in 0usize..400) {
        let words: Vec<&str> = PROGRAM.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
        let mut changed = words.clone();
        changed[from % words.len()] = words[to % words.len()];
        print(&changed.concat());
    }

    #[test]
    fn words_dropped(at in 0usize..400, count in 1usize..6) {
        let mut words: Vec<&str> = PROGRAM.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
        let at = at % words.len();
        let end = (at + count).min(words.len());
        words.drain(at..end);
        print(&words.concat());
    }
}
