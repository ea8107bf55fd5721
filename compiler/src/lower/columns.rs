//! Which columns of each node somebody reads: what nobody reads is not computed, and not decoded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use varpulis_abi::scalar::Form;

use super::expression::physical;
use super::ir::{FieldType, RecordField, Shape};
use crate::analysis::typed::{Expr, Place};
use crate::analysis::types::{Kind, Type};
use crate::plan::logical::{Column, NodeId, NodeKind, Observation, Plan};

/// The publications of each node that is published.
pub(super) fn published(plan: &Plan) -> HashMap<NodeId, Vec<usize>> {
    let mut all: HashMap<NodeId, Vec<usize>> = HashMap::new();
    for (at, p) in plan.publications.iter().enumerate() {
        all.entry(p.node).or_default().push(at);
    }
    all
}

/// Per node, the columns of its record that are read.
#[expect(clippy::too_many_lines, reason = "one arm per case")]
pub fn required(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let mut needed: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); plan.nodes.len()];
    // Places read behind windows, patterns and joins, by node.
    let mut fired: BTreeMap<NodeId, Vec<Place>> = BTreeMap::new();
    for p in &plan.publications {
        let visible: Vec<usize> = visible_columns(plan, p.node);
        if let Some(set) = needed.get_mut(p.node.0) {
            set.extend(visible);
        }
    }
    for at in (0..plan.nodes.len()).rev() {
        let id = NodeId(at);
        if let (NodeKind::Project { columns, .. }, Some(set)) = (&plan.node(id).kind, needed.get_mut(at)) {
            // What changes the program's state happens, whether or not somebody reads what comes of it.
            set.extend(columns.iter().enumerate().filter(|(_, e)| e.touches_state()).map(|(column, _)| column));
        }
        let mine = needed.get(at).cloned().unwrap_or_default();
        let mut read = |input: NodeId, exprs: &mut dyn Iterator<Item = &Expr>| {
            for e in exprs {
                e.places(&mut |p| match plan.firing(input) {
                    Some(f) => fired.entry(f).or_default().push(p.clone()),
                    None => {
                        if let (Place::Field { field, .. }, Some(set)) = (p, needed.get_mut(input.0)) {
                            set.insert(*field);
                        }
                    }
                });
            }
        };
        match &plan.node(id).kind {
            NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors => {}
            NodeKind::Filter { input, condition } => read(*input, &mut std::iter::once(condition)),
            NodeKind::Observe { input, observation } => match observation {
                Observation::Print(e) | Observation::Sample { text: e, .. } | Observation::CountBy { label: e, .. } => read(*input, &mut std::iter::once(e)),
                Observation::Count(_) => {}
            },
            NodeKind::Project { input, columns } => read(*input, &mut columns.iter().enumerate().filter(|(i, _)| mine.contains(i)).map(|(_, e)| e)),
            NodeKind::Process { input, run } => {
                let mut all = vec![];
                run.expressions(&mut |e| all.push(e.clone()));
                read(*input, &mut all.iter());
            }
            NodeKind::Window { input, keys, aggregates, .. } => {
                read(*input, &mut keys.iter().chain(aggregates.iter().flat_map(|a| a.args.iter().chain(&a.condition))));
            }
            NodeKind::TopK { input, keys, by, .. } => read(*input, &mut keys.iter().chain(by.iter().map(|rank| &rank.by))),
            NodeKind::Distinct { input, keys, .. } | NodeKind::Limit { input, keys, .. } => read(*input, &mut keys.iter()),
            NodeKind::Lag { input, keys, values, .. } => read(*input, &mut keys.iter().chain(values)),
            NodeKind::Join { left, right, left_keys, right_keys, outer, .. } => {
                read(*left, &mut left_keys.iter());
                read(*right, &mut right_keys.iter());
                for condition in outer.iter().filter_map(|outer| outer.condition.as_ref()) {
                    condition.places(&mut |place| fired.entry(id).or_default().push(place.clone()));
                }
            }
            NodeKind::Pattern(p) => {
                for (port, node) in p.inputs.iter().enumerate() {
                    let steps = p.steps.iter().filter(|s| s.input == port).flat_map(|s| s.unary.iter().chain(&s.correlated));
                    let negations = p.negations.iter().filter(|n| n.input == port).flat_map(|n| n.unary.iter().chain(&n.correlated));
                    let keys = p.keys.get(port).into_iter().flatten();
                    let aggregates = p
                        .aggregates
                        .iter()
                        .filter(|(s, _)| p.steps.get(*s).is_some_and(|s| s.input == port))
                        .flat_map(|(_, a)| a.args.iter().chain(&a.condition));
                    for e in steps.chain(negations).chain(keys).chain(aggregates) {
                        e.places(&mut |place| match place {
                            Place::Field { input: crate::plan::logical::CURRENT, field } => {
                                if let Some(set) = needed.get_mut(node.0) {
                                    set.insert(*field);
                                }
                            }
                            other => fired.entry(id).or_default().push(other.clone()),
                        });
                    }
                }
            }
            NodeKind::Merge { inputs } => {
                for (node, map) in inputs {
                    for (column, from) in map.iter().enumerate() {
                        if let (true, Some(from), Some(set)) = (mine.contains(&column), from, needed.get_mut(node.0)) {
                            set.insert(*from);
                        }
                    }
                }
            }
        }
        pass_on(plan, id, &mine, &mut needed);
        for place in fired.remove(&id).unwrap_or_default() {
            let (Place::Field { input, field } | Place::First { input, field }) = place else { continue };
            let node = match &plan.node(id).kind {
                NodeKind::Pattern(p) => p.steps.get(input).and_then(|s| p.inputs.get(s.input)).copied(),
                NodeKind::Join { left, right, .. } => Some(if input == 0 { *left } else { *right }),
                NodeKind::TopK { input, .. } => Some(*input),
                NodeKind::Lag { input: record, .. } => (input == 0).then_some(*record),
                _ => None,
            };
            if let Some(set) = node.and_then(|n| needed.get_mut(n.0)) {
                set.insert(field);
            }
        }
    }
    needed
}

