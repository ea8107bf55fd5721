//! Timers: records that come of time alone (§5).

/// So many ticks come of one step of time: what an event tells of whose time is wrong by years ends.
const MOST: i64 = 10_000_000;

/// The sources `timer(d)` of a program. Each tells of the multiples of its period behind the oldest event and up to the newest
/// one, as the watermark reaches them: the end of the input lets no time go by.
#[derive(Clone, Debug)]
pub struct Timers {
    timers: Vec<Timer>,
    /// Nothing is told beyond it.
    until: i64,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    period: i64,
    /// `i64::MIN` before time has begun.
    next: i64,
}

impl Timer {
    /// Goes on to the last ticks up to a moment, if there are too many.
    #[inline]
    fn pass_over(&mut self, until: i64) {
        if self.next != i64::MIN && until.saturating_sub(self.next) >= self.period.saturating_mul(MOST) {
            let (next, period) = (i128::from(self.next), i128::from(self.period));
            let ahead = (i128::from(until) - next) / period;
            // It is not behind `until`.
            self.next = i64::try_from(next + (ahead - i128::from(MOST) + 1).max(0) * period).unwrap_or(i64::MAX);
        }
    }
}

impl Timers {
    /// Timers of these periods, in ns.
    pub fn new(periods: impl IntoIterator<Item = i64>) -> Self {
        let timers = periods.into_iter().map(|period| Timer { period: period.max(1), next: i64::MIN });
        Self { timers: timers.collect(), until: i64::MAX }
    }

    /// When the next one is due: at once before time has begun, never if there is none.
    #[inline]
    pub fn due(&self) -> i64 {
        self.timers.iter().map(|timer| timer.next).min().filter(|due| *due <= self.until).unwrap_or(i64::MAX)
    }

    /// Time begins with the oldest event, once the watermark has reached it: none can come before it any more.
    #[inline]
    pub fn begin(&mut self, oldest: i64, watermark: i64) {
        if oldest > watermark {
            return;
        }
        for timer in self.timers.iter_mut().filter(|timer| timer.next == i64::MIN) {
            let past = oldest.rem_euclid(timer.period);
            timer.next = oldest.saturating_add(timer.period - past);
        }
    }

    /// The next tick up to a watermark that comes before `other`: its time, and which timer's it is.
    #[inline]
    pub fn tick(&mut self, watermark: i64, other: i64) -> Option<(i64, usize)> {
        let most = watermark.min(self.until);
        self.timers.iter_mut().for_each(|timer| timer.pass_over(most));
        let (at, timer) = self.timers.iter_mut().enumerate().min_by_key(|(at, timer)| (timer.next, *at))?;
        let ts = timer.next;
        // What falls due at that moment comes first.
        if ts == i64::MIN || ts > most || ts >= other {
            return None;
        }
        timer.next = ts.saturating_add(timer.period);
        Some((ts, at))
    }

    /// The input has ended with an event of that time.
    pub fn end(&mut self, newest: i64) {
        self.until = newest;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn ticks(timers: &mut Timers, watermark: i64) -> Vec<(i64, usize)> {
        std::iter::from_fn(|| timers.tick(watermark, i64::MAX)).collect()
    }

    #[test]
    fn multiples_after_the_beginning_up_to_the_end() {
        let mut timers = Timers::new([5, 3]);
        assert_eq!(timers.due(), i64::MIN);
        timers.begin(5, 4);
        assert_eq!(timers.tick(4, i64::MAX), None);
        timers.begin(5, 5);
        assert_eq!(ticks(&mut timers, 10), [(6, 1), (9, 1), (10, 0)]);
        timers.begin(100, 100);
        assert_eq!((timers.due(), timers.tick(20, 12)), (12, None));
        timers.end(15);
        assert_eq!(ticks(&mut timers, i64::MAX), [(12, 1), (15, 0), (15, 1)]);
        assert_eq!(timers.due(), i64::MAX);
    }

    #[test]
    fn the_last_ticks_of_a_long_gap_come() {
        let mut timers = Timers::new([1_000, i64::MAX / 2]);
        timers.begin(1, 1);
        let ten_years = 10 * 365 * 86_400 * 1_000_000_000;
        let told = ticks(&mut timers, ten_years);
        assert_eq!(told.len(), MOST as usize);
        assert_eq!((told[0].0, told[told.len() - 1].0), (ten_years - (MOST - 1) * 1_000, ten_years));
        assert_eq!(ticks(&mut timers, ten_years + 1_500), [(ten_years + 1_000, 0)]);
        // All pass over it at once: what comes is in order.
        let mut timers = Timers::new([1_000, 86_400 * 1_000_000_000]);
        timers.begin(1, 1);
        assert!(ticks(&mut timers, ten_years).is_sorted_by_key(|(ts, _)| *ts));
    }

    #[test]
    fn times_at_the_limits_end() {
        let mut timers = Timers::new([i64::MAX, 7]);
        timers.begin(i64::MAX - 3, i64::MAX - 3);
        assert!(ticks(&mut timers, i64::MAX - 1).len() <= 1);
        let mut timers = Timers::new([1_000]);
        timers.begin(i64::MIN + 1, i64::MIN + 1);
        assert_eq!(ticks(&mut timers, i64::MAX - 7).len(), MOST as usize);
        let mut timers = Timers::new([1 << 62]);
        timers.begin(i64::MIN + 1, 0);
        timers.end(0);
        assert_eq!(ticks(&mut timers, i64::MAX), [(-(1 << 62), 0), (0, 0)]);
    }
}
