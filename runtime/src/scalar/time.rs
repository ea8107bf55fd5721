//! Points in time (ns since the epoch, UTC) and durations (ns).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use varpulis_abi::reason::Reason;

use crate::state::Text;

/// Nanoseconds in a millisecond.
const MILLISECOND: i64 = 1_000_000;

fn civil(ts: i64) -> DateTime {
    // Every i64 of nanoseconds lies within jiff's range of years.
    Offset::UTC.to_datetime(Timestamp::from_nanosecond(i128::from(ts)).unwrap_or_default())
}

/// As RFC 3339, in UTC, with as many decimals of a second as it needs.
pub fn text_of_timestamp(ts: i64) -> Text {
    use std::fmt::Write;
    let mut text = Text::default();
    let _ = write!(text, "{}", Timestamp::from_nanosecond(i128::from(ts)).unwrap_or_default());
    text
}

/// A text in RFC 3339, read.
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

/// Reads RFC 3339.
pub fn timestamp_of_text(text: &str) -> Result<i64, Reason> {
    let timestamp = parse_timestamp(text).ok_or(Reason::Conversion)?;
    i64::try_from(timestamp.as_nanosecond()).map_err(|_| Reason::Conversion)
}

/// From milliseconds since the epoch.
#[inline]
pub fn timestamp_of_millis(millis: i64) -> Result<i64, Reason> {
    millis.checked_mul(MILLISECOND).ok_or(Reason::Overflow)
}

/// In milliseconds since the epoch, rounded down.
#[inline]
pub fn millis_of_timestamp(ts: i64) -> i64 {
    ts.div_euclid(MILLISECOND)
}

/// In whole milliseconds, truncated.
#[inline]
pub fn millis_of_duration(duration: i64) -> i64 {
    duration / MILLISECOND
}

/// In seconds.
#[inline]
pub fn seconds_of_duration(duration: i64) -> f64 {
    duration as f64 / 1e9
}

/// A duration divided by a duration.
#[inline]
pub fn ratio_of_durations(a: i64, b: i64) -> f64 {
    a as f64 / b as f64
}

/// Hour of the day, UTC.
#[inline]
pub fn hour(ts: i64) -> i64 {
    ts.div_euclid(3_600_000_000_000).rem_euclid(24)
}

/// Minute of the hour, UTC.
#[inline]
pub fn minute(ts: i64) -> i64 {
    ts.div_euclid(60_000_000_000).rem_euclid(60)
}

/// Second of the minute, UTC.
#[inline]
pub fn second(ts: i64) -> i64 {
    ts.div_euclid(1_000_000_000).rem_euclid(60)
}

/// Day of the month, UTC.
pub fn day(ts: i64) -> i64 {
    i64::from(civil(ts).day())
}

/// Month, 1 to 12, UTC.
pub fn month(ts: i64) -> i64 {
    i64::from(civil(ts).month())
}

/// Year, UTC.
pub fn year(ts: i64) -> i64 {
    i64::from(civil(ts).year())
}

/// 1 Monday to 7 Sunday, UTC.
#[inline]
pub fn weekday(ts: i64) -> i64 {
    // The epoch was a Thursday.
    (ts.div_euclid(86_400_000_000_000) + 3).rem_euclid(7) + 1
}

/// The last whole multiple of the duration since the epoch that is not later.
pub fn truncate_time(ts: i64, to: i64) -> Result<i64, Reason> {
    if to <= 0 {
        return Err(Reason::OutOfRange);
    }
    ts.checked_sub(ts.rem_euclid(to)).ok_or(Reason::Overflow)
}

/// As text, as strftime has it; UTC.
pub fn format_time(ts: i64, format: &str) -> Result<Text, Reason> {
    let timestamp = Timestamp::from_nanosecond(i128::from(ts)).unwrap_or_default();
    strtime::format(format, timestamp).map(Text::from).map_err(|_| Reason::Conversion)
}

/// Reads such a text; what it leaves out is 0, and UTC.
pub fn parse_time(text: &str, format: &str) -> Result<i64, Reason> {
    let parsed = strtime::parse(format, text).map_err(|_| Reason::Conversion)?;
    let nanoseconds = match parsed.to_timestamp() {
        Ok(timestamp) => timestamp.as_nanosecond(),
        Err(_) => {
            let time = parsed.to_time().unwrap_or_default();
            let date = parsed.to_date().map_err(|_| Reason::Conversion)?;
            Offset::UTC.to_timestamp(date.to_datetime(time)).map_err(|_| Reason::Conversion)?.as_nanosecond()
        }
    };
    i64::try_from(nanoseconds).map_err(|_| Reason::Conversion)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn calendar_parts_of_any_timestamp() {
        let ts = timestamp_of_text("2026-01-23T10:11:12.5Z").unwrap();
        assert_eq!([year(ts), month(ts), day(ts), hour(ts), minute(ts), second(ts), weekday(ts)], [2026, 1, 23, 10, 11, 12, 5]);
        assert_eq!(text_of_timestamp(ts), "2026-01-23T10:11:12.5Z");
        for ts in [i64::MIN, -1, 0, i64::MAX] {
            let c = civil(ts);
            assert_eq!(hour(ts), i64::from(c.hour()));
            assert_eq!(minute(ts), i64::from(c.minute()));
            assert_eq!(second(ts), i64::from(c.second()));
            assert_eq!(weekday(ts), i64::from(c.weekday().to_monday_one_offset()));
            assert_eq!(timestamp_of_text(&text_of_timestamp(ts)), Ok(ts));
        }
    }

    #[test]
    fn formats() {
        let ts = timestamp_of_text("2026-01-23T10:11:12.5Z").unwrap();
        assert_eq!(format_time(ts, "%d.%m.%Y %H:%M:%S").as_deref(), Ok("23.01.2026 10:11:12"));
        assert_eq!(format_time(ts, "%").err(), Some(Reason::Conversion));
        assert_eq!(parse_time("23.01.2026 10:11:12.5", "%d.%m.%Y %H:%M:%S%.f"), Ok(ts));
        assert_eq!(parse_time("2026-01-23 10:11 +0200", "%Y-%m-%d %H:%M %z"), timestamp_of_text("2026-01-23T08:11:00Z"));
        assert_eq!(parse_time("2026-01-23", "%Y-%m-%d"), timestamp_of_text("2026-01-23T00:00:00Z"));
        assert_eq!(parse_time("2026-02-30", "%Y-%m-%d"), Err(Reason::Conversion));
        assert_eq!(truncate_time(ts, 3_600_000_000_000), timestamp_of_text("2026-01-23T10:00:00Z"));
        assert_eq!((truncate_time(-1, 10), truncate_time(5, 0), truncate_time(i64::MIN, 1_000)), (Ok(-10), Err(Reason::OutOfRange), Err(Reason::Overflow)));
    }

    #[test]
    fn conversions() {
        assert_eq!(timestamp_of_text("2026-01-23T10:00:00+02:00"), timestamp_of_text("2026-01-23T08:00:00Z"));
        assert_eq!(timestamp_of_text("yesterday"), Err(Reason::Conversion));
        assert_eq!(timestamp_of_text("9999-01-01T00:00:00Z"), Err(Reason::Conversion));
        assert_eq!(timestamp_of_millis(i64::MAX), Err(Reason::Overflow));
        assert_eq!(millis_of_timestamp(-1), -1);
        assert_eq!(millis_of_duration(-1), 0);
        assert_eq!(seconds_of_duration(1_500_000_000), 1.5);
    }
}
