//! The optimizer: rules over the logical plan, one per file, applied in the order of this list. After each rule the plan is checked.

mod drop_dead;
mod fold_constants;
mod push_down_filter;
mod share_nodes;
mod share_windows;

pub(crate) use fold_constants::fold;
pub(crate) use push_down_filter::can_fail;

use std::collections::{HashMap, HashSet};

use crate::plan::logical::{NodeId, NodeKind, Plan};

/// A rule: its name and what it does.
pub struct Rule {
    /// A verb first.
    pub name: &'static str,
    /// What it changes, for `explain --optimizer-trace`.
    pub doc: &'static str,
    /// Changes the plan.
    pub apply: fn(&mut Plan),
}

/// The rules, in order.
pub static RULES: &[Rule] = &[
    // Constants first: they decide conditions that others move.
    Rule { name: "fold_constants", doc: "Computes what is known at compile time.", apply: fold_constants::apply },
    // Filters move before nodes are shared, since moving makes like nodes of unlike ones.
    Rule {
        name: "push_down_filter",
        doc: "Moves conditions towards the source: through projections, windows and pattern steps.",
        apply: push_down_filter::apply,
    },
    Rule { name: "share_nodes", doc: "Streams that begin alike share their nodes.", apply: share_nodes::apply },
    Rule { name: "share_windows", doc: "Streams over one window keep one state.", apply: share_windows::apply },
    Rule { name: "drop_dead", doc: "Drops what no published stream needs.", apply: drop_dead::apply },
];

/// Applies all rules.
pub fn optimize(mut plan: Plan) -> Plan {
    for rule in RULES {
        apply(rule, &mut plan);
    }
    plan
}

/// What each rule changes of a plan: its name, and the plan behind it. Printing plans costs more than changing them.
pub fn trace(mut plan: Plan) -> Vec<(&'static str, String)> {
    let mut trace = vec![];
    for rule in RULES {
        apply(rule, &mut plan);
        trace.push((rule.name, plan.to_string()));
    }
    trace
}

/// Applies one rule; debug builds check that what is published keeps its name and its fields.
fn apply(rule: &Rule, plan: &mut Plan) {
    let schemas = if cfg!(debug_assertions) { published_schemas(plan) } else { vec![] };
    (rule.apply)(plan);
    debug_assert_eq!(schemas, published_schemas(plan), "{} changed what is published", rule.name);
}

/// What every rule must leave as it is.
fn published_schemas(plan: &Plan) -> Vec<String> {
    plan.publications
        .iter()
        .map(|p| format!("{} {:?}", p.name, plan.columns_of(p.node).iter().filter(|c| !c.hidden).map(|c| (&c.name, c.ty.to_string())).collect::<Vec<_>>()))
        .collect()
}

/// Replaces the inputs of a node.
pub(crate) fn map_inputs(kind: &mut NodeKind, change: &mut dyn FnMut(NodeId) -> NodeId) {
    match kind {
        NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors => {}
        NodeKind::Filter { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::Process { input, .. }
        | NodeKind::Window { input, .. }
        | NodeKind::TopK { input, .. }
        | NodeKind::Distinct { input, .. }
        | NodeKind::Limit { input, .. }
        | NodeKind::Lag { input, .. }
        | NodeKind::Observe { input, .. } => *input = change(*input),
        NodeKind::Merge { inputs } => inputs.iter_mut().for_each(|(n, _)| *n = change(*n)),
        NodeKind::Pattern(p) => p.inputs.iter_mut().for_each(|n| *n = change(*n)),
        NodeKind::Join { left, right, .. } => {
            *left = change(*left);
            *right = change(*right);
        }
    }
}

/// Makes a node read other nodes that yield the same records. One that reads several keeps those that would become one: of a record that comes by
/// two ways, the way says which comes first.
pub(crate) fn replace_inputs(kind: &mut NodeKind, replaced: &HashMap<NodeId, NodeId>) {
    let change = |n: NodeId| replaced.get(&n).copied().unwrap_or(n);
    let (before, mut after) = (kind.inputs(), kind.inputs());
    after.iter_mut().for_each(|n| *n = change(*n));
    let different = |nodes: &[NodeId]| nodes.iter().collect::<HashSet<_>>().len();
    if different(&before) == different(&after) {
        map_inputs(kind, &mut |n| change(n));
    }
}

/// Calls `change` on every expression of a node.
pub(crate) fn map_expressions(kind: &mut NodeKind, change: &mut dyn FnMut(&crate::analysis::typed::Expr) -> crate::analysis::typed::Expr) {
    use crate::plan::logical::{AggregateCall, Observation};
    let mut list = |exprs: &mut Vec<crate::analysis::typed::Expr>| exprs.iter_mut().for_each(|e| *e = change(e));
    let aggregates = |calls: &mut Vec<AggregateCall>, list: &mut dyn FnMut(&mut Vec<crate::analysis::typed::Expr>)| {
        for call in calls {
            list(&mut call.args);
            if let Some(c) = call.condition.take() {
                let mut one = vec![c];
                list(&mut one);
                call.condition = one.pop();
            }
        }
    };
    match kind {
        NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors | NodeKind::Merge { .. } => {}
        NodeKind::Filter { condition, .. } => *condition = change(condition),
        NodeKind::Project { columns, .. } => list(columns),
        NodeKind::Process { run, .. } => **run = run.map(&mut |e| change(e)),
        NodeKind::Window { keys, aggregates: calls, .. } => {
            list(keys);
            aggregates(calls, &mut list);
        }
        NodeKind::TopK { keys, by, .. } => {
            list(keys);
            by.iter_mut().for_each(|rank| rank.by = change(&rank.by));
        }
        NodeKind::Distinct { keys, .. } | NodeKind::Limit { keys, .. } => list(keys),
        NodeKind::Lag { keys, values, .. } => {
            list(keys);
            list(values);
        }
        NodeKind::Join { left_keys, right_keys, outer, .. } => {
            list(left_keys);
            list(right_keys);
            if let Some(condition) = outer.as_mut().and_then(|outer| outer.condition.as_mut()) {
                *condition = change(condition);
            }
        }
        NodeKind::Pattern(p) => {
            for s in &mut p.steps {
                list(&mut s.unary);
                list(&mut s.correlated);
            }
            for n in &mut p.negations {
                list(&mut n.unary);
                list(&mut n.correlated);
            }
            p.keys.iter_mut().for_each(&mut list);
        }
        NodeKind::Observe { observation, .. } => match observation {
            Observation::Print(e) | Observation::Sample { text: e, .. } | Observation::CountBy { label: e, .. } => *e = change(e),
            Observation::Count(_) => {}
        },
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "rename changed what is published")]
    fn rules_that_change_what_is_published_are_caught() {
        let rename = Rule { name: "rename", doc: "", apply: |plan| plan.nodes.iter_mut().flat_map(|n| &mut n.schema.columns).for_each(|c| c.name.push('2')) };
        let mut plan = crate::compile("stream A = Trade.select(p: price).where(p > 1.0)").program.map(|p| p.analyzed).unwrap_or_default();
        apply(&rename, &mut plan);
    }
}
