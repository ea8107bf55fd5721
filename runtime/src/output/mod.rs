//! Where rows, refused records and messages of a program go.

mod record;
mod state;
pub(crate) mod text;

pub(crate) use record::text_of;
pub use record::{RecordWriter, WriteRecord};
pub use state::WithState;

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::operator::Refusal;
use crate::program::Instance;

/// Stands for a record that had not been made when it was refused: only its time is known.
pub struct At(pub i64);

impl WriteRecord for At {
    fn write(&self, writer: &mut RecordWriter<'_>) {
        writer.timestamp("{\"ts\":", self.0);
        writer.end();
    }
}

/// Receives what a program publishes and what it refuses. Nothing a program refuses is lost: it comes here.
pub trait Output<P: Instance> {
    /// A published row.
    fn row(&mut self, row: P::Row<'_>);
    /// A record that left a stream by an evaluation error.
    fn error(&mut self, refusal: Refusal, record: &dyn WriteRecord);
    /// An event below the watermark.
    fn late(&mut self, record: &dyn WriteRecord);
    /// A line of `.print` or `.log`.
    fn print(&mut self, line: &str);
    /// The machine's time in ns since the epoch, for `wall_clock()`.
    fn wall_clock(&self) -> i64 {
        wall_clock()
    }
}

/// The machine's time in ns since the epoch.
pub fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// An output that hands rows to a closure and counts the rest.
pub struct Rows<F> {
    take: F,
    /// Records that left by an evaluation error.
    pub errors: u64,
    /// Events that came too late.
    pub late: u64,
}

/// Hands every row to `take`.
pub fn rows<F>(take: F) -> Rows<F> {
    Rows { take, errors: 0, late: 0 }
}

impl<P: Instance, F: FnMut(P::Row<'_>)> Output<P> for Rows<F> {
    fn row(&mut self, row: P::Row<'_>) {
        (self.take)(row);
    }
    fn error(&mut self, _: Refusal, _: &dyn WriteRecord) {
        self.errors += 1;
    }
    fn late(&mut self, _: &dyn WriteRecord) {
        self.late += 1;
    }
    fn print(&mut self, line: &str) {
        // Unlike `eprintln!`, this does not panic where stderr is gone.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
