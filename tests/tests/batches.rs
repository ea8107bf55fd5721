//! Events that are pushed many at once do what they do one by one, whatever the program.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use varpulis_compiler::jit::Program;
use varpulis_tests::{cases, jit};

#[test]
fn every_case_in_slices_of_events() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for case in cases(&root.join("cases"), &root.join("..")) {
        let (input, format) = case.input();
        let (Ok(program), "ndjson") = (Program::compile(&case.program), format) else { continue };
        let Some((one_by_one, at_once)) = jit::one_by_one_and_at_once(&program, input.as_bytes()) else { continue };
        for told in at_once {
            assert_eq!(told, one_by_one, "{}", case.name);
        }
        compared += one_by_one.len();
    }
    assert!(compared > 1000, "hardly anything was told: {compared} lines");
}
