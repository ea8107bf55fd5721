//! What a body does beyond its own values: rows made on the stack and handed on, published or reported.

use cranelift::codegen::ir::{Block, BlockArg, InstBuilder, StackSlotData, StackSlotKind, Value, types};
use varpulis_abi::jit::{NO_RECORD, context, firing, operator as entry};
use varpulis_abi::kernels::GATES;
use varpulis_abi::layout::{Held, Kind};

use super::Error;
use super::function::{BodyMaker, FunctionMaker, Surroundings, Yields};
use super::kernel;
use crate::lower::ir::{Arm, Op, OperatorId, RecordId, RowSource, Statement, ValueId};
use crate::plan::physical::Operator;

/// What an operator asks first of the rows of an input, if that is more than whether there is a key: most records have one, so that asking
/// twice costs more than it spares.
fn gates(operator: &Operator, port: usize) -> Vec<&Arm> {
    let reads = |arm: &&Arm| arm.body.values.iter().any(|value| matches!(value.op, Op::Load { .. } | Op::Global(_)));
    let functions = GATES.iter().filter_map(|gate| operator.functions.iter().find(|function| function.name == *gate));
    let arms = functions.filter_map(|function| function.arms.iter().find(|arm| arm.port.is_none_or(|at| at == port)));
    let gates: Vec<&Arm> = arms.filter(reads).collect();
    let compares = |value: &crate::lower::ir::Value| matches!(value.op, Op::Compare { .. } | Op::Call { .. });
    if gates.iter().any(|arm| arm.body.values.iter().any(compares)) { gates } else { vec![] }
}

/// Whether there is anything to ask before a row is handed to an operator.
pub(super) fn asks_first(operator: &Operator, port: usize) -> bool {
    !gates(operator, port).is_empty()
}

