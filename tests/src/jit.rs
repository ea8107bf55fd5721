//! Programs in memory: compiled by the JIT backend and run in this process, over inputs and outputs that are bytes.

use std::collections::HashMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use varpulis_compiler::jit::Program;
use varpulis_runtime::standalone::{Bar, Host, Opened, Options, execute};

use crate::native::Outputs;

/// Files by name, and what was written to them.
struct Memory<'i> {
    input: &'i [u8],
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
    fn open(&self, _: &str) -> io::Result<Opened> {
        Ok(Opened { reader: Box::new(Cursor::new(self.input.to_vec())), length: None })
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(File { name: name.to_owned(), files: self.files.clone() }))
    }
    fn messages(&self) -> Box<dyn Write + Send> {
        Box::new(File { name: "messages".to_owned(), files: self.files.clone() })
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
    let files = Arc::default();
    let host = Memory { input, files: Arc::clone(&files) };
    let named = |name: &str| Some(name.to_owned());
    let options = Options { late: named("late"), errors: named("errors"), dead_letter: named("dead"), ..Options::default() };
    let code = execute(|params| program.with_params(params), &options, &host);
    let files = files.lock().map_err(|_| "the run panicked".to_owned())?;
    let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    if code != 0 {
        return Err(format!("the run ended with {code}:\n{}", text("messages")));
    }
    Ok(Outputs { rows: text("-"), late: text("late"), errors: text("errors"), dead: text("dead"), messages: text("messages") })
}
