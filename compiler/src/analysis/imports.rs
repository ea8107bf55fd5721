//! Names across files: a declaration of an imported file is reached by the import's name, and sees what stands in its own file.

use std::borrow::Cow;

use super::Analyzer;
use super::scope::Scope;
use super::typed::Expr;
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::syntax::ast::{self, FileScope, Span};

impl<'a> Analyzer<'a> {
    fn file(&self, at: Span) -> Option<&'a FileScope> {
        let files = &self.ast.files;
        files.get(files.partition_point(|file| file.start <= at.start).checked_sub(1)?)
    }

    /// Whether a place is in an imported file.
    pub(super) fn is_imported(&self, at: Span) -> bool {
        self.ast.files.get(1).is_some_and(|second| at.start >= second.start)
    }

    /// The name by which the analysis knows what the file at a place calls so.
    pub(super) fn own<'n>(&self, name: &'n str, at: Span) -> Cow<'n, str> {
        if self.ast.files.len() <= 1 {
            return Cow::Borrowed(name);
        }
        let Some(file) = self.file(at) else { return Cow::Borrowed(name) };
        if let Some((alias, rest)) = name.split_once('.')
            && let Some((_, prefix)) = file.aliases.iter().find(|(a, _)| a == alias)
        {
            return Cow::Owned(format!("{prefix}{rest}"));
        }
        let full = |prefix: &String| format!("{prefix}{name}");
        let found = file.prefixes.iter().map(full).find(|full| self.own_names.contains(full));
        found.or_else(|| file.prefixes.first().map(full)).map_or(Cow::Borrowed(name), Cow::Owned)
    }

    /// What stands in front of the names of the file that an import calls so, unless something nearer has that name.
    pub(super) fn imported(&self, alias: &ast::Expr, scope: &Scope) -> Option<&'a str> {
        let ast::ExprKind::Name(name) = &alias.kind else { return None };
        let is_near =
            scope.locals.iter().any(|l| l.name == *name) || scope.input(name).is_some() || scope.current().is_some_and(|c| c.schema.find(name).is_some());
        let found = self.file(alias.span)?.aliases.iter().find(|(a, _)| a == name);
        found.filter(|_| !is_near).map(|(_, prefix)| prefix.as_str())
    }

    /// The function that a call names: `f(…)`, or `common.f(…)` of an imported file.
    pub(super) fn function_named(&self, callee: &ast::Expr, scope: &Scope) -> Option<&'a ast::FunctionDecl> {
        match &callee.kind {
            ast::ExprKind::Name(name) => self.functions.get(&*self.own(name, callee.span)).copied(),
            ast::ExprKind::Member { object, name, .. } => self.functions.get(&format!("{}{}", self.imported(object, scope)?, name.text)).copied(),
            _ => None,
        }
    }

    /// A constant, value or parameter of an imported file.
    pub(super) fn imported_value(&mut self, prefix: &str, name: &ast::Name, span: Span) -> Expr {
        let full = format!("{prefix}{}", name.text);
        if let Some(value) = self.global_called(&full, span) {
            return value;
        }
        let file = prefix.trim_end_matches('.');
        let (what, found) = if self.functions.contains_key(&full) { (" value", None) } else { ("", self.similar_in(prefix, &name.text)) };
        let mut d = Diagnostic::new(Code::UnknownName, name.span, format!("`{file}` has no{what} `{}`", name.text));
        if let Some(similar) = found {
            d = d.fix(name.span, similar, "a similar name exists");
        }
        self.wrong(d.note("events, streams and patterns keep their names: they are named without the import's"))
    }

    /// The message with the import that has the name, if one does.
    pub(super) fn with_import(&self, d: Diagnostic, name: &str, at: Span) -> Diagnostic {
        let aliases = self.file(at).map_or(&[][..], |file| &file.aliases);
        match aliases.iter().find(|(_, prefix)| self.own_names.contains(&format!("{prefix}{name}"))) {
            Some((alias, _)) => d.fix(at, format!("{alias}.{name}"), "an import has it"),
            None => d,
        }
    }

    pub(super) fn similar_in(&self, prefix: &str, name: &str) -> Option<String> {
        did_you_mean(name, self.own_names.iter().filter_map(|full| full.strip_prefix(prefix))).map(str::to_owned)
    }
}
