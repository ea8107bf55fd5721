//! Rows of a backend against those of the oracle.
//!
//! Rows of one type come in one order; how rows of different streams interleave is compared between backends only. Floats may differ in the
//! last digits: a backend adds up in another order than the oracle.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use varpulis_oracle::Outcome;

/// Whether the rows are those of the outcome; else, what differs.
///
/// # Errors
/// The first difference, in words.
pub fn same_rows(outcome: &Outcome, rows: &str) -> Result<(), String> {
    let mut found: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    for line in rows.lines() {
        let row: Map<String, Value> = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
        found.entry(row.get("type").and_then(Value::as_str).unwrap_or_default().to_owned()).or_default().push(row);
    }
    let mut wanted: BTreeMap<String, (usize, Vec<Map<String, Value>>)> = BTreeMap::new();
    for publication in outcome.rows.iter().filter(|p| !p.is_empty()) {
        let entry = wanted.entry(publication.first().map(|r| r.name.clone()).unwrap_or_default()).or_default();
        entry.0 += 1;
        entry.1.extend(publication.iter().map(varpulis_oracle::Row::to_json));
    }
    for name in found.keys().chain(wanted.keys()) {
        let mut found = found.get(name).cloned().unwrap_or_default();
        let (streams, mut wanted) = wanted.get(name).cloned().unwrap_or_default();
        if streams > 1 {
            // Several streams write records of this type; their order among each other is not the oracle's to say.
            let text = |row: &Map<String, Value>| serde_json::to_string(row).unwrap_or_default();
            found.sort_by_key(text);
            wanted.sort_by_key(text);
        }
        for at in 0..found.len().max(wanted.len()) {
            match (found.get(at), wanted.get(at)) {
                (Some(f), Some(w)) if same_row(f, w) => {}
                (f, w) => {
                    let text = |r: Option<&Map<String, Value>>| r.map_or("nothing".to_owned(), |r| serde_json::to_string(r).unwrap_or_default());
                    return Err(format!("`{name}`, row {} of {} (oracle: {}):\n  found  {}\n  oracle {}", at + 1, found.len(), wanted.len(), text(f), text(w)));
                }
            }
        }
    }
    Ok(())
}

fn same_row(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((n, v), (m, w))| n == m && same_value(v, w))
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() && y.is_f64() => {
            let (x, y) = (x.as_f64().unwrap_or_default(), y.as_f64().unwrap_or_default());
            x == y || (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1e-3)
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same_value(a, b)),
        _ => a == b,
    }
}
