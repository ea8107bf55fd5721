//! The `.case` format: a header that says which sentence of the language is tested, a program, inputs, and what must come of it.
//!
//! A section that is absent must be empty: no late row, no refused record passes unnoticed. A refused program states its diagnostics where
//! they are read: a comment line `#   ^^^^^ error E0203: text` below the line it underlines, with as many carets as characters are underlined
//! on that line, in the order in which the compiler tells them. The text is the beginning of the message.
//!
//! The `#` of a mark hides the first column. A place that begins there is marked one column to the right, and `<` behind the carets says so:
//! `#^^^^^< error E0101: text` underlines columns 1 to 5.
//!
//! Warnings are stated in the same way. Notes are compared only in cases that state one, as `#   ^^^^^ note N2001: text`.
//!
//! `--- file NAME` is a file that the program imports.
//!
//! Where data is large, a folder is a case: `program.vpl`, its input as `input.ndjson` (or `.json`, `.csv`, `.evt`), and its rows as
//! `expected.ndjson`. An `input.path` names an input elsewhere, in one line, from the repository's root. Rows in
//! `expected.sorted.ndjson` are compared as [`sorted`] has them: for expectations that other systems wrote.

pub mod compare;
pub mod functions;
pub mod fuzzed;
pub mod jit;
pub mod modes;
pub mod native;
pub mod random;

use std::path::{Path, PathBuf};

use varpulis_compiler::{Compilation, compile_file};

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
    /// Where its input is, if that is a file of its own.
    pub input: Option<PathBuf>,
}

/// An expected diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// How many characters of the line are underlined; at least 1.
    pub width: usize,
    /// `error`, `warning` or `note`.
    pub level: String,
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
        Self { name: name.to_owned(), program, sections, refusals, input: None }
    }

    /// Reads a case from its folder; `None` if that has no program.
    pub fn read(name: &str, folder: &Path, root: &Path) -> Option<Self> {
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        let named = text("input.path").map(|path| root.join(path.trim()));
        let beside = || FORMATS.iter().map(|f| folder.join(format!("input.{f}"))).find(|path| path.exists());
        let sections = [("rows", "expected.ndjson"), ("sorted", "expected.sorted.ndjson"), ("params", "params")];
        let sections = sections.into_iter().filter_map(|(section, file)| Some((section.to_owned(), text(file)?))).collect();
        Some(Self { sections, input: named.or_else(beside), ..Self::parse(name, &text("program.vpl")?) })
    }

    /// The files that its program imports: `--- file NAME` holds one.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sections.iter().filter_map(|(name, text)| Some((name.strip_prefix("file ")?.trim(), text.as_str())))
    }

    /// Compiles its program.
    pub fn compile(&self) -> Compilation {
        let unknown = || std::io::Error::from(std::io::ErrorKind::NotFound);
        compile_file("program.vpl", &self.program, &mut |path| {
            self.files().find(|(name, _)| path == Path::new(name)).map(|(_, text)| text.to_owned()).ok_or_else(unknown)
        })
    }

    /// Whether a section is there, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.sections.iter().any(|(n, _)| n == name)
    }

    /// The text of a section; empty if it is absent.
    pub fn section(&self, name: &str) -> &str {
        self.sections.iter().find(|(n, _)| n == name).map_or("", |(_, t)| t)
    }

    /// The program with these marks in place of its own.
    pub fn marked(&self, refusals: &[Refusal]) -> String {
        let mut program = String::new();
        for (at, line) in self.program.lines().enumerate().filter(|(_, line)| !is_mark(line)) {
            program.push_str(line);
            program.push('\n');
            for refusal in refusals.iter().filter(|r| r.line == at + 1) {
                program.push_str(&refusal.mark());
            }
        }
        program
    }

    /// The input and its format: `--- input` is NDJSON, `--- input csv` names another.
    pub fn input(&self) -> (&str, &str) {
        self.sections
            .iter()
            .find_map(|(n, t)| n.strip_prefix("input").map(|f| (t.as_str(), if f.trim().is_empty() { "ndjson" } else { f.trim() })))
            .unwrap_or(("", "ndjson"))
    }
}

impl Refusal {
    /// The comment line that states it.
    pub fn mark(&self) -> String {
        let (before, shift) = if self.column == 1 { (0, "<") } else { (self.column - 2, "") };
        let message = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        format!("#{}{}{shift} {} {}{message}\n", " ".repeat(before), "^".repeat(self.width), self.level, self.code)
    }
}

fn is_mark(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|l| l.trim_start().starts_with('^'))
}

fn refusals(program: &str) -> Vec<Refusal> {
    let mut found = vec![];
    let mut code_line = 0;
    for (at, line) in program.lines().enumerate() {
        let Some(mark) = line.strip_prefix('#').filter(|_| is_mark(line)) else {
            code_line = at + 1;
            continue;
        };
        let mark = mark.trim_start();
        let rest = mark.trim_start_matches('^');
        let width = mark.len() - rest.len();
        let (shift, rest) = rest.strip_prefix('<').map_or((0, rest), |r| (1, r));
        let column = line.len() - mark.len() + 1 - shift;
        let Some((level, rest)) = rest.trim_start().split_once(' ') else { continue };
        let (code, message) = rest.split_once(':').unwrap_or((rest, ""));
        found.push(Refusal { line: code_line, column, width, level: level.to_owned(), code: code.trim().to_owned(), message: message.trim().to_owned() });
    }
    found
}

/// Formats of inputs, as files end in them.
const FORMATS: [&str; 4] = ["ndjson", "json", "csv", "evt"];

/// Rows without order: each without its `type`, its fields by name and its floats to nine significant digits; the lines sorted.
pub fn sorted(rows: &str) -> Vec<String> {
    let mut lines: Vec<String> = rows.lines().map(canonical).collect();
    lines.sort();
    lines
}

fn canonical(line: &str) -> String {
    let Ok(serde_json::Value::Object(row)) = serde_json::from_str(line) else { return line.to_owned() };
    let mut fields: Vec<String> = row
        .iter()
        .filter(|(name, _)| *name != "type")
        .map(|(name, value)| match value.as_f64().filter(|_| value.is_f64()) {
            Some(number) => format!("{name}={number:.8e}"),
            None => format!("{name}={value}"),
        })
        .collect();
    fields.sort();
    fields.join(" ")
}

/// Every case below a folder, by name; `root` is the repository's.
pub fn cases(folder: &Path, root: &Path) -> Vec<Case> {
    let mut places = vec![];
    collect(folder, &mut places);
    places.sort();
    places
        .into_iter()
        .filter_map(|path| {
            let name = path.strip_prefix(folder).ok()?.with_extension("").display().to_string();
            if path.is_dir() { Case::read(&name, &path, root) } else { Some(Case::parse(&name, &std::fs::read_to_string(&path).ok()?)) }
        })
        .collect()
}

fn collect(folder: &Path, places: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.join("program.vpl").exists() || path.extension().is_some_and(|e| e == "case") {
            places.push(path);
        } else if path.is_dir() {
            collect(&path, places);
        }
    }
}
