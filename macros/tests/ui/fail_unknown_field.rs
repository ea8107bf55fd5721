varpulis::varpulis! {
    mod program;

    event Trade:
        symbol: str
        price: float
    stream Large = Trade
        .where(prise > 50.0)
        .emit(symbol, price)
}

fn main() {}
