//! No input makes the csv decoder panic, and it reads the same input the same way twice.
#![no_main]

mod schema;

use libfuzzer_sys::fuzz_target;
use varpulis_runtime::input::Format;

fuzz_target!(|data: &[u8]| {
    assert_eq!(schema::read(Format::Csv, data), schema::read(Format::Csv, data));
});
