//! Each rule of the optimizer: plans before and behind it, in `optimize/<rule>.spec`. A file holds programs, each below a line `=== what it shows`,
//! with the plan that the earlier rules leave (`--- before`) and the rule's own (`--- after`; nothing below it: the same plan).
//! `UPDATE_EXPECT=1` refills the plans: read the difference before you keep it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use varpulis_compiler::optimize::RULES;
use varpulis_compiler::{Compiled, compile};

fn file(rule: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/optimize").join(format!("{rule}.spec"))
}

/// The plans before and behind a rule.
fn plans(compiled: &Compiled, rule: &str) -> (String, String) {
    let mut before = compiled.analyzed.to_string();
    for (name, plan) in &varpulis_compiler::optimize::trace(compiled.analyzed.clone()) {
        if *name == rule {
            return (before, plan.clone());
        }
        before.clone_from(plan);
    }
    panic!("there is no rule {rule}");
}

/// The file as it ought to be.
fn filled(rule: &str, text: &str) -> String {
    let mut out = String::new();
    for case in text.split("=== ").filter(|c| !c.trim().is_empty()) {
        let (title, rest) = case.split_once('\n').unwrap();
        let program = rest.split("--- before").next().unwrap().trim_end();
        let compilation = compile(program);
        let compiled = compilation.program.unwrap_or_else(|| {
            panic!(
                "{rule}, {title}:\n{}",
                varpulis_compiler::diagnostics::render(&compilation.diagnostics, &varpulis_compiler::sources::Sources::new(rule, program), false)
            );
        });
        let (before, after) = plans(&compiled, rule);
        let after = if after == before { String::new() } else { after };
        let blank = if out.is_empty() { "" } else { "\n" };
        write!(out, "{blank}=== {title}\n{program}\n--- before\n{before}--- after\n{after}").unwrap();
    }
    out
}

#[test]
fn rules() {
    for rule in RULES {
        let path = file(rule.name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{} needs {}: {e}", rule.name, path.display()));
        let filled = filled(rule.name, &text);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, filled).unwrap();
        } else {
            let differs = text.lines().zip(filled.lines()).enumerate().find(|(_, (t, f))| t != f);
            assert!(text == filled, "{} is not what comes out: {differs:?}", path.display());
        }
    }
}
