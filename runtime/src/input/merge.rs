//! Several inputs as one, by event time.
//!
//! Each input is read on its own, in bounded memory; of each, the next event is held. The oldest one comes first, of equal ones that of the
//! input named first. An input need not be ordered itself: its next event waits until it is the oldest.
//!
//! An input that has nothing yet, as a pipe may, is waited for, unless it has been idle for so long that it is left out (§4): what it brings
//! afterwards may be late.

use super::slots::Held;
use super::{Decoded, Decoder, Invalid, Item, Position, Rejected, Source, ValueBuffer};
use crate::value::Value;
use std::io;
use std::time::Duration;
use varpulis_abi::reason::Reason;

/// One input: where its records come from and how they are read.
pub struct Feed {
    /// Its name in messages.
    pub name: String,
    /// Its records.
    pub source: Source,
    /// Its decoder.
    pub decoder: Decoder,
    /// Whether it may have nothing yet, and says so by [`WouldBlock`](io::ErrorKind::WouldBlock): then [`Refusals::wait`] can wait for it.
    pub live: bool,
}

/// The next event of an input.
#[derive(Default)]
pub struct Head {
    /// Its place in the program's table of events.
    pub event: usize,
    /// Its time.
    pub ts: i64,
    /// Its values.
    pub held: Held,
    /// Which fields were read, if they reject the event and the rest of it was not examined.
    pub read: Option<Vec<bool>>,
}

impl Head {
    #[cold]
    fn hold(&mut self, rejected: &Rejected<'_>) {
        self.event = rejected.event;
        self.ts = rejected.ts;
        self.held.hold(&rejected.values);
        self.read = Some(rejected.read.to_vec());
    }
}

/// Receives what is not an event, as it is met.
pub trait Refusals {
    /// An event of a type that the program does not read.
    fn skipped(&mut self);
    /// A record that does not fit, of the input of that name.
    fn invalid(&mut self, input: &str, position: Position, invalid: Invalid, record: &[u8]);
    /// Whether fields of an event reject it, as [`Conditions`](super::Conditions) says.
    fn rejects(&self, event: usize, values: &[Value<'_>], read: &[bool]) -> bool;
    /// A read follows, which may wait.
    fn before_read(&mut self);
    /// Time since some start.
    fn now(&self) -> Duration;
    /// Waits until one of those inputs, by their places, has something, or for so long at most.
    fn wait(&mut self, inputs: &[usize], at_most: Option<Duration>);
}

/// Inputs that are read by event time.
pub struct Merge {
    inputs: Vec<Input>,
    /// After how long an input is left out; `None`: never.
    idle: Option<Duration>,
    /// Inputs that have nothing yet, by their places.
    waiting: Vec<usize>,
    buffer: ValueBuffer,
}

struct Input {
    feed: Feed,
    head: Head,
    /// Whether `head` holds an event.
    ready: bool,
    ended: bool,
    /// Since when it has had no event, if it has been waited for.
    silent_since: Option<Duration>,
}

impl Merge {
    /// Merges inputs; of events of equal time, that of the earlier input comes first. One that has had nothing for `idle` is left out.
    pub fn new(feeds: Vec<Feed>, idle: Option<Duration>) -> Self {
        let inputs = feeds.into_iter().map(|feed| Input { feed, head: Head::default(), ready: false, ended: false, silent_since: None }).collect();
        Self { inputs, idle, waiting: vec![], buffer: ValueBuffer::default() }
    }

    /// The oldest of the next events, or `None` at the end of every input.
    ///
    /// # Errors
    /// An input cannot be read; the number is its place.
    pub fn next(&mut self, refusals: &mut impl Refusals) -> Result<Option<&Head>, (usize, io::Error)> {
        let oldest = loop {
            let mut oldest: Option<(i64, usize)> = None;
            self.waiting.clear();
            for (index, input) in self.inputs.iter_mut().enumerate() {
                match input.advance(&mut self.buffer, refusals) {
                    Ok(()) => {}
                    Err(error) if input.feed.live && error.kind() == io::ErrorKind::WouldBlock => self.waiting.push(index),
                    Err(error) => return Err((index, error)),
                }
                if input.ready && oldest.is_none_or(|(ts, _)| input.head.ts < ts) {
                    oldest = Some((input.head.ts, index));
                }
            }
            if self.waiting.is_empty() || !self.wait(oldest.is_some(), refusals) {
                break oldest;
            }
        };
        let Some(input) = oldest.and_then(|(_, index)| self.inputs.get_mut(index)) else { return Ok(None) };
        input.ready = false;
        Ok(Some(&input.head))
    }

    /// Waits for inputs that have nothing yet; false if none of them has to be waited for, since there is an event and they are idle.
    #[cold]
    fn wait(&mut self, is_any_ready: bool, refusals: &mut impl Refusals) -> bool {
        let now = refusals.now();
        let mut at_most: Option<Duration> = None;
        let mut all_idle = true;
        for index in &self.waiting {
            let Some(input) = self.inputs.get_mut(*index) else { continue };
            let silent = now.saturating_sub(*input.silent_since.get_or_insert(now));
            match self.idle {
                Some(idle) if silent >= idle => {}
                Some(idle) => {
                    all_idle = false;
                    at_most = Some(at_most.map_or(idle - silent, |least| least.min(idle - silent)));
                }
                None => all_idle = false,
            }
        }
        if all_idle && is_any_ready {
            return false;
        }
        refusals.before_read();
        refusals.wait(&self.waiting, at_most);
        true
    }

    /// The inputs.
    pub fn feeds(&self) -> impl Iterator<Item = &Feed> {
        self.inputs.iter().map(|input| &input.feed)
    }
}

impl Input {
    /// Reads up to the next event, unless there is one.
    #[inline]
    fn advance(&mut self, buffer: &mut ValueBuffer, refusals: &mut impl Refusals) -> io::Result<()> {
        while !self.ready && !self.ended {
            let Feed { name, source, decoder, .. } = &mut self.feed;
            match source.buffered() {
                Some(Item::Record(position, record)) => {
                    let mut values = buffer.take();
                    let decoded = decoder.decode(record, &mut values);
                    if let Decoded::Event { event, ts } = decoded {
                        self.silent_since = None;
                        self.head.event = event;
                        self.head.ts = ts;
                        self.head.held.hold(&values);
                        self.head.read = None;
                        self.ready = true;
                    }
                    buffer.give_back(values);
                    match decoded {
                        Decoded::Event { .. } | Decoded::Nothing => {}
                        Decoded::Skipped => refusals.skipped(),
                        Decoded::Invalid(invalid) => match decoder.rejected(record, &|event, values, read| refusals.rejects(event, values, read)) {
                            Some(rejected) => {
                                self.silent_since = None;
                                self.head.hold(&rejected);
                                self.ready = true;
                            }
                            None => refusals.invalid(name, position, invalid, record),
                        },
                    }
                }
                Some(Item::Refused(position, reason, record)) => refusals.invalid(name, position, refused(reason), record),
                None => {
                    refusals.before_read();
                    self.ended = !source.refill()?;
                }
            }
        }
        Ok(())
    }
}

/// A refusal of a whole record.
pub(crate) fn refused(reason: Reason) -> Invalid {
    Invalid::at(reason, 0)
}
