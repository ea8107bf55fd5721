//! The files of a program: its own, and those that it imports. Their texts stand one behind the other, so that a place in the text says which file it
//! is in.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::diagnostics::{Code, Diagnostic, Lines};
use crate::syntax::ast::{FileScope, Item, ItemKind, Name, Program, Span};
use crate::syntax::{Parsed, parse};

/// How many files a program may have.
const MOST_FILES: usize = 1_000;

/// The texts of a program's files.
#[derive(Clone, Debug)]
pub struct Sources {
    text: String,
    files: Vec<File>,
}

/// One file: it ends where the next one begins.
#[derive(Clone, Debug)]
struct File {
    path: String,
    start: usize,
    lines: Lines,
}

/// A file, and where it stands in the text of all.
#[derive(Clone, Copy, Debug)]
pub struct Part<'s> {
    /// Its path, for messages.
    pub path: &'s str,
    /// Its text.
    pub text: &'s str,
    /// Its lines.
    pub lines: &'s Lines,
    /// Its first byte in the text of all.
    pub start: usize,
}

impl Sources {
    /// A program of one file.
    pub fn new(path: &str, text: &str) -> Self {
        Self { text: text.to_owned(), files: vec![File { path: path.to_owned(), start: 0, lines: Lines::new(text) }] }
    }

    /// The text of all files.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The paths of the imported files.
    pub fn imported(&self) -> impl Iterator<Item = &str> {
        self.files.iter().skip(1).map(|file| file.path.as_str())
    }

    /// The file that a place of the text is in.
    pub fn part(&self, at: usize) -> Part<'_> {
        let number = self.files.partition_point(|file| file.start <= at).max(1) - 1;
        let end = self.files.get(number + 1).map_or(self.text.len(), |next| next.start - 1);
        const NONE: &Lines = &Lines::NONE;
        let (path, start, lines) = self.files.get(number).map_or(("", 0, NONE), |file| (file.path.as_str(), file.start, &file.lines));
        Part { path, text: self.text.get(start..end).unwrap_or_default(), lines, start }
    }

    /// The file, line and column of a place; both from 1, the column in characters.
    pub fn position(&self, at: usize) -> (&str, usize, usize) {
        let part = self.part(at);
        let (line, column) = part.lines.position(part.text, at - part.start);
        (part.path, line, column)
    }

    /// Puts a file behind the others; its place in the text.
    fn add(&mut self, path: &str, text: &str) -> usize {
        self.text.push('\n');
        let start = self.text.len();
        self.text.push_str(text);
        self.files.push(File { path: path.to_owned(), start, lines: Lines::new(text) });
        start
    }
}

impl Part<'_> {
    /// A place of the text of all in this one; the nearest, if it is in another.
    pub fn at(&self, at: u32) -> usize {
        (at as usize).saturating_sub(self.start).min(self.text.len())
    }

    /// Whether a place of the text of all is in this one.
    pub fn holds(&self, span: Span) -> bool {
        (self.start..=self.start + self.text.len()).contains(&(span.start as usize))
    }
}

/// Reads an imported file, by its path.
pub type Load<'l> = dyn FnMut(&Path) -> io::Result<String> + 'l;

/// A program's files, parsed as one.
pub(crate) struct Loaded {
    pub(crate) sources: Sources,
    pub(crate) parsed: Parsed,
}

/// Parses a program and what it imports. Without `load` there is nothing to import from.
pub(crate) fn load(path: &str, text: &str, load: Option<&mut Load<'_>>) -> Loaded {
    let Parsed { program, diagnostics } = parse(text);
    let mut loader = Loader { sources: Sources::new(path, text), program: Program::default(), diagnostics, load, loaded: vec![], chain: vec![] };
    loader.file(&normal(Path::new(path)), program.items, 0, String::new());
    let Loader { sources, program, diagnostics, .. } = loader;
    Loaded { sources, parsed: Parsed { program, diagnostics } }
}

struct Loader<'l, 'f> {
    sources: Sources,
    program: Program,
    diagnostics: Vec<Diagnostic>,
    load: Option<&'l mut Load<'f>>,
    /// Files that were read, and what stands in front of their names.
    loaded: Vec<(PathBuf, String)>,
    /// The file at hand, and those that import it.
    chain: Vec<PathBuf>,
}

