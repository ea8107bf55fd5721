//! `varpulis emit`: an intermediate form as text.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use varpulis_compiler::lower::print::Lowered;

use super::check::write_out;
use crate::source::Source;

/// Prints an intermediate form of a program.
#[derive(clap::Args)]
pub(crate) struct Emit {
    /// The program.
    program: PathBuf,
    /// The syntax tree.
    #[arg(long, group = "form")]
    ast: bool,
    /// The logical plan behind the optimizer.
    #[arg(long, group = "form")]
    logical: bool,
    /// The physical plan.
    #[arg(long, group = "form")]
    physical: bool,
    /// Records, kernels and chains, one value a line.
    #[arg(long, group = "form")]
    lowered: bool,
    /// The functions of the JIT backend, in Cranelift's text form.
    #[arg(long, group = "form")]
    clif: bool,
    /// The generated Rust; the default.
    #[arg(long, group = "form")]
    rust: bool,
}

impl Emit {
    pub(crate) fn run(&self, color: bool) -> Result<ExitCode> {
        let source = Source::read(&self.program)?;
        let Some(compiled) = source.compile(color) else { return Ok(ExitCode::FAILURE) };
        let text = if self.ast {
            format!("{:#?}\n", compiled.ast)
        } else if self.logical {
            compiled.logical.to_string()
        } else if self.physical {
            compiled.physical.to_string()
        } else if self.lowered {
            Lowered::new(&compiled.physical, &compiled.sources).to_string()
        } else if self.clif {
            varpulis_compiler::jit::Program::listing(&compiled.physical)?
        } else {
            source.rust(&compiled)?
        };
        write_out(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
