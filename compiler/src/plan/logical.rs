//! The logical plan: a DAG of streams. Nodes are interned, so that two streams that begin alike share what they share.
#![expect(missing_docs, reason = "the fields of variants are named by what they hold")]

use std::collections::BTreeMap;

use crate::analysis::run::Run;
use crate::analysis::typed::{Expr, Place};
use crate::analysis::types::Type;
use crate::functions::aggregates::Aggregate;
use crate::syntax::ast::Span;

/// A node of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// The input of a pattern's condition that is the event under examination, not one already taken.
pub const CURRENT: usize = usize::MAX;

/// A column of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Carried for a later operator's key only: not seen by expressions, not written.
    pub hidden: bool,
}

/// The columns of a record, without its `ts`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// In declared order.
    pub columns: Vec<Column>,
    /// The undeclared event whose schema this is: a name that is used and not here becomes a field of it.
    pub open: Option<usize>,
}

impl Schema {
    /// All columns, read from input 0 of a node.
    pub fn places(&self, span: Span) -> Vec<Expr> {
        let place = |(field, column): (usize, &Column)| Expr::place(Place::Field { input: 0, field }, column.ty.clone(), span);
        self.columns.iter().enumerate().map(place).collect()
    }
    /// The visible column of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| !c.hidden && c.name == name)
    }
}

/// An event that the program reads.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Whether the program declares it.
    pub declared: bool,
    /// Its columns.
    pub schema: Schema,
    /// How far it may lag, in ns.
    pub out_of_order: i64,
    /// After how long without a record an input holds time back no longer, in ns.
    pub idle: Option<i64>,
    /// Where it is declared, or first used.
    pub span: Span,
}

/// A window (§6). Times in ns, counts in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// `.window(5m, offset: o)`
    Tumbling { size: i64, offset: i64 },
    /// `.window(5m, sliding: 30s)`
    Sliding { size: i64, slide: i64, offset: i64 },
    /// `.window(1d, cumulate: 1h)`, and `.window(1d, early: 1h)`, which fires as often, for the window as a whole.
    Cumulating { size: i64, step: i64, offset: i64, early: bool },
    /// Windows of which `lateness` says how long they take records behind their end; tumbling ones slide by their size.
    Late { size: i64, slide: i64, offset: i64, lateness: i64 },
    /// `.window(session: 30s)`, and `.window(session: 30s, early: 10s)`
    Session { gap: i64, early: Option<i64> },
    /// `.window(100)`
    Count { size: i64 },
    /// `.window(100, sliding: 10)`
    SlidingCount { size: i64, slide: i64 },
}

/// The time that a window goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// That of events: it fires when the watermark reaches its end.
    #[default]
    Watermark,
    /// The machine's: a record belongs to the time at which it comes.
    ProcessingTime,
}

impl Window {
    /// Whether it tells of itself more than once: before its end, or when a late record changes it.
    pub fn updates(&self) -> bool {
        matches!(self, Window::Cumulating { early: true, .. } | Window::Late { .. } | Window::Session { early: Some(_), .. })
    }
}

/// One aggregate of a window or of a Kleene step.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Which.
    pub aggregate: Aggregate,
    /// Its arguments over the aggregated record.
    pub args: Vec<Expr>,
    /// Constant arguments, such as the percentile.
    pub parameter: Option<f64>,
    /// `where:`
    pub condition: Option<Expr>,
    /// Its result's type.
    pub ty: Type,
    /// The call.
    pub span: Span,
}

