//! Compiles the workloads ahead of time. The one of a thousand rules is written here.

use std::fmt::Write;
use std::path::PathBuf;

fn main() {
    for name in ["w1", "w2", "w4", "w5", "w6", "w8", "slide", "percentile", "session"] {
        varpulis::build(format!("../reference/programs/{name}.vpl"));
    }
    for name in ["cascade", "hourly", "overdue"] {
        varpulis::build(format!("../../examples/flights/{name}.vpl"));
    }
    let path = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("w7.vpl");
    if let Err(error) = std::fs::write(&path, rules(1_000)) {
        println!("cargo::error={}: {error}", path.display());
    }
    varpulis::build(path);
}

/// Rules on one stream that differ in constants, with a fixed sequence of numbers.
fn rules(count: u64) -> String {
    let mut text = "event Trade:\n    symbol: str\n    price: float\n    volume: int\n".to_owned();
    let mut state = 77u64;
    let mut below = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    for rule in 0..count {
        let (symbol, price, volume) = (below(1_000), below(1_000), 900 + below(90));
        let _ = writeln!(
            text,
            "stream Rule{rule} = Trade.where(symbol == \"S{symbol}\" and price > {price}.0 and volume > {volume}).emit(symbol: symbol, price: price)"
        );
    }
    text
}
