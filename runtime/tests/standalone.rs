//! The command line of a standalone program, driven without a process and with real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod squares;

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use varpulis_runtime::program::Program as _;
use varpulis_runtime::standalone::{Bar, Host, Opened, Options, Process, execute, run};

use squares::Squares;

/// Files in memory.
#[derive(Default, Clone)]
struct Memory {
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    messages: Arc<Mutex<Vec<u8>>>,
    closed: bool,
}

struct Written(Arc<Mutex<HashMap<String, Vec<u8>>>>, String);
impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().entry(self.1.clone()).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Messages(Arc<Mutex<Vec<u8>>>);
impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Closed;
impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Host for Memory {
    fn open(&self, name: &str) -> io::Result<Opened> {
        match self.files.lock().unwrap().get(name) {
            Some(bytes) => Ok(Opened { reader: Box::new(Cursor::new(bytes.clone())), length: None, live: false }),
            None => Process::default().open(name),
        }
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        match name {
            "-" if self.closed => Ok(Box::new(Closed)),
            "/dev/full" => Process::default().create(name),
            _ => Ok(Box::new(Written(Arc::clone(&self.files), format!("out:{name}")))),
        }
    }
    fn messages(&self) -> Box<dyn Write + Send> {
        Box::new(Messages(Arc::clone(&self.messages)))
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
    fn is_same_file(&self, a: &str, b: &str) -> bool {
        a == b
    }
}

impl Memory {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let memory = Self::default();
        for (name, bytes) in files {
            memory.files.lock().unwrap().insert((*name).to_owned(), bytes.to_vec());
        }
        memory
    }
    fn execute(&self, arguments: &[&str]) -> u8 {
        execute(Squares::with_params, &options(arguments), self)
    }
    fn written(&self, name: &str) -> String {
        String::from_utf8(self.files.lock().unwrap().get(&format!("out:{name}")).cloned().unwrap_or_default()).unwrap()
    }
    fn said(&self) -> String {
        String::from_utf8(self.messages.lock().unwrap().clone()).unwrap()
    }
}

fn options(arguments: &[&str]) -> Options {
    Options::parse_for::<Squares>(std::iter::once(&"squares").chain(arguments).map(std::ffi::OsString::from)).unwrap()
}

fn trade(ts: i64, symbol: &str, volume: i64) -> String {
    format!("{{\"type\":\"Trade\",\"ts\":{ts},\"symbol\":\"{symbol}\",\"volume\":{volume}}}\n")
}

#[test]
fn rows_go_to_stdout_and_every_record_is_accounted_for() {
    let input = [
        trade(1, "A", 2),
        trade(5, "B", 3),
        trade(3, "C", 4),
        "{\"type\":\"Other\"}\n\n".to_owned(),
        "{\"type\":\"Trade\",\"ts\":6,\"symbol\":\"D\"}\n".to_owned(),
        "no record\n".to_owned(),
        trade(7, "E", i64::MAX),
    ];
    let memory = Memory::with(&[("-", input.concat().as_bytes())]);
    let arguments = ["--dead-letter", "dead", "--late", "late", "--errors", "errors", "--stats", "json"];
    assert_eq!(memory.execute(&arguments), 0);
    let rows = "{\"type\":\"Squares\",\"ts\":1,\"symbol\":\"A\",\"square\":4}\n{\"type\":\"Squares\",\"ts\":5,\"symbol\":\"B\",\"square\":9}\n\
                {\"type\":\"Total\",\"ts\":7,\"kept\":3}\n";
    assert_eq!(memory.written("-"), rows);
    assert_eq!(memory.written("late"), trade(3, "C", 4));
    let errors = "{\"stream\":\"Squares\",\"at\":\"squares.vpl:3:7\",\"expression\":\"volume * volume\",\"reason\":\"integer overflow\",\"record\":";
    assert_eq!(memory.written("errors"), format!("{errors}{}}}\n", trade(7, "E", i64::MAX).trim()));
    let dead = memory.written("dead");
    let dead: Vec<serde_json::Value> = dead.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(dead[0]["source"], "stdin");
    assert_eq!((&dead[0]["line"], &dead[0]["reason"], &dead[0]["detail"]), (&6.into(), &"missing field".into(), &"field `volume`, byte 36".into()));
    assert_eq!((&dead[1]["line"], &dead[1]["reason"], &dead[1]["record"]), (&7.into(), &"malformed record".into(), &"no record".into()));
    let stats: serde_json::Value = serde_json::from_str(memory.said().trim()).unwrap();
    assert_eq!(stats["in"], 7);
    assert_eq!([&stats["consumed"], &stats["skipped"], &stats["late"], &stats["invalid"]], [3, 1, 1, 2]);
    assert_eq!((&stats["rows"], &stats["errors"]), (&3.into(), &1.into()));
    assert_eq!(stats["streams"], serde_json::json!({"Squares": 2, "Total": 1}));
}