/// What records are ranked by: the next counts where those before it are equal.
#[derive(Clone, Debug)]
pub struct Rank {
    /// The value.
    pub by: Expr,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A step of a pattern.
#[derive(Clone, Debug)]
pub struct PatternStep {
    /// Which input of the node it reads.
    pub input: usize,
    /// `as a`
    pub alias: Option<String>,
    /// One or more.
    pub kleene: bool,
    /// Conjuncts over the event alone.
    pub unary: Vec<Expr>,
    /// Conjuncts over the event and what the run holds.
    pub correlated: Vec<Expr>,
    /// Time allowed since the previous step, ns.
    pub within: Option<i64>,
    /// The step's text.
    pub span: Span,
}

/// A negation of a pattern.
#[derive(Clone, Debug)]
pub struct PatternNegation {
    /// Which input of the node it reads.
    pub input: usize,
    /// The step it stands behind.
    pub after: usize,
    /// From `.not(…)`: the whole match.
    pub whole: bool,
    /// Conjuncts over the event alone.
    pub unary: Vec<Expr>,
    /// Conjuncts over the event and what the run holds.
    pub correlated: Vec<Expr>,
}

/// A sequence pattern with `next` selection.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The distinct nodes that its steps read.
    pub inputs: Vec<NodeId>,
    /// In order.
    pub steps: Vec<PatternStep>,
    /// Absences.
    pub negations: Vec<PatternNegation>,
    /// Per input: the partition's key over its record (`Place::Field { input: CURRENT, … }`).
    pub keys: Vec<Vec<Expr>>,
    /// The columns that the keys have in results.
    pub key_columns: Vec<Column>,
    /// Overall bound, ns.
    pub within: Option<i64>,
    /// Aggregates over Kleene steps, with the step.
    pub aggregates: Vec<(usize, AggregateCall)>,
}

/// An observation that does not change records.
#[derive(Clone, Debug)]
pub enum Observation {
    /// `.print(…)`, `.log(…)`: a line of text.
    Print(Expr),
    /// `.tap(counter: "name")`
    Count(String),
    /// `.tap(counter: "name", labels: […])`: a count for each text.
    CountBy { name: String, label: Expr },
    /// `.tap(log: "x", sample: 0.01)`: every n-th record.
    Sample { text: Expr, every: i64 },
}

/// What a join tells of beside pairs.
#[derive(Clone, Debug)]
pub struct Outer {
    /// Whether the left, and the right, records without a partner are told of; the other side's places are null then.
    pub keeps: [bool; 2],
    /// What pairs must fulfil beside equal keys.
    pub condition: Option<Expr>,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Reads an event.
    Source { event: usize },
    /// A record without columns at every multiple of the period, in ns.
    Timer { period: i64 },
    /// A record for each evaluation error of the nodes whose errors [come here](Node::errors_to).
    Errors,
    /// Keeps records for which the condition is true.
    Filter { input: NodeId, condition: Expr },
    /// Makes a new record; one expression per column of the schema.
    Project { input: NodeId, columns: Vec<Expr> },
    /// The records that a function emits for each record; one value per column of the schema.
    Process { input: NodeId, run: Box<Run> },
    /// Union; per input and column, the input's column (none: null).
    Merge { inputs: Vec<(NodeId, Vec<Option<usize>>)> },
    /// Aggregates per key and window.
    Window { input: NodeId, keys: Vec<Expr>, key_columns: Vec<Column>, window: Window, policy: Policy, aggregates: Vec<AggregateCall> },
    /// The first `count` records per key and window, of time, in the order of their ranks; all of them for `i64::MAX`.
    TopK { input: NodeId, keys: Vec<Expr>, key_columns: Vec<Column>, by: Vec<Rank>, count: i64, window: Window },
    /// Matches a sequence.
    Pattern(Pattern),
    /// Pairs within `span` ns (or the newest right record, for `latest`) of equal keys.
    Join { left: NodeId, right: NodeId, left_keys: Vec<Expr>, right_keys: Vec<Expr>, key_columns: Vec<Column>, span: Option<i64>, outer: Option<Outer> },
    /// First per value within a span.
    Distinct { input: NodeId, keys: Vec<Expr>, within: i64 },
    /// First n per key.
    Limit { input: NodeId, keys: Vec<Expr>, count: i64 },
    /// Every record, with values of the one `back` records before it, of the same key: input 1 of its places, null where there is none.
    Lag { input: NodeId, keys: Vec<Expr>, values: Vec<Expr>, back: i64 },
    /// Observes.
    Observe { input: NodeId, observation: Observation },
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// Its record's columns; of windows, patterns and joins: none, since what follows reads their places.
    pub schema: Schema,
    /// The stream that it was first made for.
    pub stream: String,
    /// Its text in the program.
    pub span: Span,
    /// The node that its evaluation errors go to; else they leave the program.
    pub errors_to: Option<NodeId>,
}

