//! What a run needs of the machine, as a seam that tests drive.
//!
//! Nothing else in the runtime opens a file, looks at a stream of the process or reads a clock. Two things stand beside it: the command line
//! and its environment, which are read before a run begins (see [`main`](super::main)), and the seeds of hash tables, on which no output depends.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// An input, opened.
pub struct Opened {
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
    /// How many there are, if that is known.
    pub length: Option<u64>,
    /// Whether they come as they are made, as from a pipe: a read may wait.
    pub live: bool,
}

/// Files, streams and the clock.
pub trait Host {
    /// Opens an input; `-` is stdin.
    ///
    /// # Errors
    /// It cannot be opened, or is a directory.
    fn open(&self, name: &str) -> io::Result<Opened>;
    /// Creates an output; `-` is stdout.
    ///
    /// # Errors
    /// It cannot be created.
    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>>;
    /// Where messages go: stderr.
    fn messages(&self) -> Box<dyn Write + Send>;
    /// Time since some start.
    fn now(&self) -> Duration;
    /// Time of day, in ns since the epoch.
    fn wall_clock(&self) -> i64;
    /// Does something beside the run, as reading an input that is live.
    fn beside(&self, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }
    /// A bar over `length` bytes, or a running count, if it would be seen and not disturb rows written to `output`.
    fn progress(&self, output: &str, length: Option<u64>) -> Option<Box<dyn Bar>>;
    /// Whether two names are one regular file; devices may be shared.
    fn is_same_file(&self, a: &str, b: &str) -> bool;
}

/// A progress bar.
pub trait Bar {
    /// How many bytes have been read.
    fn set_position(&self, bytes: u64);
    /// Takes the bar away while messages are written.
    fn suspend(&self, write: &mut dyn FnMut());
    /// Takes it away for good.
    fn finish(&self);
}

/// The process's own files and streams.
pub struct Process {
    start: Instant,
}

impl Default for Process {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Process {
    /// The command line, the program's own name first.
    pub(super) fn arguments() -> impl Iterator<Item = OsString> {
        std::env::args_os()
    }
}

impl Host for Process {
    fn open(&self, name: &str) -> io::Result<Opened> {
        if name == "-" {
            return Ok(Opened { reader: Box::new(io::stdin()), length: None, live: !is_file(&io::stdin()) });
        }
        if is_fifo(name) {
            return Ok(Opened { reader: Box::new(Fifo::Named(name.to_owned())), length: None, live: true });
        }
        let file = File::open(name)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        Ok(Opened { reader: Box::new(file), length: metadata.is_file().then_some(metadata.len()), live: !metadata.is_file() })
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(if name == "-" { Box::new(Stdout::new()?) } else { Box::new(File::create(name)?) })
    }

    fn messages(&self) -> Box<dyn Write + Send> {
        Box::new(io::stderr())
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall_clock(&self) -> i64 {
        crate::output::wall_clock()
    }

    fn progress(&self, output: &str, length: Option<u64>) -> Option<Box<dyn Bar>> {
        let disturbs = output == "-" && io::stdout().is_terminal();
        (io::stderr().is_terminal() && !disturbs).then(|| Box::new(bar(length)) as Box<dyn Bar>)
    }

    fn is_same_file(&self, a: &str, b: &str) -> bool {
        match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
            (Ok(a), Ok(b)) => a.is_file() && (a == b || linked(&a, &b)),
            _ => a == b,
        }
    }
}

/// A pipe with a name. To open one waits for its other end, so that only a read does it.
enum Fifo {
    Named(String),
    Open(File),
}

impl Read for Fifo {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Named(name) => *self = Self::Open(File::open(&*name)?),
                Self::Open(file) => return file.read(into),
            }
        }
    }
}

#[cfg(unix)]
fn is_fifo(name: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(name).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_fifo(_: &str) -> bool {
    false
}

/// Whether stdin is a file.
#[cfg(unix)]
fn is_file(stdin: &io::Stdin) -> bool {
    use std::os::fd::AsFd;
    let file = stdin.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(not(unix))]
fn is_file(_: &io::Stdin) -> bool {
    false
}

/// Whether two paths are links to one file: opening one to write would empty the other.
#[cfg(unix)]
fn linked(a: &std::path::Path, b: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path| std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    id(a).is_some_and(|a| id(b) == Some(a))
}

#[cfg(not(unix))]
fn linked(_: &std::path::Path, _: &std::path::Path) -> bool {
    false
}

fn bar(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match length {
        Some(_) => "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        None => "{spinner} {bytes}  {bytes_per_sec}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Bar for ProgressBar {
    fn set_position(&self, bytes: u64) {
        Self::set_position(self, bytes);
    }
    fn suspend(&self, write: &mut dyn FnMut()) {
        Self::suspend(self, write);
    }
    fn finish(&self) {
        self.finish_and_clear();
    }
}

/// Stdout without the line buffer that the standard library puts around it.
struct Stdout {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: io::Stdout,
}

impl Stdout {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use std::os::fd::AsFd;
        Ok(Self { file: File::from(io::stdout().as_fd().try_clone_to_owned()?) })
    }
    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self { file: io::stdout() })
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
