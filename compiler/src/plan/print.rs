//! The logical plan as text: what golden files hold and `explain` shows.

use std::fmt::Write;

use varpulis_abi::duration::UNITS;

use super::logical::{CURRENT, NodeId, NodeKind, Observation, Outer, Pattern, Plan, Policy, Rank, Window};
use crate::analysis::run::{Run, Step};
use crate::analysis::typed::{Expr, ExprKind, Gather, Literal, Place, symbol};
use crate::syntax::ast::UnaryOp;

/// Two expressions with the same key compute the same.
pub fn expression_key(e: &Expr) -> String {
    let mut text = String::new();
    write_expr(&mut text, e, &|p| format!("{p:?}"));
    let _ = write!(text, ":{}", e.ty);
    text
}

/// An expression as text; `name` says what places are called.
pub fn expression(e: &Expr, name: &dyn Fn(&Place) -> String) -> String {
    let mut text = String::new();
    write_expr(&mut text, e, name);
    text
}

fn write_expr(out: &mut String, e: &Expr, name: &dyn Fn(&Place) -> String) {
    match &e.kind {
        ExprKind::Literal(l) => {
            let _ = match (l, &e.ty.kind) {
                (Literal::Enum(v), crate::analysis::types::Kind::Enum(t)) => {
                    write!(out, "{}.{}", t.name, t.variants.get(*v as usize).map_or("?", String::as_str))
                }
                (Literal::Duration(v), _) => write!(out, "{}", duration(*v)),
                _ => write!(out, "{l}"),
            };
        }
        ExprKind::Place(p) => out.push_str(&name(p)),
        ExprKind::Unary(op, a) => {
            out.push_str(match op {
                UnaryOp::Negate => "-",
                UnaryOp::BitNot => "~",
                UnaryOp::Not => "not ",
            });
            write_nested(out, a, name);
        }
        ExprKind::Binary(op, a, b) => {
            write_nested(out, a, name);
            let _ = write!(out, " {} ", symbol(*op));
            write_nested(out, b, name);
        }
        ExprKind::ToFloat(a) => {
            out.push_str("float(");
            write_expr(out, a, name);
            out.push(')');
        }
        ExprKind::IsNull(a) => {
            write_nested(out, a, name);
            out.push_str(" is null");
        }
        ExprKind::If(c, a, b) => {
            out.push_str("if ");
            write_expr(out, c, name);
            out.push_str(" then ");
            write_expr(out, a, name);
            out.push_str(" else ");
            write_expr(out, b, name);
        }
        ExprKind::In(a, list) => {
            write_nested(out, a, name);
            out.push_str(" in [");
            write_items(out, list, name);
            out.push(']');
        }
        ExprKind::Call(f, args) => write_list(out, f.row().body, args, name),
        ExprKind::Pack(items) => write_list(out, "pack", items, name),
        ExprKind::Part(of, at) => {
            write_nested(out, of, name);
            out.push('[');
            write_expr(out, at, name);
            out.push(']');
        }
        ExprKind::Element(number) => {
            let _ = write!(out, "x{number}");
        }
        ExprKind::Gather(gather) => write_gather(out, gather, name),
        ExprKind::Variable(number) => {
            let _ = write!(out, "x{number}");
        }
        ExprKind::Run(run) => write_run(out, run, name),
    }
}

fn write_gather(out: &mut String, gather: &Gather, name: &dyn Fn(&Place) -> String) {
    write_nested(out, &gather.of, name);
    if let Some(keep) = &gather.keep {
        let _ = write!(out, ".filter(x{} => ", gather.number);
        write_expr(out, keep, name);
        out.push(')');
    }
    if !matches!(gather.value.kind, ExprKind::Element(number) if number == gather.number) {
        let _ = write!(out, ".map(x{} => ", gather.number);
        write_expr(out, &gather.value, name);
        out.push(')');
    }
}

/// A function's statements on one line: `{ x1 = 0; loop b2 { …; leave b2 }; x1 }`.
fn write_run(out: &mut String, run: &Run, name: &dyn Fn(&Place) -> String) {
    out.push_str("{ ");
    write_steps(out, run, &run.steps, name);
    let _ = write!(out, "x{} }}", run.result);
}

