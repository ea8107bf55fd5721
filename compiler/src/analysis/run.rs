//! What the statements of a function come to: variables, and steps that set them. Names are resolved and types known; the function's value is a
//! variable's.

use super::typed::Expr;
use super::types::Type;
use crate::lower::ir::VariableId;
use crate::syntax::ast::Span;

/// Statements that are run for their value.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the steps set, by the numbers that [`ExprKind::Variable`](super::typed::ExprKind::Variable) names.
    pub variables: Vec<Variable>,
    /// In order.
    pub steps: Vec<Step>,
    /// The variable that holds the value once the steps are done; every way through them sets it. Of a function that is run for its records: none.
    pub result: u32,
    /// The records that steps emit: the values of their fields.
    pub records: Vec<Vec<Expr>>,
}

/// A variable of a function.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its number: no other of the program has it.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Gives a variable a value of its type.
    Set(u32, Expr),
    /// Goes one of two ways; a condition that is null is not true.
    If(Expr, Vec<Step>, Vec<Step>),
    /// Steps that can be left as a whole.
    Block(Block),
    /// Leaves the block of that number, which is around it.
    Leave(u32),
    /// Emits the record of that place among those of the run.
    Emit(usize),
}

/// Steps that can be left as a whole.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its number: no other of the program has it.
    pub number: u32,
    /// Whether it begins again at its end: a loop, until it is left.
    pub repeats: bool,
    /// In order.
    pub steps: Vec<Step>,
    /// Where it stands in the program.
    pub span: Span,
}

impl Run {
    /// Calls `visit` with every expression of a step.
    pub fn expressions(&self, visit: &mut impl FnMut(&Expr)) {
        self.steps.iter().for_each(|step| step.expressions(visit));
        self.records.iter().flatten().for_each(visit);
    }

    /// Whether a step sets a variable of the program.
    pub fn changes_state(&self) -> bool {
        self.steps.iter().any(Step::changes_state)
    }

    /// The same steps with every expression replaced.
    pub fn map(&self, change: &mut impl FnMut(&Expr) -> Expr) -> Run {
        let steps = map_steps(&self.steps, change);
        let records = self.records.iter().map(|record| record.iter().map(&mut *change).collect()).collect();
        Run { variables: self.variables.clone(), steps, result: self.result, records }
    }
}

impl Step {
    fn changes_state(&self) -> bool {
        match self {
            Step::Set(variable, _) => VariableId(*variable).state().is_some(),
            Step::If(_, then, otherwise) => then.iter().chain(otherwise).any(Self::changes_state),
            Step::Block(block) => block.steps.iter().any(Self::changes_state),
            Step::Leave(_) | Step::Emit(_) => false,
        }
    }

    fn expressions(&self, visit: &mut impl FnMut(&Expr)) {
        match self {
            Step::Set(_, value) => visit(value),
            Step::If(condition, then, otherwise) => {
                visit(condition);
                then.iter().chain(otherwise).for_each(|step| step.expressions(visit));
            }
            Step::Block(block) => block.steps.iter().for_each(|step| step.expressions(visit)),
            Step::Leave(_) | Step::Emit(_) => {}
        }
    }
}

fn map_steps(steps: &[Step], change: &mut impl FnMut(&Expr) -> Expr) -> Vec<Step> {
    let one = |step: &Step| match step {
        Step::Set(variable, value) => Step::Set(*variable, change(value)),
        Step::If(condition, then, otherwise) => Step::If(change(condition), map_steps(then, change), map_steps(otherwise, change)),
        Step::Block(block) => Step::Block(Block { steps: map_steps(&block.steps, change), ..block.clone() }),
        Step::Leave(block) => Step::Leave(*block),
        Step::Emit(record) => Step::Emit(*record),
    };
    steps.iter().map(one).collect()
}
