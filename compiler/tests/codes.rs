//! Every diagnostic's code shows a program that gets it and the same program mended; both do what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashSet;
use std::fmt::Write;

use varpulis_compiler::compile;
use varpulis_compiler::diagnostics::{Code, Level, Lines, render};

/// The program behind a sketch, where the program itself is too long to be shown.
fn whole(code: Code, shown: &str) -> String {
    let steps = |n: usize| (1..=n).map(|i| format!("E{i}")).collect::<Vec<_>>().join(" -> ");
    match (code, shown == code.bad()) {
        (Code::TooLarge, true) => format!("stream Long = {} .within(1m)", steps(65)),
        (Code::TooLarge, false) => format!("stream Long = {} .within(1m)", steps(64)),
        (Code::TooDeep, true) => format!("stream A = Trade.select(x: {}1{})", "(".repeat(129), ")".repeat(129)),
        _ => shown.to_owned(),
    }
}

fn check(code: Code) -> Result<(), String> {
    let bad = whole(code, code.bad());
    let told = compile(&bad);
    let others: Vec<&str> = told.diagnostics.iter().filter(|d| d.code != code && d.level != Level::Note).map(|d| d.code.text()).collect();
    let said = || render(&told.diagnostics, &varpulis_compiler::sources::Sources::new("bad", &bad), false);
    if !told.diagnostics.iter().any(|d| d.code == code) {
        return Err(format!("the bad program does not get {}:\n{bad}\n{}", code.text(), said()));
    }
    if !others.is_empty() {
        return Err(format!("the bad program of {} also gets {others:?}:\n{}", code.text(), said()));
    }
    if told.diagnostics.iter().filter(|d| d.code == code && d.level != Level::Note).count() > 1 {
        return Err(format!("the bad program of {} gets it more than once:\n{}", code.text(), said()));
    }
    if told.program.is_some() != (code.level() != Level::Error) {
        return Err(format!("the bad program of {} is {}", code.text(), if told.program.is_some() { "accepted" } else { "refused" }));
    }
    let good = whole(code, code.good());
    let told = compile(&good);
    let wrong: Vec<_> = told.diagnostics.into_iter().filter(|d| d.code == code || d.level != Level::Note).collect();
    if told.program.is_none() || !wrong.is_empty() {
        return Err(format!(
            "the good program of {} is not good:\n{good}\n{}",
            code.text(),
            render(&wrong, &varpulis_compiler::sources::Sources::new("good", &good), false)
        ));
    }
    Ok(())
}

#[test]
fn every_code_has_a_program_that_gets_it_and_one_that_does_not() {
    let failures: Vec<String> = Code::ALL.iter().filter_map(|c| check(*c).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn codes_differ_and_say_their_level() {
    let mut seen = HashSet::new();
    for code in Code::ALL {
        assert!(seen.insert(code.text()), "{} stands twice", code.text());
        let letter = match code.level() {
            Level::Error => 'E',
            Level::Warning => 'W',
            Level::Note => 'N',
        };
        assert!(code.text().starts_with(letter), "{} is no {letter}", code.text());
        assert_eq!(Code::find(&code.text().to_lowercase()), Some(*code));
    }
}

/// What every bad program gets, with its place: a reader sees at once whether the right thing is underlined.
#[test]
fn the_underlined_places() {
    let mut all = String::new();
    for code in Code::ALL {
        let text = whole(*code, code.bad());
        let lines = Lines::new(&text);
        for d in compile(&text).diagnostics.iter().filter(|d| d.code == *code) {
            let (line, column) = lines.position(&text, d.span.start as usize);
            let place = text.get(d.span.start as usize..d.span.end as usize).unwrap_or("(no place)");
            let place: String = if place.chars().count() > 60 { place.chars().take(60).chain(['…']).collect() } else { place.to_owned() };
            writeln!(all, "{} {line}:{column} {place:?}: {}", code.text(), d.message).unwrap();
        }
    }
    insta::assert_snapshot!(all);
}
