//! `varpulis fmt`: canonical layout.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use varpulis_compiler::diagnostics::render;
use varpulis_compiler::sources::Sources;
use varpulis_compiler::syntax::print::format;

use super::check::write_out;
use crate::source::Source;

/// Formats programs in place.
#[derive(clap::Args)]
pub(crate) struct Fmt {
    /// Programs; `-` reads standard input and writes standard output.
    #[arg(required = true)]
    programs: Vec<PathBuf>,
    /// Changes nothing; shows the lines that would change, and fails if there are any.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let mut refused = false;
        for path in &self.programs {
            let source = Source::read(path)?;
            let formatted = match format(&source.text) {
                Ok(text) => text,
                Err(errors) => {
                    eprint!("{}", render(&errors, &Sources::new(&source.path, &source.text), color));
                    refused = true;
                    continue;
                }
            };
            if self.check {
                refused |= formatted != source.text;
                write_out(&difference(&source, &formatted))?;
            } else if source.path == "-" {
                write_out(&formatted)?;
            } else if formatted != source.text {
                std::fs::write(path, formatted).with_context(|| std::format!("cannot write {}", source.path))?;
            }
        }
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The lines that differ, as a unified diff.
fn difference(source: &Source, formatted: &str) -> String {
    let diff = similar::TextDiff::from_lines(source.text.as_str(), formatted);
    diff.unified_diff().header(&source.path, &std::format!("{} (formatted)", source.path)).to_string()
}
