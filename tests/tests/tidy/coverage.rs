//! What has documentation and a case: operators, aggregates, functions, diagnostics.

use std::collections::BTreeSet;

use varpulis_abi::functions::FUNCTIONS;
use varpulis_compiler::compile;
use varpulis_compiler::diagnostics::{Code, Level};
use varpulis_compiler::functions::aggregates::Aggregate;
use varpulis_compiler::operators::CATALOGUE;
use varpulis_compiler::rust::{Options, file, items, path};

use super::gaps::{AGGREGATES_WITHOUT_CASE, CODES_WITHOUT_CASE, FUNCTIONS_WITHOUT_CASE, OPERATORS_WITHOUT_CASE};
use super::{accepted, all_cases, check_gaps, code, has_word, refuse};

#[test]
fn everything_is_documented() {
    let mut found = vec![];
    for entry in CATALOGUE {
        if entry.title.is_empty() || (entry.analyze.is_some() && (entry.doc.is_empty() || entry.example.is_empty())) {
            found.push(format!("operator `{}` in compiler/src/operators: title, doc and example", entry.name));
        }
    }
    found.extend(Aggregate::ALL.iter().filter(|a| a.doc().is_empty()).map(|a| format!("aggregate `{}` in compiler/src/functions/aggregates.rs", a.name())));
    found.extend(FUNCTIONS.iter().filter(|f| f.doc.is_empty()).map(|f| format!("function `{}` in runtime/abi/src/functions.rs", f.body)));
    found.extend(
        Code::ALL.iter().filter(|c| c.title().is_empty() || c.explanation().is_empty()).map(|c| format!("{} in compiler/src/diagnostics/codes.rs", c.text())),
    );
    refuse("Document these where they are defined:", &found);
}

/// An example that does not compile documents a mistake.
#[test]
fn examples_of_operators_compile() {
    let mut found = vec![];
    for entry in CATALOGUE.iter().filter(|e| e.analyze.is_some()) {
        for d in compile(entry.example).diagnostics.iter().filter(|d| d.level == Level::Error) {
            found.push(format!("`{}`: {} {}: {}", entry.name, d.code.text(), d.message, entry.example));
        }
        if !has_word(entry.example, entry.name) {
            found.push(format!("`{}` does not stand in its own example", entry.name));
        }
    }
    refuse("Mend these examples in compiler/src/operators:", &found);
}

#[test]
fn every_operator_has_a_case() {
    let programs: Vec<String> = accepted().iter().map(|c| code(&c.program)).collect();
    let used = |name: &str| programs.iter().any(|p| p.split('.').skip(1).any(|behind| begins_with_word(behind, name)));
    let missing: Vec<String> = CATALOGUE.iter().filter(|e| e.analyze.is_some() && !used(e.name)).map(|e| e.name.to_owned()).collect();
    check_gaps("Operators", "Add an accepted case under tests/cases/operators that uses each:", "OPERATORS_WITHOUT_CASE", &missing, OPERATORS_WITHOUT_CASE);
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn every_aggregate_has_a_case() {
    let programs: Vec<String> = accepted().iter().map(|c| code(&c.program)).collect();
    let used = |a: &Aggregate| programs.iter().any(|p| p.split('(').any(|before| ends_with_word(before, a.name())));
    let missing: Vec<String> = Aggregate::ALL.iter().filter(|a| !used(a)).map(|a| a.name().to_owned()).collect();
    check_gaps("Aggregates", "Add an accepted case under tests/cases/aggregates that uses each:", "AGGREGATES_WITHOUT_CASE", &missing, AGGREGATES_WITHOUT_CASE);
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|rest| !rest.ends_with("fn ") && !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
}

/// Functions count by their bodies, so that every overload is seen: what the generated Rust calls.
#[test]
fn every_function_has_a_case() {
    let mut called = BTreeSet::new();
    for case in accepted() {
        let name = &case.name;
        let options = Options { runtime: path("::varpulis_runtime"), name: name.clone(), file: name.clone(), comments: false };
        let compiled = case.compile().program.unwrap_or_else(|| panic!("{name} is refused"));
        let rust = file(items(&compiled.physical, &compiled.sources, &options), &[]).unwrap();
        called.extend(rust.split('(').flat_map(|before| FUNCTIONS.iter().filter(move |f| ends_with_word(before, f.body))).map(|f| f.body));
    }
    let missing: Vec<String> = FUNCTIONS.iter().filter(|f| !called.contains(f.body)).map(|f| f.body.to_owned()).collect();
    check_gaps("Functions", "Add an accepted case under tests/cases/functions that calls each:", "FUNCTIONS_WITHOUT_CASE", &missing, FUNCTIONS_WITHOUT_CASE);
}

#[test]
fn every_diagnostic_has_a_case() {
    let marked: BTreeSet<String> = all_cases().into_iter().flat_map(|c| c.refusals).map(|r| r.code).collect();
    let missing: Vec<String> = Code::ALL.iter().filter(|c| !marked.contains(c.text())).map(|c| c.text().to_owned()).collect();
    check_gaps("Diagnostics", "Add a case under tests/cases/refused that is refused with each:", "CODES_WITHOUT_CASE", &missing, CODES_WITHOUT_CASE);
}

/// A slip in a mark must not pass for an expectation that holds.
#[test]
fn marks_state_codes_at_their_level() {
    let wrong = |mark: &varpulis_tests::Refusal| {
        let level = Code::find(&mark.code).map(|code| match code.level() {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        });
        level != Some(mark.level.as_str())
    };
    let slips: Vec<String> =
        all_cases().into_iter().flat_map(|c| c.refusals.into_iter().filter(wrong).map(move |r| format!("{}: {} {}", c.name, r.level, r.code))).collect();
    refuse("These marks state no code at its level:", &slips);
}
