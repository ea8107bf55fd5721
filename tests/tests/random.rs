//! Random programs over random inputs: compiled code and the oracle yield the same rows.
//!
//! `VARPULIS_PROGRAMS`, `VARPULIS_INPUTS` and `VARPULIS_SEED` change how many and which; `VARPULIS_ONLY` takes one of them. A failing pair is made smaller and printed as a case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};

use varpulis_compiler::jit::{Limits, Program as JitProgram};
use varpulis_compiler::plan::logical::Plan;
use varpulis_compiler::{Compiled, compile};
use varpulis_tests::random::{Program, input, program, reduce};
use varpulis_tests::{compare, jit, native};

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// What was generated: a generator that yields empty outputs tests nothing.
#[derive(Debug, Default)]
struct Statistics {
    refused: usize,
    pairs: usize,
    with_rows: usize,
    rows: usize,
    errors: usize,
    late: usize,
    invalid: usize,
}

/// Where native code is: the binary, and the program's name in it.
type Native<'n> = Option<(&'n Path, &'n str)>;

/// A program as the oracle reads it, and its code.
struct Witnesses {
    plan: Plan,
    compiled: JitProgram,
}

impl Witnesses {
    /// Of a program's text; `None` if it is refused.
    fn of(text: &str) -> Option<Self> {
        let Compiled { analyzed, physical, sources, .. } = compile(text).program?;
        let compiled = JitProgram::generate(&physical, "program", "program.vpl", &sources, Limits::default()).expect("code is made");
        Some(Self { plan: analyzed, compiled })
    }
}

/// Whether both backends (or the JIT alone) yield what the oracle does; else, what differs.
fn agree(native: Native<'_>, Witnesses { plan, compiled }: &Witnesses, lines: &str, statistics: &mut Statistics) -> Result<(), String> {
    let events = compiled.schema().events;
    let examined = |event: &str, field: &str| events.iter().any(|e| e.name == event && e.fields.iter().any(|f| f.name == field));
    let outcome = std::panic::catch_unwind(|| varpulis_oracle::evaluate_examining(plan, lines, &examined));
    let outcome = outcome.map_err(|_| "the oracle stopped".to_owned())?;
    let found = jit::run(compiled, lines.as_bytes())?;
    if let Some((binary, name)) = native {
        let outputs = folder("random-outputs");
        std::fs::create_dir_all(&outputs).map_err(|e| e.to_string())?;
        std::fs::write(outputs.join("input"), lines).map_err(|e| e.to_string())?;
        let same = native::run(binary, name, &outputs, native::Input::File(&outputs.join("input")), &[])?;
        for (what, jit, native) in [("rows", &found.rows, &same.rows), ("late", &found.late, &same.late), ("dead", &found.dead, &same.dead)] {
            if unplaced(jit) != unplaced(native) {
                return Err(format!("{what} of the JIT:\n{jit}of native code:\n{native}"));
            }
        }
        if found.errors.lines().map(reason).ne(same.errors.lines().map(reason)) {
            return Err(format!("errors of the JIT:\n{}of native code:\n{}", found.errors, same.errors));
        }
    }
    statistics.pairs += 1;
    statistics.rows += found.rows.lines().count();
    statistics.with_rows += usize::from(!found.rows.is_empty());
    statistics.errors += outcome.errors.len();
    statistics.late += outcome.late.len();
    statistics.invalid += outcome.invalid.len();
    compare::same_rows(&outcome, &found.rows)?;
    for (what, wanted, text) in [("late events", outcome.late.len(), &found.late), ("invalid records", outcome.invalid.len(), &found.dead)] {
        if text.lines().count() != wanted {
            return Err(format!("{what}: {} found, the oracle has {wanted}", text.lines().count()));
        }
    }
    Ok(())
}

/// Dead letters without the name of their source.
fn unplaced(text: &str) -> String {
    text.lines().map(|line| line.split_once("\",\"line\":").map_or(line, |(_, rest)| rest).to_owned() + "\n").collect()
}

/// An error without the name of the program's file.
fn reason(line: &str) -> &str {
    line.split_once("\"expression\":").map_or(line, |(_, rest)| rest)
}

