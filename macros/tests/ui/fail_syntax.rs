varpulis::varpulis! {
    mod program;

    event Trade:
        symbol: str
    stream Large = Trade.where(symbol ==).emit(symbol)
}

fn main() {}
