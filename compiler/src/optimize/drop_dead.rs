//! Dead streams: nodes that lead to nothing published or observed are dropped, and the rest renumbered.

use std::collections::HashMap;

use super::map_inputs;
use crate::analysis::typed::Literal;
use crate::plan::logical::{NodeId, NodeKind, Plan};

/// Keeps what is published or observed, and what that reads.
pub(super) fn apply(plan: &mut Plan) {
    let trivial: HashMap<NodeId, NodeId> = (0..plan.nodes.len())
        .map(NodeId)
        .filter_map(|id| match &plan.node(id).kind {
            NodeKind::Filter { input, condition } if condition.as_literal() == Some(&Literal::Bool(true)) => Some((id, *input)),
            _ => None,
        })
        .collect();
    // A chain of such filters needs as many rounds as it is long.
    for _ in 0..trivial.len().min(8) {
        super::share_nodes::redirect(plan, &trivial);
    }
    let mut alive = vec![false; plan.nodes.len()];
    let mut wanted: Vec<NodeId> = plan.publications.iter().map(|p| p.node).collect();
    wanted.extend((0..plan.nodes.len()).map(NodeId).filter(|id| matches!(plan.node(*id).kind, NodeKind::Observe { .. })));
    while let Some(id) = wanted.pop() {
        if let Some(slot) = alive.get_mut(id.0)
            && !*slot
        {
            *slot = true;
            wanted.extend(plan.node(id).kind.inputs());
        }
    }
    // Inputs come before their consumers, also where a rule has exchanged two nodes.
    let mut order: Vec<NodeId> = vec![];
    // Each is put there once.
    let mut wanted = alive;
    for at in 0..plan.nodes.len() {
        visit(plan, NodeId(at), &mut wanted, &mut order);
    }
    let places: HashMap<NodeId, NodeId> = order.iter().enumerate().map(|(new, old)| (*old, NodeId(new))).collect();
    let mut nodes = vec![];
    for id in &order {
        let mut node = plan.node(*id).clone();
        map_inputs(&mut node.kind, &mut |n| places.get(&n).copied().unwrap_or(n));
        node.errors_to = node.errors_to.and_then(|n| places.get(&n).copied());
        nodes.push(node);
    }
    plan.nodes = nodes;
    for p in &mut plan.publications {
        p.node = places.get(&p.node).copied().unwrap_or(p.node);
    }
}

fn visit(plan: &Plan, id: NodeId, wanted: &mut [bool], order: &mut Vec<NodeId>) {
    if !wanted.get_mut(id.0).is_some_and(std::mem::take) {
        return;
    }
    for input in plan.node(id).kind.inputs() {
        visit(plan, input, wanted, order);
    }
    order.push(id);
}
