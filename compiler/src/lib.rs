//! The VarpulisQL compiler: text to AST, AST to a typed plan, plan to Rust.
//!
//! It is an ordinary library; the macro, the build script and the command line are shells around it. It never depends on the runtime.

pub mod analysis;
pub mod diagnostics;
pub mod evaluate;
pub mod functions;
#[cfg(feature = "jit")]
pub mod jit;
pub mod lower;
pub mod operators;
pub mod optimize;
pub mod plan;
pub mod rust;
pub mod sources;
pub mod syntax;

use std::sync::Arc;

use diagnostics::Diagnostic;
use plan::logical::Plan;
use plan::physical::Program;
use sources::{Load, Loaded, Sources};

/// A compiled program, and every form it went through.
pub struct Compiled {
    /// What the text says.
    pub ast: syntax::ast::Program,
    /// The typed plan as analysed.
    pub analyzed: Plan,
    /// The plan after the optimizer.
    pub logical: Plan,
    /// Records, kernels and chains.
    pub physical: Arc<Program>,
    /// The files that places are in.
    pub sources: Arc<Sources>,
}

/// What compiling yields: a program unless it is refused, and all diagnostics.
pub struct Compilation {
    /// The program; `None` if there was an error.
    pub program: Option<Compiled>,
    /// Errors, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that places are in.
    pub sources: Arc<Sources>,
}

/// Compiles a program's text, which imports nothing.
pub fn compile(text: &str) -> Compilation {
    compiled(sources::load("program.vpl", text, None))
}

/// Compiles a program of a file; `load` reads what it imports.
pub fn compile_file(path: &str, text: &str, load: &mut Load<'_>) -> Compilation {
    compiled(sources::load(path, text, Some(load)))
}

fn compiled(Loaded { sources, parsed }: Loaded) -> Compilation {
    let sources = Arc::new(sources);
    let mut diagnostics = parsed.diagnostics;
    let syntax_errors = diagnostics.iter().any(Diagnostic::is_error);
    let analysis = analysis::analyze(&parsed.program);
    // What a half-read program means is not worth telling.
    if !syntax_errors {
        diagnostics.extend(analysis.diagnostics);
    }
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    let plan = if syntax_errors { None } else { analysis.plan };
    let program = plan.map(|analyzed| {
        let logical = optimize::optimize(analyzed.clone());
        let physical = Arc::new(lower::assemble(&logical, &analyzed, &sources));
        Compiled { ast: parsed.program, analyzed, logical, physical, sources: Arc::clone(&sources) }
    });
    Compilation { program, diagnostics, sources }
}
