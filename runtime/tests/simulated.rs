//! Whole runs over a simulated machine, each from one seed: what a machine does to reads, writes and the clock changes no output.
//!
//! `VARPULIS_SEED` runs one seed alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod machine;
mod squares;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};

use fastrand::Rng;
use varpulis_runtime::program::Program as _;
use varpulis_runtime::standalone::{Options, Stats, execute, run};

use machine::{Fault, Machine, When};
use squares::Squares;

const SEEDS: u64 = 700;

/// Runs a check for every seed; a failure names its seed. The check tells whether the run had what it looks for: of a third they must.
fn for_seeds(check: fn(&mut Rng, u64) -> bool) {
    let one: Option<u64> = std::env::var("VARPULIS_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut told = 0;
    for seed in one.map_or(0..SEEDS, |seed| seed..seed + 1) {
        match std::panic::catch_unwind(|| check(&mut Rng::with_seed(seed), seed)) {
            Ok(tells) => told += u64::from(tells),
            Err(_) => panic!("failed; VARPULIS_SEED={seed} runs it alone"),
        }
    }
    println!("{told} of {SEEDS} runs tell something");
    assert!(one.is_some() || told * 3 > SEEDS, "{told} of {SEEDS} runs tell something");
}

/// What a run reads, and how.
struct Scene {
    options: Options,
    inputs: Vec<(String, Vec<u8>)>,
    /// How many records there are, unless some of them are cut off.
    records: Option<u64>,
}

impl Scene {
    fn new(rng: &mut Rng) -> Self {
        // Rows of one event that are more than any buffer takes, now and then.
        let many = rng.u8(..50) == 0;
        let (events, repeat) = if many { (3, 4_000) } else { (rng.usize(..40), 1) };
        let mut records = Some(0);
        let inputs: Vec<(String, Vec<u8>)> = (0..rng.choice([1, 1, 1, 2, 3]).unwrap()).map(|at| input(rng, at, events, &mut records)).collect();
        let file = |rng: &mut Rng, name: &str| rng.bool().then(|| name.to_owned());
        let options = Options {
            input: inputs.iter().map(|(name, _)| name.clone()).collect(),
            output: file(rng, "rows"),
            dead_letter: file(rng, "dead"),
            late: file(rng, "late"),
            errors: file(rng, "errors"),
            param: vec![format!("least={}", rng.i64(-2..2)), format!("repeat={repeat}")],
            strict: rng.bool(),
            stats: *rng.choice(&[Stats::Text, Stats::Json, Stats::None]).unwrap(),
            ..Options::default()
        };
        Self { options, inputs, records }
    }

    /// The plain run: its machine, and its exit code.
    fn plain(&self) -> (Machine, u8) {
        let machine = Machine::plain(&self.inputs);
        let code = execute(Squares::with_params, &self.options, &machine);
        (machine, code)
    }
}

/// An input of some format, perhaps compressed, cut or damaged.
fn input(rng: &mut Rng, at: usize, events: usize, records: &mut Option<u64>) -> (String, Vec<u8>) {
    let format = *rng.choice(&["ndjson", "csv", "evt", "json"]).unwrap();
    let end = if rng.bool() { "\n" } else { "\r\n" };
    let mut bytes = if format == "csv" { format!("ts,symbol,volume,type{end}").into_bytes() } else { vec![] };
    let mut ts = 1_000;
    for _ in 0..events {
        ts += rng.i64(-20..100);
        let mut record = record(rng, format, ts);
        if format != "json" && rng.u8(..8) == 0 {
            damage(rng, &mut record);
        }
        *records = records.map(|records| records + 1);
        bytes.extend(record);
        bytes.extend(end.as_bytes());
        match rng.u8(..10) {
            0 => bytes.extend(format!("  {end}").as_bytes()),
            1 if format == "evt" => bytes.extend(format!("# a comment{end}BATCH {}{end}", rng.u8(..)).as_bytes()),
            _ => {}
        }
    }
    if rng.bool() {
        bytes.truncate(bytes.trim_ascii_end().len());
    }
    let Some(level) = rng.bool().then(|| flate2::Compression::new(rng.u32(..10))) else { return (format!("in{at}.{format}"), bytes) };
    let mut encoder = flate2::write::GzEncoder::new(vec![], level);
    encoder.write_all(&bytes).unwrap();
    bytes = encoder.finish().unwrap();
    match rng.u8(..8) {
        0 => bytes.truncate(rng.usize(2..bytes.len())),
        1 => {
            let at = rng.usize(2..bytes.len());
            bytes[at] ^= rng.u8(1..);
        }
        _ => return (format!("in{at}.{format}.gz"), bytes),
    }
    *records = None;
    (format!("in{at}.{format}.gz"), bytes)
}

/// One record, with or without fault.
fn record(rng: &mut Rng, format: &str, ts: i64) -> Vec<u8> {
    let name = if rng.u8(..8) == 0 { "Other" } else { "Trade" };
    let symbol = *rng.choice(&["A", "B", "é", "long enough to be no short text"]).unwrap();
    let volume = match rng.u8(..16) {
        0 => i64::MAX.to_string(),
        1 => "\"text\"".to_owned(),
        2 => "null".to_owned(),
        _ => rng.i64(-3..100).to_string(),
    };
    match format {
        "csv" => format!("{ts},\"{symbol},\n{symbol}\",{volume},{name}"),
        "evt" => format!("@{ts}ms {name} {{ symbol: '{symbol}', volume: {volume} }}"),
        "json" => format!("{{\"type\":\"{name}\",\n\"ts\":{ts},\"symbol\":\"{symbol}\\u00e9\",\"volume\":{volume}}}"),
        _ => format!("{{\"type\":\"{name}\",\"ts\":{ts},\"symbol\":\"{symbol}\\n\",\"volume\":{volume}}}"),
    }
    .into_bytes()
}

/// Changes a byte, but not so that there are more records or fewer.
fn damage(rng: &mut Rng, record: &mut [u8]) {
    let kept = |byte: u8| matches!(byte, b'\n' | b'"' | b',' | b'#');
    let at = rng.usize(..record.len());
    let byte = rng.u8(..);
    if !kept(byte) && !kept(record[at]) {
        record[at] = byte;
    }
}

#[track_caller]
fn assert_prefixes(found: &BTreeMap<String, Vec<u8>>, whole: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in found {
        let whole = whole.get(name).expect("an output that the plain run does not have");
        assert!(whole.starts_with(bytes), "{name}: {}\nis no beginning of\n{}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(whole));
    }
}

#[test]
fn chunks_interruptions_and_clocks_change_nothing() {
    for_seeds(|rng, seed| {
        let scene = Scene::new(rng);
        let (plain, code) = scene.plain();
        let odd = Machine::odd(&scene.inputs, seed, None);
        assert_eq!(execute(Squares::with_params, &scene.options, &odd), code);
        assert_eq!(odd.offences(), [""; 0]);
        assert_eq!(odd.said(), plain.said());
        assert_eq!(odd.written(), plain.written());
        let summary = run(Squares::with_params, &scene.options, &Machine::odd(&scene.inputs, !seed, None)).unwrap();
        assert_eq!(summary.read, summary.consumed + summary.skipped + summary.late + summary.invalid);
        assert_eq!(summary.read, scene.records.unwrap_or(summary.read));
        let lines = |name: &str| plain.written().get(name).map(|bytes| memchr::memchr_iter(b'\n', bytes).count() as u64);
        for (name, count) in [("rows", summary.rows), ("dead", summary.invalid), ("late", summary.late), ("errors", summary.errors)] {
            assert_eq!(lines(name).unwrap_or(count), count, "{name}");
        }
        summary.rows > 1 && summary.skipped > 0 && summary.late > 0 && summary.invalid > 0 && summary.errors > 0
    });
}

#[test]
fn outputs_that_fail_hold_the_beginning_of_what_they_should() {
    for_seeds(|rng, seed| {
        let scene = Scene::new(rng);
        let (plain, code) = scene.plain();
        let outputs = plain.written();
        let (name, whole) = rng.choice(outputs.iter()).unwrap();
        let byte = When::Byte(rng.usize(..=whole.len()));
        let when = rng.choice([byte, byte, byte, When::Create, When::Flush]).unwrap();
        let kinds = [ErrorKind::StorageFull, ErrorKind::BrokenPipe, ErrorKind::WriteZero, ErrorKind::PermissionDenied, ErrorKind::Other];
        let kind = *rng.choice(&kinds).unwrap();
        let fault = Fault::Output { name: name.clone(), when, kind, lasts: rng.bool() };
        let odd = Machine::odd(&scene.inputs, seed, Some(fault.clone()));
        let found = execute(Squares::with_params, &scene.options, &odd);
        assert_eq!(odd.offences(), [""; 0]);
        assert_prefixes(&odd.written(), &outputs);
        let (shown, said) = (if name == "-" { "stdout" } else { name }, odd.said());
        if !odd.met_fault() {
            assert_eq!((found, said, odd.written()), (code, plain.said(), outputs));
        } else if name == "-" && kind == ErrorKind::BrokenPipe && !matches!(when, When::Create) {
            assert_eq!(found, 0, "{said}");
            assert!(said.lines().all(|line| line.starts_with("warning: ") || !line.contains("rows") && !line.starts_with("error: ")), "{said}");
            let summary = run(Squares::with_params, &scene.options, &Machine::odd(&scene.inputs, seed, Some(fault))).unwrap();
            assert!(summary.closed && summary.read <= scene.records.unwrap_or(u64::MAX));
            assert_eq!(summary.read, summary.consumed + summary.skipped + summary.late + summary.invalid);
        } else {
            assert_eq!(found, 1, "{said}");
            assert!(said.ends_with('\n') && said.lines().last().unwrap().starts_with(&format!("error: cannot write {shown}: ")), "{said}");
        }
        odd.met_fault()
    });
}

#[test]
fn inputs_that_fail_leave_the_beginning_of_the_outputs() {
    for_seeds(|rng, seed| {
        let scene = Scene::new(rng);
        let (plain, _) = scene.plain();
        let (name, bytes) = rng.choice(&scene.inputs).unwrap();
        let kind = *rng.choice(&[ErrorKind::Other, ErrorKind::TimedOut, ErrorKind::WouldBlock, ErrorKind::ConnectionReset]).unwrap();
        let fault = Fault::Input { name: name.clone(), byte: rng.usize(..=bytes.len()), kind };
        let odd = Machine::odd(&scene.inputs, seed, Some(fault));
        let found = execute(Squares::with_params, &scene.options, &odd);
        assert_eq!(odd.offences(), [""; 0]);
        assert_prefixes(&odd.written(), &plain.written());
        let said = odd.said();
        if odd.met_fault() {
            assert_eq!(found, 1, "{said}");
            assert!(said.lines().last().unwrap().starts_with(&format!("error: cannot read {name}: ")), "{said}");
        } else {
            assert_eq!(odd.written(), plain.written());
        }
        odd.met_fault() && !plain.written().values().all(Vec::is_empty)
    });
}