/// A published stream.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The stream.
    pub stream: String,
    /// The record type's name.
    pub name: String,
    /// The node whose records are published.
    pub node: NodeId,
    /// The stream's declaration.
    pub span: Span,
}

/// A `param` or a `let`.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its value or default, over earlier globals.
    pub value: Option<Expr>,
    /// Whether it is set from outside.
    pub is_param: bool,
}

/// A `var` of the program: state that functions change with `:=`.
#[derive(Clone, Debug)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it holds at the start, over globals.
    pub initial: Expr,
}

/// The whole plan.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Events, as declared or inferred.
    pub events: Vec<Event>,
    /// Nodes; inputs come before their consumers.
    pub nodes: Vec<Node>,
    /// What leaves the program, in the order of the text.
    pub publications: Vec<Publication>,
    /// Globals, in the order in which they are evaluated.
    pub globals: Vec<Global>,
    /// Program state; [`VariableId::STATE`](crate::lower::ir::VariableId::STATE) says how expressions name it.
    pub states: Vec<State>,
}

impl NodeKind {
    /// The nodes it reads.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors => vec![],
            NodeKind::Filter { input, .. }
            | NodeKind::Project { input, .. }
            | NodeKind::Process { input, .. }
            | NodeKind::Window { input, .. }
            | NodeKind::TopK { input, .. }
            | NodeKind::Distinct { input, .. }
            | NodeKind::Limit { input, .. }
            | NodeKind::Lag { input, .. }
            | NodeKind::Observe { input, .. } => vec![*input],
            NodeKind::Merge { inputs } => inputs.iter().map(|(n, _)| *n).collect(),
            NodeKind::Pattern(p) => p.inputs.clone(),
            NodeKind::Join { left, right, .. } => vec![*left, *right],
        }
    }
    /// Whether records pass it one by one, each on its own.
    pub fn is_passed(&self) -> bool {
        matches!(self, NodeKind::Filter { .. } | NodeKind::Project { .. } | NodeKind::Process { .. } | NodeKind::Merge { .. } | NodeKind::Observe { .. })
    }
    /// Whether what follows reads the places of a firing instead of a record's columns.
    pub fn fires(&self) -> bool {
        matches!(self, NodeKind::Window { .. } | NodeKind::TopK { .. } | NodeKind::Pattern(_) | NodeKind::Join { .. } | NodeKind::Lag { .. })
    }
}

/// Whose evaluation errors they are: the stream that they are told of, and the node that they go to instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ErrorOwner {
    pub stream: String,
    pub errors_to: Option<NodeId>,
}

impl Node {
    /// Whose errors its own are.
    pub fn error_owner(&self) -> ErrorOwner {
        ErrorOwner { stream: self.stream.clone(), errors_to: self.errors_to }
    }
}

impl Plan {
    /// The node.
    #[expect(clippy::indexing_slicing, reason = "ids come from this plan")]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
    /// Who reads each node, in order of the plan.
    pub fn consumers(&self) -> BTreeMap<NodeId, Vec<NodeId>> {
        let mut all: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (i, node) in self.nodes.iter().enumerate() {
            for input in node.kind.inputs() {
                let list = all.entry(input).or_default();
                if list.last() != Some(&NodeId(i)) {
                    list.push(NodeId(i));
                }
            }
        }
        all
    }
    /// The window, pattern or join whose places an expression over this node's output reads, if any.
    pub fn firing(&self, id: NodeId) -> Option<NodeId> {
        match &self.node(id).kind {
            kind if kind.fires() => Some(id),
            NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } => self.firing(*input),
            _ => None,
        }
    }
}

impl Plan {
    /// The columns of a node's record.
    pub fn columns_of(&self, node: NodeId) -> &[Column] {
        match &self.node(node).kind {
            NodeKind::Source { event } => self.events.get(*event).map_or(&[], |e| &e.schema.columns),
            NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } => {
                self.columns_of(*input)
            }
            _ => &self.node(node).schema.columns,
        }
    }
    /// The node whose record reaches this one unchanged.
    pub fn record_origin(&self, node: NodeId) -> NodeId {
        match &self.node(node).kind {
            NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } => {
                self.record_origin(*input)
            }
            _ => node,
        }
    }
}
