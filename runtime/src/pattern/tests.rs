//! Rule by rule on small streams; then random patterns with refusals, sharing and time, against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::brute_force;
use super::testing::*;
use super::{NegationSpec, PatternSpec, StepSpec};

/// Without announcements, a match at a deadline is reported when the next event is looked at: its place among refusals is open.
fn assert_same(announced: bool, seen: Vec<Seen>, wanted: Vec<Seen>) {
    let parted = |list: Vec<Seen>| -> (Vec<Seen>, Vec<Seen>) { list.into_iter().partition(|s| matches!(s, Seen::Match { .. })) };
    if announced {
        assert_eq!(seen, wanted);
    } else {
        assert_eq!(parted(seen), parted(wanted));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matches_and_refusals_are_those_of_brute_force(spec in patterns(), events in events(true), announced in any::<bool>()) {
        let (seen, _) = drive(spec.clone(), &events, announced);
        assert_same(announced, seen, brute_force::matches(&spec, &events));
    }

    #[test]
    fn sharing_elements_changes_no_match(spec in patterns(), wanted in prop_oneof![Just(ALL), any::<u8>()], events in events(false), announced in any::<bool>()) {
        let (seen, matcher) = drive(with_sharing(spec.clone(), wanted), &events, announced);
        assert_same(announced, seen, brute_force::matches(&spec, &events));
        let [keys, runs, elements, _] = matcher.size();
        prop_assert!(keys <= runs && (runs > 0 || elements == 0), "{:?}", matcher.size());
    }

    #[test]
    fn time_ends_every_run(spec in patterns(), events in events(true)) {
        let spec = with_sharing(PatternSpec { within: spec.within.min(30), ..spec }, ALL);
        prop_assert_eq!(drive(spec.clone(), &events, true).1.size(), [0; 4]);
    }
}

/// What the generator yields must be worth comparing.
#[test]
fn random_patterns_do_match() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut matched, mut long, mut refused, mut shared) = (0, 0, 0, 0);
    for _ in 0..1000 {
        let spec = patterns().new_tree(&mut runner).unwrap().current();
        let events = events(true).new_tree(&mut runner).unwrap().current();
        let seen = brute_force::matches(&spec, &events);
        let lengths = || seen.iter().map(|s| if let Seen::Match { taken, .. } = s { taken.concat().len() } else { 0 });
        matched += usize::from(lengths().any(|n| n > 0));
        long += usize::from(lengths().any(|n| n > spec.steps.len() && spec.steps.len() > 1));
        refused += usize::from(seen.iter().any(|s| matches!(s, Seen::Refused(_))));
        shared += usize::from(lengths().any(|n| n > 0) && with_sharing(spec, ALL).steps.iter().any(|s| s.shared));
    }
    assert!(matched > 500 && long > 250 && refused > 500 && shared > 80, "{matched} {long} {refused} {shared}");
}

/// Events of one key: each a time and the bits it satisfies; they are numbered from 1.
fn stream(events: &[(i64, u64)]) -> Vec<Event> {
    let make = |(id, (ts, mask)): (u32, &(i64, u64))| Event { id, ts: *ts, key: Some(0), mask: *mask, trouble: Trouble::None };
    (1..).zip(events).map(make).collect()
}

/// The matches as (time, events), each checked to be what brute force finds.
fn matches(steps: &[StepSpec], negations: &[NegationSpec], within: i64, events: &[Event]) -> Vec<(i64, Vec<u32>)> {
    let spec = pattern(steps, negations, within);
    let (seen, _) = drive(spec.clone(), events, true);
    assert_eq!(seen, brute_force::matches(&spec, events));
    let (shared, _) = drive(with_sharing(spec, ALL), events, true);
    assert_eq!(shared, seen);
    seen.into_iter().filter_map(|s| if let Seen::Match { ts, taken, .. } = s { Some((ts, taken.concat())) } else { None }).collect()
}

