//! How long the decoder takes per line: `cargo run --release --example decode`.
#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "a measurement of made-up data")]

use std::hint::black_box;
use std::io::{self, Read};
use std::time::Instant;

use varpulis_abi::scalar::{Physical, Scalar};
use varpulis_runtime::input::{DecodeOptions, Decoded, Framing, Item, Ndjson, Source, ValueBuffer};
use varpulis_runtime::program::{EventSchema, FieldSchema};

const LINES: u64 = 1_000_000;

const fn field(name: &'static str, scalar: Scalar) -> FieldSchema {
    FieldSchema::new(name, Physical { scalar, nullable: false }, &[])
}

const TRADES: &[EventSchema] =
    &[EventSchema::new("Trade", const { &[field("symbol", Scalar::Text), field("price", Scalar::Float), field("volume", Scalar::Int)] }, 0)];

/// Lines of 215 bytes, made anew for each reading; `spaced` as Python's writer spaces them.
struct Lines {
    made: u64,
    rest: Vec<u8>,
    name: &'static str,
    spaced: bool,
}

impl Lines {
    fn line(&self, i: u64) -> String {
        let symbol = ["AAPL", "MSFT", "GOOG", "AMZN", "NVDA"][(i % 5) as usize];
        let price = 100.0 + ((i * 7919) % 10_000) as f64 / 100.0;
        let line = format!(
            r#"{{"type":"{}","ts":{},"symbol":"{symbol}","price":{price},"volume":{},"venue":"XNAS","side":"Buy","order_id":"7f3a-{:08}","account":{},"currency":"USD","flags":[1,2],"note":"routine order, no comment"}}"#,
            self.name,
            1_700_000_000_000 + i,
            100 + i % 900,
            i,
            100_000 + i % 5_000,
        );
        let line = format!("{line:<214}\n");
        if self.spaced { line.replace("\":", "\": ").replace(",\"", ", \"") } else { line }
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.len() < buffer.len() && self.made < LINES {
            self.rest.extend_from_slice(self.line(self.made).as_bytes());
            self.made += 1;
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

fn measure(title: &str, name: &'static str, spaced: bool, decode: impl Fn(&mut Ndjson, &[u8], &mut ValueBuffer) -> Decoded) {
    let mut bytes = Vec::new();
    let _ = Lines { made: 0, rest: Vec::new(), name, spaced }.read_to_end(&mut bytes);
    let length = bytes.len() as f64 / LINES as f64;
    let mut best = f64::INFINITY;
    let mut events = 0;
    for _ in 0..5 {
        let mut source = Source::new(Box::new(io::Cursor::new(bytes.clone())), Framing::Lines);
        let mut decoder = Ndjson::new(TRADES, &DecodeOptions::default());
        let mut buffer = ValueBuffer::default();
        events = 0;
        let start = Instant::now();
        loop {
            while let Some(item) = source.buffered() {
                if let Item::Record(_, record) = item {
                    events += u64::from(matches!(decode(&mut decoder, record, &mut buffer), Decoded::Event { .. }));
                }
            }
            if !source.refill().unwrap_or(false) {
                break;
            }
        }
        best = best.min(start.elapsed().as_nanos() as f64 / LINES as f64);
    }
    println!("{title:<42} {best:6.1} ns/line  {:6.2} GB/s  {events} events of {length:.0} bytes", length / best);
}

fn decode(decoder: &mut Ndjson, record: &[u8], buffer: &mut ValueBuffer) -> Decoded {
    let mut values = buffer.take();
    let decoded = decoder.decode(record, &mut values);
    black_box(&values);
    buffer.give_back(values);
    decoded
}

fn main() {
    measure("lines only", "Trade", false, |_, record, _| {
        black_box(record);
        Decoded::Skipped
    });
    measure("layout", "Trade", false, decode);
    measure("layout, spaced", "Trade", true, decode);
    measure("a type that is not read", "Other", false, decode);
    measure("general", "Trade", false, |decoder, record, buffer| {
        let mut values = buffer.take();
        let decoded = decoder.decode_generally(record, &mut values);
        buffer.give_back(values);
        decoded
    });
}
