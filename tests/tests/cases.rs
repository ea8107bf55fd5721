//! Runs every case: refused ones against their diagnostics, accepted ones natively, compiled together into one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Failed, Trial};
use varpulis_compiler::diagnostics::{Diagnostic, Level, Lines};
use varpulis_tests::modes::{self, Mode};
use varpulis_tests::{Case, Refusal, cases, compare, native, sorted};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn main() {
    let arguments = Arguments::from_args();
    let all = cases(&root().join("cases"), &root().join(".."));
    let (refused, accepted): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|c| c.refusals.iter().any(|r| r.level == "error"));
    let mut trials: Vec<Trial> = refused.into_iter().map(|c| Trial::test(format!("refused/{}", c.name), move || refuse(&c))).collect();
    trials.extend(accepted.iter().filter(|c| expected_gap(c).is_none()).cloned().map(|c| Trial::test(format!("oracle/{}", c.name), move || ask_oracle(&c))));
    let programs = accepted.clone();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    // Built by the first case that runs natively, so that the others can be run alone.
    let binary =
        Arc::new(LazyLock::new(move || native::build_compiled(&folder, programs.iter().map(|case| (case.name.clone(), case.compile().program)), "dev")));
    for case in accepted {
        for backend in [Backend::Jit, Backend::Native] {
            for (mode, seed) in modes(&case) {
                let (case, binary) = (case.clone(), binary.clone());
                trials.push(Trial::test(format!("{}-{}/{}", backend.name(), mode.name(), case.name), move || {
                    let program = backend.program(&case, mode.name(), &binary)?;
                    let again = |e: Failed| Failed::from(format!("{}\nVARPULIS_SEED={seed} runs it again", e.message().unwrap_or_default()));
                    run_in(&case, &program, mode, seed).map_err(again)
                }));
            }
            let (case, binary) = (case.clone(), binary.clone());
            trials.push(Trial::test(format!("{}/{}", backend.name(), case.name), move || run(&case, &backend.program(&case, "plain", &binary)?)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What compiles a case's program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backend {
    Jit,
    Native,
}

/// A program that can be run: a binary and its first argument.
struct Runnable {
    backend: Backend,
    binary: PathBuf,
    argument: String,
}

/// The binary of all cases; the error says why there is none.
type Binary<F> = LazyLock<Result<PathBuf, String>, F>;

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Jit => "jit",
            Self::Native => "native",
        }
    }

    fn program<F: FnOnce() -> Result<PathBuf, String>>(self, case: &Case, trial: &str, native: &Binary<F>) -> Result<Runnable, Failed> {
        match self {
            Self::Native => {
                let binary = LazyLock::force(native).as_ref().map_err(Failed::from)?.clone();
                Ok(Runnable { backend: self, binary, argument: case.name.clone() })
            }
            Self::Jit => {
                // Trials run at the same time, each with a file of its own.
                let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs").join(trial).join(format!("{}.vpl", case.name));
                std::fs::create_dir_all(file.parent().unwrap())?;
                std::fs::write(&file, &case.program)?;
                for (name, text) in case.files() {
                    let path = file.with_file_name(name);
                    std::fs::create_dir_all(path.parent().unwrap())?;
                    std::fs::write(path, text)?;
                }
                Ok(Runnable { backend: self, binary: env!("CARGO_BIN_EXE_jit").into(), argument: file.display().to_string() })
            }
        }
    }
}

/// Whether cases are rewritten to what is found rather than compared with it.
fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// The modes in which a case is run besides the plain one: `VARPULIS_MODES=all` has all that apply, else there is one, which `VARPULIS_SEED`
/// chooses.
fn modes(case: &Case) -> Vec<(Mode, u64)> {
    let seed = std::env::var("VARPULIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let Ok((input, format)) = input(case) else { return vec![] };
    let modes = Mode::of(case, &input, &format);
    let chosen = match std::env::var("VARPULIS_MODES") {
        _ if updates() => vec![],
        Ok(all) if all == "all" => modes,
        _ => Mode::choose(&modes, &mut modes::rng(seed, &case.name)).into_iter().collect(),
    };
    chosen.into_iter().map(|mode| (mode, seed)).collect()
}

/// The diagnostics of a program are the ones it states, no more and no less.
fn refuse(case: &Case) -> Result<(), Failed> {
    if updates() {
        rewrite(case, &case.marked(&diagnostics(case)), &case.sections)?;
    } else {
        check_diagnostics(case)?;
    }
    if case.compile().program.is_some() {
        return Err("the program was not refused".into());
    }
    Ok(())
}

/// Why the oracle does not answer for a case.
fn expected_gap(case: &Case) -> Option<&'static str> {
    if case.input.is_some() {
        return Some("it is slow, and the input large");
    }
    if case.input().1 != "ndjson" {
        return Some("it reads NDJSON only");
    }
    let changes = ["random()", "uuid()", "wall_clock()", "\"processing_time\""];
    let files = || std::iter::once(case.program.as_str()).chain(case.files().map(|(_, text)| text));
    if files().flat_map(str::lines).any(|line| line.starts_with("var ")) || changes.iter().any(|call| case.program.contains(call)) {
        return Some("it evaluates one stream after the other, and records change state as they pass");
    }
    if ["e.expression", "e.line", "e.record"].iter().any(|part| case.program.contains(part)) {
        return Some("it knows of an error its reason alone");
    }
    case.has("params").then_some("it takes no parameters")
}

