//! Chains: one function each, straight-line, from an input to pushes, calls and publications.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::body::{BodyPrinter, Place};
use super::names;
use super::printer::Printer;
use crate::lower::ir::{ChainId, Op, OperatorId, RowSource, Statement};
use crate::plan::physical::ChainInput;

impl Printer<'_> {
    /// Whether a chain's function can refuse its record.
    pub(super) fn is_fallible(&self, id: ChainId) -> bool {
        let chain = self.program.chain(id);
        let mut pushes = false;
        chain.body.walk(&mut |_| {}, &mut |s| pushes |= matches!(s, Statement::Push { .. }));
        pushes || chain.body.is_fallible()
    }

    /// The function of a chain.
    pub(super) fn chain(&self, id: ChainId) -> TokenStream {
        let chain = self.program.chain(id);
        let name = names::ident(&chain.name);
        let fallible = self.is_fallible(id);
        let doc = format!("{}:{}", self.options.file, chain.doc);
        let (param, prelude, ts, firing, record) = match chain.input {
            ChainInput::Row(record) => {
                let ty = self.record_type(record, &quote!('_));
                (quote!(row: &#ty), quote!(), quote!(row.ts), false, quote!(row))
            }
            ChainInput::Firing(operator) => {
                let ty = self.firing_type(operator);
                (quote!(firing: &#ty), quote!(), quote!(firing.ts), true, quote!(&At(firing.ts)))
            }
            ChainInput::FiredRow(operator, _) => {
                let ty = self.firing_type(operator);
                let row = self.mentions_row(id).then(|| quote!(let row = firing.row;));
                (quote!(firing: &#ty), quote!(#row), quote!(firing.ts), true, quote!(&At(firing.ts)))
            }
        };
        let place = Place { ts, firing, fallible, stage: chain.stage, record, globals: false };
        let body = BodyPrinter::new(self, &chain.body, &place).print();
        let (result, end) = if fallible { (quote!(-> Result<(), Refusal>), quote!(Ok(()))) } else { (quote!(), quote!()) };
        let mut out_used = false;
        chain.body.walk(&mut |_| {}, &mut |s| {
            out_used |= matches!(s, Statement::Publish { .. } | Statement::PublishRule { .. } | Statement::Print(_) | Statement::Call { .. });
            if let Statement::Push { operator, .. } = s {
                out_used |= !self.program.operator(*operator).chains.is_empty() || self.program.operator(*operator).clocked;
            }
        });
        let mut reads_state = false;
        chain.body.walk(
            &mut |v| reads_state |= matches!(&v.op, Op::Variable { variable, .. } if variable.state().is_some()) || matches!(v.op, Op::WallClock(_)),
            &mut |s| {
                out_used |= matches!(s, Statement::Set { variable, .. } if variable.state().is_some());
            },
        );
        out_used |= reads_state;
        let out = if out_used { quote!(out) } else { quote!(_out) };
        let out_type = self.out_type();
        quote! {
            #[doc = #doc]
            fn #name(&mut self, #param, #out: &mut #out_type) #result {
                #prelude
                #body
                #end
            }
        }
    }

    fn mentions_row(&self, id: ChainId) -> bool {
        let body = &self.program.chain(id).body;
        let (mut found, mut same) = (false, false);
        body.walk(&mut |v| found |= matches!(v.op, Op::Load { param: "row", .. }), &mut |s| {
            same |= matches!(s, Statement::Push { row: RowSource::Same, .. } | Statement::Call { row: RowSource::Same, .. });
        });
        found || same
    }

    fn firing_type(&self, id: OperatorId) -> TokenStream {
        let operator = self.program.operator(id);
        let (firing, kernel) = (names::ident(operator.firing), names::type_name(&operator.name));
        quote!(#firing<'_, #kernel>)
    }

    /// A call of a chain, with what happens when it refuses.
    pub(super) fn call(&self, id: ChainId, receiver: &TokenStream, row: &TokenStream, ts: &TokenStream, record: &TokenStream) -> TokenStream {
        let name = names::ident(&self.program.chain(id).name);
        if self.is_fallible(id) {
            let when_refused = self.when_refused(id, receiver, ts, record);
            quote!(if let Err(refusal) = #receiver.#name(#row, out) { #when_refused })
        } else {
            quote!(#receiver.#name(#row, out);)
        }
    }

    /// The path from code of one stage to another stage.
    pub(super) fn path(&self, base: &TokenStream, steps: usize) -> TokenStream {
        let nexts = std::iter::repeat_n(quote!(.next), steps);
        quote!(#base #(#nexts)*)
    }

    /// What an operator's firings do: the closure, and whether it needs what lies behind the operator's stage.
    pub(super) fn fire(&self, id: OperatorId) -> (TokenStream, bool) {
        let operator = self.program.operator(id);
        if operator.chains.is_empty() {
            return (quote!(|_| {}), false);
        }
        let firing = self.firing_type(id);
        let calls = operator.chains.iter().map(|c| {
            let steps = self.program.chain(*c).stage - operator.stage - 1;
            let receiver = self.path(&quote!(next), steps);
            self.call(*c, &receiver, &quote!(&firing), &quote!(firing.ts), &quote!(&At(firing.ts)))
        });
        (quote!(|firing: #firing| { #(#calls)* }), true)
    }
}

impl BodyPrinter<'_, '_> {
    /// Pushes, calls and publications.
    pub(super) fn effect(&mut self, s: &Statement, out: &mut TokenStream) {
        match s {
            Statement::Push { operator, port, row, late } => {
                let (make, row) = self.row(row);
                self.flush_all(out);
                let push = self.push(*operator, *port, &row, *late);
                out.extend(quote!({ #make #push }));
            }
            Statement::Call { chain, row } => {
                let (make, row) = self.row(row);
                self.flush_all(out);
                let steps = self.printer.program.chain(*chain).stage - self.place.stage;
                let receiver = self.printer.path(&quote!(self), steps);
                let record = if make.is_empty() { self.place.record.clone() } else { row.clone() };
                let call = self.printer.call(*chain, &receiver, &row, &self.place.ts, &record);
                out.extend(if make.is_empty() { quote!(#call) } else { quote!({ #make #call }) });
            }
            Statement::Publish { publication, fields } => {
                let Some(output) = self.printer.program.outputs.get(*publication) else { return };
                let name = self.printer.record_name(output.record);
                let fields = self.fields(output.record, fields);
                self.flush_all(out);
                let ts = self.place.ts.clone();
                out.extend(quote!(out.row(Row::#name(#name { ts: #ts, #(#fields),* }));));
            }
            Statement::PublishRule { publications, fields } => {
                let Some(output) = publications.first().and_then(|p| self.printer.program.outputs.get(*p)) else { return };
                let name = self.printer.record_name(output.record);
                let fields = self.fields(output.record, fields);
                self.flush_all(out);
                let ts = self.place.ts.clone();
                out.extend(quote!(out.row(Row::#name(#name { rule: firing.rule, ts: #ts, #(#fields),* }));));
            }
            _ => {}
        }
    }

    fn fields(&mut self, record: crate::lower::ir::RecordId, values: &[crate::lower::ir::ValueId]) -> Vec<TokenStream> {
        values
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let (name, value) = (self.field(record, i), self.row_value(*v));
                field_init(&name, &value)
            })
            .collect()
    }

    /// Code that makes the row, and the row.
    fn row(&mut self, row: &RowSource) -> (TokenStream, TokenStream) {
        match row {
            RowSource::Same => (quote!(), quote!(row)),
            RowSource::Firing => (quote!(), quote!(firing)),
            RowSource::Make { record, fields } => {
                let name = self.printer.record_name(*record);
                let mut inits = vec![];
                for (at, v) in fields {
                    if self.printer.is_used(*record, *at) {
                        let (field, value) = (self.field(*record, *at), self.row_value(*v));
                        inits.push(field_init(&field, &value));
                    }
                }
                let ts = self.place.ts.clone();
                (quote!(let row = &#name { ts: #ts, #(#inits),* };), quote!(row))
            }
        }
    }

    fn push(&self, id: OperatorId, port: usize, row: &TokenStream, late: bool) -> TokenStream {
        let push = format_ident!("{}", if late { "push_late" } else { "push" });
        let operator = self.printer.program.operator(id);
        let (fire, needs_next) = self.printer.fire(id);
        let input = if operator.ports.len() > 1 {
            let (name, variant) = (format_ident!("{}Input", operator.name), self.printer.port_variant(port));
            quote!(#name::#variant(#row))
        } else {
            row.clone()
        };
        let steps = operator.stage - self.place.stage;
        let (pattern, path) = self.printer.borrow(id, needs_next);
        let stage = format_ident!("Stage{}", operator.stage + 1);
        let owner = self.printer.path(&quote!(self), steps);
        let whole = if steps == 0 { quote!(self) } else { quote!(&mut #owner) };
        let ts = if row.to_string() == "row" { quote!(row.ts) } else { self.place.ts.clone() };
        if operator.clocked {
            let machine = if steps == 0 { quote!(self) } else { owner };
            return quote!(let now = #machine.machine.reading(out.wall_clock()); let #stage { #pattern, .. } = #whole; #path.#push(now, #input, &mut #fire)?;);
        }
        quote!(let #stage { #pattern, .. } = #whole; #path.#push(#ts, #input, &mut #fire)?;)
    }
}

fn field_init(name: &proc_macro2::Ident, value: &TokenStream) -> TokenStream {
    if *name == value.to_string() { quote!(#name) } else { quote!(#name: #value) }
}
