//! What the pattern matcher costs beside the same queries written by hand: `Login -> Transfer[amount > 1000] -> Logout` within ten minutes and
//! `FailedLogin+ -> Success` within five, over 10,000 users with text keys. Run with `--release`.
#![allow(clippy::print_stdout, reason = "a measurement")]

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Instant;

use hashbrown::HashMap;
use varpulis_runtime::kernels::{KeyHasher, KeyKernel, PatternKernel};
use varpulis_runtime::operator::{Operator, Refusal};
use varpulis_runtime::pattern::{MatchFiring, PatternMatcher, PatternSpec, StepSpec};
use varpulis_runtime::state::{NoState, Text, Typed};

const SECOND: i64 = 1_000_000_000;
const STEP: StepSpec = StepSpec { kleene: false, fallible: false, correlated: false, within: i64::MAX, shared: false };
const EXIT: PatternSpec = PatternSpec { steps: Cow::Borrowed(&[STEP, STEP, STEP]), negations: Cow::Borrowed(&[]), within: 600 * SECOND };
const BRUTE: PatternSpec =
    PatternSpec { steps: Cow::Borrowed(&[StepSpec { kleene: true, shared: true, ..STEP }, STEP]), negations: Cow::Borrowed(&[]), within: 300 * SECOND };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Login,
    Transfer,
    Logout,
    FailedLogin,
    Success,
}

#[derive(Clone, Copy)]
struct Event<'a> {
    kind: Kind,
    ts: i64,
    user: &'a str,
    amount: f64,
}

/// The users' events, as in a busy day: one every ten milliseconds on average.
fn events(users: &[String], count: usize, kind: impl Fn(u64) -> Kind) -> Vec<Event<'_>> {
    let (mut state, mut ts) = (42u64, 1_700_000_000 * SECOND);
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut list = Vec::with_capacity(count);
    for _ in 0..count {
        ts += below(20) as i64 * (SECOND / 1000);
        let user = users.get(below(users.len() as u64) as usize).map_or("", String::as_str);
        list.push(Event { kind: kind(below(100)), ts, user, amount: below(200_000) as f64 / 100.0 });
    }
    list
}

macro_rules! keyed_by_user {
    ($kernel:ident) => {
        impl KeyKernel for $kernel {
            type Row<'a> = Event<'a>;
            type Keys = Typed<Text>;
            #[inline(always)]
            fn hash(&self, row: Event<'_>, hasher: &KeyHasher) -> u64 {
                hasher.hash(row.user)
            }
            #[inline(always)]
            fn same_key(&self, row: Event<'_>, key: &Text) -> bool {
                row.user == key.as_str()
            }
            fn store_key(&self, row: Event<'_>, key: &mut Text) {
                *key = Text::from(row.user);
            }
        }
    };
}

struct ExitKernel;
keyed_by_user!(ExitKernel);
impl PatternKernel for ExitKernel {
    type Runs = Typed<f64>;
    type Elements = NoState;
    #[inline(always)]
    fn classify(&self, row: Event<'_>) -> Result<u64, Refusal> {
        Ok(match row.kind {
            Kind::Login => 1,
            Kind::Transfer => u64::from(row.amount > 1000.0) << 1,
            Kind::Logout => 4,
            _ => 0,
        })
    }
    #[inline(always)]
    fn capture(&self, step: usize, row: Event<'_>, run: &mut f64) -> Result<(), Refusal> {
        if step == 1 {
            *run = row.amount;
        }
        Ok(())
    }
}

struct BruteKernel;
keyed_by_user!(BruteKernel);
impl PatternKernel for BruteKernel {
    type Runs = Typed<u64>;
    type Elements = Typed<u64>;
    #[inline(always)]
    fn classify(&self, row: Event<'_>) -> Result<u64, Refusal> {
        Ok(match row.kind {
            Kind::FailedLogin => 1,
            Kind::Success => 2,
            _ => 0,
        })
    }
    #[inline(always)]
    fn lift(&self, _: usize, _: Event<'_>, element: &mut u64) -> Result<(), Refusal> {
        *element = 1;
        Ok(())
    }
    #[inline(always)]
    fn prepend(&self, _: usize, suffix: &mut u64, older: &u64) {
        *suffix += older;
    }
    #[inline(always)]
    fn absorb(&self, _: usize, run: &mut u64, suffix: &u64) {
        *run = *suffix;
    }
}

type Users<T> = HashMap<Box<str>, T, foldhash::fast::RandomState>;

/// Rows and a checksum over them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    rows: u64,
    sum: f64,
}

impl Tally {
    #[inline(always)]
    fn add(&mut self, ts: i64, first_ts: i64, user: &str, value: f64) {
        self.rows += 1;
        self.sum += value + ((ts - first_ts) / 1_000_000) as f64 + user.len() as f64;
    }
}

