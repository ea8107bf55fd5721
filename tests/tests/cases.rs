//! Runs every case: refused ones against their diagnostics, accepted ones natively, compiled together into one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use varpulis_compiler::compile;
use varpulis_compiler::diagnostics::{Level, Lines};
use varpulis_compiler::rust::{Options, file, items, path};
use varpulis_tests::{Case, cases};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn main() {
    let arguments = Arguments::from_args();
    let all = cases(&root().join("cases"));
    let (refused, accepted): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|c| c.refusals.iter().any(|r| r.code.starts_with('E')));
    let mut trials: Vec<Trial> = refused.into_iter().map(|c| Trial::test(format!("refused/{}", c.name), move || refuse(&c))).collect();
    let binary: Arc<Result<PathBuf, String>> = Arc::new(if arguments.list { Err(String::new()) } else { build(&accepted) });
    for case in accepted {
        if expected_gap(&case).is_none() {
            let case = case.clone();
            trials.push(Trial::test(format!("oracle/{}", case.name), move || ask_oracle(&case)));
        }
        let binary = binary.clone();
        trials.push(Trial::test(format!("native/{}", case.name), move || {
            let binary = binary.as_ref().as_ref().map_err(Failed::from)?;
            run(&case, binary)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The diagnostics of a program are the ones it states, no more and no less.
fn refuse(case: &Case) -> Result<(), Failed> {
    check_diagnostics(case)?;
    if compile(&case.program).program.is_some() {
        return Err("the program was not refused".into());
    }
    Ok(())
}

/// Why the oracle does not answer for a case.
fn expected_gap(case: &Case) -> Option<&'static str> {
    if case.input().1 != "ndjson" {
        return Some("it reads NDJSON only");
    }
    (!case.section("params").is_empty()).then_some("it takes no parameters")
}

/// The expected rows are what the definitions say.
fn ask_oracle(case: &Case) -> Result<(), Failed> {
    let plan = compile(&case.program).program.ok_or("refused")?.analyzed;
    let outcome = varpulis_oracle::evaluate(&plan, case.input().0);
    varpulis_tests::compare::same_rows(&outcome, case.section("rows"))?;
    for (section, found) in [("errors", outcome.errors.len()), ("late", outcome.late.len()), ("dead", outcome.invalid.len())] {
        let wanted = case.section(section).lines().count();
        if found != wanted {
            return Err(format!("{section}: {wanted} expected, the oracle has {found}: {outcome:?}").into());
        }
    }
    Ok(())
}

fn check_diagnostics(case: &Case) -> Result<(), Failed> {
    let lines = Lines::new(&case.program);
    let told: Vec<(usize, usize, String, String)> = compile(&case.program)
        .diagnostics
        .into_iter()
        .filter(|d| d.level != Level::Note)
        .map(|d| {
            let (line, column) = lines.position(&case.program, d.span.start as usize);
            (line, column, d.code.text().to_owned(), d.message)
        })
        .collect();
    let fits = told.len() == case.refusals.len()
        && told.iter().zip(&case.refusals).all(|(t, r)| t.0 == r.line && t.1 == r.column && t.2 == r.code && t.3.starts_with(&r.message));
    if fits { Ok(()) } else { Err(format!("told: {told:#?}\nexpected: {:#?}", case.refusals).into()) }
}

/// One crate with a module per case; its first argument says which program to run.
fn build(cases: &[Case]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    std::fs::create_dir_all(folder.join("src")).map_err(|e| e.to_string())?;
    let mut modules = String::new();
    let mut arms = String::new();
    for (i, case) in cases.iter().enumerate() {
        let compilation = compile(&case.program);
        let Some(program) = compilation.program else {
            return Err(format!(
                "{} was refused:\n{}",
                case.name,
                varpulis_compiler::diagnostics::render(&compilation.diagnostics, &case.name, &case.program, false)
            ));
        };
        let options = Options { runtime: path("::varpulis_runtime"), name: case.name.clone(), file: format!("{}.case", case.name), comments: true };
        let text = file(items(&program.physical, &case.program, &options), &[])?;
        write(&folder.join(format!("src/case{i}.rs")), &text)?;
        modules.push_str(&format!("#[allow(dead_code, reason = \"the binary uses a part\")]\nmod case{i};\n"));
        arms.push_str(&format!("        Some({:?}) => run::<case{i}::Program>(arguments),\n", case.name));
    }
    let main = format!(
        "//! All cases in one binary.\n#![deny(warnings)]\n#![forbid(unsafe_code)]\n{modules}\nuse varpulis_runtime::{{program::Program, standalone}};\n\nfn run<P: Program>(arguments: Vec<std::ffi::OsString>) -> std::process::ExitCode {{\n    match standalone::Options::parse_for::<P>(arguments) {{\n        Ok(options) => standalone::execute::<P>(&options, &standalone::Process::default()).into(),\n        Err(error) => {{\n            eprintln!(\"{{error}}\");\n            2.into()\n        }}\n    }}\n}}\n\nfn main() -> std::process::ExitCode {{\n    let mut arguments: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();\n    let name = arguments.first().and_then(|a| a.to_str()).map(str::to_owned);\n    if let Some(first) = arguments.first_mut() {{\n        *first = \"case\".into();\n    }}\n    match name.as_deref() {{\n{arms}        _ => 2.into(),\n    }}\n}}\n"
    );
    write(&folder.join("src/main.rs"), &main)?;
    let runtime = root().parent().unwrap().join("runtime");
    write(
        &folder.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"cases\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nvarpulis-runtime = {{ path = {:?}, features = [\"standalone\"] }}\n\n[profile.dev]\ndebug = false\n\n[workspace]\n",
            runtime.display().to_string()
        ),
    )?;
    let lock = root().parent().unwrap().join("Cargo.lock");
    let _ = std::fs::copy(lock, folder.join("Cargo.lock"));
    let target = folder.join("target");
    let output =
        Command::new(env!("CARGO")).args(["build", "--quiet"]).current_dir(&folder).env("CARGO_TARGET_DIR", &target).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the cases do not compile:\n{}", said.chars().take(4000).collect::<String>()));
    }
    Ok(target.join("debug/cases"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn run(case: &Case, binary: &Path) -> Result<(), Failed> {
    check_diagnostics(case)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outputs").join(&case.name);
    std::fs::create_dir_all(&folder)?;
    let (input, format) = case.input();
    std::fs::write(folder.join("input"), input)?;
    let place = |name: &str| folder.join(name).display().to_string();
    let mut arguments =
        vec![case.name.clone(), "--input".to_owned(), place("input"), "--format".to_owned(), format.to_owned(), "--stats".to_owned(), "none".to_owned()];
    for (flag, name) in [("--late", "late"), ("--errors", "errors"), ("--dead-letter", "dead")] {
        let _ = std::fs::remove_file(folder.join(name));
        arguments.extend([flag.to_owned(), place(name)]);
    }
    for line in case.section("params").lines() {
        arguments.extend(["--param".to_owned(), line.to_owned()]);
    }
    let output = Command::new(binary).args(&arguments).output()?;
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    // Messages of `.print` and `.log` are the only lines on standard error without a label.
    let printed: String =
        String::from_utf8_lossy(&output.stderr).lines().filter(|l| !l.starts_with("warning:") && !l.starts_with("error:")).map(|l| format!("{l}\n")).collect();
    let dead: String = read("dead").lines().map(|l| format!("{}\n", reasons(l))).collect();
    let errors: String = read("errors").lines().map(|l| format!("{}\n", reasons(l))).collect();
    let outputs =
        [("rows", String::from_utf8_lossy(&output.stdout).into_owned()), ("late", read("late")), ("errors", errors), ("dead", dead), ("printed", printed)];
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return update(case, &outputs);
    }
    for (section, found) in outputs {
        if found.trim_end() != case.section(section).trim_end() {
            return Err(format!("{section}: expected\n{}found\n{found}", case.section(section)).into());
        }
    }
    if !case.section("logical").is_empty() {
        let plan = compile(&case.program).program.map(|p| p.logical.to_string()).unwrap_or_default();
        if plan.trim_end() != case.section("logical").trim_end() {
            return Err(format!("logical: found\n{plan}").into());
        }
    }
    Ok(())
}

/// Refills a case's outputs; read the difference before you keep it.
fn update(case: &Case, outputs: &[(&str, String)]) -> Result<(), Failed> {
    let mut text = case.program.clone();
    let kept = case.sections.iter().filter(|(n, _)| !outputs.iter().any(|(o, _)| o == n));
    let filled = outputs.iter().filter(|(_, t)| !t.is_empty()).map(|(n, t)| ((*n).to_owned(), t.clone()));
    for (name, body) in kept.cloned().chain(filled) {
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
