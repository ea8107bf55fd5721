//! The program: its tables, its stages of operators, and the value that users hold.

use std::collections::HashSet;

use proc_macro2::{Literal as Token, TokenStream};
use quote::{format_ident, quote};
use varpulis_abi::scalar::{Physical, Scalar};

use super::Options;
use super::body::{BodyPrinter, Place};
use super::names;
use super::record::{int, json_text};
use crate::analysis::typed::Literal;
use crate::diagnostics::Lines;
use crate::lower::ir::{FieldType, Op, OperatorId, RecordId, Statement};
use crate::plan::physical::{Config, Operator, Program};

/// How many operators a generated struct or function holds at most: rustc's time grows faster than their number.
const GROUP: usize = 20;

/// Prints one program.
pub(super) struct Printer<'a> {
    pub(super) program: &'a Program,
    pub(super) options: &'a Options,
    /// Fields that something reads.
    pub(super) used: HashSet<(RecordId, usize)>,
    /// Records of which every field is used.
    pub(super) whole: HashSet<RecordId>,
    source: &'a str,
    lines: Lines,
    /// Publications of rule tables: their number → the table's first.
    rules: Vec<Vec<usize>>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(program: &'a Program, source: &'a str, options: &'a Options) -> Self {
        let mut s = Self { program, options, used: HashSet::new(), whole: HashSet::new(), source, lines: Lines::new(source), rules: vec![] };
        s.collect_usage();
        s
    }

    fn collect_usage(&mut self) {
        let program = self.program;
        let bodies = program
            .chains
            .iter()
            .map(|c| &c.body)
            .chain(program.operators.iter().flat_map(|o| o.functions.iter().flat_map(|f| f.arms.iter().map(|a| &a.body))));
        let (mut used, mut rules) = (HashSet::new(), vec![]);
        for body in bodies {
            body.walk(
                &mut |v| {
                    if let Op::Load { record, field, .. } | Op::Ask { record, field, .. } = &v.op {
                        used.insert((*record, *field));
                    }
                },
                &mut |s| {
                    if let Statement::PublishRule { publications, .. } = s {
                        rules.push(publications.clone());
                    }
                },
            );
        }
        self.used = used;
        self.rules = rules;
        self.whole.extend(program.outputs.iter().map(|o| o.record));
        for o in &program.operators {
            self.whole.extend(
                o.config.iter().filter_map(|c| if let Config::Slots(store, _) = c { o.stores.iter().find(|(s, _)| s == store).map(|(_, r)| *r) } else { None }),
            );
        }
    }

    /// The path of the program's type inside its module.
    pub(super) fn program_type(&self) -> TokenStream {
        quote!(Program)
    }

    pub(super) fn items(&self) -> TokenStream {
        let runtime = &self.options.runtime;
        let records = self.records();
        let kernels = (0..self.program.operators.len()).map(|i| self.kernel(OperatorId(i as u32)));
        let rows = self.rows();
        let events = self.events();
        let globals = self.globals();
        let stages = self.stages();
        let program = self.program_item();
        quote! {
            #[allow(unused_imports, reason = "the path is for names that the program has too")]
            use #runtime::prelude::{self as runtime, *};
            #records
            #events
            #rows
            #globals
            #(#kernels)*
            #stages
            #program
        }
    }

    /// A publication that belongs to a rule table but is not its first: it has no record of its own.
    fn is_shared_rule(&self, publication: usize) -> bool {
        self.rules.iter().any(|r| r.iter().skip(1).any(|p| *p == publication))
    }

    fn rule_of(&self, publication: usize) -> Option<&Vec<usize>> {
        self.rules.iter().find(|r| r.first() == Some(&publication))
    }

    fn records(&self) -> TokenStream {
        let mut out = TokenStream::new();
        let outputs: Vec<RecordId> = self.program.outputs.iter().map(|o| o.record).collect();
        for i in 0..self.program.records.len() {
            let id = RecordId(i as u32);
            if outputs.contains(&id) {
                continue;
            }
            // A slot that nobody reads has a type all the same; a row that nobody makes has none.
            out.extend(self.record(id));
            let record = self.program.record(id);
            if !record.stored {
                let event = self.program.events.iter().find(|e| e.record == id);
                let variants = event.map(|e| e.variants.clone()).unwrap_or_default();
                let name = event.map_or(record.name.as_str(), |e| e.name.as_str());
                out.extend(self.write_record(id, name, &variants, None));
            }
        }
        for (at, o) in self.program.outputs.iter().enumerate() {
            if self.is_shared_rule(at) {
                continue;
            }
            match self.rule_of(at) {
                Some(rule) => out.extend(self.rule_record(o.record, rule)),
                None => {
                    out.extend(self.record(o.record));
                    out.extend(self.write_record(o.record, &o.name, &o.variants, o.shadow));
                }
            }
        }
        out
    }

    /// The row of many rules: it knows which one it came from.
    fn rule_record(&self, id: RecordId, rule: &[usize]) -> TokenStream {
        let name = self.record_name(id);
        let generics = if self.has_lifetime(id) { quote!(<'a>) } else { quote!() };
        let ty = self.record_type(id, &quote!('_));
        let fields = self.used_fields(id).into_iter().map(|(_, f)| {
            let name = names::field(&f.name);
            let FieldType::Scalar(ty) = f.ty else { return quote!() };
            let ty = super::record::value_type(ty, false);
            let doc = format!("`{}`", f.name);
            quote!(#[doc = #doc] pub #name: #ty,)
        });
        let streams = rule.iter().filter_map(|p| self.program.outputs.get(*p)).map(|o| o.name.as_str());
        let heads = rule.iter().filter_map(|p| self.program.outputs.get(*p)).map(|o| format!("{{\"type\":{},\"ts\":", json_text(&o.name)));
        let count = rule.len();
        let (heads_name, names_name) = (
            format_ident!("{}_HEADS", crate::lower::assemble::snake(&self.program.record(id).name).to_uppercase()),
            format_ident!("{}_NAMES", crate::lower::assemble::snake(&self.program.record(id).name).to_uppercase()),
        );
        let writes = self.used_fields(id).into_iter().map(|(_, f)| {
            let field = names::field(&f.name);
            let key = format!(",{}:", json_text(&f.name));
            let FieldType::Scalar(p) = f.ty else { return quote!() };
            let plain = writer_method(p);
            quote!(writer.#plain(#key, self.#field);)
        });
        let doc = format!("A row of {count} streams that differ in constants only.");
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub struct #name #generics {
                /// Which of the streams, in the order of the program.
                pub rule: usize,
                /// Event time, ns since the epoch.
                pub ts: i64,
                #(#fields)*
            }
            const #heads_name: [&str; #count] = [#(#heads),*];
            const #names_name: [&str; #count] = [#(#streams),*];
            impl #ty {
                /// The stream that the row belongs to.
                pub fn stream(&self) -> &'static str { #names_name.get(self.rule).copied().unwrap_or_default() }
            }
            impl WriteRecord for #ty {
                fn write(&self, writer: &mut RecordWriter<'_>) {
                    writer.begin(#heads_name.get(self.rule).copied().unwrap_or_default(), self.ts);
                    #(#writes)*
                    writer.end();
                }
            }
        }
    }

    fn enum_of(&self, name: &str, doc: &str, variants: &[RecordId]) -> TokenStream {
        let name = format_ident!("{name}");
        let lifetime = variants.iter().any(|r| self.has_lifetime(*r));
        let generics = if lifetime { quote!(<'a>) } else { quote!() };
        let any = if lifetime { quote!(<'_>) } else { quote!() };
        let list = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), self.record_type(*r, &quote!('a)));
            let doc = &self.program.record(*r).doc;
            quote!(#[doc = #doc] #variant(#ty))
        });
        let froms = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), self.record_type(*r, &quote!('a)));
            let own = if self.has_lifetime(*r) || lifetime { quote!(<'a>) } else { quote!() };
            quote!(impl #own From<#ty> for #name #generics { fn from(row: #ty) -> Self { Self::#variant(row) } })
        });
        let writes = variants.iter().map(|r| {
            let variant = self.record_name(*r);
            quote!(Self::#variant(row) => row.write(writer))
        });
        if variants.is_empty() {
            return quote! {
                #[doc = #doc]
                #[derive(Clone, Copy, Debug, PartialEq)]
                pub enum #name {}
                impl WriteRecord for #name { fn write(&self, _writer: &mut RecordWriter<'_>) { match *self {} } }
            };
        }
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub enum #name #generics { #(#list),* }
            #(#froms)*
            impl WriteRecord for #name #any {
                fn write(&self, writer: &mut RecordWriter<'_>) { match self { #(#writes,)* } }
            }
        }
    }

    fn row_records(&self) -> Vec<RecordId> {
        self.program.outputs.iter().enumerate().filter(|(i, _)| !self.is_shared_rule(*i)).map(|(_, o)| o.record).collect()
    }

    fn rows(&self) -> TokenStream {
        self.enum_of("Row", "Any row that the program publishes.", &self.row_records())
    }

    fn events(&self) -> TokenStream {
        let records: Vec<RecordId> = self.program.events.iter().map(|e| e.record).collect();
        let events = self.enum_of("Event", "Any event that the program reads.", &records);
        if !self.holds() {
            return events;
        }
        // Where events may lag, they wait in order: with their own texts.
        let held = records.iter().map(|r| {
            let name = format_ident!("Held{}", self.program.record(*r).name);
            let (row, row_name) = (self.record_type(*r, &quote!('_)), self.record_name(*r));
            let used = self.used_fields(*r);
            let fields = used.iter().map(|(_, f)| {
                let field = names::field(&f.name);
                let FieldType::Scalar(ty) = f.ty else { return quote!() };
                let ty = super::record::value_type(ty, true);
                quote!(#field: #ty)
            });
            let text = |f: &crate::lower::ir::RecordField| match f.ty {
                FieldType::Scalar(Physical { scalar: Scalar::Text | Scalar::Json, nullable }) => Some(nullable),
                _ => None,
            };
            let owns = used.iter().map(|(_, f)| {
                let field = names::field(&f.name);
                match text(f) {
                    Some(true) => quote!(#field: row.#field.map(Text::from)),
                    Some(false) => quote!(#field: Text::from(row.#field)),
                    None => quote!(#field: row.#field),
                }
            });
            let lends = used.iter().map(|(_, f)| {
                let field = names::field(&f.name);
                match text(f) {
                    Some(true) => quote!(#field: self.#field.as_deref()),
                    Some(false) => quote!(#field: self.#field.as_str()),
                    None => quote!(#field: self.#field),
                }
            });
            let doc = format!("`{}`, waiting for its turn.", self.program.record(*r).name);
            quote! {
                #[doc = #doc]
                struct #name { ts: i64, #(#fields),* }
                impl #name {
                    fn new(row: &#row) -> Self { Self { ts: row.ts, #(#owns),* } }
                    fn row(&self) -> #row { #row_name { ts: self.ts, #(#lends),* } }
                }
            }
        });
        let variants = records.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), format_ident!("Held{}", self.program.record(*r).name));
            quote!(#variant(#ty))
        });
        quote! { #events #(#held)* enum Held { #(#variants),* } }
    }

    /// Whether some event may lag, so that events wait in a reorder buffer.
    fn holds(&self) -> bool {
        self.program.events.iter().any(|e| e.out_of_order > 0)
    }

    fn globals(&self) -> TokenStream {
        if self.program.globals.is_empty() {
            return quote!();
        }
        let fields = self.program.globals.iter().map(|g| {
            let (name, ty) = (names::field(&g.name), super::record::value_type(g.ty, true));
            let doc = format!("`{}`", g.name);
            quote!(#[doc = #doc] #name: #ty)
        });
        let mut steps = TokenStream::new();
        for g in &self.program.globals {
            let (name, text) = (names::field(&g.name), &g.name);
            let value = g.body.as_ref().map(|b| {
                let place = Place { ts: quote!(0), firing: false, fallible: true, stage: 0, record: quote!(), globals: true };
                let body = BodyPrinter::new(self, b, &place).print();
                let own = if matches!(g.ty.scalar, Scalar::Text | Scalar::Json) {
                    if g.ty.nullable { quote!(.map(|v| v.map(Text::from))) } else { quote!(.map(Text::from)) }
                } else {
                    quote!()
                };
                quote!((|| -> Result<_, Refusal> { #body })()#own.map_err(|refusal| format!("`{}`: {}", #text, refusal.reason))?)
            });
            let read = if g.is_param {
                let method = format_ident!("{}", param_method(g.ty));
                match value {
                    Some(v) => quote!(match params.#method(#text)? { Some(value) => value.into(), None => #v }),
                    None if g.ty.nullable => quote!(params.#method(#text)?.map(Into::into)),
                    None => quote!(params.#method(#text)?.ok_or_else(|| format!("parameter `{}` must be set", #text))?.into()),
                }
            } else {
                value.unwrap_or_default()
            };
            steps.extend(quote!(let #name = #read;));
        }
        let all = self.program.globals.iter().map(|g| names::field(&g.name));
        quote! {
            /// What is set from outside or computed once, at the start.
            #[derive(Clone, Debug)]
            struct Globals { #(#fields),* }
            impl Globals {
                fn new(params: &Params) -> Result<Self, String> {
                    #steps
                    Ok(Self { #(#all),* })
                }
            }
        }
    }

    fn stage_count(&self) -> usize {
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

    fn stages(&self) -> TokenStream {
        (0..self.stage_count()).map(|s| self.stage(s)).collect()
    }

    fn operator_type(&self, operator: &Operator) -> TokenStream {
        let (ty, kernel) = (names::ident(operator.runtime), names::type_name(&operator.name));
        quote!(#ty<#kernel>)
    }

    fn construct(&self, operator: &Operator) -> TokenStream {
        let (ty, kernel) = (names::ident(operator.runtime), names::type_name(&operator.name));
        let kernel = if self.program.globals.is_empty() { quote!(#kernel) } else { quote!(#kernel { globals: globals.clone() }) };
        let config = operator.config.iter().map(|c| self.config(operator, c));
        quote!(#ty::new(#kernel #(, #config)*))
    }

    fn config(&self, operator: &Operator, c: &Config) -> TokenStream {
        match c {
            Config::Int(v) => int(*v),
            Config::Bool(v) => quote!(#v),
            Config::Struct(name, fields) => {
                let name = names::ident(name);
                let fields = fields.iter().map(|(n, v)| {
                    let n = names::ident(n);
                    let v = self.config(operator, v);
                    quote!(#n: #v)
                });
                quote!(#name { #(#fields),* })
            }
            Config::List(items) => {
                let items = items.iter().map(|i| self.config(operator, i));
                quote!(&[#(#items),*])
            }
            Config::Slots(store, rows) => self.slots(operator, store, rows),
        }
    }

    /// Prefilled slots: a table of constants, and one loop that makes slots of it.
    fn slots(&self, operator: &Operator, store: &str, rows: &[Vec<Literal>]) -> TokenStream {
        let Some((_, record)) = operator.stores.iter().find(|(s, _)| *s == store) else { return quote!(NoState::empty()) };
        let name = self.record_name(*record);
        let fields: Vec<_> = self.program.record(*record).fields.iter().collect();
        if fields.is_empty() {
            let count = rows.len();
            return quote!((0..#count).map(|_| #name {}).collect());
        }
        let types = fields.iter().map(|f| match f.ty {
            FieldType::Scalar(p) if matches!(p.scalar, Scalar::Text | Scalar::Json) => quote!(&str),
            FieldType::Scalar(p) => super::record::value_type(p, true),
            FieldType::Object(_) => quote!(()),
        });
        let names: Vec<_> = fields.iter().map(|f| names::field(&f.name)).collect();
        let inits = fields.iter().zip(&names).map(|(f, n)| match f.ty {
            FieldType::Scalar(p) if matches!(p.scalar, Scalar::Text | Scalar::Json) => quote!(#n: Text::from(*#n)),
            _ => quote!(#n: *#n),
        });
        let values = rows.iter().map(|row| {
            let cells = row.iter().map(constant);
            quote!((#(#cells,)*))
        });
        let count = rows.len();
        quote! {{
            const TABLE: [(#(#types,)*); #count] = [#(#values),*];
            TABLE.iter().map(|(#(#names,)*)| #name { #(#inits),* }).collect()
        }}
    }

    fn stage(&self, stage: usize) -> TokenStream {
        let name = format_ident!("Stage{}", stage + 1);
        let operators = self.operators_of(stage);
        let last = stage + 1 == self.stage_count();
        let next_type = format_ident!("Stage{}", stage + 2);
        let globals = !self.program.globals.is_empty();
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
        if globals {
            fields.push(quote!(globals: ::std::sync::Arc<Globals>));
            inits.push(quote!(globals: globals.clone()));
        }
        for c in &counters {
            let c = format_ident!("counter{}", c);
            fields.push(quote!(#c: u64));
            inits.push(quote!(#c: 0));
        }
        if !last {
            let argument = if globals { quote!(globals) } else { quote!() };
            fields.push(quote!(next: #next_type));
            inits.push(quote!(next: #next_type::new(#argument)));
        }
        let parameter = if globals { quote!(globals: &::std::sync::Arc<Globals>) } else { quote!() };
        let chains = (0..self.program.chains.len())
            .map(|i| crate::lower::ir::ChainId(i as u32))
            .filter(|c| self.program.chain(*c).stage == stage)
            .map(|c| self.chain(c));
        let events = if stage == 0 { self.event_functions() } else { quote!() };
        let time = self.time(stage, &operators);
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
            }
        }
    }

    fn group_item(&self, stage: usize, group: usize, members: &[OperatorId]) -> TokenStream {
        let name = format_ident!("Stage{}Group{}", stage + 1, group + 1);
        let globals = !self.program.globals.is_empty();
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

    fn counters_of(&self, stage: usize) -> Vec<usize> {
        let mut counters = vec![];
        for chain in self.program.chains.iter().filter(|c| c.stage == stage) {
            chain.body.walk(&mut |_| {}, &mut |s| {
                if let Statement::Count { counter, .. } = s {
                    counters.push(*counter);
                }
            });
        }
        counters
    }

    /// `deadline` and `advance` of a stage.
    fn time(&self, stage: usize, operators: &[OperatorId]) -> TokenStream {
        let timed: Vec<OperatorId> = operators.iter().copied().filter(|o| self.program.operator(*o).timed).collect();
        let later = (stage + 1..self.stage_count()).any(|s| self.operators_of(s).iter().any(|o| self.program.operator(*o).timed));
        let mut deadlines: Vec<TokenStream> = timed
            .iter()
            .map(|id| {
                let (_, path) = self.borrow(*id, false);
                quote!(self.#path.deadline())
            })
            .collect();
        if later {
            deadlines.push(quote!(self.next.deadline()));
        }
        let deadline = deadlines.into_iter().reduce(|a, b| quote!(#a.min(#b))).unwrap_or(quote!(i64::MAX));
        let advances = timed.iter().map(|id| {
            let (fire, needs_next) = self.fire(*id);
            let (pattern, path) = self.borrow(*id, needs_next);
            quote!({ let Self { #pattern, .. } = self; #path.advance(watermark, &mut #fire); })
        });
        let next = if later { quote!(self.next.advance(watermark, out);) } else { quote!() };
        let program = self.program_type();
        if timed.is_empty() && !later {
            return quote!();
        }
        quote! {
            /// The next instant at which time alone makes something happen.
            fn deadline(&self) -> i64 { #deadline }
            /// Time has come to `watermark`.
            fn advance(&mut self, watermark: i64, out: &mut impl Output<#program>) {
                #(#advances)*
                #next
            }
        }
    }

    fn is_timed(&self) -> bool {
        self.program.operators.iter().any(|o| o.timed)
    }

    /// One function per event: it hands the event to its chains.
    fn event_functions(&self) -> TokenStream {
        let program = self.program_type();
        self.program
            .events
            .iter()
            .map(|e| {
                let (name, ty) =
                    (format_ident!("on_{}", crate::lower::assemble::snake(&self.program.record(e.record).name)), self.record_type(e.record, &quote!('_)));
                let doc = format!("{}:{}", self.options.file, e.doc);
                let calls: Vec<TokenStream> = e
                    .chains
                    .iter()
                    .map(|c| {
                        let receiver = self.path(&quote!(self), self.program.chain(*c).stage);
                        self.call(*c, &receiver, &quote!(row), &quote!(row))
                    })
                    .collect();
                if calls.len() <= GROUP {
                    let out = if calls.is_empty() { quote!(_out) } else { quote!(out) };
                    return quote!(#[doc = #doc] #[inline] fn #name(&mut self, row: &#ty, #out: &mut impl Output<#program>) { #(#calls)* });
                }
                let parts: Vec<_> = (0..calls.len().div_ceil(GROUP)).map(|i| format_ident!("{name}_{}", i + 1)).collect();
                let functions = parts
                    .iter()
                    .zip(calls.chunks(GROUP))
                    .map(|(part, calls)| quote!(#[inline(never)] fn #part(&mut self, row: &#ty, out: &mut impl Output<#program>) { #(#calls)* }));
                quote! {
                    #[doc = #doc]
                    fn #name(&mut self, row: &#ty, out: &mut impl Output<#program>) { #(self.#parts(row, out);)* }
                    #(#functions)*
                }
            })
            .collect()
    }

    fn program_item(&self) -> TokenStream {
        let tables = self.tables();
        let globals = !self.program.globals.is_empty();
        let out_of_order = self.program.events.iter().map(|e| e.out_of_order).max().unwrap_or(0);
        let lag = int(out_of_order);
        let (globals_new, globals_arg) =
            if globals { (quote!(let globals = ::std::sync::Arc::new(Globals::new(params)?);), quote!(&globals)) } else { (quote!(), quote!()) };
        let (waiting_field, waiting_new) =
            if self.holds() { (quote!(waiting: ReorderBuffer<Held>,), quote!(waiting: ReorderBuffer::new(),)) } else { (quote!(), quote!()) };
        let takes: TokenStream = self.program.events.iter().map(|e| self.take_function(e)).collect();
        let pushes = self.program.events.iter().map(|e| {
            let (variant, take) = (self.record_name(e.record), self.take_name(e.record));
            quote!(Event::#variant(row) => self.#take(&row, out))
        });
        let any_lifetime = self.program.events.iter().any(|e| self.has_lifetime(e.record));
        let (event_generics, event_type) = if any_lifetime { (quote!(<'a>), quote!(Event<'a>)) } else { (quote!(), quote!(Event)) };
        let time = self.program_time();
        let new = if self.program.globals.is_empty() {
            quote! {
                /// A fresh instance.
                pub fn new() -> Self { Self { clock: Clock::new(#lag), stage: Stage1::new(), #waiting_new } }
            }
        } else {
            quote!()
        };
        let default = if self.program.globals.is_empty() { quote!(impl Default for Program { fn default() -> Self { Self::new() } }) } else { quote!() };
        let with_params = if self.program.globals.is_empty() {
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
                    Ok(Self { clock: Clock::new(#lag), stage: Stage1::new(#globals_arg), #waiting_new })
                }
            }
        };
        let counters = self.counters();
        let decode = self.decode();
        let row_type = if self.row_records().iter().any(|r| self.has_lifetime(*r)) { quote!(Row<'a>) } else { quote!(Row) };
        let doc = format!("The program of `{}`, compiled: events in, rows out. It owns all its state.", self.options.file);
        let builder = self.builder();
        quote! {
            #[doc = #doc]
            pub struct Program { clock: Clock, stage: Stage1, #waiting_field }
            #default
            impl Program {
                #new
                /// Takes an event. A late one goes to `out.late`, and nothing else happens.
                pub fn push #event_generics (&mut self, event: impl Into<#event_type>, out: &mut impl Output<Self>) {
                    match event.into() { #(#pushes,)* }
                }
                #takes
            }
            #builder
            impl CompiledProgram for Program {
                #tables
                type Row<'a> = #row_type;
                #with_params
                #decode
                #time
                #counters
            }
        }
    }

    fn take_name(&self, record: RecordId) -> proc_macro2::Ident {
        format_ident!("take_{}", crate::lower::assemble::snake(&self.program.record(record).name))
    }

    fn take_function(&self, e: &crate::plan::physical::EventInput) -> TokenStream {
        let (take, on, ty) = (
            self.take_name(e.record),
            format_ident!("on_{}", crate::lower::assemble::snake(&self.program.record(e.record).name)),
            self.record_type(e.record, &quote!('_)),
        );
        let lag = int(e.out_of_order);
        if self.holds() {
            let (variant, held) = (self.record_name(e.record), format_ident!("Held{}", self.program.record(e.record).name));
            return quote! {
                fn #take(&mut self, row: &#ty, out: &mut impl Output<Self>) {
                    let arrival = self.clock.observe(row.ts, #lag);
                    if arrival == Arrival::Late { return out.late(row); }
                    self.waiting.push(row.ts, Held::#variant(#held::new(row)));
                    if let Arrival::Moved(watermark) = arrival { self.release(watermark, out); }
                }
            };
        }
        let moved = if self.is_timed() {
            quote!(Arrival::Moved(watermark) => self.pass(watermark, out), Arrival::InTime => {})
        } else {
            quote!(Arrival::Moved(_) | Arrival::InTime => {})
        };
        quote! {
            #[inline]
            fn #take(&mut self, row: &#ty, out: &mut impl Output<Self>) {
                match self.clock.observe(row.ts, #lag) {
                    Arrival::Late => return out.late(row),
                    #moved
                }
                self.stage.#on(row, out);
            }
        }
    }

    /// `pass` lets time go by; `release` hands on what waited; `advance` is both, from outside.
    fn program_time(&self) -> TokenStream {
        let finish = if self.holds() {
            quote!(self.release(watermark, out);)
        } else if self.is_timed() {
            quote!(self.pass(watermark, out);)
        } else {
            quote!(let _ = out;)
        };
        quote! {
            fn advance<Destination: Output<Self>>(&mut self, watermark: i64, out: &mut Destination) {
                self.clock.move_to(watermark);
                #finish
            }
        }
    }

    /// The private functions behind [`Printer::program_time`].
    fn time_functions(&self) -> TokenStream {
        let pass = if self.is_timed() {
            let one = self.program.operators.iter().filter(|o| o.timed).count() == 1;
            let steps = if one {
                quote!(if self.stage.deadline() <= watermark {
                    self.stage.advance(watermark, out);
                })
            } else {
                // Operators fire in the order of time, whatever their order in the program.
                quote! {
                    loop {
                        let due = self.stage.deadline();
                        if due > watermark || due == i64::MAX { break; }
                        self.stage.advance(due, out);
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
                quote!(Held::#variant(held) => self.stage.#on(&held.row(), out))
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

    fn builder(&self) -> TokenStream {
        let time = self.time_functions();
        if self.program.globals.is_empty() {
            return time;
        }
        let setters = self.program.globals.iter().filter(|g| g.is_param).map(|g| {
            let (name, text) = (names::field(&g.name), &g.name);
            let doc = format!("Sets `{}`.", g.name);
            let ty = match g.ty.scalar {
                Scalar::Float => quote!(f64),
                Scalar::Bool => quote!(bool),
                Scalar::Text | Scalar::Json => quote!(&str),
                _ => quote!(i64),
            };
            quote!(#[doc = #doc] pub fn #name(mut self, value: #ty) -> Self { self.params.set(#text, value.to_string()); self })
        });
        quote! {
            #time
            /// Sets parameters, then builds an instance.
            #[derive(Clone, Debug, Default)]
            pub struct Builder { params: Params }
            impl Builder {
                #(#setters)*
                /// A fresh instance.
                ///
                /// # Errors
                /// A parameter without a default is not set.
                pub fn build(self) -> Result<Program, String> { CompiledProgram::with_params(&self.params) }
            }
            impl Program {
                /// Sets parameters, then builds an instance.
                pub fn builder() -> Builder { Builder::default() }
            }
        }
    }

    fn tables(&self) -> TokenStream {
        let name = &self.options.name;
        let events = self.program.events.iter().map(|e| {
            let name = &e.name;
            let fields = self.used_fields(e.record).into_iter().map(|(i, f)| {
                let variants = e.variants.iter().find(|(at, _)| *at == i).map(|(_, v)| v.clone()).unwrap_or_default();
                field_schema(&f.name, f.ty, &variants)
            });
            let lag = int(e.out_of_order);
            quote!(EventSchema { name: #name, fields: &[#(#fields),*], out_of_order: #lag })
        });
        let streams = self.program.outputs.iter().map(|o| {
            let name = &o.name;
            let fields = self.program.record(o.record).fields.iter().enumerate().map(|(i, f)| {
                let variants = o.variants.iter().find(|(at, _)| *at == i).map(|(_, v)| v.clone()).unwrap_or_default();
                field_schema(&f.name, f.ty, &variants)
            });
            quote!(StreamSchema { name: #name, fields: &[#(#fields),*] })
        });
        let file = &self.options.file;
        let sites = self.program.sites.iter().map(|s| {
            let (line, column) = self.lines.position(self.source, s.start as usize);
            let (line, column) = (Token::u32_unsuffixed(line as u32), Token::u32_unsuffixed(column as u32));
            let stream = &s.stream;
            let text = self.source.get(s.start as usize..s.end as usize).unwrap_or_default();
            quote!(Site { stream: #stream, file: #file, line: #line, column: #column, text: #text })
        });
        let params = self.program.globals.iter().filter(|g| g.is_param).map(|g| {
            let name = &g.name;
            let ty = physical(g.ty);
            let has_default = g.body.is_some() || g.ty.nullable;
            let default = if has_default { quote!(Some("")) } else { quote!(None) };
            quote!(ParamSchema { name: #name, ty: #ty, default: #default })
        });
        quote! {
            const NAME: &'static str = #name;
            const EVENTS: &'static [EventSchema] = &[#(#events),*];
            const STREAMS: &'static [StreamSchema] = &[#(#streams),*];
            const SITES: &'static [Site] = &[#(#sites),*];
            const PARAMS: &'static [ParamSchema] = &[#(#params),*];
        }
    }

    fn decode(&self) -> TokenStream {
        let arms = self.program.events.iter().enumerate().map(|(i, e)| {
            let (name, take) = (self.record_name(e.record), self.take_name(e.record));
            let used = self.used_fields(e.record);
            let bindings: Vec<_> = (0..used.len()).map(|i| format_ident!("f{}", i)).collect();
            let fields = used.iter().zip(&bindings).map(|((_, f), b)| {
                let field = names::field(&f.name);
                let FieldType::Scalar(p) = f.ty else { return quote!() };
                let getter = match p.scalar {
                    Scalar::Int | Scalar::Timestamp | Scalar::Duration => "int",
                    Scalar::Float => "float",
                    Scalar::Bool => "bool",
                    Scalar::Text | Scalar::Json => "text",
                    Scalar::Enum => "variant",
                };
                let getter = names::ident(&if p.nullable { format!("optional_{getter}") } else { getter.to_owned() });
                quote!(#field: #b.#getter())
            });
            let index = Token::usize_unsuffixed(i);
            quote!(#index => if let &[#(#bindings),*] = values { self.#take(&#name { ts, #(#fields),* }, out); })
        });
        if self.program.events.is_empty() {
            return quote!(
                fn event<Destination: Output<Self>>(&mut self, _event: usize, _ts: i64, _values: &[Value<'_>], _out: &mut Destination) {}
            );
        }
        quote! {
            #[inline]
            fn event<Destination: Output<Self>>(&mut self, event: usize, ts: i64, values: &[Value<'_>], out: &mut Destination) {
                match event { #(#arms)* _ => {} }
            }
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
                entries.push(quote!((#name.to_owned(), #path.#field)));
            }
        }
        quote!(
            fn counters(&self) -> Counters {
                Counters { named: vec![#(#entries),*] }
            }
        )
    }
}

fn field_schema(name: &str, ty: FieldType, variants: &[String]) -> TokenStream {
    let ty = match ty {
        FieldType::Scalar(p) => physical(p),
        FieldType::Object(_) => quote!(),
    };
    quote!(FieldSchema { name: #name, ty: #ty, variants: &[#(#variants),*] })
}

fn physical(p: Physical) -> TokenStream {
    let scalar = names::ident(&format!("{:?}", p.scalar));
    let nullable = p.nullable;
    quote!(Physical { scalar: Scalar::#scalar, nullable: #nullable })
}

fn writer_method(p: Physical) -> proc_macro2::Ident {
    let plain = match p.scalar {
        Scalar::Int | Scalar::Enum => "int",
        Scalar::Float => "float",
        Scalar::Bool => "boolean",
        Scalar::Text => "text",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Json => "json",
    };
    names::ident(&if p.nullable { format!("optional_{plain}") } else { plain.to_owned() })
}

fn param_method(ty: Physical) -> &'static str {
    match ty.scalar {
        Scalar::Int | Scalar::Enum => "int",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Float => "float",
        Scalar::Bool => "boolean",
        Scalar::Text | Scalar::Json => "text",
    }
}

fn constant(l: &Literal) -> TokenStream {
    match l {
        Literal::Null => quote!(None),
        Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => int(*v),
        Literal::Float(v) if v.is_nan() => quote!(f64::NAN),
        Literal::Float(v) if v.is_infinite() => {
            if *v > 0.0 {
                quote!(f64::INFINITY)
            } else {
                quote!(f64::NEG_INFINITY)
            }
        }
        Literal::Float(v) => {
            let t = Token::f64_unsuffixed(v.abs());
            if v.is_sign_negative() { quote!(-#t) } else { quote!(#t) }
        }
        Literal::Bool(v) => quote!(#v),
        Literal::Str(v) => quote!(#v),
        Literal::Enum(v) => {
            let v = Token::u32_unsuffixed(*v);
            quote!(#v)
        }
    }
}
