//! Functions whose statements change something: `var` and `:=`, `for`, `while`, `match`, `break`, `continue`. They become the steps of a
//! [`Run`]; functions that are one expression in several statements do not come here.

use std::collections::HashSet;

use super::Analyzer;
use super::process::Emitted;
use super::run::{Block, Run, Step, Variable};
use super::scope::{Local, Scope};
use super::typed::{Expr, ExprKind, Literal};
use super::types::{Kind, Type};
use super::values::call;
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::syntax::ast::{self, BinaryOp, Span, StmtKind};

/// A function on its way to steps.
pub(super) struct Function<'f, 'a> {
    pub(super) a: &'f mut Analyzer<'a>,
    pub(super) scope: &'f mut Scope,
    pub(super) name: &'f str,
    /// The type that it says it has.
    pub(super) declared: Option<Type>,
    pub(super) variables: Vec<Variable>,
    /// The variable of its value, and the block around all of it, which `return` leaves.
    pub(super) result: u32,
    pub(super) whole: u32,
    /// The values that it may have, in the order in which its steps set them.
    pub(super) values: Vec<Expr>,
    /// What it emits, if it is run for that: the records' type, and their fields.
    pub(super) emitted: Option<Vec<Emitted>>,
    /// The loops around the statement at hand: the block that `break` leaves, and the one that `continue` does.
    pub(super) loops: Vec<(u32, u32)>,
}

/// Whether what follows a statement is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Ends,
}

/// Whether the body, or a block inside it, has a statement that is no expression.
pub(super) fn changes_something(body: &[ast::Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::Let { .. } | StmtKind::Return(_) | StmtKind::Expr(_) => false,
        StmtKind::If { branches, otherwise } => branches.iter().any(|(_, body)| changes_something(body)) || changes_something(otherwise),
        StmtKind::Var { .. } | StmtKind::Assign { .. } | StmtKind::For { .. } | StmtKind::While { .. } | StmtKind::Match { .. } => true,
        StmtKind::Emit { .. } | StmtKind::Break | StmtKind::Continue => true,
    })
}

/// Whether a value is the same wherever the function names it, and costs nothing to read.
fn is_stable(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Literal(_) | ExprKind::Place(_) | ExprKind::Element(_))
}

pub(super) fn variable(number: u32, ty: &Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Variable(number), ty: ty.clone(), span }
}

pub(super) fn int(value: i64, span: Span) -> Expr {
    Expr::literal(Literal::Int(value), Type::INT, span)
}

impl Analyzer<'_> {
    /// A number that no other array's elements, variable or block has.
    pub(super) fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// The value of a function's statements; its parameters are the scope's locals.
    pub(super) fn run_function(&mut self, function: &ast::FunctionDecl, span: Span, scope: &mut Scope) -> Expr {
        let declared = function.result.as_ref().map(|ty| self.resolve_type(ty));
        let (result, whole) = (self.number(), self.number());
        let name = &function.name.text;
        Function { a: self, scope, name, declared, variables: vec![], result, whole, values: vec![], emitted: None, loops: vec![] }.run(function, span)
    }
}

impl Function<'_, '_> {
    fn run(mut self, function: &ast::FunctionDecl, span: Span) -> Expr {
        let mut steps = vec![];
        for (at, param) in function.params.iter().enumerate() {
            self.keep_argument(at, param, &mut steps);
        }
        let (body, flow) = self.steps(&function.body, true);
        if flow == Flow::On {
            return self.without_value(function.body.last().map_or(function.name.span, |last| last.span));
        }
        if self.values.is_empty() {
            let d = Diagnostic::new(Code::TypeMismatch, function.name.span, format!("no way through `{}` ends with a value", self.name));
            return self.a.wrong(d.help("a loop that nothing leaves goes on for ever: leave it by `break` or `return`"));
        }
        let Some(ty) = self.alike_values(function.name.span) else { return Expr::error(span) };
        let mut values = self.values.into_iter();
        steps.push(Step::Block(Block { number: self.whole, repeats: false, steps: with_values(body, self.result, &mut values), span }));
        self.variables.push(Variable { number: self.result, name: self.name.to_owned(), ty: ty.clone() });
        Expr { kind: ExprKind::Run(Box::new(Run { variables: self.variables, steps, result: self.result, records: vec![] })), ty, span }
    }

