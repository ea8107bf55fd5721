varpulis::varpulis! { mod program; "stream Large = Trade.where(symbol ==).emit(symbol)" }

fn main() {}
