//! A function's statements to those of lowered code.

use varpulis_abi::scalar::Physical;

use super::builder::Builder;
use super::expression::{Context, lower, physical, truth};
use super::ir::{ChainId, Label, Op, RecordId, RowSource, Statement, ValueId, Variable, VariableId};
use crate::analysis::run::{Run, Step};
use crate::analysis::typed::Literal;

/// The value that the statements come to.
pub(super) fn run(b: &mut Builder, cx: &mut dyn Context, run: &Run, ty: Physical) -> ValueId {
    if run.changes_state() { b.once(run.result, |b| computed(b, cx, run, ty)) } else { computed(b, cx, run, ty) }
}

fn computed(b: &mut Builder, cx: &mut dyn Context, run: &Run, ty: Physical) -> ValueId {
    let body = b.region(|b| {
        steps(b, cx, run, None, &run.steps);
        Some(b.variable(VariableId(run.result), ty))
    });
    b.value(Op::Run { variables: variables(run), body }, ty)
}

/// The same of a function that is run for its records: `emit` hands on the one of that number.
pub(super) fn process(b: &mut Builder, cx: &mut dyn Context, run: &Run, target: &Target) {
    let region = b.region(|b| {
        steps(b, cx, run, Some(target), &run.steps);
        None
    });
    b.statement(Statement::Run { variables: variables(run), body: region.statements });
}

/// Where the records go that a function emits.
pub(super) struct Target {
    /// What is done with them.
    pub(super) chain: ChainId,
    /// The record.
    pub(super) record: RecordId,
    /// Its fields that something reads, and their types.
    pub(super) fields: Vec<(usize, Physical)>,
}

fn variables(run: &Run) -> Vec<Variable> {
    run.variables.iter().map(|v| Variable { id: VariableId(v.number), name: v.name.clone(), ty: physical(&v.ty) }).collect()
}

/// Whether what follows the steps can be reached.
fn steps(b: &mut Builder, cx: &mut dyn Context, run: &Run, target: Option<&Target>, list: &[Step]) -> bool {
    list.iter().all(|step| one(b, cx, run, target, step))
}

fn one(b: &mut Builder, cx: &mut dyn Context, run: &Run, target: Option<&Target>, step: &Step) -> bool {
    match step {
        Step::Set(variable, value) => {
            let mut value = lower(b, cx, value);
            let declared = run.variables.iter().find(|v| v.number == *variable).map(|set| physical(&set.ty));
            if let Some(ty) = declared.or_else(|| cx.state(VariableId(*variable))) {
                value = b.fit(value, ty);
            }
            b.statement(Statement::Set { variable: VariableId(*variable), value });
            true
        }
        Step::If(condition, then, otherwise) => {
            let condition = truth(b, cx, condition, true);
            if let Op::Const(Literal::Bool(known)) = b.get(condition).op {
                return steps(b, cx, run, target, if known { then } else { otherwise });
            }
            let (then, then_ends) = inside(b, cx, run, target, then);
            let (otherwise, otherwise_ends) = inside(b, cx, run, target, otherwise);
            b.statement(Statement::If { condition, then, otherwise });
            !(then_ends && otherwise_ends)
        }
        Step::Block(block) => {
            let repeats = block.repeats.then(|| cx.site(block.span));
            let (body, ends) = inside(b, cx, run, target, &block.steps);
            let left = leaves(&body, Label(block.number));
            b.statement(Statement::Block { label: Label(block.number), repeats, body });
            left || !(block.repeats || ends)
        }
        Step::Emit(number) => {
            if let (Some(target), Some(values)) = (target, run.records.get(*number)) {
                let mut fields = vec![];
                for (field, ty) in &target.fields {
                    if let Some(value) = values.get(*field) {
                        let value = lower(b, cx, value);
                        fields.push((*field, b.fit(value, *ty)));
                    }
                }
                b.statement(Statement::Call { chain: target.chain, row: RowSource::Make { record: target.record, fields } });
            }
            true
        }
        Step::Leave(number) => {
            b.statement(Statement::Leave(Label(*number)));
            false
        }
    }
}

/// The statements of steps that may not be run, or more than once; and whether what follows them cannot be reached.
fn inside(b: &mut Builder, cx: &mut dyn Context, run: &Run, target: Option<&Target>, list: &[Step]) -> (Vec<Statement>, bool) {
    let mut ends = false;
    let region = b.region(|b| {
        ends = !steps(b, cx, run, target, list);
        None
    });
    (region.statements, ends)
}

/// Whether one of the statements leaves the block.
pub(crate) fn leaves(list: &[Statement], label: Label) -> bool {
    list.iter().any(|statement| match statement {
        Statement::Leave(left) => *left == label,
        Statement::If { then, otherwise, .. } => leaves(then, label) || leaves(otherwise, label),
        Statement::Block { body, .. } => leaves(body, label),
        _ => false,
    })
}