    /// Arguments are computed once, where the function is called, and have the types that it declares.
    pub(super) fn keep_argument(&mut self, at: usize, param: &ast::ParamDecl, steps: &mut Vec<Step>) {
        let Some(Local { name, value, .. }) = self.scope.locals.get(at).cloned() else { return };
        if value.ty.kind == Kind::Error {
            return;
        }
        let declared = param.ty.as_ref().map(|ty| self.a.resolve_type(ty));
        let kept = match declared {
            Some(ty) if ty.nullable && !value.ty.nullable => self.variable_of(&name, &ty, value, steps),
            _ => self.kept(value, &name, steps),
        };
        if let Some(local) = self.scope.locals.get_mut(at) {
            *local = Local::new(&name, kept);
        }
    }

    /// A variable of a type, which is the value's but may be null.
    fn variable_of(&mut self, name: &str, ty: &Type, value: Expr, steps: &mut Vec<Step>) -> Expr {
        let number = self.variable(name, ty);
        let of = variable(number, ty, value.span);
        steps.push(Step::Set(number, value));
        of
    }

    /// Goes one level down in the function, as expressions do.
    fn deeper<R>(&mut self, span: Span, read: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if !self.a.descend(span) {
            return None;
        }
        let result = read(self);
        self.a.ascend();
        Some(result)
    }

    /// Brings all values of a function to one type.
    fn alike_values(&mut self, span: Span) -> Option<Type> {
        let what = format!("the values of `{}`", self.name);
        let ty = match self.declared.clone() {
            Some(ty) => ty,
            None => self.a.alike(&mut self.values, &what, span)?,
        };
        let is_wrong = self.values.iter().any(|value| value.ty.kind == Kind::Error);
        for value in &mut self.values {
            *value = self.a.coerce(value.clone(), &ty, &format!("the value of `{}`", self.name));
        }
        (!is_wrong && self.values.iter().all(|value| value.ty.kind != Kind::Error)).then_some(ty)
    }

    pub(super) fn variable(&mut self, name: &str, ty: &Type) -> u32 {
        let number = self.a.number();
        self.variables.push(Variable { number, name: name.to_owned(), ty: ty.clone() });
        number
    }

    fn without_value(&mut self, span: Span) -> Expr {
        self.a.wrong(Diagnostic::new(Code::TypeMismatch, span, "this path ends without a value").help("the last expression is the value"))
    }

    /// The steps of a list of statements. With `last` the function ends behind it: its last expression is the function's value.
    pub(super) fn steps(&mut self, list: &[ast::Stmt], last: bool) -> (Vec<Step>, Flow) {
        let bound = self.scope.locals.len();
        let (mut steps, mut flow) = (vec![], Flow::On);
        for (at, statement) in list.iter().enumerate() {
            if flow == Flow::Ends {
                self.a.report(Diagnostic::new(Code::UnusedDeclaration, statement.span, "this is never reached"));
                break;
            }
            if !self.a.expands(statement.span) {
                // That is told; what is left out is not missed.
                return (steps, Flow::Ends);
            }
            flow = self.step(statement, last && at + 1 == list.len(), &mut steps);
        }
        self.scope.locals.truncate(bound);
        (steps, flow)
    }

