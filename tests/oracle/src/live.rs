//! Which columns somebody reads. A column that nobody reads is not computed, so that an error in it is none.

use std::collections::BTreeSet;

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{CURRENT, NodeId, NodeKind, Observation, Plan};

use crate::rejected::decided;

/// Per node, the columns of its record that are read.
pub(crate) fn columns(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let mut live = vec![BTreeSet::new(); plan.nodes.len()];
    for p in &plan.publications {
        let visible = plan.columns_of(p.node).iter().enumerate().filter(|(_, c)| !c.hidden).map(|(i, _)| i);
        live[p.node.0].extend(visible);
    }
    // Readers stand behind what they read, so that one pass from the end is not enough only where places of a firing pass through filters.
    loop {
        let before = live.clone();
        for at in (0..plan.nodes.len()).rev() {
            mark(plan, NodeId(at), &mut live);
        }
        if live == before {
            return live;
        }
    }
}

fn mark(plan: &Plan, id: NodeId, live: &mut [BTreeSet<usize>]) {
    let mine: Vec<usize> = live[id.0].iter().copied().collect();
    match &plan.node(id).kind {
        NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors => {}
        NodeKind::Filter { input, condition } => through(plan, *input, condition, live),
        NodeKind::Observe { input, observation: Observation::Print(e) | Observation::Sample { text: e, .. } | Observation::CountBy { label: e, .. } } => {
            through(plan, *input, e, live)
        }
        NodeKind::Observe { .. } => {}
        NodeKind::Project { input, columns } => mine.iter().filter_map(|c| columns.get(*c)).for_each(|e| through(plan, *input, e, live)),
        NodeKind::Process { input, run } => run.expressions(&mut |e| through(plan, *input, e, live)),
        NodeKind::Lag { input, keys, values, .. } => keys.iter().chain(values).for_each(|e| through(plan, *input, e, live)),
        NodeKind::Distinct { input, keys, .. } | NodeKind::Limit { input, keys, .. } => keys.iter().for_each(|k| through(plan, *input, k, live)),
        NodeKind::Window { input, keys, aggregates, .. } => {
            keys.iter().chain(aggregates.iter().flat_map(|a| a.args.iter().chain(&a.condition))).for_each(|e| through(plan, *input, e, live));
        }
        NodeKind::TopK { input, keys, by, .. } => keys.iter().chain(by.iter().map(|rank| &rank.by)).for_each(|e| through(plan, *input, e, live)),
        NodeKind::Join { left, right, left_keys, right_keys, outer, .. } => {
            for condition in outer.iter().filter_map(|outer| outer.condition.as_ref()) {
                condition.places(&mut |place| read(plan, id, place, live));
            }
            left_keys.iter().for_each(|k| through(plan, *left, k, live));
            right_keys.iter().for_each(|k| through(plan, *right, k, live));
        }
        NodeKind::Pattern(p) => {
            let members = p.steps.iter().map(|s| (s.input, &s.unary, &s.correlated)).chain(p.negations.iter().map(|n| (n.input, &n.unary, &n.correlated)));
            let conditions = members.flat_map(|(input, u, c)| u.iter().chain(c).map(move |e| (input, e)));
            let keys = p.keys.iter().enumerate().flat_map(|(input, keys)| keys.iter().map(move |k| (input, k)));
            let aggregates = p.aggregates.iter().flat_map(|(s, a)| a.args.iter().chain(&a.condition).map(|e| (p.steps[*s].input, e)));
            for (input, e) in conditions.chain(keys).chain(aggregates) {
                e.places(&mut |place| match place {
                    Place::Field { input: CURRENT, field } => read(plan, p.inputs[input], &Place::Field { input: 0, field: *field }, live),
                    other => read(plan, id, other, live),
                });
            }
        }
        NodeKind::Merge { inputs } => {
            for (node, map) in inputs {
                live[node.0].extend(mine.iter().filter_map(|c| map[*c]));
            }
        }
    }
    if let NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } =
        &plan.node(id).kind
    {
        live[input.0].extend(mine);
    }
}

/// Every place of an expression over a node's output.
fn through(plan: &Plan, input: NodeId, e: &Expr, live: &mut [BTreeSet<usize>]) {
    // What a choice that is made before any record comes leaves out is not read.
    decided(e).places(&mut |p| read(plan, input, p, live));
}

/// A place that is read of a node's output.
fn read(plan: &Plan, node: NodeId, place: &Place, live: &mut [BTreeSet<usize>]) {
    let (Place::Field { input, field } | Place::First { input, field }) = place else { return };
    let origin = match plan.firing(node) {
        None => node,
        Some(fired) => match &plan.node(fired).kind {
            NodeKind::Pattern(p) => p.inputs[p.steps[*input].input],
            NodeKind::Join { left, right, .. } => [*left, *right][*input],
            NodeKind::TopK { input, .. } => *input,
            NodeKind::Lag { input: record, .. } if *input == 0 => *record,
            _ => return,
        },
    };
    live[origin.0].insert(*field);
}
