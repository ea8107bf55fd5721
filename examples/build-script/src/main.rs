//! A program that the build script compiled: `cargo run -p varpulis-example-build-script -- 200` lowers its limit.
#![allow(clippy::print_stdout, reason = "the rows are what it is for")]

use varpulis::{Instance, Params, Program};

varpulis::include!(program);

/// Times are nanoseconds since the Unix epoch.
const SECOND: i64 = 1_000_000_000;

fn main() -> Result<(), String> {
    let mut params = Params::default();
    if let Some(limit) = std::env::args().nth(1) {
        params.set("limit", limit);
    }
    let mut program = program::Program::with_params(&params)?;
    let mut out = varpulis::rows(|row: program::Row<'_>| println!("{row:?}"));
    for (second, symbol, price, volume) in [(0, "ACME", 101.5, 50), (20, "ACME", 102.0, 150), (70, "INIT", 20.25, 10)] {
        program.push(program::Trade { ts: second * SECOND, symbol, price, volume }, &mut out);
    }
    program.finish(&mut out);
    Ok(())
}
