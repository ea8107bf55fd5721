//! `varpulis run`: builds natively, caches by content, and becomes the program.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::native;
use crate::source::Source;

/// Compiles a program (or takes it from the cache) and runs it.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The program.
    program: PathBuf,
    /// Which backend compiles it.
    #[arg(long, value_enum, default_value_t = Backend::Native, env = "VARPULIS_BACKEND")]
    backend: Backend,
    /// The program's own flags: `--input`, `--output`, `--param`, …; `--help` behind the file shows them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    flags: Vec<String>,
}

/// Backends.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Backend {
    /// rustc.
    Native,
}

impl Run {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let Backend::Native = self.backend;
        let source = Source::read(&self.program)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        let rust = source.rust(&compiled)?;
        let binary = native::build(&source, &rust, None)?;
        let status = Command::new(&binary).args(&self.flags).status().with_context(|| format!("cannot run {}", binary.display()))?;
        Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
    }
}