const A: u64 = 1;
const B: u64 = 2;
const C: u64 = 4;

#[test]
fn every_first_event_opens_a_run_and_the_oldest_is_reported_first() {
    let found = matches(&[STEP, STEP], &[], NEVER, &stream(&[(1, A), (2, A), (3, B), (4, B)]));
    assert_eq!(found, [(3, vec![1, 3]), (3, vec![2, 3])]);
}

#[test]
fn an_event_takes_no_two_steps_of_a_run() {
    let found = matches(&[STEP, STEP, STEP], &[], NEVER, &stream(&[(1, A | B | C), (2, A | B | C), (3, A | B | C)]));
    assert_eq!(found, [(3, vec![1, 2, 3])]);
}

#[test]
fn a_pattern_of_one_step_matches_at_once() {
    assert_eq!(matches(&[STEP], &[], NEVER, &stream(&[(1, A), (2, B), (3, A)])), [(1, vec![1]), (3, vec![3])]);
}

#[test]
fn the_span_is_inclusive() {
    assert_eq!(matches(&[STEP, STEP], &[], 10, &stream(&[(0, A), (1, A), (11, B)])), [(11, vec![2, 3])]);
}

#[test]
fn a_step_has_its_own_limit() {
    let steps = [STEP, StepSpec { within: 2, ..STEP }, STEP];
    assert_eq!(matches(&steps, &[], NEVER, &stream(&[(0, A), (1, A), (3, B), (50, C)])), [(50, vec![2, 3, 4])]);
    // Counted from the newest element of a Kleene step.
    assert_eq!(matches(&[MANY, steps[1]], &[], NEVER, &stream(&[(0, A), (2, A), (4, B)])), [(4, vec![1, 2, 3]), (4, vec![2, 3])]);
}

#[test]
fn a_kleene_step_takes_all_until_the_next_step_fits() {
    let found = matches(&[STEP, MANY, STEP], &[], NEVER, &stream(&[(1, A), (2, B), (3, B), (4, B | C), (5, B), (6, C)]));
    assert_eq!(found, [(4, vec![1, 2, 3, 4])]);
}

#[test]
fn a_kleene_step_in_front_opens_a_run_at_every_element() {
    let found = matches(&[MANY, STEP], &[], NEVER, &stream(&[(1, A), (2, A), (3, A), (4, B), (5, B)]));
    assert_eq!(found, [(4, vec![1, 2, 3, 4]), (4, vec![2, 3, 4]), (4, vec![3, 4])]);
}

#[test]
fn a_kleene_step_at_the_end_is_reported_at_every_extension() {
    let found = matches(&[STEP, MANY], &[], NEVER, &stream(&[(1, A), (2, B), (3, A), (4, B)]));
    assert_eq!(found, [(2, vec![1, 2]), (4, vec![1, 2, 4]), (4, vec![3, 4])]);
    assert_eq!(matches(&[MANY], &[], NEVER, &stream(&[(1, A), (2, A)])), [(1, vec![1]), (2, vec![1, 2]), (2, vec![2])]);
}

#[test]
fn an_absence_between_steps_kills_but_not_by_the_event_that_takes_the_step() {
    let killer = 1 << 2;
    assert_eq!(matches(&[STEP, STEP], &[absent(0)], NEVER, &stream(&[(1, A), (2, killer), (3, A), (4, B | killer)])), [(4, vec![3, 4])]);
    // Nor by an element of a Kleene step, nor before the step behind which it stands.
    let killer = 1 << 3;
    let found = matches(&[STEP, MANY, STEP], &[absent(1)], NEVER, &stream(&[(1, A), (2, killer), (3, B), (4, B | killer), (5, C)]));
    assert_eq!(found, [(5, vec![1, 3, 4, 5])]);
}

