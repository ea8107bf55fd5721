varpulis::varpulis! { mod program; event Trade:
    symbol: str
stream Large = Trade
}

fn main() {}
