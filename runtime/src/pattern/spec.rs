//! What a pattern looks like: data that the compiler prints.

/// A sequence pattern.
#[derive(Clone, Copy, Debug)]
pub struct PatternSpec {
    /// In order.
    pub steps: &'static [StepSpec],
    /// Absences.
    pub negations: &'static [NegationSpec],
    /// The longest time from the first event of a match to its last, in ns; `i64::MAX`: none.
    pub within: i64,
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct StepSpec {
    /// One or more events.
    pub kleene: bool,
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
    /// Whether its condition looks at the run.
    pub correlated: bool,
}

impl PatternSpec {
    /// Whether matches are reported when their time is over.
    pub(super) fn waits_at_end(&self) -> bool {
        self.negations.iter().any(|n| !n.whole && n.after + 1 == self.steps.len())
    }
}