#[derive(Default)]
struct ExitRuns {
    one: Vec<i64>,
    two: VecDeque<(i64, f64)>,
}

fn exit_by_hand(events: &[Event<'_>]) -> Tally {
    let (mut users, mut tally) = (Users::<ExitRuns>::default(), Tally::default());
    for e in events {
        match e.kind {
            Kind::Login => match users.get_mut(e.user) {
                Some(u) => u.one.push(e.ts),
                None => drop(users.insert(e.user.into(), ExitRuns { one: vec![e.ts], two: VecDeque::new() })),
            },
            Kind::Transfer if e.amount > 1000.0 => {
                if let Some(u) = users.get_mut(e.user) {
                    u.two.extend(u.one.drain(..).filter(|first| e.ts - first <= EXIT.within).map(|first| (first, e.amount)));
                }
            }
            Kind::Logout => {
                if let Some(u) = users.get_mut(e.user) {
                    for (first, amount) in u.two.drain(..).filter(|(first, _)| e.ts - first <= EXIT.within) {
                        tally.add(e.ts, first, e.user, amount);
                    }
                }
            }
            _ => {}
        }
    }
    tally
}

fn brute_by_hand(events: &[Event<'_>]) -> Tally {
    let (mut users, mut tally) = (Users::<VecDeque<i64>>::default(), Tally::default());
    for e in events {
        let runs = match users.get_mut(e.user) {
            Some(runs) => runs,
            None => users.entry(e.user.into()).or_default(),
        };
        while runs.front().is_some_and(|first| e.ts - first > BRUTE.within) {
            runs.pop_front();
        }
        if e.kind == Kind::FailedLogin {
            runs.push_back(e.ts);
        } else {
            let count = runs.len();
            for (at, first) in runs.drain(..).enumerate() {
                tally.add(e.ts, first, e.user, (count - at) as f64);
            }
        }
    }
    tally
}

fn by_matcher<'e, K>(kernel: K, spec: PatternSpec, events: &[Event<'e>], value: impl Fn(&MatchFiring<'_, K>) -> f64) -> Tally
where
    K: for<'a> PatternKernel<Row<'a> = Event<'a>, Keys = Typed<Text>> + 'static,
{
    let (mut matcher, mut tally) = (PatternMatcher::new(kernel, spec), Tally::default());
    for e in events {
        let _ = matcher.push(e.ts, *e, &mut |m| tally.add(m.ts, m.first_ts, m.key, value(&m)));
    }
    matcher.advance(i64::MAX, &mut |m| tally.add(m.ts, m.first_ts, m.key, value(&m)));
    tally
}

/// Runs the two by turns and prints the best and the median of each, in ns per event.
fn compare(name: &str, events: &[Event<'_>], hand: impl Fn(&[Event<'_>]) -> Tally, matcher: impl Fn(&[Event<'_>]) -> Tally) {
    let timed = |run: &dyn Fn(&[Event<'_>]) -> Tally| {
        let start = Instant::now();
        let tally = run(events);
        (start.elapsed().as_nanos() as f64 / events.len() as f64, tally)
    };
    let (mut by_hand, mut by_matcher, mut rows) = (vec![], vec![], 0);
    for _ in 0..15 {
        let ((a, x), (b, y)) = (timed(&hand), timed(&matcher));
        assert_eq!(x, y, "both find the same matches");
        rows = x.rows;
        by_hand.push(a);
        by_matcher.push(b);
    }
    let sorted = |mut list: Vec<f64>| {
        list.sort_by(f64::total_cmp);
        let at = |i: usize| list.get(i).copied().unwrap_or(f64::NAN);
        (at(0), at(list.len() / 2))
    };
    let ((hand, hand_median), (matcher, matcher_median)) = (sorted(by_hand), sorted(by_matcher));
    println!(
        "{name}: by hand {hand:.1} (median {hand_median:.1}) ns/event, matcher {matcher:.1} ({matcher_median:.1}), ratio {:.2} ({:.2}), {rows} rows",
        matcher / hand,
        matcher_median / hand_median
    );
}

fn main() {
    let users: Vec<String> = (0..10_000).map(|u| format!("U{u}")).collect();
    let logins = events(&users, 2_000_000, |k| {
        if k < 30 {
            Kind::Login
        } else if k < 75 {
            Kind::Transfer
        } else {
            Kind::Logout
        }
    });
    compare("Login -> Transfer -> Logout", &logins, exit_by_hand, |events| by_matcher(ExitKernel, EXIT, events, |m| *m.run));
    let failures = events(&users, 2_000_000, |k| if k < 80 { Kind::FailedLogin } else { Kind::Success });
    compare("FailedLogin+ -> Success", &failures, brute_by_hand, |events| by_matcher(BruteKernel, BRUTE, events, |m| *m.run as f64));
}
