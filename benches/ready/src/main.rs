//! Milliseconds from a program's text to an instance that takes events, the median of some runs, for each file named: all of it, and the part
//! up to the physical plan.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::process::ExitCode;
use std::time::Instant;

use varpulis_compiler::compile;
use varpulis_compiler::jit::{Limits, Program};

const RUNS: usize = 11;

fn main() -> ExitCode {
    for file in std::env::args().skip(1) {
        match std::fs::read_to_string(&file).map_err(|e| e.to_string()).and_then(|text| median(&text)) {
            Ok((all, plan, bytes)) => println!("{all:.2} {plan:.2} {bytes}"),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// All, up to the plan, and the size of the code.
fn median(text: &str) -> Result<(f64, f64, usize), String> {
    let (mut all, mut plans, mut bytes) = (vec![], vec![], 0);
    for _ in 0..RUNS {
        let start = Instant::now();
        let compiled = compile(text).program.ok_or("the program is refused")?;
        plans.push(start.elapsed().as_secs_f64() * 1000.0);
        let program = Program::generate(&compiled.physical, "program", "program.vpl", &compiled.sources, Limits::default()).map_err(|e| e.to_string())?;
        let instance = program.instance()?;
        all.push(start.elapsed().as_secs_f64() * 1000.0);
        bytes = program.code_size();
        drop(instance);
    }
    let middle = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(RUNS / 2).copied().unwrap_or_default()
    };
    Ok((middle(all), middle(plans), bytes))
}
