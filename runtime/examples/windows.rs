//! What the seam between operator and kernel costs: tumbling windows of one minute over 1,000 text keys with six aggregates,
//! against the same query written by hand. Run with `--release`.
#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "a measurement; ids come from the map")]

use std::time::Instant;

use hashbrown::HashMap;
use varpulis_runtime::kernels::{KeyHasher, KeyKernel, WindowKernel};
use varpulis_runtime::operator::{Operator, Refusal};
use varpulis_runtime::operators::{Moments, TumblingWindow, WindowFiring};
use varpulis_runtime::state::{Text, Typed};

const MINUTE: i64 = 60_000_000_000;

#[derive(Clone, Copy)]
struct Trade<'a> {
    ts: i64,
    symbol: &'a str,
    price: f64,
    volume: i64,
}

#[derive(Clone, Default)]
struct Stats {
    count: i64,
    volume: i64,
    price: Moments,
    low: f64,
    high: f64,
}

impl Stats {
    #[inline(always)]
    fn add(&mut self, row: Trade<'_>) {
        self.count += 1;
        self.volume += row.volume;
        self.price.add(row.price);
        if self.count == 1 {
            (self.low, self.high) = (row.price, row.price);
        } else {
            (self.low, self.high) = (self.low.min(row.price), self.high.max(row.price));
        }
    }

    fn check(&self) -> f64 {
        self.count as f64 + self.volume as f64 + self.price.mean().unwrap_or(0.0) + self.price.stddev_sample().unwrap_or(0.0) + self.high - self.low
    }
}

struct Kernel;
impl KeyKernel for Kernel {
    type Row<'a> = Trade<'a>;
    type Keys = Typed<Text>;
    #[inline(always)]
    fn hash(&self, row: Trade<'_>, hasher: &KeyHasher) -> u64 {
        hasher.hash(row.symbol)
    }
    #[inline(always)]
    fn same_key(&self, row: Trade<'_>, key: &Text) -> bool {
        row.symbol == key.as_str()
    }
    fn store_key(&self, row: Trade<'_>, key: &mut Text) {
        *key = Text::from(row.symbol);
    }
}
impl WindowKernel for Kernel {
    type Accs = Typed<Stats>;
    #[inline(always)]
    fn fold(&self, acc: &mut Stats, row: Trade<'_>) -> Result<(), Refusal> {
        acc.add(row);
        Ok(())
    }
}

#[derive(Default)]
struct ByHand {
    ids: HashMap<Box<str>, u32, foldhash::fast::RandomState>,
    names: Vec<Box<str>>,
    stats: Vec<Stats>,
    touched: Vec<u32>,
    open: i64,
}

impl ByHand {
    #[inline(always)]
    fn push(&mut self, trade: Trade<'_>, fire: &mut impl FnMut(&str, &Stats)) {
        let start = trade.ts - trade.ts.rem_euclid(MINUTE);
        if start != self.open {
            for &id in &self.touched {
                fire(&self.names[id as usize], &self.stats[id as usize]);
                self.stats[id as usize] = Stats::default();
            }
            self.touched.clear();
            self.open = start;
        }
        let id = match self.ids.get(trade.symbol) {
            Some(&id) => id,
            None => {
                let id = self.names.len() as u32;
                self.ids.insert(trade.symbol.into(), id);
                self.names.push(trade.symbol.into());
                self.stats.push(Stats::default());
                id
            }
        };
        let stats = &mut self.stats[id as usize];
        if stats.count == 0 {
            self.touched.push(id);
        }
        stats.add(trade);
    }
}

#[inline(never)]
fn run_by_hand(trades: &[Trade<'_>]) -> f64 {
    let mut check = 0.0;
    let mut query = ByHand::default();
    for trade in trades {
        query.push(*trade, &mut |name, stats| check += name.len() as f64 + stats.check());
    }
    check
}

#[inline(never)]
fn run_operator(trades: &[Trade<'_>]) -> f64 {
    let mut check = 0.0;
    let mut window = TumblingWindow::new(Kernel, MINUTE, 0);
    let mut fire = |f: WindowFiring<'_, Kernel>| check += f.key.len() as f64 + f.accs.check();
    for trade in trades {
        if window.deadline() <= trade.ts {
            window.advance(trade.ts, &mut fire);
        }
        let _ = window.push(trade.ts, *trade, &mut fire);
    }
    check
}

fn main() {
    let symbols: Vec<String> = (0..1000).map(|i| format!("S{i}")).collect();
    let mut state = 42u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let trade =
        |i| Trade { ts: i * 2_000_000, symbol: &symbols[(next() % 1000) as usize], price: (next() % 100_000) as f64 / 100.0, volume: (next() % 1000) as i64 };
    let trades: Vec<Trade<'_>> = (0..4_000_000i64).map(trade).collect();
    for _ in 0..7 {
        let started = Instant::now();
        let expected = run_by_hand(&trades);
        let hand = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let check = run_operator(&trades);
        let operator = started.elapsed().as_secs_f64();
        let per_event = 1e9 / trades.len() as f64;
        println!("by hand {:5.1} ns/event, operator {:5.1}, same results: {}", hand * per_event, operator * per_event, check == expected);
    }
}
