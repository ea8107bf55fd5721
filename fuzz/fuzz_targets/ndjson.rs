//! The layout path and the general path agree on every line, rejected ones too, and no framing panics.
#![no_main]

mod schema;

use libfuzzer_sys::fuzz_target;
use varpulis_runtime::input::{DecodeOptions, Decoded, Format, Ndjson};

fuzz_target!(|data: &[u8]| {
    let options = DecodeOptions::default();
    let events = if data.first().is_some_and(|byte| byte % 2 == 0) { schema::EVENTS } else { &schema::EVENTS[..1] };
    let mut fast = Ndjson::new(events, &options);
    for line in data.split(|byte| *byte == b'\n') {
        let mut general = Ndjson::new(events, &options);
        let (mut expected_values, mut values) = (Vec::new(), Vec::new());
        let expected = general.decode_generally(line, &mut expected_values);
        let found = fast.decode(line, &mut values);
        assert_eq!(found, expected);
        if matches!(found, Decoded::Event { .. }) {
            assert_eq!(values, expected_values);
        }
        if matches!(found, Decoded::Invalid(_)) {
            let rejected = |decoder: &mut Ndjson| decoder.rejected(line, &|_, _, read| read.contains(&true)).map(|found| format!("{found:?}"));
            assert_eq!(rejected(&mut fast), rejected(&mut general));
        }
    }
    schema::read(Format::Ndjson, data);
    schema::read(Format::Json, data);
});
