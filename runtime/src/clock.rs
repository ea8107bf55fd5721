//! Event time: the watermark of a program's input (§4).

/// What an arriving event means for time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Below the watermark: refuse it.
    Late,
    /// The watermark stays where it is.
    InTime,
    /// The watermark moved to the value given: advance to it, then take the event.
    Moved(i64),
}

/// The largest time seen, and the watermark that follows from it.
#[derive(Clone, Debug)]
pub struct Clock {
    oldest: i64,
    newest: i64,
    watermark: i64,
    out_of_order: i64,
}

impl Clock {
    /// A clock whose watermark is `out_of_order` ns behind the newest event.
    pub fn new(out_of_order: i64) -> Self {
        Self { oldest: i64::MAX, newest: i64::MIN, watermark: i64::MIN, out_of_order }
    }

    /// Sees an event of time `ts`.
    #[inline(always)]
    pub fn observe(&mut self, ts: i64) -> Arrival {
        if ts < self.watermark {
            return Arrival::Late;
        }
        self.oldest = self.oldest.min(ts);
        if ts <= self.newest {
            return Arrival::InTime;
        }
        self.newest = ts;
        let watermark = ts.saturating_sub(self.out_of_order);
        if watermark > self.watermark {
            self.watermark = watermark;
            return Arrival::Moved(watermark);
        }
        Arrival::InTime
    }

    /// The same for a clock without lag: its watermark is the time of the newest event.
    #[inline(always)]
    pub fn observe_without_lag(&mut self, ts: i64) -> Arrival {
        debug_assert!(self.out_of_order == 0 && self.newest == self.watermark);
        if ts > self.watermark {
            self.oldest = self.oldest.min(ts);
            (self.newest, self.watermark) = (ts, ts);
            return Arrival::Moved(ts);
        }
        if ts < self.watermark { Arrival::Late } else { Arrival::InTime }
    }

    /// The watermark: no event below it is taken any more. `i64::MIN` before the first event.
    #[inline]
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// The time of the oldest event that was not late; `i64::MAX` before the first.
    #[inline]
    pub fn oldest(&self) -> i64 {
        self.oldest
    }

    /// The time of the newest event; `i64::MIN` before the first.
    #[inline]
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// Moves the watermark on, as the end of the input does.
    #[inline]
    pub fn move_to(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
        self.newest = self.newest.max(watermark);
    }
}

/// The machine's time as windows by it see it: it never goes back.
#[derive(Clone, Copy, Debug)]
pub struct MachineTime {
    newest: i64,
}

impl Default for MachineTime {
    fn default() -> Self {
        Self { newest: i64::MIN }
    }
}

impl MachineTime {
    /// What a reading of the clock counts as, in ns since the epoch.
    #[inline]
    pub fn reading(&mut self, now: i64) -> i64 {
        self.newest = self.newest.max(now);
        self.newest
    }
}
