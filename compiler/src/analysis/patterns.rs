//! Sequence patterns: steps, conditions, partitions that are written and partitions that are found.

use super::Analyzer;
use super::names::collect_names;
use super::scope::{FiringScope, Scope, ScopeInput};
use super::streams::{Key, StreamBuilder};
use super::typed::{Expr, ExprKind, Place};
use super::types::Kind;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{CURRENT, Column, NodeKind, Pattern, PatternNegation, PatternStep, Schema};
use crate::syntax::ast::{self, ArgValue, BinaryOp, ExprKind as Ast, PatternKind, Quantifier, Span};

struct Steps {
    pattern: Pattern,
    inputs: Vec<ScopeInput>,
}

/// A key of a written partition, and its name if it has one.
type WrittenKey<'a> = (Option<&'a ast::Name>, &'a ast::Expr);

impl<'a> Analyzer<'a> {
    pub(crate) fn declared_pattern(&mut self, name: &str, decl: &'a ast::PatternDecl, ops: &'a [ast::Op], span: Span) -> Option<StreamBuilder> {
        let partition: Vec<WrittenKey<'a>> = decl.partition.iter().map(|e| (None, e)).collect();
        self.sequence(name, &decl.pattern, decl.within.as_ref(), &partition, ops, span)
    }

