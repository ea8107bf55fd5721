//! Patterns: steps, groups and quantifiers, in arrow form and in `SEQ(…)`.

use pest::iterators::Pair;

use super::ast::{ArgValue, Expr, PatternDecl, PatternExpr, PatternKind, Quantifier, Span, Step};
use super::{Reader, Rule};
use crate::diagnostics::{Code, Diagnostic};

impl Reader<'_> {
    pub(super) fn pattern_decl(&mut self, pair: Pair<'_, Rule>) -> Option<PatternDecl> {
        let (mut name, mut pattern, mut within, mut partition) = (None, None, None, vec![]);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::sequence => pattern = self.sequence(p),
                Rule::within_clause => within = p.into_inner().next().map(|e| self.expr(e)),
                Rule::partition_clause => partition.extend(p.into_inner().map(|e| self.expr(e))),
                _ => {}
            }
        }
        Some(PatternDecl { name: name?, pattern: pattern?, within, partition })
    }

    pub(super) fn sequence(&mut self, pair: Pair<'_, Rule>) -> Option<PatternExpr> {
        let span = self.span(&pair);
        let mut parts = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::seq_form => parts.extend(p.into_inner().filter(|q| q.as_rule() == Rule::choice).filter_map(|q| self.choice(q))),
                Rule::element => parts.extend(self.element(p)),
                _ => {}
            }
        }
        Some(if parts.len() == 1 { parts.pop()? } else { PatternExpr { kind: PatternKind::Sequence(parts), span } })
    }

    fn choice(&mut self, pair: Pair<'_, Rule>) -> Option<PatternExpr> {
        let span = self.span(&pair);
        let mut parts = vec![];
        let mut words: Vec<(String, super::ast::Span)> = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::element => parts.extend(self.element(p)),
                Rule::choice_word => words.push((p.as_str().trim().to_lowercase(), self.span(&p))),
                _ => {}
            }
        }
        let Some((first, _)) = words.first().cloned() else { return parts.pop() };
        if let Some((_, at)) = words.iter().find(|(w, _)| *w != first) {
            self.report(
                Diagnostic::new(Code::Syntax, *at, "`and`, `or` and `xor` do not mix without brackets").help("group with brackets: `(A and (B or C))`"),
            );
        }
        let kind = match first.as_str() {
            "and" => PatternKind::And(parts),
            "or" => PatternKind::Or(parts),
            _ => PatternKind::Xor(parts),
        };
        Some(PatternExpr { kind, span })
    }

    fn element(&mut self, pair: Pair<'_, Rule>) -> Option<PatternExpr> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        if inner.as_rule() == Rule::step {
            return self.step(inner).map(|s| PatternExpr { kind: PatternKind::Step(Box::new(s)), span });
        }
        let (mut parts, mut ops) = (vec![], vec![]);
        let mut quantifier = None;
        for p in inner.into_inner() {
            match p.as_rule() {
                Rule::choice => parts.extend(self.choice(p)),
                Rule::quantifier => quantifier = Some(self.quantifier(p)),
                Rule::op => ops.extend(self.op(p)),
                _ => {}
            }
        }
        let mut group = if parts.len() == 1 { parts.pop()? } else { PatternExpr { kind: PatternKind::Sequence(parts), span } };
        if let Some(step) = last_step(&mut group) {
            step.ops.extend(ops);
        }
        Some(match quantifier {
            Some(q) => PatternExpr { kind: PatternKind::Repeat(Box::new(group), q), span },
            None => group,
        })
    }

    fn quantifier(&mut self, pair: Pair<'_, Rule>) -> Quantifier {
        let text = pair.as_str().trim().to_owned();
        match text.as_str() {
            "+" => return Quantifier::OneOrMore,
            "*" => return Quantifier::ZeroOrMore,
            "?" => return Quantifier::Optional,
            _ => {}
        }
        let mut numbers = vec![];
        let mut comma = false;
        for p in pair.into_inner() {
            if p.as_rule() == Rule::int { numbers.push(u32::try_from(self.int(&p)).unwrap_or(u32::MAX)) } else { comma = true }
        }
        let least = numbers.first().copied().unwrap_or(0);
        Quantifier::Between(least, if comma { numbers.get(1).copied() } else { Some(least) })
    }

    pub(super) fn step(&mut self, pair: Pair<'_, Rule>) -> Option<Step> {
        // Operators behind a step are the pattern's, or bound the time before it.
        let is_op = |p: &Pair<'_, Rule>| p.as_rule() == Rule::step_part && p.clone().into_inner().next().is_some_and(|q| q.as_rule() == Rule::op);
        let own = pair.clone().into_inner().filter(|p| !is_op(p)).last();
        let span = own.map_or(self.span(&pair), |last| Span { end: self.span(&last).end, ..self.span(&pair) });
        let mut step = Step {
            negated: false,
            event: super::ast::Name { text: String::new(), span },
            quantifier: None,
            condition: None,
            alias: None,
            until: None,
            reluctant: false,
            ops: vec![],
            span,
        };
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::step_word => {
                    let at = self.span(&p);
                    match p.into_inner().next().map(|q| q.as_rule()) {
                        Some(Rule::not_step) if step.negated => self.report(Diagnostic::new(Code::PatternStep, at, "a step is negated once")),
                        Some(Rule::not_step) => step.negated = true,
                        _ => step.quantifier = Some(Quantifier::OneOrMore),
                    }
                }
                Rule::event_name => step.event = self.name(&p),
                Rule::quantifier => step.quantifier = Some(self.quantifier(p)),
                Rule::step_part => self.step_part(p, &mut step),
                _ => {}
            }
        }
        Some(step)
    }

    fn step_part(&mut self, pair: Pair<'_, Rule>, step: &mut Step) {
        let Some(inner) = pair.into_inner().next() else { return };
        match inner.as_rule() {
            Rule::undotted_op => {
                if self.in_source && !step.ops.is_empty() {
                    step.ops.extend(self.undotted(inner, true));
                } else if let Some(condition) = self.undotted(inner, false).and_then(condition_of) {
                    self.add_condition(step, condition);
                }
            }
            Rule::op => step.ops.extend(self.op(inner)),
            Rule::alias => {
                let alias = inner.into_inner().find(|q| q.as_rule() == Rule::name).map(|q| self.name(&q));
                if let (Some(before), Some(again)) = (&step.alias, &alias) {
                    let d = Diagnostic::new(Code::PatternAlias, again.span, format!("the step is called `{}` already", before.text));
                    self.report(d.also(before.span, "here"));
                    return;
                }
                step.alias = alias;
                // A source's operators stay as they are.
                if self.in_source && step.quantifier.is_none() && !step.negated {
                    return;
                }
                // `X.where(p) as a`: what stands before the alias is the step's condition.
                for op in std::mem::take(&mut step.ops) {
                    match op.name.text.as_str() {
                        "where" => {
                            if let Some(condition) = condition_of(op) {
                                self.add_condition(step, condition);
                            }
                        }
                        _ => step.ops.push(op),
                    }
                }
            }
            Rule::until => {
                let mut until = None;
                for core in inner.into_inner().filter(|q| q.as_rule() == Rule::step_core) {
                    let span = self.span(&core);
                    let (mut event, mut condition) = (None, None);
                    for q in core.into_inner() {
                        match q.as_rule() {
                            Rule::event_name => event = Some(self.name(&q)),
                            _ => condition = self.undotted(q, false).and_then(condition_of),
                        }
                    }
                    until = event.map(|event| {
                        Box::new(Step { negated: false, event, quantifier: None, condition, alias: None, until: None, reluctant: false, ops: vec![], span })
                    });
                }
                step.until = until;
            }
            Rule::reluctant => step.reluctant = true,
            _ => {}
        }
    }

    fn add_condition(&mut self, step: &mut Step, condition: Expr) {
        // Conditions of one step are joined, each a level above those before it.
        if !self.operators_fit(1 + step.condition.as_ref().map_or(0, left_levels)) {
            // Once is enough.
            if self.diagnostics.last().is_none_or(|d| d.code != Code::TooDeep) {
                self.too_many_operators(step.span, "join what belongs together in functions");
            }
            step.condition = None;
            return;
        }
        step.condition = Some(match step.condition.take() {
            None => condition,
            Some(before) => {
                let span = before.span.to(condition.span);
                let kind =
                    super::ast::ExprKind::Binary { op: super::ast::BinaryOp::And, op_span: condition.span, left: Box::new(before), right: Box::new(condition) };
                Expr { kind, span }
            }
        });
    }
}

/// How deep the first operand of an expression's first operand lies.
fn left_levels(e: &Expr) -> usize {
    let (mut e, mut levels) = (e, 0);
    while let super::ast::ExprKind::Binary { left, .. } = &e.kind {
        (e, levels) = (left, levels + 1);
    }
    levels
}

fn condition_of(op: super::ast::Op) -> Option<Expr> {
    match op.args.into_iter().next()?.value {
        ArgValue::Expr(e, _) => Some(e),
        _ => None,
    }
}

/// The step that ends a group: what stands behind the group stands behind it.
fn last_step(pattern: &mut PatternExpr) -> Option<&mut Step> {
    match &mut pattern.kind {
        PatternKind::Step(step) => Some(step),
        PatternKind::Sequence(parts) | PatternKind::And(parts) | PatternKind::Or(parts) | PatternKind::Xor(parts) => last_step(parts.last_mut()?),
        PatternKind::Repeat(inner, _) => last_step(inner),
    }
}