#[test]
fn without_files_the_first_few_refusals_are_shown() {
    let input = "x\n".repeat(9);
    let memory = Memory::with(&[("-", input.as_bytes())]);
    assert_eq!(memory.execute(&["--strict"]), 1);
    let said = memory.said();
    assert_eq!(said.matches("warning: refused: stdin:").count(), 5, "{said}");
    assert!(said.contains("further ones are counted only"));
    assert!(said.contains("events  9 in = 0 consumed + 0 skipped + 0 late + 9 invalid"), "{said}");
}

#[test]
fn formats_go_by_extension_or_flag() {
    let json = format!("[{},\n{}]", trade(1, "A", 2).trim(), trade(2, "B", 3).trim());
    let csv = "ts,symbol,volume,other\n1,A,2,\"x\ny\"\n2,,3,\n";
    let evt = "# trades\n@1ms Trade { symbol: 'A', volume: 2 }\nBATCH 1\n@1 Trade { volume: 3, symbol: \"B\" };\n";
    let memory = Memory::with(&[("a.json", json.as_bytes()), ("a.csv", csv.as_bytes()), ("a.evt", evt.as_bytes()), ("plain", csv.as_bytes())]);
    for (arguments, symbol) in
        [(vec!["--input", "a.json"], "B"), (vec!["--input", "a.csv"], ""), (vec!["--input", "a.evt"], "B"), (vec!["--input", "plain", "--format", "csv"], "")]
    {
        memory.files.lock().unwrap().remove("out:-");
        assert_eq!(memory.execute(&[arguments.as_slice(), &["--strict"]].concat()), 0, "{}", memory.said());
        let rows: Vec<String> = memory.written("-").lines().map(str::to_owned).collect();
        assert_eq!(rows[0], "{\"type\":\"Squares\",\"ts\":1,\"symbol\":\"A\",\"square\":4}");
        assert_eq!(rows[1], format!("{{\"type\":\"Squares\",\"ts\":2,\"symbol\":\"{symbol}\",\"square\":9}}"));
    }
}

#[test]
fn inputs_are_merged_by_time_ties_in_order_of_arguments() {
    let a = [trade(1, "a", 1), trade(3, "a", 1), "bad\n".to_owned(), trade(5, "a", 1)].concat();
    let b = [trade(1, "b", 1), trade(2, "b\\n", 1), trade(5, "b", 1)].concat();
    let memory = Memory::with(&[("a", a.as_bytes()), ("b", b.as_bytes()), ("empty", b"")]);
    assert_eq!(memory.execute(&["--input", "b", "--input", "empty", "--input", "a", "--stats", "json"]), 0);
    let written = memory.written("-");
    let symbols: Vec<String> = written.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()["symbol"].to_string()).collect();
    assert_eq!(symbols[..6], ["\"b\"", "\"a\"", "\"b\\n\"", "\"a\"", "\"b\"", "\"a\""]);
    assert!(memory.said().contains("\"in\":7,\"consumed\":6,\"skipped\":0,\"late\":0,\"invalid\":1"), "{}", memory.said());
}

/// A line whose volume is too small, in front of a symbol that is none.
fn small(ts: i64, volume: i64) -> String {
    format!("{{\"type\":\"Trade\",\"volume\":{volume},\"symbol\":7,\"ts\":{ts}}}\n")
}

