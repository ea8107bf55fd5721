#![deny(warnings)]

varpulis::varpulis! {
    mod program;

    event Unused:
        symbol: str
    stream Large = Trade.where(price > 50.0).emit(price)
}

fn main() {}
