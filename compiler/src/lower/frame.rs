//! What places mean where code is lowered.

use varpulis_abi::scalar::Physical;

use super::assemble::Assembler;
use super::builder::Builder;
use super::expression::{Context, physical};
use super::ir::{Op, OperatorId, Read, RecordId, SiteId, ValueId, VariableId};
use crate::analysis::typed::Place;
use crate::analysis::types::Type;
use crate::plan::logical::{CURRENT, ErrorOwner, NodeId};
use crate::syntax::ast::Span;

/// What places mean while code is lowered.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    /// A row of a record.
    Row(RecordId),
    /// A record that has not been made: its columns as values.
    Columns(Vec<Option<ValueId>>),
    /// What the operator of a node fires.
    Firing(NodeId),
    /// A row, and what is kept of an earlier one.
    Lagged { operator: OperatorId, row: RecordId, kept: RecordId },
    /// A pattern's kernel: the event under examination on a port, and the run.
    Step { node: NodeId, port: usize },
    /// Nothing but globals.
    Nothing,
}

/// Lowering of one expression in a frame.
pub(super) struct Lowering<'a, 'p> {
    pub(super) a: &'a mut Assembler<'p>,
    pub(super) frame: Frame,
    pub(super) owner: ErrorOwner,
}

impl Context for Lowering<'_, '_> {
    fn state(&self, variable: VariableId) -> Option<Physical> {
        self.a.plan.states.get(variable.state()?).map(|state| physical(&state.ty))
    }
    fn place(&mut self, b: &mut Builder, place: &Place, ty: &Type) -> ValueId {
        let ty = physical(ty);
        match (place, &self.frame) {
            (Place::Global(i), _) => b.value(Op::Global(*i), ty),
            (Place::WallClock(n), _) => b.value(Op::WallClock(*n), ty),
            (Place::Now, _) => b.value(Op::Read(Read::Ts), ty),
            (Place::Field { field, .. }, Frame::Row(record)) => b.value(Op::Load { param: "row", record: *record, field: *field }, ty),
            (Place::Field { input: 1, field }, Frame::Lagged { kept, .. }) => b.value(Op::Load { param: "kept", record: *kept, field: *field }, ty),
            (Place::Field { field, .. }, Frame::Lagged { row, .. }) => b.value(Op::Load { param: "row", record: *row, field: *field }, ty),
            (Place::Field { field, .. }, Frame::Columns(values)) => match values.get(*field) {
                Some(Some(v)) => *v,
                _ => b.value(Op::Null, ty),
            },
            (Place::Field { input: CURRENT, field }, Frame::Step { node, port }) => {
                let (node, port) = (*node, *port);
                let record = self.a.port_record_of(node, port);
                b.value(Op::Load { param: "row", record, field: *field }, ty)
            }
            (Place::Ts { input }, Frame::Step { .. }) if *input == CURRENT => b.value(Op::Read(Read::Ts), ty),
            (Place::Ts { .. }, Frame::Row(_) | Frame::Columns(..) | Frame::Lagged { .. }) => b.value(Op::Read(Read::Ts), ty),
            (place, Frame::Firing(node)) => {
                let node = *node;
                self.a.reader = Some(self.owner.clone());
                self.a.fired(b, node, place, ty, None)
            }
            (place, Frame::Step { node, port }) => {
                let (node, port) = (*node, *port);
                self.a.fired(b, node, place, ty, Some(port))
            }
            _ => b.value(Op::Null, ty),
        }
    }

    fn site(&mut self, span: Span) -> SiteId {
        self.a.site(&self.owner, span)
    }
}
