//! Milliseconds from a program's text to Rust tokens, which is the work of the macro: the median of some runs, for each file named.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::process::ExitCode;
use std::time::Instant;

use varpulis_compiler::compile;
use varpulis_compiler::rust::{Options, items, path};

const RUNS: usize = 11;

fn main() -> ExitCode {
    for file in std::env::args().skip(1) {
        match std::fs::read_to_string(&file).map_err(|e| e.to_string()).and_then(|text| median(&text)) {
            Ok(milliseconds) => println!("{milliseconds:.1}"),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn median(text: &str) -> Result<f64, String> {
    let options = Options { runtime: path("::varpulis::runtime"), name: "program".to_owned(), file: "program.vpl".to_owned(), comments: false };
    let mut times = vec![];
    for _ in 0..RUNS {
        let start = Instant::now();
        let program = compile(text).program.ok_or("the program is refused")?;
        let tokens = items(&program.physical, &program.sources, &options);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        if tokens.is_empty() {
            return Err("no tokens".to_owned());
        }
    }
    times.sort_by(f64::total_cmp);
    times.get(RUNS / 2).copied().ok_or_else(|| "no runs".to_owned())
}
