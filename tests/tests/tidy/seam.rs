//! Clock, files and streams enter a run through one seam.

use super::{files, has_word, refuse, text};

/// What reads or writes the machine.
const MACHINE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "Command",
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "stdin",
    "stdout",
    "stderr",
    "println",
    "eprint",
    "eprintln",
];

/// The seam, and what stands beside it.
const ALLOWED: &[(&str, &[&str])] = &[
    ("runtime/src/standalone/host.rs", MACHINE),
    // What a program in a library prints, and its clock, unless it brings an `Output` of its own.
    ("runtime/src/output/mod.rs", &["stderr", "SystemTime", "UNIX_EPOCH"]),
    // The names of the streams in messages.
    ("runtime/src/standalone/mod.rs", &["stdin"]),
    ("runtime/src/standalone/failure.rs", &["stdin", "stdout"]),
    ("runtime/src/standalone/options.rs", &["stdin", "stdout"]),
    ("runtime/src/standalone/outputs.rs", &["stdout"]),
];

/// The lines of a file that are no comments, up to its tests.
fn code(file: &str) -> String {
    let text = text(file);
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("#[arg(");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_meets_the_machine_in_one_place() {
    let mut found = vec![];
    for file in files() {
        // What is generated is written in the Rust backend.
        let is_run = file.starts_with("runtime/src/") || file.starts_with("runtime/abi/src/") || file.starts_with("compiler/src/rust/");
        if !is_run || !file.ends_with(".rs") {
            continue;
        }
        let code = code(&file);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == file).map_or(&[][..], |(_, words)| words);
        found.extend(MACHINE.iter().filter(|word| has_word(&code, word) && !allowed.contains(word)).map(|word| format!("{file}: {word}")));
    }
    refuse("Runs are simulated in runtime/tests/simulated.rs: what they need of the machine goes through `Host` in runtime/src/standalone/host.rs:", &found);
}
