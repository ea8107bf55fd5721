//! Expressions: from a flat list of operands and operators to a tree, by binding power (§1).

use pest::iterators::Pair;

use super::ast::{Arg, ArgValue, BinaryOp, Expr, ExprKind, Name, SortOrder, Span, UnaryOp};
use super::{Reader, Rule};
use crate::diagnostics::{Code, Diagnostic};

/// A part of a flat expression.
enum Token {
    Operand(Expr),
    Prefix(UnaryOp, Span),
    Infix(Infix, Span),
    IsNull(bool, Span),
}

#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Binary(BinaryOp),
    In,
    NotIn,
    Range,
    RangeInclusive,
}

/// How tightly operators bind: larger is tighter.
fn power(op: Infix) -> u8 {
    use BinaryOp::*;
    match op {
        Infix::Range | Infix::RangeInclusive => 3,
        Infix::Binary(Coalesce) => 4,
        Infix::Binary(Or) => 5,
        Infix::Binary(Xor) => 6,
        Infix::Binary(And) => 7,
        Infix::In | Infix::NotIn | Infix::Binary(Less | LessEqual | Greater | GreaterEqual | Equal | NotEqual) => 9,
        Infix::Binary(BitOr) => 10,
        Infix::Binary(BitXor) => 11,
        Infix::Binary(BitAnd) => 12,
        Infix::Binary(ShiftLeft | ShiftRight) => 13,
        Infix::Binary(Add | Subtract) => 14,
        Infix::Binary(Multiply | Divide | Remainder) => 15,
        Infix::Binary(Power) => 17,
    }
}

/// How many operators an expression may have, with those of the expressions around it.
const OPERATORS: usize = 500;

const NOT: u8 = 8;
const COMPARISON: u8 = 9;
const UNARY: u8 = 16;

