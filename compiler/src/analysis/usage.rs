//! What is declared and not used, and the schemas that were inferred.

use super::Analyzer;
use super::types::Kind;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::ItemKind;

impl Analyzer<'_> {
    pub(crate) fn report_unused(&mut self) {
        let ast = self.ast;
        for item in &ast.items {
            if let ItemKind::Function(f) = &item.kind
                && !self.used.contains(&f.name.text)
            {
                self.check_uncalled(f);
            }
        }
        for item in &ast.items {
            let (name, what) = match &item.kind {
                ItemKind::Event(e) => (&e.name, "event"),
                ItemKind::TypeAlias { name, .. } => (name, "type"),
                ItemKind::Enum { name, .. } => (name, "enum"),
                ItemKind::Const { name, .. } => (name, "constant"),
                ItemKind::Let { name, .. } => (name, "value"),
                ItemKind::Param { name, .. } => (name, "parameter"),
                ItemKind::Var { name, .. } => (name, "variable"),
                ItemKind::Function(f) => (&f.name, "function"),
                ItemKind::Pattern(p) => (&p.name, "pattern"),
                _ => continue,
            };
            // What other programs may use is not reported where this one does not.
            if !self.used.contains(&name.text) && !name.text.starts_with('_') && !self.is_imported(name.span) {
                let d = Diagnostic::new(Code::UnusedDeclaration, name.span, format!("{what} `{}` is never used", name.text))
                    .help("remove it, or begin its name with `_`");
                self.report(d);
            }
        }
    }

    pub(crate) fn note_inferred_schemas(&mut self) {
        let mut notes = vec![];
        for event in self.plan.events.iter().filter(|e| !e.declared) {
            let mut text = format!("event {}:", event.name);
            for column in &event.schema.columns {
                let ty = if column.ty.kind == Kind::Any { "any".to_owned() } else { column.ty.to_string() };
                text.push_str(&format!("\n    {}: {ty}", column.name));
            }
            if event.schema.columns.is_empty() {
                text.push_str("\n    ts: timestamp");
            }
            notes.push(
                Diagnostic::new(Code::InferredSchema, event.span, format!("the schema of `{}` is inferred", event.name))
                    .help(format!("to declare it, paste\n{text}")),
            );
        }
        self.diagnostics.extend(notes);
    }
}
