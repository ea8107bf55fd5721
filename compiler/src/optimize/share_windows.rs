//! Shared windows: streams that aggregate the same records over the same window keep one state, with the aggregates of all.
//!
//! A record that an aggregate refuses leaves the window, and is an error of its stream: windows that may refuse one are not shared.

use std::collections::HashMap;

use super::push_down_filter::can_fail;
use super::{map_expressions, share_nodes};
use crate::analysis::calls_same;
use crate::analysis::typed::{Expr, ExprKind, Place};
use crate::plan::logical::{AggregateCall, NodeId, NodeKind, Plan};
use crate::plan::print::expression_key;

/// Merges equal windows.
pub(super) fn apply(plan: &mut Plan) {
    let mut first: HashMap<String, NodeId> = HashMap::new();
    let mut replaced: HashMap<NodeId, NodeId> = HashMap::new();
    for at in 0..plan.nodes.len() {
        let id = NodeId(at);
        let NodeKind::Window { input, keys, window, policy, key_columns, aggregates } = &plan.node(id).kind else { continue };
        if aggregates.iter().any(can_refuse) {
            continue;
        }
        let names: Vec<&str> = key_columns.iter().map(|c| c.name.as_str()).collect();
        let key = format!("{} {window:?} {policy:?} {names:?} {:?}", input.0, keys.iter().map(expression_key).collect::<Vec<_>>());
        match first.get(&key).copied() {
            Some(original) => {
                let map = merge(plan, original, id);
                renumber(plan, id, &map);
                replaced.insert(id, original);
            }
            None => {
                first.insert(key, id);
            }
        }
    }
    share_nodes::redirect(plan, &replaced);
}

/// Whether computing what it aggregates can fail. A sum beyond 64 bits refuses the row that reads it, not a record of the window.
fn can_refuse(call: &AggregateCall) -> bool {
    call.args.iter().chain(&call.condition).any(can_fail)
}

/// Adds the aggregates of `other` to `original`; returns where each went.
fn merge(plan: &mut Plan, original: NodeId, other: NodeId) -> Vec<usize> {
    let NodeKind::Window { aggregates: theirs, .. } = plan.node(other).kind.clone() else { return vec![] };
    let Some(node) = plan.nodes.get_mut(original.0) else { return vec![] };
    let NodeKind::Window { aggregates: mine, .. } = &mut node.kind else { return vec![] };
    theirs
        .into_iter()
        .map(|call| {
            mine.iter().position(|m| calls_same(m, &call)).unwrap_or_else(|| {
                mine.push(call);
                mine.len() - 1
            })
        })
        .collect()
}

/// Expressions behind the window name the aggregates by their new places.
fn renumber(plan: &mut Plan, window: NodeId, map: &[usize]) {
    let readers: Vec<usize> = (0..plan.nodes.len()).filter(|at| plan.node(NodeId(*at)).kind.inputs().iter().any(|i| plan.firing(*i) == Some(window))).collect();
    for at in readers {
        if let Some(node) = plan.nodes.get_mut(at) {
            map_expressions(&mut node.kind, &mut |e| {
                e.map_places(&mut |p, e| match p {
                    Place::Aggregate(i) => Expr { kind: ExprKind::Place(Place::Aggregate(map.get(*i).copied().unwrap_or(*i))), ..e.clone() },
                    _ => e.clone(),
                })
            });
        }
    }
}
