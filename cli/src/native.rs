//! Native builds: a generated project in a cache, compiled by cargo against the runtime's sources, which this command carries.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::source::Source;

/// The runtime's sources: path and text.
static SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Builds a program and returns its binary. A program that was built before is not built again.
pub(crate) fn build(source: &Source, rust: &str, target: Option<&str>) -> Result<PathBuf> {
    let home = home()?;
    let name = format!("program-{:016x}", hash(&(rust, target)));
    let binary = home.join("bin").join(&name);
    if binary.is_file() {
        return Ok(binary);
    }
    unpack(&home)?;
    let project = home.join("programs").join(&name);
    // A workspace by itself, so that the profile counts.
    project_files(&project, &name, rust, &home.join("runtime"), &format!("\n{PROFILE}\n[workspace]\n"))?;
    write_new(&project.join("Cargo.lock"), lock())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet"]).current_dir(&project).env("CARGO_TARGET_DIR", home.join("target"));
    // What the caller's own build is configured to do is not meant for this one.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    let output = cargo.output().context("cannot run cargo: native builds need a Rust toolchain")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("error[E") || said.contains("could not compile `program-") {
            bail!(
                "internal error: the generated code does not compile. This is a bug of varpulis; please report it with the program.\n\n{said}\nThe program ({}):\n{}",
                source.path,
                source.text
            );
        }
        bail!("cargo failed:\n{said}");
    }
    let folder = target.map_or_else(|| home.join("target"), |t| home.join("target").join(t));
    let built = folder.join("release").join(&name);
    std::fs::create_dir_all(home.join("bin")).context("cannot write to the cache")?;
    copy(&built, &binary)?;
    Ok(binary)
}

/// Writes the generated project where the user wants it, with the runtime beside it.
pub(crate) fn keep(source: &Source, rust: &str, folder: &Path) -> Result<()> {
    runtime_files(folder)?;
    let manifest = workspace(&["runtime", "runtime/abi", "program"]);
    write_new(&folder.join("Cargo.toml"), &format!("{manifest}\n{PROFILE}"))?;
    write_new(&folder.join("Cargo.lock"), lock())?;
    let name: String = source.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    project_files(&folder.join("program"), &format!("program-{name}"), rust, Path::new("../runtime"), "")
}

/// Copies a binary into place in one step, so that nobody runs half of it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let shown = to.display();
    if let Some(parent) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let file_name = to.file_name().map_or_else(|| "program".into(), |n| n.to_string_lossy().into_owned());
    let part = to.with_file_name(format!(".{file_name}.{}", std::process::id()));
    std::fs::copy(from, &part).with_context(|| format!("cannot write {shown}"))?;
    std::fs::rename(&part, to).with_context(|| format!("cannot write {shown}"))
}

/// The cache's folder for this version of the runtime.
fn home() -> Result<PathBuf> {
    let base = std::env::var_os("VARPULIS_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("XDG_CACHE_HOME").map(|d| PathBuf::from(d).join("varpulis")))
        .or_else(|| std::env::var_os("HOME").map(|d| PathBuf::from(d).join(".cache/varpulis")))
        .context("no folder for the cache: set VARPULIS_CACHE")?;
    Ok(base.join(format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hash(&SOURCES))))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn lock() -> &'static str {
    SOURCES.iter().find(|(p, _)| *p == "Cargo.lock").map_or("", |(_, t)| t)
}

/// Puts the runtime's sources into the cache, once.
fn unpack(home: &Path) -> Result<()> {
    runtime_files(home)?;
    write_new(&home.join("Cargo.toml"), &workspace(&["runtime", "runtime/abi"]))
}

/// The runtime's sources, without what only its own tests need.
fn runtime_files(folder: &Path) -> Result<()> {
    for (path, text) in SOURCES.iter().filter(|(p, _)| p.starts_with("runtime/")) {
        if !path.ends_with("Cargo.toml") {
            write_new(&folder.join(path), text)?;
            continue;
        }
        let mut kept = String::new();
        let mut keep = true;
        for line in text.lines() {
            if line.starts_with('[') {
                keep = !matches!(line.trim(), "[dev-dependencies]" | "[[test]]" | "[[example]]" | "[[bench]]" | "[lints]");
            }
            if keep {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        write_new(&folder.join(path), &kept)?;
    }
    Ok(())
}

/// A workspace manifest with the versions that this command was built with.
fn workspace(members: &[&str]) -> String {
    let root = SOURCES.iter().find(|(p, _)| *p == "Cargo.toml").map_or("", |(_, t)| t);
    let from = |section: &str| {
        let start = root.find(section).unwrap_or(root.len());
        let rest = root.get(start..).unwrap_or_default();
        let end = rest.get(1..).and_then(|r| r.find("\n[")).map_or(rest.len(), |n| n + 2);
        rest.get(..end).unwrap_or_default().to_owned()
    };
    let members: Vec<String> = members.iter().map(|m| format!("{m:?}")).collect();
    let dependencies: String = from("[workspace.dependencies]")
        .lines()
        .filter(|l| !l.starts_with("varpulis") || l.starts_with("varpulis-abi") || l.starts_with("varpulis-runtime"))
        .map(|l| format!("{l}\n"))
        .collect();
    format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n{}\n{dependencies}", members.join(", "), from("[workspace.package]"))
}

/// How programs are compiled. Cargo reads it in the manifest of the workspace, not of a member.
const PROFILE: &str = "[profile.release]\npanic = \"abort\"\ncodegen-units = 4\n";

/// The generated crate; `rest` ends its manifest.
fn project_files(project: &Path, name: &str, rust: &str, runtime: &Path, rest: &str) -> Result<()> {
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nvarpulis-runtime = {{ path = {:?}, features = [\"standalone\"] }}\n{rest}",
        runtime.display().to_string()
    );
    let main = "//! A compiled VarpulisQL program.\n#![deny(warnings)]\n#![forbid(unsafe_code)]\n\n#[allow(dead_code, reason = \"a standalone program uses a part of the library form\")]\nmod program;\n\nfn main() -> std::process::ExitCode {\n    varpulis_runtime::standalone::main::<program::Program>()\n}\n";
    write_new(&project.join("Cargo.toml"), &manifest)?;
    write_new(&project.join("src/main.rs"), main)?;
    write_new(&project.join("src/program.rs"), rust)
}

/// Writes a file unless it holds that text already: what did not change is not built again.
fn write_new(path: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
