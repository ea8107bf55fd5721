#![deny(warnings, missing_docs, unused, unreachable_pub, missing_debug_implementations, rust_2018_idioms)]
//! A program in a crate that takes no warnings.

::varpulis::varpulis! {
    pub mod program;

    event Trade:
        symbol: str
        price: float
        volume: int
        venue: str?
    param limit: float = 50.0
    stream Large = Trade
        .where(price * volume / 2 > limit and venue is not null)
        .emit(symbol, price, half: volume / 2)
    stream Minute = Trade
        .partition_by(symbol)
        .window(1m)
        .aggregate(n: count(), vwap: sum(price * volume) / sum(volume))
        .where(n > 1)
}

fn main() {}
