//! Where records come into the program: events, in time or late, and timers.

use std::collections::{BTreeMap, HashSet};

use super::assemble::{Assembler, snake};
use super::frame::Frame;
use super::ir::{ChainId, RecordId};
use super::{rejections, rules};
use crate::plan::logical::{NodeId, NodeKind, Plan, Window};
use crate::plan::physical::{ChainInput, ErrorInput, EventInput, TimerInput};

impl Assembler<'_> {
    pub(super) fn sources(&mut self) {
        let plan = self.plan;
        let mut sources: Vec<(usize, NodeId)> =
            plan.nodes.iter().enumerate().filter_map(|(i, n)| if let NodeKind::Source { event } = n.kind { Some((event, NodeId(i))) } else { None }).collect();
        sources.sort();
        for (event, node) in sources {
            let Some(e) = plan.events.get(event) else { continue };
            if !self.consumers.contains_key(&node) && !plan.publications.iter().any(|p| p.node == node) {
                continue;
            }
            let record = self.record_of(node);
            let doc = self.doc(e.span);
            let at = self.program.events.len();
            self.program.events.push(EventInput {
                name: e.name.clone(),
                record,
                out_of_order: e.out_of_order,
                idle: e.idle,
                chains: vec![],
                late: vec![],
                rejections: vec![],
                doc,
            });
            let mut chains = self.publication_chains(node, ChainInput::Row(record), &Frame::Row(record));
            let mut readers = self.consumers.get(&node).cloned().unwrap_or_default();
            chains.extend(rules::tables(self, node, record, &mut readers));
            for reader in readers {
                chains.push(self.chain(reader, node, ChainInput::Row(record), Frame::Row(record)));
            }
            let rejections = rejections::rejections(self, event, record);
            let late = self.late_chains(node, record);
            if let Some(e) = self.program.events.get_mut(at) {
                e.chains = chains;
                e.late = late;
                e.rejections = rejections;
            }
        }
    }

    /// The chains that take an event below the watermark: those to windows that keep their results for it.
    fn late_chains(&mut self, node: NodeId, record: RecordId) -> Vec<ChainId> {
        self.is_late = true;
        let readers = self.readers(node);
        let chains = readers.into_iter().map(|reader| self.chain(reader, node, ChainInput::Row(record), Frame::Row(record))).collect();
        self.is_late = false;
        chains
    }

    /// Who reads a node: of late records, only what leads on to a window that takes them.
    pub(super) fn readers(&self, node: NodeId) -> Vec<NodeId> {
        let all = self.consumers.get(&node).into_iter().flatten();
        all.filter(|reader| !self.is_late || self.late_ways.contains(reader)).copied().collect()
    }

    /// The inputs of evaluation errors that the program handles, before anything asks where an error goes.
    pub(super) fn declare_errors(&mut self) {
        for (at, node) in self.plan.nodes.iter().enumerate().filter(|(_, node)| matches!(node.kind, NodeKind::Errors)) {
            let (record, doc) = (self.record_of(NodeId(at)), self.doc(node.span));
            self.error_inputs.insert(NodeId(at), self.program.errors.len());
            self.program.errors.push(ErrorInput { record, chains: vec![], doc });
        }
    }

    /// What takes these errors.
    pub(super) fn errors(&mut self) {
        let inputs: BTreeMap<usize, NodeId> = self.error_inputs.iter().map(|(node, at)| (*at, *node)).collect();
        for (at, node) in inputs {
            let record = self.record_of(node);
            let readers = self.consumers.get(&node).cloned().unwrap_or_default();
            let chains = readers.into_iter().map(|reader| self.chain(reader, node, ChainInput::Row(record), Frame::Row(record))).collect();
            if let Some(input) = self.program.errors.get_mut(at) {
                input.chains = chains;
            }
        }
    }

    pub(super) fn timers(&mut self) {
        for (at, node) in self.plan.nodes.iter().enumerate() {
            let NodeKind::Timer { period } = node.kind else { continue };
            let (id, doc) = (NodeId(at), self.doc(node.span));
            let record = self.record_of(id);
            let function = format!("on_{}", snake(&self.program.record(record).name));
            self.names.insert(function);
            let mut chains = self.publication_chains(id, ChainInput::Row(record), &Frame::Row(record));
            for reader in self.consumers.get(&id).cloned().unwrap_or_default() {
                chains.push(self.chain(reader, id, ChainInput::Row(record), Frame::Row(record)));
            }
            self.program.timers.push(TimerInput { record, period, chains, doc });
        }
    }
}

/// The windows that take late records, and what passes records on to them.
pub(super) fn late_ways(plan: &Plan) -> HashSet<NodeId> {
    let mut ways = HashSet::new();
    for at in (0..plan.nodes.len()).rev() {
        let (id, kind) = (NodeId(at), &plan.node(NodeId(at)).kind);
        let takes = matches!(kind, NodeKind::Window { window: Window::Late { .. }, .. });
        if takes || ways.contains(&id) {
            ways.insert(id);
            ways.extend(kind.inputs().into_iter().filter(|input| plan.node(*input).kind.is_passed()));
        }
    }
    ways
}
