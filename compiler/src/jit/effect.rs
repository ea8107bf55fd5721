//! What a body does beyond its own values: rows made on the stack and handed on, published or reported.

use cranelift::codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, types};
use varpulis_abi::jit::{NO_RECORD, firing};
use varpulis_abi::layout::Held;

use super::Error;
use super::function::BodyMaker;
use crate::lower::ir::{RecordId, RowSource, Statement, ValueId};

impl BodyMaker<'_, '_, '_, '_> {
    /// Pushes, calls and publications.
    pub(super) fn effect(&mut self, statement: &Statement) -> Result<(), Error> {
        let context = self.maker.context;
        match statement {
            Statement::Push { operator, port, row } => {
                let (row, _) = self.row(row)?;
                let (operator, port) = (self.maker.word(i64::from(operator.0)), self.maker.word(*port as i64));
                let result = self.maker.helper("push", &[context, operator, port, row])?;
                self.maker.leave_if(result, result);
            }
            Statement::Call { chain, row } => {
                let (row, record) = self.row(row)?;
                let Some(id) = self.maker.shared.chains.get(chain.0 as usize).copied() else { return Ok(()) };
                let function = self.maker.shared.module.local(id, self.maker.builder.func);
                let result = self.maker.call(function, &[context, row]);
                self.report_if(result, record, row)?;
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
        let Some(layout) = self.maker.shared.records.layout(record) else { return Err(Error::unknown("record")) };
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

    /// Reports a refusal, if that is what a chain ended with.
    fn report_if(&mut self, result: Value, record: Option<RecordId>, row: Value) -> Result<(), Error> {
        let (report, on) = (self.maker.builder.create_block(), self.maker.builder.create_block());
        self.maker.builder.set_cold_block(report);
        self.maker.builder.ins().brif(result, report, &[], on, &[]);
        self.maker.builder.switch_to_block(report);
        let (number, shown) = match record {
            Some(record) => (u64::from(record.0), row),
            None => (NO_RECORD, self.ts()?),
        };
        let (context, number) = (self.maker.context, self.maker.word(number.cast_signed()));
        self.maker.helper("refused", &[context, result, number, shown])?;
        self.maker.builder.ins().jump(on, &[]);
        self.maker.builder.switch_to_block(on);
        Ok(())
    }
}
