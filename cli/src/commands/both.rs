//! `varpulis run --backend both`: one program by both backends over the same input, compared row by row.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use varpulis_compiler::Compiled;
use varpulis_compiler::jit::Program;
use varpulis_runtime::input::{DecodeOptions, Decoded, Decoder, Format, Item, Source as Records, ValueBuffer};
use varpulis_runtime::program::{Instance, Params};
use varpulis_runtime::standalone::{Options, Process, Stats, execute};

use super::run::{generate, options};
use crate::native;
use crate::source::Source;

/// The outputs that are compared, by the flags that name their files.
const OUTPUTS: [(&str, &str); 4] = [("--output", "rows"), ("--late", "late events"), ("--errors", "errors"), ("--dead-letter", "dead letters")];

/// Runs a program twice. Rows go where the flags say once both agree.
pub(super) fn run(source: &Source, compiled: &Compiled, flags: &[String]) -> Result<ExitCode> {
    let program = generate(source, compiled)?;
    let wanted = match options(source, &program, flags) {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    if wanted.input.is_empty() || wanted.input.iter().any(|input| input == "-") {
        bail!("`--backend both` reads its input twice: name a file with `--input`");
    }
    let folder = Folder::new()?;
    let binary = native::build(source, &source.rust(compiled)?, None)?;
    let compared = Options { progress: Default::default(), stats: Stats::None, ..folder.options("jit", &wanted) };
    let jit = execute(|params| program.with_params(params), &compared, &Process::default());
    let status = Command::new(&binary)
        .args(folder.arguments("native", &wanted))
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    if status.code() != Some(i32::from(jit)) {
        bail!("in memory the run ended with {jit}, natively with {status}");
    }
    for (_, what) in OUTPUTS {
        if let Some(difference) = difference(&folder.file("jit", what), &folder.file("native", what))? {
            eprintln!("error: the backends differ in {what}, line {}:\n  in memory: {}\n  natively:  {}", difference.line, difference.jit, difference.native);
            if what == "rows"
                && let Some(event) = event_of(&program, &wanted, difference.line)?
            {
                eprintln!("  at the event: {event}");
            }
            return Ok(ExitCode::FAILURE);
        }
    }
    hand_on(&folder, &wanted)?;
    eprintln!("both backends agree");
    Ok(ExitCode::from(jit))
}

/// Rows, and what else the flags ask for, go where they say.
fn hand_on(folder: &Folder, wanted: &Options) -> Result<()> {
    let rows = folder.file("jit", "rows");
    match wanted.output.as_deref().filter(|output| *output != "-") {
        Some(output) => std::fs::copy(&rows, output).map(|_| ()).with_context(|| format!("cannot write {output}"))?,
        None => {
            let mut reader = File::open(&rows).context("the rows are gone")?;
            // Whoever reads the rows may stop reading.
            let _ = std::io::copy(&mut reader, &mut std::io::stdout().lock()).and_then(|_| std::io::stdout().flush());
        }
    }
    for (name, what) in [(&wanted.late, "late events"), (&wanted.errors, "errors"), (&wanted.dead_letter, "dead letters")] {
        if let Some(name) = name {
            std::fs::copy(folder.file("jit", what), name).with_context(|| format!("cannot write {name}"))?;
        }
    }
    Ok(())
}

/// A folder that is removed at the end.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("varpulis-both-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    fn file(&self, backend: &str, what: &str) -> std::path::PathBuf {
        self.0.join(format!("{backend} {what}"))
    }

    fn named(&self, backend: &str, what: &str) -> String {
        self.file(backend, what).display().to_string()
    }

    fn options(&self, backend: &str, wanted: &Options) -> Options {
        let file = |what: &str| Some(self.named(backend, what));
        Options { output: file("rows"), late: file("late events"), errors: file("errors"), dead_letter: file("dead letters"), ..wanted.clone() }
    }

    /// The same as a command line.
    fn arguments(&self, backend: &str, wanted: &Options) -> Vec<String> {
        let mut arguments = vec!["--stats".to_owned(), "none".to_owned()];
        let mut add = |flag: &str, value: &str| arguments.extend([flag.to_owned(), value.to_owned()]);
        for (flag, what) in OUTPUTS {
            add(flag, &self.named(backend, what));
        }
        wanted.input.iter().for_each(|input| add("--input", input));
        wanted.param.iter().for_each(|param| add("--param", param));
        if let Some(format) = wanted.format.and_then(|format| clap::ValueEnum::to_possible_value(&format)) {
            add("--format", format.get_name());
        }
        if let Some(field) = &wanted.time_field {
            add("--time-field", field);
        }
        if let Some(unit) = clap::ValueEnum::to_possible_value(&wanted.time_unit) {
            add("--time-unit", unit.get_name());
        }
        arguments.extend([(wanted.strict, "--strict"), (wanted.strict_json, "--strict-json")].iter().filter(|(on, _)| *on).map(|(_, flag)| (*flag).to_owned()));
        arguments
    }
}

