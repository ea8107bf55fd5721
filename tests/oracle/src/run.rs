//! Statements of functions: variables in a map, loops as loops.

use std::cell::RefCell;
use std::collections::HashMap;

use varpulis_compiler::analysis::run::{Run, Step};

use crate::expression::{Read, Refused, eval, holds};
use crate::value::Value;

thread_local! {
    static VARIABLES: RefCell<HashMap<u32, Value>> = RefCell::default();
}

pub(crate) fn variable(number: u32) -> Value {
    VARIABLES.with_borrow(|variables| variables.get(&number).cloned()).expect("a variable is set before it is read")
}

/// The value of the statements. What an earlier run left in the variables is not theirs.
pub(crate) fn run(run: &Run, read: Read<'_>) -> Result<Value, Refused> {
    VARIABLES.with_borrow_mut(|variables| run.variables.iter().for_each(|variable| drop(variables.remove(&variable.number))));
    steps(run, &run.steps, &mut Emitting { live: &[], emitted: &mut vec![] }, read)?;
    Ok(variable(run.result))
}

/// The records that the statements emit, of each the fields that somebody reads.
pub(crate) fn process(run: &Run, live: &[usize], emitted: &mut Vec<Vec<Value>>, read: Read<'_>) -> Result<(), Refused> {
    steps(run, &run.steps, &mut Emitting { live, emitted }, read).map(|_| ())
}

struct Emitting<'e> {
    live: &'e [usize],
    emitted: &'e mut Vec<Vec<Value>>,
}

/// The block that is left, if one is.
fn steps(run: &Run, list: &[Step], into: &mut Emitting<'_>, read: Read<'_>) -> Result<Option<u32>, Refused> {
    for step in list {
        let left = match step {
            Step::Set(variable, value) => {
                let value = eval(value, read)?;
                VARIABLES.with_borrow_mut(|variables| variables.insert(*variable, value));
                None
            }
            Step::If(condition, then, otherwise) => steps(run, if holds(condition, true, read)? { then } else { otherwise }, into, read)?,
            Step::Block(block) => loop {
                match steps(run, &block.steps, into, read)? {
                    Some(left) if left == block.number => break None,
                    None if block.repeats => {}
                    left => break left,
                }
            },
            Step::Leave(block) => Some(*block),
            Step::Emit(record) => {
                let values = into.live.iter().map(|c| eval(&run.records[*record][*c], read)).collect::<Result<_, _>>()?;
                into.emitted.push(values);
                None
            }
        };
        if left.is_some() {
            return Ok(left);
        }
    }
    Ok(None)
}
