//! Program text in messages: as much of it as helps.

/// How many characters of one quotation are shown.
const QUOTED: usize = 60;
/// How many names of a list are shown.
const LISTED: usize = 20;

/// A message with what it quotes cut short: a program may have words of megabytes.
pub(super) fn shortened(text: String) -> String {
    if text.len() <= QUOTED {
        return text;
    }
    let part = |(i, part): (usize, &str)| match part.char_indices().nth(QUOTED) {
        Some((end, _)) if i % 2 == 1 => format!("{}…", part.get(..end).unwrap_or_default()),
        _ => part.to_owned(),
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

/// Names, one behind the other; of many, the first ones and how many more there are.
pub fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let text = names.take(LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_cut_and_what_is_said_is_not() {
        let long = "é".repeat(1_000);
        assert_eq!(shortened(format!("nothing is called `{long}` here")), format!("nothing is called `{}…` here", "é".repeat(60)));
        assert_eq!(shortened(format!("{long} `a`")), format!("{long} `a`"));
        assert_eq!(shortened(format!("`{}`", "a".repeat(60))), format!("`{}`", "a".repeat(60)));
    }

    #[test]
    fn long_lists_end_with_a_number() {
        let names = |n: usize| listed((0..n).map(|i| i.to_string()));
        assert_eq!(names(3), "0, 1, 2");
        assert!(names(21).ends_with("18, 19 and 1 more"));
    }
}