/// Programs that compile, each with its number.
fn programs(seed: u64, count: u64, statistics: &mut Statistics) -> Vec<(u64, Program)> {
    let mut made = vec![];
    let only = number("VARPULIS_ONLY", u64::MAX);
    for at in if only == u64::MAX { 0..count } else { only..only + 1 } {
        let p = program(&mut fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(at)));
        let compilation = compile(&p.text());
        if compilation.program.is_some() {
            made.push((at, p));
        } else {
            statistics.refused += 1;
            if std::env::var_os("VARPULIS_SHOW_REFUSED").is_some() {
                println!(
                    "{}",
                    varpulis_compiler::diagnostics::render(&compilation.diagnostics, &varpulis_compiler::sources::Sources::new("random", &p.text()), false)
                );
            }
        }
    }
    made
}

#[test]
fn compiled_code_and_oracle_agree() {
    let (count, inputs, seed) = (number("VARPULIS_PROGRAMS", 40), number("VARPULIS_INPUTS", 25), number("VARPULIS_SEED", 1));
    let mut statistics = Statistics::default();
    let programs = programs(seed, count, &mut statistics);
    let texts: Vec<(String, String)> = programs.iter().map(|(at, p)| (format!("random{at}"), p.text())).collect();
    let binary = native::build(&folder("random"), &texts).unwrap();
    let mut failed = vec![];
    for ((at, p), (name, text)) in programs.iter().zip(&texts) {
        let witnesses = Witnesses::of(text).unwrap();
        for i in 0..inputs {
            let lines = input(&mut fastrand::Rng::with_seed(seed ^ at << 20 ^ i), p);
            if let Err(difference) = agree(Some((&binary, name)), &witnesses, &lines, &mut statistics) {
                failed.push((p.clone(), name.clone(), lines, difference));
                break;
            }
        }
    }
    told(seed, count, programs.len(), &statistics);
    report(seed, &failed, true);
    assert!(statistics.with_rows * 3 > statistics.pairs, "too few programs yield rows: {statistics:?}");
}

/// The JIT alone needs no rustc, so that it can be asked more often.
#[test]
fn jit_and_oracle_agree() {
    let (count, inputs, seed) = (number("VARPULIS_JIT_PROGRAMS", 2_400), number("VARPULIS_INPUTS", 10), number("VARPULIS_SEED", 1).wrapping_add(1_000));
    let mut statistics = Statistics::default();
    let programs = programs(seed, count, &mut statistics);
    let mut failed = vec![];
    for (at, p) in &programs {
        let witnesses = Witnesses::of(&p.text()).unwrap();
        for i in 0..inputs {
            let lines = input(&mut fastrand::Rng::with_seed(seed ^ at << 20 ^ i), p);
            if let Err(difference) = agree(None, &witnesses, &lines, &mut statistics) {
                failed.push((p.clone(), format!("random{at}"), lines, difference));
                break;
            }
        }
    }
    told(seed, count, programs.len(), &statistics);
    report(seed, &failed, false);
}

fn told(seed: u64, count: u64, compiled: usize, statistics: &Statistics) {
    println!("seed {seed}: {compiled} programs of {count}, {statistics:?}");
}

/// Fails with the first program that differs, made smaller.
fn report(seed: u64, failed: &[(Program, String, String, String)], native: bool) {
    if let Some((p, name, lines, difference)) = failed.first() {
        let (p, lines) = reduce(p.clone(), lines, &|p, lines| differs(p, lines, native));
        let all: Vec<&str> = failed.iter().map(|f| f.1.as_str()).collect();
        panic!(
            "seed {seed}: {} programs differ ({}); {name}, made smaller:\n{}--- input\n{lines}--- first difference before\n{difference}",
            failed.len(),
            all.join(" "),
            p.text()
        );
    }
}

/// Whether the pair still differs; `None` if the program is refused.
fn differs(p: &Program, lines: &[&str], native: bool) -> Option<bool> {
    let text = p.text();
    let witnesses = Witnesses::of(&text)?;
    let binary = if native { Some(native::build(&folder("reduced"), &[("reduced".to_owned(), text.clone())]).ok()?) } else { None };
    let native = binary.as_deref().map(|binary| (binary, "reduced"));
    Some(agree(native, &witnesses, &lines.join("\n"), &mut Statistics::default()).is_err())
}
