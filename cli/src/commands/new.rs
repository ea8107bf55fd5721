//! `varpulis new`: a project to begin with, made offline.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

/// Makes a new project.
#[derive(clap::Args)]
pub(crate) struct New {
    /// The folder, which must not exist.
    name: PathBuf,
    /// What kind of project.
    #[arg(long, value_enum, default_value_t = Template::Standalone)]
    template: Template,
}

/// Kinds of projects.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Template {
    /// A program to run with `varpulis run`.
    Standalone,
    /// A Rust program with `varpulis!`.
    Macro,
    /// A Rust program with a build script.
    BuildRs,
}

const PROGRAM: &str = include_str!("../../../templates/standalone/program.vpl");
const EVENTS: &str = include_str!("../../../templates/standalone/events.ndjson");

impl New {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        ensure!(!self.name.exists(), "{} exists already", self.name.display());
        let crate_name: String = self.name.file_name().map_or_else(String::new, |n| {
            n.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
        });
        ensure!(crate_name.starts_with(|c: char| c.is_ascii_alphabetic()), "a project's name begins with a letter");
        let files: &[(&str, &str)] = match self.template {
            Template::Standalone => &[("program.vpl", PROGRAM), ("events.ndjson", EVENTS)],
            Template::Macro => &[
                ("Cargo.toml", include_str!("../../../templates/macro/Cargo.toml.in")),
                ("src/main.rs", include_str!("../../../templates/macro/main.rs.in")),
                ("program.vpl", PROGRAM),
            ],
            Template::BuildRs => &[
                ("Cargo.toml", include_str!("../../../templates/build-rs/Cargo.toml.in")),
                ("build.rs", include_str!("../../../templates/build-rs/build.rs.in")),
                ("src/main.rs", include_str!("../../../templates/build-rs/main.rs.in")),
                ("program.vpl", PROGRAM),
            ],
        };
        for (name, text) in files {
            write(&self.name.join(name), &text.replace("{{name}}", &crate_name))?;
        }
        eprintln!("made {}", self.name.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
