//! What holds between outputs, whatever the program: no oracle is asked, so that nothing which an oracle would share with the compiler is
//! believed. Each relation is tried on hundreds of random programs; one that fails is made smaller and printed.
//!
//! `VARPULIS_RELATED` and `VARPULIS_SEED` change how many and which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;
use varpulis_compiler::jit::{Limits, Program as JitProgram};
use varpulis_compiler::{Compiled, compile, lower, optimize};
use varpulis_tests::jit;
use varpulis_tests::native::Outputs;
use varpulis_tests::random::related::{filtered, key, keyed, later, rising, sequence, sound, time};
use varpulis_tests::random::{Program, Stream, input, program, reduce};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A program and lines of input: whether what must hold does. What it says nothing of holds.
type Relation = fn(&Program, &[&str]) -> Result<bool, String>;

/// Tries a relation on random programs; `make` makes one with its input. Most of them must be ones that it says something of.
fn holds(make: impl Fn(&mut Rng) -> (Program, String), relation: Relation) {
    let (count, seed) = (number("VARPULIS_RELATED", 500), number("VARPULIS_SEED", 1));
    let mut tried = 0;
    for at in 0..count {
        let (program, text) = make(&mut Rng::with_seed(seed.wrapping_mul(7_368_787).wrapping_add(at)));
        let lines: Vec<&str> = text.lines().collect();
        match relation(&program, &lines) {
            Ok(said) => tried += u64::from(said),
            Err(_) => {
                let differs = |p: &Program, lines: &[&str]| Some(relation(p, lines).is_err());
                let (small, lines) = reduce(program, &text, &differs);
                let difference = relation(&small, &lines.lines().collect::<Vec<_>>()).unwrap_err();
                panic!("seed {seed}, program {at}, made smaller:\n{}--- input\n{lines}--- {difference}", small.text());
            }
        }
    }
    assert!(tried * 2 >= count, "only {tried} of {count} programs were any good");
}

fn compiled(program: &Program) -> Option<Compiled> {
    compile(&program.text()).program
}

fn run(program: &Program, lines: &[&str]) -> Option<Outputs> {
    let program = JitProgram::compile(&program.text()).ok()?;
    Some(jit::run(&program, lines.join("\n").as_bytes()).expect("a run ends well"))
}

/// Lines without their order.
fn bag<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<&'l str> {
    let mut lines: Vec<&str> = lines.collect();
    lines.sort_unstable();
    lines
}

fn same(what: &str, one: &[&str], other: &[&str]) -> Result<bool, String> {
    if one == other {
        return Ok(true);
    }
    let at = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    Err(format!("{what} differ: {:?} and {:?}, of {} and {}", one.get(at), other.get(at), one.len(), other.len()))
}

fn any_program(rng: &mut Rng) -> (Program, String) {
    let program = program(rng);
    let text = input(rng, &program);
    (program, text)
}

/// Which fields a program reads, and so which lines are none of its events, is for the optimizer to say: all of these are.
fn sound_program(rng: &mut Rng) -> (Program, String) {
    let program = program(rng);
    let lines = sound(rng, &program);
    (program, lines.join("\n"))
}

fn with_rising(make: fn(&mut Rng) -> Program) -> impl Fn(&mut Rng) -> (Program, String) {
    move |rng| {
        let program = make(rng);
        let lines = rising(rng, &program);
        (program, lines.join("\n"))
    }
}

