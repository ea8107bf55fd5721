//! Other ways to hand a case's input over, none of which may change what comes out.

use std::io::Write;

use fastrand::Rng;
use varpulis_compiler::compile;

use crate::Case;

/// A way to hand an input over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Through standard input, in chunks of random sizes.
    Stdin,
    /// Compressed, in one to three members.
    Gzip,
    /// Shuffled as far as `.watermark(out_of_order:)` allows: no event becomes late.
    Shuffled,
    /// With blank lines, white space around lines, and line ends of either kind.
    Spaced,
}

impl Mode {
    /// As trials are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdin => "stdin",
            Self::Gzip => "gzip",
            Self::Shuffled => "shuffled",
            Self::Spaced => "spaced",
        }
    }

    /// The modes that say something about a case, whose input this is.
    pub fn of(case: &Case, input: &[u8], format: &str) -> Vec<Self> {
        let mut modes = vec![Self::Stdin, Self::Gzip];
        if format == "ndjson" && !input.is_empty() {
            modes.push(Self::Spaced);
        }
        if format == "ndjson" && lag(case, input).is_some() {
            modes.push(Self::Shuffled);
        }
        modes
    }

    /// The one mode that a default run has for a case. Few can be shuffled, so these are.
    pub fn choose(modes: &[Self], rng: &mut Rng) -> Option<Self> {
        if modes.contains(&Self::Shuffled) { Some(Self::Shuffled) } else { rng.choice(modes).copied() }
    }

    /// The input as the program gets it.
    pub fn apply(self, case: &Case, input: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
        match self {
            Self::Stdin => input,
            Self::Gzip => gzip(&input, rng),
            Self::Shuffled => shuffled(case, &input, rng),
            Self::Spaced => spaced(&input, rng),
        }
    }
}

/// A generator of its own for a case.
pub fn rng(seed: u64, case: &str) -> Rng {
    // FNV-1a: the same on every machine, and in every version of the standard library.
    let name = case.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Rng::with_seed(seed ^ name)
}

fn gzip(input: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = input;
    for member in 0..rng.u8(1..=3) {
        let (part, behind) = rest.split_at(if member == 2 { rest.len() } else { rng.usize(..=rest.len()) });
        bytes = member_of(bytes, part, rng.u32(..10));
        rest = behind;
    }
    if rest.is_empty() { bytes } else { member_of(bytes, rest, 6) }
}

fn member_of(bytes: Vec<u8>, part: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(bytes, flate2::Compression::new(level));
    let written = encoder.write_all(part);
    debug_assert!(written.is_ok(), "a vector takes everything");
    encoder.finish().unwrap_or_default()
}

fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn spaced(input: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![];
    for line in lines(input) {
        while rng.u8(..3) == 0 {
            bytes.extend_from_slice(rng.choice(["\n", "\r\n", "  \n", "\t \r\n"]).unwrap_or_default().as_bytes());
        }
        bytes.extend_from_slice(rng.choice(["", "", " ", "\t", "   "]).unwrap_or_default().as_bytes());
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(rng.choice(["\n", "\r\n", " \n", "\t\r\n"]).unwrap_or_default().as_bytes());
    }
    bytes
}

/// How many milliseconds events may be late, if the order of arrival cannot show within these.
fn lag(case: &Case, input: &[u8]) -> Option<i64> {
    let lag = compile(&case.program).program?.analyzed.events.iter().map(|e| e.out_of_order).max()? / 1_000_000;
    let mut times = lines(input).map(time).collect::<Option<Vec<i64>>>()?;
    times.sort_unstable();
    let count = times.len();
    times.dedup();
    (lag > 0 && count > 1 && times.len() == count && ["late", "dead"].iter().all(|s| case.section(s).is_empty())).then_some(lag)
}

fn time(line: &[u8]) -> Option<i64> {
    serde_json::from_slice::<serde_json::Value>(line).ok()?.get("ts")?.as_i64()
}

/// Where an event comes after one that is `lag` newer or less, it is in time. In the order of `ts` + (0 to `lag`) no other comes before it.
fn shuffled(case: &Case, input: &[u8], rng: &mut Rng) -> Vec<u8> {
    let lag = lag(case, input).unwrap_or(0);
    let mut order: Vec<(i64, &[u8])> = lines(input).map(|line| (time(line).unwrap_or(0) + rng.i64(0..=lag), line)).collect();
    order.sort_by_key(|(key, _)| *key);
    order.into_iter().flat_map(|(_, line)| [line, b"\n"].concat()).collect()
}
