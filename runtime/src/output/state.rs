//! Program state beside an output: chains that change it are handed both as one.

use super::{Output, WriteRecord};
use crate::operator::Refusal;
use crate::program::Instance;

/// An output, and what functions of the program change as records pass.
pub struct WithState<'o, O, S> {
    /// Where rows go.
    pub out: &'o mut O,
    /// The program's state.
    pub state: &'o mut S,
}

impl<P: Instance, O: Output<P>, S> Output<P> for WithState<'_, O, S> {
    #[inline(always)]
    fn row(&mut self, row: P::Row<'_>) {
        self.out.row(row);
    }
    fn error(&mut self, refusal: Refusal, record: &dyn WriteRecord) {
        self.out.error(refusal, record);
    }
    fn late(&mut self, record: &dyn WriteRecord) {
        self.out.late(record);
    }
    fn print(&mut self, line: &str) {
        self.out.print(line);
    }
    fn wall_clock(&self) -> i64 {
        self.out.wall_clock()
    }
}
