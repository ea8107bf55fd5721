//! What single fields reject: where every stream that reads an event begins with a condition over one field, that field can decide before
//! the rest of the record is examined (§10).
//!
//! It is read off the plan as analysed: what the optimizer moves and merges must not change which records are refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::assemble::Assembler;
use super::builder::Builder;
use super::columns::published;
use super::expression::truth;
use super::frame::{Frame, Lowering};
use super::ir::{RecordId, Statement};
use crate::analysis::typed::{Expr, Place};
use crate::optimize::{can_fail, fold};
use crate::plan::logical::{ErrorOwner, NodeId, NodeKind, Plan};
use crate::plan::physical::FieldRejection;
use crate::plan::print::expression_key;

/// A condition over one field, and whose errors it has.
#[derive(Clone)]
struct Condition {
    field: usize,
    condition: Expr,
    owner: ErrorOwner,
}

/// The beginning of a stream: conditions that every record of it satisfies.
#[derive(Clone, Default)]
struct Beginning {
    conditions: Vec<Condition>,
    /// A condition before this place can refuse: what follows does not reject, since the refusal would come first.
    ended: bool,
}

/// The rejections of an event: of each list, one condition must fail. There are none if some stream keeps records whatever one field says.
pub(super) fn rejections(a: &mut Assembler<'_>, event: usize, record: RecordId) -> Vec<Vec<FieldRejection>> {
    let plan = a.analyzed;
    let search = Search { plan, consumers: plan.consumers(), published: published(plan), alive: alive(plan) };
    let mut beginnings = vec![];
    for (at, node) in plan.nodes.iter().enumerate() {
        if matches!(node.kind, NodeKind::Source { event: of } if of == event) {
            search.behind(NodeId(at), &Beginning::default(), &mut beginnings);
        }
    }
    if beginnings.iter().any(|b| b.conditions.is_empty()) {
        return vec![];
    }
    let mut known = BTreeSet::new();
    beginnings.retain(|b| known.insert(b.conditions.iter().map(|c| expression_key(&c.condition)).collect::<Vec<_>>()));
    beginnings.into_iter().map(|b| b.conditions.into_iter().map(|c| lowered(a, record, c)).collect()).collect()
}

fn lowered(a: &mut Assembler<'_>, record: RecordId, c: Condition) -> FieldRejection {
    let mut b = Builder::new();
    let holds = truth(&mut b, &mut Lowering { a, frame: Frame::Row(record), owner: c.owner }, &c.condition, true);
    let rejects = b.not(holds);
    b.statement(Statement::Return(rejects));
    FieldRejection { field: c.field, body: b.finish() }
}

/// The beginnings of streams in a plan.
struct Search<'p> {
    plan: &'p Plan,
    consumers: BTreeMap<NodeId, Vec<NodeId>>,
    published: HashMap<NodeId, Vec<usize>>,
    alive: BTreeSet<NodeId>,
}

impl Search<'_> {
    /// Follows the filters behind a node. Whatever else reads it, and its publication, end a beginning.
    fn behind(&self, node: NodeId, so_far: &Beginning, found: &mut Vec<Beginning>) {
        if self.published.contains_key(&node) {
            found.push(so_far.clone());
        }
        for reader in self.consumers.get(&node).into_iter().flatten().filter(|reader| self.alive.contains(reader)) {
            match &self.plan.node(*reader).kind {
                NodeKind::Filter { condition, .. } => {
                    let mut next = so_far.clone();
                    for part in fold(condition).conjuncts() {
                        next.push(part, self.plan.node(*reader).error_owner());
                    }
                    self.behind(*reader, &next, found);
                }
                _ => found.push(so_far.clone()),
            }
        }
    }
}

impl Beginning {
    fn push(&mut self, condition: Expr, owner: ErrorOwner) {
        if self.ended {
            return;
        }
        self.ended = can_fail(&condition);
        if let Some(field) = only_field(&condition) {
            self.conditions.push(Condition { field, condition, owner });
        }
    }
}

/// The field that an expression reads, if it reads one alone, and otherwise nothing but globals.
fn only_field(e: &Expr) -> Option<usize> {
    let mut fields = BTreeSet::new();
    let mut only = true;
    e.places(&mut |place| match place {
        Place::Field { field, .. } => {
            fields.insert(*field);
        }
        Place::Global(_) => {}
        _ => only = false,
    });
    fields.first().copied().filter(|_| only && fields.len() == 1 && !e.touches_state())
}

/// The nodes that something published or observed needs.
fn alive(plan: &Plan) -> BTreeSet<NodeId> {
    let mut alive = BTreeSet::new();
    let mut wanted: Vec<NodeId> = plan.publications.iter().map(|p| p.node).collect();
    wanted.extend((0..plan.nodes.len()).map(NodeId).filter(|id| matches!(plan.node(*id).kind, NodeKind::Observe { .. })));
    while let Some(id) = wanted.pop() {
        if alive.insert(id) {
            wanted.extend(plan.node(id).kind.inputs());
        }
    }
    alive
}
