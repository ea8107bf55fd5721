//! What every stateful operator looks like to a program.

use varpulis_abi::reason::Reason;

/// Why an expression refused a record, and which one: an index into the program's table of sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place in the program: an index into [`crate::program::Schema::sites`].
    pub site: u32,
    /// Why.
    pub reason: Reason,
}

impl Refusal {
    /// A refusal at a site.
    #[inline]
    pub const fn new(site: u32, reason: Reason) -> Self {
        Self { site, reason }
    }
}

/// A stateful operator. Records arrive in the order of their `ts`; time moves by [`advance`](Operator::advance).
///
/// Results go to `fire` at once, in the operator's documented order. After an event with time `t` was announced by
/// `advance(t)`, it is pushed with the same `t`.
pub trait Operator {
    /// An arriving record.
    type Input<'a>: Copy
    where
        Self: 'a;
    /// A result: what the pipeline behind the operator can read.
    type Firing<'a>;

    /// Takes a record of time `ts` (ns since the epoch).
    ///
    /// Record and operator are borrowed for one lifetime, so that a firing may lend out the record beside what the operator keeps.
    ///
    /// # Errors
    /// The record was refused by an evaluation error, and left no trace in the state.
    fn push<'a>(&'a mut self, ts: i64, input: Self::Input<'a>, fire: &mut impl FnMut(Self::Firing<'_>)) -> Result<(), Refusal>;

    /// Whether it takes records below the watermark.
    const TAKES_LATE: bool = false;

    /// Records below `watermark` follow, by [`push_late`](Operator::push_late).
    fn begin_late(&mut self, watermark: i64) {
        let _ = watermark;
    }

    /// Takes a record below the watermark, if it still matters.
    ///
    /// # Errors
    /// As for [`push`](Operator::push).
    fn push_late<'a>(&'a mut self, ts: i64, input: Self::Input<'a>, fire: &mut impl FnMut(Self::Firing<'_>)) -> Result<(), Refusal> {
        let _ = (ts, input, fire);
        Ok(())
    }

    /// Whether it took one since [`begin_late`](Operator::begin_late).
    fn took_late(&self) -> bool {
        false
    }

    /// The smallest watermark at which [`advance`](Operator::advance) has something to do; `i64::MAX` if there is none.
    #[inline]
    fn deadline(&self) -> i64 {
        i64::MAX
    }

    /// Time has come to `watermark`: no record below it will arrive. `i64::MAX` is the end of the input.
    #[inline]
    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(Self::Firing<'_>)) {
        let _ = (watermark, fire);
    }

    /// The same of an operator that goes by the machine's time. At the end of the input that time has not come: what would have been told of
    /// until then is not.
    #[inline]
    fn tick(&mut self, now: i64, fire: &mut impl FnMut(Self::Firing<'_>)) {
        self.advance(now, fire);
    }
}