impl Reader<'_> {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let operators = levels(&pair);
        // Each operator is a level of the tree, and every later stage descends it.
        if !self.operators_fit(operators) {
            self.too_many_operators(span, "split it with `let`, functions or several streams; `in [a, b]` stands for many `or`");
            return Expr { kind: ExprKind::Error, span };
        }
        self.operators += operators;
        let value = self.tree(pair, span);
        self.operators -= operators;
        value
    }

    /// Whether an expression may have that many operators, where it stands.
    pub(super) fn operators_fit(&self, operators: usize) -> bool {
        self.operators + operators <= OPERATORS
    }

    pub(super) fn too_many_operators(&mut self, span: Span, help: &str) {
        let what = format!("this expression has more than {OPERATORS} operators");
        self.report(Diagnostic::new(Code::TooDeep, span, what).help(help));
    }

    fn tree(&mut self, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let mut tokens = vec![];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::lambda => return self.lambda(part),
                Rule::operand => self.operand(part, &mut tokens),
                Rule::infix => {
                    let at = self.span(&part);
                    tokens.push(Token::Infix(infix(part.as_str()), at));
                }
                Rule::is_null => {
                    let at = self.span(&part);
                    let negated = part.into_inner().any(|p| p.as_rule() == Rule::is_not);
                    tokens.push(Token::IsNull(negated, at));
                }
                _ => {}
            }
        }
        let mut tokens = tokens.into_iter().peekable();
        self.climb(&mut tokens, 0).unwrap_or(Expr { kind: ExprKind::Error, span })
    }

    fn climb(&mut self, tokens: &mut std::iter::Peekable<std::vec::IntoIter<Token>>, least: u8) -> Option<Expr> {
        let mut left = match tokens.next()? {
            Token::Operand(e) => e,
            Token::Prefix(op, at) => {
                let operand = self.climb(tokens, if op == UnaryOp::Not { NOT } else { UNARY })?;
                prefix(op, at, operand)
            }
            Token::Infix(_, at) | Token::IsNull(_, at) => return Some(Expr { kind: ExprKind::Error, span: at }),
        };
        let mut compared = false;
        while let Some(next) = tokens.peek() {
            let (binds, at) = match next {
                Token::Infix(op, at) => (power(*op), *at),
                Token::IsNull(_, at) => (COMPARISON, *at),
                Token::Operand(_) | Token::Prefix(..) => break,
            };
            if binds < least {
                break;
            }
            if binds == COMPARISON && compared {
                self.report(
                    Diagnostic::new(Code::ChainedComparison, at, "comparisons do not chain").help("join two comparisons with `and`: `a < b and b < c`"),
                );
            }
            compared = binds == COMPARISON;
            match tokens.next() {
                Some(Token::IsNull(negated, at)) => {
                    let span = left.span.to(at);
                    left = Expr { kind: ExprKind::IsNull { operand: Box::new(left), negated }, span };
                }
                Some(Token::Infix(op, at)) => {
                    // `**` groups to the right, all others to the left.
                    let right = self.climb(tokens, if op == Infix::Binary(BinaryOp::Power) { binds.min(UNARY) } else { binds + 1 })?;
                    // Nothing but a range can follow in `x in 1..10`, though ranges bind loosest everywhere else.
                    let right = match (op, tokens.peek()) {
                        (Infix::In | Infix::NotIn, Some(Token::Infix(range @ (Infix::Range | Infix::RangeInclusive), at))) => {
                            let (range, at) = (*range, *at);
                            tokens.next();
                            let to = self.climb(tokens, binds + 1)?;
                            join(range, at, right, to)
                        }
                        _ => right,
                    };
                    left = join(op, at, left, right);
                }
                _ => break,
            }
        }
        Some(left)
    }

    fn operand(&mut self, pair: Pair<'_, Rule>, tokens: &mut Vec<Token>) {
        let mut value: Option<Expr> = None;
        let mut parts = pair.into_inner().peekable();
        while let Some(part) = parts.next() {
            match part.as_rule() {
                Rule::primary if parts.peek().is_none() && is_least_int(tokens.last(), &part) => {
                    // One above the largest: it fits with its sign only.
                    let sign = tokens.pop();
                    let span = self.span(&part);
                    let span = if let Some(Token::Prefix(_, at)) = sign { at.to(span) } else { span };
                    value = Some(Expr { kind: ExprKind::Int(i64::MIN), span });
                }
                Rule::prefix => {
                    let at = self.span(&part);
                    let op = match part.as_str().trim() {
                        "-" => UnaryOp::Negate,
                        "~" => UnaryOp::BitNot,
                        _ => UnaryOp::Not,
                    };
                    tokens.push(Token::Prefix(op, at));
                }
                Rule::primary => value = Some(self.primary(part)),
                Rule::postfix => value = value.map(|v| self.postfix(v, part)),
                _ => {}
            }
        }
        tokens.extend(value.map(Token::Operand));
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let Some(inner) = pair.into_inner().next() else { return Expr { kind: ExprKind::Error, span } };
        let kind = match inner.as_rule() {
            Rule::fstring => ExprKind::Format(self.format(&inner)),
            Rule::string => ExprKind::Str(self.string(&inner)),
            Rule::timestamp => ExprKind::Timestamp(self.timestamp(&inner)),
            Rule::duration => ExprKind::Duration(self.duration(&inner)),
            Rule::float => self.float(&inner, false),
            Rule::int => ExprKind::Int(self.int(&inner)),
            Rule::boolean => ExprKind::Bool(inner.as_str() == "true"),
            Rule::null => ExprKind::Null,
            Rule::value_name => ExprKind::Name(inner.as_str().to_owned()),
            Rule::conditional => {
                let mut parts: Vec<Expr> = inner.into_inner().filter(|p| p.as_rule() == Rule::expr).map(|p| self.expr(p)).collect();
                match (parts.pop(), parts.pop(), parts.pop()) {
                    (Some(o), Some(t), Some(c)) => ExprKind::If { condition: Box::new(c), then: Box::new(t), otherwise: Box::new(o) },
                    _ => ExprKind::Error,
                }
            }
            Rule::tuple_or_group => {
                let mut trailing = false;
                let mut items = vec![];
                for p in inner.into_inner() {
                    if p.as_rule() == Rule::expr { items.push(self.expr(p)) } else { trailing = true }
                }
                match (items.len(), trailing) {
                    (1, false) => return Expr { span, ..items.pop().unwrap_or(Expr { kind: ExprKind::Error, span }) },
                    _ => ExprKind::Tuple(items),
                }
            }
            Rule::array => ExprKind::Array(inner.into_inner().map(|p| self.expr(p)).collect()),
            Rule::map => ExprKind::Map(inner.into_inner().filter_map(|p| self.map_entry(p)).collect()),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn map_entry(&mut self, pair: Pair<'_, Rule>) -> Option<(Expr, Expr)> {
        let mut parts = pair.into_inner();
        let key = parts.next()?;
        let span = self.span(&key);
        let kind = if key.as_rule() == Rule::string { ExprKind::Str(self.string(&key)) } else { ExprKind::Name(key.as_str().to_owned()) };
        let value = self.expr(parts.next()?);
        Some((Expr { kind, span }, value))
    }

    fn lambda(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut params = vec![];
        let mut body = None;
        for p in pair.into_inner() {
            if p.as_rule() == Rule::name { params.push(self.name(&p)) } else { body = Some(self.expr(p)) }
        }
        let body = body.unwrap_or(Expr { kind: ExprKind::Error, span });
        Expr { kind: ExprKind::Lambda { params, body: Box::new(body) }, span }
    }

    fn postfix(&mut self, object: Expr, pair: Pair<'_, Rule>) -> Expr {
        let span = object.span.to(self.span(&pair));
        let object = Box::new(object);
        let Some(inner) = pair.into_inner().next() else { return *object };
        let rule = inner.as_rule();
        let kind = match rule {
            Rule::call => ExprKind::Call { callee: object, args: self.args_of(inner) },
            Rule::index => {
                let (mut from, mut to, mut slices) = (None, None, false);
                for p in inner.into_inner() {
                    match p.as_rule() {
                        Rule::colon => slices = true,
                        _ if slices => to = Some(Box::new(self.expr(p))),
                        _ => from = Some(Box::new(self.expr(p))),
                    }
                }
                match from {
                    from if slices => ExprKind::Slice { object, from, to },
                    Some(index) => ExprKind::Index { object, index },
                    None => ExprKind::Error,
                }
            }
            Rule::member | Rule::safe_member => match inner.into_inner().find(|p| p.as_rule() == Rule::name) {
                Some(n) => ExprKind::Member { object, name: self.name(&n), safe: rule == Rule::safe_member },
                None => ExprKind::Error,
            },
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    pub(super) fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name { text: pair.as_str().trim().to_owned(), span: self.span(pair) }
    }

    /// The arguments inside a pair that may hold an `args`.
    pub(super) fn args_of(&mut self, pair: Pair<'_, Rule>) -> Vec<Arg> {
        pair.into_inner().filter(|p| p.as_rule() == Rule::args).flat_map(|p| p.into_inner()).map(|p| self.arg(p)).collect()
    }

    pub(super) fn arg(&mut self, pair: Pair<'_, Rule>) -> Arg {
        let span = self.span(&pair);
        let mut name = None;
        let mut value = ArgValue::Expr(Expr { kind: ExprKind::Error, span }, None);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::arg_name => name = Some(self.name(&p)),
                Rule::expr => value = ArgValue::Expr(self.expr(p), None),
                Rule::sort => {
                    let order = if p.as_str() == "asc" { SortOrder::Ascending } else { SortOrder::Descending };
                    if let ArgValue::Expr(_, sort) = &mut value {
                        *sort = Some(order);
                    }
                }
                Rule::path => value = ArgValue::Path(p.into_inner().filter_map(|o| self.op(o)).collect()),
                _ => {}
            }
        }
        Arg { name, value, span }
    }
}

