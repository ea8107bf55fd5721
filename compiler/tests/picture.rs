//! Snapshots of the plan's pictures. An SVG that changed has to be looked at, not only read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use varpulis_compiler::compile;
use varpulis_compiler::plan::picture::{mermaid, svg};

const OVERDUE: &str = include_str!("../../tests/cases/flights/overdue/program.vpl");

/// Branches, arrows that skip layers, and text that has a meaning in XML and in mermaid.
const BRANCHES: &str = r#"event Trade:
    symbol: str
    price: float
    volume: int
event Quote:
    symbol: str
    bid: float
stream Odd = Trade.where(symbol == "a\"<b> & 'c'  #1; `" and price < 5.0).emit(symbol, price)
stream Minute = Trade.partition_by(symbol).window(1m).aggregate(n: count(), v: sum(volume), m: avg(price), hi: max(price), lo: min(price))
stream Busy = Minute.where(n > 100).emit(symbol, n)
stream Pairs = Trade as a -> Quote where bid > a.price and symbol == a.symbol as b .within(5s).emit(symbol: a.symbol, p: a.price, b: b.bid)
stream Both = merge(Odd, Busy.select(symbol, price: 1.0))
stream Quotes = Quote.where(symbol in ["日本電信電話株式会社", "三菱商事株式会社"]).distinct(symbol, within: 5s).emit(symbol, bid)
"#;

#[test]
fn pictures() {
    for (name, text) in [("overdue", OVERDUE), ("branches", BRANCHES)] {
        let plan = compile(text).program.unwrap().logical;
        insta::assert_snapshot!(format!("{name}_mermaid"), mermaid(&plan));
        insta::assert_snapshot!(format!("{name}_svg"), svg(&plan));
    }
}
