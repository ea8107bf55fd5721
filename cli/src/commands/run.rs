//! `varpulis run`: compiles in memory and runs, or builds natively, caches by content, and runs that; or both.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use varpulis_compiler::Compiled;
use varpulis_compiler::jit::{Limits, Program};
use varpulis_runtime::standalone::{Options, Process, execute};

use crate::native;
use crate::source::Source;

/// Compiles a program and runs it.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The program.
    program: PathBuf,
    /// Which backend compiles it.
    #[arg(long, value_enum, default_value_t = Backend::Jit, env = "VARPULIS_BACKEND")]
    backend: Backend,
    /// The program's own flags: `--input`, `--output`, `--param`, …; `--help` behind the file shows them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    flags: Vec<String>,
}

/// Backends.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Backend {
    /// In memory, within milliseconds.
    Jit,
    /// By rustc, into a binary that is kept: takes seconds, and needs a Rust toolchain.
    Native,
    /// By both, whose outputs are compared: exits with 1 at the first difference.
    Both,
}

impl Run {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let source = Source::read(&self.program)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        match self.backend {
            Backend::Jit => self.in_memory(&source, &compiled),
            Backend::Native => self.natively(&source, &compiled),
            Backend::Both => super::both::run(&source, &compiled, &self.flags),
        }
    }

    fn in_memory(&self, source: &Source, compiled: &Compiled) -> Result<ExitCode> {
        let program = generate(source, compiled)?;
        let options = match options(source, &program, &self.flags) {
            Ok(options) => options,
            Err(code) => return Ok(code),
        };
        Ok(ExitCode::from(execute(|params| program.with_params(params), &options, &Process::default())))
    }

    fn natively(&self, source: &Source, compiled: &Compiled) -> Result<ExitCode> {
        let rust = source.rust(compiled)?;
        let binary = native::build(source, &rust, None)?;
        let status = Command::new(&binary).args(&self.flags).status().with_context(|| format!("cannot run {}", binary.display()))?;
        Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
    }
}

/// The program as code in memory.
pub(super) fn generate(source: &Source, compiled: &Compiled) -> Result<Program> {
    Ok(Program::generate(&compiled.physical, &source.name, &source.path, &compiled.sources, Limits::default())?)
}

/// The program's own flags; the error is the exit code, everything having been said.
pub(super) fn options(source: &Source, program: &Program, flags: &[String]) -> Result<Options, ExitCode> {
    let arguments = std::iter::once(source.name.clone()).chain(flags.iter().cloned()).map(OsString::from);
    Options::parse_as(&program.schema(), arguments).map_err(|error| {
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { 2 } else { 0 })
    })
}
