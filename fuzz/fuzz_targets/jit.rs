//! See `varpulis_tests::fuzzed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    varpulis_tests::fuzzed::run(data);
});
