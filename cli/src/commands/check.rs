//! `varpulis check`: messages, and nothing else.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use varpulis_compiler::diagnostics::{Diagnostic, render, render_json};

use crate::source::Source;

/// Reports what is wrong with programs.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// Programs; `-` is standard input.
    #[arg(required = true)]
    programs: Vec<PathBuf>,
    /// One JSON object a line, on standard output.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let mut refused = false;
        for path in &self.programs {
            let source = Source::read(path)?;
            let compilation = source.compilation();
            refused |= compilation.diagnostics.iter().any(Diagnostic::is_error);
            if self.json {
                write_out(&render_json(&compilation.diagnostics, &compilation.sources))?;
            } else {
                eprint!("{}", render(&compilation.diagnostics, &compilation.sources, color));
            }
        }
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Writes to standard output; a reader that went away is no mistake.
pub(crate) fn write_out(text: &str) -> Result<()> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