impl Loader<'_, '_> {
    fn file(&mut self, path: &Path, items: Vec<Item>, start: usize, prefix: String) {
        self.chain.push(path.to_owned());
        self.loaded.push((path.to_owned(), prefix.clone()));
        let number = self.program.files.len();
        self.program.files.push(FileScope { start: start as u32, prefixes: vec![prefix.clone()], aliases: vec![] });
        for mut item in items {
            match &item.kind {
                ItemKind::Import { path, path_span, alias } => self.import(number, path, *path_span, alias.as_ref(), &prefix),
                _ => {
                    if let Some(name) = item.kind.own_name_mut() {
                        name.text.insert_str(0, &prefix);
                    }
                    self.program.items.push(item);
                }
            }
        }
        self.chain.pop();
    }

    fn import(&mut self, importer: usize, written: &str, span: Span, alias: Option<&Name>, prefix: &str) {
        let folder = self.chain.last().and_then(|path| path.parent()).map(Path::to_owned).unwrap_or_default();
        let path = normal(&folder.join(written));
        if self.chain.contains(&path) {
            let circle = self.chain.iter().skip_while(|p| **p != path).chain([&path]).map(|p| format!("`{}`", p.display())).collect::<Vec<_>>();
            self.report(Diagnostic::new(Code::Import, span, format!("files import each other in a circle: {}", circle.join(" imports "))));
            return;
        }
        let names = alias.map_or_else(|| prefix.to_owned(), |alias| format!("{prefix}{}.", alias.text));
        let known = self.loaded.iter().find(|(loaded, _)| *loaded == path).map(|(_, prefix)| prefix.clone());
        let names = match known {
            Some(names) => names,
            None => {
                if !self.read(&path, span, names.clone()) {
                    return;
                }
                names
            }
        };
        let Some(scope) = self.program.files.get_mut(importer) else { return };
        match alias {
            Some(alias) if scope.aliases.iter().any(|(name, _)| *name == alias.text) => {
                let d = Diagnostic::new(Code::DuplicateName, alias.span, format!("two imports are called `{}`", alias.text));
                self.report(d);
            }
            Some(alias) => scope.aliases.push((alias.text.clone(), names)),
            None if scope.prefixes.contains(&names) => {}
            None => scope.prefixes.push(names),
        }
    }

    /// Reads a file; false if there is none.
    fn read(&mut self, path: &Path, span: Span, prefix: String) -> bool {
        let shown = path.display().to_string();
        if self.loaded.len() >= MOST_FILES {
            self.report(Diagnostic::new(Code::TooLarge, span, format!("the program has more than {MOST_FILES} files")).help("put several into one"));
            return false;
        }
        let text = match &mut self.load {
            Some(load) => load(path),
            None => {
                let d = Diagnostic::new(Code::Import, span, "this program comes alone: there are no files to import from");
                self.report(d.help("put the declarations into it"));
                return false;
            }
        };
        let text = match text {
            Ok(text) => crate::syntax::without_mark(text),
            Err(error) => {
                let d = Diagnostic::new(Code::Import, span, format!("cannot read `{shown}`: {error}"));
                self.report(d.help("a path is relative to the file that imports it"));
                return false;
            }
        };
        let start = self.sources.add(&shown, &text);
        // Read behind as many lines as there is text before it, its places are those in the text of all.
        let Parsed { program, diagnostics } = parse(&("\n".repeat(start) + &text));
        self.diagnostics.extend(diagnostics);
        self.file(path, program.items, start, prefix);
        true
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// The path without `.` and `..`, as far as it can be told without looking.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn paths_are_told_apart_by_where_they_lead() {
        let shown = |path: &str| normal(Path::new(path)).display().to_string();
        assert_eq!([shown("a/./b.vpl"), shown("a/../b.vpl"), shown("../b.vpl"), shown("a/b/../../c.vpl")], ["a/b.vpl", "b.vpl", "../b.vpl", "c.vpl"]);
    }

    #[test]
    fn places_name_their_files() {
        let mut sources = Sources::new("main.vpl", "ab\ncd");
        let start = sources.add("other.vpl", "e\nfg\n");
        assert_eq!(start, 6);
        assert_eq!(sources.position(4), ("main.vpl", 2, 2));
        assert_eq!(sources.position(6), ("other.vpl", 1, 1));
        assert_eq!(sources.position(9), ("other.vpl", 2, 2));
        assert_eq!((sources.part(2).text, sources.part(9).text), ("ab\ncd", "e\nfg\n"));
    }
}
