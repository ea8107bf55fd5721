//! `random()`, `uuid()` and `wall_clock()`: what differs from run to run. The first two draw from a state of the program, so that a seed repeats them.

use super::Analyzer;
use super::run::{Run, Step, Variable};
use super::typed::{Expr, ExprKind, Place};
use super::types::{Kind, Type};
use super::values::call;
use crate::diagnostics::{Code, Diagnostic};
use crate::lower::ir::VariableId;
use crate::plan::logical::{Global, State};
use crate::syntax::ast::{self, Span, StmtKind};

/// The functions' names.
pub(crate) const IMPURE: &[&str] = &["random", "uuid", "wall_clock"];
/// The parameter that repeats what is drawn.
pub(crate) const SEED: &str = "random_seed";

impl Analyzer<'_> {
    /// A call of one of these, which take no arguments.
    pub(super) fn impure(&mut self, name: &str, args: &[ast::Arg], span: Span) -> Expr {
        if let Some(first) = args.first() {
            let message = format!("`{name}` takes no argument");
            return self.wrong(Diagnostic::new(Code::WrongArgumentCount, first.span, message));
        }
        let d = Diagnostic::new(Code::Impure, span, format!("`{name}()` differs from run to run"));
        self.report(if name == "wall_clock" { d } else { d.help(format!("`--param {SEED}=1` repeats it")) });
        match name {
            "wall_clock" => {
                let number = self.number();
                Expr::place(Place::WallClock(number), Type::TIMESTAMP, span)
            }
            "uuid" => self.drawn("uuid", 2, span, |[a, b]| call(".uuid", vec![a, b], Kind::Str, span)),
            _ => self.drawn("random", 1, span, |[a, _]| call(".random_unit", vec![a], Kind::Float, span)),
        }
    }

    /// A value made of one or two draws.
    fn drawn(&mut self, name: &str, draws: usize, span: Span, make: impl FnOnce([Expr; 2]) -> Expr) -> Expr {
        let state = self.drawn_state(span);
        let now = || Expr { kind: ExprKind::Variable(state), ty: Type::INT, span };
        let (first, result) = (self.number(), self.number());
        let draw = || Step::Set(state, call(".random_step", vec![now()], Kind::Int, span));
        let kept = Expr { kind: ExprKind::Variable(first), ty: Type::INT, span };
        let value = make([if draws == 2 { kept } else { now() }, now()]);
        let mut variables = vec![];
        let mut steps = vec![draw()];
        if draws == 2 {
            variables.push(Variable { number: first, name: "first".to_owned(), ty: Type::INT });
            steps.extend([Step::Set(first, now()), draw()]);
        }
        let ty = value.ty.clone();
        variables.push(Variable { number: result, name: name.to_owned(), ty: ty.clone() });
        steps.push(Step::Set(result, value));
        Expr { kind: ExprKind::Run(Box::new(Run { variables, steps, result, records: vec![] })), ty, span }
    }

    /// The number of the state, which begins with the seed.
    fn drawn_state(&mut self, span: Span) -> u32 {
        if let Some(drawn) = self.drawn {
            return drawn;
        }
        let initial = self.seed(span);
        let mut name = "drawn".to_owned();
        while self.state_ids.contains_key(&name) {
            name.push('_');
        }
        let drawn = VariableId::STATE + self.plan.states.len() as u32;
        self.plan.states.push(State { name, ty: Type::INT, initial });
        self.drawn = Some(drawn);
        drawn
    }

    /// The parameter, declared by the program or not; without a value, every run has another.
    fn seed(&mut self, span: Span) -> Expr {
        if !self.global_ids.contains_key(SEED) && !self.constants.contains_key(SEED) {
            self.declare_pending(SEED, span);
        }
        self.used.insert(SEED.to_owned());
        if let Some(constant) = self.constants.get(SEED).filter(|e| e.ty == Type::INT) {
            return constant.clone();
        }
        let id = match self.global_ids.get(SEED).copied() {
            Some(id) if self.plan.globals.get(id).is_some_and(|g| g.ty == Type::INT) => id,
            Some(_) => {
                let message = format!("`{SEED}` seeds `random()` and `uuid()`, and must be an `int`");
                return self.wrong(Diagnostic::new(Code::TypeMismatch, span, message));
            }
            None => {
                let entropy = call(".entropy", vec![super::statements::int(0, span)], Kind::Int, span);
                self.add_global(Global { name: SEED.to_owned(), ty: Type::INT, value: Some(entropy), is_param: true });
                self.plan.globals.len() - 1
            }
        };
        Expr::place(Place::Global(id), Type::INT, span)
    }

    /// Whether some function of the program calls one of these.
    pub(super) fn functions_are_impure(&self) -> bool {
        self.ast.items.iter().any(|item| matches!(&item.kind, ast::ItemKind::Function(f) if any_impure(&f.body)))
    }

    /// What of the state, or of the clock, an expression sees, as messages name it.
    pub(super) fn what_is_seen(&self, e: &Expr) -> &'static str {
        let mut clock = false;
        e.places(&mut |place| clock |= matches!(place, Place::WallClock(_)));
        if clock {
            return "`wall_clock()`";
        }
        if self.drawn.is_some_and(|drawn| reads(e, drawn)) { "`random()` and `uuid()`" } else { "the program's state" }
    }
}

fn reads(e: &Expr, variable: u32) -> bool {
    let mut found = matches!(&e.kind, ExprKind::Variable(number) if *number == variable);
    e.children(&mut |c| found |= reads(c, variable));
    found
}

fn any_impure(body: &[ast::Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::Let { value, .. } | StmtKind::Var { value, .. } | StmtKind::Assign { value, .. } | StmtKind::Return(Some(value)) | StmtKind::Expr(value) => {
            calls_impure(value)
        }
        StmtKind::If { branches, otherwise } => branches.iter().any(|(c, body)| calls_impure(c) || any_impure(body)) || any_impure(otherwise),
        StmtKind::For { over: e, body, .. } | StmtKind::While { condition: e, body } => calls_impure(e) || any_impure(body),
        StmtKind::Match { value, arms } => calls_impure(value) || arms.iter().any(|(_, body)| any_impure(body)),
        StmtKind::Emit { args, .. } => args.iter().any(|arg| matches!(&arg.value, ast::ArgValue::Expr(e, _) if calls_impure(e))),
        StmtKind::Return(None) | StmtKind::Break | StmtKind::Continue => false,
    })
}

fn calls_impure(e: &ast::Expr) -> bool {
    let called = matches!(&e.kind, ast::ExprKind::Call { callee, .. } if matches!(&callee.kind, ast::ExprKind::Name(name) if IMPURE.contains(&name.as_str())));
    called || e.children().into_iter().any(calls_impure)
}
