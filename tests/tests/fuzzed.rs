//! What `fuzz/fuzz_targets/jit.rs` does, over bytes from a seed and without a sanitizer: the target stays in working order, and changed programs
//! over damaged input run to their end in every test run. `VARPULIS_SEED=7 VARPULIS_PROGRAMS=5000` runs others.

#![allow(clippy::print_stdout, reason = "tests")]

use varpulis_tests::fuzzed;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn changed_programs_over_damaged_input_run_to_the_end() {
    let (seed, programs) = (setting("VARPULIS_SEED", 42), setting("VARPULIS_PROGRAMS", 300));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ran = 0;
    for _ in 0..programs {
        let bytes: Vec<u8> = (0..random.usize(20..400)).map(|_| random.u8(..)).collect();
        ran += u64::from(fuzzed::run(&bytes));
    }
    println!("seed {seed}: {ran} of {programs} programs ran");
    assert!(ran * 5 > programs, "most programs were refused: {ran} of {programs} ran");
}
