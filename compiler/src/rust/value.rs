//! Values: one expression per operation.

use proc_macro2::{Literal as Token, TokenStream};
use quote::quote;
use varpulis_abi::scalar::{Physical, Scalar};

use super::body::BodyPrinter;
use super::packed::index;
use super::record::value_type;
use super::{literal, names};
use crate::analysis::typed::Literal;
use crate::functions::Function;
use crate::lower::ir::{Arithmetic, Comparison, Op, ParamName, Read, RecordId, Region, SiteId, Statement, Value, ValueId};

/// An expression, and whether it binds tighter than any operator around it.
#[derive(Clone)]
pub(super) struct Printed {
    pub(super) tokens: TokenStream,
    pub(super) atomic: bool,
    /// Worth moving: reads only what nothing changes, and cannot leave the function.
    pub(super) movable: bool,
    /// What it is made of, where it is two operands and one of Rust's operators.
    operation: Option<Box<Operation>>,
}

#[derive(Clone)]
struct Operation {
    left: TokenStream,
    /// The operator that assigns its result to the left operand.
    assign: TokenStream,
    right: TokenStream,
    commutes: bool,
}

impl Printed {
    pub(super) fn operand(&self) -> TokenStream {
        let t = &self.tokens;
        if self.atomic { quote!(#t) } else { quote!((#t)) }
    }

    /// What binds tighter than any operator.
    pub(super) fn tight(tokens: TokenStream, movable: bool) -> Self {
        Self { tokens, atomic: true, movable, operation: None }
    }

    /// What stands in parentheses among operators.
    fn loose(tokens: TokenStream, movable: bool) -> Self {
        Self { tokens, atomic: false, movable, operation: None }
    }

    /// What can stand anywhere.
    fn steady(tokens: TokenStream) -> Self {
        Self::tight(tokens, true)
    }

    /// The assignment of the value to a place, as `place += rest` where the value is the place's own, changed.
    pub(super) fn assigned_to(&self, place: &TokenStream) -> TokenStream {
        let own = place.to_string();
        match self.operation.as_deref() {
            Some(Operation { left, assign, right, .. }) if left.to_string() == own => quote!(#place #assign #right;),
            Some(Operation { left, assign, right, commutes: true }) if right.to_string() == own => quote!(#place #assign #left;),
            _ => {
                let tokens = &self.tokens;
                quote!(#place = #tokens;)
            }
        }
    }

    /// The same, where it binds looser than operators around it.
    fn loosened(mut self) -> Self {
        self.atomic = false;
        self
    }
}

/// What the state owns, lent: text as `&str`, anything else as it is.
pub(super) fn lent(value: TokenStream, ty: Physical) -> TokenStream {
    match (matches!(ty.scalar, Scalar::Text | Scalar::Json | Scalar::Packed), ty.nullable) {
        (false, _) => value,
        (true, false) => quote!(#value.as_str()),
        (true, true) => quote!(#value.as_deref()),
    }
}

pub(super) fn negated(p: &Printed) -> TokenStream {
    let t = p.operand();
    quote!(!#t)
}

/// One side of a condition.
struct PrintedRegion {
    value: Printed,
    /// Whether statements stand before the value.
    block: bool,
}

impl<'p> BodyPrinter<'p, '_> {
    /// A value, from what it is made of.
    pub(super) fn op(&mut self, value: &'p Value) -> Printed {
        let ty = value.ty;
        match &value.op {
            Op::Const(l) => {
                let (tokens, atomic) = literal::constant(l);
                Printed { tokens, atomic, movable: true, operation: None }
            }
            Op::Null => Printed::steady(quote!(None)),
            Op::Load { param, record, field } => self.load(param, *record, *field, ty),
            Op::Read(Read::Ts) => Printed::steady(self.place.ts.clone()),
            Op::Read(Read::WindowStart) => Printed::steady(quote!(firing.start)),
            Op::Read(Read::WindowEnd) => Printed::steady(quote!(firing.end)),
            Op::Read(Read::Updated) => Printed::steady(quote!(firing.update)),
            Op::Global(i) => {
                let name = names::field(self.printer.program.globals.get(*i).map_or("", |g| &g.name));
                let base = if self.place.globals { quote!(#name) } else { quote!(self.globals.#name) };
                Printed::steady(lent(base, ty))
            }
            Op::Wrap(v) if self.body.value(*v).owned => {
                let t = self.moved(*v).tokens;
                Printed::steady(quote!(Some(#t)))
            }
            Op::Wrap(v) => self.around(*v, |t| quote!(Some(#t)), false),
            Op::Unwrap(v) => {
                let p = self.borrowed(*v);
                let t = p.operand();
                Printed::tight(quote!(#t.unwrap_or_default()), p.movable)
            }
            Op::IsNull(v) => self.around(*v, |t| quote!(#t.is_none()), true),
            Op::IsTrue(v) => self.around(*v, |t| quote!(#t == Some(true)), true).loosened(),
            Op::Widen(v) => self.around(*v, |t| quote!(i128::from(#t)), false),
            Op::Narrow(v, site) => {
                let t = self.take(*v).tokens;
                self.checked(quote!(narrow(#t)), *site)
            }
            Op::ToFloat(v) => self.around(*v, |t| quote!(#t as f64), true).loosened(),
            Op::Not(v) => self.not(*v),
            Op::BitNot(v) => self.around(*v, |t| quote!(!#t), true).loosened(),
            Op::Negate(v, _) if ty.scalar == Scalar::Float => self.around(*v, |t| quote!(-#t), true).loosened(),
            Op::Negate(v, site) => {
                let t = self.take(*v).tokens;
                self.checked(quote!(negate_int(#t)), *site)
            }
            Op::AddCounts(a, b) => {
                let (x, y) = (self.take(*a), self.take(*b));
                let (t, u) = (x.operand(), y.tokens);
                Printed::tight(quote!(#t.saturating_add(#u)), x.movable && y.movable)
            }
            Op::Arithmetic { op, left, right, site } => self.arithmetic(*op, *left, *right, *site, ty.scalar),
            Op::Compare { op, left, right } => self.compare(*op, *left, *right),
            Op::SameKey(a, b) => self.same_key(*a, *b),
            Op::If { condition, then, otherwise } => self.choose(value, *condition, then, otherwise),
            Op::Call { function, args, site } => self.call(*function, args, *site),
            Op::Hash(values) => self.hash(values),
            Op::Mask(bits) => self.mask(bits),
            Op::Pack(values) => self.pack(values),
            Op::Part { of, at } => self.part(*of, *at, ty),
            Op::WallClock(_) => Printed::tight(quote!(out.wall_clock()), false),
            Op::Index(number) => Printed::steady(index(*number)),
            Op::Gather { of, index, keep, body, site, grows } => self.gather((*of, *index), keep.as_ref(), body, grows.then_some(*site)),
            Op::Variable { variable, .. } => self.variable(*variable, ty),
            Op::Run { variables, body } => self.run(variables, body),
            Op::Ask { param, record, field, method, args } => {
                let args: Vec<TokenStream> = args.iter().map(|a| self.borrowed(*a).tokens).collect();
                let (param, field, method) = (names::ident(param), self.field(*record, *field), names::ident(method.name));
                let base = if self.place.firing { quote!(firing.#param) } else { quote!(#param) };
                Printed::tight(quote!(#base.#field.#method(#(#args),*)), self.place.firing)
            }
        }
    }

    fn load(&self, param: ParamName, record: RecordId, field: usize, ty: Physical) -> Printed {
        let (name, field) = (names::ident(param), self.field(record, field));
        let base = if self.place.firing && param != "row" { quote!(firing.#name) } else { quote!(#name) };
        let value = quote!(#base.#field);
        let tokens = if self.printer.program.record(record).stored { lent(value, ty) } else { value };
        Printed::tight(tokens, param == "row" || self.place.firing)
    }

    fn call(&mut self, function: Function, args: &[ValueId], site: SiteId) -> Printed {
        let args: Vec<Printed> = args.iter().map(|a| self.borrowed(*a)).collect();
        let movable = args.iter().all(|p| p.movable);
        let (name, args) = (names::ident(function.row().body), args.iter().map(|p| &p.tokens));
        let call = quote!(#name(#(#args),*));
        if function.row().fallible { self.checked(call, site) } else { Printed::tight(call, movable) }
    }

    fn hash(&mut self, values: &[ValueId]) -> Printed {
        let values: Vec<TokenStream> = values
            .iter()
            .map(|v| {
                let ty = self.body.value(*v).ty;
                let p = self.borrowed(*v);
                let (t, operand) = (&p.tokens, p.operand());
                match (ty.scalar, ty.nullable) {
                    (Scalar::Float, false) => quote!(float_key(#t)),
                    (Scalar::Float, true) => quote!(#operand.map(float_key)),
                    _ => quote!(#t),
                }
            })
            .collect();
        Printed::steady(match values.as_slice() {
            [only] => quote!(hasher.hash(#only)),
            _ => quote!(hasher.hash((#(#values),*))),
        })
    }

    fn around(&mut self, v: ValueId, wrap: impl FnOnce(TokenStream) -> TokenStream, operand: bool) -> Printed {
        let value = self.body.value(v);
        let p = if matches!(value.op, Op::Variable { .. }) { self.borrowed(v) } else { self.take(v) };
        let t = if operand { p.operand() } else { p.tokens.clone() };
        Printed::tight(wrap(t), p.movable)
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
        Printed::loose(negated(&p), p.movable)
    }

    /// A call that can refuse: its reason gets the place in the program, and leaves the function.
    pub(super) fn checked(&self, call: TokenStream, site: SiteId) -> Printed {
        let site = Token::u32_unsuffixed(site.0);
        Printed::tight(quote!(#call.map_err(|reason| Refusal::new(#site, reason))?), false)
    }

    fn arithmetic(&mut self, op: Arithmetic, left: ValueId, right: ValueId, site: SiteId, scalar: Scalar) -> Printed {
        let (l, r) = (self.take(left), self.take(right));
        let function = match op {
            Arithmetic::Add => "add_int",
            Arithmetic::Subtract => "subtract_int",
            Arithmetic::Multiply => "multiply_int",
            Arithmetic::Divide | Arithmetic::BitAnd | Arithmetic::BitOr | Arithmetic::BitXor => "",
        };
        if !matches!(scalar, Scalar::Float | Scalar::Wide) && !function.is_empty() {
            let (name, l, r) = (names::ident(function), l.tokens, r.tokens);
            return self.checked(quote!(#name(#l, #r)), site);
        }
        let movable = l.movable && r.movable;
        let (sign, assign) = match op {
            Arithmetic::Add => (quote!(+), quote!(+=)),
            Arithmetic::Subtract => (quote!(-), quote!(-=)),
            Arithmetic::Multiply => (quote!(*), quote!(*=)),
            Arithmetic::Divide => (quote!(/), quote!(/=)),
            Arithmetic::BitAnd => (quote!(&), quote!(&=)),
            Arithmetic::BitOr => (quote!(|), quote!(|=)),
            Arithmetic::BitXor => (quote!(^), quote!(^=)),
        };
        let (x, y) = (l.operand(), r.operand());
        let commutes = !matches!(op, Arithmetic::Subtract | Arithmetic::Divide);
        let operation = Operation { left: l.tokens, assign, right: r.tokens, commutes };
        Printed { tokens: quote!(#x #sign #y), atomic: false, movable, operation: Some(Box::new(operation)) }
    }

    fn compare(&mut self, op: Comparison, left: ValueId, right: ValueId) -> Printed {
        let by_function = match self.body.value(left).ty.scalar {
            Scalar::Json => Some(quote!(equal_json)),
            Scalar::Packed => Some(quote!(equal_packed)),
            _ => None,
        };
        let (l, r) = (self.borrowed(left), self.borrowed(right));
        let movable = l.movable && r.movable;
        if let Some(equal) = by_function {
            let (l, r) = (l.tokens, r.tokens);
            let not = if op == Comparison::NotEqual { quote!(!) } else { quote!() };
            return Printed::tight(quote!(#not #equal(#l, #r)), movable);
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
        Printed::loose(tokens, movable)
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
        Printed::loose(tokens, movable)
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
            let shift = Token::u32_unsuffixed(*bit);
            parts.push(if *bit == 0 { quote!(u64::from(#v)) } else { quote!(u64::from(#v) << #shift) });
        }
        if constant != 0 || parts.is_empty() {
            let constant = Token::u64_unsuffixed(constant);
            parts.insert(0, quote!(#constant));
        }
        Printed::loose(quote!(#(#parts)|*), false)
    }

    fn choose(&mut self, value: &'p Value, condition: ValueId, then: &'p Region, otherwise: &'p Region) -> Printed {
        let c = self.take(condition);
        // What is pending may be used inside; whatever must not become conditional was bound before, see `region`.
        let then_parts = self.region(value, then);
        let otherwise_parts = self.region(value, otherwise);
        let movable = c.movable && then_parts.value.movable && otherwise_parts.value.movable;
        let known = |r: &Region| match r.result.map(|v| &self.body.value(v).op) {
            Some(Op::Const(Literal::Bool(b))) if r.statements.iter().all(|s| matches!(s, Statement::Let(_))) => Some(*b),
            _ => None,
        };
        // A side that is known may still have something before it that can refuse.
        if value.ty.scalar == Scalar::Bool && !value.ty.nullable {
            let (l, t, o) = (c.operand(), then_parts.value.operand(), otherwise_parts.value.operand());
            match (known(then), known(otherwise)) {
                (_, Some(false)) if !then_parts.block && !otherwise_parts.block => return Printed::loose(quote!(#l && #t), movable),
                (Some(true), _) if !then_parts.block && !otherwise_parts.block => return Printed::loose(quote!(#l || #o), movable),
                _ => {}
            }
        }
        let is_none = |r: &Region| matches!(r.result.map(|v| &self.body.value(v).op), Some(Op::Null | Op::Const(Literal::Null)));
        let (untyped, ty) = (is_none(then) && is_none(otherwise), value.ty);
        let (c, t, mut o) = (c.tokens, then_parts.value.tokens, otherwise_parts.value.tokens);
        if untyped {
            // Nothing else says what it is a null of.
            let ty = if ty.scalar.is_text() && !value.owned { quote!(&str) } else { value_type(Physical { nullable: false, ..ty }, true) };
            o = if o.to_string() == "None" { quote!(None::<#ty>) } else { quote!(let nothing: Option<#ty> = { #o }; nothing) };
        }
        Printed::loose(quote!(if #c { #t } else { #o }), movable)
    }

    fn region(&mut self, value: &Value, region: &'p Region) -> PrintedRegion {
        let mut out = TokenStream::new();
        let outer: Vec<ValueId> = self.pending.iter().map(|(v, _)| *v).collect();
        self.depth += 1;
        for s in &region.statements {
            self.statement(s, &mut out);
        }
        self.depth -= 1;
        let result = region.result.map(|v| {
            let p = if value.owned { Printed::steady(self.owned_text(v).tokens) } else { self.take(v) };
            // Values of this region that were not used stay in it.
            self.pending.retain(|(id, _)| outer.contains(id));
            p
        });
        let block = !out.is_empty();
        let movable = !block && result.as_ref().is_none_or(|r| r.movable);
        let atomic = !block && result.as_ref().is_some_and(|r| r.atomic);
        if let Some(r) = result {
            out.extend(r.tokens);
        }
        PrintedRegion { value: Printed { tokens: out, atomic, movable, operation: None }, block }
    }
}
