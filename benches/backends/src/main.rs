//! Both backends over the same decoded events in memory: nanoseconds an event, and the ratio of their rates, each the median of runs in turn.
//!
//! The first argument is the folder with the events that `benches/compare.py` makes; the second, which of them: `1000000-42`. What follows
//! are the workloads to run, all if there are none.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use varpulis::runtime::event::Event;
use varpulis::runtime::input::{DecodeOptions, Decoded, Decoder, Format, Item, Source, ValueBuffer};
use varpulis::runtime::value::Value;
use varpulis::{Instance, Params, Program, rows};
use varpulis_compiler::jit;

/// At least so many runs, and so many more, up to the most, as fit into the time.
const RUNS: usize = 7;
const MOST_RUNS: usize = 61;
const TIME: Duration = Duration::from_secs(2);

macro_rules! workloads {
    ($($name:ident: $program:expr, $events:expr;)*) => {
        $(varpulis::include!($name);)*

        fn main() -> ExitCode {
            let mut arguments = std::env::args().skip(1);
            let (Some(folder), Some(which)) = (arguments.next(), arguments.next()) else {
                eprintln!("usage: varpulis-bench-backends FOLDER EVENTS-SEED [WORKLOAD…]");
                return ExitCode::FAILURE;
            };
            let wanted: Vec<String> = arguments.collect();
            println!("{:10} {:>9} {:>9} {:>9} {:>6}", "", "rows", "aot ns", "jit ns", "ratio");
            // Flights are those of a week, unless the folder has more of them.
            let more = Path::new(&folder).join("flights.ndjson");
            let week = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights/flights-week.ndjson");
            let flights = if more.exists() { more } else { week };
            $(if !wanted.is_empty() && !wanted.iter().any(|name| name == stringify!($name)) {
            } else if let Err(error) = compare::<$name::Program>(stringify!($name), $program, &file($events, &folder, &which, &flights)) {
                eprintln!("{}: {error}", stringify!($name));
            })*
            ExitCode::SUCCESS
        }
    };
}

macro_rules! reference {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $file))
    };
}

workloads! {
    w1: reference!("reference/programs/w1.vpl"), "w1-{which}.ndjson";
    w2: reference!("reference/programs/w2.vpl"), "w1-{which}.ndjson";
    w4: reference!("reference/programs/w4.vpl"), "w4-{which}.ndjson";
    w5: reference!("reference/programs/w5.vpl"), "w5-{which}.ndjson";
    w6: reference!("reference/programs/w6.vpl"), "w6-{which}.ndjson";
    w7: include_str!(concat!(env!("OUT_DIR"), "/w7.vpl")), "w1-{which}.ndjson";
    w8: reference!("reference/programs/w8.vpl"), "w8-{which}.ndjson";
    slide: reference!("reference/programs/slide.vpl"), "w1-{which}.ndjson";
    percentile: reference!("reference/programs/percentile.vpl"), "w1-{which}.ndjson";
    session: reference!("reference/programs/session.vpl"), "session-{which}.ndjson";
    cascade: reference!("../examples/flights/cascade.vpl"), "flights";
    hourly: reference!("../examples/flights/hourly.vpl"), "flights";
    overdue: reference!("../examples/flights/overdue.vpl"), "flights";
}

fn file(events: &str, folder: &str, which: &str, flights: &Path) -> PathBuf {
    if events == "flights" { flights.to_owned() } else { Path::new(folder).join(events.replace("{which}", which)) }
}

fn compare<P: Program>(name: &str, text: &str, file: &Path) -> Result<(), String> {
    let events = read::<P>(file)?;
    let program = jit::Program::compile(text).map_err(|error| error.to_string())?;
    let (mut aot_times, mut jit_times, mut ratios, mut all) = (vec![], vec![], vec![], 0);
    let start = Instant::now();
    while ratios.len() <= RUNS || (ratios.len() <= MOST_RUNS && start.elapsed() < TIME) {
        let (aot, aot_rows) = run(P::with_params(&Params::default())?, &events);
        let (jit, jit_rows) = run(program.instance()?, &events);
        if aot_rows != jit_rows {
            return Err(format!("{aot_rows} rows ahead of time, {jit_rows} at run time"));
        }
        ratios.push(aot / jit);
        aot_times.push(aot);
        jit_times.push(jit);
        all = aot_rows;
    }
    // The first run of each warms caches up.
    let middle = |times: &mut Vec<f64>| {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    println!("{name:10} {all:>9} {:>9.1} {:>9.1} {:>6.2}", middle(&mut aot_times), middle(&mut jit_times), middle(&mut ratios));
    Ok(())
}

/// Nanoseconds an event, and how many rows there were.
fn run<I: Instance>(mut instance: I, events: &[Event<'_>]) -> (f64, u64) {
    let mut count = 0u64;
    let mut out = rows(|_: I::Row<'_>| count += 1);
    let start = Instant::now();
    instance.events(events, &mut out);
    instance.finish(&mut out);
    (start.elapsed().as_secs_f64() * 1e9 / events.len().max(1) as f64, count)
}

fn read<P: Program>(file: &Path) -> Result<Vec<Event<'static>>, String> {
    // Events borrow from the text, which stays in memory to the end.
    let bytes: &'static [u8] = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?.leak();
    let mut source = Source::new(Box::new(bytes), Format::Ndjson.framing());
    let mut decoder = Decoder::new(Format::Ndjson, P::EVENTS, &DecodeOptions::default());
    let mut buffer = ValueBuffer::default();
    let mut events = vec![];
    loop {
        while let Some(item) = source.buffered() {
            let Item::Record(_, record) = item else { continue };
            let mut values = buffer.take();
            if let Decoded::Event { event, ts } = decoder.decode(record, &mut values) {
                let kept = |value: &Value<'_>| value.with_text(|text| text.to_owned().leak());
                events.push(Event::new(event, ts, values.iter().map(kept).collect::<Vec<_>>().leak()));
            }
            buffer.give_back(values);
        }
        if !source.refill().map_err(|error| error.to_string())? {
            return Ok(events);
        }
    }
}
