#![no_implicit_prelude]

::varpulis::varpulis! {
    pub mod program;

    event Trade:
        symbol: str
        price: float
        venue: str?
    param limit: float = 50.0
    stream Large = Trade
        .where(price > limit and venue is not null)
        .emit(symbol, price)
    stream Minute = Trade
        .partition_by(symbol)
        .window(1m)
        .aggregate(n: count(), total: sum(price))
}

fn main() {}
