//! Programs as native code: many of them compiled into one binary, whose first argument says which one to run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use varpulis_compiler::rust::{Options, file, items, path};
use varpulis_compiler::{Compiled, compile};

/// What a run wrote.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Rows, as NDJSON.
    pub rows: String,
    /// The late output.
    pub late: String,
    /// The error output.
    pub errors: String,
    /// The dead-letter output.
    pub dead: String,
    /// The counters, one a line.
    pub counters: String,
    /// Standard error, without the summary.
    pub messages: String,
}

/// Compiles programs, by name, into one binary in a folder, which serves as a cache: what has not changed is not compiled anew. A
/// program that is refused is not in it.
///
/// # Errors
/// What was generated does not compile without a warning.
pub fn build(folder: &Path, programs: &[(String, String)]) -> Result<PathBuf, String> {
    build_as(folder, programs, "dev")
}

/// The same with another of Cargo's profiles.
///
/// # Errors
/// What was generated does not compile without a warning.
pub fn build_as(folder: &Path, programs: &[(String, String)], profile: &str) -> Result<PathBuf, String> {
    build_compiled(folder, programs.iter().map(|(name, program)| (name.clone(), compile(program).program)), profile)
}

/// The same of programs that are compiled.
///
/// # Errors
/// What was generated does not compile without a warning.
pub fn build_compiled(folder: &Path, programs: impl Iterator<Item = (String, Option<Compiled>)>, profile: &str) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder.join("src")).map_err(|e| e.to_string())?;
    let (mut modules, mut arms) = (String::new(), String::new());
    for (i, (name, compiled)) in programs.enumerate() {
        let Some(compiled) = compiled else { continue };
        let options = Options { runtime: path("::varpulis_runtime"), name: name.clone(), file: format!("{name}.case"), comments: true };
        write(&folder.join(format!("src/program{i}.rs")), &file(items(&compiled.physical, &compiled.sources, &options), &[])?)?;
        modules.push_str(&format!("#[allow(dead_code, reason = \"the binary uses a part\")]\nmod program{i};\n"));
        arms.push_str(&format!("        Some({name:?}) => run::<program{i}::Program>(arguments),\n"));
    }
    write(&folder.join("src/main.rs"), &MAIN.replace("// modules\n", &modules).replace("        // arms\n", &arms))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let package = folder.file_name().and_then(|n| n.to_str()).unwrap_or("programs");
    let runtime = root.join("runtime").display().to_string();
    write(&folder.join("Cargo.toml"), &MANIFEST.replace("PACKAGE", &format!("{package:?}")).replace("RUNTIME", &format!("{runtime:?}")))?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(|e| e.to_string())?;
    // One target folder for all such crates, so that the runtime is compiled once.
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from).join("native-tests");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output =
        cargo.args(["build", "--quiet", "--profile", profile]).current_dir(folder).env("CARGO_TARGET_DIR", &target).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the programs do not compile:\n{}", said.chars().take(4000).collect::<String>()));
    }
    Ok(target.join(if profile == "dev" { "debug" } else { profile }).join(package))
}

/// What a run reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A file.
    File(&'a Path),
    /// Standard input: the bytes, and the seed of the sizes in which they are written.
    Stdin(&'a [u8], u64),
}

/// Runs a program of the binary; outputs go to a folder.
///
/// # Errors
/// It could not be started, or it failed.
pub fn run(binary: &Path, name: &str, folder: &Path, input: Input<'_>, arguments: &[String]) -> Result<Outputs, String> {
    let told = |e: std::io::Error| e.to_string();
    std::fs::create_dir_all(folder).map_err(told)?;
    let mut command = Command::new(binary);
    command.arg(name).args(["--stats", "json"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    match input {
        Input::File(path) => command.arg("--input").arg(path).stdin(Stdio::null()),
        Input::Stdin(..) => command.args(["--input", "-"]).stdin(Stdio::piped()),
    };
    for (flag, file) in [("--late", "late"), ("--errors", "errors"), ("--dead-letter", "dead")] {
        let _ = std::fs::remove_file(folder.join(file));
        command.arg(flag).arg(folder.join(file));
    }
    let mut child = command.spawn().map_err(told)?;
    let output = match input {
        Input::File(_) => child.wait_with_output(),
        Input::Stdin(bytes, seed) => std::thread::scope(|scope| {
            let stdin = child.stdin.take();
            scope.spawn(move || hand_over(stdin, bytes, seed));
            child.wait_with_output()
        }),
    };
    let output = output.map_err(told)?;
    let mut messages = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{name} ended with {}:\n{messages}", output.status));
    }
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    let counters = counters(&mut messages);
    Ok(Outputs { rows, late: read("late"), errors: read("errors"), dead: read("dead"), counters, messages })
}

/// Takes the summary from the messages: its counters, one a line.
fn counters(messages: &mut String) -> String {
    let begin = messages.lines().rev().find(|line| line.starts_with("{\"in\":")).map(|line| line.as_ptr() as usize - messages.as_ptr() as usize);
    let Some(begin) = begin else { return String::new() };
    let end = messages[begin..].find('\n').map_or(messages.len(), |length| begin + length + 1);
    let summary: serde_json::Value = serde_json::from_str(messages[begin..end].trim_end()).unwrap_or_default();
    messages.replace_range(begin..end, "");
    summary.get("counters").and_then(|counters| counters.as_object()).into_iter().flatten().map(|(name, count)| format!("{name} {count}\n")).collect()
}

/// Writes in chunks of random sizes. A program that does not read on has a reason, which it tells itself.
fn hand_over(stdin: Option<ChildStdin>, mut bytes: &[u8], seed: u64) {
    let Some(mut stdin) = stdin else { return };
    let mut rng = fastrand::Rng::with_seed(seed);
    // A large input is handed over in some hundred pieces, a small one in a dozen.
    let most = (bytes.len() / 100).max(20);
    while !bytes.is_empty() {
        let (chunk, rest) = bytes.split_at(rng.usize(1..=most).min(bytes.len()));
        if stdin.write_all(chunk).is_err() {
            return;
        }
        bytes = rest;
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

const MANIFEST: &str = r#"[package]
name = PACKAGE
version = "0.0.0"
edition = "2024"

[dependencies]
varpulis-runtime = { path = RUNTIME, features = ["standalone"] }

[profile.dev]
debug = false

[workspace]
"#;

const MAIN: &str = r#"//! Programs in one binary.
#![deny(warnings)]
#![forbid(unsafe_code)]
// modules

use varpulis_runtime::{program::Program, standalone};

fn run<P: Program>(arguments: Vec<std::ffi::OsString>) -> std::process::ExitCode {
    match standalone::Options::parse_for::<P>(arguments) {
        Ok(options) => standalone::execute(P::with_params, &options, &standalone::Process::default()).into(),
        Err(error) => {
            eprintln!("{error}");
            2.into()
        }
    }
}

fn main() -> std::process::ExitCode {
    let mut arguments: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    let name = arguments.first().and_then(|a| a.to_str()).map(str::to_owned);
    if let Some(first) = arguments.first_mut() {
        *first = "program".into();
    }
    match name.as_deref() {
        // arms
        _ => 2.into(),
    }
}
"#;
