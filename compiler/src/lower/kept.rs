//! Records that operators keep whole until they fire: their fields are those that something behind reads.

use std::collections::BTreeMap;

use super::assemble::Assembler;
use super::builder::{Builder, plain};
use super::expression::{lower, truth};
use super::frame::{Frame, Lowering};
use super::ir::{Arm, Body, FieldType, KernelFunction, Op, ParamName, Read, Record, RecordId, Statement};
use super::kernels::StateKind;
use crate::analysis::typed::Expr;
use crate::plan::logical::{NodeId, Outer};
use crate::plan::physical::{Config, Operator};

/// A kept record, whose fields are added as they are read.
#[derive(Clone)]
pub(super) struct KeptRecord {
    /// What it is called in a firing.
    pub(super) param: ParamName,
    /// The function of the kernel that fills it.
    pub(super) function: &'static str,
    pub(super) record: RecordId,
    pub(super) fields: BTreeMap<KeptField, usize>,
    /// What it is ranked by.
    pub(super) ranks: Vec<Expr>,
    /// Whether there may be none, so that every field may be null.
    pub(super) optional: bool,
}

/// A field of a kept record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeptField {
    /// One of those that it is ranked by.
    Rank(usize),
    /// A column.
    Column(usize),
    /// Event time.
    Ts,
}

/// Whether two kept records are a pair.
pub(super) fn joins(a: &mut Assembler<'_>, node: NodeId, condition: &Expr) -> KernelFunction {
    let owner = a.plan.node(node).error_owner();
    let mut b = Builder::new();
    let joins = truth(&mut b, &mut Lowering { a, frame: Frame::Firing(node), owner }, condition, true);
    b.statement(Statement::Return(joins));
    KernelFunction { name: "joins", arms: vec![Arm { port: None, index: None, body: b.finish() }] }
}

pub(super) fn join_operator(
    a: &mut Assembler<'_>,
    operator: &mut Operator,
    node: NodeId,
    span: Option<i64>,
    outer: Option<&Outer>,
    keys: RecordId,
) -> StateKind {
    let stream = &a.plan.node(node).stream;
    let mut side = |side: &str| {
        let doc = format!("A {} record that `{stream}` keeps.", side.to_lowercase());
        a.add_record(Record { name: format!("{}{side}", operator.name), fields: vec![], shapes: vec![], stored: true, doc })
    };
    let (left, right) = (side("Left"), side("Right"));
    operator.kernel = "JoinKernel";
    operator.firing = "JoinFiring";
    operator.runtime = if span.is_some() { "IntervalJoin" } else { "LatestJoin" };
    operator.config = span.iter().map(|s| Config::Int(*s)).collect();
    if let Some(outer) = outer {
        (operator.runtime, operator.timed) = ("OuterJoin", true);
        operator.config.extend(outer.keeps.map(Config::Bool));
    }
    operator.stores.extend([("Lefts", left), ("Rights", right)]);
    operator.parts = vec![("key", keys), ("left", left), ("right", right)];
    operator.memory = if span.is_some() { "records in the window × (captures + 32 B)".to_owned() } else { "keys × (key + captures + 16 B)".to_owned() };
    let [keeps_left, keeps_right] = outer.map_or([false; 2], |outer| outer.keeps);
    let kept = |param, function, record, optional| KeptRecord { param, function, record, fields: BTreeMap::new(), ranks: vec![], optional };
    StateKind::Kept(vec![kept("left", "keep_left", left, keeps_right), kept("right", "keep_right", right, keeps_left)])
}

/// Kernels that depend on what the chains behind their operators read: those fields are kept.
pub(super) fn finish(a: &mut Assembler<'_>) {
    let nodes: Vec<NodeId> = a.operators.keys().copied().collect();
    for node in nodes {
        let Some(state) = a.operators.get(&node) else { continue };
        let StateKind::Kept(records) = &state.kind else { continue };
        let (id, records) = (state.id, records.clone());
        let mut functions = vec![];
        if records.len() > 1 {
            let arm = |(port, left)| {
                let mut b = Builder::new();
                let is_left = b.boolean(left);
                b.statement(Statement::Return(is_left));
                Arm { port: Some(port), index: None, body: b.finish() }
            };
            functions.push(KernelFunction { name: "is_left", arms: [(0, true), (1, false)].map(arm).to_vec() });
        }
        for (side, kept) in records.iter().enumerate() {
            let body = keep(a, node, a.port_of(id, side), kept);
            let port = (records.len() > 1).then_some(side);
            functions.push(KernelFunction { name: kept.function, arms: vec![Arm { port, index: None, body }] });
        }
        if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
            o.functions.extend(functions);
        }
    }
}

/// Fills a kept record from a row.
fn keep(a: &mut Assembler<'_>, node: NodeId, source: RecordId, kept: &KeptRecord) -> Body {
    let owner = a.plan.node(node).error_owner();
    let mut b = Builder::new();
    for (field, at) in &kept.fields {
        let Some(FieldType::Scalar(ty)) = a.program.record(kept.record).fields.get(*at).map(|f| f.ty) else { continue };
        let value = match field {
            KeptField::Rank(at) => {
                let Some(rank) = kept.ranks.get(*at) else { continue };
                let value = lower(&mut b, &mut Lowering { a, frame: Frame::Row(source), owner: owner.clone() }, rank);
                b.fit(value, ty)
            }
            KeptField::Column(c) => {
                let own = a.program.record(source).fields.get(*c).map_or(ty, |f| if let FieldType::Scalar(own) = f.ty { own } else { ty });
                let value = b.value(Op::Load { param: "row", record: source, field: *c }, own);
                b.fit(value, ty)
            }
            KeptField::Ts => {
                let value = b.value(Op::Read(Read::Ts), plain(ty.scalar));
                b.fit(value, ty)
            }
        };
        b.statement(Statement::Store { param: kept.param, record: kept.record, field: *at, value });
    }
    b.finish()
}
