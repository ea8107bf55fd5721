#!/usr/bin/env bash
# Lines of generated Rust, and seconds and memory of a warm `varpulis build`, for programs of 1, 10 and 100 streams.
set -euo pipefail
varpulis="${1:-target/release/varpulis}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
program() {
    printf 'event Trade:\n    symbol: str\n    price: float\n    volume: int\nevent Quote:\n    symbol: str\n    bid: float\nstream Quotes = Quote.where(bid > %s.5).emit(symbol)\n' "$2"
    for ((i = 0; i < $1 - 1; i++)); do
        case $((i % 5)) in
        0) echo "stream A$i = Trade.where(price > $i.5 and volume > $2).emit(symbol, notional: price * volume + $i.0)" ;;
        1) echo "stream B$i = Trade.where(volume > $i).partition_by(symbol).window($((i + 1))s).aggregate(n: count(), v: sum(volume), m: avg(price), hi: max(price))" ;;
        2) echo "stream C$i = Trade as a -> Quote where bid > a.price * 1.0$i and symbol == a.symbol as b .within($((i + 1))s).emit(symbol: a.symbol, p: a.price, b: b.bid)" ;;
        3) echo "stream D$i = Trade.partition_by(symbol).window($((i + 5))m, sliding: 1m).aggregate(n: count(), s: stddev(price))" ;;
        4) echo "stream E$i = Quote.distinct(symbol, within: ${i}s).select(symbol, x: bid * $i.0).emit(symbol, x)" ;;
        esac
    done
}
# The first build compiles the runtime; what follows is warm. The process id makes each program a new one.
program 1 "$$" >"$folder/warm.vpl"
"$varpulis" build "$folder/warm.vpl" -o "$folder/warm" 2>/dev/null
for streams in 1 10 100; do
    program "$streams" "$((RANDOM + 100000))" >"$folder/p.vpl"
    lines=$("$varpulis" emit "$folder/p.vpl" 2>/dev/null | wc -l)
    start=$(date +%s.%N)
    "$varpulis" build "$folder/p.vpl" -o "$folder/p" 2>/dev/null
    echo "$streams streams: $lines lines, $(echo "$(date +%s.%N) - $start" | bc) s"
done