#[test]
fn what_the_first_fields_reject_is_consumed() {
    let input = [trade(1, "A", 9), small(5, 1), small(4, 1), trade(3, "B", 9), small(6, 9)].concat();
    let memory = Memory::with(&[("-", input.as_bytes())]);
    assert_eq!(memory.execute(&["--param", "least=5", "--late", "late", "--dead-letter", "dead", "--stats", "json"]), 0);
    assert!(memory.said().contains("\"in\":5,\"consumed\":2,\"skipped\":0,\"late\":2,\"invalid\":1"), "{}", memory.said());
    assert_eq!(memory.written("late"), format!("{{\"type\":\"Trade\",\"ts\":4,\"volume\":1}}\n{}", trade(3, "B", 9)));
    assert_eq!(memory.written("dead").lines().count(), 1);
}

#[test]
fn what_the_first_fields_reject_takes_its_place_among_inputs() {
    let (a, b) = ([small(2, 1), trade(4, "A", 9)].concat(), [trade(1, "B", 9), trade(3, "B", 9)].concat());
    let memory = Memory::with(&[("a", a.as_bytes()), ("b", b.as_bytes())]);
    assert_eq!(memory.execute(&["--input", "a", "--input", "b", "--param", "least=5", "--stats", "json"]), 0);
    assert!(memory.said().contains("\"in\":4,\"consumed\":4,\"skipped\":0,\"late\":0,\"invalid\":0"), "{}", memory.said());
}

#[test]
fn strict_json_examines_everything() {
    let csv = "volume,symbol,ts\n1,A,1\n1,B,noon\n";
    for (name, input, invalid) in [("a.ndjson", small(1, 1), 1), ("a.csv", csv.to_owned(), 1), ("a.evt", "@1 Trade { volume: 1, symbol: 5 }\n".to_owned(), 1)] {
        let memory = Memory::with(&[(name, input.as_bytes())]);
        assert_eq!(memory.execute(&["--input", name, "--param", "least=5", "--strict-json", "--stats", "json"]), 0);
        assert!(memory.said().contains(&format!("\"invalid\":{invalid}")), "{name}: {}", memory.said());
    }
}

#[test]
fn parameters_and_wrong_usage() {
    let memory = Memory::with(&[("-", trade(1, "A", 2).as_bytes()), ("same", b"")]);
    assert_eq!(memory.execute(&["--param", "least=3"]), 0);
    assert_eq!(memory.written("-").lines().count(), 1);
    for (arguments, message) in [
        (["--param", "most=3"].as_slice(), "no parameter `most`"),
        (&["--param", "least"], "expected NAME=VALUE"),
        (&["--late", "-"], "stdout is for rows"),
        (&["--late", "x", "--errors", "x"], "names the same file"),
        (&["--input", "same", "--output", "same"], "names the same file"),
        (&["--input", "-", "--input", "-"], "stdin can be one input only"),
    ] {
        let memory = Memory::with(&[("-", b"")]);
        assert_eq!(memory.execute(arguments), 2, "{arguments:?}");
        assert!(memory.said().contains(message), "{}", memory.said());
    }
    let error = Options::parse_for::<Squares>(["squares", "--nonsense"].map(Into::into)).unwrap_err();
    assert!(error.use_stderr());
    let help = Options::parse_for::<Squares>(["squares", "--help"].map(Into::into)).unwrap_err().to_string();
    assert!(help.contains("least [default: 0]") && help.contains("VARPULIS_DEAD_LETTER"), "{help}");
}

