//! What happened in a run.

use std::time::Duration;

use crate::output::RecordWriter;

use super::outputs::json_text;

/// What happened in a run. `read = consumed + skipped + late + invalid`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Records read.
    pub read: u64,
    /// Events that the program took.
    pub consumed: u64,
    /// Events of types that the program does not read.
    pub skipped: u64,
    /// Events below the watermark.
    pub late: u64,
    /// Records that do not fit.
    pub invalid: u64,
    /// Rows written.
    pub rows: u64,
    /// Rows of each stream.
    pub streams: Vec<(String, u64)>,
    /// Records that left a stream by an evaluation error.
    pub errors: u64,
    /// What `.tap` counted and what was cut.
    pub counters: Vec<(String, u64)>,
    /// How long it took.
    pub elapsed: Duration,
    /// Inputs whose compressed data broke off, with the reason.
    pub broken: Vec<String>,
    /// Whether the rows' reader went away before the end.
    pub closed: bool,
}

impl Summary {
    /// Whether anything was refused.
    pub fn refused(&self) -> bool {
        self.late + self.invalid + self.errors > 0
    }

    fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.read as f64 / seconds } else { 0.0 }
    }

    /// For people: three lines, and one for each thing out of the ordinary.
    pub fn text(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        let n = grouped;
        let (read, consumed, skipped, late, invalid) = (n(self.read), n(self.consumed), n(self.skipped), n(self.late), n(self.invalid));
        let _ = writeln!(text, "events  {read} in = {consumed} consumed + {skipped} skipped + {late} late + {invalid} invalid");
        let _ = write!(text, "rows    {} out", n(self.rows));
        if self.streams.len() > 1 {
            let each: Vec<String> = self.streams.iter().map(|(name, rows)| format!("{name} {}", n(*rows))).collect();
            let _ = write!(text, " ({})", each.join(", "));
        }
        if self.errors > 0 {
            let _ = write!(text, "\nerrors  {}", n(self.errors));
        }
        for (name, count) in &self.counters {
            let _ = write!(text, "\n{name}  {}", n(*count));
        }
        let rate = grouped(self.rate().round() as u64);
        let _ = write!(text, "\ntime    {:.3} s, {rate} events/s", self.elapsed.as_secs_f64());
        text
    }

    /// For programs: one JSON object.
    pub fn json(&self) -> String {
        let mut buffer = Vec::new();
        let mut writer = RecordWriter::new(&mut buffer);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        writer.int("{\"in\":", count(self.read));
        writer.int(",\"consumed\":", count(self.consumed));
        writer.int(",\"skipped\":", count(self.skipped));
        writer.int(",\"late\":", count(self.late));
        writer.int(",\"invalid\":", count(self.invalid));
        writer.int(",\"rows\":", count(self.rows));
        writer.int(",\"errors\":", count(self.errors));
        writer.float(",\"seconds\":", self.elapsed.as_secs_f64());
        writer.float(",\"events_per_second\":", self.rate());
        for (name, entries) in [("streams", &self.streams), ("counters", &self.counters)] {
            buffer.extend_from_slice(format!(",\"{name}\":{{").as_bytes());
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    buffer.push(b',');
                }
                json_text(&mut buffer, key);
                RecordWriter::new(&mut buffer).int(":", count(*value));
            }
            buffer.push(b'}');
        }
        buffer.push(b'}');
        String::from_utf8(buffer).unwrap_or_default()
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
