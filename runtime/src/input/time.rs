//! The times that events may have: so far from the limits of 64 bits that the ends of all windows and spans are times, too.

use varpulis_abi::reason::Reason;

use crate::scalar::parse_timestamp;

/// The first moment of 1700, ns since the epoch.
const FIRST: i64 = -8_520_336_000_000_000_000;
/// The first moment of 2200.
const END: i64 = 7_258_118_400_000_000_000;

/// An event's time, if events may have it.
#[inline(always)]
pub(crate) fn event_time(ns: i64) -> Result<i64, Reason> {
    if (FIRST..END).contains(&ns) { Ok(ns) } else { Err(Reason::OutOfRange) }
}

/// The time that a text in RFC 3339 says.
pub(crate) fn event_time_of_text(text: &str) -> Result<i64, Reason> {
    let Some(timestamp) = parse_timestamp(text) else {
        // The last day that a date has is no time in all of the world.
        return Err(if jiff::fmt::temporal::Pieces::parse(text.trim()).is_ok_and(|p| p.offset().is_some()) { Reason::OutOfRange } else { Reason::WrongType });
    };
    i64::try_from(timestamp.as_nanosecond()).map_err(|_| Reason::OutOfRange).and_then(event_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_1700_to_2199() {
        assert_eq!(event_time_of_text("1700-01-01T00:00:00Z"), Ok(FIRST));
        assert_eq!(event_time_of_text("1699-12-31T23:59:59.999999999Z"), Err(Reason::OutOfRange));
        assert_eq!(event_time_of_text("2199-12-31T23:59:59.999999999Z"), Ok(END - 1));
        for beyond in ["2200-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "-009998-12-31T00:00:00Z"] {
            assert_eq!(event_time_of_text(beyond), Err(Reason::OutOfRange), "{beyond}");
        }
        assert_eq!(event_time_of_text("soon"), Err(Reason::WrongType));
    }
}
