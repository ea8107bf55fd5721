//! User functions: checked where they are declared, expanded where they are called. Recursion is an error, so that expansion ends.

use super::Analyzer;
use super::scope::{Local, Scope};
use super::statements::changes_something;
use super::typed::{Expr, Place};
use super::types::Type;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{self, ArgValue, Span, StmtKind};

/// How deep functions may call one another.
const NESTED_CALLS: usize = 128;
/// How many calls an expression may expand to.
const EXPANDED_CALLS: usize = 10_000;

impl Analyzer<'_> {
    pub(crate) fn call_user_function(&mut self, function: &ast::FunctionDecl, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        let Some(mut inner) = self.bound_arguments(function, args, span, scope) else { return Expr::error(span) };
        if self.is_run(&function.body) || inner.locals.iter().any(|local| local.value.touches_state()) {
            return self.run_function(function, span, &mut inner);
        }
        let value = self.block(Body::of(&function.body), function.name.span, &mut inner);
        match &function.result {
            Some(ty) => {
                let ty = self.resolve_type(ty);
                self.coerce(value, &ty, &format!("the value of `{}`", function.name.text))
            }
            None => value,
        }
    }

    /// The scope of a function's body: its parameters, bound to what a call gives them.
    pub(super) fn bound_arguments(&mut self, function: &ast::FunctionDecl, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Option<Scope> {
        let name = &function.name.text;
        if self.calls_itself(function, span, scope) || self.expands_too_far(name, span, scope) {
            return None;
        }
        let mut values: Vec<Option<Expr>> = vec![None; function.params.len()];
        let mut next = 0;
        for arg in args {
            let ArgValue::Expr(e, None) = &arg.value else {
                return self.no_arguments(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression"));
            };
            let at = match &arg.name {
                Some(label) => match function.params.iter().position(|p| p.name.text == label.text) {
                    Some(at) => at,
                    None => {
                        return self.no_arguments(
                            Diagnostic::new(Code::UnknownArgument, label.span, format!("`{name}` has no parameter `{}`", label.text))
                                .also(function.name.span, "declared here"),
                        );
                    }
                },
                None => {
                    next += 1;
                    next - 1
                }
            };
            let value = self.expr(e, scope);
            match values.get_mut(at) {
                Some(slot @ None) => *slot = Some(value),
                slot => {
                    let twice = slot.and(arg.name.as_ref()).map(|label| format!("`{}` is given twice", label.text));
                    let again = || {
                        function
                            .params
                            .get(at)
                            .filter(|_| args.len() <= function.params.len())
                            .map(|p| format!("this is `{}`, which is given by its name already", p.name.text))
                    };
                    let message = twice.or_else(again).unwrap_or_else(|| format!("`{name}` takes {} argument(s), {} given", function.params.len(), args.len()));
                    return self.no_arguments(Diagnostic::new(Code::WrongArgumentCount, arg.span, message).also(function.name.span, "declared here"));
                }
            }
        }
        let mut inner = Scope { calls: scope.calls.clone(), ..Scope::default() };
        inner.calls.push(name.clone());
        for (param, value) in function.params.iter().zip(values) {
            let value = match (value, &param.default) {
                (Some(v), _) => v,
                (None, Some(default)) => self.expr(default, &mut Scope::default()),
                (None, None) => {
                    return self.no_arguments(
                        Diagnostic::new(Code::WrongArgumentCount, span, format!("`{name}` needs `{}`", param.name.text)).also(param.name.span, "declared here"),
                    );
                }
            };
            let value = match &param.ty {
                Some(ty) => {
                    let ty = self.resolve_type(ty);
                    self.coerce(value, &ty, &format!("`{}`", param.name.text))
                }
                None => value,
            };
            inner.locals.push(Local::new(&param.name.text, value));
        }
        Some(inner)
    }

    /// Whether a function's statements are run one after the other: where there is program state, arguments and `let`s may change it, and are
    /// computed once.
    fn is_run(&self, body: &[ast::Stmt]) -> bool {
        changes_something(body) || !self.state_ids.is_empty() || self.impure_functions
    }

    fn no_arguments(&mut self, d: Diagnostic) -> Option<Scope> {
        self.report(d);
        None
    }

    fn calls_itself(&mut self, function: &ast::FunctionDecl, span: Span, scope: &Scope) -> bool {
        let name = &function.name.text;
        let calls = scope.calls.contains(name);
        if calls {
            self.report(
                Diagnostic::new(Code::RecursiveFunction, span, format!("`{name}` calls itself"))
                    .also(function.name.span, "declared here")
                    .help("functions are expanded where they are called; use a loop"),
            );
        }
        calls
    }

    /// Whether a call takes its expression beyond the limits of expansion; the first one that does is reported. A function that calls another
    /// twice doubles it, so that a few lines could stand for any number of calls.
    fn expands_too_far(&mut self, name: &str, span: Span, scope: &Scope) -> bool {
        if scope.calls.is_empty() {
            self.expanded = 0;
        }
        self.expanded += 1;
        let deep = scope.calls.len() >= NESTED_CALLS;
        if self.expanded > EXPANDED_CALLS + 1 || !(deep || self.expanded > EXPANDED_CALLS) {
            return self.expanded > EXPANDED_CALLS;
        }
        // Nothing more of this expression is expanded: its calls are too many to look at each.
        self.expanded = EXPANDED_CALLS + 1;
        let what = if deep {
            format!("functions call one another more than {NESTED_CALLS} deep at `{name}`")
        } else {
            format!("`{name}` expands to more than {EXPANDED_CALLS} calls")
        };
        self.report(Diagnostic::new(Code::TooDeep, span, what).help("functions are expanded where they are called; split the work over several streams"));
        true
    }

    /// Checks a function that nothing calls, as far as its parameters say their types. What it needs of later versions is no mistake.
    pub(crate) fn check_uncalled(&mut self, function: &ast::FunctionDecl) {
        let before = self.diagnostics.len();
        self.expanded = 0;
        let mut scope = Scope { calls: vec![function.name.text.clone()], ..Scope::default() };
        for param in &function.params {
            let ty = param.ty.as_ref().map_or(Type::ERROR, |ty| self.resolve_type(ty));
            scope.locals.push(Local::new(&param.name.text, Expr::place(Place::Now, ty, param.name.span)));
        }
        // The body is one expression, whatever number of statements it is written in.
        let span = function.name.span;
        if self.is_run(&function.body) {
            let emits = super::process::emits(&function.body);
            self.level(span, |a| if emits { drop(a.process_function(function, span, &mut scope)) } else { drop(a.run_function(function, span, &mut scope)) });
            return self.forget_later(before);
        }
        let value = self.level(span, |a| a.block(Body::of(&function.body), span, &mut scope)).unwrap_or_else(|| Expr::error(span));
        if let Some(ty) = &function.result {
            let ty = self.resolve_type(ty);
            self.coerce(value, &ty, &format!("the value of `{}`", function.name.text));
        }
        self.forget_later(before);
    }

    /// Takes back what was said, from the one of that number on, of what later versions compile.
    fn forget_later(&mut self, before: usize) {
        let later = |code| matches!(code, Code::NotCompiledYet | Code::OperatorNotCompiledYet | Code::FunctionNotCompiledYet);
        let mut told = self.diagnostics.split_off(before);
        told.retain(|d| !later(d.code));
        self.diagnostics.extend(told);
    }

    /// The value of a list of statements.
    fn block(&mut self, body: Body<'_>, span: Span, scope: &mut Scope) -> Expr {
        let bound = scope.locals.len();
        let value = self.statements(body, span, scope);
        scope.locals.truncate(bound);
        value
    }

    fn statements(&mut self, mut body: Body<'_>, mut span: Span, scope: &mut Scope) -> Expr {
        while let Some((statement, rest)) = body.split_first() {
            match &statement.kind {
                StmtKind::Let { name, ty, value } => {
                    let mut value = self.expr(value, scope);
                    if let Some(ty) = ty {
                        let ty = self.resolve_type(ty);
                        value = self.coerce(value, &ty, &format!("`{}`", name.text));
                    }
                    scope.locals.push(Local::new(&name.text, value));
                }
                StmtKind::Return(Some(e)) => return self.expr(e, scope),
                StmtKind::Expr(e) if rest.is_empty() => return self.expr(e, scope),
                StmtKind::Expr(e) => self.report(Diagnostic::new(Code::UnusedDeclaration, e.span, "this value is not used")),
                StmtKind::If { branches, otherwise } => return self.branches(branches, otherwise, rest, statement.span, scope),
                StmtKind::Return(None) => return self.wrong(Diagnostic::new(Code::TypeMismatch, statement.span, "`return` needs a value here")),
                // Bodies with other statements are steps.
                _ => {}
            }
            (body, span) = (rest, statement.span);
        }
        self.wrong(Diagnostic::new(Code::TypeMismatch, span, "this path ends without a value").help("the last expression is the value"))
    }

    fn branches(&mut self, branches: &[(ast::Expr, Vec<ast::Stmt>)], otherwise: &[ast::Stmt], rest: Body<'_>, span: Span, scope: &mut Scope) -> Expr {
        let Some(((condition, then), others)) = branches.split_first() else {
            return self.block(Body { statements: otherwise, then: Some(&rest) }, span, scope);
        };
        let condition = self.condition(condition, scope);
        let chosen = self.level(span, |a| {
            // What follows the `if` follows each branch that does not return.
            let then = a.block(Body { statements: then, then: Some(&rest) }, span, scope);
            (then, a.branches(others, otherwise, rest, span, scope))
        });
        chosen.map_or_else(|| Expr::error(span), |(then, otherwise)| self.choose(condition, then, otherwise, span))
    }
}

/// Statements, and what follows them.
#[derive(Clone, Copy)]
struct Body<'s> {
    statements: &'s [ast::Stmt],
    then: Option<&'s Body<'s>>,
}

impl<'s> Body<'s> {
    fn of(statements: &'s [ast::Stmt]) -> Self {
        Self { statements, then: None }
    }

    fn split_first(mut self) -> Option<(&'s ast::Stmt, Self)> {
        loop {
            match (self.statements.split_first(), self.then) {
                (Some((first, rest)), then) => return Some((first, Self { statements: rest, then })),
                (None, then) => self = *then?,
            }
        }
    }

    fn is_empty(self) -> bool {
        self.split_first().is_none()
    }
}