/// Each rule of the optimizer in turn is left out, and all of them.
#[test]
fn the_optimizer_changes_no_row() {
    holds(sound_program, |program, lines| {
        let Some(compiled) = compiled(program) else { return Ok(false) };
        let ran = |without: Option<&str>| {
            let mut plan = compiled.analyzed.clone();
            optimize::RULES.iter().filter(|rule| without.is_some_and(|name| name != rule.name)).for_each(|rule| (rule.apply)(&mut plan));
            let physical = Arc::new(lower::assemble(&plan, &compiled.analyzed, &compiled.sources));
            let program = JitProgram::generate(&physical, "program", "program.vpl", &compiled.sources, Limits::default()).expect("code is made");
            jit::run(&program, lines.join("\n").as_bytes()).expect("a run ends well")
        };
        let with = ran(Some(""));
        let rule = optimize::RULES[program.text().len() % optimize::RULES.len()].name;
        for without in [None, Some(rule)] {
            let other = ran(without);
            let name = without.unwrap_or("all rules");
            same(&format!("rows without {name}"), &bag(with.rows.lines()), &bag(other.rows.lines()))?;
            // They are shown with the fields that are read.
            let late = [&with, &other].map(|outputs| outputs.late.lines().count());
            if late[0] != late[1] {
                return Err(format!("{} late events, {} without {name}", late[0], late[1]));
            }
        }
        Ok(true)
    });
}

/// A record passes a condition, or its opposite, or is one of which it says nothing, or one that it refuses.
#[test]
fn a_condition_parts_all_records() {
    holds(with_rising(filtered), |program, lines| {
        let asked = |condition: Option<String>| {
            let mut program = program.clone();
            let operators = &mut program.streams.first_mut()?.operators;
            operators.retain(|o| !o.starts_with(".where"));
            operators.splice(0..0, condition.map(|c| format!(".where({c})")));
            run(&program, lines)
        };
        let Some(condition) = program.streams.first().and_then(|s| s.operators.first()?.strip_prefix(".where(")?.strip_suffix(")")) else { return Ok(false) };
        let parts = [condition.to_owned(), format!("not ({condition})"), format!("({condition}) is null")].map(|c| asked(Some(c)));
        let ([Some(yes), Some(no), Some(unknown)], Some(all)) = (parts, asked(None)) else { return Ok(false) };
        let passed = bag(yes.rows.lines().chain(no.rows.lines()).chain(unknown.rows.lines()));
        let refused = no.errors.lines().count();
        if refused == 0 {
            return same("parts and all", &passed, &bag(all.rows.lines()));
        }
        // A condition is asked no further than to what is not true; its opposite is asked to its end.
        let counts = [yes.errors.lines().count(), unknown.errors.lines().count(), passed.len() + refused];
        if counts[0] > refused || counts[1] != refused || counts[2] != all.rows.lines().count() {
            return Err(format!("{refused} are refused, and {counts:?}, of {}", all.rows.lines().count()));
        }
        Ok(true)
    });
}

