//! Diagnostics for programs: one JSON object a line.

use serde_json::{Value, json};

use super::{Diagnostic, Level, Lines};
use crate::syntax::ast::Span;

/// All diagnostics of a program, one object a line.
pub fn render_json(diagnostics: &[Diagnostic], path: &str, text: &str) -> String {
    let lines = Lines::new(text);
    let mut out = String::new();
    for d in diagnostics {
        let level = match d.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let labels: Vec<Value> = d.labels.iter().map(|l| with(place(l.span, text, &lines), "text", json!(l.text))).collect();
        let fix = d.fix.as_ref().map(|f| with(with(place(f.span, text, &lines), "replacement", json!(f.replacement)), "title", json!(f.title)));
        let mut object = json!({ "code": d.code.text(), "level": level, "message": d.message, "file": path });
        if let (Value::Object(into), Value::Object(from)) = (&mut object, place(d.span, text, &lines)) {
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

fn place(span: Span, text: &str, lines: &Lines) -> Value {
    let (line, column) = lines.position(text, span.start as usize);
    let (end_line, end_column) = lines.position(text, span.end as usize);
    json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column })
}
