//! A small program, as the compiler would write it.

use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::{Physical, Scalar};
use varpulis_runtime::clock::{Arrival, Clock};
use varpulis_runtime::input::Rejected;
use varpulis_runtime::operator::Refusal;
use varpulis_runtime::output::{Output, RecordWriter, WriteRecord};
use varpulis_runtime::program::{EventSchema, FieldSchema, Instance, ParamSchema, Params, Program, Schema, Site, StreamSchema};
use varpulis_runtime::value::Value;

const fn field(name: &'static str, scalar: Scalar, nullable: bool) -> FieldSchema {
    FieldSchema::new(name, Physical { scalar, nullable }, &[])
}

const fn param(name: &'static str, default: &'static str) -> ParamSchema {
    ParamSchema::new(name, Physical { scalar: Scalar::Int, nullable: false }, Some(default))
}

/// `stream Squares = Trade.where(volume >= least).emit(symbol, square: volume * volume)`, `repeat` times, and its count at the end.
pub(crate) struct Squares {
    clock: Clock,
    least: i64,
    repeat: i64,
    kept: i64,
}

struct Trade<'a> {
    ts: i64,
    symbol: &'a str,
    volume: i64,
}

pub(crate) enum Row<'a> {
    Square(i64, &'a str, i64),
    Total(i64, i64),
}

impl WriteRecord for Trade<'_> {
    fn write(&self, writer: &mut RecordWriter<'_>) {
        writer.begin(r#"{"type":"Trade","ts":"#, self.ts);
        writer.text(r#","symbol":"#, self.symbol);
        writer.int(r#","volume":"#, self.volume);
        writer.end();
    }
}

impl WriteRecord for Row<'_> {
    fn write(&self, writer: &mut RecordWriter<'_>) {
        match *self {
            Row::Square(ts, symbol, square) => {
                writer.begin(r#"{"type":"Squares","ts":"#, ts);
                writer.text(r#","symbol":"#, symbol);
                writer.int(r#","square":"#, square);
            }
            Row::Total(ts, kept) => {
                writer.begin(r#"{"type":"Total","ts":"#, ts);
                writer.int(r#","kept":"#, kept);
            }
        }
        writer.end();
    }
}

impl Program for Squares {
    const NAME: &'static str = "squares";
    const EVENTS: &'static [EventSchema] =
        &[EventSchema::new("Trade", const { &[field("symbol", Scalar::Text, true), field("volume", Scalar::Int, false)] }, 0)];
    const STREAMS: &'static [StreamSchema] = &[StreamSchema::new("Squares", &[]), StreamSchema::new("Total", &[])];
    const SITES: &'static [Site] = &[Site::new("Squares", "squares.vpl", 3, 7, "volume * volume")];
    const PARAMS: &'static [ParamSchema] = &[param("least", "0"), param("repeat", "1")];

    fn with_params(params: &Params) -> Result<Self, String> {
        if let Some(name) = params.names().find(|name| !["least", "repeat"].contains(name)) {
            return Err(format!("no parameter `{name}`"));
        }
        let int = |name: &str, default: &str| params.get(name).unwrap_or(default).parse().map_err(|_| format!("`{name}` is an int"));
        Ok(Self { clock: Clock::new(0), least: int("least", "0")?, repeat: int("repeat", "1")?, kept: 0 })
    }
}

impl Instance for Squares {
    type Row<'a> = Row<'a>;

    fn schema(&self) -> Schema<'_> {
        Self::SCHEMA
    }

    fn event<O: Output<Self>>(&mut self, _: usize, ts: i64, values: &[Value<'_>], out: &mut O) {
        let trade = Trade { ts, symbol: values[0].text(), volume: values[1].int() };
        if self.clock.observe(ts) == Arrival::Late {
            return out.late(&trade);
        }
        if trade.volume < self.least {
            return;
        }
        match trade.volume.checked_mul(trade.volume) {
            Some(square) => (0..self.repeat).for_each(|_| out.row(Row::Square(ts, trade.symbol, square))),
            None => out.error(Refusal::new(0, Reason::Overflow), &trade),
        }
        self.kept += 1;
    }

    fn rejects(&self, _: usize, values: &[Value<'_>], read: &[bool]) -> bool {
        read[1] && values[1].int() < self.least
    }

    fn rejected<O: Output<Self>>(&mut self, record: &Rejected<'_>, out: &mut O) {
        if self.clock.observe(record.ts) == Arrival::Late {
            out.late(record);
        }
    }

    fn advance<O: Output<Self>>(&mut self, _: i64, out: &mut O) {
        out.row(Row::Total(self.clock.watermark(), self.kept));
    }
}