    fn step(&mut self, statement: &ast::Stmt, last: bool, steps: &mut Vec<Step>) -> Flow {
        match &statement.kind {
            StmtKind::Let { name, ty, value } => self.bind(name, ty.as_ref(), value, false, steps),
            StmtKind::Var { name, ty, value } => self.bind(name, ty.as_ref(), value, true, steps),
            StmtKind::Assign { name, value } => steps.extend(self.assign(name, value)),
            StmtKind::Return(None) if self.emitted.is_some() => {
                steps.push(Step::Leave(self.whole));
                return Flow::Ends;
            }
            StmtKind::Return(Some(e)) if self.emitted.is_some() => {
                let d = Diagnostic::new(Code::TypeMismatch, e.span, format!("`{}` emits records, and has no value", self.name));
                self.a.report(d.help("a `return` alone leaves it"));
                return Flow::Ends;
            }
            StmtKind::Return(Some(e)) => {
                self.give(e, steps);
                if !last {
                    steps.push(Step::Leave(self.whole));
                }
                return Flow::Ends;
            }
            StmtKind::Expr(e) if last => {
                self.give(e, steps);
                return Flow::Ends;
            }
            StmtKind::Expr(e) => self.a.report(Diagnostic::new(Code::UnusedDeclaration, e.span, "this value is not used")),
            StmtKind::Return(None) => {
                self.a.wrong(Diagnostic::new(Code::TypeMismatch, statement.span, "`return` needs a value here"));
                return Flow::Ends;
            }
            StmtKind::If { branches, otherwise } => return self.branches_of_steps(branches, otherwise, statement.span, last, steps),
            StmtKind::While { condition, body } => return self.while_steps(condition, body, statement.span, steps),
            StmtKind::For { name, over, body } => self.for_steps(name, over, body, steps),
            StmtKind::Match { value, arms } => return self.match_steps(value, arms, statement.span, last, steps),
            StmtKind::Break | StmtKind::Continue => {
                let is_break = statement.kind == StmtKind::Break;
                match self.loops.last() {
                    Some((behind, round)) => steps.push(Step::Leave(if is_break { *behind } else { *round })),
                    None => {
                        let word = if is_break { "break" } else { "continue" };
                        self.a.report(Diagnostic::new(Code::OutsideLoop, statement.span, format!("`{word}` stands in no loop")));
                    }
                }
                return Flow::Ends;
            }
            StmtKind::Emit { event, args } => return self.emit(event, args, statement.span, steps),
        }
        Flow::On
    }

    /// `let x = e`, `var x = e`.
    fn bind(&mut self, name: &ast::Name, ty: Option<&ast::TypeExpr>, value: &ast::Expr, assignable: bool, steps: &mut Vec<Step>) {
        let mut value = self.a.expr(value, self.scope);
        let mut nullable = false;
        if let Some(ty) = ty {
            let ty = self.a.resolve_type(ty);
            value = self.a.coerce(value, &ty, &format!("`{}`", name.text));
            nullable = ty.nullable;
        }
        let ty = value.ty.with_null(nullable);
        if assignable {
            value = self.a.holds_something(value, name);
        }
        if !assignable && is_stable(&value) && ty == value.ty {
            self.scope.locals.push(Local::new(&name.text, value));
            return;
        }
        let of = self.variable_of(&name.text, &ty, value, steps);
        self.scope.locals.push(Local { assignable, ..Local::new(&name.text, of) });
    }

    /// `x := e`.
    fn assign(&mut self, name: &ast::Name, value: &ast::Expr) -> Option<Step> {
        let found = self.scope.locals.iter().rev().find(|local| local.name == name.text).cloned();
        let value = self.a.expr(value, self.scope);
        let found = found.or_else(|| {
            let own = self.a.own(&name.text, name.span);
            let state = self.a.state(&own, name.span)?;
            Some(Local { assignable: true, ..Local::new(&name.text, state) })
        });
        match found {
            Some(Local { assignable: true, value: Expr { kind: ExprKind::Variable(number), ty, .. }, .. }) => {
                let value = self.a.coerce(value, &ty, &format!("`{}`", name.text));
                Some(Step::Set(number, limited(value)))
            }
            Some(_) => {
                let d = Diagnostic::new(Code::NotAssignable, name.span, format!("`{}` is no `var`", name.text));
                self.a.report(d.help("what `:=` changes is declared with `var`"));
                None
            }
            None => {
                let locals = self.scope.locals.iter().filter(|local| local.assignable).map(|local| local.name.as_str());
                let names = locals.chain(self.a.state_ids.keys().map(String::as_str));
                let mut d = Diagnostic::new(Code::NotAssignable, name.span, format!("no `var` is called `{}` here", name.text));
                d = match did_you_mean(&name.text, names) {
                    Some(similar) => d.fix(name.span, similar, "a similar name exists"),
                    None => d.help(format!("declare it before: `var {} = …`", name.text)),
                };
                self.a.report(d);
                None
            }
        }
    }