/// What is read behind a node that keeps its record is read of its input.
fn pass_on(plan: &Plan, id: NodeId, mine: &BTreeSet<usize>, needed: &mut [BTreeSet<usize>]) {
    let input = match &plan.node(id).kind {
        NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } => *input,
        _ => return,
    };
    if plan.firing(input).is_none()
        && let Some(set) = needed.get_mut(input.0)
    {
        set.extend(mine);
    }
}

/// The columns that a publication writes.
pub fn visible_columns(plan: &Plan, node: NodeId) -> Vec<usize> {
    plan.columns_of(node).iter().enumerate().filter(|(_, c)| !c.hidden).map(|(i, _)| i).collect()
}

/// Whether a type says more than how its values are held.
pub(super) fn has_shape(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Enum(_) | Kind::Decimal(..)) || ty.is_packed()
}

/// The fields of a record whose types say more than how they are held: enums, and what is made of other values.
pub(super) fn shapes_of<'t>(types: impl Iterator<Item = &'t Type>) -> Vec<(usize, Shape)> {
    types.enumerate().filter(|(_, ty)| has_shape(ty)).map(|(at, ty)| (at, shape(ty))).collect()
}

/// How values of a type are read and written.
pub(super) fn shape(ty: &Type) -> Shape {
    let parts = |types: Vec<&Type>| types.into_iter().map(|ty| (String::new(), shape(ty))).collect();
    let (form, parts) = match &ty.kind {
        Kind::Array(_) => (Form::Array, parts(ty.parts())),
        Kind::Map(..) => (Form::Map, parts(ty.parts())),
        Kind::Tuple(_) => (Form::Tuple, parts(ty.parts())),
        Kind::Record(record) => (Form::Record, record.fields.iter().map(|(name, ty)| (name.clone(), shape(ty))).collect()),
        _ => (Form::Plain, vec![]),
    };
    let variants = if let Kind::Enum(e) = &ty.kind { e.variants.clone() } else { vec![] };
    Shape { ty: physical(ty), variants, decimal: ty.decimal(), form, parts }
}

/// Columns as the fields of a record. Those that are carried hidden may be called as others are, and fields may not.
pub(super) fn fields_of(columns: &[Column]) -> Vec<RecordField> {
    let visible: HashSet<&str> = columns.iter().filter(|c| !c.hidden).map(|c| c.name.as_str()).collect();
    let mut fields: Vec<RecordField> = vec![];
    let mut names: HashSet<String> = HashSet::new();
    for c in columns {
        let taken = |name: &str| names.contains(name) || (c.hidden && visible.contains(name));
        let name = if taken(&c.name) {
            (fields.len() + 1..).map(|number| format!("{}{number}", c.name)).find(|name| !taken(name) && !visible.contains(name.as_str())).unwrap_or_default()
        } else {
            c.name.clone()
        };
        names.insert(name.clone());
        fields.push(RecordField { name, ty: FieldType::Scalar(physical(&c.ty)) });
    }
    fields
}