/// The same, of a function that is run for its records.
fn run_text(run: &Run, name: &dyn Fn(&Place) -> String) -> String {
    let mut out = "{ ".to_owned();
    write_steps(&mut out, run, &run.steps, name);
    out.push('}');
    out
}

fn write_steps(out: &mut String, run: &Run, steps: &[Step], name: &dyn Fn(&Place) -> String) {
    for step in steps {
        match step {
            Step::Set(variable, value) => {
                let _ = write!(out, "x{variable} = ");
                write_expr(out, value, name);
            }
            Step::If(condition, then, otherwise) => {
                out.push_str("if ");
                write_expr(out, condition, name);
                out.push_str(" { ");
                write_steps(out, run, then, name);
                out.push_str("} else { ");
                write_steps(out, run, otherwise, name);
                out.push('}');
            }
            Step::Block(block) => {
                let _ = write!(out, "{} b{} {{ ", if block.repeats { "loop" } else { "block" }, block.number);
                write_steps(out, run, &block.steps, name);
                out.push('}');
            }
            Step::Emit(record) => write_list(out, "emit", run.records.get(*record).map_or(&[], Vec::as_slice), name),
            Step::Leave(block) => {
                let _ = write!(out, "leave b{block}");
            }
        }
        out.push_str("; ");
    }
}

fn write_list(out: &mut String, function: &str, args: &[Expr], name: &dyn Fn(&Place) -> String) {
    out.push_str(function);
    out.push('(');
    write_items(out, args, name);
    out.push(')');
}

fn write_items(out: &mut String, items: &[Expr], name: &dyn Fn(&Place) -> String) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_expr(out, item, name);
    }
}

fn write_nested(out: &mut String, e: &Expr, name: &dyn Fn(&Place) -> String) {
    if matches!(e.kind, ExprKind::Binary(..) | ExprKind::If(..) | ExprKind::In(..)) {
        out.push('(');
        write_expr(out, e, name);
        out.push(')');
    } else {
        write_expr(out, e, name);
    }
}

/// A duration with its largest fitting unit.
pub fn duration(ns: i64) -> String {
    let fitting = UNITS.iter().find(|(_, length)| ns != 0 && ns % length == 0);
    fitting.map_or_else(|| format!("{ns}ns"), |(name, length)| format!("{}{name}", ns / length))
}

impl Plan {
    /// The name of a place as seen behind a node.
    pub fn place_name(&self, input: NodeId, place: &Place) -> String {
        let column = |node: NodeId, field: usize| self.columns(node).get(field).cloned().unwrap_or_else(|| format!("#{field}"));
        let firing = self.firing(input);
        let kind = firing.map(|f| &self.node(f).kind);
        match (place, kind) {
            (Place::Global(i), _) => self.globals.get(*i).map_or_else(String::new, |g| g.name.clone()),
            (Place::Now, _) => "now()".to_owned(),
            (Place::WindowStart, _) => "window_start".to_owned(),
            (Place::WindowEnd, _) => "window_end".to_owned(),
            (Place::Key(i), Some(NodeKind::Window { key_columns, .. } | NodeKind::TopK { key_columns, .. })) => {
                key_columns.get(*i).map_or_else(String::new, |c| c.name.clone())
            }
            (Place::Key(i), Some(NodeKind::Pattern(p))) => p.key_columns.get(*i).map_or_else(String::new, |c| c.name.clone()),
            (Place::Aggregate(i), Some(NodeKind::Window { input, aggregates, .. })) => {
                aggregates.get(*i).map_or_else(String::new, |a| self.aggregate_text(a, &|p| self.place_name(*input, p)))
            }
            (place, Some(NodeKind::Pattern(p))) => self.step_place(p, place, CURRENT),
            (Place::Field { input: side, field }, Some(NodeKind::Join { left, right, .. })) => {
                let node = if *side == 0 { *left } else { *right };
                format!("{}.{}", self.node(node).stream, column(node, *field))
            }
            (Place::Field { field, .. }, Some(NodeKind::TopK { input, .. })) => column(*input, *field),
            (Place::Field { input: 1, field }, Some(NodeKind::Lag { input, values, back, .. })) => {
                let value = values.get(*field).map_or_else(String::new, |e| expression(e, &|p| self.place_name(*input, p)));
                if *back == 1 { format!("lag({value})") } else { format!("lag({value}, {back})") }
            }
            (Place::Field { field, .. }, Some(NodeKind::Lag { input, .. })) => column(*input, *field),
            (Place::Field { field, .. }, _) => column(input, *field),
            (Place::Ts { .. }, _) => "ts".to_owned(),
            (place, _) => format!("{place:?}"),
        }
    }

