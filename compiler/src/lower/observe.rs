//! Observations: lines and counts that leave records as they are.

use super::assemble::Assembler;
use super::builder::Builder;
use super::expression::lower;
use super::frame::{Frame, Lowering};
use super::ir::Statement;
use crate::analysis::typed::Expr;
use crate::plan::logical::{ErrorOwner, Observation};

impl Assembler<'_> {
    pub(super) fn observe(&mut self, b: &mut Builder, observation: &Observation, frame: &Frame, owner: &ErrorOwner) {
        let line = |a: &mut Self, b: &mut Builder, e: &Expr| lower(b, &mut Lowering { a, frame: frame.clone(), owner: owner.clone() }, e);
        match observation {
            Observation::Print(e) => {
                let v = line(self, b, e);
                b.statement(Statement::Print(v));
            }
            Observation::Count(name) => {
                let counter = self.counter(name);
                b.statement(Statement::Count { counter, every: 1, then: vec![] });
            }
            Observation::CountBy { name, label } => {
                let label = line(self, b, label);
                let counter = self.counter(name);
                b.statement(Statement::CountBy { counter, label });
            }
            Observation::Sample { text, every } => {
                let counter = self.counter(&format!("{} sampled", owner.stream));
                let region = b.region(|b| {
                    let v = line(self, b, text);
                    b.statement(Statement::Print(v));
                    None
                });
                b.statement(Statement::Count { counter, every: *every, then: region.statements });
            }
        }
    }

    fn counter(&mut self, name: &str) -> usize {
        self.program.counters.push(name.to_owned());
        self.program.counters.len() - 1
    }
}
