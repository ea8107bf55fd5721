//! Where streams begin: events, other streams, timers, and several of them together.

use std::collections::HashSet;

use super::Analyzer;
use super::streams::{Finished, StreamBuilder};
use super::typed::Literal;
use super::types::Type;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeKind, Schema};
use crate::syntax::ast::{self, SourceKind, Span};

/// The shortest time between a timer's records, ns.
const SHORTEST_PERIOD: i64 = 1_000;

impl<'a> Analyzer<'a> {
    fn builder(&self, name: &str, finished: Finished, names: Vec<String>, span: Span) -> StreamBuilder {
        StreamBuilder { keys: finished.keys, ..StreamBuilder::new(name, finished.node, names, span) }
    }

    pub(super) fn source(&mut self, name: &str, source: &'a ast::Source, ops: &'a [ast::Op], span: Span) -> Option<StreamBuilder> {
        match &source.kind {
            SourceKind::Named(from) if self.patterns.contains_key(&from.text) => {
                self.used.insert(from.text.clone());
                let decl = self.patterns.get(&from.text).copied()?;
                self.declared_pattern(name, decl, ops, span)
            }
            SourceKind::Named(from) => {
                let finished = self.read(from)?;
                let mut names = vec![from.text.clone()];
                names.extend(source.alias.iter().map(|a| a.text.clone()));
                Some(self.builder(name, finished, names, span))
            }
            SourceKind::Merge(inputs) => {
                let mut b = self.merge(name, inputs, span)?;
                b.names.extend(source.alias.iter().map(|a| a.text.clone()));
                Some(b)
            }
            SourceKind::Join { kind, inputs } => self.join(name, *kind, inputs, ops, source.span, span),
            SourceKind::Sequence(pattern) => self.sequence(name, pattern, None, &[], ops, span),
            SourceKind::From { .. } => {
                self.not_compiled(source.span, "`.from(…)`", "a program reads its events from its inputs");
                None
            }
            SourceKind::Timer(args) => {
                let period = self.timer_period(args, source.span)?;
                let node = self.add_node(NodeKind::Timer { period }, Schema::default(), name, source.span);
                let names = source.alias.iter().map(|a| a.text.clone()).collect();
                Some(self.builder(name, Finished { node, keys: vec![], record_type: None }, names, span))
            }
        }
    }

    /// Time goes by events: without any, no timer has a record.
    pub(super) fn check_timers(&mut self) {
        let reads = self.plan.nodes.iter().any(|node| matches!(node.kind, NodeKind::Source { .. }));
        let timer = self.plan.nodes.iter().find(|node| matches!(node.kind, NodeKind::Timer { .. })).map(|node| node.span);
        if let (false, Some(span)) = (reads || self.diagnostics.iter().any(Diagnostic::is_error), timer) {
            let d = Diagnostic::new(Code::BadArgument, span, "a timer goes by the time of events, and this program reads none");
            self.report(d.help("add a stream of the events whose time counts, as in `stream Seen = Trade`"));
        }
    }

    /// The period of `timer(d)`, in ns.
    fn timer_period(&mut self, args: &[ast::Arg], span: Span) -> Option<i64> {
        let [ast::Arg { name: None, value: ast::ArgValue::Expr(e, None), .. }] = args else {
            self.report(Diagnostic::new(Code::BadArgument, span, "`timer` takes the time between its records").help("as in `timer(5s)`"));
            return None;
        };
        let period = self.constant(e)?;
        match period.as_literal() {
            Some(Literal::Duration(ns)) if *ns >= SHORTEST_PERIOD => Some(*ns),
            Some(Literal::Duration(ns)) if *ns > 0 => {
                let d = Diagnostic::new(Code::BadArgument, e.span, "the records of a timer are at least a microsecond apart");
                self.report(d.help("as in `timer(1ms)`"));
                None
            }
            _ => {
                let d = Diagnostic::new(Code::BadArgument, e.span, "the time between a timer's records must be a duration above zero");
                self.report(d.help("as in `timer(5s)`"));
                None
            }
        }
    }

    /// The inputs of `merge` or `join`; `None` if one cannot be read.
    pub(crate) fn stream_args(&mut self, owner: &str, args: &'a [ast::StreamArg]) -> Option<Vec<StreamBuilder>> {
        for (at, name) in args.iter().enumerate().filter_map(|(at, arg)| Some((at, arg.name.as_ref()?))) {
            if let Some(before) = args.iter().take(at).filter_map(|arg| arg.name.as_ref()).find(|before| before.text == name.text) {
                let d = Diagnostic::new(Code::DuplicateName, name.span, format!("two inputs are called `{}`", name.text));
                self.report(d.also(before.span, "the first one"));
            } else if self.stream_decls.contains_key(&name.text) || self.plan.events.iter().any(|event| event.declared && event.name == name.text) {
                let d = Diagnostic::new(Code::DuplicateName, name.span, format!("the program has an event or a stream `{}` already", name.text));
                self.report(d.help("give the input another name"));
            }
        }
        let inputs: Vec<StreamBuilder> = args.iter().filter_map(|arg| self.stream_arg(owner, arg)).collect();
        (inputs.len() == args.len()).then_some(inputs)
    }

