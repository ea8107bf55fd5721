//! `varpulis explain`: plans, memory and optimizer of a program; or what a diagnostic's code means.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use varpulis_compiler::diagnostics::Code;
use varpulis_compiler::plan::{self, picture};

use super::check::write_out;
use crate::source::Source;

/// Shows a program's plans, or explains a diagnostic's code.
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// A program, or a code such as E0203.
    what: PathBuf,
    /// The logical plan behind the optimizer; the default.
    #[arg(long, group = "form")]
    logical: bool,
    /// The physical plan: operators, chains, records.
    #[arg(long, group = "form")]
    physical: bool,
    /// What each operator keeps.
    #[arg(long, group = "form")]
    memory: bool,
    /// What each rule of the optimizer changed.
    #[arg(long, group = "form")]
    optimizer_trace: bool,
    /// All of it as JSON, for programs.
    #[arg(long, group = "form", conflicts_with = "format")]
    json: bool,
    /// How to show the plan.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of a plan.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines.
    Text,
    /// A mermaid diagram.
    Mermaid,
    /// A picture.
    Svg,
}

impl Explain {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        if let Some(code) = self.what.to_str().and_then(Code::find) {
            write_out(&format!("{}: {}\n\n{}\n", code.text(), code.title(), code.explanation()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let source = Source::read(&self.what)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        let text = if self.json {
            format!("{:#}\n", plan::json::json(&compiled, &source.text))
        } else if self.optimizer_trace {
            let mut text = format!("# analyzed\n{}", compiled.analyzed);
            for (rule, plan) in &compiled.trace {
                text.push_str(&format!("# {rule}\n{plan}"));
            }
            text
        } else if self.memory {
            compiled.physical.memory()
        } else if self.physical {
            if self.format != Format::Text {
                bail!("the physical plan is shown as text only");
            }
            compiled.physical.to_string()
        } else {
            match self.format {
                Format::Text => compiled.logical.to_string(),
                Format::Mermaid => picture::mermaid(&compiled.logical),
                Format::Svg => picture::svg(&compiled.logical),
            }
        };
        write_out(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
