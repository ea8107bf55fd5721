varpulis::varpulis! { mod program; r#"
    event Trade:
        symbol: str
        price: float
    stream Large = Trade
        .where(prise > 50.0)
        .emit(symbol, price)
"# }

fn main() {}
