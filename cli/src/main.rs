//! The `varpulis` command: check, format, run, build, explain and emit programs.

mod commands;
mod native;
mod source;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles VarpulisQL programs to native code and runs them.
#[derive(Parser)]
#[command(name = "varpulis", version, about, max_term_width = 100)]
struct Arguments {
    /// Colours in messages.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, env = "VARPULIS_COLOR")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

/// When to colour.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Reports what is wrong with programs, and the schemas of undeclared events.
    Check(commands::check::Check),
    /// Formats programs.
    Fmt(commands::fmt::Fmt),
    /// Compiles a program (or takes it from the cache) and runs it; flags behind the file are the program's.
    Run(commands::run::Run),
    /// Compiles a program to a standalone binary.
    Build(commands::build::Build),
    /// Shows a program's plans, or explains a diagnostic's code.
    Explain(commands::explain::Explain),
    /// Prints an intermediate form of a program.
    Emit(commands::emit::Emit),
    /// Makes a new project.
    New(commands::new::New),
}

/// As much stack as the largest programs need that are not refused: they are read and compiled by recursion.
const STACK: usize = 512 << 20;

fn main() -> ExitCode {
    match std::thread::Builder::new().stack_size(STACK).spawn(run).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => ExitCode::from(101),
        // Where there is no room for it, most programs do without.
        Err(_) => run(),
    }
}

fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(a) => a,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let color = match arguments.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none(),
    };
    let result = match arguments.command {
        Command::Check(c) => c.run(color),
        Command::Fmt(c) => c.run(color),
        Command::Run(c) => c.run(color),
        Command::Build(c) => c.run(color),
        Command::Explain(c) => c.run(color),
        Command::Emit(c) => c.run(color),
        Command::New(c) => c.run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
