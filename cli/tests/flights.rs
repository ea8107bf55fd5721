//! The three flight programs give exactly their expected rows, through `varpulis run` and through a built binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn varpulis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varpulis")).args(arguments).current_dir(root()).output().unwrap()
}

/// Rows without `type`, keys sorted, floats to 9 significant digits, lines sorted.
fn canonical(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = text
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut fields: Vec<(String, serde_json::Value)> =
                row.as_object().unwrap().iter().filter(|(k, _)| *k != "type").map(|(k, v)| (k.clone(), v.clone())).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields
                .iter()
                .map(|(k, v)| match v.as_f64().filter(|_| v.is_f64()) {
                    Some(f) => format!("{k}={f:.8e} "),
                    None => format!("{k}={v} "),
                })
                .collect()
        })
        .collect();
    rows.sort();
    rows
}

/// Shows the first difference only.
fn same(found: &[String], expected: &[String]) {
    assert_eq!(found.iter().zip(expected).find(|(f, e)| f != e), None);
    assert_eq!(found.len(), expected.len());
}

fn check(name: &str) {
    let folder = root().join("tests/cases/flights").join(name);
    let program = folder.join("program.vpl");
    let expected = canonical(&std::fs::read_to_string(folder.join("expected.sorted.ndjson")).unwrap());
    let events = "examples/flights/flights-week.ndjson";
    let ran = varpulis(&["run", program.to_str().unwrap(), "--input", events]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    same(&canonical(&String::from_utf8(ran.stdout).unwrap()), &expected);
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join(name);
    let built = varpulis(&["build", program.to_str().unwrap(), "-o", binary.to_str().unwrap()]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let rows = Command::new(&binary).args(["--input", events]).current_dir(root()).output().unwrap();
    assert!(rows.status.success());
    same(&canonical(&String::from_utf8(rows.stdout).unwrap()), &expected);
    let summary = String::from_utf8(rows.stderr).unwrap();
    assert!(summary.contains("12,603 in"), "{summary}");
}

#[test]
fn cascade() {
    check("cascade");
}

#[test]
fn hourly() {
    check("hourly");
}

#[test]
fn overdue() {
    check("overdue");
}

#[test]
fn a_refused_program_is_told_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("wrong.vpl");
    std::fs::write(&program, "event Trade:\n    price: float\nstream Big = Trade.where(pirce > 1.0)\n").unwrap();
    let output = varpulis(&["run", program.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error[E0203]") && said.contains("did you mean `price`") && said.contains("wrong.vpl:3:26"), "{said}");
}

#[test]
fn wrong_usage_exits_with_two() {
    assert_eq!(varpulis(&["run"]).status.code(), Some(2));
    assert_eq!(varpulis(&["explain", "E0203"]).status.code(), Some(0));
}

#[test]
fn a_new_project_runs() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("first");
    let path = |name: &str| project.join(name).to_str().unwrap().to_owned();
    assert!(varpulis(&["new", project.to_str().unwrap()]).status.success());
    let output = varpulis(&["run", &path("program.vpl"), "--input", &path("events.ndjson")]);
    assert!(output.status.success());
    let rows = String::from_utf8(output.stdout).unwrap();
    assert_eq!(rows.lines().count(), 3, "{rows}");
    assert!(varpulis(&["fmt", "--check", &path("program.vpl")]).status.success());
}
