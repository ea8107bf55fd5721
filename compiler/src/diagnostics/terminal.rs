//! Diagnostics for a terminal, in the form that users know from rustc.

use annotate_snippets::{AnnotationKind, Level as Title, Patch, Renderer, Snippet};

use super::{Diagnostic, Level};
use crate::syntax::ast::Span;

/// All diagnostics of a program as one text.
pub fn render(diagnostics: &[Diagnostic], path: &str, text: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for d in diagnostics {
        out.push_str(&one(d, path, text, &renderer));
        out.push_str("\n\n");
    }
    out
}

fn range(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = floor(text, span.start as usize);
    let end = floor(text, span.end as usize).max(start);
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

fn one(d: &Diagnostic, path: &str, text: &str, renderer: &Renderer) -> String {
    let title = match d.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let mut primary = AnnotationKind::Primary.span(range(d.span, text));
    if !d.label.is_empty() {
        primary = primary.label(d.label.as_str());
    }
    let mut snippet = Snippet::source(text).path(path).fold(true).annotation(primary);
    for l in &d.labels {
        snippet = snippet.annotation(AnnotationKind::Context.span(range(l.span, text)).label(l.text.as_str()));
    }
    let mut group = title.primary_title(d.message.as_str()).id(d.code.text()).element(snippet);
    for n in &d.notes {
        group = group.element(Title::NOTE.message(n.as_str()));
    }
    for h in &d.help {
        group = group.element(Title::HELP.message(h.as_str()));
    }
    let mut report = vec![group];
    if let Some(fix) = &d.fix {
        let start = floor(text, fix.span.start as usize);
        let end = floor(text, fix.span.end as usize).max(start);
        report.push(
            Title::HELP
                .secondary_title(fix.title.as_str())
                .element(Snippet::source(text).path(path).fold(true).patch(Patch::new(start..end, fix.replacement.as_str()))),
        );
    }
    renderer.render(&report)
}
