//! Assembles the physical program: one pass down the logical plan from its sources, fusing whatever needs no state between.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::builder::Builder;
use super::columns::{fields_of, published, required, shape, shapes_of, visible_columns};
use super::entries::late_ways;
use super::expression::{lower, physical, truth};
use super::frame::{Frame, Lowering};
use super::ir::{Body, ChainId, FieldType, Op, OperatorId, Record, RecordField, RecordId, RowSource, SiteId, Statement};
use super::kernels::OperatorState;
use super::run::Target;
use super::{parameters, patterns, stages};
use crate::analysis::typed::{Expr, Place};
use crate::analysis::types::Type;
use crate::plan::logical::{ErrorOwner, Node, NodeId, NodeKind, Plan, Publication};
use crate::plan::physical::{Chain, ChainInput, GlobalValue, Output, Program, SiteInfo};
use crate::sources::Sources;
use crate::syntax::ast::Span;

/// The state of assembly.
pub(super) struct Assembler<'p> {
    pub(super) plan: &'p Plan,
    /// The plan before the optimizer.
    pub(super) analyzed: &'p Plan,
    pub(super) sources: &'p Sources,
    pub(super) program: Program,
    pub(super) required: Vec<BTreeSet<usize>>,
    pub(super) consumers: BTreeMap<NodeId, Vec<NodeId>>,
    pub(super) published: HashMap<NodeId, Vec<usize>>,
    records: HashMap<NodeId, RecordId>,
    pub(super) operators: HashMap<NodeId, OperatorState>,
    pub(super) merges: HashMap<(NodeId, bool), ChainId>,
    /// The nodes from which late records reach a window that takes them.
    pub(super) late_ways: HashSet<NodeId>,
    /// Whether the chains at hand are those of late records.
    pub(super) is_late: bool,
    pub(super) names: HashSet<String>,
    sites: HashMap<(ErrorOwner, Span), SiteId>,
    /// Whose expression is lowered that reads a firing.
    pub(super) reader: Option<ErrorOwner>,
    /// The inputs that handle evaluation errors, by their nodes.
    pub(super) error_inputs: HashMap<NodeId, usize>,
}

/// Names that generated code gives to its own types.
const RESERVED: &[&str] = &[
    "Program",
    "Row",
    "Event",
    "Held",
    "Builder",
    "Globals",
    "Destination",
    "Self",
    "i64",
    "f64",
    "bool",
    "str",
    "u32",
    "u64",
    "usize",
    "runtime",
    "std",
    "without_text",
];

/// What the functions of a generated stage are called beside its chains.
const STAGE_FUNCTIONS: &[&str] = &["new", "deadline", "advance", "machine_deadline", "tick", "refused"];

/// Lowers a plan. `analyzed` is the plan before the optimizer, `sources` the program's text, for comments.
pub fn assemble<'p>(plan: &'p Plan, analyzed: &'p Plan, sources: &'p Sources) -> Program {
    let mut a = Assembler {
        plan,
        analyzed,
        sources,
        program: Program::default(),
        required: required(plan),
        consumers: plan.consumers(),
        published: published(plan),
        records: HashMap::new(),
        operators: HashMap::new(),
        merges: HashMap::new(),
        late_ways: late_ways(plan),
        is_late: false,
        names: RESERVED.iter().map(|n| n.to_lowercase()).collect(),
        sites: HashMap::new(),
        reader: None,
        error_inputs: HashMap::new(),
    };
    a.globals();
    a.states();
    a.outputs();
    // The first stage has functions of these names beside its chains.
    a.names.extend(plan.events.iter().flat_map(|e| ["on", "rejects"].map(|f| format!("{f}_{}", snake(&e.name)))));
    a.declare_errors();
    a.timers();
    a.sources();
    a.errors();
    patterns::finish(&mut a);
    super::kept::finish(&mut a);
    stages::assign(&mut a.program);
    a.program
}

