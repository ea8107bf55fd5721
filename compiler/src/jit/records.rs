//! The layouts of a program's records: of the fields that something reads.

use std::collections::HashSet;
use std::sync::Arc;

use varpulis_abi::layout::{Held, Kind, Place, RecordLayout};

use crate::lower::ir::{FieldType, RecordId};
use crate::lower::usage::Usage;
use crate::plan::physical::Program;

/// Where the fields of all records lie.
pub(super) struct Records {
    layouts: Vec<Arc<RecordLayout>>,
    /// Per record and field, its place in the layout; `None` if nothing reads it.
    places: Vec<Vec<Option<usize>>>,
    /// The slot of the program's globals, and its states behind them.
    pub(super) globals: Arc<RecordLayout>,
}

impl Records {
    pub(super) fn of(program: &Program, usage: &Usage) -> Self {
        let held = |ty: FieldType| match ty {
            FieldType::Scalar(ty) => Held::Scalar(ty),
            FieldType::Object(object) => Held::Object(object.name),
        };
        let globals = RecordLayout::new(Kind::Slot, program.globals.iter().chain(&program.states).map(|g| Held::Scalar(g.ty)));
        let mut s = Self { layouts: vec![], places: vec![], globals: Arc::new(globals) };
        let events: HashSet<RecordId> = program.events.iter().map(|event| event.record).chain(program.timers.iter().map(|timer| timer.record)).collect();
        for (at, record) in program.records.iter().enumerate() {
            let id = RecordId(at as u32);
            let kind = match record.stored {
                true => Kind::Slot,
                false if events.contains(&id) => Kind::Event,
                false => Kind::Row,
            };
            let used = usage.used_fields(program, id);
            s.layouts.push(Arc::new(RecordLayout::new(kind, used.iter().map(|(_, field)| held(field.ty)))));
            let mut places = vec![None; record.fields.len()];
            for (place, (field, _)) in used.iter().enumerate() {
                if let Some(slot) = places.get_mut(*field) {
                    *slot = Some(place);
                }
            }
            s.places.push(places);
        }
        s
    }

    /// What a record is laid out for.
    pub(super) fn kind(&self, record: RecordId) -> Kind {
        self.layouts.get(record.0 as usize).map_or(Kind::Row, |layout| layout.kind)
    }

    pub(super) fn layout(&self, record: RecordId) -> Option<Arc<RecordLayout>> {
        self.layouts.get(record.0 as usize).cloned()
    }

    /// Which of the record's places a field has; `None` if nothing reads it.
    pub(super) fn index(&self, record: RecordId, field: usize) -> Option<usize> {
        *self.places.get(record.0 as usize)?.get(field)?
    }

    /// Where a field lies; `None` if nothing reads it.
    pub(super) fn place(&self, record: RecordId, field: usize) -> Option<Place> {
        let at = self.index(record, field)?;
        self.layouts.get(record.0 as usize)?.places.get(at).copied()
    }
}