/// The expected rows are what the definitions say.
fn ask_oracle(case: &Case) -> Result<(), Failed> {
    let plan = case.compile().program.ok_or("refused")?.analyzed;
    let outcome = varpulis_oracle::evaluate(&plan, case.input().0);
    compare::same_rows(&outcome, case.section("rows"))?;
    for (section, found) in [("errors", outcome.errors.len()), ("late", outcome.late.len()), ("dead", outcome.invalid.len())] {
        let wanted = case.section(section).lines().count();
        if found != wanted {
            return Err(format!("{section}: {wanted} expected, the oracle has {found}: {outcome:?}").into());
        }
    }
    Ok(())
}

/// What the compiler tells of a program. Notes count only where a case states one.
fn diagnostics(case: &Case) -> Vec<Refusal> {
    let notes = case.refusals.iter().any(|r| r.level == "note");
    case.compile().diagnostics.into_iter().filter(|d| notes || d.level != Level::Note).map(|d| told(d, &case.program)).collect()
}

fn check_diagnostics(case: &Case) -> Result<(), Failed> {
    let told = diagnostics(case);
    let same = |t: &Refusal, r: &Refusal| Refusal { message: r.message.clone(), ..t.clone() } == *r && t.message.starts_with(&r.message);
    if told.len() == case.refusals.len() && told.iter().zip(&case.refusals).all(|(t, r)| same(t, r)) {
        return Ok(());
    }
    let list = |all: &[Refusal]| all.iter().map(|r| format!("line {}\n{}", r.line, r.mark())).collect::<String>();
    Err(format!("told:\n{}expected:\n{}", list(&told), list(&case.refusals)).into())
}

/// A diagnostic as a case states it.
fn told(d: Diagnostic, program: &str) -> Refusal {
    let (start, end) = (d.span.start as usize, d.span.end as usize);
    let (line, column) = Lines::new(program).position(program, start);
    let width = program.get(start..end).and_then(|t| t.lines().next()).map_or(0, |t| t.chars().count()).max(1);
    let level = match d.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    Refusal { line, column, width, level: level.to_owned(), code: d.code.text().to_owned(), message: d.message }
}

fn run(case: &Case, runnable: &Runnable) -> Result<(), Failed> {
    let compilation = case.compile();
    let Some(program) = compilation.program else {
        return Err(varpulis_compiler::diagnostics::render(&compilation.diagnostics, &compilation.sources, false).into());
    };
    if !updates() {
        check_diagnostics(case)?;
    }
    let outputs = execute(case, runnable, None)?;
    if updates() && runnable.backend == Backend::Native {
        return update(case, &outputs);
    }
    check_outputs(case, &outputs, str::to_owned)?;
    let plan = program.logical.to_string();
    if case.has("logical") && plan.trim_end() != case.section("logical").trim_end() {
        return Err(format!("logical: found\n{plan}").into());
    }
    Ok(())
}

/// The same outputs come of an input that is handed over in another way.
fn run_in(case: &Case, runnable: &Runnable, mode: Mode, seed: u64) -> Result<(), Failed> {
    let outputs = execute(case, runnable, Some((mode, seed)))?;
    check_outputs(case, &outputs, if mode == Mode::Spaced { without_positions } else { str::to_owned })
}

/// Outputs are as expected, where dead letters are compared in the form given.
fn check_outputs(case: &Case, outputs: &[(&str, String)], form: fn(&str) -> String) -> Result<(), Failed> {
    for (section, found) in outputs {
        let expected = case.section(section);
        let same = match *section {
            "dead" => form(found).trim_end() == form(expected).trim_end(),
            _ => found.trim_end() == expected.trim_end(),
        };
        if *section == "rows" && case.has("sorted") {
            unordered(case, found)?;
        } else if !same {
            return Err(format!("{section}: expected\n{expected}found\n{found}").into());
        }
    }
    Ok(())
}