    /// Sets the function's value; all of them get one type in the end.
    fn give(&mut self, value: &ast::Expr, steps: &mut Vec<Step>) {
        let value = self.a.expr(value, self.scope);
        steps.push(Step::Set(self.result, Expr::error(value.span)));
        self.values.push(value);
    }
    fn branches_of_steps(&mut self, branches: &[(ast::Expr, Vec<ast::Stmt>)], otherwise: &[ast::Stmt], span: Span, last: bool, steps: &mut Vec<Step>) -> Flow {
        let Some(((condition, then), others)) = branches.split_first() else {
            let (body, flow) = self.steps(otherwise, last);
            steps.extend(body);
            return flow;
        };
        let condition = self.a.condition(condition, self.scope);
        let (then, then_flow) = self.steps(then, last);
        let mut rest = vec![];
        let rest_flow = self.deeper(span, |s| s.branches_of_steps(others, otherwise, span, last, &mut rest)).unwrap_or(Flow::Ends);
        steps.push(Step::If(condition, then, rest));
        if then_flow == Flow::Ends && rest_flow == Flow::Ends { Flow::Ends } else { Flow::On }
    }

    /// A value that is computed once.
    pub(super) fn kept(&mut self, value: Expr, name: &str, steps: &mut Vec<Step>) -> Expr {
        if is_stable(&value) {
            return value;
        }
        let ty = value.ty.clone();
        self.variable_of(name, &ty, value, steps)
    }
    fn match_steps(&mut self, value: &ast::Expr, arms: &[(Vec<ast::Expr>, Vec<ast::Stmt>)], span: Span, last: bool, steps: &mut Vec<Step>) -> Flow {
        let value = self.a.expr(value, self.scope);
        let value = self.kept(value, "matched", steps);
        let mut seen = HashSet::new();
        self.arms(&value, arms, &mut seen, span, last, steps)
    }
    fn arms(
        &mut self,
        value: &Expr,
        arms: &[(Vec<ast::Expr>, Vec<ast::Stmt>)],
        seen: &mut HashSet<Literal>,
        span: Span,
        last: bool,
        steps: &mut Vec<Step>,
    ) -> Flow {
        let Some(((patterns, body), others)) = arms.split_first() else {
            if last && value.ty.kind != Kind::Error {
                let missing = missing(&value.ty, seen);
                self.a.report(
                    Diagnostic::new(Code::TypeMismatch, span, format!("no arm is for {missing}, and the value of `{}` is missing", self.name))
                        .help("`_ => …` takes the rest"),
                );
                return Flow::Ends;
            }
            return Flow::On;
        };
        let condition = self.is_one_of(value, patterns, seen);
        let is_rest = patterns.is_empty() || (!value.ty.is_lenient() && missing(&value.ty, seen).is_empty());
        if is_rest {
            if let Some((patterns, body)) = others.first() {
                let at = patterns.first().map(|pattern| pattern.span).or(body.first().map(|first| first.span)).unwrap_or(span);
                self.a.report(Diagnostic::new(Code::UnusedDeclaration, at, "no value comes to this arm: the ones before it take all"));
            }
            let (body, flow) = self.steps(body, last);
            steps.extend(body);
            return flow;
        }
        let (then, then_flow) = self.steps(body, last);
        let mut rest = vec![];
        let rest_flow = self.deeper(span, |s| s.arms(value, others, seen, span, last, &mut rest)).unwrap_or(Flow::Ends);
        steps.push(Step::If(condition, then, rest));
        if then_flow == Flow::Ends && rest_flow == Flow::Ends { Flow::Ends } else { Flow::On }
    }

