//! Holds the house in order: dependencies, sources, and what the cases cover. Every failure says what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "tidy/coverage.rs"]
mod coverage;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/gaps.rs"]
mod gaps;
#[path = "tidy/language.rs"]
mod language;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/seam.rs"]
mod seam;
#[path = "tidy/sources.rs"]
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use varpulis_tests::{Case, cases};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Fails if anything was found, with one line each below what to do.
#[track_caller]
fn refuse(what_to_do: &str, found: &[String]) {
    assert!(found.is_empty(), "\n{what_to_do}\n  {}\n", found.join("\n  "));
}

/// Tracked files below the root, and new ones that git does not ignore; without git, all outside `target`.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let mut names: Vec<String> = match listed {
        Ok(o) if o.status.success() && !o.stdout.is_empty() => String::from_utf8_lossy(&o.stdout).lines().map(str::to_owned).collect(),
        _ => walk(&root(), &root()),
    };
    names.retain(|n| root().join(n).is_file());
    names.sort();
    assert!(names.iter().any(|n| n == "Cargo.toml"), "the files of the repository were not found");
    names
}

fn walk(folder: &Path, root: &Path) -> Vec<String> {
    let mut names = vec![];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let hidden = entry.file_name() == "target" || entry.file_name() == ".git";
        if path.is_dir() && !hidden {
            names.extend(walk(&path, root));
        } else if path.is_file() {
            names.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    names
}

/// A file's text; empty if it is no text.
fn text(name: &str) -> String {
    String::from_utf8(std::fs::read(root().join(name)).unwrap_or_default()).unwrap_or_default()
}

/// The accepted cases: files and folders, as name and program.
fn accepted() -> Vec<Case> {
    all_cases().into_iter().filter(|c| !is_refused(c)).collect()
}

fn all_cases() -> Vec<Case> {
    let found = cases(&root().join("tests/cases"), &root());
    assert!(!found.is_empty(), "no cases below tests/cases");
    found
}

fn is_refused(case: &Case) -> bool {
    case.refusals.iter().any(|r| r.code.starts_with('E'))
}

/// A program without its comments.
fn code(program: &str) -> String {
    program.lines().map(|l| if l.trim_start().starts_with(['#']) || l.trim_start().starts_with("//") { "" } else { l }).collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands in a text with no letter, digit or `_` on either side of it.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| !inside(text[..at].chars().next_back()) && !inside(text[at + word.len()..].chars().next()))
}

/// A list of gaps is exact: what is missing is listed, and what is listed is missing.
#[track_caller]
fn check_gaps(what: &str, mend: &str, list: &str, missing: &[String], gaps: &[&str]) {
    let unlisted: Vec<String> = missing.iter().filter(|m| !gaps.contains(&m.as_str())).cloned().collect();
    refuse(&format!("{what} without a case. {mend}"), &unlisted);
    let closed: Vec<String> = gaps.iter().filter(|g| !missing.iter().any(|m| m == *g)).map(|g| (*g).to_owned()).collect();
    refuse(&format!("These gaps are closed. Remove them from `{list}` in tests/tests/tidy/gaps.rs:"), &closed);
}
