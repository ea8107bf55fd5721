//! What of a program is read at all: fields of records, values of bodies. Backends leave out the rest.

use std::collections::{HashMap, HashSet};

use super::ir::{Body, Op, RecordField, RecordId, RowSource, Statement, Value, ValueId};
use crate::plan::physical::{ChainInput, Config, Program};

/// The fields that something reads.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    used: HashSet<(RecordId, usize)>,
    /// Records of which every field is used.
    whole: HashSet<RecordId>,
}

impl Usage {
    /// Of a program: what its bodies load, all that it publishes, and all slots that it fills beforehand.
    pub fn of(program: &Program) -> Self {
        let mut s = Self::default();
        let kernels = program.operators.iter().flat_map(|o| o.functions.iter().flat_map(|f| f.arms.iter().map(|a| &a.body)));
        for body in program.chains.iter().map(|c| &c.body).chain(kernels) {
            body.walk(
                &mut |v| {
                    if let Op::Load { record, field, .. } | Op::Ask { record, field, .. } = &v.op {
                        s.used.insert((*record, *field));
                    }
                },
                &mut |_| {},
            );
        }
        s.whole.extend(program.outputs.iter().map(|o| o.record));
        s.shown_to_handlers(program);
        for o in &program.operators {
            let filled = o.config.iter().filter_map(|c| if let Config::Slots(store, _) = c { Some(store) } else { None });
            s.whole.extend(filled.filter_map(|store| o.stores.iter().find(|(s, _)| s == store).map(|(_, r)| *r)));
        }
        s
    }

    /// Where the handler of an error reads the record, an event is shown whole.
    fn shown_to_handlers(&mut self, program: &Program) {
        for (at, input) in program.errors.iter().enumerate() {
            let record = program.record(input.record).fields.iter().position(|field| field.name == "record");
            if record.is_none_or(|field| !self.is_used(input.record, field)) {
                continue;
            }
            let refusing = program.chains.iter().filter(|chain| program.error_inputs_of(chain).contains(&at));
            let shown = refusing.filter_map(|chain| if let ChainInput::Row(row) = chain.input { Some(row) } else { None });
            self.whole.extend(shown.filter(|row| program.events.iter().any(|event| event.record == *row)));
        }
    }

    /// Whether something reads the field.
    pub fn is_used(&self, record: RecordId, field: usize) -> bool {
        self.whole.contains(&record) || self.used.contains(&(record, field))
    }

    /// The fields of a record that something reads.
    pub fn used_fields<'p>(&self, program: &'p Program, id: RecordId) -> Vec<(usize, &'p RecordField)> {
        program.record(id).fields.iter().enumerate().filter(|(i, _)| self.is_used(id, *i)).collect()
    }

    /// Whether statements do nothing: they write only what nobody reads.
    pub fn is_idle(&self, body: &Body, list: &[Statement]) -> bool {
        list.iter().all(|s| match s {
            Statement::Let(v) => !matters(body, *v),
            Statement::Store { record, field, .. } | Statement::Tell { record, field, .. } | Statement::MergeObject { record, field, .. } => {
                !self.is_used(*record, *field)
            }
            Statement::If { then, otherwise, .. } => self.is_idle(body, then) && self.is_idle(body, otherwise),
            _ => false,
        })
    }

    /// How often each value of a body that is evaluated at all is used: what nothing uses and what cannot refuse is not in it.
    pub fn uses(&self, body: &Body) -> HashMap<ValueId, usize> {
        let mut count = Uses { usage: self, body, uses: HashMap::new() };
        count.list(&body.statements);
        count.uses
    }
}

struct Uses<'p> {
    usage: &'p Usage,
    body: &'p Body,
    uses: HashMap<ValueId, usize>,
}

impl Uses<'_> {
    fn list(&mut self, list: &[Statement]) {
        for s in list {
            let mut used = vec![];
            self.operands_of(s, &mut used);
            for v in used {
                self.operand(v);
            }
            match s {
                Statement::Let(v) if matters(self.body, *v) => self.evaluated(*v),
                Statement::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Statement::Count { then, .. } | Statement::Block { body: then, .. } | Statement::Run { body: then, .. } => self.list(then),
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
        for region in value.regions() {
            used.extend(region.result);
            self.list(&region.statements);
        }
        for u in used {
            self.operand(u);
        }
    }

    fn operands_of(&self, s: &Statement, into: &mut Vec<ValueId>) {
        match s {
            Statement::Guard(v) | Statement::Return(v) | Statement::Print(v) | Statement::CountBy { label: v, .. } | Statement::Set { value: v, .. } => {
                into.push(*v)
            }
            Statement::If { then, otherwise, .. } if self.usage.is_idle(self.body, then) && self.usage.is_idle(self.body, otherwise) => {}
            Statement::If { condition, .. } => into.push(*condition),
            Statement::Store { record, field, value, .. } if self.usage.is_used(*record, *field) => into.push(*value),
            Statement::Tell { record, field, args, .. } if self.usage.is_used(*record, *field) => into.extend(args),
            Statement::Push { row: RowSource::Make { record, fields }, .. } | Statement::Call { row: RowSource::Make { record, fields }, .. } => {
                into.extend(fields.iter().filter(|(f, _)| self.usage.is_used(*record, *f)).map(|(_, v)| *v));
            }
            Statement::Publish { fields, .. } | Statement::PublishRule { fields, .. } => into.extend(fields),
            _ => {}
        }
    }
}

/// Whether it can refuse or changes the program's state: then it is computed though nothing uses it.
fn matters(body: &Body, v: ValueId) -> bool {
    let value = body.value(v);
    value.is_fallible() || value.regions().any(|region| list_matters(body, &region.statements))
}

fn list_matters(body: &Body, list: &[Statement]) -> bool {
    list.iter().any(|s| match s {
        Statement::Let(v) => matters(body, *v),
        Statement::Set { variable, .. } => variable.state().is_some(),
        Statement::If { then, otherwise, .. } => list_matters(body, then) || list_matters(body, otherwise),
        Statement::Block { body: inside, .. } => list_matters(body, inside),
        _ => false,
    })
}

fn operands(value: &Value, into: &mut Vec<ValueId>) {
    match &value.op {
        Op::Const(_) | Op::Null | Op::Load { .. } | Op::Read(_) | Op::Global(_) | Op::Index(_) | Op::WallClock(_) | Op::Variable { .. } | Op::Run { .. } => {}
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
        Op::Part { of, at } => into.extend([*of, *at]),
        Op::Gather { of, .. } => into.push(*of),
        Op::Call { args, .. } | Op::Ask { args, .. } | Op::Hash(args) | Op::Pack(args) => into.extend(args),
        Op::Mask(bits) => into.extend(bits.iter().map(|(_, v)| *v)),
    }
}
