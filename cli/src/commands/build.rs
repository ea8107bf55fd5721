//! `varpulis build`: a standalone binary.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::native;
use crate::source::Source;

/// Compiles a program to a standalone binary.
#[derive(clap::Args)]
pub(crate) struct Build {
    /// The program.
    program: PathBuf,
    /// Where the binary goes.
    #[arg(short, long)]
    output: PathBuf,
    /// Keeps the generated project in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// The target triple, where it is not this machine's.
    #[arg(long)]
    target: Option<String>,
}

impl Build {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let source = Source::read(&self.program)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        let rust = source.rust(&compiled)?;
        let binary = native::build(&source, &rust, self.target.as_deref())?;
        if let Some(folder) = &self.keep {
            native::keep(&source, &rust, folder)?;
        }
        native::copy(&binary, &self.output)?;
        Ok(ExitCode::SUCCESS)
    }
}
