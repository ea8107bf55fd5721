//! The layouts of a program's records: of the fields that something reads.

use std::sync::Arc;

use varpulis_abi::layout::{Held, Place, RecordLayout};

use crate::lower::ir::{FieldType, RecordId};
use crate::lower::usage::Usage;
use crate::plan::physical::Program;

/// Where the fields of all records lie.
pub(super) struct Records {
    layouts: Vec<Arc<RecordLayout>>,
    /// Per record and field, its place in the layout; `None` if nothing reads it.
    places: Vec<Vec<Option<usize>>>,
    /// Per record, whether it is a slot.
    slots: Vec<bool>,
    /// The slot of the program's globals.
    pub(super) globals: Arc<RecordLayout>,
}

impl Records {
    pub(super) fn of(program: &Program, usage: &Usage) -> Self {
        let held = |ty: FieldType| match ty {
            FieldType::Scalar(ty) => Held::Scalar(ty),
            FieldType::Object(object) => Held::Object(object.name),
        };
        let mut s =
            Self { layouts: vec![], places: vec![], slots: vec![], globals: Arc::new(RecordLayout::slot(program.globals.iter().map(|g| Held::Scalar(g.ty)))) };
        for (at, record) in program.records.iter().enumerate() {
            let used = usage.used_fields(program, RecordId(at as u32));
            let fields = used.iter().map(|(_, field)| held(field.ty));
            s.layouts.push(Arc::new(if record.stored { RecordLayout::slot(fields) } else { RecordLayout::row(fields) }));
            s.slots.push(record.stored);
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

    /// Whether a record is a slot, which owns its texts.
    pub(super) fn is_slot(&self, record: RecordId) -> bool {
        self.slots.get(record.0 as usize).copied().unwrap_or(false)
    }

    pub(super) fn layout(&self, record: RecordId) -> Option<Arc<RecordLayout>> {
        self.layouts.get(record.0 as usize).cloned()
    }

    /// A number that records with the same fields in use at the same places share.
    pub(super) fn class(&self, record: RecordId) -> usize {
        let of = |at: usize| (self.layouts.get(at), self.places.get(at), self.slots.get(at));
        let mine = of(record.0 as usize);
        self.layouts.iter().take(record.0 as usize).enumerate().position(|(at, _)| of(at) == mine).unwrap_or(record.0 as usize)
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
