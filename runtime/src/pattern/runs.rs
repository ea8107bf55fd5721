//! Runs: headers in an array, linked into one list per key and state.

/// No run.
pub(super) const NONE: u32 = u32::MAX;

/// A run, but for what it keeps of events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) key: u32,
    /// How many steps are taken; the last of them may be a Kleene step that goes on.
    pub(super) state: u32,
    pub(super) first_ts: i64,
    pub(super) previous_ts: i64,
    /// In order of creation.
    pub(super) number: u64,
    /// Changes whenever the run moves on or dies, so that old timers know it no more.
    pub(super) stamp: u32,
    /// Shared Kleene elements: the log position of its first one.
    pub(super) start: u64,
    pub(super) alive: bool,
    before: u32,
    after: u32,
}

/// The ends of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) first: u32,
    last: u32,
}

const EMPTY: List = List { first: NONE, last: NONE };

/// All runs of a pattern.
#[derive(Debug)]
pub(super) struct Runs {
    headers: Vec<Run>,
    free: Vec<u32>,
    lists: Vec<List>,
    /// Runs per key.
    live: Vec<u32>,
    states: usize,
    created: u64,
}

#[expect(clippy::indexing_slicing, reason = "runs and keys are this structure's own indices")]
impl Runs {
    /// For a pattern whose runs have that many states.
    pub(super) fn new(states: usize) -> Self {
        Self { headers: vec![], free: vec![], lists: vec![], live: vec![], states, created: 0 }
    }

    #[inline]
    pub(super) fn get(&self, run: u32) -> &Run {
        &self.headers[run as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, run: u32) -> &mut Run {
        &mut self.headers[run as usize]
    }

    /// Makes room for a key.
    #[inline]
    pub(super) fn admit(&mut self, key: u32) {
        let need = (key as usize + 1) * self.states;
        if self.lists.len() < need {
            self.lists.resize(need, EMPTY);
            self.live.resize(key as usize + 1, 0);
        }
    }

    #[inline]
    fn list(&self, key: u32, state: u32) -> usize {
        key as usize * self.states + state as usize
    }

    /// The oldest run of a list.
    #[inline]
    pub(super) fn first(&self, key: u32, state: u32) -> u32 {
        self.lists[self.list(key, state)].first
    }

    /// The newest run of a list.
    #[inline]
    pub(super) fn last(&self, key: u32, state: u32) -> u32 {
        self.lists[self.list(key, state)].last
    }

    #[inline]
    pub(super) fn after(&self, run: u32) -> u32 {
        self.headers[run as usize].after
    }

    #[inline]
    pub(super) fn before(&self, run: u32) -> u32 {
        self.headers[run as usize].before
    }

    /// How many runs a key has.
    #[inline]
    pub(super) fn live(&self, key: u32) -> u32 {
        self.live[key as usize]
    }

    /// Opens a run at the end of a list. The index may have belonged to an earlier run.
    pub(super) fn open(&mut self, key: u32, state: u32, ts: i64) -> u32 {
        let number = self.created;
        self.created += 1;
        let run = Run { key, state, first_ts: ts, previous_ts: ts, number, stamp: 0, start: 0, alive: true, before: NONE, after: NONE };
        let id = match self.free.pop() {
            Some(id) => {
                let stamp = self.headers[id as usize].stamp.wrapping_add(1);
                self.headers[id as usize] = Run { stamp, ..run };
                id
            }
            None => {
                self.headers.push(run);
                (self.headers.len() - 1) as u32
            }
        };
        self.live[key as usize] += 1;
        self.link(id);
        id
    }

    /// Moves a run to the end of another state's list.
    #[inline]
    pub(super) fn advance(&mut self, run: u32, state: u32, ts: i64) {
        self.unlink(run);
        let header = &mut self.headers[run as usize];
        header.state = state;
        header.previous_ts = ts;
        header.stamp = header.stamp.wrapping_add(1);
        self.link(run);
    }

    /// Ends a run.
    pub(super) fn close(&mut self, run: u32) {
        self.unlink(run);
        let header = &mut self.headers[run as usize];
        header.alive = false;
        header.stamp = header.stamp.wrapping_add(1);
        let key = header.key;
        self.live[key as usize] -= 1;
        self.free.push(run);
    }

    #[inline]
    fn link(&mut self, run: u32) {
        let at = self.list(self.headers[run as usize].key, self.headers[run as usize].state);
        let last = self.lists[at].last;
        self.headers[run as usize].before = last;
        self.headers[run as usize].after = NONE;
        if last == NONE {
            self.lists[at].first = run;
        } else {
            self.headers[last as usize].after = run;
        }
        self.lists[at].last = run;
    }

    #[inline]
    fn unlink(&mut self, run: u32) {
        let Run { key, state, before, after, .. } = self.headers[run as usize];
        let at = self.list(key, state);
        if before == NONE {
            self.lists[at].first = after
        } else {
            self.headers[before as usize].after = after
        }
        if after == NONE { self.lists[at].last = before } else { self.headers[after as usize].before = before }
    }
}