impl<'p> Assembler<'p> {
    /// A name that no one else has.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut n = 2;
        while !self.names.insert(name.to_lowercase()) {
            name = format!("{wanted}{n}");
            n += 1;
        }
        name
    }

    /// The line of the program that a place stands in, with its continuation lines joined.
    pub(super) fn doc(&self, span: Span) -> String {
        let text = self.sources.text();
        let start = (span.start as usize).min(text.len());
        let (path, line, _) = self.sources.position(start);
        let file = if self.sources.part(start).start == 0 { String::new() } else { format!(" of {path}") };
        let end = (span.end as usize).min(text.len());
        let text = text.get(start..end).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = if text.chars().count() > 110 { format!("{}…", text.chars().take(110).collect::<String>()) } else { text };
        format!("{line}{file}  {text}")
    }

    fn globals(&mut self) {
        for g in &self.plan.globals {
            let body = g.value.as_ref().map(|v| self.value_at_start(&g.name, v, &g.ty));
            let default = g.value.as_ref().filter(|_| g.is_param).and_then(|v| Some(parameters::text(v.as_literal()?, &g.ty)));
            self.program.globals.push(GlobalValue { name: g.name.clone(), ty: physical(&g.ty), shape: shape(&g.ty), body, is_param: g.is_param, default });
        }
    }

    fn states(&mut self) {
        for s in &self.plan.states {
            let body = Some(self.value_at_start(&s.name, &s.initial, &s.ty));
            self.program.states.push(GlobalValue { name: s.name.clone(), ty: physical(&s.ty), shape: shape(&s.ty), body, is_param: false, default: None });
        }
    }

    fn value_at_start(&mut self, name: &str, value: &Expr, ty: &Type) -> Body {
        let mut b = Builder::new();
        let mut cx = Lowering { a: self, frame: Frame::Nothing, owner: ErrorOwner { stream: name.to_owned(), errors_to: None } };
        let value = lower(&mut b, &mut cx, value);
        let value = b.fit(value, physical(ty));
        b.statement(Statement::Return(value));
        b.finish()
    }

    fn outputs(&mut self) {
        for p in &self.plan.publications {
            let name = self.unique(&p.name);
            let columns = self.plan.columns_of(p.node);
            let visible = visible_columns(self.plan, p.node);
            let fields: Vec<RecordField> =
                visible.iter().filter_map(|i| columns.get(*i)).map(|c| RecordField { name: c.name.clone(), ty: FieldType::Scalar(physical(&c.ty)) }).collect();
            let shadow = fields.iter().position(|f| f.name == "ts");
            let shapes = shapes_of(visible.iter().filter_map(|i| columns.get(*i)).map(|c| &c.ty));
            let doc = self.doc(p.span);
            let record = self.add_record(Record { name, fields, shapes, stored: false, doc: doc.clone() });
            self.program.outputs.push(Output { stream: p.stream.clone(), name: p.name.clone(), record, shadow, doc });
        }
    }

    /// A place of the program where a stream's records can be refused.
    pub(super) fn site(&mut self, owner: &ErrorOwner, span: Span) -> SiteId {
        // Those of late records, which are out of their time, are told of.
        let errors_to = owner.errors_to.filter(|_| !self.is_late);
        let key = (ErrorOwner { errors_to, ..owner.clone() }, span);
        if let Some(id) = self.sites.get(&key) {
            return *id;
        }
        let id = SiteId(self.program.sites.len() as u32);
        let errors_to = errors_to.and_then(|node| self.error_inputs.get(&node).copied());
        self.program.sites.push(SiteInfo { stream: owner.stream.clone(), start: span.start, end: span.end, errors_to });
        self.sites.insert(key, id);
        id
    }

    pub(super) fn add_record(&mut self, record: Record) -> RecordId {
        let is_alone = |(at, field): (usize, &RecordField)| record.fields.iter().take(at).all(|other| other.name != field.name);
        debug_assert!(record.fields.len() > 1_000 || record.fields.iter().enumerate().all(is_alone), "fields of one name: {record:?}");
        self.program.records.push(record);
        RecordId(self.program.records.len() as u32 - 1)
    }

    /// The record of a node's rows.
    pub(super) fn record_of(&mut self, node: NodeId) -> RecordId {
        let origin = self.plan.record_origin(node);
        if let Some(id) = self.records.get(&origin) {
            return *id;
        }
        let Node { kind, stream, span, .. } = self.plan.node(origin);
        let wanted = match kind {
            NodeKind::Source { .. } => stream.clone(),
            NodeKind::Errors => format!("{stream}Error"),
            _ => format!("{stream}Record"),
        };
        let name = self.unique(&wanted);
        let fields = fields_of(self.plan.columns_of(origin));
        let doc = self.doc(*span);
        let shapes = shapes_of(self.plan.columns_of(origin).iter().map(|c| &c.ty));
        let id = self.add_record(Record { name, fields, shapes, stored: false, doc });
        self.records.insert(origin, id);
        id
    }

    fn publications(&self, node: NodeId) -> Vec<(usize, &'p Publication)> {
        self.published.get(&node).into_iter().flatten().filter_map(|at| Some((*at, self.plan.publications.get(*at)?))).collect()
    }

    /// Chains for a node that is published as it is.
    pub(super) fn publication_chains(&mut self, node: NodeId, input: ChainInput, frame: &Frame) -> Vec<ChainId> {
        let mut chains = vec![];
        for (at, p) in self.publications(node) {
            let id = self.reserve_chain(&p.stream, input, p.span);
            let mut b = Builder::new();
            self.publish(&mut b, at, frame, &p.stream);
            self.fill_chain(id, b);
            chains.push(id);
        }
        chains
    }

    pub(super) fn reserve_chain(&mut self, stream: &str, input: ChainInput, span: Span) -> ChainId {
        let wanted = snake(stream);
        let wanted = if STAGE_FUNCTIONS.contains(&wanted.as_str()) { format!("{wanted}_records") } else { wanted };
        let name = self.unique(&wanted);
        let doc = self.doc(span);
        self.program.chains.push(Chain { name, stream: stream.to_owned(), input, body: Default::default(), doc, stage: 0 });
        ChainId(self.program.chains.len() as u32 - 1)
    }

    pub(super) fn fill_chain(&mut self, id: ChainId, b: Builder) {
        if let Some(chain) = self.program.chains.get_mut(id.0 as usize) {
            chain.body = b.finish();
        }
    }

    /// A chain of its own for one reader of a node.
    pub(super) fn chain(&mut self, reader: NodeId, from: NodeId, input: ChainInput, frame: Frame) -> ChainId {
        let (stream, span) = (self.plan.node(reader).stream.clone(), self.plan.node(reader).span);
        let id = self.reserve_chain(&stream, input, span);
        let mut b = Builder::new();
        self.read(&mut b, reader, from, frame);
        self.fill_chain(id, b);
        id
    }

    /// What happens with the records of a node: publications, then readers. A single reader is fused, several get chains of their own.
    fn pass(&mut self, b: &mut Builder, node: NodeId, frame: Frame) {
        for (at, p) in self.publications(node).into_iter().filter(|_| !self.is_late).collect::<Vec<_>>() {
            self.publish(b, at, &frame, &p.stream);
        }
        let readers = self.readers(node);
        if let [only] = readers.as_slice() {
            return self.read(b, *only, node, frame);
        }
        for reader in readers {
            let (input, inner, row) = match &frame {
                Frame::Firing(f) => match self.operators.get(f) {
                    Some(o) => (ChainInput::Firing(o.id), frame.clone(), RowSource::Firing),
                    None => continue,
                },
                Frame::Lagged { operator, row, .. } => (ChainInput::FiredRow(*operator, *row), frame.clone(), RowSource::Firing),
                _ => {
                    let record = self.record_of(node);
                    (ChainInput::Row(record), Frame::Row(record), self.row(&frame, node))
                }
            };
            let chain = self.chain(reader, node, input, inner);
            b.statement(Statement::Call { chain, row });
        }
    }

    /// The record at hand, as a row.
    fn row(&mut self, frame: &Frame, node: NodeId) -> RowSource {
        match frame {
            Frame::Columns(values) => {
                let record = self.record_of(node);
                RowSource::Make { record, fields: values.iter().enumerate().filter_map(|(i, v)| v.map(|v| (i, v))).collect() }
            }
            _ => RowSource::Same,
        }
    }

    fn read(&mut self, b: &mut Builder, reader: NodeId, from: NodeId, frame: Frame) {
        let plan = self.plan;
        let node = plan.node(reader);
        let owner = node.error_owner();
        match &node.kind {
            NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors => {}
            NodeKind::Filter { condition, .. } => {
                self.comment(b, node.span);
                for part in condition.clone().conjuncts() {
                    let v = truth(b, &mut Lowering { a: self, frame: frame.clone(), owner: owner.clone() }, &part, true);
                    b.statement(Statement::Guard(v));
                }
                self.pass(b, reader, frame);
            }
            NodeKind::Project { columns, .. } => {
                self.comment(b, node.span);
                let wanted = self.required.get(reader.0).cloned().unwrap_or_default();
                let mut values = vec![];
                for (i, e) in columns.iter().enumerate() {
                    let value = wanted.contains(&i).then(|| lower(b, &mut Lowering { a: self, frame: frame.clone(), owner: owner.clone() }, e));
                    values.push(value);
                }
                self.pass(b, reader, Frame::Columns(values));
            }
            NodeKind::Observe { observation, .. } => {
                self.comment(b, node.span);
                self.observe(b, observation, &frame, &owner);
                self.pass(b, reader, frame);
            }
            NodeKind::Process { run, .. } => {
                self.comment(b, node.span);
                let (chain, record) = self.chain_of_records(reader);
                let wanted = self.required.get(reader.0).cloned().unwrap_or_default();
                let columns = node.schema.columns.iter().enumerate().filter(|(c, _)| wanted.contains(c));
                let target = Target { chain, record, fields: columns.map(|(c, column)| (c, physical(&column.ty))).collect() };
                super::run::process(b, &mut Lowering { a: self, frame, owner }, run, &target);
            }
            NodeKind::Merge { inputs } => {
                for (input, map) in inputs.iter().filter(|(n, _)| *n == from) {
                    self.merge_into(b, reader, *input, map, &frame);
                }
            }
            NodeKind::Window { .. }
            | NodeKind::TopK { .. }
            | NodeKind::Pattern(_)
            | NodeKind::Join { .. }
            | NodeKind::Distinct { .. }
            | NodeKind::Lag { .. }
            | NodeKind::Limit { .. } => {
                self.comment(b, node.span);
                let operator = self.operator(reader);
                for (port, input) in node.kind.inputs().into_iter().enumerate() {
                    if input == from {
                        let row = self.row(&frame, from);
                        b.statement(Statement::Push { operator, port, row, late: self.is_late });
                    }
                }
            }
        }
    }

    pub(super) fn comment(&mut self, b: &mut Builder, span: Span) {
        let doc = self.doc(span);
        b.statement(Statement::Comment(doc));
    }

    /// The chain that takes a node's records from several places, and their record.
    fn chain_of_records(&mut self, node: NodeId) -> (ChainId, RecordId) {
        let record = self.record_of(node);
        if let Some(chain) = self.merges.get(&(node, self.is_late)) {
            return (*chain, record);
        }
        let Node { stream, span, .. } = self.plan.node(node);
        let chain = self.reserve_chain(stream, ChainInput::Row(record), *span);
        self.merges.insert((node, self.is_late), chain);
        let mut inner = Builder::new();
        self.pass(&mut inner, node, Frame::Row(record));
        self.fill_chain(chain, inner);
        (chain, record)
    }

    fn merge_into(&mut self, b: &mut Builder, merge: NodeId, from: NodeId, map: &[Option<usize>], frame: &Frame) {
        let (chain, record) = self.chain_of_records(merge);
        let wanted = self.required.get(merge.0).cloned().unwrap_or_default();
        let owner = self.plan.node(merge).error_owner();
        let mut fields = vec![];
        for (column, source) in map.iter().enumerate().filter(|(c, _)| wanted.contains(c)) {
            let Some(ty) = self.plan.columns_of(merge).get(column).map(|c| c.ty.clone()) else { continue };
            let value = match source {
                Some(field) => {
                    let from_ty = self.plan.columns_of(from).get(*field).map_or(ty.clone(), |c| c.ty.clone());
                    let e = Expr::place(Place::Field { input: 0, field: *field }, from_ty, Span::default());
                    lower(b, &mut Lowering { a: self, frame: frame.clone(), owner: owner.clone() }, &e)
                }
                None => b.value(Op::Null, physical(&ty)),
            };
            fields.push((column, b.fit(value, physical(&ty))));
        }
        b.statement(Statement::Call { chain, row: RowSource::Make { record, fields } });
    }

    fn publish(&mut self, b: &mut Builder, at: usize, frame: &Frame, stream: &str) {
        let Some(p) = self.plan.publications.get(at) else { return };
        let columns = self.plan.columns_of(p.node).to_vec();
        let mut fields = vec![];
        for i in visible_columns(self.plan, p.node) {
            let Some(column) = columns.get(i) else { continue };
            let e = Expr::place(Place::Field { input: 0, field: i }, column.ty.clone(), p.span);
            let owner = ErrorOwner { stream: stream.to_owned(), errors_to: None };
            fields.push(lower(b, &mut Lowering { a: self, frame: frame.clone(), owner }, &e));
        }
        b.statement(Statement::Publish { publication: at, fields });
    }

    /// The operator of a node; it is made, and everything behind it, at the first use.
    fn operator(&mut self, node: NodeId) -> OperatorId {
        if let Some(state) = self.operators.get(&node) {
            return state.id;
        }
        super::kernels::create(self, node)
    }

    /// The chains behind an operator.
    pub(super) fn behind(&mut self, node: NodeId, input: ChainInput, frame: &Frame) -> Vec<ChainId> {
        let mut chains = self.publication_chains(node, input, frame);
        for reader in self.consumers.get(&node).cloned().unwrap_or_default() {
            chains.push(self.chain(reader, node, input, frame.clone()));
        }
        chains
    }
}

/// `BigTrades` → `big_trades`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out
}
