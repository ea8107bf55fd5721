//! The program: the value that users hold, what goes into it, and how time passes in it.

use proc_macro2::{Literal as Token, TokenStream};
use quote::{format_ident, quote};

use super::literal::int;
use super::names;
use super::packed::getter;
use super::printer::Printer;
use crate::lower::ir::{FieldType, OperatorId, RecordId, Statement};
use crate::plan::physical::EventInput;

impl Printer<'_> {
    pub(super) fn program_item(&self) -> TokenStream {
        let tables = self.tables();
        let globals = self.has_globals();
        let out_of_order = self.program.events.iter().map(|e| e.out_of_order).max().unwrap_or(0);
        let lag = int(out_of_order);
        let (globals_new, globals_arg) = if globals { (self.globals_made(), quote!(&globals)) } else { (quote!(), quote!()) };
        let (waiting_field, waiting_new) =
            if self.holds() { (quote!(waiting: ReorderBuffer<Held>,), quote!(waiting: ReorderBuffer::new(#lag),)) } else { (quote!(), quote!()) };
        let (timers_field, timers_new) = self.timers();
        let (state_field, state_new) = if self.has_state() { (quote!(state: State,), quote!(state,)) } else { (quote!(), quote!()) };
        let takes: TokenStream = self.program.events.iter().map(|e| self.take_function(e)).collect();
        let pushes = self.program.events.iter().map(|e| {
            let (variant, take) = (self.record_name(e.record), self.take_name(e.record));
            quote!(Event::#variant(row) => self.#take(&row, out))
        });
        let time = self.program_time();
        let new = if !self.has_globals() {
            quote! {
                /// A fresh instance.
                pub fn new() -> Self { Self { clock: Clock::new(#lag), stage: Stage1::new(), #timers_new #waiting_new } }
            }
        } else {
            quote!()
        };
        let default = if !self.has_globals() { quote!(impl Default for Program { fn default() -> Self { Self::new() } }) } else { quote!() };
        let with_params = if !self.has_globals() {
            quote!(
                fn with_params(params: &Params) -> Result<Self, String> {
                    params.check(Self::PARAMS)?;
                    Ok(Self::new())
                }
            )
        } else {
            quote! {
                fn with_params(params: &Params) -> Result<Self, String> {
                    params.check(Self::PARAMS)?;
                    #globals_new
                    Ok(Self { clock: Clock::new(#lag), stage: Stage1::new(#globals_arg), #state_new #timers_new #waiting_new })
                }
            }
        };
        let counters = self.counters();
        let (decode, rejection) = (self.decode(), self.rejection());
        let doc = format!("The program of `{}`, compiled: events in, rows out. It owns all its state.", self.options.file);
        let builder = self.builder();
        quote! {
            #[doc = #doc]
            pub struct Program { clock: Clock, stage: Stage1, #state_field #timers_field #waiting_field }
            #default
            impl Program {
                #new
                /// Takes an event. A late one goes to `out.late`, and nothing else happens.
                pub fn push<'a>(&mut self, event: impl Into<Event<'a>>, out: &mut impl Output<Self>) {
                    match event.into() { #(#pushes,)* }
                }
                #takes
            }
            #builder
            impl CompiledProgram for Program {
                #tables
                #with_params
            }
            impl Instance for Program {
                type Row<'a> = Row<'a>;
                fn schema(&self) -> Schema<'_> { Self::SCHEMA }
                #decode
                #rejection
                #time
                #counters
            }
        }
    }

    fn take_name(&self, record: RecordId) -> proc_macro2::Ident {
        format_ident!("take_{}", crate::lower::assemble::snake(&self.program.record(record).name))
    }

    fn take_function(&self, e: &EventInput) -> TokenStream {
        let (take, on, ty) = (
            self.take_name(e.record),
            format_ident!("on_{}", crate::lower::assemble::snake(&self.program.record(e.record).name)),
            self.record_type(e.record, &quote!('_)),
        );
        let (late, late_function) = self.late(e);
        if self.holds() {
            let (variant, held) = (self.record_name(e.record), format_ident!("Held{}", self.program.record(e.record).name));
            return quote! {
                #late_function
                fn #take(&mut self, row: &#ty, out: &mut impl Output<Self>) {
                    let arrival = self.clock.observe(row.ts);
                    if arrival == Arrival::Late { return #late; }
                    self.waiting.push(row.ts, Held::#variant(#held::new(row)));
                    if let Arrival::Moved(watermark) = arrival { self.release(watermark, out); }
                }
            };
        }
        let lent = self.lent_out();
        let moved = if self.is_timed() {
            quote!(Arrival::Moved(watermark) => self.pass(watermark, out), Arrival::InTime => {})
        } else {
            quote!(Arrival::Moved(_) | Arrival::InTime => {})
        };
        quote! {
            #late_function
            #[inline]
            fn #take(&mut self, row: &#ty, out: &mut impl Output<Self>) {
                match self.clock.observe(row.ts) {
                    Arrival::Late => return #late,
                    #moved
                }
                self.stage.#on(row, #lent);
            }
        }
    }

    /// What becomes of a late event, and the function that tries the windows that may take it.
    fn late(&self, e: &EventInput) -> (TokenStream, TokenStream) {
        if e.late.is_empty() {
            return (quote!(out.late(row)), quote!());
        }
        let name = crate::lower::assemble::snake(&self.program.record(e.record).name);
        let (function, late, ty) = (format_ident!("take_late_{name}"), format_ident!("late_{name}"), self.record_type(e.record, &quote!('_)));
        let windows: Vec<TokenStream> = self
            .late_operators()
            .map(|id| {
                let (_, path) = self.borrow(id, false);
                let stage = self.path(&quote!(self.stage), self.program.operator(id).stage);
                quote!(#stage.#path)
            })
            .collect();
        let lent = self.lent_out();
        let item = quote! {
            #[cold]
            fn #function(&mut self, row: &#ty, out: &mut impl Output<Self>) {
                let watermark = self.clock.watermark();
                #(#windows.begin_late(watermark);)*
                self.stage.#late(row, #lent);
                if !(#(#windows.took_late())||*) {
                    out.late(row);
                }
            }
        };
        (quote!(self.#function(row, out)), item)
    }

    /// The operators that take late records.
    fn late_operators(&self) -> impl Iterator<Item = OperatorId> {
        let mut found = std::collections::BTreeSet::new();
        for chain in &self.program.chains {
            chain.body.walk(&mut |_| {}, &mut |s| {
                if let Statement::Push { operator, late: true, .. } = s {
                    found.insert(*operator);
                }
            });
        }
        found.into_iter()
    }

    /// `pass` lets time go by; `release` hands on what waited; `advance` is both, from outside.
    fn program_time(&self) -> TokenStream {
        let clocked = self.program.operators.iter().any(|o| o.clocked);
        let finish = if self.holds() {
            quote!(self.release(watermark, out);)
        } else if self.is_timed() {
            quote!(self.pass(watermark, out);)
        } else if clocked {
            quote!()
        } else {
            quote!(let _ = out;)
        };
        let lent = self.lent_out();
        let (machine, at_end) = if clocked {
            let functions = quote! {
                fn machine_deadline(&self) -> Option<i64> { Some(self.stage.machine_deadline()) }
                fn tick<Destination: Output<Self>>(&mut self, out: &mut Destination) {
                    let now = out.wall_clock();
                    if self.stage.machine_deadline() <= now { self.stage.tick(now, #lent); }
                }
            };
            (functions, quote!(if watermark == i64::MAX { self.stage.tick(watermark, #lent); }))
        } else {
            (quote!(), quote!())
        };
        // The end of the input is no time that goes by.
        let end = if self.has_timers() {
            quote!(if watermark == i64::MAX {
                self.timers.end(self.clock.newest());
            })
        } else {
            quote!()
        };
        quote! {
            fn advance<Destination: Output<Self>>(&mut self, watermark: i64, out: &mut Destination) {
                #end
                self.clock.move_to(watermark);
                #finish
                #at_end
            }
            #machine
        }
    }

    /// The private functions behind [`Printer::program_time`].
    pub(super) fn time_functions(&self) -> TokenStream {
        let lent = self.lent_out();
        let lent = &lent;
        let pass = if self.has_timers() {
            self.pass_with_timers()
        } else if self.is_timed() {
            let one = self.program.operators.iter().filter(|o| o.timed).count() == 1;
            let steps = if one {
                quote!(if self.stage.deadline() <= watermark {
                    self.stage.advance(watermark, #lent);
                })
            } else {
                // Operators fire in the order of time, whatever their order in the program.
                quote! {
                    loop {
                        let due = self.stage.deadline();
                        if due > watermark || due == i64::MAX { break; }
                        self.stage.advance(due, #lent);
                    }
                }
            };
            quote!(#[inline] fn pass(&mut self, watermark: i64, out: &mut impl Output<Self>) { #steps })
        } else {
            quote!()
        };
        let release = if self.holds() {
            let arms = self.program.events.iter().map(|e| {
                let (variant, on) = (self.record_name(e.record), format_ident!("on_{}", crate::lower::assemble::snake(&self.program.record(e.record).name)));
                quote!(Held::#variant(held) => self.stage.#on(&held.row(), #lent))
            });
            let before = if self.is_timed() { quote!(self.pass(ts, out);) } else { quote!() };
            let ts = if self.is_timed() { quote!(ts) } else { quote!(_) };
            let after = if self.is_timed() { quote!(self.pass(watermark, out);) } else { quote!() };
            quote! {
                fn release(&mut self, watermark: i64, out: &mut impl Output<Self>) {
                    while let Some((#ts, held)) = self.waiting.pop_ready(watermark) {
                        #before
                        match held { #(#arms,)* }
                    }
                    #after
                }
            }
        } else {
            quote!()
        };
        quote!(impl Program { #pass #release })
    }

    /// The field that counts the program's timers, and its construction.
    fn timers(&self) -> (TokenStream, TokenStream) {
        if !self.has_timers() {
            return (quote!(), quote!());
        }
        let periods = self.program.timers.iter().map(|t| int(t.period));
        (quote!(timers: Timers,), quote!(timers: Timers::new([#(#periods),*]),))
    }

    /// Timers and operators in the order of time; of one moment, operators first.
    fn pass_with_timers(&self) -> TokenStream {
        let lent = self.lent_out();
        let lent = &lent;
        let arms = self.program.timers.iter().enumerate().map(|(at, t)| {
            let (name, on) = (self.record_name(t.record), format_ident!("on_{}", crate::lower::assemble::snake(&self.program.record(t.record).name)));
            (Token::usize_unsuffixed(at), quote!(self.stage.#on(&#name { ts }, #lent)))
        });
        let arms: Vec<_> = arms.collect();
        let (timer, tell) = match arms.as_slice() {
            [(_, only)] => (quote!(_), quote!(#only;)),
            arms => {
                let arms = arms.iter().map(|(at, tell)| quote!(#at => #tell,));
                (quote!(timer), quote!(match timer { #(#arms)* _ => {} }))
            }
        };
        let steps = if self.program.operators.iter().any(|o| o.timed) {
            quote! {
                loop {
                    let due = self.stage.deadline();
                    if let Some((ts, #timer)) = self.timers.tick(watermark, due) {
                        #tell
                        continue;
                    }
                    if due > watermark || due == i64::MAX { break; }
                    self.stage.advance(due, #lent);
                }
            }
        } else {
            quote!(while let Some((ts, #timer)) = self.timers.tick(watermark, i64::MAX) { #tell })
        };
        quote! {
            fn pass(&mut self, watermark: i64, out: &mut impl Output<Self>) {
                self.timers.begin(self.clock.oldest(), watermark);
                #steps
            }
        }
    }

    /// Names for an event's decoded values, and the fields of its struct made of them.
    pub(super) fn decoded_fields(&self, record: RecordId) -> (Vec<proc_macro2::Ident>, Vec<TokenStream>) {
        let used = self.used_fields(record);
        let bindings: Vec<_> = (0..used.len()).map(|i| format_ident!("f{}", i)).collect();
        let fields = used.iter().zip(&bindings).map(|((_, f), b)| {
            let field = names::field(&f.name);
            let FieldType::Scalar(p) = f.ty else { return quote!() };
            let getter = getter(p);
            quote!(#field: #b.#getter())
        });
        let fields = fields.collect();
        (bindings, fields)
    }

    fn decode(&self) -> TokenStream {
        let arms = self.program.events.iter().enumerate().map(|(i, e)| {
            let (name, take) = (self.record_name(e.record), self.take_name(e.record));
            let (bindings, fields) = self.decoded_fields(e.record);
            let index = Token::usize_unsuffixed(i);
            (quote!(#index), quote!(&[#(#bindings),*]), quote!(self.#take(&#name { ts, #(#fields),* }, out);))
        });
        let arms: Vec<_> = arms.collect();
        let body = match arms.as_slice() {
            [] => {
                return quote!(
                    fn event<Destination: Output<Self>>(&mut self, _event: usize, _ts: i64, _values: &[Value<'_>], _out: &mut Destination) {}
                );
            }
            // A match with one arm would be an `if` in other words.
            [(index, fields, taken)] => quote!(if let (#index, #fields) = (event, values) { #taken }),
            arms => {
                let arms = arms.iter().map(|(index, fields, taken)| quote!(#index => if let #fields = values { #taken }));
                quote!(match event { #(#arms)* _ => {} })
            }
        };
        quote! {
            #[inline]
            fn event<Destination: Output<Self>>(&mut self, event: usize, ts: i64, values: &[Value<'_>], out: &mut Destination) { #body }
        }
    }

    fn counters(&self) -> TokenStream {
        if self.program.counters.is_empty() {
            return quote!();
        }
        let mut entries = vec![];
        for stage in 0..self.stage_count() {
            for c in self.counters_of(stage) {
                let (field, name) = (format_ident!("counter{}", c), self.program.counters.get(c).cloned().unwrap_or_default());
                let path = self.path(&quote!(self.stage), stage);
                entries.push(if self.program.is_labelled(c) {
                    quote!(named.extend(#path.#field.counts(#name));)
                } else {
                    quote!(named.push((#name.to_owned(), #path.#field));)
                });
            }
        }
        quote!(
            fn counters(&self) -> Counters {
                let mut named = vec![];
                #(#entries)*
                Counters { named }
            }
        )
    }
}
