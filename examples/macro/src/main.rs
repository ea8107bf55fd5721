//! Two programs inside this one: one from a file, one that stands right here.
#![allow(clippy::print_stdout, reason = "the rows are what it is for")]

use varpulis::{Instance, varpulis};

varpulis! { mod large; file "large.vpl" }

varpulis! {
    mod minutes;

    event Trade:
        symbol: str
        price: float
        volume: int

    // Each symbol's minute: how many trades, and their mean price by volume.
    stream Minute = Trade
        .partition_by(symbol)
        .window(1m)
        .aggregate(trades: count(), vwap: sum(price * volume) / sum(volume))
}

/// Times are nanoseconds since the Unix epoch.
const SECOND: i64 = 1_000_000_000;

fn main() {
    let trades = [(0, "ACME", 101.5, 50), (20, "ACME", 102.0, 150), (70, "INIT", 20.25, 10)];

    // Rows go to a closure while events go in.
    let mut program = large::Program::new();
    let mut out = varpulis::rows(|row: large::Row<'_>| match row {
        large::Row::Large(large) => println!("large: {} for {:.2}, fee {:.2}", large.symbol, large.value, large.fee),
    });
    for (second, symbol, price, volume) in trades {
        program.push(large::Trade { ts: second * SECOND, symbol, price, volume }, &mut out);
    }
    program.finish(&mut out);

    let mut program = minutes::Program::new();
    let mut out = varpulis::rows(|row: minutes::Row<'_>| println!("{row:?}"));
    for (second, symbol, price, volume) in trades {
        program.push(minutes::Trade { ts: second * SECOND, symbol, price, volume }, &mut out);
    }
    // The last minute is over when nothing more can come.
    program.finish(&mut out);
}
