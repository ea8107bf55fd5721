//! The printer: what is known of a program while it is printed, and the order of the items.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::Options;
use crate::lower::ir::{OperatorId, RecordId, Statement};
use crate::lower::usage::Usage;
use crate::plan::physical::Program;
use crate::sources::Sources;

/// Prints one program.
pub(super) struct Printer<'a> {
    pub(super) program: &'a Program,
    pub(super) options: &'a Options,
    /// Fields that something reads.
    pub(super) usage: Usage,
    /// Records that users name: events, and rows that are published.
    pub(super) public: HashSet<RecordId>,
    pub(super) sources: &'a Sources,
    /// Publications of rule tables: their number → the table's first.
    pub(super) rules: Vec<Vec<usize>>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(program: &'a Program, sources: &'a Sources, options: &'a Options) -> Self {
        let usage = Usage::of(program);
        let mut s = Self { program, options, usage, public: HashSet::new(), sources, rules: rules(program) };
        s.public = s.public_records().into_iter().collect();
        s
    }

    pub(super) fn items(&self) -> TokenStream {
        let runtime = &self.options.runtime;
        let records = self.records();
        let kernels = (0..self.program.operators.len()).map(|i| self.kernel(OperatorId(i as u32)));
        let rows = self.rows();
        let events = self.events();
        let without_text = self.without_text();
        let globals = self.globals();
        let stages = self.stages();
        let program = self.program_item();
        quote! {
            #[allow(unused_imports, reason = "the path is for names that the program has too")]
            use #runtime::prelude::{self as runtime, *};
            #records
            #events
            #rows
            #without_text
            #globals
            #(#kernels)*
            #stages
            #program
        }
    }

    /// The path of the program's type inside its module.
    pub(super) fn program_type(&self) -> TokenStream {
        quote!(Program)
    }

    /// Whether something is set from outside, computed at the start, or changed as records pass.
    pub(super) fn has_globals(&self) -> bool {
        !self.program.globals.is_empty() || self.has_state()
    }

    /// Whether the program has state of its own, beside that of operators.
    pub(super) fn has_state(&self) -> bool {
        !self.program.states.is_empty()
    }

    /// The type behind the `out` of a stage's functions: where there is program state, it goes with it.
    pub(super) fn out_type(&self) -> TokenStream {
        let program = self.program_type();
        if self.has_state() { quote!(WithState<'_, impl Output<#program>, State>) } else { quote!(impl Output<#program>) }
    }

    /// What a function of the program hands to a stage as `out`.
    pub(super) fn lent_out(&self) -> TokenStream {
        if self.has_state() { quote!(&mut WithState { out, state: &mut self.state }) } else { quote!(out) }
    }

    /// Whether time alone makes something happen.
    pub(super) fn is_timed(&self) -> bool {
        self.has_timers() || self.program.operators.iter().any(|o| o.timed)
    }

    /// Whether some source is a timer.
    pub(super) fn has_timers(&self) -> bool {
        !self.program.timers.is_empty()
    }
}

/// The publications of each rule table.
fn rules(program: &Program) -> Vec<Vec<usize>> {
    let mut rules = vec![];
    for chain in &program.chains {
        chain.body.walk(&mut |_| {}, &mut |s| {
            if let Statement::PublishRule { publications, .. } = s {
                rules.push(publications.clone());
            }
        });
    }
    rules
}