    /// Whether a value is one of an arm's; the arms before have seen some.
    fn is_one_of(&mut self, value: &Expr, patterns: &[ast::Expr], seen: &mut HashSet<Literal>) -> Expr {
        let mut each = vec![];
        for pattern in patterns {
            let wanted = match (&value.ty.kind, &pattern.kind) {
                (Kind::Enum(e), ast::ExprKind::Name(name)) => {
                    let e = e.clone();
                    self.a.variant(&e, name, pattern.span)
                }
                _ => self.a.expr(pattern, self.scope),
            };
            let one = if wanted.as_literal() == Some(&Literal::Null) {
                Expr { kind: ExprKind::IsNull(Box::new(value.clone())), ty: Type::BOOL, span: pattern.span }
            } else {
                self.a.compare(BinaryOp::Equal, value.clone(), wanted.clone(), pattern.span)
            };
            // A text stands for a variant as well.
            let literal = match (&value.ty.kind, wanted.as_literal()) {
                (Kind::Enum(e), Some(Literal::Str(text))) => e.variants.iter().position(|v| v == text).map(|at| Literal::Enum(at as u32)),
                (_, literal) => literal.cloned(),
            };
            if let Some(literal) = literal
                && !seen.insert(literal)
            {
                self.a.report(Diagnostic::new(Code::UnusedDeclaration, pattern.span, "no value comes here: it stood before"));
            }
            each.push(one);
        }
        any_of(each).unwrap_or_else(|| Expr::literal(Literal::Bool(true), Type::BOOL, value.span))
    }
}

/// Whether one of the conditions holds, in few levels however many they are.
fn any_of(mut conditions: Vec<Expr>) -> Option<Expr> {
    while conditions.len() > 1 {
        let mut pairs = conditions.into_iter();
        let mut joined = vec![];
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                None => left,
                Some(right) => {
                    let ty = Type::BOOL.with_null(left.ty.nullable || right.ty.nullable);
                    Expr { span: left.span.to(right.span), kind: ExprKind::Binary(BinaryOp::Or, Box::new(left), Box::new(right)), ty }
                }
            });
        }
        conditions = joined;
    }
    conditions.pop()
}

/// What of a type's values is not among those seen, for a message; nothing if all are.
fn missing(ty: &Type, seen: &HashSet<Literal>) -> String {
    let mut missing: Vec<String> = match &ty.kind {
        Kind::Bool => [false, true].into_iter().filter(|v| !seen.contains(&Literal::Bool(*v))).map(|v| format!("`{v}`")).collect(),
        Kind::Enum(e) => e.variants.iter().enumerate().filter(|(at, _)| !seen.contains(&Literal::Enum(*at as u32))).map(|(_, v)| format!("`{v}`")).collect(),
        _ => return "other values".to_owned(),
    };
    if ty.nullable && !seen.contains(&Literal::Null) {
        missing.push("`null`".to_owned());
    }
    missing.join(", ")
}

/// The steps with the function's values put in where its variable is set, in order.
fn with_values(steps: Vec<Step>, result: u32, values: &mut impl Iterator<Item = Expr>) -> Vec<Step> {
    let mut one = |step: Step| match step {
        Step::Set(variable, value) if variable == result => Step::Set(variable, values.next().unwrap_or(value)),
        Step::If(condition, then, otherwise) => {
            let then = with_values(then, result, values);
            Step::If(condition, then, with_values(otherwise, result, values))
        }
        Step::Block(block) => Step::Block(Block { steps: with_values(block.steps, result, values), ..block }),
        step => step,
    };
    steps.into_iter().map(&mut one).collect()
}

/// What a variable is set to, in a loop perhaps to more each time: a text or an array that is computed must not become too large.
fn limited(value: Expr) -> Expr {
    let is_made = matches!(value.kind, ExprKind::Call(..) | ExprKind::If(..) | ExprKind::Run(_));
    if !is_made || !value.ty.scalar().is_text() || matches!(value.ty.kind, Kind::Any) {
        return value;
    }
    let (ty, span) = (value.ty.clone(), value.span);
    let made = call(".limited", vec![value.clone()], ty.kind.clone(), span);
    if made.ty.kind == Kind::Error { value } else { Expr { ty, ..made } }
}