    fn columns(&self, node: NodeId) -> Vec<String> {
        match &self.node(node).kind {
            NodeKind::Source { event } => self.events.get(*event).map(|e| e.schema.columns.iter().map(|c| c.name.clone()).collect()).unwrap_or_default(),
            NodeKind::Filter { input, .. } | NodeKind::Observe { input, .. } | NodeKind::Distinct { input, .. } | NodeKind::Limit { input, .. } => {
                self.columns(*input)
            }
            _ => self.node(node).schema.columns.iter().map(|c| c.name.clone()).collect(),
        }
    }

    /// The name of a place in a pattern; `current` is the input node of the event under examination.
    fn step_place(&self, p: &Pattern, place: &Place, current: usize) -> String {
        let alias = |step: usize| p.steps.get(step).and_then(|s| s.alias.clone()).unwrap_or_else(|| format!("step{}", step + 1));
        let column = |port: usize, field: usize| p.inputs.get(port).and_then(|n| self.columns(*n).get(field).cloned()).unwrap_or_default();
        let port = |step: usize| p.steps.get(step).map_or(0, |s| s.input);
        match place {
            Place::Field { input: CURRENT, field } => column(current, *field),
            Place::Ts { input: CURRENT } => "ts".to_owned(),
            Place::Field { input, field } => format!("{}.{}", alias(*input), column(port(*input), *field)),
            Place::Ts { input } => format!("{}.ts", alias(*input)),
            Place::First { input, field } => format!("{}[0].{}", alias(*input), column(port(*input), *field)),
            Place::FirstTs { input } => format!("{}[0].ts", alias(*input)),
            Place::Aggregate(i) => p
                .aggregates
                .get(*i)
                .map_or_else(String::new, |(step, a)| format!("{}.{}", alias(*step), self.aggregate_text(a, &|q| self.step_place(p, q, port(*step))))),
            Place::Global(i) => self.globals.get(*i).map_or_else(String::new, |g| g.name.clone()),
            other => format!("{other:?}"),
        }
    }

    fn aggregate_text(&self, a: &super::logical::AggregateCall, name: &dyn Fn(&Place) -> String) -> String {
        let mut parts: Vec<String> = a.args.iter().map(|e| expression(e, name)).collect();
        parts.extend(a.parameter.map(|p| p.to_string()));
        parts.extend(a.condition.iter().map(|c| format!("where: {}", expression(c, name))));
        format!("{}({})", a.aggregate.name(), parts.join(", "))
    }

    fn describe_join(&self, id: NodeId) -> String {
        let NodeKind::Join { left, right, left_keys, right_keys, span, outer, .. } = &self.node(id).kind else { return String::new() };
        let side = |node: NodeId, keys: &[Expr]| {
            keys.iter()
                .map(|e| {
                    expression(e, &|p| {
                        if let Place::Field { field, .. } = p { self.columns(node).get(*field).cloned().unwrap_or_default() } else { self.place_name(node, p) }
                    })
                })
                .collect::<Vec<_>>()
                .join(", ")
        };
        let kind = span.map_or_else(|| "latest join".to_owned(), |s| format!("join within {}", duration(s)));
        let (of, condition) = match outer {
            None => ("", String::new()),
            Some(Outer { keeps, condition }) => {
                let of = match keeps {
                    [true, true] => "full ",
                    [true, false] => "left ",
                    _ => "right ",
                };
                let condition = condition.as_ref().map(|e| format!(" where {}", expression(e, &|p| self.place_name(id, p))));
                (of, condition.unwrap_or_default())
            }
        };
        format!("{of}{kind} on [{}] == [{}]{condition}", side(*left, left_keys), side(*right, right_keys))
    }

