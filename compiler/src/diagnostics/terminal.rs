//! Diagnostics for a terminal, in the form that users know from rustc.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level as Title, Patch, Renderer, Snippet};

use super::{Diagnostic, Label, Level};
use crate::sources::{Part, Sources};
use crate::syntax::ast::Span;

/// How many diagnostics are shown at most: no one reads more, and errors go first.
const SHOWN: usize = 10_000;

/// All diagnostics of a program as one text. O(text and diagnostics), where the places of a diagnostic are near one another.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let (mut errors_left, mut others_left) = (SHOWN, SHOWN.saturating_sub(errors));
    let mut out = String::new();
    let mut left_out = 0;
    for d in diagnostics {
        let left = if d.is_error() { &mut errors_left } else { &mut others_left };
        if *left == 0 {
            left_out += 1;
            continue;
        }
        *left -= 1;
        out.push_str(&one(d, sources, &renderer));
        out.push_str("\n\n");
    }
    if left_out > 0 {
        out.push_str(&format!("{left_out} more messages are left out\n\n"));
    }
    out
}

/// The lines around some places.
struct Excerpt<'t> {
    text: &'t str,
    /// The number of its first line.
    line: usize,
    /// Where it begins in the file's text.
    start: usize,
}

impl<'t> Part<'t> {
    /// The lines from the first to the last of these places, and a few around them, since some are shown for the sake of their neighbours.
    fn excerpt(&self, places: impl Iterator<Item = Range<usize>>) -> Excerpt<'t> {
        const AROUND: usize = 3;
        let (first, last) = places.fold((usize::MAX, 0), |(first, last), place| (first.min(place.start), last.max(place.end)));
        let line = self.lines.line(first).saturating_sub(AROUND).max(1);
        let start = self.lines.start(line).unwrap_or(0);
        let end = self.lines.start(self.lines.line(last) + AROUND).unwrap_or(self.text.len());
        Excerpt { text: self.text.get(start..end).unwrap_or_default(), line, start }
    }
}

impl Excerpt<'_> {
    /// A place of the file in this excerpt.
    fn at(&self, place: Range<usize>) -> Range<usize> {
        place.start.saturating_sub(self.start)..place.end.saturating_sub(self.start)
    }
}

fn range(span: Span, part: &Part<'_>) -> Range<usize> {
    let text = part.text;
    let start = floor(text, part.at(span.start));
    let end = floor(text, part.at(span.end)).max(start);
    // An empty place is shown as one character.
    let end = if end == start { text.get(start..).and_then(|t| t.chars().next()).filter(|c| *c != '\n').map_or(start, |c| start + c.len_utf8()) } else { end };
    start..end
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn one(d: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let title = match d.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let part = sources.part(d.span.start as usize);
    let (near, far): (Vec<&Label>, Vec<&Label>) = d.labels.iter().partition(|l| part.holds(l.span));
    let shown = part.excerpt(std::iter::once(d.span).chain(near.iter().map(|l| l.span)).map(|s| range(s, &part)));
    let mut primary = AnnotationKind::Primary.span(shown.at(range(d.span, &part)));
    if !d.label.is_empty() {
        primary = primary.label(d.label.as_str());
    }
    let mut snippet = Snippet::source(shown.text).line_start(shown.line).path(part.path).fold(true).annotation(primary);
    for l in near {
        snippet = snippet.annotation(AnnotationKind::Context.span(shown.at(range(l.span, &part))).label(l.text.as_str()));
    }
    let mut group = title.primary_title(d.message.as_str()).id(d.code.text()).element(snippet);
    for l in far {
        // What stands in another file is shown by itself.
        let part = sources.part(l.span.start as usize);
        let shown = part.excerpt(std::iter::once(range(l.span, &part)));
        let annotation = AnnotationKind::Context.span(shown.at(range(l.span, &part))).label(l.text.as_str());
        group = group.element(Snippet::source(shown.text).line_start(shown.line).path(part.path).fold(true).annotation(annotation));
    }
    for n in &d.notes {
        group = group.element(Title::NOTE.message(n.as_str()));
    }
    for h in &d.help {
        group = group.element(Title::HELP.message(h.as_str()));
    }
    let mut report = vec![group];
    if let Some(fix) = &d.fix {
        let part = sources.part(fix.span.start as usize);
        let start = floor(part.text, part.at(fix.span.start));
        let end = floor(part.text, part.at(fix.span.end)).max(start);
        let changed = part.excerpt(std::iter::once(start..end));
        let patch = Patch::new(changed.at(start..end), fix.replacement.as_str());
        let snippet = Snippet::source(changed.text).line_start(changed.line).path(part.path).fold(true).patch(patch);
        report.push(Title::HELP.secondary_title(fix.title.as_str()).element(snippet));
    }
    renderer.render(&report)
}
