//! The `.case` format: a header that says which sentence of the language is tested, a program, inputs, and what must come of it.
//!
//! A section that is absent must be empty: no late row, no refused record passes unnoticed. A refused program states its diagnostics where
//! they are read: a comment line `#   ^^^^^ error E0203: text` below the line it underlines.

pub mod compare;
pub mod native;
pub mod random;

use std::path::{Path, PathBuf};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its place below the folder of cases, without the ending.
    pub name: String,
    /// The program.
    pub program: String,
    /// Sections by name, in order.
    pub sections: Vec<(String, String)>,
    /// Diagnostics that it expects.
    pub refusals: Vec<Refusal>,
}

/// An expected diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// The code's text.
    pub code: String,
    /// The beginning of the message.
    pub message: String,
}

impl Case {
    /// Reads a case from its text.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut program = String::new();
        let mut sections: Vec<(String, String)> = vec![];
        for line in text.lines() {
            match (line.strip_prefix("--- "), sections.last_mut()) {
                (Some(section), _) => sections.push((section.trim().to_owned(), String::new())),
                (None, Some((_, body))) => {
                    body.push_str(line);
                    body.push('\n');
                }
                (None, None) => {
                    program.push_str(line);
                    program.push('\n');
                }
            }
        }
        let refusals = refusals(&program);
        Self { name: name.to_owned(), program, sections, refusals }
    }

    /// The text of a section; empty if it is absent.
    pub fn section(&self, name: &str) -> &str {
        self.sections.iter().find(|(n, _)| n == name).map_or("", |(_, t)| t)
    }

    /// The input and its format: `--- input` is NDJSON, `--- input csv` names another.
    pub fn input(&self) -> (&str, &str) {
        self.sections
            .iter()
            .find_map(|(n, t)| n.strip_prefix("input").map(|f| (t.as_str(), if f.trim().is_empty() { "ndjson" } else { f.trim() })))
            .unwrap_or(("", "ndjson"))
    }
}

fn refusals(program: &str) -> Vec<Refusal> {
    let mut found = vec![];
    let mut code_line = 0;
    for (at, line) in program.lines().enumerate() {
        let Some(mark) = line.strip_prefix('#').filter(|l| l.trim_start().starts_with('^')) else {
            code_line = at + 1;
            continue;
        };
        let column = line.len() - mark.trim_start().len() + 1;
        let rest = mark.trim_start().trim_start_matches('^').trim_start();
        let Some((_, rest)) = rest.split_once(' ') else { continue };
        let (code, message) = rest.split_once(':').unwrap_or((rest, ""));
        found.push(Refusal { line: code_line, column, code: code.trim().to_owned(), message: message.trim().to_owned() });
    }
    found
}

/// Every case below a folder, by name.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut files = vec![];
    collect(folder, &mut files);
    files.sort();
    files
        .into_iter()
        .filter_map(|path| {
            let name = path.strip_prefix(folder).ok()?.with_extension("").display().to_string();
            Some(Case::parse(&name, &std::fs::read_to_string(&path).ok()?))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "case") {
            files.push(path);
        }
    }
}
