//! Programs in memory: compiled by the JIT backend and run in this process, over inputs and outputs that are bytes.

use std::collections::HashMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use varpulis_compiler::jit::Program;
use varpulis_runtime::event::Event;
use varpulis_runtime::input::{DecodeOptions, Decoded, Decoder, Format};
use varpulis_runtime::jit::{Instance, JitRow};
use varpulis_runtime::operator::Refusal;
use varpulis_runtime::output::{Output, RecordWriter, WriteRecord};
use varpulis_runtime::program::Instance as _;
use varpulis_runtime::standalone::{Bar, Host, Opened, Options, execute};
use varpulis_runtime::value::Value;

use crate::native::Outputs;

/// Files by name, and what was written to them.
struct Memory<'i> {
    /// By number.
    inputs: &'i [Vec<u8>],
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

struct File {
    name: String,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = self.files.lock().map_err(|_| io::Error::other("a run panicked"))?;
        files.entry(self.name.clone()).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Host for Memory<'_> {
    fn open(&self, name: &str) -> io::Result<Opened> {
        let input = name.parse().ok().and_then(|at: usize| self.inputs.get(at)).ok_or(io::ErrorKind::NotFound)?;
        Ok(Opened { reader: Box::new(Cursor::new(input.clone())), length: None, live: false })
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(File { name: name.to_owned(), files: self.files.clone() }))
    }
    fn messages(&self) -> Box<dyn Write + Send> {
        Box::new(File { name: "messages".to_owned(), files: self.files.clone() })
    }
    fn wall_clock(&self) -> i64 {
        1_800_000_000_000_000_000
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn progress(&self, _: &str, _: Option<u64>) -> Option<Box<dyn Bar>> {
        None
    }
    fn is_same_file(&self, _: &str, _: &str) -> bool {
        false
    }
}

/// Runs a program over NDJSON.
///
/// # Errors
/// The program is refused, or the run failed.
pub fn run(program: &Program, input: &[u8]) -> Result<Outputs, String> {
    run_several(program, &[input.to_vec()])
}

/// Runs a program over several inputs of NDJSON.
///
/// # Errors
/// As [`run`].
pub fn run_several(program: &Program, inputs: &[Vec<u8>]) -> Result<Outputs, String> {
    let files = Arc::default();
    let host = Memory { inputs, files: Arc::clone(&files) };
    let named = |name: &str| Some(name.to_owned());
    let input = (0..inputs.len()).map(|at| at.to_string()).collect();
    let options = Options { input, late: named("late"), errors: named("errors"), dead_letter: named("dead"), ..Options::default() };
    let code = execute(|params| program.with_params(params), &options, &host);
    let files = files.lock().map_err(|_| "the run panicked".to_owned())?;
    let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    if code != 0 {
        return Err(format!("the run ended with {code}:\n{}", text("messages")));
    }
    Ok(Outputs { rows: text("-"), late: text("late"), errors: text("errors"), dead: text("dead"), counters: String::new(), messages: text("messages") })
}

/// What a program told, line by line.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn record(&mut self, what: &str, record: &dyn WriteRecord) {
        let mut text = vec![];
        record.write(&mut RecordWriter::new(&mut text));
        self.0.push(format!("{what} {}", String::from_utf8_lossy(&text)));
    }
}

impl Output<Instance> for Told {
    fn row(&mut self, row: JitRow<'_>) {
        self.record("row", &row);
    }
    fn error(&mut self, refusal: Refusal, record: &dyn WriteRecord) {
        self.record(&format!("{refusal:?}"), record);
    }
    fn late(&mut self, record: &dyn WriteRecord) {
        self.record("late", record);
    }
    fn print(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}

/// The events of NDJSON lines: which, when, and their values, with the texts that `keep` has in place of the decoder's.
fn decoded<'t>(program: &Program, input: &[u8], mut keep: impl FnMut(&str) -> &'t str) -> Vec<(usize, i64, Vec<Value<'t>>)> {
    let mut decoder = Decoder::new(Format::Ndjson, program.schema().events, &DecodeOptions::default());
    let mut events = vec![];
    for line in input.split(|byte| *byte == b'\n') {
        let mut values = vec![];
        if let Decoded::Event { event, ts } = decoder.decode(line, &mut values) {
            events.push((event, ts, values.iter().map(|value| value.with_text(&mut keep)).collect()));
        }
    }
    events
}

/// What a program tells of events that are pushed one by one, and of the same in slices of several lengths; `None` if it cannot run. The events
/// are those of NDJSON lines.
pub fn one_by_one_and_at_once(program: &Program, input: &[u8]) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let mut texts = vec![];
    decoded(program, input, |text| {
        texts.push(text.to_owned());
        ""
    });
    let mut kept = texts.iter();
    let decoded = decoded(program, input, |_| kept.next().map_or("", String::as_str));
    let events: Vec<Event<'_>> = decoded.iter().map(|(event, ts, values)| Event::new(*event, *ts, values)).collect();
    let run = |length: usize| {
        let (mut told, mut instance) = (Told::default(), program.instance().ok()?);
        match length {
            0 => events.iter().for_each(|e| instance.event(e.event(), e.ts(), e.values(), &mut told)),
            length => events.chunks(length).for_each(|events| instance.events(events, &mut told)),
        }
        instance.finish(&mut told);
        Some(told.0)
    };
    Some((run(0)?, [1, 3, events.len().max(1)].into_iter().map(run).collect::<Option<_>>()?))
}
