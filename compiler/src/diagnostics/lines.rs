//! From byte offsets to lines and columns.

/// Where lines begin. Making it is O(n), a look-up O(log n) and the length of the line.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Of no text.
    pub(crate) const NONE: Self = Self { starts: vec![] };

    /// The lines of a text.
    pub fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1)).collect();
        Self { starts }
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.start(line).unwrap_or(0);
        let column = text.get(start..at.min(text.len())).map_or(1, |t| t.chars().count() + 1);
        (line, column)
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at).max(1)
    }

    /// Where a line begins; `None` behind the last one.
    pub(super) fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }
}
