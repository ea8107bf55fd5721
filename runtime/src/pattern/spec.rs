//! What a pattern looks like: data that the compiler prints.

use std::borrow::Cow;

/// A sequence pattern.
#[derive(Clone, Debug)]
pub struct PatternSpec {
    /// In order.
    pub steps: Cow<'static, [StepSpec]>,
    /// Absences.
    pub negations: Cow<'static, [NegationSpec]>,
    /// The longest time from the first event of a match to its last, in ns; `i64::MAX`: none.
    pub within: i64,
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct StepSpec {
    /// One or more events.
    pub kleene: bool,
    /// Whether its condition on the event alone may refuse it: then the step is asked by itself, so that the others may take the event.
    pub fallible: bool,
    /// Whether its condition looks at the run.
    pub correlated: bool,
    /// The longest time since the previous step, in ns; `i64::MAX`: none.
    pub within: i64,
    /// Kleene only: runs may share its elements, since no condition looks at a single run before the next step is taken.
    pub shared: bool,
}

/// An absence.
#[derive(Clone, Copy, Debug)]
pub struct NegationSpec {
    /// It stands behind this step, and before the next one; behind the last step, the match is reported at its deadline.
    pub after: usize,
    /// It holds from the first event of the match to its last.
    pub whole: bool,
    /// Whether its condition on the event alone may refuse it, as that of a step.
    pub fallible: bool,
    /// Whether its condition looks at the run.
    pub correlated: bool,
}

impl PatternSpec {
    /// Whether matches are reported when their time is over.
    pub(super) fn waits_at_end(&self) -> bool {
        self.negations.iter().any(|n| !n.whole && n.after + 1 == self.steps.len())
    }

    /// The bits of the steps and absences that are asked by themselves.
    pub(super) fn fallible(&self) -> u64 {
        let members = self.steps.iter().map(|step| step.fallible).chain(self.negations.iter().map(|n| n.fallible));
        members.enumerate().fold(0, |all, (at, fallible)| if fallible { all | bit(at) } else { all })
    }

    /// What an event must be asked about runs that have taken so many steps, for each number of steps.
    pub(super) fn states(&self) -> Vec<State> {
        (0..=self.steps.len()).map(|taken| self.state(taken)).collect()
    }

    fn state(&self, taken: usize) -> State {
        let next = self.steps.get(taken);
        let filling = taken.checked_sub(1).and_then(|step| self.steps.get(step)).filter(|step| step.kleene);
        let active = |(at, n): (usize, &NegationSpec)| if n.whole || n.after + 1 == taken { bit(self.steps.len() + at) } else { 0 };
        State {
            take: if next.is_some() { bit(taken) } else { 0 },
            take_asks: next.is_some_and(|step| step.correlated),
            extend: filling.map_or(0, |_| bit(taken - 1)),
            extend_asks: filling.is_some_and(|step| step.correlated),
            shared: filling.is_some_and(|step| step.shared),
            kill: self.negations.iter().enumerate().map(active).fold(0, |all, one| all | one),
            within: next.map_or(i64::MAX, |step| step.within),
        }
    }
}

/// The bit of a step or absence in a mask of 64.
fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

/// What concerns a run that has taken so many steps. The last of them may be a Kleene step that it still fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// The bit of the step that it waits for.
    pub(super) take: u64,
    /// Whether that step's condition looks at the run.
    pub(super) take_asks: bool,
    /// The bit of the Kleene step that it fills.
    pub(super) extend: u64,
    /// Whether that step's condition looks at the run.
    pub(super) extend_asks: bool,
    /// Whether it shares that step's elements.
    pub(super) shared: bool,
    /// The bits of the absences that are active.
    pub(super) kill: u64,
    /// How long the next step may take.
    pub(super) within: i64,
}

impl State {
    /// Whether an event concerns such runs at all.
    #[inline(always)]
    pub(super) fn is_concerned(&self, mask: u64) -> bool {
        mask & (self.take | self.extend | self.kill) != 0
    }
}
