//! Bodies: lowered values and statements as Rust. A value that is used once is written where it is used, unless that would move it
//! across a write, a condition or another way out.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal as Token, TokenStream};
use quote::{format_ident, quote};
use varpulis_abi::scalar::Scalar;

use super::names;
use super::program::Printer;
use super::record::int;
use crate::analysis::typed::Literal;
use crate::lower::ir::{Arithmetic, Body, Comparison, Op, Read, Region, RowSource, Statement, Value, ValueId};

/// An expression, and whether it binds tighter than any operator around it.
#[derive(Clone)]
pub(super) struct Printed {
    tokens: TokenStream,
    atomic: bool,
    /// Worth moving: reads only what nothing changes, and cannot leave the function.
    movable: bool,
}

impl Printed {
    fn operand(&self) -> TokenStream {
        let t = &self.tokens;
        if self.atomic { quote!(#t) } else { quote!((#t)) }
    }
}

/// What code is printed in: a kernel's function or a chain.
pub(super) struct Place {
    /// The expression of the record's time.
    pub(super) ts: TokenStream,
    /// What parts of a firing are reached through, in chains.
    pub(super) firing: bool,
    /// Whether an evaluation error can leave the function.
    pub(super) fallible: bool,
    /// The stage of a chain.
    pub(super) stage: usize,
    /// In chains: what `out.error` shows of the record.
    pub(super) record: TokenStream,
    /// Globals in the making: earlier ones are variables.
    pub(super) globals: bool,
}

/// Prints one body.
pub(super) struct BodyPrinter<'p, 'a> {
    pub(super) printer: &'p Printer<'a>,
    pub(super) body: &'p Body,
    pub(super) place: &'p Place,
    uses: HashMap<ValueId, usize>,
    pending: Vec<(ValueId, Printed)>,
    named: HashMap<ValueId, Ident>,
}

impl<'p, 'a> BodyPrinter<'p, 'a> {
    pub(super) fn new(printer: &'p Printer<'a>, body: &'p Body, place: &'p Place) -> Self {
        Self { printer, body, place, uses: uses(printer, body), pending: vec![], named: HashMap::new() }
    }

    /// The whole body.
    pub(super) fn print(mut self) -> TokenStream {
        self.list(&self.body.statements)
    }

    fn list(&mut self, list: &[Statement]) -> TokenStream {
        let mut out = TokenStream::new();
        for s in list {
            self.statement(s, &mut out);
        }
        out
    }

    /// Names whatever must not move past what comes next.
    fn flush(&mut self, out: &mut TokenStream, all: bool) {
        for (id, printed) in std::mem::take(&mut self.pending) {
            if printed.movable && !all {
                self.pending.push((id, printed));
            } else {
                out.extend(self.bind(id, &printed));
            }
        }
    }

    fn bind(&mut self, id: ValueId, printed: &Printed) -> TokenStream {
        let name = format_ident!("v{}", id.0);
        self.named.insert(id, name.clone());
        let tokens = &printed.tokens;
        quote!(let #name = #tokens;)
    }

    /// The value as an expression.
    fn take(&mut self, id: ValueId) -> Printed {
        if let Some(name) = self.named.get(&id) {
            return Printed { tokens: quote!(#name), atomic: true, movable: true };
        }
        if let Some(at) = self.pending.iter().position(|(v, _)| *v == id) {
            return self.pending.remove(at).1;
        }
        // Constants and plain reads cost nothing to repeat, so that they are never bound.
        let value = self.body.value(id);
        self.op(value)
    }

    /// Text as `&str`, anything else as it is.
    fn borrowed(&mut self, id: ValueId) -> Printed {
        let value = self.body.value(id);
        let (owned, ty) = (value.owned, value.ty);
        let printed = self.take(id);
        if !owned || !matches!(ty.scalar, Scalar::Text | Scalar::Json) {
            return printed;
        }
        let t = printed.operand();
        let tokens = if ty.nullable { quote!(#t.as_deref()) } else { quote!(#t.as_str()) };
        Printed { tokens, atomic: true, movable: printed.movable }
    }

    /// Text as the state's own, anything else as it is.
    fn owned_text(&mut self, id: ValueId) -> TokenStream {
        let value = self.body.value(id);
        if matches!(value.op, Op::Null) {
            return quote!(None);
        }
        let (owned, ty) = (value.owned, value.ty);
        let printed = self.take(id);
        let t = &printed.tokens;
        match (matches!(ty.scalar, Scalar::Text | Scalar::Json), owned, ty.nullable) {
            (false, ..) => quote!(#t),
            (true, true, false) => quote!(Text::from(#t)),
            (true, true, true) => {
                let t = printed.operand();
                quote!(#t.map(Text::from))
            }
            (true, false, false) => quote!(Text::from(#t)),
            (true, false, true) => {
                let t = printed.operand();
                quote!(#t.map(Text::from))
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm per case")]
    fn statement(&mut self, s: &Statement, out: &mut TokenStream) {
        match s {
            Statement::Let(id) => self.let_value(*id, out),
            Statement::Comment(text) => {
                if self.printer.options.comments {
                    self.flush(out, false);
                    out.extend(quote!(__vpl_comment!(#text);));
                }
            }
            Statement::Guard(v) => {
                let c = self.take(*v);
                self.flush(out, false);
                let leave = if self.place.fallible { quote!(return Ok(())) } else { quote!(return) };
                let not = negated(&c);
                out.extend(quote!(if #not { #leave; }));
            }
            Statement::If { condition, then, otherwise } => {
                let c = self.take(*condition);
                self.flush(out, true);
                let then = self.list(then);
                let otherwise = self.list(otherwise);
                let c = c.tokens;
                match (then.is_empty(), otherwise.is_empty()) {
                    (true, true) => {}
                    (_, true) => out.extend(quote!(if #c { #then })),
                    (true, false) => out.extend(quote!(if !(#c) { #otherwise })),
                    _ => out.extend(quote!(if #c { #then } else { #otherwise })),
                }
            }
            Statement::Store { param, record, field, value } => {
                if !self.printer.is_used(*record, *field) {
                    return;
                }
                let value = self.owned_text(*value);
                self.flush(out, false);
                let (param, field) = (names::ident(param), self.field(*record, *field));
                out.extend(quote!(#param.#field = #value;));
            }
            Statement::Tell { param, record, field, method, args } => {
                let args: Vec<TokenStream> = args.iter().map(|a| self.borrowed(*a).tokens).collect();
                self.flush(out, false);
                let (param, field, method) = (names::ident(param), self.field(*record, *field), names::ident(method.name));
                out.extend(quote!(#param.#field.#method(#(#args),*);));
            }
            Statement::MergeObject { record, field, into, from } => {
                self.flush(out, false);
                let (into, from, field) = (names::ident(into), names::ident(from), self.field(*record, *field));
                out.extend(quote!(#into.#field.merge(&#from.#field);));
            }
            Statement::Return(v) => {
                let v = self.borrowed(*v).tokens;
                self.flush(out, false);
                out.extend(if self.place.fallible { quote!(Ok(#v)) } else { quote!(#v) });
            }
            Statement::Print(v) => {
                let v = self.borrowed(*v).tokens;
                self.flush(out, false);
                out.extend(quote!(out.print(#v);));
            }
            Statement::Count { counter, every, then } => {
                self.flush(out, true);
                let counter = format_ident!("counter{}", counter);
                let then = self.list(then);
                if !then.is_empty() {
                    let every = Token::i64_unsuffixed(*every);
                    let due = if *every.to_string() == *"1" { quote!({ #then }) } else { quote!(if self.#counter % #every == 0 { #then }) };
                    out.extend(due);
                }
                out.extend(quote!(self.#counter += 1;));
            }
            Statement::Push { .. } | Statement::Call { .. } | Statement::Publish { .. } | Statement::PublishRule { .. } => self.effect(s, out),
        }
    }

    fn let_value(&mut self, id: ValueId, out: &mut TokenStream) {
        let Some(uses) = self.uses.get(&id).copied() else { return };
        let value = self.body.value(id);
        let trivial = matches!(value.op, Op::Const(_) | Op::Null | Op::Global(_) | Op::Read(_)) || matches!(value.op, Op::Load { param: "row", .. });
        if trivial {
            return;
        }
        let printed = self.op(value);
        if uses == 0 {
            let t = printed.tokens;
            out.extend(quote!(let _ = #t;));
        } else if uses == 1 && !matches!(value.op, Op::If { .. } if printed.tokens.to_string().starts_with("if ")) && !value.owned {
            self.pending.push((id, printed));
        } else {
            out.extend(self.bind(id, &printed));
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm per case")]
    fn op(&mut self, value: &'p Value) -> Printed {
        let ty = value.ty;
        let atomic = |tokens: TokenStream| Printed { tokens, atomic: true, movable: true };
        match &value.op {
            Op::Const(l) => self.constant(l),
            Op::Null => atomic(quote!(None)),
            Op::Load { param, record, field } => {
                let (param_name, field) = (names::ident(param), self.field(*record, *field));
                let base = if self.place.firing && *param != "row" { quote!(firing.#param_name) } else { quote!(#param_name) };
                let text = self.printer.program.record(*record).stored && matches!(ty.scalar, Scalar::Text | Scalar::Json);
                let tokens = match (text, ty.nullable) {
                    (false, _) => quote!(#base.#field),
                    (true, false) => quote!(#base.#field.as_str()),
                    (true, true) => quote!(#base.#field.as_deref()),
                };
                Printed { tokens, atomic: true, movable: *param == "row" || self.place.firing }
            }
            Op::Read(Read::Ts) => {
                let ts = &self.place.ts;
                atomic(quote!(#ts))
            }
            Op::Read(Read::WindowStart) => atomic(quote!(firing.start)),
            Op::Read(Read::WindowEnd) => atomic(quote!(firing.end)),
            Op::Global(i) => {
                let name = names::field(self.printer.program.globals.get(*i).map_or("", |g| &g.name));
                let text = matches!(ty.scalar, Scalar::Text | Scalar::Json);
                let base = if self.place.globals { quote!(#name) } else { quote!(self.globals.#name) };
                atomic(match (text, ty.nullable) {
                    (false, _) => base,
                    (true, false) => quote!(#base.as_str()),
                    (true, true) => quote!(#base.as_deref()),
                })
            }
            Op::Wrap(v) => self.around(*v, |t| quote!(Some(#t)), false),
            Op::Unwrap(v) => {
                let p = self.borrowed(*v);
                let t = p.operand();
                Printed { tokens: quote!(#t.unwrap_or_default()), atomic: true, movable: p.movable }
            }
            Op::IsNull(v) => self.around(*v, |t| quote!(#t.is_none()), true),
            Op::IsTrue(v) => {
                let p = self.take(*v);
                let t = p.operand();
                Printed { tokens: quote!(#t == Some(true)), atomic: false, movable: p.movable }
            }
            Op::ToFloat(v) => {
                let p = self.take(*v);
                let t = p.operand();
                Printed { tokens: quote!(#t as f64), atomic: false, movable: p.movable }
            }
            Op::Not(v) => self.not(*v),
            Op::BitNot(v) => self.around(*v, |t| quote!(!#t), true).loose(),
            Op::Negate(v, site) => {
                let p = self.take(*v);
                let t = p.operand();
                if ty.scalar == Scalar::Float {
                    Printed { tokens: quote!(-#t), atomic: false, movable: p.movable }
                } else {
                    self.checked(quote!(negate_int(#t)), *site)
                }
            }
            Op::AddCounts(a, b) => {
                let (x, y) = (self.take(*a), self.take(*b));
                let (t, u) = (x.operand(), y.tokens);
                Printed { tokens: quote!(#t.saturating_add(#u)), atomic: true, movable: x.movable && y.movable }
            }
            Op::Arithmetic { op, left, right, site } => self.arithmetic(*op, *left, *right, *site, ty.scalar),
            Op::Compare { op, left, right } => self.compare(*op, *left, *right),
            Op::SameKey(a, b) => self.same_key(*a, *b),
            Op::If { condition, then, otherwise } => self.choose(value, *condition, then, otherwise),
            Op::Call { function, args, site } => {
                let mut movable = true;
                let args: Vec<TokenStream> = args
                    .iter()
                    .map(|a| {
                        let p = self.borrowed(*a);
                        movable &= p.movable;
                        p.tokens
                    })
                    .collect();
                let name = names::ident(function.row().body);
                let call = quote!(#name(#(#args),*));
                if function.row().fallible { self.checked(call, *site) } else { Printed { tokens: call, atomic: true, movable } }
            }
            Op::Hash(values) => {
                let values: Vec<TokenStream> = values
                    .iter()
                    .map(|v| {
                        let scalar = self.body.value(*v).ty;
                        let p = self.borrowed(*v);
                        let t = p.tokens.clone();
                        match (scalar.scalar, scalar.nullable) {
                            (Scalar::Float, false) => quote!(float_key(#t)),
                            (Scalar::Float, true) => {
                                let t = p.operand();
                                quote!(#t.map(float_key))
                            }
                            _ => t,
                        }
                    })
                    .collect();
                match values.as_slice() {
                    [only] => atomic(quote!(hasher.hash(#only))),
                    _ => atomic(quote!(hasher.hash((#(#values),*)))),
                }
            }
            Op::Mask(bits) => self.mask(bits),
            Op::Ask { param, record, field, method, args } => {
                let args: Vec<TokenStream> = args.iter().map(|a| self.borrowed(*a).tokens).collect();
                let (param, field, method) = (names::ident(param), self.field(*record, *field), names::ident(method.name));
                let base = if self.place.firing { quote!(firing.#param) } else { quote!(#param) };
                Printed { tokens: quote!(#base.#field.#method(#(#args),*)), atomic: true, movable: self.place.firing }
            }
        }
    }

    fn around(&mut self, v: ValueId, wrap: impl FnOnce(TokenStream) -> TokenStream, operand: bool) -> Printed {
        let p = self.take(v);
        let t = if operand { p.operand() } else { p.tokens.clone() };
        Printed { tokens: wrap(t), atomic: true, movable: p.movable }
    }

    fn not(&mut self, v: ValueId) -> Printed {
        if let Op::IsNull(inner) = self.body.value(v).op
            && self.uses.get(&v).copied().unwrap_or(0) <= 1
            && !self.named.contains_key(&v)
        {
            self.pending.retain(|(id, _)| *id != v);
            return self.around(inner, |t| quote!(#t.is_some()), true);
        }
        let p = self.take(v);
        Printed { tokens: negated(&p), atomic: false, movable: p.movable }
    }

    /// A call that can refuse: its reason gets the place in the program, and leaves the function.
    fn checked(&self, call: TokenStream, site: crate::lower::ir::SiteId) -> Printed {
        let site = Token::u32_unsuffixed(site.0);
        Printed { tokens: quote!(#call.map_err(|reason| Refusal::new(#site, reason))?), atomic: true, movable: false }
    }

    fn constant(&mut self, l: &Literal) -> Printed {
        let (tokens, atomic) = match l {
            Literal::Null => (quote!(None), true),
            Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => (int(*v), *v >= 0),
            Literal::Float(v) if v.is_nan() => (quote!(f64::NAN), true),
            Literal::Float(v) if v.is_infinite() => (if *v > 0.0 { quote!(f64::INFINITY) } else { quote!(f64::NEG_INFINITY) }, true),
            Literal::Float(v) => {
                let t = Token::f64_unsuffixed(v.abs());
                if v.is_sign_negative() { (quote!(-#t), false) } else { (quote!(#t), true) }
            }
            Literal::Bool(v) => (quote!(#v), true),
            Literal::Str(v) => (quote!(#v), true),
            Literal::Enum(v) => {
                let v = Token::u32_unsuffixed(*v);
                (quote!(#v), true)
            }
        };
        Printed { tokens, atomic, movable: true }
    }

    fn arithmetic(&mut self, op: Arithmetic, left: ValueId, right: ValueId, site: crate::lower::ir::SiteId, scalar: Scalar) -> Printed {
        let (l, r) = (self.take(left), self.take(right));
        let function = match op {
            Arithmetic::Add => "add_int",
            Arithmetic::Subtract => "subtract_int",
            Arithmetic::Multiply => "multiply_int",
            Arithmetic::Divide | Arithmetic::BitAnd | Arithmetic::BitOr | Arithmetic::BitXor => "",
        };
        if scalar != Scalar::Float && !function.is_empty() {
            let (name, l, r) = (names::ident(function), l.tokens, r.tokens);
            return self.checked(quote!(#name(#l, #r)), site);
        }
        let movable = l.movable && r.movable;
        let (l, r) = (l.operand(), r.operand());
        let tokens = match op {
            Arithmetic::Add => quote!(#l + #r),
            Arithmetic::Subtract => quote!(#l - #r),
            Arithmetic::Multiply => quote!(#l * #r),
            Arithmetic::Divide => quote!(#l / #r),
            Arithmetic::BitAnd => quote!(#l & #r),
            Arithmetic::BitOr => quote!(#l | #r),
            Arithmetic::BitXor => quote!(#l ^ #r),
        };
        Printed { tokens, atomic: false, movable }
    }

    fn compare(&mut self, op: Comparison, left: ValueId, right: ValueId) -> Printed {
        let json = self.body.value(left).ty.scalar == Scalar::Json;
        let (l, r) = (self.borrowed(left), self.borrowed(right));
        let movable = l.movable && r.movable;
        if json {
            let (l, r) = (l.tokens, r.tokens);
            let not = if op == Comparison::NotEqual { quote!(!) } else { quote!() };
            return Printed { tokens: quote!(#not equal_json(#l, #r)), atomic: true, movable };
        }
        let (l, r) = (l.operand(), r.operand());
        let tokens = match op {
            Comparison::Less => quote!(#l < #r),
            Comparison::LessEqual => quote!(#l <= #r),
            Comparison::Greater => quote!(#l > #r),
            Comparison::GreaterEqual => quote!(#l >= #r),
            Comparison::Equal => quote!(#l == #r),
            Comparison::NotEqual => quote!(#l != #r),
        };
        Printed { tokens, atomic: false, movable }
    }

    fn same_key(&mut self, a: ValueId, b: ValueId) -> Printed {
        let ty = self.body.value(a).ty;
        let (l, r) = (self.borrowed(a), self.borrowed(b));
        let movable = l.movable && r.movable;
        let (x, y) = (l.operand(), r.operand());
        let tokens = match (ty.scalar, ty.nullable) {
            (Scalar::Float, false) => {
                let (x, y) = (l.tokens, r.tokens);
                quote!(float_key(#x) == float_key(#y))
            }
            (Scalar::Float, true) => quote!(#x.map(float_key) == #y.map(float_key)),
            _ => quote!(#x == #y),
        };
        Printed { tokens, atomic: false, movable }
    }

    fn mask(&mut self, bits: &[(u32, ValueId)]) -> Printed {
        let mut parts = vec![];
        let mut constant = 0u64;
        for (bit, v) in bits {
            if let Op::Const(Literal::Bool(known)) = self.body.value(*v).op {
                constant |= u64::from(known) << bit;
                continue;
            }
            let v = self.take(*v).tokens;
            let bit = Token::u32_unsuffixed(*bit);
            parts.push(quote!(u64::from(#v) << #bit));
        }
        if constant != 0 || parts.is_empty() {
            let constant = Token::u64_unsuffixed(constant);
            parts.insert(0, quote!(#constant));
        }
        Printed { tokens: quote!(#(#parts)|*), atomic: false, movable: false }
    }

    fn choose(&mut self, value: &'p Value, condition: ValueId, then: &'p Region, otherwise: &'p Region) -> Printed {
        let c = self.take(condition);
        // What is pending may be used inside; whatever must not become conditional was bound before, see `region`.
        let then_parts = self.region(value, then);
        let otherwise_parts = self.region(value, otherwise);
        let movable = c.movable && then_parts.movable && otherwise_parts.movable;
        let known = |r: &Region| match r.result.map(|v| &self.body.value(v).op) {
            Some(Op::Const(Literal::Bool(b))) if r.statements.iter().all(|s| matches!(s, Statement::Let(_))) => Some(*b),
            _ => None,
        };
        if value.ty.scalar == Scalar::Bool && !value.ty.nullable {
            let (l, t, o) = (c.operand(), then_parts.operand(), otherwise_parts.operand());
            match (known(then), known(otherwise)) {
                (_, Some(false)) if !then_parts.block => return Printed { tokens: quote!(#l && #t), atomic: false, movable },
                (Some(true), _) if !otherwise_parts.block => return Printed { tokens: quote!(#l || #o), atomic: false, movable },
                _ => {}
            }
        }
        let (c, t, o) = (c.tokens, then_parts.tokens, otherwise_parts.tokens);
        Printed { tokens: quote!(if #c { #t } else { #o }), atomic: false, movable }
    }

    fn region(&mut self, value: &Value, region: &'p Region) -> PrintedRegion {
        let mut out = TokenStream::new();
        let outer = std::mem::take(&mut self.pending);
        let outer_ids: Vec<ValueId> = outer.iter().map(|(v, _)| *v).collect();
        self.pending = outer;
        for s in &region.statements {
            self.statement(s, &mut out);
        }
        let result = region.result.map(|v| {
            let p = if value.owned { Printed { tokens: self.owned_text(v), atomic: true, movable: true } } else { self.take(v) };
            // Values of this region that were not used stay in it.
            self.pending.retain(|(id, _)| outer_ids.contains(id));
            p
        });
        let block = !out.is_empty();
        let movable = !block && result.as_ref().is_none_or(|r| r.movable);
        let atomic = !block && result.as_ref().is_some_and(|r| r.atomic);
        if let Some(r) = result {
            out.extend(r.tokens);
        }
        PrintedRegion { tokens: out, block, movable, atomic }
    }

    pub(super) fn field(&self, record: crate::lower::ir::RecordId, field: usize) -> Ident {
        names::field(self.printer.program.record(record).fields.get(field).map_or("", |f| &f.name))
    }

    /// Values as fields of a row.
    pub(super) fn row_value(&mut self, id: ValueId) -> TokenStream {
        self.borrowed(id).tokens
    }

    pub(super) fn flush_all(&mut self, out: &mut TokenStream) {
        self.flush(out, false);
    }
}

/// How often each value that is evaluated at all is used: what nothing uses and what cannot refuse is not in it.
pub(super) fn uses(printer: &Printer<'_>, body: &Body) -> HashMap<ValueId, usize> {
    let mut count = Uses { printer, body, uses: HashMap::new() };
    count.list(&body.statements);
    count.uses
}

struct Uses<'p, 'a> {
    printer: &'p Printer<'a>,
    body: &'p Body,
    uses: HashMap<ValueId, usize>,
}

impl Uses<'_, '_> {
    fn list(&mut self, list: &[Statement]) {
        for s in list {
            let mut used = vec![];
            self.operands_of(s, &mut used);
            for v in used {
                self.operand(v);
            }
            match s {
                Statement::Let(v) if self.can_refuse(*v) => self.evaluated(*v),
                Statement::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Statement::Count { then, .. } => self.list(then),
                _ => {}
            }
        }
    }

    fn can_refuse(&self, v: ValueId) -> bool {
        let value = self.body.value(v);
        let inside = |r: &Region| r.statements.iter().any(|s| matches!(s, Statement::Let(v) if self.can_refuse(*v)));
        value.is_fallible() || matches!(&value.op, Op::If { then, otherwise, .. } if inside(then) || inside(otherwise))
    }

    /// A use of a value.
    fn operand(&mut self, v: ValueId) {
        self.evaluated(v);
        *self.uses.entry(v).or_default() += 1;
    }

    /// The value is evaluated, and so is what it is made of.
    fn evaluated(&mut self, v: ValueId) {
        if self.uses.contains_key(&v) {
            return;
        }
        self.uses.insert(v, 0);
        let mut used = vec![];
        let body = self.body;
        let value = body.value(v);
        operands(value, &mut used);
        if let Op::If { then, otherwise, .. } = &value.op {
            used.extend(then.result.iter().chain(&otherwise.result));
            self.list(&then.statements);
            self.list(&otherwise.statements);
        }
        for u in used {
            self.operand(u);
        }
    }

    fn operands_of(&self, s: &Statement, into: &mut Vec<ValueId>) {
        match s {
            Statement::Guard(v) | Statement::Return(v) | Statement::Print(v) => into.push(*v),
            Statement::If { condition, .. } => into.push(*condition),
            Statement::Store { record, field, value, .. } if self.printer.is_used(*record, *field) => into.push(*value),
            Statement::Tell { args, .. } => into.extend(args),
            Statement::Push { row: RowSource::Make { record, fields }, .. } | Statement::Call { row: RowSource::Make { record, fields }, .. } => {
                into.extend(fields.iter().filter(|(f, _)| self.printer.is_used(*record, *f)).map(|(_, v)| *v));
            }
            Statement::Publish { fields, .. } | Statement::PublishRule { fields, .. } => into.extend(fields),
            _ => {}
        }
    }
}

struct PrintedRegion {
    tokens: TokenStream,
    block: bool,
    movable: bool,
    atomic: bool,
}

impl PrintedRegion {
    fn operand(&self) -> TokenStream {
        let t = &self.tokens;
        if self.atomic { quote!(#t) } else { quote!((#t)) }
    }
}

impl Printed {
    fn loose(mut self) -> Self {
        self.atomic = false;
        self
    }
}

fn negated(p: &Printed) -> TokenStream {
    let t = p.operand();
    quote!(!#t)
}

fn operands(value: &Value, into: &mut Vec<ValueId>) {
    match &value.op {
        Op::Const(_) | Op::Null | Op::Load { .. } | Op::Read(_) | Op::Global(_) => {}
        Op::Wrap(v) | Op::Unwrap(v) | Op::IsNull(v) | Op::IsTrue(v) | Op::ToFloat(v) | Op::Negate(v, _) | Op::Not(v) | Op::BitNot(v) => into.push(*v),
        Op::Arithmetic { left, right, .. } | Op::Compare { left, right, .. } => into.extend([*left, *right]),
        Op::SameKey(a, b) | Op::AddCounts(a, b) => into.extend([*a, *b]),
        Op::If { condition, .. } => into.push(*condition),
        Op::Call { args, .. } | Op::Ask { args, .. } | Op::Hash(args) => into.extend(args),
        Op::Mask(bits) => into.extend(bits.iter().map(|(_, v)| *v)),
    }
}
