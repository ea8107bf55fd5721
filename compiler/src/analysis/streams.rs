//! Streams: sources, and the state that operators work on one after the other.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Analyzer;
use super::forks::Fork;
use super::limits::STEPS;
use super::scope::{FiringScope, Scope, ScopeInput};
use super::typed::{Expr, ExprKind, Place};
use crate::diagnostics::foreign::{self, ours};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::plan::logical::{Column, Node, NodeId, NodeKind, Publication, Schema, Window};
use crate::syntax::ast::{self, ItemKind, Span};

/// A stream whose operators have all been read.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) node: NodeId,
    pub(crate) keys: Vec<Key>,
    /// The type of its records, if it is not the stream's name.
    pub(crate) record_type: Option<String>,
}

/// A part of the partition's key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Over the current record, or over the places of what fired.
    pub(crate) expr: Expr,
    /// Its name and type.
    pub(crate) column: Column,
}

/// A stream in the making.
pub struct StreamBuilder {
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) names: Vec<String>,
    pub(crate) keys: Vec<Key>,
    /// Records that can be named when a pattern or join fires.
    pub(crate) inputs: Vec<ScopeInput>,
    /// Those that the current record has all fields of, at its columns.
    pub(crate) members: Rc<[ScopeInput]>,
    /// A window without its aggregates yet, a pattern or a join.
    pub(crate) firing: Option<NodeId>,
    pub(crate) emitted: Option<String>,
    /// The type of what a function emitted, if that is what it holds.
    pub(crate) record_type: Option<String>,
    pub(crate) span: Span,
    /// Operators consumed before their turn, as `.on` and `.window` of a join.
    pub(crate) taken: usize,
    /// Paths that are not joined yet.
    pub(crate) fork: Option<Fork>,
}

impl StreamBuilder {
    /// A stream whose records are those of a node, called by these names.
    pub(crate) fn new(name: &str, node: NodeId, names: Vec<String>, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            node,
            names,
            keys: vec![],
            inputs: vec![],
            members: Rc::new([]),
            firing: None,
            emitted: None,
            record_type: None,
            span,
            taken: 0,
            fork: None,
        }
    }

    /// A stream of its own that begins at the same record.
    pub(crate) fn beside(&self) -> Self {
        Self { members: self.members.clone(), ..Self::new(&self.name, self.node, self.names.clone(), self.span) }
    }

    /// What its records are to expressions, if they have these columns.
    pub(crate) fn record(&self, schema: Schema) -> ScopeInput {
        ScopeInput { members: self.members.clone(), ..ScopeInput::new(0, self.names.clone(), schema) }
    }

    /// How many paths wait to be joined.
    pub(crate) fn fork_paths(&self) -> usize {
        self.fork.as_ref().map_or(0, Fork::paths)
    }
}

impl<'a> Analyzer<'a> {
    pub(crate) fn build_streams(&mut self) {
        let ast = self.ast;
        for item in &ast.items {
            if let ItemKind::Stream(s) = &item.kind {
                self.stream(&s.name.text, s.name.span);
            }
        }
        // Every event that is declared and read by nobody is reported elsewhere; what is published is known only now.
        let published: HashSet<String> = self.plan.publications.iter().map(|p| p.stream.clone()).collect();
        for item in &ast.items {
            let ItemKind::Stream(s) = &item.kind else { continue };
            let name = &s.name.text;
            if !published.contains(name)
                && !self.consumed.contains(name)
                && let Some(finished) = self.streams.get(name).cloned()
            {
                let of = finished.record_type.as_deref().unwrap_or(name);
                self.publish(name, of, finished.node, s.name.span);
            }
        }
        let streams = ast.items.iter().filter_map(|i| if let ItemKind::Stream(s) = &i.kind { Some(s.name.text.as_str()) } else { None });
        let mut order: HashMap<&str, usize> = HashMap::new();
        for (at, name) in streams.enumerate() {
            order.entry(name).or_insert(at);
        }
        self.plan.publications.sort_by_key(|p| order.get(p.stream.as_str()).copied());
    }

