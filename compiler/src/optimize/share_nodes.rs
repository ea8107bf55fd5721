//! Common subexpressions of the plan: nodes that do the same to the same input become one.

use std::collections::HashMap;

use super::push_down_filter::can_fail;
use super::replace_inputs;
use crate::plan::logical::{NodeId, NodeKind, Plan};
use crate::plan::print::expression_key;

/// Redirects readers of a node to the first equal one. Windows have a rule of their own; observations are never shared, since each is seen.
/// What can refuse a record is not shared either: each stream has its own errors, and only those of columns that it reads.
pub(super) fn apply(plan: &mut Plan) {
    let mut first: HashMap<String, NodeId> = HashMap::new();
    let mut replaced: HashMap<NodeId, NodeId> = HashMap::new();
    for at in 0..plan.nodes.len() {
        let id = NodeId(at);
        if let Some(node) = plan.nodes.get_mut(at) {
            replace_inputs(&mut node.kind, &replaced);
        }
        let Some(key) = key(plan, id) else { continue };
        match first.get(&key) {
            Some(original) => {
                replaced.insert(id, *original);
            }
            None => {
                first.insert(key, id);
            }
        }
    }
    redirect(plan, &replaced);
}

/// Makes publications and readers follow replacements.
pub(super) fn redirect(plan: &mut Plan, replaced: &HashMap<NodeId, NodeId>) {
    for node in &mut plan.nodes {
        replace_inputs(&mut node.kind, replaced);
    }
    for p in &mut plan.publications {
        p.node = replaced.get(&p.node).copied().unwrap_or(p.node);
    }
}

fn key(plan: &Plan, id: NodeId) -> Option<String> {
    let node = plan.node(id);
    let list = |exprs: &[crate::analysis::typed::Expr]| exprs.iter().map(expression_key).collect::<Vec<_>>().join(";");
    let refuses = match &node.kind {
        NodeKind::Filter { condition, .. } => can_fail(condition),
        NodeKind::Project { columns: exprs, .. } | NodeKind::Distinct { keys: exprs, .. } | NodeKind::Limit { keys: exprs, .. } => exprs.iter().any(can_fail),
        NodeKind::Lag { values, .. } => values.iter().any(can_fail),
        _ => false,
    };
    if refuses {
        return None;
    }
    Some(match &node.kind {
        NodeKind::Filter { input, condition } => format!("filter {} {}", input.0, expression_key(condition)),
        NodeKind::Project { input, columns } => {
            let names: Vec<_> = node.schema.columns.iter().map(|c| (c.name.as_str(), c.hidden)).collect();
            format!("project {} {names:?} {}", input.0, list(columns))
        }
        NodeKind::Distinct { input, keys, within } => format!("distinct {} {within} {}", input.0, list(keys)),
        NodeKind::Lag { input, keys, values, back } => format!("lag {} {back} {}|{}", input.0, list(keys), list(values)),
        NodeKind::Limit { input, keys, count } => format!("limit {} {count} {}", input.0, list(keys)),
        NodeKind::Timer { period } => format!("timer {period}"),
        NodeKind::Source { .. }
        | NodeKind::Errors
        | NodeKind::Process { .. }
        | NodeKind::Merge { .. }
        | NodeKind::Window { .. }
        | NodeKind::TopK { .. }
        | NodeKind::Pattern(_)
        | NodeKind::Join { .. }
        | NodeKind::Observe { .. } => return None,
    })
}
