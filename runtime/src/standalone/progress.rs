//! Messages on stderr, and the progress bar that they must not break.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::host::Bar;

/// Stderr, with or without a bar.
pub(super) struct Messages {
    writer: Box<dyn Write + Send>,
    bar: Option<Box<dyn Bar>>,
    read: Arc<AtomicU64>,
}

impl Messages {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer, bar: None, read: Arc::default() }
    }

    /// Counts what is read of an input.
    pub(super) fn counted(&self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Counted { reader, read: Arc::clone(&self.read) })
    }

    /// Shows a bar, which messages take away while they are written.
    pub(super) fn show_bar(&mut self, bar: Option<Box<dyn Bar>>) {
        self.bar = bar;
    }

    /// Called where a buffer of input is done.
    pub(super) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.read.load(Ordering::Relaxed));
        }
    }

    pub(super) fn hide_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }

    /// Writes a line. If stderr is gone, there is nowhere to say so.
    pub(super) fn line(&mut self, text: &str) {
        let mut line = Vec::with_capacity(text.len() + 1);
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        let writer = &mut self.writer;
        match &self.bar {
            Some(bar) => bar.suspend(&mut || drop(writer.write_all(&line))),
            None => drop(writer.write_all(&line)),
        }
    }
}

struct Counted {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
