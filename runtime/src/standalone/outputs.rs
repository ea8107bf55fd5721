//! Where rows, refused records, late events and error records of a run go, and how many there were.

use std::io::{self, Write};

use super::failure::Failure;
use super::host::Host;
use super::options::Options;
use super::progress::Messages;
use crate::input::{Invalid, Position};
use crate::operator::Refusal;
use crate::output::text::quoted;
use crate::output::{Output, RecordWriter, WriteRecord};
use crate::program::{Instance, Schema, Site, StreamSchema};

/// How much is gathered before it is written.
const BUFFER: usize = 128 << 10;
/// How many refused records are shown where no file takes them.
const SHOWN: u64 = 5;
/// How much of one of these is shown.
const SHOWN_TEXT: usize = 160;
/// How much of a refused record is kept.
const KEPT: usize = 4096;

/// A file and what is still to be written to it.
struct File {
    name: String,
    writer: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    /// Writing failed once. Should it work again later, as on a disk that was full for a while, the file would have a gap.
    failed: bool,
}

impl File {
    fn create(host: &dyn Host, name: &str) -> Result<Self, Failure> {
        let writer = host.create(name).map_err(|error| Failure::Output { name: name.to_owned(), error })?;
        Ok(Self { name: name.to_owned(), writer, buffer: Vec::with_capacity(BUFFER + (BUFFER >> 3)), failed: false })
    }

    /// Writes what was gathered. A failure is told once; what comes after it is dropped.
    #[cold]
    fn write(&mut self) -> Result<(), Failure> {
        let result = if self.failed { Ok(()) } else { self.writer.write_all(&self.buffer) };
        self.buffer.clear();
        self.told(result)
    }

    /// Writes the rest.
    fn finish(&mut self) -> Result<(), Failure> {
        self.write()?;
        let result = if self.failed { Ok(()) } else { self.writer.flush() };
        self.told(result)
    }

    fn told(&mut self, result: io::Result<()>) -> Result<(), Failure> {
        self.failed |= result.is_err();
        result.map_err(|error| Failure::Output { name: self.name.clone(), error })
    }
}

/// One class of refused records.
struct Class {
    /// What it is called in messages.
    what: &'static str,
    file: Option<File>,
    count: u64,
}

impl Class {
    fn create(host: &dyn Host, what: &'static str, name: Option<&String>) -> Result<Self, Failure> {
        Ok(Self { what, file: name.map(|name| File::create(host, name)).transpose()?, count: 0 })
    }

    /// Takes a record: `json` writes it for the file, `message` says it to people.
    #[cold]
    fn take(&mut self, messages: &mut Messages, json: impl FnOnce(&mut Vec<u8>), message: impl FnOnce() -> String) -> Result<(), Failure> {
        self.count += 1;
        match &mut self.file {
            Some(file) => {
                json(&mut file.buffer);
                file.buffer.push(b'\n');
                if file.buffer.len() >= BUFFER { file.write() } else { Ok(()) }
            }
            None => {
                if self.count <= SHOWN {
                    messages.line(&format!("warning: {}: {}", self.what, message()));
                } else if self.count == SHOWN + 1 {
                    messages.line(&format!("warning: {}: further ones are counted only", self.what));
                }
                Ok(())
            }
        }
    }
}

/// The rows of one stream.
struct StreamRows {
    /// How its rows begin.
    head: Vec<u8>,
    rows: u64,
}

/// All outputs of a run.
pub(super) struct Outputs<'h> {
    host: &'h dyn Host,
    rows: File,
    streams: Vec<StreamRows>,
    /// Where the program can refuse a record.
    sites: Vec<Site>,
    /// The stream of the latest row.
    latest: usize,
    total: u64,
    dead: Class,
    late: Class,
    errors: Class,
    pub(super) messages: Messages,
    /// The first failure to write. The event at hand is finished, and what the other files still have to take is written.
    failure: Option<Failure>,
}

impl<'h> Outputs<'h> {
    pub(super) fn create(options: &Options, schema: &Schema<'_>, host: &'h dyn Host) -> Result<Self, Failure> {
        let head = |stream: &StreamSchema| StreamRows { head: format!("{{\"type\":\"{}\",", stream.name).into_bytes(), rows: 0 };
        Ok(Self {
            host,
            rows: File::create(host, options.output.as_deref().unwrap_or("-"))?,
            streams: schema.streams.iter().map(head).collect(),
            sites: schema.sites.to_vec(),
            latest: 0,
            total: 0,
            dead: Class::create(host, "refused", options.dead_letter.as_ref())?,
            late: Class::create(host, "late", options.late.as_ref())?,
            errors: Class::create(host, "error", options.errors.as_ref())?,
            messages: Messages::new(host.messages()),
            failure: None,
        })
    }

    /// Whether writing failed: there is no use in going on.
    #[inline(always)]
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    fn keep(&mut self, result: Result<(), Failure>) {
        if let (Err(failure), None) = (result, &self.failure) {
            self.failure = Some(failure);
        }
    }