/// Dead letters without the places that white space moves.
fn without_positions(dead: &str) -> String {
    let is_place = |part: &str| part.parse::<u64>().is_ok() || part.starts_with("byte ");
    let rest = |part: &str| part.split_once(", byte ").map_or(part, |(field, _)| field).to_owned();
    let line = |line: &str| line.split(" | ").filter(|part| !is_place(part)).map(rest).collect::<Vec<_>>().join(" | ") + "\n";
    dead.lines().map(line).collect()
}

/// Rows that came in an order of their own.
fn unordered(case: &Case, found: &str) -> Result<(), Failed> {
    let (found, expected) = (sorted(found), sorted(case.section("sorted")));
    match found.iter().zip(&expected).find(|(f, e)| f != e) {
        Some((found, expected)) => Err(format!("rows: expected\n{expected}\nfound\n{found}").into()),
        None if found.len() != expected.len() => Err(format!("rows: expected {}, found {}", expected.len(), found.len()).into()),
        None => Ok(()),
    }
}

/// What a case reads, and its format.
fn input(case: &Case) -> std::io::Result<(Vec<u8>, String)> {
    match &case.input {
        Some(path) => Ok((std::fs::read(path)?, path.extension().unwrap_or_default().display().to_string())),
        None => Ok((case.input().0.as_bytes().to_vec(), case.input().1.to_owned())),
    }
}

/// Every output of a run, by its section's name.
fn execute(case: &Case, runnable: &Runnable, mode: Option<(Mode, u64)>) -> Result<[(&'static str, String); 6], Failed> {
    // Trials run at the same time, each in a folder of its own.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outputs").join(runnable.backend.name());
    let folder = folder.join(mode.map_or("plain", |(mode, _)| mode.name())).join(&case.name);
    std::fs::create_dir_all(&folder)?;
    let (mut bytes, format) = input(case)?;
    let mut arguments = vec!["--format".to_owned(), format];
    if let Some((mode, seed)) = mode {
        bytes = mode.apply(case, bytes, &mut modes::rng(seed, &case.name));
    }
    let path = folder.join("input");
    let input = match mode {
        Some((Mode::Stdin, seed)) => native::Input::Stdin(&bytes, seed),
        _ => {
            std::fs::write(&path, &bytes)?;
            native::Input::File(&path)
        }
    };
    for line in case.section("params").lines() {
        arguments.extend(["--param".to_owned(), line.to_owned()]);
    }
    let native::Outputs { rows, late, errors, dead, counters, messages } = native::run(&runnable.binary, &runnable.argument, &folder, input, &arguments)?;
    // Messages of `.print` and `.log` are the only lines on standard error without a label.
    let printed: String = messages.lines().filter(|l| !l.starts_with("warning:") && !l.starts_with("error:")).map(|l| format!("{l}\n")).collect();
    let dead: String = dead.lines().map(|l| format!("{}\n", reasons(l))).collect();
    let errors: String = errors.lines().map(|l| format!("{}\n", reasons(l))).collect();
    Ok([("rows", rows), ("late", late), ("errors", errors), ("dead", dead), ("printed", printed), ("counters", counters)])
}

/// Refills a case's outputs; read the difference before you keep it.
fn update(case: &Case, outputs: &[(&str, String)]) -> Result<(), Failed> {
    if case.input.is_some() {
        return Err("the folders of large cases are not refilled".into());
    }
    let kept = case.sections.iter().filter(|(n, _)| !outputs.iter().any(|(o, _)| o == n));
    let filled = outputs.iter().filter(|(_, t)| !t.is_empty()).map(|(n, t)| ((*n).to_owned(), t.clone()));
    let sections: Vec<(String, String)> = kept.cloned().chain(filled).collect();
    rewrite(case, &case.marked(&diagnostics(case)), &sections)
}

fn rewrite(case: &Case, program: &str, sections: &[(String, String)]) -> Result<(), Failed> {
    let mut text = program.to_owned();
    for (name, body) in sections {
        text.push_str(&format!("--- {name}\n{body}"));
    }
    Ok(std::fs::write(root().join("cases").join(format!("{}.case", case.name)), text)?)
}

/// What a case states of a refused record: its reason and place.
fn reasons(line: &str) -> String {
    let value = |key: &str| {
        let from = line.find(&format!("\"{key}\":"))? + key.len() + 3;
        let rest = line.get(from..)?;
        let end = if rest.starts_with('"') { rest.get(1..)?.find('"')? + 2 } else { rest.find([',', '}'])? };
        Some(rest.get(..end)?.trim_matches('"').to_owned())
    };
    ["stream", "line", "reason", "detail", "expression"].iter().filter_map(|k| value(k)).filter(|v| !v.is_empty()).collect::<Vec<_>>().join(" | ")
}
