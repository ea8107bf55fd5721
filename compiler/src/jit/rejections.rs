//! What rejects events before all of their fields are known: compiled when an input first asks, since most never do and programs of many
//! streams have many conditions.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use cranelift_module::FuncId;
use varpulis_runtime::jit::{RejectionCode, Rejections};

use super::function::Shared;
use super::module::{Memory, Module};
use super::records::Records;
use super::{Error, Limits, kernel};
use crate::lower::usage::Usage;
use crate::plan::physical::{EventInput, FieldRejection, Program};

/// The conditions of a program.
pub(super) struct OnDemand {
    program: Arc<Program>,
    usage: Usage,
    records: Records,
    limits: Limits,
    events: Vec<OnceLock<Compiled>>,
}

/// Those of an event, and the memory of their code.
#[derive(Default)]
struct Compiled {
    rejections: Vec<Vec<RejectionCode>>,
    _memory: Option<Memory>,
}

impl OnDemand {
    pub(super) fn new(program: Arc<Program>, usage: Usage, records: Records, limits: Limits) -> Self {
        let events = program.events.iter().map(|_| OnceLock::new()).collect();
        Self { program, usage, records, limits, events }
    }

    /// Nothing if some beginning of the event's streams has no condition over a field that is read.
    fn compile(&self, event: &EventInput) -> Result<Compiled, Error> {
        let read = |r: &FieldRejection| self.usage.is_used(event.record, r.field);
        if event.rejections.is_empty() || !event.rejections.iter().all(|beginning| beginning.iter().any(read)) {
            return Ok(Compiled::default());
        }
        let module = Module::new(self.limits.code, false)?;
        let (program, usage, records) = (&self.program, &self.usage, &self.records);
        let mut shared = Shared { program, usage, records, module, chains: HashMap::new(), rules: vec![], fuel: self.limits.fuel, shared: HashMap::new() };
        let mut all: Vec<Vec<(usize, FuncId)>> = vec![];
        for (n, beginning) in event.rejections.iter().enumerate() {
            let mut made = vec![];
            for (m, rejection) in beginning.iter().enumerate() {
                let Some(field) = self.records.index(event.record, rejection.field) else { continue };
                let name = format!("{} rejected {n}.{m}", event.name);
                made.push((field, kernel::rejection(&mut shared, &name, event.record, &rejection.body)?));
            }
            all.push(made);
        }
        let finished = shared.module.finish()?;
        let code = |(field, body): &(usize, FuncId)| RejectionCode { field: *field, body: finished.chain(*body) };
        let rejections = all.iter().map(|beginning| beginning.iter().map(code).collect()).collect();
        Ok(Compiled { rejections, _memory: Some(finished.memory()) })
    }
}

impl Rejections for OnDemand {
    fn of(&self, event: usize) -> &[Vec<RejectionCode>] {
        let (Some(input), Some(cell)) = (self.program.events.get(event), self.events.get(event)) else { return &[] };
        // Without memory for its code a condition does not reject: the record is refused then, and not lost.
        &cell.get_or_init(|| self.compile(input).unwrap_or_default()).rejections
    }
}