    /// One line for a node.
    pub fn describe(&self, id: NodeId) -> String {
        let node = self.node(id);
        let list = |input: NodeId, exprs: &[Expr]| exprs.iter().map(|e| expression(e, &|p| self.place_name(input, p))).collect::<Vec<_>>().join(", ");
        match &node.kind {
            NodeKind::Source { event } => format!("source {}", self.events.get(*event).map_or("?", |e| &e.name)),
            NodeKind::Timer { period } => format!("timer {}", duration(*period)),
            NodeKind::Errors => {
                let of: Vec<String> = (0..self.nodes.len()).filter(|n| self.node(NodeId(*n)).errors_to == Some(id)).map(|n| format!("%{n}")).collect();
                format!("errors of {}", of.join(", "))
            }
            NodeKind::Filter { input, condition } => format!("filter {}", expression(condition, &|p| self.place_name(*input, p))),
            NodeKind::Project { input, columns } => {
                let parts: Vec<String> = node
                    .schema
                    .columns
                    .iter()
                    .zip(columns)
                    .map(|(c, e)| {
                        let text = expression(e, &|p| self.place_name(*input, p));
                        let text = if text == c.name { text } else { format!("{}: {text}", c.name) };
                        if c.hidden { format!("({text})") } else { text }
                    })
                    .collect();
                format!("project {}", parts.join(", "))
            }
            NodeKind::Process { input, run } => format!("process {}", run_text(run, &|p| self.place_name(*input, p))),
            NodeKind::Merge { .. } => "merge".to_owned(),
            NodeKind::Window { input, keys, window, policy, aggregates, .. } => {
                let policy = if *policy == Policy::ProcessingTime { " by processing time" } else { "" };
                let aggregates: Vec<String> = aggregates.iter().map(|a| self.aggregate_text(a, &|p| self.place_name(*input, p))).collect();
                format!("window {}{policy} by [{}] {}", describe_window(window), list(*input, keys), aggregates.join(", "))
            }
            NodeKind::TopK { input, keys, by, count, window, .. } => {
                let rank = |rank: &Rank| format!("{}{}", expression(&rank.by, &|p| self.place_name(*input, p)), if rank.descending { "" } else { " asc" });
                let by = by.iter().map(rank).collect::<Vec<_>>().join(", ");
                let count = if *count == i64::MAX { "order".to_owned() } else { format!("top {count}") };
                format!("{count} by {by} of window {} by [{}]", describe_window(window), list(*input, keys))
            }
            NodeKind::Lag { input, keys, values, back } => format!("lag {back} of {} by [{}]", list(*input, values), list(*input, keys)),
            NodeKind::Pattern(p) => self.describe_pattern(p),
            NodeKind::Join { .. } => self.describe_join(id),
            NodeKind::Distinct { input, keys, within } => {
                let span = if *within == i64::MAX { "unbounded".to_owned() } else { format!("within {}", duration(*within)) };
                format!("distinct [{}] {span}", list(*input, keys))
            }
            NodeKind::Limit { input, keys, count } => format!("limit {count} by [{}]", list(*input, keys)),
            NodeKind::Observe { input, observation } => match observation {
                Observation::Print(e) => format!("print {}", expression(e, &|p| self.place_name(*input, p))),
                Observation::Count(name) => format!("count {name:?}"),
                Observation::CountBy { name, label } => format!("count {name:?} by {}", expression(label, &|p| self.place_name(*input, p))),
                Observation::Sample { text, every } => format!("sample every {every} {}", expression(text, &|p| self.place_name(*input, p))),
            },
        }
    }

