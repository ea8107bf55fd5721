//! Diagnostics for programs: one JSON object a line.

use serde_json::{Value, json};

use super::{Diagnostic, Level};
use crate::sources::Sources;
use crate::syntax::ast::Span;

/// All diagnostics of a program, one object a line.
pub fn render_json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let level = match d.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let labels: Vec<Value> = d.labels.iter().map(|l| with(place(l.span, d.span, sources), "text", json!(l.text))).collect();
        let fix = d.fix.as_ref().map(|f| with(with(place(f.span, d.span, sources), "replacement", json!(f.replacement)), "title", json!(f.title)));
        let mut object = json!({ "code": d.code.text(), "level": level, "message": d.message, "file": sources.part(d.span.start as usize).path });
        if let (Value::Object(into), Value::Object(from)) = (&mut object, place(d.span, d.span, sources)) {
            into.extend(from);
            into.insert("label".to_owned(), json!(d.label));
            into.insert("labels".to_owned(), json!(labels));
            into.insert("notes".to_owned(), json!(d.notes));
            into.insert("help".to_owned(), json!(d.help));
            into.insert("fix".to_owned(), json!(fix));
        }
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Value::Object(o) = &mut object {
        o.insert(key.to_owned(), value);
    }
    object
}

/// A place; one in another file than `of` names that.
fn place(span: Span, of: Span, sources: &Sources) -> Value {
    let (file, line, column) = sources.position(span.start as usize);
    let (_, end_line, end_column) = sources.position(span.end as usize);
    let place = json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column });
    if sources.part(of.start as usize).holds(span) { place } else { with(place, "file", json!(file)) }
}
