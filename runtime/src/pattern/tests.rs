//! Rule by rule on small streams, then everything against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::testing::*;
use super::{PatternSpec, brute_force};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn matches_are_those_of_brute_force(spec in patterns(), events in events(true), announced in any::<bool>()) {
        let (seen, _) = drive(spec, &events, announced);
        prop_assert_eq!(seen, brute_force::matches(&spec, &events));
    }

    #[test]
    fn sharing_elements_changes_no_match(spec in patterns(), events in events(false), announced in any::<bool>()) {
        let (seen, _) = drive(with_sharing(spec), &events, announced);
        prop_assert_eq!(seen, brute_force::matches(&spec, &events));
    }
}
