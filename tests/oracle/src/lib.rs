//! The oracle: what a program yields over a finite input, by the definitions of the language.
//!
//! It is slow and has no incremental state: windows are groups of a sorted list, joins are nested loops, a pattern's run is followed from
//! its first event to its end. It shares the parser, the types and the plan *before* the optimizer with the compiler, and a JSON reader;
//! lowering, operators and run-time functions it has on its own, so that agreeing with a backend says something about them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a witness for tests: what it does not know must stop the test")]

mod aggregate;
mod decimal;
mod expression;
mod functions;
mod input;
mod join;
mod library;
mod live;
mod packed;
mod pattern;
mod record;
mod rejected;
mod run;
mod stream;
mod top;
mod value;
mod window;

pub use record::{ErrorRow, Row};
pub use value::Value;

use varpulis_compiler::plan::logical::Plan;

/// What a program yields.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Per publication, in the order of the program: its rows, in order.
    pub rows: Vec<Vec<Row>>,
    /// Records that left a stream by an evaluation error.
    pub errors: Vec<ErrorRow>,
    /// Lines of events below the watermark that no window took, from 0.
    pub late: Vec<usize>,
    /// Lines that are no valid event, from 0.
    pub invalid: Vec<usize>,
}

/// Evaluates the plan, as analysed, over NDJSON text.
pub fn evaluate(plan: &Plan, input: &str) -> Outcome {
    evaluate_examining(plan, input, &|_, _| true)
}

/// The same where a compiled program examines only some fields of an event (by their names), because it knows the others' values not to
/// matter: how far a line is examined depends on what the program needs (§10), and a compiler knows constants that this oracle does not.
pub fn evaluate_examining(plan: &Plan, input: &str, examined: &dyn Fn(&str, &str) -> bool) -> Outcome {
    let mut read = input::read(plan, input, examined);
    let mut streams = stream::Streams::new(plan, &mut read);
    let rows = plan.publications.iter().map(|p| streams.rows(p)).collect();
    let (errors, taken) = streams.into_errors();
    let late = read.late.into_iter().filter(|line| !taken.contains(line)).collect();
    Outcome { rows, errors, late, invalid: read.invalid }
}
