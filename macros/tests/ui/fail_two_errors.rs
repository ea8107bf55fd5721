varpulis::varpulis! {
    mod program;

    event Trade:
        symbol: str
        price: float
    stream Large = Trade.where(symbol > 50.0).emit(symbol)
    stream Small = Trade.having_none().emit(symbol)
}

fn main() {}