#[test]
fn a_whole_absence_kills_from_the_first_event_to_the_last() {
    let (whole, killer) = ([NegationSpec { whole: true, ..absent(0) }], 1 << 3);
    let steps = [STEP, STEP, STEP];
    assert_eq!(matches(&steps, &whole, NEVER, &stream(&[(1, A | killer), (2, B | killer), (3, C | killer)])), [(3, vec![1, 2, 3])]);
    assert_eq!(matches(&steps, &whole, NEVER, &stream(&[(1, A), (2, B), (2, killer), (3, C)])), []);
}

#[test]
fn an_absence_at_the_end_is_reported_at_the_deadline() {
    let (last, killer) = ([absent(1)], 1 << 2);
    let steps = [STEP, STEP];
    assert_eq!(matches(&steps, &last, 10, &stream(&[(0, A), (1, A), (2, B)])), [(10, vec![1, 3]), (11, vec![2, 3])]);
    // An event at the deadline still kills; one behind it does not.
    assert_eq!(matches(&steps, &last, 10, &stream(&[(0, A), (1, A), (2, B), (10, killer)])), []);
    assert_eq!(matches(&steps, &last, 10, &stream(&[(0, A), (1, A), (2, B), (11, killer)])), [(10, vec![1, 3])]);
    // A deadline beyond all time comes with the end.
    assert_eq!(matches(&steps, &last, NEVER, &stream(&[(1, A), (2, B)])), [(NEVER, vec![1, 2])]);
}

#[test]
fn a_record_without_key_takes_no_part() {
    let mut events = stream(&[(1, A), (2, 0b100), (3, B)]);
    (events[1].key, events[1].trouble) = (None, Trouble::Classify);
    assert_eq!(matches(&[STEP, STEP], &[absent(0)], NEVER, &events), [(3, vec![1, 3])]);
}

#[test]
fn a_run_that_refuses_an_event_is_left_alone_and_the_others_go_on() {
    let mut events = stream(&[(1, A), (2, A), (3, A), (4, B | 0b100), (5, B)]);
    events[3].trouble = Trouble::Keep;
    let spec = pattern(&[STEP, STEP], &[absent(0)], NEVER);
    let (seen, _) = drive(spec.clone(), &events, true);
    assert_eq!(seen, brute_force::matches(&spec, &events));
    let refused: Vec<_> = seen.iter().filter(|s| matches!(s, Seen::Refused(_))).collect();
    assert_eq!(refused, [&Seen::Refused(refusal(3, 1, events[3], &vec![vec![1]]))], "the oldest run's, once");
    assert_eq!(seen.len(), 4);
}

#[test]
fn memory_follows_the_runs_in_the_span() {
    let bits = |i: i64| 1 << (i % 2);
    let events: Vec<Event> = (0..50_000).map(|i| Event { id: 1, ts: i, key: Some((i % 251) as u8), mask: bits(i), trouble: Trouble::None }).collect();
    let (_, matcher) = drive_open(pattern(&[STEP, SHARED, STEP], &[], 100), &events);
    let [keys, runs, elements, timers] = matcher.size();
    assert!(keys <= 51 && runs <= 51 && elements <= 51 && timers <= 51, "{:?}", matcher.size());
    // Runs that end early do not leave their timers behind for the whole span; nor do elements that push a limit on.
    let events: Vec<Event> = (0..50_000).map(|i| Event { id: 1, ts: i, key: Some(0), mask: bits(i), trouble: Trouble::None }).collect();
    let (_, matcher) = drive_open(pattern(&[STEP, STEP], &[], 1_000_000), &events);
    assert!(matcher.size()[3] <= 1024, "{:?}", matcher.size());
    let events: Vec<Event> = (0..50_000).map(|i| Event { id: 1, ts: i, key: Some(0), mask: if i == 0 { A } else { B }, trouble: Trouble::None }).collect();
    let limited = StepSpec { within: 1_000_000, ..STEP };
    let (_, matcher) = drive_open(pattern(&[STEP, MANY, limited], &[], NEVER), &events);
    assert!(matcher.size()[3] <= 1024, "{:?}", matcher.size());
}