/// The rows so far are the same whatever comes later, and in whatever slices events come.
#[test]
fn slices_of_events_change_nothing() {
    holds(any_program, |program, lines| {
        let Ok(program) = JitProgram::compile(&program.text()) else { return Ok(false) };
        let Some((one_by_one, at_once)) = jit::one_by_one_and_at_once(&program, lines.join("\n").as_bytes()) else { return Ok(false) };
        let one_by_one: Vec<&str> = one_by_one.iter().map(String::as_str).collect();
        for told in &at_once {
            same("what is told", &one_by_one, &told.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(true)
    });
}

/// Events that come late, but not later than they may, are put back into order.
#[test]
fn what_may_come_late_changes_nothing() {
    const LAG: i64 = 1_000;
    holds(with_rising(program), |program, lines| {
        let mut program = program.clone();
        for stream in &mut program.streams {
            stream.operators.retain(|o| !o.starts_with(".watermark"));
        }
        let Some(event) = program.events.first() else { return Ok(false) };
        let head = format!("stream Late = {}", event.name());
        program.streams.push(Stream { head, operators: vec![format!(".watermark(out_of_order: {LAG}ms)"), ".emit()".to_owned()] });
        // Each of them comes after a delay of its own.
        let mut rng = Rng::with_seed(lines.len() as u64);
        let mut arrivals: Vec<(i64, &str)> = lines.iter().map(|line| (time(line) + rng.i64(0..LAG), *line)).collect();
        arrivals.sort_by_key(|arrival| arrival.0);
        let late: Vec<&str> = arrivals.iter().map(|arrival| arrival.1).collect();
        let (Some(in_order), Some(out_of_order)) = (run(&program, lines), run(&program, &late)) else { return Ok(false) };
        same("late events", &[], &out_of_order.late.lines().collect::<Vec<_>>())?;
        same("rows", &in_order.rows.lines().collect::<Vec<_>>(), &out_of_order.rows.lines().collect::<Vec<_>>())
    });
}

/// Inputs are merged by time: however events are dealt out to files, the program sees the same.
#[test]
fn files_are_one_input() {
    holds(with_rising(program), |program, lines| {
        let Ok(compiled) = JitProgram::compile(&program.text()) else { return Ok(false) };
        let mut rng = Rng::with_seed(lines.len() as u64);
        let mut files = vec![vec![]; rng.usize(2..5)];
        for line in lines {
            let at = rng.usize(..files.len());
            let file = &mut files[at];
            file.extend_from_slice(line.as_bytes());
            file.push(b'\n');
        }
        let one = jit::run(&compiled, lines.join("\n").as_bytes()).expect("a run ends well");
        let several = jit::run_several(&compiled, &files).expect("a run ends well");
        for (what, one, several) in [("rows", &one.rows, &several.rows), ("late events", &one.late, &several.late), ("errors", &one.errors, &several.errors)] {
            same(what, &one.lines().collect::<Vec<_>>(), &several.lines().collect::<Vec<_>>())?;
        }
        Ok(true)
    });
}

/// Times moved by whole windows move the rows and nothing else.
#[test]
fn times_are_relative() {
    // A day and a minute: a multiple of every slide that random windows have.
    const BY: i64 = 86_460_000;
    holds(any_program, |program, lines| {
        let moved: Vec<String> = lines.iter().map(|line| if line.contains("\"ts\":") { later(line, BY) } else { (*line).to_owned() }).collect();
        let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
        let (Some(here), Some(there)) = (run(program, lines), run(program, &moved)) else { return Ok(false) };
        let rows: Vec<String> = here.rows.lines().map(|row| later(row, BY)).collect();
        same("rows", &rows.iter().map(String::as_str).collect::<Vec<_>>(), &there.rows.lines().collect::<Vec<_>>())
    });
}

/// What is kept apart by a key does not see the events of other keys.
#[test]
fn keys_do_not_meet() {
    holds(with_rising(keyed), |program, lines| {
        let Some(all) = run(program, lines) else { return Ok(false) };
        let keys: BTreeSet<Option<&str>> = lines.iter().map(|line| key(line)).collect();
        let alone: Vec<Outputs> =
            keys.iter().filter_map(|wanted| run(program, &lines.iter().filter(|line| key(line) == *wanted).copied().collect::<Vec<_>>())).collect();
        same("rows", &bag(all.rows.lines()), &bag(alone.iter().flat_map(|alone| alone.rows.lines())))
    });
}

/// More time for a pattern loses no match.
#[test]
fn a_longer_span_loses_no_match() {
    holds(with_rising(sequence), |program, lines| {
        // An absence at the end is known when the time is over.
        if program.streams.iter().any(|s| s.head.rsplit(" -> ").next().is_some_and(|last| last.starts_with("not "))) {
            return Ok(false);
        }
        let mut longer = program.clone();
        for operator in longer.streams.iter_mut().flat_map(|s| &mut s.operators).filter(|o| o.starts_with(".within(")) {
            *operator = ".within(2m)".to_owned();
        }
        let (Some(short), Some(long)) = (run(program, lines), run(&longer, lines)) else { return Ok(false) };
        let mut more = bag(long.rows.lines());
        for row in short.rows.lines() {
            let at = more.binary_search(&row).map_err(|_| format!("{row} is lost"))?;
            more.remove(at);
        }
        Ok(true)
    });
}