    /// Writes what rows were gathered: the next read may take long.
    pub(super) fn flush_rows(&mut self) {
        if !self.rows.buffer.is_empty() {
            let result = self.rows.write();
            self.keep(result);
        }
        self.messages.tick();
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The first failure to write of the whole run.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.messages.hide_bar();
        let classes = [&mut self.dead, &mut self.late, &mut self.errors];
        let files = std::iter::once(&mut self.rows).chain(classes.into_iter().filter_map(|class| class.file.as_mut()));
        let mut failure = self.failure.take();
        for file in files {
            failure = failure.or(file.finish().err());
        }
        failure.map_or(Ok(()), Err)
    }

    /// A record that does not fit.
    pub(super) fn invalid(&mut self, input: &str, position: Position, invalid: Invalid, record: &[u8]) {
        let detail = || match &invalid.field {
            Some(field) => format!("field `{field}`, byte {}", invalid.offset),
            None => format!("byte {}", invalid.offset),
        };
        let detail = &detail;
        let json = |buffer: &mut Vec<u8>| {
            let mut writer = RecordWriter::new(buffer);
            writer.text("{\"source\":", input);
            writer.int(",\"line\":", i64::try_from(position.line).unwrap_or(i64::MAX));
            writer.int(",\"offset\":", i64::try_from(position.offset).unwrap_or(i64::MAX));
            writer.text(",\"reason\":", invalid.reason.text());
            writer.text(",\"detail\":", &detail());
            writer.text(",\"record\":", &beginning(record, KEPT));
            writer.end();
        };
        let message = || format!("{input}:{}: {}, {}: {}", position.line, invalid.reason, detail(), beginning(record, SHOWN_TEXT));
        let result = self.dead.take(&mut self.messages, json, message);
        self.keep(result);
    }

    pub(super) fn invalid_count(&self) -> u64 {
        self.dead.count
    }
    pub(super) fn late_count(&self) -> u64 {
        self.late.count
    }
    pub(super) fn error_count(&self) -> u64 {
        self.errors.count
    }
    pub(super) fn row_count(&self) -> u64 {
        self.total
    }
    /// Rows per stream, in the order of the program's table.
    pub(super) fn rows_by_stream(&self) -> impl Iterator<Item = u64> {
        self.streams.iter().map(|stream| stream.rows)
    }

    /// Counts the row that starts at `start`.
    #[inline]
    fn count_row(&mut self, start: usize) {
        self.total += 1;
        let row = self.rows.buffer.get(start..).unwrap_or_default();
        if !self.streams.get(self.latest).is_some_and(|stream| row.starts_with(&stream.head)) {
            self.latest = self.streams.iter().position(|stream| row.starts_with(&stream.head)).unwrap_or(self.latest);
        }
        if let Some(stream) = self.streams.get_mut(self.latest) {
            stream.rows += 1;
        }
    }
}

impl<P: Instance> Output<P> for Outputs<'_> {
    #[inline]
    fn row(&mut self, row: P::Row<'_>) {
        let start = self.rows.buffer.len();
        row.write(&mut RecordWriter::new(&mut self.rows.buffer));
        self.count_row(start);
        self.rows.buffer.push(b'\n');
        if self.rows.buffer.len() >= BUFFER {
            self.flush_rows();
        }
    }

    #[cold]
    fn error(&mut self, refusal: Refusal, record: &dyn WriteRecord) {
        let site = self.sites.get(refusal.site as usize);
        let (stream, expression) = site.map_or(("", ""), |site| (&*site.stream, &*site.text));
        let at = site.map_or_else(String::new, |site| format!("{}:{}:{}", site.file, site.line, site.column));
        let json = |buffer: &mut Vec<u8>| {
            let mut writer = RecordWriter::new(buffer);
            writer.text("{\"stream\":", stream);
            writer.text(",\"at\":", &at);
            writer.text(",\"expression\":", expression);
            writer.text(",\"reason\":", refusal.reason.text());
            buffer.extend_from_slice(b",\"record\":");
            record.write(&mut RecordWriter::new(buffer));
            buffer.push(b'}');
        };
        let message = || format!("{at}: {stream}: {} in `{expression}`: {}", refusal.reason, beginning(&written(record), SHOWN_TEXT));
        let result = self.errors.take(&mut self.messages, json, message);
        self.keep(result);
    }

    #[cold]
    fn late(&mut self, record: &dyn WriteRecord) {
        let json = |buffer: &mut Vec<u8>| record.write(&mut RecordWriter::new(buffer));
        let message = || beginning(&written(record), SHOWN_TEXT).into_owned();
        let result = self.late.take(&mut self.messages, json, message);
        self.keep(result);
    }

    fn print(&mut self, line: &str) {
        self.messages.line(line);
    }

    fn wall_clock(&self) -> i64 {
        self.host.wall_clock()
    }
}

fn written(record: &dyn WriteRecord) -> Vec<u8> {
    let mut buffer = Vec::new();
    record.write(&mut RecordWriter::new(&mut buffer));
    buffer
}

/// The first bytes of a record, as text.
fn beginning(record: &[u8], length: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(record.get(..length).unwrap_or(record))
}

/// Whether a failure is that nobody reads the rows any more.
pub(super) fn is_closed_pipe(failure: &Failure) -> bool {
    matches!(failure, Failure::Output { name, error } if name == "-" && error.kind() == io::ErrorKind::BrokenPipe)
}

/// Appends a text as JSON.
pub(super) fn json_text(buffer: &mut Vec<u8>, text: &str) {
    quoted(buffer, text);
}