    pub(crate) fn sequence(
        &mut self,
        name: &str,
        pattern: &'a ast::PatternExpr,
        within: Option<&'a ast::Expr>,
        partition: &[WrittenKey<'a>],
        ops: &'a [ast::Op],
        span: Span,
    ) -> Option<StreamBuilder> {
        let mut written = vec![];
        self.flatten(pattern, &mut written)?;
        let mut steps = Steps {
            pattern: Pattern { inputs: vec![], steps: vec![], negations: vec![], keys: vec![], key_columns: vec![], within: None, aggregates: vec![] },
            inputs: vec![],
        };
        let last = written.len().saturating_sub(1);
        let mut trailing: Vec<&'a ast::Op> = vec![];
        for (i, step) in written.iter().enumerate() {
            self.step(&mut steps, step, false)?;
            if i == last {
                trailing.extend(step.ops.iter());
            } else {
                self.step_operators(&mut steps, step);
            }
        }
        if steps.pattern.steps.is_empty() {
            self.report(Diagnostic::new(Code::PatternStep, pattern.span, "a pattern needs a step that is not negated"));
            return None;
        }
        let mut partition = partition.to_vec();
        steps.pattern.within = within.and_then(|w| self.constant_duration(w, "`within`"));
        for op in trailing.iter().copied().chain(ops).take_while(|o| !matches!(o.name.text.as_str(), "emit" | "select" | "map" | "aggregate" | "window")) {
            self.pattern_operator(&mut steps, op, &mut partition);
        }
        self.partition(name, &mut steps, &partition);
        let last = written.last().map_or(pattern.span, |s| s.span);
        self.check_bounds(&steps.pattern, written.first().map_or(pattern.span, |s| s.span.to(last)), last);
        let keys = steps
            .pattern
            .key_columns
            .iter()
            .enumerate()
            .map(|(i, c)| Key { expr: Expr::place(Place::Key(i), c.ty.clone(), span), column: c.clone() })
            .collect();
        let node = self.add_node(NodeKind::Pattern(steps.pattern), Schema::default(), name, pattern.span);
        let mut b = StreamBuilder { keys, inputs: steps.inputs, firing: Some(node), ..StreamBuilder::new(name, node, vec![name.to_owned()], span) };
        for op in trailing {
            self.apply(&mut b, std::slice::from_ref(op));
        }
        Some(b)
    }

    /// The steps of a sequence, in order.
    fn flatten(&mut self, pattern: &'a ast::PatternExpr, into: &mut Vec<&'a ast::Step>) -> Option<()> {
        match &pattern.kind {
            PatternKind::Step(step) => {
                into.push(step);
                Some(())
            }
            PatternKind::Sequence(parts) => parts.iter().try_for_each(|p| self.flatten(p, into)),
            PatternKind::And(_) | PatternKind::Or(_) | PatternKind::Xor(_) | PatternKind::Repeat(..) => {
                self.not_compiled(pattern.span, "groups in a pattern", "sequences of single steps are compiled");
                None
            }
        }
    }

    fn step(&mut self, steps: &mut Steps, step: &'a ast::Step, whole: bool) -> Option<()> {
        let kleene = match step.quantifier {
            None => false,
            Some(Quantifier::OneOrMore) => true,
            Some(_) => {
                self.not_compiled(step.span, "this quantifier", "`all X` and `X+` are compiled");
                return None;
            }
        };
        if step.until.is_some() || step.reluctant {
            self.not_compiled(step.span, "`until` and `reluctant`", "a Kleene step takes every fitting event until the following step's first fit");
            return None;
        }
        let input = self.read(&step.event)?.node;
        let port = steps.pattern.inputs.iter().position(|n| *n == input).unwrap_or_else(|| {
            steps.pattern.inputs.push(input);
            steps.pattern.inputs.len() - 1
        });
        let schema = self.schema(input);
        let number = steps.pattern.steps.len();
        let mut names: Vec<String> = step.alias.iter().map(|a| a.text.clone()).collect();
        if names.is_empty() && !steps.inputs.iter().any(|i| i.names.contains(&step.event.text)) {
            names.push(step.event.text.clone());
        }
        if let Some(alias) = &step.alias
            && steps.inputs.iter().any(|i| i.names.contains(&alias.text))
        {
            self.report(
                Diagnostic::new(Code::PatternAlias, alias.span, format!("two steps are called `{}`", alias.text))
                    .help("every step needs a name of its own, for its fields to be read by"),
            );
            return None;
        }
        let own = ScopeInput { kleene, ..ScopeInput::new(number, names, schema.clone()) };
        let conditions = step.condition.as_ref().map(|c| self.step_condition(steps, c, &own, &step.event.text, step.negated)).unwrap_or_default();
        let (unary, correlated): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(is_unary);
        if step.negated || whole {
            if let Some(alias) = &step.alias {
                self.report(Diagnostic::new(Code::PatternAlias, alias.span, "an absent event has no fields to read").help("remove the alias"));
            }
            if kleene {
                self.report(Diagnostic::new(Code::PatternStep, step.span, "a negated step takes no quantifier"));
            }
            let Some(after) = number.checked_sub(1) else {
                self.report(
                    Diagnostic::new(Code::PatternStep, step.span, "a pattern cannot begin with an absence")
                        .help("put the event after which X must be absent in front: `A -> not X …`"),
                );
                return None;
            };
            steps.pattern.negations.push(PatternNegation { input: port, after, whole, unary, correlated });
            return Some(());
        }
        steps.pattern.steps.push(PatternStep {
            input: port,
            alias: step.alias.as_ref().map(|a| a.text.clone()),
            kleene,
            unary,
            correlated,
            within: None,
            span: step.span,
        });
        steps.inputs.push(own);
        Some(())
    }

    fn step_condition(&mut self, steps: &mut Steps, condition: &ast::Expr, own: &ScopeInput, event: &str, negated: bool) -> Vec<Expr> {
        let mut scope = Scope { inputs: steps.inputs.clone(), ..Scope::default() };
        if own.kleene && !negated {
            scope.inputs.push(own.clone());
        }
        let mut names = vec![event.to_owned()];
        if !own.kleene {
            names.extend(own.names.iter().cloned());
        }
        names.retain(|n| !scope.inputs.iter().any(|i| i.names.contains(n)));
        scope.inputs.push(ScopeInput { input: CURRENT, names, kleene: false, ..own.clone() });
        scope.current = Some(scope.inputs.len() - 1);
        scope.firing = Some(FiringScope { aggregates: std::mem::take(&mut steps.pattern.aggregates), ..FiringScope::default() });
        let typed = self.condition(condition, &mut scope);
        steps.pattern.aggregates = scope.firing.map(|f| f.aggregates).unwrap_or_default();
        typed.conjuncts()
    }

    /// Operators behind a step and before the next one.
    fn step_operators(&mut self, steps: &mut Steps, step: &'a ast::Step) {
        for op in &step.ops {
            match op.name.text.as_str() {
                "within" if self.check_args(op, &[], 1, 1) => {
                    let within = self.positional(op).first().and_then(|e| self.constant_duration(e, "`within`"));
                    let first = steps.pattern.steps.len() <= 1;
                    if let Some(last) = steps.pattern.steps.last_mut()
                        && !first
                    {
                        last.within = within;
                    } else {
                        self.report(Diagnostic::new(Code::PatternStep, op.name.span, "there is no time before the first step to bound"));
                    }
                }
                "within" => {}
                _ => {
                    self.not_compiled(op.span, "operators between steps other than `.within(…)`", "conditions stand in the step: `X where p`");
                }
            }
        }
    }

    fn pattern_operator(&mut self, steps: &mut Steps, op: &'a ast::Op, partition: &mut Vec<WrittenKey<'a>>) {
        match op.name.text.as_str() {
            "within" if self.check_args(op, &[], 1, 1) => {
                let within = self.positional(op).first().and_then(|e| self.constant_duration(e, "`within`"));
                // One that is wrong has been told: the pattern is not unbounded as well.
                steps.pattern.within = within.or(Some(i64::MAX));
            }
            "partition_by" if op.args.is_empty() => {
                self.report(Diagnostic::new(Code::MissingArgument, op.name.span, "`.partition_by` needs an argument"));
            }
            "partition_by" => {
                for arg in &op.args {
                    partition.extend(self.arg_expr(arg).map(|e| (arg.name.as_ref(), e)));
                }
            }
            "not" => match op.args.as_slice() {
                [ast::Arg { name: None, value: ArgValue::Step(step), .. }] => {
                    self.step(steps, step, true);
                }
                [ast::Arg { name: None, value: ArgValue::Expr(ast::Expr { kind: Ast::Name(event), span }, None), .. }] => {
                    self.plain_negation(steps, event, *span)
                }
                _ => self.report(Diagnostic::new(Code::BadArgument, op.name.span, "`.not` takes a step").help("as in `.not(Freeze where user == l.user)`")),
            },
            "selection" => self.only_choice(op, "next", &["any", "strict", "strict_partition", "max", "last"]),
            "after_match" => self.only_choice(op, "no_skip", &["skip_past_last", "skip_to_next", "skip_to_first", "skip_to_last"]),
            _ => {}
        }
    }

    fn plain_negation(&mut self, steps: &mut Steps, event: &str, span: Span) {
        let Some(finished) = self.read(&ast::Name { text: event.to_owned(), span }) else { return };
        let port = steps.pattern.inputs.iter().position(|n| *n == finished.node).unwrap_or_else(|| {
            steps.pattern.inputs.push(finished.node);
            steps.pattern.inputs.len() - 1
        });
        let after = steps.pattern.steps.len().saturating_sub(1);
        steps.pattern.negations.push(PatternNegation { input: port, after, whole: true, unary: vec![], correlated: vec![] });
    }

    fn only_choice(&mut self, op: &ast::Op, compiled: &str, later: &[&str]) {
        if !self.check_args(op, &[], 1, 1) {
            return;
        }
        let args = self.positional(op);
        let Some(arg) = args.first() else { return };
        let mut names = vec![];
        collect_names(arg, &mut names);
        match names.first() {
            Some(n) if *n == compiled => {}
            Some(n) if later.contains(n) => {
                let message = format!("`.{}({n})` is understood, not compiled yet", op.name.text);
                self.report(Diagnostic::new(Code::NotCompiledYet, arg.span, message).help(format!("`{compiled}` is compiled")));
            }
            _ => {
                let all: Vec<String> = std::iter::once(&compiled).chain(later).map(|n| format!("`{n}`")).collect();
                self.report(Diagnostic::new(Code::BadArgument, arg.span, format!("`.{}` takes one of {}", op.name.text, all.join(", "))));
            }
        }
    }

    /// The partition as written, or the one that equality conditions imply.
    fn partition(&mut self, stream: &str, steps: &mut Steps, written: &[WrittenKey<'_>]) {
        steps.pattern.keys = vec![vec![]; steps.pattern.inputs.len()];
        if written.is_empty() {
            let schemas: Vec<Schema> = steps.pattern.inputs.iter().map(|node| self.schema(*node)).collect();
            find_partition(&mut steps.pattern, &schemas);
            return;
        }
        for (name, e) in written {
            let mut column: Option<Column> = None;
            for (port, node) in steps.pattern.inputs.clone().into_iter().enumerate() {
                let record = self.plan.node(node).stream.clone();
                let record = ScopeInput::new(0, vec![record], self.schema(node));
                let mut scope = Scope { inputs: vec![record], current: Some(0), ..Scope::default() };
                let mut key = self.expr(e, &mut scope);
                if !self.is_key(&mut key, e.span) {
                    key = Expr::error(e.span);
                }
                key = self.key_of_input(stream, steps, port, key);
                match &column {
                    None => {
                        let name = match &e.kind {
                            _ if name.is_some() => name.map(|name| name.text.clone()).unwrap_or_default(),
                            Ast::Name(n) => n.clone(),
                            _ => format!("key{}", steps.pattern.key_columns.len() + 1),
                        };
                        column = Some(Column { name, ty: key.ty.clone(), hidden: false });
                    }
                    Some(c) if c.ty.kind != key.ty.kind && !c.ty.is_lenient() && !key.ty.is_lenient() => {
                        let message = format!("the partition's key is {} for one step and {} for another", c.ty, key.ty);
                        self.report(Diagnostic::new(Code::TypeMismatch, e.span, message));
                    }
                    Some(_) => {}
                }
                if let Some(c) = &mut column {
                    c.ty.nullable |= key.ty.nullable;
                }
                if let Some(keys) = steps.pattern.keys.get_mut(port) {
                    keys.push(key);
                }
            }
            steps.pattern.key_columns.extend(column);
        }
    }

    /// A key over the records of an input. What is no field of theirs is computed in front, and carried along.
    fn key_of_input(&mut self, stream: &str, steps: &mut Steps, port: usize, key: Expr) -> Expr {
        let current = |place: Place, key: &Expr| Expr { kind: ExprKind::Place(place), ..key.clone() };
        match &key.kind {
            ExprKind::Place(Place::Field { field, .. }) => return current(Place::Field { input: CURRENT, field: *field }, &key),
            ExprKind::Place(Place::Ts { .. }) => return current(Place::Ts { input: CURRENT }, &key),
            _ if key.ty.kind == Kind::Error => return key,
            _ => {}
        }
        let Some(input) = steps.pattern.inputs.get_mut(port) else { return key };
        let column = Column { name: format!("key{}", steps.pattern.key_columns.len() + 1), ty: key.ty.clone(), hidden: true };
        let field = self.schema(*input).columns.len();
        *input = self.carried(*input, stream, vec![(column, key.clone())], key.span);
        current(Place::Field { input: CURRENT, field }, &key)
    }

    fn check_bounds(&mut self, pattern: &Pattern, span: Span, last: Span) {
        let waits = pattern.negations.iter().any(|n| !n.whole && n.after + 1 == pattern.steps.len());
        if waits && pattern.within.is_none() {
            self.report(
                Diagnostic::new(Code::PatternNeedsWithin, last, "an absence at the end is known only when its time is over").help("bound it: `.within(10m)`"),
            );
        } else if pattern.within.is_none() && pattern.steps.len() > 1 {
            self.report(
                Diagnostic::new(Code::UnboundedPattern, span, "runs of this pattern wait forever: memory grows with the input")
                    .help("bound it: `.within(10m)`"),
            );
        }
        if waits && pattern.steps.last().is_some_and(|s| s.kleene) {
            self.not_compiled(last, "an absence behind a Kleene step in last position", "put another step between them");
        }
        if pattern.steps.len() + pattern.negations.len() > 64 {
            self.report(Diagnostic::new(Code::TooLarge, last, "a pattern has at most 64 steps and absences"));
        }
    }
}

/// Reads nothing of the run.
fn is_unary(e: &Expr) -> bool {
    let mut unary = true;
    e.places(&mut |p| unary &= matches!(p, Place::Field { input: CURRENT, .. } | Place::Ts { input: CURRENT } | Place::Global(_)));
    unary
}

/// A field of a step in an equality: the step number (negations count on behind the steps) and the field.
type Term = (usize, usize);

/// Finds equalities that tie all steps and absences to one key, and makes them the partition (§7).
/// `schemas` are those of the pattern's inputs.
fn find_partition(pattern: &mut Pattern, schemas: &[Schema]) {
    let steps = pattern.steps.len();
    let members = steps + pattern.negations.len();
    let mut pairs: Vec<(Term, Term)> = vec![];
    let correlated = |m: usize, p: &Pattern| -> Vec<Expr> {
        p.steps.get(m).map(|s| s.correlated.clone()).or_else(|| p.negations.get(m - steps).map(|n| n.correlated.clone())).unwrap_or_default()
    };
    for member in 0..members {
        for e in correlated(member, pattern) {
            pairs.extend(tie(&e, member));
        }
    }
    if pairs.is_empty() {
        return;
    }
    // Grow the class of each field of the first step; the first one that reaches every member is the key.
    let mut starts: Vec<Term> = pairs.iter().flat_map(|(a, b)| [*a, *b]).filter(|t| t.0 == 0).collect();
    starts.dedup();
    for start in starts {
        let mut class = vec![start];
        while let Some(next) = pairs.iter().find_map(|(a, b)| match (class.contains(a), class.contains(b)) {
            (true, false) => Some(*b),
            (false, true) => Some(*a),
            _ => None,
        }) {
            class.push(next);
        }
        let field_of = |m: usize| class.iter().find(|t| t.0 == m).map(|t| t.1);
        if (0..members).any(|m| field_of(m).is_none()) {
            continue;
        }
        let input_of = |m: usize, p: &Pattern| p.steps.get(m).map(|s| s.input).or_else(|| p.negations.get(m - steps).map(|n| n.input)).unwrap_or(0);
        // One input can have one key only.
        let mut fields: Vec<Option<usize>> = vec![None; pattern.inputs.len()];
        let consistent = (0..members).all(|m| match fields.get_mut(input_of(m, pattern)) {
            Some(slot @ None) => {
                *slot = field_of(m);
                true
            }
            Some(Some(f)) => Some(*f) == field_of(m),
            None => false,
        });
        if !consistent {
            continue;
        }
        let Some(column) = schemas.get(input_of(0, pattern)).and_then(|s| s.columns.get(start.1)).cloned() else { continue };
        let mut nullable = false;
        for (port, field) in fields.iter().enumerate() {
            let ty = schemas.get(port).and_then(|s| field.and_then(|f| s.columns.get(f))).map_or_else(|| column.ty.clone(), |c| c.ty.clone());
            nullable |= ty.nullable;
            let (Some(field), Some(keys)) = (field, pattern.keys.get_mut(port)) else { continue };
            keys.push(Expr::place(Place::Field { input: CURRENT, field: *field }, ty, Span::default()));
        }
        let in_class = |e: &Expr, m: usize| tie(e, m).is_some_and(|(a, b)| class.contains(&a) && class.contains(&b));
        for (m, step) in pattern.steps.iter_mut().enumerate() {
            step.correlated.retain(|e| !in_class(e, m));
        }
        for (j, negation) in pattern.negations.iter_mut().enumerate() {
            negation.correlated.retain(|e| !in_class(e, steps + j));
        }
        pattern.key_columns.push(Column { ty: column.ty.with_null(nullable), ..column });
        return;
    }
}

/// `field == alias.field` of one kind, as a tie between two members.
fn tie(e: &Expr, member: usize) -> Option<(Term, Term)> {
    let ExprKind::Binary(BinaryOp::Equal, a, b) = &e.kind else { return None };
    let term = |e: &Expr| match &e.kind {
        ExprKind::Place(Place::Field { input, field }) if !matches!(e.ty.kind, Kind::Float) => Some((if *input == CURRENT { member } else { *input }, *field)),
        _ => None,
    };
    let (a, b) = (term(a)?, term(b)?);
    (a.0 != b.0 && (a.0 == member || b.0 == member)).then_some((a, b))
}