    fn describe_pattern(&self, p: &Pattern) -> String {
        let steps = p.steps.len();
        let conditions = |unary: &[Expr], correlated: &[Expr], port: usize| {
            let parts: Vec<String> = unary.iter().chain(correlated).map(|e| expression(e, &|q| self.step_place(p, q, port))).collect();
            if parts.is_empty() { String::new() } else { format!(" where {}", parts.join(" and ")) }
        };
        // Keys that are computed stand, hidden, between the pattern and its events.
        let read = |mut node: NodeId| {
            while let NodeKind::Project { input, columns } = &self.node(node).kind
                && columns.iter().zip(self.columns_of(node)).any(|(value, column)| column.hidden && !matches!(value.kind, ExprKind::Place(_)))
            {
                node = *input;
            }
            node
        };
        let event = |port: usize| p.inputs.get(port).map_or("?", |n| &self.node(read(*n)).stream).to_owned();
        let mut text = String::from("pattern ");
        for (i, s) in p.steps.iter().enumerate() {
            if i > 0 {
                text.push_str(" -> ");
            }
            let _ = write!(text, "{}{}{}", if s.kleene { "all " } else { "" }, event(s.input), conditions(&s.unary, &s.correlated, s.input));
            if let Some(w) = s.within {
                let _ = write!(text, " within {}", duration(w));
            }
            for n in p.negations.iter().filter(|n| !n.whole && n.after == i) {
                let _ = write!(text, " -> not {}{}", event(n.input), conditions(&n.unary, &n.correlated, n.input));
            }
        }
        for n in p.negations.iter().filter(|n| n.whole) {
            let _ = write!(text, " not {}{}", event(n.input), conditions(&n.unary, &n.correlated, n.input));
        }
        if let Some(w) = p.within {
            let _ = write!(text, " within {}", duration(w));
        }
        if !p.key_columns.is_empty() {
            let keys: Vec<&str> = p.key_columns.iter().map(|c| c.name.as_str()).collect();
            let _ = write!(text, " by [{}]", keys.join(", "));
        }
        debug_assert!(steps > 0);
        text
    }
}

/// A window's span as text.
pub fn describe_window(w: &Window) -> String {
    let offset = |o: i64| if o == 0 { String::new() } else { format!(" offset {}", duration(o)) };
    match w {
        Window::Tumbling { size, offset: o } => format!("tumbling {}{}", duration(*size), offset(*o)),
        Window::Sliding { size, slide, offset: o } => format!("sliding {} every {}{}", duration(*size), duration(*slide), offset(*o)),
        Window::Late { size, slide, offset: o, lateness } if size == slide => {
            format!("tumbling {}{} late {}", duration(*size), offset(*o), duration(*lateness))
        }
        Window::Late { size, slide, offset: o, lateness } => {
            format!("sliding {} by {}{} late {}", duration(*size), duration(*slide), offset(*o), duration(*lateness))
        }
        Window::Cumulating { size, step, offset: o, early: false } => format!("cumulating {} by {}{}", duration(*size), duration(*step), offset(*o)),
        Window::Cumulating { size, step, offset: o, early: true } => format!("tumbling {}{} early {}", duration(*size), offset(*o), duration(*step)),
        Window::Session { gap, early: None } => format!("session {}", duration(*gap)),
        Window::Session { gap, early: Some(step) } => format!("session {} early {}", duration(*gap), duration(*step)),
        Window::Count { size } => format!("count {size}"),
        Window::SlidingCount { size, slide } => format!("sliding count {size} every {slide}"),
    }
}

impl std::fmt::Display for Plan {
    /// One line per node, inputs first; publications last.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for i in 0..self.nodes.len() {
            let id = NodeId(i);
            let inputs: Vec<String> = self.node(id).kind.inputs().iter().map(|n| format!("%{}", n.0)).collect();
            write!(f, "%{i} = {}", self.describe(id))?;
            if inputs.is_empty() { writeln!(f)? } else { writeln!(f, " <- {}", inputs.join(", "))? }
        }
        for p in &self.publications {
            writeln!(f, "publish {} = %{}", p.name, p.node.0)?;
        }
        Ok(())
    }
}
