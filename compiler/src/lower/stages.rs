//! Stages: how many operators lie before a chain at most. Code of a stage reaches the operators of its own and of later stages only,
//! which is how generated code borrows an operator and what stands behind it at the same time.

use super::ir::{ChainId, Statement};
use crate::plan::physical::Program;

/// Assigns stages to operators and chains.
pub(super) fn assign(program: &mut Program) {
    // What is refused goes on from where that is told: in the chain's stage, or behind it.
    let handlers = |chain| program.error_inputs_of(chain).into_iter().filter_map(|at| program.errors.get(at)).flat_map(|input| input.chains.clone()).collect();
    let handlers: Vec<Vec<ChainId>> = if program.errors.is_empty() { vec![] } else { program.chains.iter().map(handlers).collect() };
    loop {
        let mut changed = false;
        for at in 0..program.chains.len() {
            let Some(chain) = program.chains.get(at) else { continue };
            let stage = chain.stage;
            let (mut pushes, mut calls) = (vec![], vec![]);
            chain.body.walk(&mut |_| {}, &mut |s| match s {
                Statement::Push { operator, .. } => pushes.push(*operator),
                Statement::Call { chain, .. } => calls.push(*chain),
                _ => {}
            });
            for operator in pushes {
                if let Some(o) = program.operators.get_mut(operator.0 as usize)
                    && o.stage < stage
                {
                    o.stage = stage;
                    changed = true;
                }
            }
            for called in calls.into_iter().chain(handlers.get(at).into_iter().flatten().copied()) {
                if let Some(c) = program.chains.get_mut(called.0 as usize)
                    && c.stage < stage
                {
                    c.stage = stage;
                    changed = true;
                }
            }
        }
        for at in 0..program.operators.len() {
            let Some((stage, chains)) = program.operators.get(at).map(|o| (o.stage, o.chains.clone())) else { continue };
            for chain in chains {
                if let Some(c) = program.chains.get_mut(chain.0 as usize)
                    && c.stage < stage + 1
                {
                    c.stage = stage + 1;
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}