impl BodyMaker<'_, '_, '_, '_> {
    /// Pushes, calls and publications.
    pub(super) fn effect(&mut self, statement: &Statement) -> Result<(), Error> {
        let context = self.maker.context;
        match statement {
            Statement::Push { operator, port, row, late } => {
                let same = matches!(row, RowSource::Same);
                let (row, _) = self.row(row)?;
                let passed = if same && !late { self.gates(*operator, *port, row)? } else { None };
                let result = self.maker.push(*operator, if *late { *port | entry::LATE as usize } else { *port }, row)?;
                self.maker.leave_if(result, result);
                if let Some(passed) = passed {
                    self.maker.builder.ins().jump(passed, &[]);
                    self.maker.builder.switch_to_block(passed);
                }
            }
            Statement::Call { chain, row } => {
                let (row, record) = self.row(row)?;
                let Some(id) = self.maker.shared.chains.get(chain).copied() else { return Ok(()) };
                let function = self.maker.shared.module.local(id, self.maker.builder.func);
                let result = self.maker.call(function, &[context, row]);
                let shown = if record.is_some() { row } else { self.ts()? };
                self.maker.report_if(result, record, shown)?;
            }
            Statement::Publish { publication, fields } => {
                let Some(record) = self.maker.shared.program.outputs.get(*publication).map(|output| output.record) else { return Ok(()) };
                let row = self.made(record, fields.iter().copied().enumerate())?;
                let publication = self.maker.word(*publication as i64);
                self.maker.helper("publish", &[context, publication, row])?;
            }
            Statement::PublishRule { publications, fields } => {
                let first = publications.first().and_then(|p| self.maker.shared.program.outputs.get(*p));
                let (Some(record), Some(firing)) = (first.map(|output| output.record), self.place.firing) else { return Ok(()) };
                let row = self.made(record, fields.iter().copied().enumerate())?;
                let table = self.maker.word(self.maker.shared.rules.len() as i64);
                self.maker.shared.rules.push(publications.clone());
                let rule = self.maker.load(types::I64, firing, firing::RULE);
                self.maker.helper("publish_rule", &[context, table, rule, row])?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks what the operator would ask first, here: most records of a selective pattern are none of its business. Returns where those go that
    /// pass it by.
    fn gates(&mut self, operator: OperatorId, port: usize, row: Value) -> Result<Option<Block>, Error> {
        let program = self.maker.shared.program;
        let Some(operator) = program.operators.get(operator.0 as usize) else { return Ok(None) };
        let mut passed = None;
        for arm in gates(operator, port) {
            let answered = self.maker.builder.create_block();
            let answer = self.maker.builder.append_block_param(answered, types::I64);
            let result = Yields::To(answered);
            let place = Surroundings { parameters: vec![("row", row)], firing: None, hasher: None, record: None, result };
            if kernel::body(self.maker, &arm.body, &place)? {
                let nothing = self.maker.word(0);
                self.maker.builder.ins().jump(answered, &[BlockArg::Value(nothing)]);
            }
            self.maker.builder.switch_to_block(answered);
            let (by, on) = (*passed.get_or_insert_with(|| self.maker.builder.create_block()), self.maker.builder.create_block());
            self.maker.builder.ins().brif(answer, on, &[], by, &[]);
            self.maker.builder.switch_to_block(on);
        }
        Ok(passed)
    }

    /// The address of a row, and the number of its record if it can be shown.
    fn row(&mut self, row: &RowSource) -> Result<(Value, Option<RecordId>), Error> {
        match row {
            RowSource::Same => Ok((self.parameter("row")?, self.place.record)),
            RowSource::Firing => Ok((self.place.firing.ok_or_else(|| Error::unknown("firing"))?, None)),
            RowSource::Make { record, fields } => Ok((self.made(*record, fields.iter().copied())?, Some(*record))),
        }
    }

    /// A row on the stack.
    fn made(&mut self, record: RecordId, fields: impl Iterator<Item = (usize, ValueId)>) -> Result<Value, Error> {
        // The rows of events are the decoder's.
        let Some(layout) = self.maker.shared.records.layout(record).filter(|layout| layout.kind == Kind::Row) else { return Err(Error::unknown("record")) };
        let slot = self.maker.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, layout.size, 3));
        let row = self.maker.builder.ins().stack_addr(types::I64, slot, 0);
        let ts = self.ts()?;
        self.maker.store(ts, row, 0);
        let mut written = vec![false; layout.places.len()];
        for (field, value) in fields {
            let Some(at) = self.maker.shared.records.index(record, field) else { continue };
            let (Some(place), Some(written)) = (layout.places.get(at), written.get_mut(at)) else { continue };
            let value = self.get(value)?;
            self.maker.write(row, place, value, false)?;
            *written = true;
        }
        // What the stack held before must not be read, whatever a plan leaves out.
        for (place, _) in layout.places.iter().zip(&written).filter(|(_, written)| !**written) {
            if let Held::Scalar(ty) = place.held {
                let zero = self.maker.zero(ty);
                self.maker.write(row, place, zero, false)?;
            }
        }
        Ok(row)
    }
}

impl FunctionMaker<'_, '_, '_> {
    /// Hands a row to an operator: 0, or a refusal.
    pub(super) fn push(&mut self, operator: OperatorId, port: usize, row: Value) -> Result<Value, Error> {
        let at = i32::try_from(operator.0).map_err(|_| Error::unknown("operator"))?.saturating_mul(entry::SIZE);
        let (context, port) = (self.context, self.word(port as i64));
        let table = self.fixed(context, context::OPERATORS);
        let (push, operator) = (self.fixed(table, at + entry::PUSH), self.fixed(table, at + entry::OPERATOR));
        Ok(self.call_address(push, &[context, operator, port, row]))
    }

    /// Reports a refusal, if that is what a chain ended with: of the record at an address, or, if it cannot be shown, at a time.
    pub(super) fn report_if(&mut self, result: Value, record: Option<RecordId>, shown: Value) -> Result<(), Error> {
        let (report, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(report);
        self.builder.ins().brif(result, report, &[], on, &[]);
        self.builder.switch_to_block(report);
        let number = record.map_or(NO_RECORD, |record| u64::from(record.0));
        let (context, number) = (self.context, self.word(number.cast_signed()));
        self.helper("refused", &[context, result, number, shown])?;
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(on);
        Ok(())
    }
}
