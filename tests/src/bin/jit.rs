//! Runs a program that the JIT backend compiles: the first argument is its file, the others are the program's own flags.

use std::ffi::OsString;
use std::process::ExitCode;

use varpulis_compiler::jit::{Limits, Program};
use varpulis_runtime::standalone::{Options, Process, execute};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let path = arguments.next().unwrap_or_default().to_string_lossy().into_owned();
    match run(&path, arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(path: &str, arguments: impl Iterator<Item = OsString>) -> Result<u8, Box<dyn std::error::Error>> {
    let program = Program::compile_file("case", path, &std::fs::read_to_string(path)?, &mut |path| std::fs::read_to_string(path), Limits::default())?;
    let options = Options::parse_as(&program.schema(), std::iter::once("case".into()).chain(arguments))?;
    Ok(execute(|params| program.with_params(params), &options, &Process::default()))
}
