//! A machine that is simulated from a seed: chunked and interrupted reads, short and failing writes, a clock that jumps.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use varpulis_runtime::standalone::{Bar, Host, Opened};

/// When an output fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Create,
    /// When it would take more bytes than so many.
    Byte(usize),
    Flush,
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An input cannot be read beyond a byte.
    Input { name: String, byte: usize, kind: ErrorKind },
    /// An output fails, once or from then on; `WriteZero` is a write that takes nothing.
    Output { name: String, when: When, kind: ErrorKind, lasts: bool },
}

#[derive(Default)]
struct State {
    rng: Rng,
    written: BTreeMap<String, Vec<u8>>,
    said: Vec<u8>,
    /// Whether a bar is on the screen.
    bar: bool,
    position: u64,
    /// Whether the fault was met.
    met: bool,
    /// What no run may do.
    offences: Vec<String>,
}

/// The machine of one run.
pub(crate) struct Machine {
    inputs: Vec<(String, Vec<u8>)>,
    /// Whether it behaves: whole reads and writes, no bar, no clock.
    plain: bool,
    fault: Option<Fault>,
    state: Arc<Mutex<State>>,
}

impl Machine {
    pub(crate) fn plain(inputs: &[(String, Vec<u8>)]) -> Self {
        Self { inputs: inputs.to_vec(), plain: true, fault: None, state: Arc::default() }
    }

