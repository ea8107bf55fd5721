//! `varpulis explain`: plans, memory and optimizer of a program; or what a diagnostic's code means.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use varpulis_compiler::diagnostics::{Code, Level};
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
            write_out(&explanation(code))?;
            return Ok(ExitCode::SUCCESS);
        }
        let source = Source::read(&self.what)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        let text = if self.json {
            format!("{:#}\n", plan::json::json(&compiled))
        } else if self.optimizer_trace {
            let mut text = format!("# analyzed\n{}", compiled.analyzed);
            for (rule, plan) in varpulis_compiler::optimize::trace(compiled.analyzed.clone()) {
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

/// What a code means, with a program that gets it and the same program mended.
fn explanation(code: Code) -> String {
    let gets = if code.level() == Level::Error { "Refused" } else { "Before" };
    format!("{}: {}\n\n{}\n\n{gets}:\n\n{}\nMended:\n\n{}", code.text(), code.title(), code.explanation(), excerpt(code.bad()), excerpt(code.good()))
}

/// A program, set off from the text around it. What cannot be seen is shown by its number: it must not act on the terminal.
fn excerpt(program: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let shown = |line: &str| line.chars().map(|c| if hidden(c) { format!("<U+{:04X}>", c as u32) } else { c.to_string() }).collect::<String>();
    program.lines().map(|line| format!("    {}\n", shown(line))).collect()
}
