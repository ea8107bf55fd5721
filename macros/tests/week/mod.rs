//! The week of flights as a Rust program reads it, and the rows that it has to give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "a program takes a part of it")]

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// An event of the file; what no program reads is left out.
#[derive(Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Event {
    Departure { ts: i64, carrier: String, flight: i64, tailnum: Option<String>, origin: String, dest: String, delay: i64 },
    Arrival { ts: i64, carrier: String, flight: i64, tailnum: Option<String> },
    Weather {},
    Cancelled {},
}

/// Programs take nanoseconds; the file has milliseconds.
pub(crate) const MILLISECOND: i64 = 1_000_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|f| f.join("examples/flights").is_dir()).unwrap().to_owned()
}

/// The week's events, in the order of the file.
pub(crate) fn events() -> Vec<Event> {
    let text = std::fs::read_to_string(root().join("examples/flights/flights-week.ndjson")).unwrap();
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 12_603);
    events
}

/// Appends a row as a line of NDJSON.
pub(crate) fn append(row: &impl varpulis::WriteRecord, lines: &mut Vec<u8>) {
    varpulis::WriteRecord::write(row, &mut varpulis::RecordWriter::new(lines));
    lines.push(b'\n');
}

/// Compares lines of NDJSON with the rows that the program of that name must give.
#[track_caller]
pub(crate) fn check(name: &str, lines: &[u8]) {
    let expected = std::fs::read_to_string(root().join("tests/cases/flights").join(name).join("expected.sorted.ndjson")).unwrap();
    let (found, expected) = (canonical(std::str::from_utf8(lines).unwrap()), canonical(&expected));
    // The first difference only.
    assert_eq!(found.iter().zip(&expected).find(|(f, e)| f != e), None);
    assert_eq!(found.len(), expected.len());
}

/// Rows without `type`, keys sorted, floats to 9 significant digits, lines sorted.
fn canonical(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = text
        .lines()
        .map(|line| {
            let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            let mut fields: Vec<String> = row
                .iter()
                .filter(|(k, _)| *k != "type")
                .map(|(k, v)| match v.as_f64().filter(|_| v.is_f64()) {
                    Some(f) => format!("{k}={f:.8e} "),
                    None => format!("{k}={v} "),
                })
                .collect();
            fields.sort();
            fields.concat()
        })
        .collect();
    rows.sort();
    rows
}
