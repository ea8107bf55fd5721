//! Bodies: lowered statements as Rust. A value that is used once is written where it is used, unless that would move it
//! across a write, a condition or another way out.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal as Token, TokenStream};
use quote::{format_ident, quote};
use varpulis_abi::scalar::Scalar;

use super::names;
use super::printer::Printer;
use super::value::{Printed, negated};
use crate::lower::ir::{Body, Op, Statement, ValueId, VariableId};

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
    pub(super) uses: HashMap<ValueId, usize>,
    pub(super) pending: Vec<(ValueId, Printed)>,
    /// The same of around the statements of functions: not to be bound in them, where what follows does not see it.
    pub(super) around: Vec<(ValueId, Printed)>,
    pub(super) named: HashMap<ValueId, Ident>,
    /// How many regions are around what is printed.
    pub(super) depth: usize,
    /// How many loops are around what is printed, and were where names were given: what is evaluated once is not given away many times.
    pub(super) loops: usize,
    pub(super) named_in: HashMap<ValueId, usize>,
    /// The names of variables.
    pub(super) variables: HashMap<VariableId, Ident>,
}

impl<'p, 'a> BodyPrinter<'p, 'a> {
    pub(super) fn new(printer: &'p Printer<'a>, body: &'p Body, place: &'p Place) -> Self {
        Self {
            printer,
            body,
            place,
            uses: printer.usage.uses(body),
            pending: vec![],
            around: vec![],
            named: HashMap::new(),
            depth: 0,
            loops: 0,
            named_in: HashMap::new(),
            variables: HashMap::new(),
        }
    }

    /// The whole body.
    pub(super) fn print(mut self) -> TokenStream {
        self.list(&self.body.statements)
    }

    pub(super) fn list(&mut self, list: &'p [Statement]) -> TokenStream {
        let mut out = TokenStream::new();
        for s in list {
            self.statement(s, &mut out);
        }
        out
    }

