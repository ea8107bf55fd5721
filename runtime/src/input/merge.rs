//! Several inputs as one, by event time.
//!
//! Each input is read on its own, in bounded memory; of each, the next event is held. The oldest one comes first, of equal ones that of the
//! input named first. An input need not be ordered itself: its next event waits until it is the oldest.

use super::slots::Held;
use super::{Decoded, Decoder, Invalid, Item, Position, Rejected, Source, ValueBuffer};
use crate::value::Value;
use std::io;
use varpulis_abi::reason::Reason;

/// One input: where its records come from and how they are read.
pub struct Feed {
    /// Its name in messages.
    pub name: String,
    /// Its records.
    pub source: Source,
    /// Its decoder.
    pub decoder: Decoder,
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
}

/// Inputs that are read by event time.
pub struct Merge {
    inputs: Vec<Input>,
    buffer: ValueBuffer,
}

struct Input {
    feed: Feed,
    head: Head,
    /// Whether `head` holds an event.
    ready: bool,
    ended: bool,
}

impl Merge {
    /// Merges inputs; of events of equal time, that of the earlier input comes first.
    pub fn new(feeds: Vec<Feed>) -> Self {
        let inputs = feeds.into_iter().map(|feed| Input { feed, head: Head::default(), ready: false, ended: false }).collect();
        Self { inputs, buffer: ValueBuffer::default() }
    }

    /// The oldest of the next events, or `None` at the end of every input.
    ///
    /// # Errors
    /// An input cannot be read; the number is its place.
    pub fn next(&mut self, refusals: &mut impl Refusals) -> Result<Option<&Head>, (usize, io::Error)> {
        let mut oldest: Option<(i64, usize)> = None;
        for (index, input) in self.inputs.iter_mut().enumerate() {
            input.advance(&mut self.buffer, refusals).map_err(|error| (index, error))?;
            if input.ready && oldest.is_none_or(|(ts, _)| input.head.ts < ts) {
                oldest = Some((input.head.ts, index));
            }
        }
        let Some(input) = oldest.and_then(|(_, index)| self.inputs.get_mut(index)) else { return Ok(None) };
        input.ready = false;
        Ok(Some(&input.head))
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
            let Feed { name, source, decoder } = &mut self.feed;
            match source.buffered() {
                Some(Item::Record(position, record)) => {
                    let mut values = buffer.take();
                    let decoded = decoder.decode(record, &mut values);
                    if let Decoded::Event { event, ts } = decoded {
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
