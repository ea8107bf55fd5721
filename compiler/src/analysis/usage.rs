//! What is declared and not used, and the schemas that were inferred.

use std::collections::HashSet;

use super::Analyzer;
use super::types::Kind;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{ArgValue, Expr, ExprKind, ItemKind, Name, Stmt, StmtKind};

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
            if let ItemKind::Function(f) = &item.kind
                && !self.is_imported(f.name.span)
            {
                self.report_unread(&f.body);
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

    /// What a function computes and does not read.
    fn report_unread(&mut self, body: &[Stmt]) {
        let (mut declared, mut read) = (vec![], HashSet::new());
        look(body, &mut declared, &mut read);
        for name in declared.into_iter().filter(|name| !read.contains(name.text.as_str()) && !name.text.starts_with('_')) {
            let d = Diagnostic::new(Code::UnusedDeclaration, name.span, format!("`{}` is never read", name.text));
            self.report(d.help("remove it, or begin its name with `_`"));
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

/// The `let`s and `var`s of a function's statements, and every name that their expressions read.
fn look<'b>(body: &'b [Stmt], declared: &mut Vec<&'b Name>, read: &mut HashSet<&'b str>) {
    for statement in body {
        match &statement.kind {
            StmtKind::Let { name, value, .. } | StmtKind::Var { name, value, .. } => {
                declared.push(name);
                names(value, read);
            }
            StmtKind::Assign { value, .. } | StmtKind::Return(Some(value)) | StmtKind::Expr(value) => names(value, read),
            StmtKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    names(condition, read);
                    look(body, declared, read);
                }
                look(otherwise, declared, read);
            }
            StmtKind::For { over: value, body, .. } | StmtKind::While { condition: value, body } => {
                names(value, read);
                look(body, declared, read);
            }
            StmtKind::Match { value, arms } => {
                names(value, read);
                for (patterns, body) in arms {
                    patterns.iter().for_each(|pattern| names(pattern, read));
                    look(body, declared, read);
                }
            }
            StmtKind::Emit { args, .. } => {
                args.iter().filter_map(|arg| if let ArgValue::Expr(e, _) = &arg.value { Some(e) } else { None }).for_each(|e| names(e, read));
            }
            StmtKind::Return(None) | StmtKind::Break | StmtKind::Continue => {}
        }
    }
}

fn names<'b>(e: &'b Expr, read: &mut HashSet<&'b str>) {
    if let ExprKind::Name(name) = &e.kind {
        read.insert(name);
    }
    e.children().into_iter().for_each(|child| names(child, read));
}