/// How many levels the operators of a flat expression make: one each, and those behind its longest operand, as in `a.b.c()`.
fn levels(expr: &Pair<'_, Rule>) -> usize {
    let (mut operators, mut longest) = (0, 0);
    for part in expr.clone().into_inner() {
        match part.as_rule() {
            Rule::infix | Rule::is_null => operators += 1,
            Rule::operand => {
                let (mut signs, mut behind) = (0, 0);
                for p in part.into_inner() {
                    match p.as_rule() {
                        Rule::prefix => signs += 1,
                        Rule::postfix => behind += 1,
                        _ => {}
                    }
                }
                operators += signs;
                longest = longest.max(behind);
            }
            _ => {}
        }
    }
    operators + longest
}

/// Whether a number behind a sign makes the least integer.
fn is_least_int(sign: Option<&Token>, number: &Pair<'_, Rule>) -> bool {
    matches!(sign, Some(Token::Prefix(UnaryOp::Negate, _))) && number.as_str().trim().replace('_', "").parse() == Ok(i64::MIN.unsigned_abs())
}

fn prefix(op: UnaryOp, at: Span, operand: Expr) -> Expr {
    let span = at.to(operand.span);
    match (op, &operand.kind) {
        // A negative number is a literal of its own.
        (UnaryOp::Negate, ExprKind::Int(v)) if *v > 0 => Expr { kind: ExprKind::Int(-v), span },
        (UnaryOp::Negate, ExprKind::Float(v)) => Expr { kind: ExprKind::Float(-v), span },
        (UnaryOp::Negate, ExprKind::LongFloat(v, text)) => {
            let text = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
            Expr { kind: ExprKind::LongFloat(-v, text), span }
        }
        (UnaryOp::Negate, ExprKind::Duration(v)) => Expr { kind: ExprKind::Duration(-v), span },
        _ => Expr { kind: ExprKind::Unary { op, operand: Box::new(operand) }, span },
    }
}

fn join(op: Infix, at: Span, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = match op {
        Infix::Binary(op) => ExprKind::Binary { op, op_span: at, left, right },
        Infix::In => ExprKind::In { value: left, set: right, negated: false },
        Infix::NotIn => ExprKind::In { value: left, set: right, negated: true },
        Infix::Range => ExprKind::Range { from: left, to: right, inclusive: false },
        Infix::RangeInclusive => ExprKind::Range { from: left, to: right, inclusive: true },
    };
    Expr { kind, span }
}

fn infix(text: &str) -> Infix {
    use BinaryOp::*;
    Infix::Binary(match text.trim() {
        "**" => Power,
        "*" => Multiply,
        "/" => Divide,
        "%" => Remainder,
        "+" => Add,
        "-" => Subtract,
        "<<" => ShiftLeft,
        ">>" => ShiftRight,
        "<=" => LessEqual,
        ">=" => GreaterEqual,
        "==" => Equal,
        "!=" => NotEqual,
        "<" => Less,
        ">" => Greater,
        "&" => BitAnd,
        "^" => BitXor,
        "|" => BitOr,
        "and" => And,
        "xor" => Xor,
        "or" => Or,
        "??" => Coalesce,
        ".." => return Infix::Range,
        "..=" => return Infix::RangeInclusive,
        "in" => return Infix::In,
        _ => return Infix::NotIn,
    })
}