    fn publish(&mut self, stream: &str, name: &str, node: NodeId, span: Span) {
        self.plan.publications.push(Publication { stream: stream.to_owned(), name: name.to_owned(), node, span });
    }

    /// A row says in `type` of which stream it is: no field can stand there.
    pub(super) fn check_rows(&mut self) {
        let published = self.plan.publications.iter();
        let wrong: Vec<Span> = published.filter(|p| self.plan.columns_of(p.node).iter().any(|c| c.name == "type" && !c.hidden)).map(|p| p.span).collect();
        for span in wrong {
            let d = Diagnostic::new(Code::DuplicateField, span, "a published row has a `type` already, the stream's name: no field can be called so");
            self.report(d.help("give the field another name, as in `.select(kind: type, …)`"));
        }
    }

    /// The finished stream of that name, which is built now if it was not yet.
    pub(crate) fn stream(&mut self, name: &str, used_at: Span) -> Option<Finished> {
        if let Some(finished) = self.streams.get(name) {
            return Some(finished.clone());
        }
        if self.failed.contains(name) {
            return None;
        }
        let at = *self.stream_decls.get(name)?;
        let ast = self.ast;
        let ItemKind::Stream(decl) = &ast.items.get(at)?.kind else { return None };
        if self.in_progress.iter().any(|n| n == name) {
            let path = self.in_progress.iter().chain([&name.to_owned()]).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" reads ");
            self.report(Diagnostic::new(Code::CyclicStreams, used_at, format!("streams feed each other in a circle: {path}")));
            return None;
        }
        if self.in_progress.len() > STEPS {
            self.tell_size(Diagnostic::new(Code::TooDeep, used_at, format!("streams read one another more than {STEPS} deep")));
            return None;
        }
        self.in_progress.push(name.to_owned());
        let finished = self.build_stream(decl);
        self.in_progress.pop();
        let Some(finished) = finished else {
            // Its mistake has been told.
            self.failed.insert(name.to_owned());
            return None;
        };
        self.streams.insert(name.to_owned(), finished.clone());
        Some(finished)
    }

    fn build_stream(&mut self, decl: &'a ast::StreamDecl) -> Option<Finished> {
        let mut builder = self.source(&decl.name.text, &decl.source, &decl.ops, decl.name.span)?;
        let taken = builder.taken;
        self.apply(&mut builder, decl.ops.get(taken..).unwrap_or_default());
        if !self.close(&mut builder) {
            return None;
        }
        if let Some(ty) = &decl.ty {
            let columns = self.schema(builder.node).columns;
            let fields = self.as_declared(&columns, ty, decl.name.span)?;
            self.project(&mut builder, fields, ty.span);
        }
        if let Some(name) = builder.emitted.clone() {
            self.publish(&decl.name.text, &name, builder.node, decl.name.span);
        }
        Some(Finished { node: builder.node, keys: builder.keys, record_type: builder.record_type })
    }

    /// Applies operators in order.
    pub(crate) fn apply(&mut self, builder: &mut StreamBuilder, ops: &'a [ast::Op]) {
        for op in ops {
            self.fork_must_be_joined(builder, Some(op));
            match crate::operators::find(&op.name.text) {
                Some(entry) => match entry.analyze {
                    Some(analyze) => {
                        self.look_back(builder, op);
                        analyze(self, builder, op);
                    }
                    None => self.report(
                        Diagnostic::new(Code::OperatorNotCompiledYet, op.name.span, format!("`.{}` is understood, not compiled yet", op.name.text))
                            .note(entry.title.to_owned()),
                    ),
                },
                None => {
                    let mut d = Diagnostic::new(Code::UnknownOperator, op.name.span, format!("no operator is called `.{}`", op.name.text));
                    if let Some(ours) = ours(&op.name.text, foreign::OPERATORS) {
                        d = d.fix(op.name.span, ours, format!("`.{}` is called `.{ours}` here", op.name.text));
                    } else if let Some(similar) = did_you_mean(&op.name.text, crate::operators::names()) {
                        d = d.fix(op.name.span, similar, "a similar operator exists");
                    } else if ["join", "left_join", "right_join", "full_join", "latest_join", "merge", "union"].contains(&op.name.text.as_str()) {
                        let called = if op.name.text == "union" { "merge" } else { &op.name.text };
                        let on = if called == "merge" { "" } else { ".on(A.key == B.key).window(5m)" };
                        d = d.help(format!("it is a source, of two streams: `{called}(A, B){on}`"));
                    }
                    self.report(d);
                }
            }
        }
    }

    /// An operand that reads an event or a stream by name.
    pub(crate) fn read(&mut self, name: &ast::Name) -> Option<Finished> {
        if self.stream_decls.contains_key(&name.text) {
            self.consumed.insert(name.text.clone());
            return self.stream(&name.text, name.span);
        }
        let declared = self.event_ids.contains_key(&name.text);
        let taken = self.enums.contains_key(&name.text)
            || self.functions.contains_key(&name.text)
            || self.constants.contains_key(&name.text)
            || self.global_ids.contains_key(&name.text);
        // A name that is an event and something else as well has been told.
        if !declared && (taken || self.patterns.contains_key(&name.text)) {
            let what = if taken { "not an event or a stream" } else { "a pattern; it can be a stream's only source" };
            self.report(Diagnostic::new(Code::UnknownStream, name.span, format!("`{}` is {what}", name.text)));
            return None;
        }
        if !declared && self.names_in_place.contains(&name.text) {
            let message = format!("`{}` is the name of an input in place, which nothing else can read", name.text);
            self.report(Diagnostic::new(Code::UnknownStream, name.span, message).help("make it a stream of its own: `stream … = …`"));
            return None;
        }
        if !declared {
            // A near miss of something declared is a slip; any other name is an event whose schema is inferred.
            let declared = self.plan.events.iter().filter(|e| e.declared).map(|e| e.name.as_str()).chain(self.stream_decls.keys().map(String::as_str));
            if let Some(similar) = did_you_mean(&name.text, declared).map(str::to_owned) {
                let d = Diagnostic::new(Code::UnknownStream, name.span, format!("no event or stream is called `{}`", name.text))
                    .note("an event whose name is like no other may stay undeclared; its schema is then inferred")
                    .fix(name.span, similar, "a similar name exists");
                self.report(d);
                return None;
            }
        }
        self.used.insert(name.text.clone());
        let event = self.event_id(&name.text, name.span);
        let node = self.sources.get(&event).copied().unwrap_or_else(|| {
            let schema = self.plan.events.get(event).map(|e| e.schema.clone()).unwrap_or_default();
            self.add_node(NodeKind::Source { event }, schema, &name.text, name.span)
        });
        self.sources.insert(event, node);
        Some(Finished { node, keys: vec![], record_type: None })
    }

    /// The current columns of a node; those of a source grow while the schema of an undeclared event is inferred.
    pub(crate) fn schema(&self, node: NodeId) -> Schema {
        match &self.plan.node(node).kind {
            NodeKind::Source { event } => self.plan.events.get(*event).map(|e| e.schema.clone()).unwrap_or_default(),
            NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } => {
                self.schema(*input)
            }
            _ => self.plan.node(node).schema.clone(),
        }
    }

    pub(crate) fn add_node(&mut self, kind: NodeKind, schema: Schema, stream: &str, span: Span) -> NodeId {
        let steps = 1 + kind.inputs().iter().filter_map(|n| self.steps.get(n.0)).max().unwrap_or(&0);
        self.steps.push(steps);
        let kind = if steps <= STEPS { kind } else { self.too_far(steps, span) };
        self.plan.nodes.push(Node { kind, schema, stream: stream.to_owned(), span, errors_to: None });
        NodeId(self.plan.nodes.len() - 1)
    }

    /// Drops the nodes from that one on, which nothing reads.
    pub(crate) fn forget_nodes(&mut self, from: usize) {
        self.plan.nodes.truncate(from);
        self.steps.truncate(from);
    }

    /// Refuses a node that is too far from its source, and stands in for it: the plan is refused, and nothing descends it.
    fn too_far(&mut self, steps: usize, span: Span) -> NodeKind {
        if steps == STEPS + 1 {
            let d = Diagnostic::new(Code::TooDeep, span, format!("this is more than {STEPS} operators away from its source"));
            self.tell_size(d.help("join conditions with `and`, and projections into one"));
        }
        NodeKind::Merge { inputs: vec![] }
    }

    /// Makes something else of a node, over the same inputs.
    pub(crate) fn replace_node(&mut self, node: NodeId, kind: NodeKind) {
        if let Some(node) = self.plan.nodes.get_mut(node.0) {
            node.kind = kind;
        }
    }

    /// Lets names that a node's record does not have be fields of an undeclared event.
    pub(crate) fn open_schema(&mut self, node: NodeId, event: Option<usize>) {
        if let Some(node) = self.plan.nodes.get_mut(node.0) {
            node.schema.open = event;
        }
    }

    /// Makes another window of the one that is not aggregated yet.
    pub(crate) fn replace_window(&mut self, b: &StreamBuilder, with: Window) {
        if let Some(Node { kind: NodeKind::Window { window, .. }, .. }) = self.plan.nodes.get_mut(b.node.0) {
            *window = with;
        }
    }

    /// The scope of expressions at this point of the stream.
    pub(crate) fn scope(&self, b: &StreamBuilder) -> Scope {
        let Some(firing) = b.firing else {
            return Scope::record(b.record(self.with_keys(b)));
        };
        let mut scope = Scope { inputs: b.inputs.clone(), ..Scope::default() };
        let keys = b.keys.clone();
        scope.firing = Some(match &self.plan.node(firing).kind {
            NodeKind::Window { input, aggregates, window, .. } => FiringScope {
                keys,
                record: Some(b.record(self.schema(*input))),
                window: true,
                updates: window.updates(),
                late: matches!(window, Window::Late { .. }),
                aggregates: aggregates.iter().map(|a| (0, a.clone())).collect(),
            },
            NodeKind::TopK { .. } => FiringScope { keys, window: true, ..FiringScope::default() },
            NodeKind::Pattern(p) => FiringScope { keys, aggregates: p.aggregates.clone(), ..FiringScope::default() },
            _ => FiringScope { keys, ..FiringScope::default() },
        });
        scope
    }

    /// The columns of the record; keys of the partition that it carries hidden can be read by their names.
    fn with_keys(&self, b: &StreamBuilder) -> Schema {
        let mut schema = self.schema(b.node);
        for key in &b.keys {
            if let ExprKind::Place(Place::Field { field, .. }) = &key.expr.kind
                && schema.find(&key.column.name).is_none()
                && let Some(column) = schema.columns.get_mut(*field).filter(|column| column.name == key.column.name)
            {
                column.hidden = false;
            }
        }
        schema
    }

    /// Types something in the stream's scope; aggregates that it calls are added to the window or pattern.
    pub(crate) fn in_scope<R>(&mut self, b: &StreamBuilder, run: impl FnOnce(&mut Self, &mut Scope) -> R) -> R {
        let mut scope = self.scope(b);
        let result = run(self, &mut scope);
        self.keep_aggregates(b, scope);
        result
    }

    pub(crate) fn keep_aggregates(&mut self, b: &StreamBuilder, scope: Scope) {
        if let (Some(firing), Some(after)) = (b.firing, scope.firing)
            && let Some(node) = self.plan.nodes.get_mut(firing.0)
        {
            match &mut node.kind {
                NodeKind::Window { aggregates, .. } => *aggregates = after.aggregates.into_iter().map(|(_, a)| a).collect(),
                NodeKind::Pattern(p) => p.aggregates = after.aggregates,
                _ => {}
            }
        }
    }

    /// Adds a node behind the current one; the record's columns stay.
    pub(crate) fn chain(&mut self, b: &mut StreamBuilder, kind: NodeKind, span: Span) {
        let schema = self.schema(b.node);
        let name = b.name.clone();
        b.node = self.add_node(kind, schema, &name, span);
    }
}
