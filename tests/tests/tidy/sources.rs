//! What may stand in a file.

use proc_macro2::{TokenStream, TokenTree};

use super::{files, has_word, refuse, text};

/// Lines of a Rust file.
const MOST_LINES: usize = 500;

/// Longer files, and the size that they may not exceed. A file that fits again leaves the list.
const LONG: &[(&str, usize)] = &[];

/// Texts of the Rust backend that contain an operator's name as a word of English.
const ENGLISH: &[(&str, &str)] = &[("The program of `{}`, compiled: events in, rows out. It owns all its state.", "documentation of the generated struct")];

fn rust_files() -> Vec<String> {
    files().into_iter().filter(|f| f.ends_with(".rs")).collect()
}

fn tokens(file: &str) -> Vec<TokenTree> {
    let stream: TokenStream = text(file).parse().unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut all = vec![];
    flatten(stream, &mut all);
    all
}

/// Tokens in order, groups opened; attributes, and with them documentation, left out.
fn flatten(stream: TokenStream, all: &mut Vec<TokenTree>) {
    let mut after_hash = false;
    for token in stream {
        match token {
            TokenTree::Group(g) if after_hash && g.delimiter() == proc_macro2::Delimiter::Bracket => after_hash = false,
            TokenTree::Group(g) => flatten(g.stream(), all),
            TokenTree::Punct(p) => {
                after_hash = p.as_char() == '#' || (after_hash && p.as_char() == '!');
                all.push(TokenTree::Punct(p));
            }
            other => {
                after_hash = false;
                all.push(other);
            }
        }
    }
}

fn strings(file: &str) -> Vec<String> {
    let literal = |t: TokenTree| match t {
        TokenTree::Literal(l) => Some(l.to_string()).filter(|l| l.contains('"')),
        _ => None,
    };
    tokens(file).into_iter().filter_map(literal).map(|l| l.trim_matches('"').to_owned()).collect()
}

fn backend_files() -> Vec<String> {
    let all = rust_files();
    let of = |folder: &str| all.iter().filter(|f| f.starts_with(folder)).cloned().collect::<Vec<_>>();
    let (rust, jit) = (of("compiler/src/rust/"), of("compiler/src/jit/"));
    assert!(!rust.is_empty() && !jit.is_empty(), "a backend has moved: mend tests/tests/tidy/sources.rs");
    [rust, jit].concat()
}

#[test]
fn the_backends_name_no_operator() {
    let mut found = vec![];
    let mut seen = vec![];
    for file in backend_files() {
        for string in strings(&file) {
            if ENGLISH.iter().any(|(e, _)| *e == string) {
                seen.push(string);
                continue;
            }
            let names = varpulis_compiler::operators::names().filter(|n| has_word(&string, n));
            found.extend(names.map(|n| format!("{file}: `{n}` in \"{string}\"")));
        }
    }
    refuse("The backends print plans and name no operator of the catalogue. Let the plan or the list of kernels carry what differs:", &found);
    let stale: Vec<String> = ENGLISH.iter().filter(|(e, _)| !seen.iter().any(|s| s == e)).map(|(e, _)| (*e).to_owned()).collect();
    refuse("These exceptions are not needed any more. Remove them from ENGLISH in tests/tests/tidy/sources.rs:", &stale);
}

#[test]
fn the_backends_name_no_operator_of_the_runtime() {
    let mut types = vec![];
    for file in rust_files().iter().filter(|f| f.starts_with("runtime/src/operators/") || f.starts_with("runtime/src/pattern/")) {
        let source = text(file);
        types.extend(
            source.lines().filter_map(|l| l.strip_prefix("pub struct ")).map(|l| l.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_owned()),
        );
    }
    assert!(types.len() > 10, "the runtime's operators have moved: mend tests/tests/tidy/sources.rs");
    let mut found = vec![];
    for file in backend_files() {
        let words: Vec<String> = tokens(&file).into_iter().filter_map(|t| if let TokenTree::Ident(i) = t { Some(i.to_string()) } else { None }).collect();
        let strings = strings(&file);
        let named = types.iter().filter(|t| words.contains(t) || strings.iter().any(|s| has_word(s, t)));
        found.extend(named.map(|t| format!("{file}: `{t}`")));
    }
    refuse("The backends name no operator of the runtime: its type comes from the physical plan:", &found);
}

#[test]
fn no_file_is_long() {
    let mut found = vec![];
    for file in rust_files() {
        let lines = text(&file).lines().count();
        let most = LONG.iter().find(|(f, _)| *f == file).map_or(MOST_LINES, |(_, most)| *most);
        if lines > most {
            found.push(format!("{file}: {lines} lines, at most {most}"));
        }
    }
    refuse("These files are too long. Split them by what they are about:", &found);
    let stale: Vec<String> = LONG.iter().filter(|(f, _)| text(f).lines().count() <= MOST_LINES).map(|(f, _)| (*f).to_owned()).collect();
    refuse("These files fit, or are gone. Remove them from LONG in tests/tests/tidy/sources.rs:", &stale);
}

#[test]
fn no_snapshot_waits_for_review() {
    // Git ignores them, so they are looked for where snapshots are.
    let folders: Vec<String> =
        files().into_iter().filter(|f| f.ends_with(".snap")).filter_map(|f| f.rsplit_once('/').map(|(folder, _)| folder.to_owned())).collect();
    let mut found: Vec<String> = vec![];
    for folder in folders {
        for entry in std::fs::read_dir(super::root().join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().display().to_string();
            if name.ends_with(".snap.new") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    found.dedup();
    refuse("Review these snapshots: rename them to `.snap`, or delete them:", &found);
}

#[test]
fn nothing_is_left_over() {
    let mut found = vec![];
    for file in rust_files() {
        let tokens = tokens(&file);
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(name), TokenTree::Punct(mark)] = pair
                && mark.as_char() == '!'
                && ["dbg", "todo", "unimplemented"].iter().any(|n| name == n)
            {
                found.push(format!("{file}: `{name}!`"));
            }
        }
    }
    refuse("Finish these places, or refuse with a diagnostic of its own:", &found);
}

#[test]
fn a_note_for_later_says_what_is_to_do() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let mut found = vec![];
    for file in files() {
        for (at, line) in text(&file).lines().enumerate() {
            for mark in marks.iter().filter(|m| has_word(line, m)) {
                let rest = line.split_once(mark).map_or("", |(_, r)| r);
                if !rest.starts_with(": ") || rest.len() < 12 {
                    found.push(format!("{file}:{}: {}", at + 1, line.trim()));
                }
            }
        }
    }
    refuse("Say after a colon what is to be done, or do it:", &found);
}

#[test]
fn no_file_names_a_machine() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut found = vec![];
    for file in files() {
        for (at, line) in text(&file).lines().enumerate() {
            if places.iter().any(|p| line.contains(p)) {
                found.push(format!("{file}:{}: {}", at + 1, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    refuse("These lines name a place on one machine. Make the path relative, or take it from the environment:", &found);
}