/// The first line in which two files differ.
struct Difference {
    /// From 1.
    line: u64,
    jit: String,
    native: String,
}

fn difference(jit: &Path, native: &Path) -> Result<Option<Difference>> {
    let open = |path: &Path| File::open(path).map(BufReader::new).with_context(|| format!("{} is gone", path.display()));
    let (mut jit, mut native) = (open(jit)?.lines(), open(native)?.lines());
    let mut line = 0;
    loop {
        line += 1;
        let shown = |line: Option<&String>| line.map_or_else(|| "nothing".to_owned(), Clone::clone);
        match (jit.next().transpose()?, native.next().transpose()?) {
            (None, None) => return Ok(None),
            (a, b) if a == b => {}
            (a, b) => return Ok(Some(Difference { line, jit: shown(a.as_ref()), native: shown(b.as_ref()) })),
        }
    }
}

/// The event that a row came with, found by running the program once more; not for several inputs, which are merged.
fn event_of(program: &Program, wanted: &Options, row: u64) -> Result<Option<String>> {
    let [input] = wanted.input.as_slice() else { return Ok(None) };
    let mut params = Params::default();
    for (name, value) in wanted.param.iter().filter_map(|param| param.split_once('=')) {
        params.set(name.trim(), value);
    }
    let Ok(mut instance) = program.with_params(&params) else { return Ok(None) };
    let format = wanted.format.or_else(|| Format::of_name(input)).unwrap_or(Format::Ndjson);
    let mut records = Records::new(Box::new(File::open(input)?), format.framing());
    let decoding = DecodeOptions { time_field: wanted.time_field.clone(), time_unit: wanted.time_unit, strict_json: wanted.strict_json };
    let mut decoder = Decoder::new(format, program.schema().events, &decoding);
    let (mut rows, mut buffer) = (0u64, ValueBuffer::default());
    loop {
        while let Some(item) = records.buffered() {
            let Item::Record(position, record) = item else { continue };
            let mut values = buffer.take();
            if let Decoded::Event { event, ts } = decoder.decode(record, &mut values) {
                instance.event(event, ts, &values, &mut Counted(&mut rows));
            }
            buffer.give_back(values);
            if rows >= row {
                return Ok(Some(format!("{input}:{}: {}", position.line, String::from_utf8_lossy(record))));
            }
        }
        if !records.refill()? {
            return Ok(Some("the end of the input".to_owned()));
        }
    }
}

/// Counts rows and nothing else.
struct Counted<'c>(&'c mut u64);

impl<I: Instance> varpulis_runtime::output::Output<I> for Counted<'_> {
    fn row(&mut self, _: I::Row<'_>) {
        *self.0 += 1;
    }
    fn error(&mut self, _: varpulis_runtime::operator::Refusal, _: &dyn varpulis_runtime::output::WriteRecord) {}
    fn late(&mut self, _: &dyn varpulis_runtime::output::WriteRecord) {}
    fn print(&mut self, _: &str) {}
}
