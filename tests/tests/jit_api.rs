//! The library's door to the JIT: what a program that comes at run time is, what it refuses, and how an instance is used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use varpulis_abi::reason::Reason;
use varpulis_compiler::diagnostics::Code;
use varpulis_compiler::jit::{Limits, Program, Refused, Row};
use varpulis_runtime::event::Event;
use varpulis_runtime::jit::Instance;
use varpulis_runtime::operator::Refusal;
use varpulis_runtime::output::{Output, WriteRecord, rows};
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

const LOOPS: &str = "
fn upto(n: int) -> int:
    var sum = 0
    for i in 0..n:
        sum := sum + i
    sum
fn forever(n: int) -> int:
    var i = 0
    while i >= 0:
        i := i + n
        i := i - n
    i
fn doubled(n: int) -> int:
    var text = \"x\"
    for _i in 0..n:
        text := text + text
    len(text)
";

/// What a program tells of one event with a number, its loops limited to so much; the time it takes is bounded by that, not by the number.
fn with_fuel(value: &str, fuel: u64, number: i64) -> Result<String, Refusal> {
    struct Told(Option<Result<String, Refusal>>);
    impl Output<Instance> for Told {
        fn row(&mut self, row: Row<'_>) {
            self.0 = row.get("value").map(|value| Ok(format!("{value:?}")));
        }
        fn error(&mut self, refusal: Refusal, _: &dyn WriteRecord) {
            self.0 = Some(Err(refusal));
        }
        fn late(&mut self, _: &dyn WriteRecord) {}
        fn print(&mut self, _: &str) {}
    }
    let text = format!("event Number:\n    n: int\nstream Made = Number.emit(value: {value})\n{LOOPS}");
    let program = Program::compile_as("made", "made.vpl", &text, Limits { fuel: Some(fuel), ..Limits::default() }).unwrap();
    let (mut instance, mut told) = (program.instance().unwrap(), Told(None));
    instance.events(&[Event::new(0, 0, &[Value::Int(number)])], &mut told);
    let first = told.0.take().unwrap();
    // What is used up is there again for the next event.
    instance.event(0, 1, &[Value::Int(number)], &mut told);
    assert_eq!(told.0.take(), Some(first.clone()));
    if let Err(refusal) = &first {
        let site = &program.schema().sites[refusal.site as usize];
        // The place is in the stream, or in the function with the loop.
        assert_eq!((&*site.stream, site.line >= 3), ("Made", true));
    }
    first
}

#[test]
fn loops_run_out_of_fuel() {
    let used_up = |told: Result<String, Refusal>| told.unwrap_err().reason == Reason::OutOfFuel;
    let sum = "(0..n).map(i => i * 2).sum()";
    assert_eq!(with_fuel(sum, 100_000, 1_000), Ok("Int(999000)".to_owned()));
    assert!(used_up(with_fuel(sum, 100_000, 100_001)));
    // Loops in loops use the same.
    assert!(used_up(with_fuel("(0..n).map(i => (0..n).map(j => i + j).sum()).sum()", 1_000_000, 1_000_000)));
    assert_eq!(with_fuel("(0..n).map(i => i).sum() + (0..n).map(i => i).sum()", 100_000, 1_000), Ok("Int(999000)".to_owned()));
    // So does what they make.
    assert!(used_up(with_fuel("(0..n).map(i => (0..n)).len()", 100_000_000, 1_000_000)));
    assert!(used_up(with_fuel("(0..n).map(i => format_time(@2026-01-01, \"%Y-%m-%d %H:%M:%S\")).len()", 100_000, 20_000)));
    // And loops of statements, whether or not they end.
    assert_eq!(with_fuel("upto(n)", 100_000, 1_000), Ok("Int(499500)".to_owned()));
    assert!(used_up(with_fuel("upto(n)", 100_000, 100_001)));
    assert!(used_up(with_fuel("forever(n)", 100_000, 1)));
    assert!(used_up(with_fuel("(0..n).map(i => upto(i)).sum()", 100_000, 1_000)));
    assert!(used_up(with_fuel("doubled(n)", 100_000_000, 50)));
}

/// Rows, and the machine's time as the test has it.
struct ByClock {
    now: i64,
    rows: Vec<(i64, String)>,
}

impl Output<Instance> for ByClock {
    fn row(&mut self, row: Row<'_>) {
        let values: Vec<String> = row.fields().map(|(_, value)| format!("{value:?}")).collect();
        self.rows.push((row.ts(), values.join(" ")));
    }
    fn error(&mut self, _: Refusal, _: &dyn WriteRecord) {}
    fn late(&mut self, _: &dyn WriteRecord) {}
    fn print(&mut self, _: &str) {}
    fn wall_clock(&self) -> i64 {
        self.now
    }
}

#[test]
fn windows_by_the_machines_time() {
    let text = "event Number:\n    n: int\nstream Made = Number.window(10ns, policy: \"processing_time\").aggregate(total: sum(n))\nstream Twice = Made.window(session: 100ns, policy: \"processing_time\").aggregate(rows: count())\nstream Fired = Made.where(total > 2)";
    let program = Program::compile(text).unwrap();
    let mut instance = program.instance().unwrap();
    let mut out = ByClock { now: 103, rows: vec![] };
    assert_eq!(instance.machine_deadline(), Some(i64::MAX));
    // Whatever time the events say.
    instance.event(0, 5_000, &[Value::Int(1)], &mut out);
    assert_eq!(instance.machine_deadline(), Some(110));
    out.now = 109;
    instance.tick(&mut out);
    instance.event(0, 9_000, &[Value::Int(2)], &mut out);
    assert!(out.rows.is_empty());
    out.now = 115;
    instance.tick(&mut out);
    assert_eq!(std::mem::take(&mut out.rows), [(109, "Int(3)".to_owned())]);
    // A clock that goes back stands still.
    out.now = 90;
    instance.event(0, 9_000, &[Value::Int(4)], &mut out);
    assert_eq!(instance.machine_deadline(), Some(120));
    out.now = 130;
    instance.event(0, 9_000, &[Value::Int(5)], &mut out);
    assert_eq!(std::mem::take(&mut out.rows), [(119, "Int(4)".to_owned())]);
    // At the end of the input all fire; the second window goes by when the rows of the first came.
    instance.finish(&mut out);
    out.rows.sort();
    assert_eq!(out.rows, [(139, "Int(5)".to_owned()), (229, "Int(3)".to_owned())]);
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
    let mut out = rows(|row: Row<'_>| {
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