#[test]
#[cfg(unix)]
fn an_output_that_is_a_link_to_an_input_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (input, output) = (directory.path().join("in.ndjson"), directory.path().join("out.ndjson"));
    std::fs::write(&input, trade(1, "A", 2)).unwrap();
    std::fs::hard_link(&input, &output).unwrap();
    let arguments = ["squares", "--input", input.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let options = Options::parse_for::<Squares>(arguments.map(Into::into)).unwrap();
    assert_eq!(execute(Squares::with_params, &options, &Process::default()), 2);
    assert_eq!(std::fs::read_to_string(&input).unwrap(), trade(1, "A", 2));
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap().to_owned();
    let memory = Memory::with(&[]);
    assert_eq!(memory.execute(&["--input", &path]), 1);
    assert!(memory.said().contains(&format!("error: cannot read {path}: it is a directory")), "{}", memory.said());
    let missing = format!("{path}/missing");
    assert_eq!(memory.execute(&["--input", &missing]), 1);
    assert!(memory.said().contains(&format!("error: cannot read {missing}: No such file")), "{}", memory.said());
    if cfg!(target_os = "linux") {
        let memory = Memory::with(&[("-", trade(1, "A", 2).as_bytes())]);
        assert_eq!(memory.execute(&["--output", "/dev/full"]), 1);
        assert!(memory.said().contains("error: cannot write /dev/full: No space left"), "{}", memory.said());
    }
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let memory = Memory { closed: true, ..Memory::with(&[("-", trade(1, "A", 2).as_bytes())]) };
    assert_eq!(memory.execute(&[]), 0);
    assert_eq!(memory.said(), "");
}

#[test]
fn an_empty_input_has_no_rows_but_those_of_the_end() {
    let memory = Memory::with(&[("-", b"")]);
    assert_eq!(memory.execute(&[]), 0);
    assert_eq!(memory.written("-").lines().count(), 1);
}

#[test]
fn broken_compression_is_reported_and_the_rest_is_used() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(format!("{}{}", trade(1, "A", 2), trade(2, "B", 3)).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let memory = Memory::with(&[("a.ndjson.gz", &whole[..]), ("cut.ndjson.gz", &whole[..whole.len() - 6])]);
    assert_eq!(memory.execute(&["--input", "a.ndjson.gz", "--strict"]), 0, "{}", memory.said());
    assert_eq!(memory.written("-").lines().count(), 3);
    assert_eq!(memory.execute(&["--input", "cut.ndjson.gz"]), 1);
    let said = memory.said();
    assert!(said.contains("error: cut.ndjson.gz: the compressed input is broken"), "{said}");
    assert!(said.contains("events  3 in = 2 consumed + 0 skipped + 0 late + 1 invalid"), "{said}");
}

/// A line of 100 MB between two good ones, which no buffer ever holds.
struct Long {
    made: usize,
}

impl Read for Long {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const LENGTH: usize = 100 << 20;
        let (first, last) = (trade(1, "A", 2), trade(2, "B", 3));
        let text = if self.made < first.len() {
            &first.as_bytes()[self.made..]
        } else if self.made < first.len() + LENGTH {
            let length = buffer.len().min(first.len() + LENGTH - self.made);
            buffer[..length].fill(b'x');
            self.made += length;
            return Ok(length);
        } else if self.made == first.len() + LENGTH {
            b"\n"
        } else {
            &last.as_bytes()[(self.made - first.len() - LENGTH - 1).min(last.len())..]
        };
        let length = buffer.len().min(text.len());
        buffer[..length].copy_from_slice(&text[..length]);
        self.made += length;
        Ok(length)
    }
}

struct LongHost(Memory);
impl Host for LongHost {
    fn open(&self, _: &str) -> io::Result<Opened> {
        Ok(Opened { reader: Box::new(Long { made: 0 }), length: None, live: false })
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        self.0.create(name)
    }
    fn messages(&self) -> Box<dyn Write + Send> {
        self.0.messages()
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
    fn is_same_file(&self, a: &str, b: &str) -> bool {
        a == b
    }
}

#[test]
fn a_line_of_100_mb_is_refused_and_reading_goes_on() {
    let host = LongHost(Memory::default());
    let summary = run(Squares::with_params, &options(&["--dead-letter", "dead"]), &host).unwrap();
    assert_eq!((summary.read, summary.consumed, summary.invalid), (3, 2, 1));
    let dead: serde_json::Value = serde_json::from_str(&host.0.written("dead")).unwrap();
    assert_eq!((&dead["reason"], &dead["line"]), (&"record too long".into(), &2.into()));
    assert_eq!(dead["record"].as_str().unwrap().len(), 4096);
}