    /// Names whatever must not move past what comes next.
    pub(super) fn flush(&mut self, out: &mut TokenStream, all: bool) {
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
        self.named_in.insert(id, self.loops);
        let tokens = &printed.tokens;
        let lints = self.lints_of(id);
        quote!(#lints let #name = #tokens;)
    }

    /// The value as an expression.
    pub(super) fn take(&mut self, id: ValueId) -> Printed {
        if let Some(name) = self.named.get(&id) {
            return Printed::tight(quote!(#name), true);
        }
        if let Some(at) = self.pending.iter().position(|(v, _)| *v == id) {
            return self.pending.remove(at).1;
        }
        if let Some(at) = self.around.iter().position(|(v, _)| *v == id) {
            return self.around.remove(at).1;
        }
        // Constants and plain reads cost nothing to repeat, so that they are never bound.
        let value = self.body.value(id);
        self.op(value)
    }

    /// Text as `&str`, anything else as it is.
    pub(super) fn borrowed(&mut self, id: ValueId) -> Printed {
        let value = self.body.value(id);
        let (owned, ty) = (value.owned, value.ty);
        let printed = self.take(id);
        if !owned || !matches!(ty.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) {
            return printed;
        }
        if let (Op::Variable { variable, .. }, false) = (&value.op, self.named.contains_key(&id)) {
            return self.lent_variable(*variable, ty);
        }
        let t = printed.operand();
        let tokens = if ty.nullable { quote!(#t.as_deref()) } else { quote!(#t.as_str()) };
        Printed::tight(tokens, printed.movable)
    }

    /// Text as the state's own, anything else as it is.
    pub(super) fn owned_text(&mut self, id: ValueId) -> Printed {
        let value = self.body.value(id);
        if value.owned {
            return self.moved(id);
        }
        let printed = self.take(id);
        if !matches!(value.ty.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) || matches!(value.op, Op::Null) {
            return printed;
        }
        let (t, operand) = (&printed.tokens, printed.operand());
        Printed::tight(if value.ty.nullable { quote!(#operand.map(Text::from)) } else { quote!(Text::from(#t)) }, printed.movable)
    }

    /// A value for good: what is owned and needed again is copied.
    pub(super) fn moved(&mut self, id: ValueId) -> Printed {
        let uses = self.uses.get(&id).copied().unwrap_or(0);
        let again = self.body.value(id).owned && (uses > 1 || self.named_in.get(&id).is_some_and(|loops| *loops < self.loops));
        let printed = self.take(id);
        if !again {
            return printed;
        }
        let t = printed.operand();
        Printed::tight(quote!(#t.clone()), printed.movable)
    }

    pub(super) fn statement(&mut self, s: &'p Statement, out: &mut TokenStream) {
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
            Statement::If { condition, then, otherwise } => self.branch(*condition, then, otherwise, out),
            Statement::Run { variables, body } => {
                self.flush(out, true);
                let body = self.run_statements(variables, body);
                out.extend(quote!(#[allow(unused_assignments, unused_mut, unused_variables)] { #body }));
            }
            Statement::Set { variable, value } => self.set(*variable, *value, out),
            Statement::Block { label, repeats, body } => self.block(*label, repeats.is_some(), body, out),
            Statement::Leave(label) => self.leave_block(*label, out),
            Statement::Store { .. } | Statement::Tell { .. } | Statement::MergeObject { .. } => self.write(s, out),
            Statement::Return(v) => {
                // What is computed at the start stays.
                let v = if self.place.globals { self.owned_text(*v) } else { self.borrowed(*v) }.tokens;
                self.flush(out, false);
                out.extend(if self.place.fallible { quote!(Ok(#v)) } else { quote!(#v) });
            }
            Statement::Print(v) => {
                let v = self.borrowed(*v).tokens;
                self.flush(out, false);
                out.extend(quote!(out.print(#v);));
            }
            Statement::CountBy { counter, label } => {
                let label = self.borrowed(*label).tokens;
                self.flush(out, false);
                let counter = format_ident!("counter{}", counter);
                out.extend(quote!(self.#counter.count(#label);));
            }
            Statement::Count { counter, every, then } => {
                self.flush(out, true);
                let counter = format_ident!("counter{}", counter);
                let then = self.list(then);
                if !then.is_empty() {
                    let count = Token::i64_unsuffixed(*every);
                    out.extend(if *every == 1 { quote!({ #then }) } else { quote!(if self.#counter % #count == 0 { #then }) });
                }
                out.extend(quote!(self.#counter += 1;));
            }
            Statement::Push { .. } | Statement::Call { .. } | Statement::Publish { .. } | Statement::PublishRule { .. } => self.effect(s, out),
        }
    }

    fn branch(&mut self, condition: ValueId, then: &'p [Statement], otherwise: &'p [Statement], out: &mut TokenStream) {
        if self.printer.usage.is_idle(self.body, then) && self.printer.usage.is_idle(self.body, otherwise) {
            return;
        }
        let c = self.take(condition).tokens;
        self.flush(out, true);
        let (then, otherwise) = (self.list(then), self.list(otherwise));
        match (then.is_empty(), otherwise.is_empty()) {
            (true, true) => {}
            (_, true) => out.extend(quote!(if #c { #then })),
            (true, false) => out.extend(quote!(if !(#c) { #otherwise })),
            _ => out.extend(quote!(if #c { #then } else { #otherwise })),
        }
    }

    /// What is kept, changed.
    fn write(&mut self, s: &'p Statement, out: &mut TokenStream) {
        match s {
            Statement::Store { param, record, field, value } if self.printer.is_used(*record, *field) => {
                let value = self.owned_text(*value);
                self.flush(out, false);
                let (param, field) = (names::ident(param), self.field(*record, *field));
                out.extend(value.assigned_to(&quote!(#param.#field)));
            }
            // An object that nobody asks has no field.
            Statement::Tell { record, field, .. } | Statement::MergeObject { record, field, .. } if !self.printer.is_used(*record, *field) => {}
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
            _ => {}
        }
    }

    fn let_value(&mut self, id: ValueId, out: &mut TokenStream) {
        let Some(uses) = self.uses.get(&id).copied() else { return };
        let value = self.body.value(id);
        let trivial =
            matches!(value.op, Op::Const(_) | Op::Null | Op::Global(_) | Op::Read(_) | Op::Index(_)) || matches!(value.op, Op::Load { param: "row", .. });
        if trivial {
            return;
        }
        // What can leave the function does so in the program's order, and not under another value's condition.
        if matches!(value.op, Op::If { .. }) {
            self.flush(out, false);
        }
        // Inside, everything is evaluated for each element. What comes from around a region must not be bound in it.
        if matches!(value.op, Op::Gather { .. } | Op::Run { .. }) {
            self.flush(out, self.depth == 0);
        }
        let printed = self.op(value);
        // What the program's state holds may be changed by the next statement, wherever it is used; and the clock goes on.
        let of_state = matches!(&value.op, Op::Variable { variable, .. } if variable.state().is_some()) || matches!(value.op, Op::WallClock(_));
        if !printed.movable {
            self.flush(out, false);
        }
        if uses == 0 {
            let (t, lints) = (printed.tokens, self.lints_of(id));
            out.extend(quote!(#lints let _ = #t;));
        } else if uses == 1
            && !of_state
            && !matches!(value.op, Op::If { .. } if printed.tokens.to_string().starts_with("if "))
            && (!value.owned || matches!(value.op, Op::Variable { .. }))
            && !matches!(value.op, Op::Run { .. })
        {
            self.pending.push((id, printed));
        } else {
            out.extend(self.bind(id, &printed));
        }
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
