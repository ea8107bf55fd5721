//! How often each value of a body is used: a value that is used once can stand where it is used.

use std::collections::HashMap;

use super::printer::Printer;
use crate::lower::ir::{Body, Op, Region, RowSource, Statement, Value, ValueId};

/// How often each value that is evaluated at all is used: what nothing uses and what cannot refuse is not in it.
pub(super) fn uses(printer: &Printer<'_>, body: &Body) -> HashMap<ValueId, usize> {
    let mut count = Uses { printer, body, uses: HashMap::new() };
    count.list(&body.statements);
    count.uses
}

struct Uses<'p, 'a> {
    printer: &'p Printer<'a>,
    body: &'p Body,
    uses: HashMap<ValueId, usize>,
}

impl Uses<'_, '_> {
    fn list(&mut self, list: &[Statement]) {
        for s in list {
            let mut used = vec![];
            self.operands_of(s, &mut used);
            for v in used {
                self.operand(v);
            }
            match s {
                Statement::Let(v) if can_refuse(self.body, *v) => self.evaluated(*v),
                Statement::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Statement::Count { then, .. } => self.list(then),
                _ => {}
            }
        }
    }

    /// A use of a value.
    fn operand(&mut self, v: ValueId) {
        self.evaluated(v);
        *self.uses.entry(v).or_default() += 1;
    }

    /// The value is evaluated, and so is what it is made of.
    fn evaluated(&mut self, v: ValueId) {
        if self.uses.contains_key(&v) {
            return;
        }
        self.uses.insert(v, 0);
        let mut used = vec![];
        let body = self.body;
        let value = body.value(v);
        operands(value, &mut used);
        if let Op::If { then, otherwise, .. } = &value.op {
            used.extend(then.result.iter().chain(&otherwise.result));
            self.list(&then.statements);
            self.list(&otherwise.statements);
        }
        for u in used {
            self.operand(u);
        }
    }

    fn operands_of(&self, s: &Statement, into: &mut Vec<ValueId>) {
        match s {
            Statement::Guard(v) | Statement::Return(v) | Statement::Print(v) => into.push(*v),
            Statement::If { then, otherwise, .. } if self.printer.is_idle(self.body, then) && self.printer.is_idle(self.body, otherwise) => {}
            Statement::If { condition, .. } => into.push(*condition),
            Statement::Store { record, field, value, .. } if self.printer.is_used(*record, *field) => into.push(*value),
            Statement::Tell { record, field, args, .. } if self.printer.is_used(*record, *field) => into.extend(args),
            Statement::Push { row: RowSource::Make { record, fields }, .. } | Statement::Call { row: RowSource::Make { record, fields }, .. } => {
                into.extend(fields.iter().filter(|(f, _)| self.printer.is_used(*record, *f)).map(|(_, v)| *v));
            }
            Statement::Publish { fields, .. } | Statement::PublishRule { fields, .. } => into.extend(fields),
            _ => {}
        }
    }
}

fn can_refuse(body: &Body, v: ValueId) -> bool {
    let value = body.value(v);
    let inside = |r: &Region| r.statements.iter().any(|s| matches!(s, Statement::Let(v) if can_refuse(body, *v)));
    value.is_fallible() || matches!(&value.op, Op::If { then, otherwise, .. } if inside(then) || inside(otherwise))
}

impl Printer<'_> {
    /// Whether statements do nothing: they write only what nobody reads.
    pub(super) fn is_idle(&self, body: &Body, list: &[Statement]) -> bool {
        list.iter().all(|s| match s {
            Statement::Let(v) => !can_refuse(body, *v),
            Statement::Store { record, field, .. } | Statement::Tell { record, field, .. } | Statement::MergeObject { record, field, .. } => {
                !self.is_used(*record, *field)
            }
            Statement::If { then, otherwise, .. } => self.is_idle(body, then) && self.is_idle(body, otherwise),
            _ => false,
        })
    }
}

fn operands(value: &Value, into: &mut Vec<ValueId>) {
    match &value.op {
        Op::Const(_) | Op::Null | Op::Load { .. } | Op::Read(_) | Op::Global(_) => {}
        Op::Wrap(v)
        | Op::Unwrap(v)
        | Op::IsNull(v)
        | Op::IsTrue(v)
        | Op::ToFloat(v)
        | Op::Widen(v)
        | Op::Narrow(v, _)
        | Op::Negate(v, _)
        | Op::Not(v)
        | Op::BitNot(v) => into.push(*v),
        Op::Arithmetic { left, right, .. } | Op::Compare { left, right, .. } => into.extend([*left, *right]),
        Op::SameKey(a, b) | Op::AddCounts(a, b) => into.extend([*a, *b]),
        Op::If { condition, .. } => into.push(*condition),
        Op::Call { args, .. } | Op::Ask { args, .. } | Op::Hash(args) => into.extend(args),
        Op::Mask(bits) => into.extend(bits.iter().map(|(_, v)| *v)),
    }
}
