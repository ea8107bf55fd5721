//! Loops of functions: `for` through arrays and ranges, `while`.

use super::run::{Block, Step};
use super::scope::Local;
use super::statements::{Flow, Function, int, variable};
use super::typed::{Expr, ExprKind, Literal};
use super::types::{Kind, Type};
use super::values::call;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp, Span};

impl Function<'_, '_> {
    /// A loop: what is done before each round, which may leave it, the round, and what is done behind it.
    fn repeat(&mut self, before: Vec<Step>, body: &[ast::Stmt], after: Vec<Step>, behind: u32, span: Span) -> Step {
        let round = self.a.number();
        self.loops.push((behind, round));
        let (body, _) = self.steps(body, false);
        self.loops.pop();
        let mut steps = before;
        steps.push(Step::Block(Block { number: round, repeats: false, steps: body, span }));
        steps.extend(after);
        Step::Block(Block { number: behind, repeats: true, steps, span })
    }

    pub(super) fn while_steps(&mut self, condition: &ast::Expr, body: &[ast::Stmt], span: Span, steps: &mut Vec<Step>) -> Flow {
        let behind = self.a.number();
        let condition = self.a.condition(condition, self.scope);
        let always = condition.as_literal() == Some(&Literal::Bool(true));
        let before = if always { vec![] } else { vec![Step::If(condition, vec![], vec![Step::Leave(behind)])] };
        let repeated = self.repeat(before, body, vec![], behind, span);
        let ends = always && !leaves(std::slice::from_ref(&repeated), behind);
        steps.push(repeated);
        if ends { Flow::Ends } else { Flow::On }
    }

    pub(super) fn for_steps(&mut self, name: &ast::Name, over: &ast::Expr, body: &[ast::Stmt], steps: &mut Vec<Step>) {
        let span = over.span;
        let behind = self.a.number();
        let bound = self.scope.locals.len();
        if let ast::ExprKind::Range { from, to, inclusive } = &over.kind {
            let (from, to) = (self.a.expr(from, self.scope), self.a.expr(to, self.scope));
            let (from, to) = (self.a.coerce(from, &Type::INT, "where a range begins"), self.a.coerce(to, &Type::INT, "where a range ends"));
            let end = self.kept(to, "end", steps);
            let number = self.variable(&name.text, &Type::INT);
            steps.push(Step::Set(number, from));
            let at = || variable(number, &Type::INT, name.span);
            let within = compared(if *inclusive { BinaryOp::LessEqual } else { BinaryOp::Less }, at(), end.clone(), span);
            let before = vec![Step::If(within, vec![], vec![Step::Leave(behind)])];
            let mut after = vec![Step::Set(number, one_more(at(), span))];
            if *inclusive {
                // Behind the largest number there is none to go on with.
                after.insert(0, Step::If(compared(BinaryOp::Equal, at(), end, span), vec![Step::Leave(behind)], vec![]));
            }
            self.scope.locals.push(Local::new(&name.text, at()));
            let repeated = self.repeat(before, body, after, behind, span);
            steps.push(repeated);
        } else {
            let list = self.a.expr(over, self.scope);
            let Some(element) = self.element_of(&list) else { return };
            let list = self.kept(list, "list", steps);
            let count = self.kept(call(".len", vec![list.clone()], Kind::Int, span), "count", steps);
            let index = self.variable("at", &Type::INT);
            steps.push(Step::Set(index, int(0, span)));
            let number = self.variable(&name.text, &element);
            let at = || variable(index, &Type::INT, span);
            let part = Expr { kind: ExprKind::Part(Box::new(list), Box::new(at())), ty: element.clone(), span };
            let before = vec![
                Step::If(compared(BinaryOp::Less, at(), count, span), vec![], vec![Step::Leave(behind)]),
                Step::Set(number, part),
                Step::Set(index, one_more(at(), span)),
            ];
            self.scope.locals.push(Local::new(&name.text, variable(number, &element, name.span)));
            let repeated = self.repeat(before, body, vec![], behind, span);
            steps.push(repeated);
        }
        self.scope.locals.truncate(bound);
    }

    /// The type of what `for` takes from a value.
    fn element_of(&mut self, list: &Expr) -> Option<Type> {
        let d = match &list.ty.kind {
            Kind::Array(element) if element.kind == Kind::Null => {
                self.a.untyped_array(list.span);
                return None;
            }
            Kind::Array(element) if !list.ty.nullable => return Some(element.as_ref().clone()),
            Kind::Error => return None,
            Kind::Array(_) => Diagnostic::new(Code::TypeMismatch, list.span, "the array may be null").help("give null a value, as in `x ?? []`"),
            Kind::Map(..) => Diagnostic::new(Code::TypeMismatch, list.span, format!("`for` takes an array or a range, found {}", list.ty))
                .help("a map has `.keys()` and `.values()`"),
            _ => {
                let message = format!("`for` takes an array or a range, found {}", list.ty);
                self.a.mismatch(Code::TypeMismatch, list, message, "an array")
            }
        };
        self.a.report(d);
        None
    }
}

fn compared(op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty: Type::BOOL, span }
}

fn one_more(value: Expr, span: Span) -> Expr {
    Expr { kind: ExprKind::Binary(BinaryOp::Add, Box::new(value), Box::new(int(1, span))), ty: Type::INT, span }
}

fn leaves(steps: &[Step], block: u32) -> bool {
    steps.iter().any(|step| match step {
        Step::Leave(left) => *left == block,
        Step::If(_, then, otherwise) => leaves(then, block) || leaves(otherwise, block),
        Step::Block(inside) => leaves(&inside.steps, block),
        Step::Set(..) | Step::Emit(_) => false,
    })
}
