//! The plans as JSON, for programs: what `varpulis explain --json` shows.

use serde_json::{Value, json};

use super::logical::{Column, NodeId, NodeKind, Plan};
use super::physical::{ChainInput, Program};
use crate::Compiled;
use crate::syntax::ast::Span;

/// Events, logical plan, publications, operators with their memory, chains, and what each rule of the optimizer left.
pub fn json(compiled: &Compiled) -> Value {
    let line = |span: Span| compiled.sources.position(span.start as usize).1;
    let trace: Vec<Value> = crate::optimize::trace(compiled.analyzed.clone()).iter().map(|(rule, plan)| json!({ "rule": rule, "plan": texts(plan) })).collect();
    json!({
        "events": events(&compiled.logical, &line),
        "params": params(&compiled.logical),
        "logical": nodes(&compiled.logical, &line),
        "publications": publications(&compiled.logical, &line),
        "operators": operators(&compiled.physical),
        "chains": chains(&compiled.physical),
        "optimizer": { "analyzed": texts(&compiled.analyzed.to_string()), "rules": trace },
    })
}

fn texts(plan: &str) -> Vec<&str> {
    plan.lines().collect()
}

fn events(plan: &Plan, line: &dyn Fn(Span) -> usize) -> Vec<Value> {
    plan.events
        .iter()
        .map(
            |e| json!({ "name": e.name, "declared": e.declared, "line": line(e.span), "out_of_order_ns": e.out_of_order, "idle_ns": e.idle, "fields": fields(&e.schema.columns) }),
        )
        .collect()
}

fn params(plan: &Plan) -> Vec<Value> {
    plan.globals.iter().filter(|g| g.is_param).map(|g| json!({ "name": g.name, "type": g.ty.to_string(), "default": g.value.is_some() })).collect()
}

fn nodes(plan: &Plan, line: &dyn Fn(Span) -> usize) -> Vec<Value> {
    (0..plan.nodes.len())
        .map(|id| {
            let node = plan.node(NodeId(id));
            let inputs: Vec<usize> = node.kind.inputs().iter().map(|n| n.0).collect();
            json!({
                "id": id,
                "kind": kind(&node.kind),
                "inputs": inputs,
                "text": plan.describe(NodeId(id)),
                "stream": node.stream,
                "line": line(node.span),
                "errors_to": node.errors_to.map(|n| n.0),
                "fields": fields(plan.columns_of(NodeId(id))),
            })
        })
        .collect()
}

fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Source { .. } => "source",
        NodeKind::Timer { .. } => "timer",
        NodeKind::Errors => "errors",
        NodeKind::Filter { .. } => "filter",
        NodeKind::Project { .. } => "project",
        NodeKind::Process { .. } => "process",
        NodeKind::Merge { .. } => "merge",
        NodeKind::Window { .. } => "window",
        NodeKind::TopK { .. } => "top_k",
        NodeKind::Pattern(_) => "pattern",
        NodeKind::Join { .. } => "join",
        NodeKind::Distinct { .. } => "distinct",
        NodeKind::Limit { .. } => "limit",
        NodeKind::Lag { .. } => "lag",
        NodeKind::Observe { .. } => "observe",
    }
}

fn publications(plan: &Plan, line: &dyn Fn(Span) -> usize) -> Vec<Value> {
    plan.publications
        .iter()
        .map(|p| json!({ "stream": p.stream, "type": p.name, "node": p.node.0, "line": line(p.span), "fields": fields(plan.columns_of(p.node)) }))
        .collect()
}

/// Hidden columns are the plan's own business.
fn fields(columns: &[Column]) -> Vec<Value> {
    columns.iter().filter(|c| !c.hidden).map(|c| json!({ "name": c.name, "type": c.ty.to_string() })).collect()
}

fn operators(program: &Program) -> Vec<Value> {
    program
        .operators
        .iter()
        .map(|o| {
            let inputs: Vec<&str> = o.ports.iter().map(|r| program.record(*r).name.as_str()).collect();
            let functions: Vec<&str> = o.functions.iter().map(|f| f.name).collect();
            let chains: Vec<&str> = o.chains.iter().map(|c| program.chain(*c).name.as_str()).collect();
            json!({
                "name": o.name,
                "runtime": o.runtime,
                "stage": o.stage + 1,
                "inputs": inputs,
                "kernel": o.kernel,
                "functions": functions,
                "timed": o.timed,
                "memory": o.memory,
                "chains": chains,
            })
        })
        .collect()
}

fn chains(program: &Program) -> Vec<Value> {
    program
        .chains
        .iter()
        .map(|c| {
            let (from, row) = match c.input {
                ChainInput::Row(r) => (None, Some(r)),
                ChainInput::Firing(o) => (Some(o), None),
                ChainInput::FiredRow(o, r) => (Some(o), Some(r)),
            };
            json!({
                "name": c.name,
                "stream": c.stream,
                "stage": c.stage + 1,
                "operator": from.map(|o| &program.operator(o).name),
                "row": row.map(|r| &program.record(r).name),
                "steps": program.steps(c),
            })
        })
        .collect()
}
