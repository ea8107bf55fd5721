//! No input makes the evt decoder panic, and it reads the same input the same way twice.
#![no_main]

mod schema;

use libfuzzer_sys::fuzz_target;
use varpulis_runtime::input::Format;

fuzz_target!(|data: &[u8]| {
    assert_eq!(schema::read(Format::Evt, data), schema::read(Format::Evt, data));
});
