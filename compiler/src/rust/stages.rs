//! Stages: operators with the same number of others before them, the chains that feed them, and what time does to them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::printer::Printer;
use crate::lower::ir::{ChainId, OperatorId, RecordId, Statement};
use crate::plan::physical::Operator;

/// How many operators a generated struct or function holds at most: rustc's time grows faster than their number.
pub(super) const GROUP: usize = 20;

/// A kind of time that makes operators fire, and what the functions of a stage are called that let it go on.
struct Time {
    moves: fn(&Operator) -> bool,
    deadline: Ident,
    advance: Ident,
    now: TokenStream,
    reads: TokenStream,
    docs: [TokenStream; 2],
}

impl Printer<'_> {
    pub(super) fn stages(&self) -> TokenStream {
        (0..self.stage_count()).map(|s| self.stage(s)).collect()
    }

    pub(super) fn stage_count(&self) -> usize {
        let chains = self.program.chains.iter().map(|c| c.stage);
        let operators = self.program.operators.iter().map(|o| o.stage + usize::from(!o.chains.is_empty()));
        chains.chain(operators).max().unwrap_or(0) + 1
    }

    fn operators_of(&self, stage: usize) -> Vec<OperatorId> {
        (0..self.program.operators.len()).map(|i| OperatorId(i as u32)).filter(|id| self.program.operator(*id).stage == stage).collect()
    }

    /// The group of an operator in its stage, where the stage has several.
    fn group(&self, id: OperatorId) -> Option<usize> {
        let mine = self.operators_of(self.program.operator(id).stage);
        (mine.len() > GROUP).then(|| mine.iter().position(|o| *o == id).unwrap_or(0) / GROUP)
    }

    /// The pattern that borrows an operator (and what lies behind its stage), and the operator's path in it.
    pub(super) fn borrow(&self, id: OperatorId, needs_next: bool) -> (TokenStream, TokenStream) {
        let field = names::ident(&crate::lower::assemble::snake(&self.program.operator(id).name));
        let next = if needs_next { quote!(, next) } else { quote!() };
        match self.group(id) {
            Some(group) => {
                let group = format_ident!("group{}", group + 1);
                (quote!(#group #next), quote!(#group.#field))
            }
            None => (quote!(#field #next), quote!(#field)),
        }
    }

    fn stage(&self, stage: usize) -> TokenStream {
        let name = format_ident!("Stage{}", stage + 1);
        let operators = self.operators_of(stage);
        let last = stage + 1 == self.stage_count();
        let next_type = format_ident!("Stage{}", stage + 2);
        let globals = self.has_globals();
        let counters = self.counters_of(stage);
        let groups: Vec<&[OperatorId]> = if operators.len() > GROUP { operators.chunks(GROUP).collect() } else { vec![] };
        let (mut fields, mut inits) = (vec![], vec![]);
        let mut group_items = TokenStream::new();
        if groups.is_empty() {
            for id in &operators {
                let o = self.program.operator(*id);
                let (field, ty, new) = (names::ident(&crate::lower::assemble::snake(&o.name)), self.operator_type(o), self.construct(o));
                fields.push(quote!(#field: #ty));
                inits.push(quote!(#field: #new));
            }
        }
        for (g, members) in groups.iter().enumerate() {
            let (field, ty) = (format_ident!("group{}", g + 1), format_ident!("{name}Group{}", g + 1));
            fields.push(quote!(#field: Box<#ty>));
            let argument = if globals { quote!(globals) } else { quote!() };
            inits.push(quote!(#field: #ty::new(#argument)));
            group_items.extend(self.group_item(stage, g, members));
        }
        if operators.iter().any(|id| self.program.operator(*id).clocked) {
            fields.push(quote!(machine: MachineTime));
            inits.push(quote!(machine: MachineTime::default()));
        }
        if globals {
            fields.push(quote!(globals: ::std::sync::Arc<Globals>));
            inits.push(quote!(globals: globals.clone()));
        }
        for c in &counters {
            let (ty, new) = if self.program.is_labelled(*c) { (quote!(Tally), quote!(Tally::default())) } else { (quote!(u64), quote!(0)) };
            let c = format_ident!("counter{}", c);
            fields.push(quote!(#c: #ty));
            inits.push(quote!(#c: #new));
        }
        if !last {
            let argument = if globals { quote!(globals) } else { quote!() };
            fields.push(quote!(next: #next_type));
            inits.push(quote!(next: #next_type::new(#argument)));
        }
        let parameter = if globals { quote!(globals: &::std::sync::Arc<Globals>) } else { quote!() };
        let chains = (0..self.program.chains.len()).map(|i| ChainId(i as u32)).filter(|c| self.program.chain(*c).stage == stage).map(|c| self.chain(c));
        let events = if stage == 0 { [self.event_functions(), self.rejection_functions()].into_iter().collect() } else { quote!() };
        let (time, refused) = (self.time(stage, &operators), self.refused(stage));
        let doc = format!("Operators with {stage} others before them, and the code that feeds them.");
        let unused = if globals { quote!(#[allow(dead_code, reason = "some stages read no global")]) } else { quote!() };
        quote! {
            #group_items
            #[doc = #doc]
            #unused
            struct #name { #(#fields),* }
            impl #name {
                fn new(#parameter) -> Self { Self { #(#inits),* } }
                #events
                #(#chains)*
                #time
                #refused
            }
        }
    }

    fn group_item(&self, stage: usize, group: usize, members: &[OperatorId]) -> TokenStream {
        let name = format_ident!("Stage{}Group{}", stage + 1, group + 1);
        let globals = self.has_globals();
        let parameter = if globals { quote!(globals: &::std::sync::Arc<Globals>) } else { quote!() };
        let parts: Vec<_> = members
            .iter()
            .map(|id| {
                let o = self.program.operator(*id);
                (names::ident(&crate::lower::assemble::snake(&o.name)), self.operator_type(o), self.construct(o))
            })
            .collect();
        let fields = parts.iter().map(|(f, t, _)| quote!(#f: #t));
        let inits = parts.iter().map(|(f, _, n)| quote!(#f: #n));
        quote! {
            /// A group of operators, built on its own: rustc's time depends on it.
            struct #name { #(#fields),* }
            impl #name {
                #[inline(never)]
                fn new(#parameter) -> Box<Self> { Box::new(Self { #(#inits),* }) }
            }
        }
    }

    pub(super) fn counters_of(&self, stage: usize) -> Vec<usize> {
        let mut counters = vec![];
        for chain in self.program.chains.iter().filter(|c| c.stage == stage) {
            chain.body.walk(&mut |_| {}, &mut |s| {
                if let Statement::Count { counter, .. } | Statement::CountBy { counter, .. } = s {
                    counters.push(*counter);
                }
            });
        }
        counters
    }

    /// `deadline` and `advance` of a stage, by the time of events and by the machine's.
    fn time(&self, stage: usize, operators: &[OperatorId]) -> TokenStream {
        let events = Time {
            moves: |operator| operator.timed,
            deadline: format_ident!("deadline"),
            advance: format_ident!("advance"),
            now: quote!(watermark),
            reads: quote!(),
            docs: [
                quote! {
                    /// The next instant at which time alone makes something happen.
                },
                quote! {
                    /// Time has come to `watermark`.
                },
            ],
        };
        let machine = Time {
            moves: |operator| operator.clocked,
            deadline: format_ident!("machine_deadline"),
            advance: format_ident!("tick"),
            now: quote!(now),
            reads: quote!(let now = self.machine.reading(now);),
            docs: [
                quote! {
                    /// The machine's time at which something happens.
                },
                quote! {
                    /// The machine's time has come to `now`.
                },
            ],
        };
        [events, machine].iter().map(|time| self.goes_by(time, stage, operators)).collect()
    }

    fn goes_by(&self, time: &Time, stage: usize, operators: &[OperatorId]) -> TokenStream {
        let Time { moves, deadline: deadline_name, advance: advance_name, now, reads, docs: [deadline_doc, advance_doc] } = time;
        let timed: Vec<OperatorId> = operators.iter().copied().filter(|o| moves(self.program.operator(*o))).collect();
        let later = (stage + 1..self.stage_count()).any(|s| self.operators_of(s).iter().any(|o| moves(self.program.operator(*o))));
        let reads = if timed.is_empty() { quote!() } else { reads.clone() };
        let mut deadlines: Vec<TokenStream> = timed
            .iter()
            .map(|id| {
                let (_, path) = self.borrow(*id, false);
                quote!(self.#path.deadline())
            })
            .collect();
        if later {
            deadlines.push(quote!(self.next.#deadline_name()));
        }
        let deadline = deadlines.into_iter().reduce(|a, b| quote!(#a.min(#b))).unwrap_or(quote!(i64::MAX));
        let advances = timed.iter().map(|id| {
            let (fire, needs_next) = self.fire(*id);
            let (pattern, path) = self.borrow(*id, needs_next);
            quote!({ let Self { #pattern, .. } = self; #path.#advance_name(#now, &mut #fire); })
        });
        let next = if later { quote!(self.next.#advance_name(#now, out);) } else { quote!() };
        let out_type = self.out_type();
        if timed.is_empty() && !later {
            return quote!();
        }
        quote! {
            #deadline_doc
            fn #deadline_name(&self) -> i64 { #deadline }
            #advance_doc
            fn #advance_name(&mut self, #now: i64, out: &mut #out_type) {
                #reads
                #(#advances)*
                #next
            }
        }
    }

    /// One function per event and timer: it hands the record to its chains; and one for events that are late, if something takes them.
    fn event_functions(&self) -> TokenStream {
        let events = self.program.events.iter().map(|e| (e.record, &e.doc, &e.chains));
        let timers = self.program.timers.iter().map(|t| (t.record, &t.doc, &t.chains));
        let late = self.program.events.iter().filter(|e| !e.late.is_empty()).map(|e| ("late_", e.record, &e.doc, &e.late));
        let all = events.chain(timers).map(|(record, doc, chains)| ("on_", record, doc, chains)).chain(late);
        all.map(|(word, record, doc, chains)| self.hand_function(word, record, doc, chains)).collect()
    }

    fn hand_function(&self, word: &str, record: RecordId, doc: &str, chains: &[ChainId]) -> TokenStream {
        let out_type = self.out_type();
        let (name, ty) = (format_ident!("{word}{}", crate::lower::assemble::snake(&self.program.record(record).name)), self.record_type(record, &quote!('_)));
        let doc = format!("{}:{}", self.options.file, doc);
        let calls: Vec<TokenStream> = chains
            .iter()
            .map(|c| {
                let receiver = self.path(&quote!(self), self.program.chain(*c).stage);
                self.call(*c, &receiver, &quote!(row), &quote!(row.ts), &quote!(row))
            })
            .collect();
        if calls.len() <= GROUP {
            let out = if calls.is_empty() { quote!(_out) } else { quote!(out) };
            return quote!(#[doc = #doc] #[inline] fn #name(&mut self, row: &#ty, #out: &mut #out_type) { #(#calls)* });
        }
        let parts: Vec<_> = (0..calls.len().div_ceil(GROUP)).map(|i| format_ident!("{name}_{}", i + 1)).collect();
        let functions = parts
            .iter()
            .zip(calls.chunks(GROUP))
            .map(|(part, calls)| quote!(#[inline(never)] fn #part(&mut self, row: &#ty, out: &mut #out_type) { #(#calls)* }));
        quote! {
            #[doc = #doc]
            fn #name(&mut self, row: &#ty, out: &mut #out_type) { #(self.#parts(row, out);)* }
            #(#functions)*
        }
    }
}
