//! "Did you mean": the most similar of several names.

/// The candidate that is most like `name`, if one is like it at all: few edits for its length, case aside.
pub fn did_you_mean<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let limit = (wanted.len() / 3).clamp(1, 3);
    let letters = letters(name);
    candidates
        .filter(|c| *c != name && (letters & !self::letters(c)).count_ones() as usize <= limit)
        .filter_map(|c| {
            let other: Vec<char> = c.to_lowercase().chars().take(64).collect();
            let distance = edits(&wanted, &other);
            // Two-letter names are all alike.
            (distance <= limit && distance < wanted.len().min(other.len())).then_some((distance, c))
        })
        // Candidates come in the order of hash tables, too.
        .min_by_key(|(distance, c)| (*distance, c.len(), *c))
        .map(|(_, c)| c)
}

/// The letters of a name, a bit each: an edit brings in one at most, so that most names need no closer look.
fn letters(name: &str) -> u64 {
    name.chars().take(64).flat_map(char::to_lowercase).fold(0, |all, c| all | 1 << (u32::from(c) % 64))
}

/// Insertions, deletions, replacements, and exchanges of neighbours.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best = (get(&last, j) + usize::from(x != y)).min(get(&last, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}
