//! The cases as a whole: every diagnostic's code has one, and every case says what it tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use varpulis_compiler::diagnostics::{Code, Level};
use varpulis_tests::{Case, cases};

fn all() -> Vec<Case> {
    cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"))
}

#[test]
fn every_code_has_a_case() {
    let all = all();
    for code in Code::ALL {
        let folder = if code.level() == Level::Error { "refused/" } else { "warned/" };
        let stated = all.iter().filter(|c| c.name.starts_with(folder)).any(|c| c.refusals.iter().any(|r| r.code == code.text()));
        assert!(stated, "no case in tests/cases/{folder} states {}: {}", code.text(), code.title());
    }
}

#[test]
fn every_case_begins_with_the_sentence_that_it_tests() {
    for case in all() {
        let first = case.program.lines().next().unwrap_or_default();
        let section = first.strip_prefix("# §").and_then(|rest| rest.split_once("  "));
        let numbered = section.is_some_and(|(section, sentence)| section.starts_with(|c: char| c.is_ascii_digit()) && !sentence.is_empty());
        assert!(numbered, "tests/cases/{}.case does not begin with `# §<section>.<topic>  <sentence>`", case.name);
    }
}

/// Marks state a known code at its level, so that a slip in a mark is not taken for an expectation that holds.
#[test]
fn marks_state_codes() {
    for case in all() {
        for mark in &case.refusals {
            let code = Code::find(&mark.code).unwrap_or_else(|| panic!("{}: no code {:?}", case.name, mark.code));
            let level = match code.level() {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "note",
            };
            assert_eq!(mark.level, level, "{}: {}", case.name, mark.code);
        }
    }
}
