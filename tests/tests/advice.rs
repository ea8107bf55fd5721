//! What diagnostics say beside their message: labels, notes, help and fixes, of every case and every code's example, are as `tests/advice.txt` has
//! them; and every fix, applied, mends what it was offered for. `UPDATE_EXPECT=1` writes the file: read the difference before you keep it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use varpulis_compiler::Compilation;
use varpulis_compiler::diagnostics::{Code, Diagnostic, Fix};
use varpulis_compiler::sources::Sources;
use varpulis_tests::{Case, cases};

/// How the help for an inferred schema begins; the declaration follows.
const PASTE: &str = "to declare it, paste\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Programs with something to say, by name.
fn programs() -> Vec<Case> {
    let root = root();
    let examples = Code::ALL.iter().map(|code| Case::parse(&format!("explain/{}", code.text()), code.bad()));
    cases(&root.join("tests/cases"), &root).into_iter().chain(examples).collect()
}

#[test]
fn diagnostics_advise_as_the_file_has_it() {
    let mut text = String::new();
    for case in programs() {
        let Compilation { diagnostics, sources, .. } = case.compile();
        let told: Vec<String> = diagnostics.iter().map(|d| advice(d, &sources)).filter(|told| told.contains('\n')).collect();
        if !told.is_empty() {
            let _ = writeln!(text, "{}\n{}", case.name, told.join("\n"));
        }
    }
    let path = root().join("tests/advice.txt");
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found == text {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let differs = found.lines().zip(text.lines()).find(|(found, told)| found != told);
    panic!("tests/advice.txt is not fresh, at {differs:?}. Run: UPDATE_EXPECT=1 cargo test -p varpulis-tests --test advice");
}

/// A diagnostic without its message; one line if it has nothing to add.
fn advice(d: &Diagnostic, sources: &Sources) -> String {
    let place = |start: u32| {
        let (file, line, column) = sources.position(start as usize);
        if file == "program.vpl" { format!("{line}:{column}") } else { format!("{file}:{line}:{column}") }
    };
    let mut text = format!("  {} {}", d.code.text(), place(d.span.start));
    let mut add = |kind: &str, said: &str| {
        let _ = write!(text, "\n    {kind}: {}", said.replace('\n', "\n        "));
    };
    if !d.label.is_empty() {
        add("label", &d.label);
    }
    for label in &d.labels {
        add(&format!("at {}", place(label.span.start)), &label.text);
    }
    d.notes.iter().for_each(|note| add("note", note));
    d.help.iter().for_each(|help| add("help", help));
    if let Some(Fix { span, replacement, title }) = &d.fix {
        let old = sources.text().get(span.start as usize..span.end as usize).unwrap_or("a place that is none");
        add("fix", &format!("{title}: `{old}` at {} becomes `{replacement}`", place(span.start)));
    }
    text
}

#[test]
fn every_fix_mends_what_it_is_offered_for() {
    let mut wrong = String::new();
    for case in programs() {
        let Compilation { diagnostics, sources, .. } = case.compile();
        for d in &diagnostics {
            let Some(fix) = &d.fix else { continue };
            // A fix in an imported file is made there.
            let part = sources.part(fix.span.start as usize);
            let mended = applied(part.text, fix, part.start);
            let after =
                if part.path == "program.vpl" { Case { program: mended.clone(), ..case.clone() } } else { imported(&case, part.path, &mended) }.compile();
            let (before, left) = (errors(&diagnostics), errors(&after.diagnostics));
            let same = |other: &&Diagnostic| other.code == d.code && other.message == d.message;
            let (told, still) = (diagnostics.iter().filter(same).count(), after.diagnostics.iter().filter(same).count());
            if still >= told || left.values().sum::<usize>() > before.values().sum() {
                let _ = writeln!(wrong, "{}: {} `{}`: {:?} leaves {left:?} of {before:?}", case.name, d.code.text(), d.message, fix.replacement);
            }
        }
    }
    assert!(wrong.is_empty(), "fixes that mend nothing:\n{wrong}");
}

fn applied(text: &str, fix: &Fix, start: usize) -> String {
    let (from, to) = (fix.span.start as usize - start, fix.span.end as usize - start);
    format!("{}{}{}", &text[..from], fix.replacement, &text[to..])
}

fn imported(case: &Case, path: &str, text: &str) -> Case {
    let name = format!("file {path}");
    let sections = case.sections.iter().map(|(n, t)| (n.clone(), if *n == name { text.to_owned() } else { t.clone() })).collect();
    Case { sections, ..case.clone() }
}

/// How many errors of each code there are.
fn errors(diagnostics: &[Diagnostic]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for d in diagnostics.iter().filter(|d| d.is_error()) {
        *counts.entry(d.code.text()).or_default() += 1;
    }
    counts
}

/// A schema that was inferred, pasted as a declaration, is one that the program fits.
#[test]
fn inferred_schemas_may_be_pasted() {
    let (mut pasted, mut wrong) = (0, String::new());
    for case in programs() {
        let Compilation { program: Some(_), diagnostics, .. } = case.compile() else { continue };
        let schemas = diagnostics.iter().filter(|d| d.code == Code::InferredSchema).flat_map(|d| &d.help).filter_map(|help| help.strip_prefix(PASTE));
        let declared: Vec<&str> = schemas.collect();
        if declared.is_empty() {
            continue;
        }
        pasted += declared.len();
        let program = format!("{}\n{}\n", declared.join("\n"), case.program);
        let after = Case { program, ..case.clone() }.compile().diagnostics;
        if after.iter().any(|d| d.is_error() || d.code == Code::InferredSchema) {
            let _ = writeln!(wrong, "{}: {:?}", case.name, after.iter().map(|d| &d.message).collect::<Vec<_>>());
        }
    }
    assert!(wrong.is_empty() && pasted > 30, "{pasted} schemas; of these do not fit:\n{wrong}");
}