    fn stream_arg(&mut self, owner: &str, arg: &'a ast::StreamArg) -> Option<StreamBuilder> {
        let mut b = self.source(arg.name.as_ref().map_or(owner, |n| &n.text), &arg.source, &arg.ops, arg.span)?;
        let names = || arg.alias.iter().chain(&arg.name).chain(arg.source.named()).map(|n| n.text.clone());
        b.names = names().collect();
        let rest = arg.ops.get(b.taken..).unwrap_or_default();
        self.apply(&mut b, rest);
        if !self.close(&mut b) {
            return None;
        }
        // What has no name of its own is not the whole stream that it is a part of.
        if names().next().is_none() {
            b.names.clear();
        }
        Some(b)
    }

    fn merge(&mut self, name: &str, args: &'a [ast::StreamArg], span: Span) -> Option<StreamBuilder> {
        let inputs = self.stream_args(name, args)?;
        self.share_inferred(&inputs, args);
        let schemas: Vec<Schema> = inputs.iter().map(|b| self.schema(b.node)).collect();
        let open = schemas.iter().find_map(|s| s.open);
        let mut columns: Vec<Column> = vec![];
        for (schema, arg) in schemas.iter().zip(args) {
            for column in schema.columns.iter().filter(|c| !c.hidden) {
                match columns.iter_mut().find(|c| c.name == column.name) {
                    None => columns.push(column.clone()),
                    Some(seen) if seen.ty.kind == column.ty.kind || seen.ty.is_lenient() || column.ty.is_lenient() => {
                        seen.ty = Type {
                            kind: if seen.ty.is_lenient() { column.ty.kind.clone() } else { seen.ty.kind.clone() },
                            nullable: seen.ty.nullable || column.ty.nullable,
                        };
                    }
                    Some(seen) => {
                        let message = match arg.name.as_ref().or(arg.source.named()) {
                            Some(input) => format!("`{}` is {} in `{}` and {} in another input", column.name, column.ty, input.text, seen.ty),
                            None => format!("`{}` is {} here and {} in another input", column.name, column.ty, seen.ty),
                        };
                        self.report(
                            Diagnostic::new(Code::TypeMismatch, arg.span, message)
                                .help("same-named fields of merged streams must have one type; rename one with `.select`"),
                        );
                    }
                }
            }
        }
        for column in &mut columns {
            column.ty.nullable |= schemas.iter().any(|s| s.find(&column.name).is_none());
        }
        let maps = inputs.iter().zip(&schemas).map(|(b, s)| (b.node, columns.iter().map(|c| s.find(&c.name)).collect())).collect();
        let node = self.add_node(NodeKind::Merge { inputs: maps }, Schema { columns, open }, name, span);
        Some(self.builder(name, Finished { node, keys: vec![], record_type: None }, vec![name.to_owned()], span))
    }

    /// What is read of merged events is read of each that is undeclared: where one has a field, so may the others.
    fn share_inferred(&mut self, inputs: &[StreamBuilder], args: &[ast::StreamArg]) {
        let schemas: Vec<Schema> = inputs.iter().map(|b| self.schema(b.node)).collect();
        for ((b, _), arg) in inputs.iter().zip(&schemas).zip(args).filter(|((_, schema), _)| schema.open.is_some()) {
            for column in schemas.iter().flat_map(|s| &s.columns).filter(|c| !c.hidden) {
                let own = self.schema(b.node);
                let own = own.find(&column.name).and_then(|at| own.columns.get(at));
                if own.is_none_or(|own| own.ty.is_lenient() && !column.ty.is_lenient()) {
                    self.ask(b, &column.name, &column.ty, arg.span);
                }
            }
        }
    }

    /// Reads a name of a stream, which makes it a field of an undeclared event, of that type if it is known.
    pub(super) fn ask(&mut self, b: &StreamBuilder, name: &str, ty: &Type, span: Span) {
        let asked = ast::Expr { kind: ast::ExprKind::Name(name.to_owned()), span };
        let mut field = self.in_scope(b, |a, scope| a.expr(&asked, scope));
        if !ty.is_lenient() {
            self.settle(&mut field, ty.kind.clone());
        }
    }
}

/// The names that inputs of `merge` and of joins have in place.
pub(super) fn names_in_place(program: &ast::Program) -> HashSet<String> {
    fn look(source: &ast::Source, names: &mut HashSet<String>) {
        let (SourceKind::Merge(inputs) | SourceKind::Join { inputs, .. }) = &source.kind else { return };
        for input in inputs {
            names.extend(input.name.iter().map(|name| name.text.clone()));
            look(&input.source, names);
        }
    }
    let mut names = HashSet::new();
    for item in &program.items {
        if let ast::ItemKind::Stream(stream) = &item.kind {
            look(&stream.source, &mut names);
        }
    }
    names
}
