//! What a run needs of the machine, as a seam that tests drive.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

/// An input, opened.
pub struct Opened {
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
    /// How many there are, if that is known.
    pub length: Option<u64>,
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
    /// Whether a progress bar would be seen, and not disturb rows written to `output`.
    fn can_show_progress(&self, output: &str) -> bool;
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

impl Host for Process {
    fn open(&self, name: &str) -> io::Result<Opened> {
        if name == "-" {
            return Ok(Opened { reader: Box::new(io::stdin()), length: None });
        }
        let file = File::open(name)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        Ok(Opened { reader: Box::new(file), length: metadata.is_file().then_some(metadata.len()) })
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

    fn can_show_progress(&self, output: &str) -> bool {
        io::stderr().is_terminal() && !(output == "-" && io::stdout().is_terminal())
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