    pub(crate) fn odd(inputs: &[(String, Vec<u8>)], seed: u64, fault: Option<Fault>) -> Self {
        let state = State { rng: Rng::with_seed(seed), ..State::default() };
        Self { inputs: inputs.to_vec(), plain: false, fault, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn written(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().written.clone()
    }

    /// What was said, without figures of the clock.
    pub(crate) fn said(&self) -> String {
        let said = String::from_utf8(self.state().said.clone()).unwrap();
        let mut text = String::new();
        for line in said.lines().filter(|line| !line.starts_with("time    ")) {
            match (line.find(",\"seconds\""), line.find(",\"streams\"")) {
                (Some(from), Some(to)) => text.push_str(&format!("{}{}\n", &line[..from], &line[to..])),
                _ => text.push_str(&format!("{line}\n")),
            }
        }
        text
    }

    pub(crate) fn met_fault(&self) -> bool {
        self.state().met
    }

    pub(crate) fn offences(&self) -> Vec<String> {
        self.state().offences.clone()
    }
}

impl Host for Machine {
    fn open(&self, name: &str) -> io::Result<Opened> {
        let (_, bytes) = self.inputs.iter().find(|(input, _)| input == name).ok_or(ErrorKind::NotFound)?;
        let fault = match &self.fault {
            Some(Fault::Input { name: input, byte, kind }) if input == name => Some((*byte, *kind)),
            _ => None,
        };
        let length = (!self.plain && self.state().rng.bool()).then_some(bytes.len() as u64);
        Ok(Opened { reader: Box::new(Input { bytes: bytes.clone(), at: 0, plain: self.plain, fault, state: Arc::clone(&self.state) }), length, live: false })
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        let fault = match &self.fault {
            Some(Fault::Output { name: output, when, kind, lasts }) if output == name => Some((*when, *kind, *lasts)),
            _ => None,
        };
        if let Some((When::Create, kind, _)) = fault {
            self.state().met = true;
            return Err(kind.into());
        }
        self.state().written.insert(name.to_owned(), vec![]);
        Ok(Box::new(Written { name: name.to_owned(), plain: self.plain, fault, failed: false, state: Arc::clone(&self.state) }))
    }

    fn messages(&self) -> Box<dyn Write + Send> {
        Box::new(Said { plain: self.plain, state: Arc::clone(&self.state) })
    }

    fn wall_clock(&self) -> i64 {
        1_800_000_000_000_000_000
    }
    fn now(&self) -> Duration {
        if self.plain {
            return Duration::ZERO;
        }
        let rng = &mut self.state().rng;
        match rng.u8(..4) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            _ => Duration::from_nanos(rng.u64(..)),
        }
    }

    fn progress(&self, _: &str, length: Option<u64>) -> Option<Box<dyn Bar>> {
        let mut state = self.state();
        let known: Option<u64> = self.inputs.iter().map(|(_, bytes)| Some(bytes.len() as u64)).sum();
        if length.is_some() && length != known {
            state.offences.push(format!("a bar over {length:?} bytes, but there are {known:?}"));
        }
        state.bar = !self.plain && state.rng.bool();
        state.bar.then(|| Box::new(Shown(Arc::clone(&self.state))) as Box<dyn Bar>)
    }

    fn is_same_file(&self, a: &str, b: &str) -> bool {
        a == b
    }
}

/// How many bytes a call takes: one, some, or all.
fn some(rng: &mut Rng, most: usize) -> io::Result<usize> {
    match rng.u8(..8) {
        0 => Err(ErrorKind::Interrupted.into()),
        1 => Ok(most.min(1)),
        2..5 => Ok(rng.usize(..=most.min(40)).max(most.min(1))),
        5..7 => Ok(rng.usize(..=most).max(most.min(1))),
        _ => Ok(most),
    }
}

struct Input {
    bytes: Vec<u8>,
    at: usize,
    plain: bool,
    fault: Option<(usize, ErrorKind)>,
    state: Arc<Mutex<State>>,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap();
        let end = self.fault.map_or(self.bytes.len(), |(byte, _)| byte);
        if let Some((byte, kind)) = self.fault
            && self.at == byte
        {
            state.met = true;
            return Err(kind.into());
        }
        let most = buffer.len().min(end - self.at);
        let length = if self.plain { most } else { some(&mut state.rng, most)? };
        buffer[..length].copy_from_slice(&self.bytes[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

struct Written {
    name: String,
    plain: bool,
    fault: Option<(When, ErrorKind, bool)>,
    failed: bool,
    state: Arc<Mutex<State>>,
}

impl Written {
    fn fail(&mut self, state: &mut State, kind: ErrorKind) -> io::Result<usize> {
        if self.failed {
            state.offences.push(format!("{} was written after it had failed", self.name));
        }
        (self.failed, state.met) = (true, true);
        if kind == ErrorKind::WriteZero { Ok(0) } else { Err(kind.into()) }
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = Arc::clone(&self.state);
        let mut state = state.lock().unwrap();
        let taken = state.written.get(&self.name).map_or(0, Vec::len);
        let mut most = bytes.len();
        if let Some((When::Byte(byte), kind, lasts)) = self.fault
            && (lasts || !self.failed)
        {
            most = most.min(byte - taken);
            if most == 0 && !bytes.is_empty() {
                return self.fail(&mut state, kind);
            }
        }
        if self.failed {
            state.offences.push(format!("{} was written after it had failed", self.name));
        }
        let length = if self.plain { most } else { some(&mut state.rng, most)? };
        state.written.entry(self.name.clone()).or_default().extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        let state = Arc::clone(&self.state);
        match self.fault {
            Some((When::Flush, kind, _)) => {
                let failed = self.fail(&mut state.lock().unwrap(), kind);
                failed.and(Err(kind.into()))
            }
            _ => Ok(()),
        }
    }
}

struct Said {
    plain: bool,
    state: Arc<Mutex<State>>,
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap();
        if state.bar {
            state.offences.push("a message was written over the bar".to_owned());
        }
        let length = if self.plain { bytes.len() } else { some(&mut state.rng, bytes.len())? };
        state.said.extend_from_slice(&bytes[..length]);
        Ok(length)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Shown(Arc<Mutex<State>>);

impl Bar for Shown {
    fn set_position(&self, bytes: u64) {
        let mut state = self.0.lock().unwrap();
        if bytes < state.position {
            state.offences.push("the bar went back".to_owned());
        }
        state.position = bytes;
    }
    fn suspend(&self, write: &mut dyn FnMut()) {
        self.0.lock().unwrap().bar = false;
        write();
        self.0.lock().unwrap().bar = true;
    }
    fn finish(&self) {
        self.0.lock().unwrap().bar = false;
    }
}
