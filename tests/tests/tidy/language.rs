//! The reference and the cases speak of the same rules, and what the documentation shows compiles.

use std::collections::BTreeSet;

use varpulis_compiler::compile;
use varpulis_compiler::diagnostics::Level;

use super::gaps::RULES_WITHOUT_CASE;
use super::{all_cases, check_gaps, files, is_refused, refuse, text};

const REFERENCE: &str = "docs/language.md";

/// A rule of the reference.
pub(super) struct Rule {
    pub(super) anchor: String,
    /// Read, checked and refused today.
    pub(super) is_later: bool,
    /// What stands in front of it, up to the rule before.
    pub(super) says: String,
}

/// The rules, in order: every anchor in backticks ends one. Those between **Later** and the end of their line are not compiled yet.
pub(super) fn rules() -> Vec<Rule> {
    let mut found = vec![];
    for line in text(REFERENCE).lines() {
        let (mut is_later, mut says) = (false, String::new());
        for (at, part) in line.split('`').enumerate() {
            if at % 2 == 0 {
                is_later |= part.contains("**Later");
                says.push_str(part);
            } else if part.starts_with('§') && part.len() > "§".len() {
                let sentence = std::mem::take(&mut says);
                found.push(Rule { anchor: part.to_owned(), is_later, says: sentence.trim_start_matches(['-', ' ']).trim().to_owned() });
            } else {
                says.push_str(&format!("`{part}`"));
            }
        }
    }
    assert!(found.len() > 50, "no rules in {REFERENCE}");
    found
}

/// The first line of each case: its name, and the anchors at its beginning.
pub(super) fn headers() -> Vec<(String, Vec<String>)> {
    let found = all_cases().into_iter().map(|c| (c.name, c.program));
    let anchors = |program: &str| {
        let first = program.lines().next().unwrap_or("").trim_start_matches('#');
        first.split_whitespace().take_while(|w| w.starts_with('§')).map(str::to_owned).collect()
    };
    found.map(|(name, program)| (name, anchors(&program))).collect()
}

#[test]
fn an_anchor_stands_once() {
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = rules().into_iter().filter(|r| !seen.insert(r.anchor.clone())).map(|r| r.anchor).collect();
    refuse("docs/language.md has these anchors twice. Every rule has one of its own:", &twice);
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<String> = headers().into_iter().flat_map(|(_, anchors)| anchors).collect();
    let missing: Vec<String> = rules().into_iter().filter(|r| !r.is_later && !covered.contains(&r.anchor)).map(|r| r.anchor).collect();
    check_gaps("Rules", "Add a case whose first line is `# §…  what it tests`:", "RULES_WITHOUT_CASE", &missing, RULES_WITHOUT_CASE);
}

/// A later rule with a case that is accepted is compiled after all.
#[test]
fn what_is_later_is_refused() {
    let later: BTreeSet<String> = rules().into_iter().filter(|r| r.is_later).map(|r| r.anchor).collect();
    let refused: BTreeSet<String> = all_cases().into_iter().filter(is_refused).map(|c| c.name).collect();
    let mut found = vec![];
    for (name, anchors) in headers().into_iter().filter(|(name, _)| !refused.contains(name)) {
        found.extend(anchors.into_iter().filter(|a| later.contains(a)).map(|a| format!("{name}: {a}")));
    }
    refuse("These rules are compiled: take **Later** from them in docs/language.md:", &found);
}

#[test]
fn every_case_tests_a_rule() {
    let known: BTreeSet<String> = rules().into_iter().map(|r| r.anchor).collect();
    let mut found = vec![];
    for (name, anchors) in headers() {
        found.extend(anchors.into_iter().filter(|a| !known.contains(a)).map(|a| format!("{name}: {a}")));
    }
    refuse("docs/language.md has no such anchors. Write the rule there, or name the one that the case tests:", &found);
}

/// Blocks fenced as `vpl` are programs that a reader may paste.
#[test]
fn programs_in_the_documentation_compile() {
    let mut found = vec![];
    for file in files().into_iter().filter(|f| f.ends_with(".md")) {
        for (at, program) in fenced(&text(&file)) {
            let told = compile(&program).diagnostics;
            found.extend(told.iter().filter(|d| d.level == Level::Error).map(|d| format!("{file}:{at}: {} {}", d.code.text(), d.message)));
        }
    }
    refuse("Mend these programs (fenced as `vpl`):", &found);
}

/// The blocks fenced as `vpl`, with the line where each begins.
fn fenced(markdown: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = vec![];
    let mut is_open = false;
    for (at, line) in markdown.lines().enumerate() {
        match (is_open, line.trim_end()) {
            (false, "```vpl") => {
                is_open = true;
                blocks.push((at + 2, String::new()));
            }
            (true, "```") => is_open = false,
            (true, line) => {
                if let Some((_, block)) = blocks.last_mut() {
                    block.push_str(line);
                    block.push('\n');
                }
            }
            (false, _) => {}
        }
    }
    blocks
}

#[test]
fn links_lead_somewhere() {
    let mut found = vec![];
    let all = files();
    for file in all.iter().filter(|f| f.ends_with(".md")) {
        let folder = file.rsplit_once('/').map_or("", |(f, _)| f);
        for part in text(file).split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap_or("");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let mut path: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
            for step in target.split('/') {
                match step {
                    ".." => drop(path.pop()),
                    "." | "" => {}
                    step => path.push(step),
                }
            }
            let path = path.join("/");
            if !all.iter().any(|f| *f == path || f.starts_with(&format!("{path}/"))) {
                found.push(format!("{file}: {target}"));
            }
        }
    }
    refuse("These links lead nowhere:", &found);
}
