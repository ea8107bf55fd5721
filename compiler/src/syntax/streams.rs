//! Streams: sources and operators.

use pest::iterators::Pair;

use super::ast::{Arg, ArgValue, JoinKind, Name, Op, PatternKind, Source, SourceKind, Span, StreamArg, StreamDecl};
use super::{Reader, Rule};
use crate::diagnostics::{Code, Diagnostic};

impl Reader<'_> {
    pub(super) fn stream(&mut self, pair: Pair<'_, Rule>) -> Option<StreamDecl> {
        let (mut name, mut ty, mut source, mut ops) = (None, None, None, vec![]);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::type_expr => ty = Some(self.type_expr(p)),
                Rule::kw_from => {
                    let span = self.span(&p);
                    self.report(Diagnostic::new(Code::OldForm, span, "`stream T from X` is the older form").fix(span, "=", "write it as `stream T = X`"));
                }
                Rule::source => source = self.source(p, &mut ops),
                Rule::any_op => ops.extend(self.any_op(p)),
                _ => {}
            }
        }
        Some(StreamDecl { name: name?, ty, source: source?, ops })
    }

    fn source(&mut self, pair: Pair<'_, Rule>, ops: &mut Vec<Op>) -> Option<Source> {
        let span = self.span(&pair);
        let mut alias = None;
        let mut kind = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::combined => kind = self.combined(p),
                Rule::timer => kind = Some(SourceKind::Timer(self.args_of(p))),
                Rule::sequence => {
                    self.in_source = p.clone().into_inner().flatten().filter(|q| q.as_rule() == Rule::step).count() == 1;
                    let pattern = self.sequence(p);
                    self.in_source = false;
                    let pattern = pattern?;
                    kind = Some(match pattern.kind {
                        PatternKind::Step(step) if !step.negated && step.quantifier.is_none() && step.until.is_none() && !step.reluctant => {
                            alias = step.alias.clone();
                            if let Some(condition) = step.condition.clone() {
                                let at = condition.span;
                                let word = self.old_where(at);
                                ops.push(Op {
                                    name: Name { text: "where".to_owned(), span: word },
                                    args: vec![Arg { name: None, value: ArgValue::Expr(condition, None), span: at }],
                                    as_type: None,
                                    span: at,
                                    undotted: true,
                                });
                            }
                            let mut rest = step.ops;
                            if rest.first().is_some_and(|o| o.name.text == "from") {
                                let from = rest.remove(0);
                                ops.extend(rest);
                                SourceKind::From { event: step.event, args: from.args }
                            } else {
                                ops.extend(rest);
                                SourceKind::Named(step.event)
                            }
                        }
                        _ => SourceKind::Sequence(pattern),
                    });
                }
                Rule::alias => alias = p.into_inner().find(|q| q.as_rule() == Rule::name).map(|q| self.name(&q)),
                _ => {}
            }
        }
        Some(Source { kind: kind?, alias, span })
    }

    fn combined(&mut self, pair: Pair<'_, Rule>) -> Option<SourceKind> {
        let mut word = String::new();
        let mut inputs = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::combine_word => word = p.as_str().trim().to_owned(),
                Rule::stream_arg => inputs.extend(self.stream_arg(p)),
                _ => {}
            }
        }
        let kind = match word.as_str() {
            "merge" => return Some(SourceKind::Merge(inputs)),
            "left_join" => JoinKind::Left,
            "right_join" => JoinKind::Right,
            "full_join" => JoinKind::Full,
            "latest_join" => JoinKind::Latest,
            _ => JoinKind::Inner,
        };
        Some(SourceKind::Join { kind, inputs })
    }

    fn stream_arg(&mut self, pair: Pair<'_, Rule>) -> Option<StreamArg> {
        let span = self.span(&pair);
        let (mut name, mut source, mut ops, mut alias) = (None, None, vec![], None);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::source => source = self.source(p, &mut ops),
                Rule::any_op => ops.extend(self.any_op(p)),
                Rule::alias => alias = p.into_inner().find(|q| q.as_rule() == Rule::name).map(|q| self.name(&q)),
                _ => {}
            }
        }
        let mut source = source?;
        let alias = alias.or(source.alias.take());
        Some(StreamArg { name, source, ops, alias, span })
    }

    fn any_op(&mut self, pair: Pair<'_, Rule>) -> Option<Op> {
        let inner = pair.into_inner().next()?;
        match inner.as_rule() {
            Rule::op => self.op(inner),
            _ => self.undotted(inner, true),
        }
    }

    /// `where p`; in streams that is the older form.
    pub(super) fn undotted(&mut self, pair: Pair<'_, Rule>, old: bool) -> Option<Op> {
        let span = self.span(&pair);
        let (mut word, mut condition) = (None, None);
        for p in pair.into_inner() {
            if p.as_rule() == Rule::expr { condition = Some(self.expr(p)) } else { word = Some(self.name(&p)) }
        }
        let (word, condition) = (word?, condition?);
        if old {
            self.old_where(condition.span);
        }
        let at = condition.span;
        Some(Op {
            name: Name { text: "where".to_owned(), span: word.span },
            args: vec![Arg { name: None, value: ArgValue::Expr(condition, None), span: at }],
            as_type: None,
            span,
            undotted: true,
        })
    }

    /// Warns of a `where` without a dot in front of a condition, with the newer form to replace it by; says where the word stands.
    fn old_where(&mut self, condition: Span) -> Span {
        let before = self.text.get(..condition.start as usize).unwrap_or_default().trim_end();
        let start = before.len().saturating_sub("where".len());
        let word = before.get(start..).filter(|w| w.eq_ignore_ascii_case("where"));
        // A comment may stand between the two.
        let span = word.map_or(condition, |_| Span::new(start, before.len()));
        let mut d = Diagnostic::new(Code::OldForm, span, "`where` without a dot is the older form");
        // Several conditions of one step are read as one.
        let written = self.text.get(condition.start as usize..condition.end as usize).filter(|text| !text.to_lowercase().contains("where"));
        d = match word.and(written) {
            Some(text) => {
                let bare = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).filter(|t| !t.contains(['(', ')'])).unwrap_or(text);
                let spaces = self.text.get(..start).map_or(0, |t| t.len() - t.trim_end_matches(' ').len());
                d.fix(Span::new(start - spaces, condition.end as usize), format!(".where({bare})"), "write it as an operator")
            }
            None => d.help("write it as `.where(…)`"),
        };
        self.report(d);
        span
    }

    pub(super) fn op(&mut self, pair: Pair<'_, Rule>) -> Option<Op> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        if inner.as_rule() == Rule::op_not {
            let mut name = None;
            let mut args = vec![];
            for p in inner.into_inner() {
                if p.as_rule() == Rule::step {
                    let at = self.span(&p);
                    args.extend(self.step(p).map(|s| Arg { name: None, value: ArgValue::Step(Box::new(s)), span: at }));
                } else {
                    name = Some(self.name(&p));
                }
            }
            return Some(Op { name: name?, args, as_type: None, span, undotted: false });
        }
        let (mut name, mut as_type) = (None, None);
        for p in inner.clone().into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::op_type => as_type = Some(self.name(&p)),
                _ => {}
            }
        }
        let args = self.args_of(inner);
        Some(Op { name: name?, args, as_type, span, undotted: false })
    }
}
