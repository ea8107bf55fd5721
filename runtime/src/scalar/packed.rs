//! Arrays, tuples, maps and records: what expressions ask of them.

use std::cmp::Ordering;

use varpulis_abi::packed::{Cell, LARGEST, Packed, Packer, pack};
use varpulis_abi::reason::Reason;

use crate::state::Text;
use crate::value::Value;

/// Values as a packed one.
pub fn packed(values: &[Value<'_>]) -> Text {
    Text::from(pack(values.iter().map(|value| value.cell())))
}

/// A part of a packed value.
#[inline]
pub fn part(of: &str, at: i64) -> Value<'_> {
    usize::try_from(at).map_or(Value::Null, |at| Packed(of).cell(at).into())
}

/// Whether two packed values are equal.
pub fn equal_packed(a: &str, b: &str) -> bool {
    varpulis_abi::packed::same(a, b)
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number of elements.
#[inline]
pub fn parts(of: &str) -> i64 {
    whole(Packed(of).len())
}

/// The number of members of a map.
pub fn members(of: &str) -> i64 {
    parts(of) / 2
}

/// The place of an element from the beginning; negative ones count from the end.
#[inline]
pub fn place(of: &str, at: i64) -> Result<i64, Reason> {
    Packed(of).place(at).map(whole).ok_or(Reason::IndexOutOfRange)
}

/// The character at a place; negative ones count from the end.
pub fn character(text: &str, at: i64) -> Result<Text, Reason> {
    let found = match usize::try_from(at) {
        Ok(at) => text.chars().nth(at),
        Err(_) => usize::try_from(at.unsigned_abs() - 1).ok().and_then(|at| text.chars().nth_back(at)),
    };
    found.map(|c| Text::from(c.encode_utf8(&mut [0; 4]) as &str)).ok_or(Reason::IndexOutOfRange)
}

/// Two places as a range of so many, clamped; negative ones count from the end.
fn clamped(length: usize, from: i64, to: i64) -> (usize, usize) {
    let clamp = |at: i64| {
        let at = if at < 0 { at.saturating_add(whole(length)) } else { at };
        usize::try_from(at.max(0)).unwrap_or(usize::MAX).min(length)
    };
    let (from, to) = (clamp(from), clamp(to));
    (from, to.max(from))
}

/// The elements from one place to before another, clamped.
pub fn slice(of: &str, from: i64, to: i64) -> Text {
    let (from, to) = clamped(Packed(of).len(), from, to);
    Text::from(pack((from..to).map(|at| Packed(of).cell(at))))
}

/// The characters from one place to before another, clamped.
pub fn slice_text(text: &str, from: i64, to: i64) -> Text {
    let (from, to) = clamped(text.chars().count(), from, to);
    text.chars().skip(from).take(to - from).collect()
}

/// Whether two cells are equal: as keys are, but that NaN equals nothing.
fn equal(a: Cell<'_>, b: Cell<'_>) -> bool {
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => a == b,
        (Cell::Json(a), Cell::Json(b)) => super::equal_json(a, b),
        _ => a.is_same(b),
    }
}

/// The place of the first element equal to the only one of `one`, or -1.
pub fn find(of: &str, one: &str) -> i64 {
    let wanted = Packed(one).cell(0);
    Packed(of).cells().position(|cell| equal(cell, wanted)).map_or(-1, whole)
}

/// The place of the value whose key is equal to the only element of `one`, or -1.
pub fn member(of: &str, one: &str) -> i64 {
    let wanted = Packed(one).cell(0);
    Packed(of).cells().step_by(2).position(|cell| equal(cell, wanted)).map_or(-1, |at| whole(2 * at + 1))
}

/// Whether an element is null.
pub fn has_null(of: &str) -> bool {
    Packed(of).cells().any(|cell| cell == Cell::Null)
}

/// The sum of durations; 0 over nothing.
pub fn sum_of_durations(of: &str) -> Result<i64, Reason> {
    sum_of_ints(of)
}

/// The sum of integers; 0 over nothing.
pub fn sum_of_ints(of: &str) -> Result<i64, Reason> {
    let numbers = Packed(of).cells().map(|cell| match cell {
        Cell::Int(v) | Cell::Duration(v) => i128::from(v),
        _ => 0,
    });
    i64::try_from(numbers.sum::<i128>()).map_err(|_| Reason::Overflow)
}

/// The sum of decimals; 0 over nothing.
pub fn sum_of_decimals(of: &str) -> Result<i128, Reason> {
    let sum = Packed(of).cells().fold(0, |sum, cell| if let Cell::Decimal(v) = cell { super::sum_decimal(sum, v) } else { sum });
    super::rescale_decimal(sum, 0, 38)
}

/// The sum of numbers; 0 over nothing.
pub fn sum_of_floats(of: &str) -> f64 {
    // From 0.0, and not from what the standard library begins with, which is −0.0.
    Packed(of).cells().fold(0.0, |sum, cell| match cell {
        Cell::Float(v) => sum + v,
        Cell::Int(v) => sum + v as f64,
        _ => sum,
    })
}

/// The number of elements that are not null.
pub fn count_of_values(of: &str) -> i64 {
    whole(Packed(of).cells().filter(|cell| *cell != Cell::Null).count())
}

/// The order of elements of one type: −0 is below 0, and null and NaN are above everything.
fn order(a: Cell<'_>, b: Cell<'_>) -> Ordering {
    let last = |cell: Cell<'_>| match cell {
        Cell::Null => 2,
        Cell::Float(v) if v.is_nan() => 1,
        _ => 0,
    };
    match (a, b) {
        _ if last(a) != 0 || last(b) != 0 => last(a).cmp(&last(b)),
        (Cell::Int(a), Cell::Int(b)) | (Cell::Timestamp(a), Cell::Timestamp(b)) | (Cell::Duration(a), Cell::Duration(b)) => a.cmp(&b),
        (Cell::Float(a), Cell::Float(b)) => a.total_cmp(&b),
        (Cell::Decimal(a), Cell::Decimal(b)) => a.cmp(&b),
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(&b),
        (Cell::Enum(a), Cell::Enum(b)) => a.cmp(&b),
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn is_ranked(cell: Cell<'_>) -> bool {
    !matches!(cell, Cell::Null) && !matches!(cell, Cell::Float(v) if v.is_nan())
}

/// The place of the first element that stands before all others, in an order.
fn foremost(of: &str, before: impl Fn(Ordering) -> bool) -> i64 {
    let ranked = Packed(of).cells().enumerate().filter(|(_, cell)| is_ranked(*cell));
    let best = ranked.reduce(|best, next| if before(order(next.1, best.1)) { next } else { best });
    best.map_or(-1, |(at, _)| whole(at))
}

/// The place of the smallest element, or -1; null and NaN are skipped.
pub fn least(of: &str) -> i64 {
    foremost(of, Ordering::is_lt)
}

/// The place of the largest element, or -1; null and NaN are skipped.
pub fn greatest(of: &str) -> i64 {
    foremost(of, Ordering::is_gt)
}

/// Whether an element is true.
pub fn any_true(of: &str) -> bool {
    Packed(of).cells().any(|cell| cell == Cell::Bool(true))
}

/// Whether no element is false or null.
pub fn all_true(of: &str) -> bool {
    Packed(of).cells().all(|cell| cell == Cell::Bool(true))
}

/// In ascending order; null and NaN last.
pub fn sort(of: &str) -> Text {
    let mut cells: Vec<Cell<'_>> = Packed(of).cells().collect();
    cells.sort_by(|a, b| order(*a, *b));
    Text::from(pack(cells))
}

/// The second parts of pairs, ordered by the first, a time; of equal times in the order that they have.
pub fn by_time(of: &str) -> Text {
    fn part(pair: Cell<'_>, at: usize) -> Cell<'_> {
        if let Cell::Packed(pair) = pair { Packed(pair).cell(at) } else { Cell::Null }
    }
    let mut pairs: Vec<Cell<'_>> = Packed(of).cells().collect();
    pairs.sort_by(|a, b| order(part(*a, 0), part(*b, 0)));
    Text::from(pack(pairs.into_iter().map(|pair| part(pair, 1))))
}

/// The exponential moving average of numbers, alpha = 2/(n+1); NaN over nothing.
pub fn smoothed(of: &str, n: f64) -> f64 {
    let alpha = 2.0 / (n + 1.0);
    let number = |cell: Cell<'_>| if let Cell::Float(v) = cell { v } else { f64::NAN };
    Packed(of).cells().map(number).reduce(|average, x| alpha * x + (1.0 - alpha) * average).unwrap_or(f64::NAN)
}

/// From the last to the first.
pub fn reverse(of: &str) -> Text {
    Text::from(pack(Packed(of).cells().rev()))
}

/// The different elements, in order of first appearance.
pub fn different(of: &str) -> Text {
    let mut seen = std::collections::HashSet::new();
    let first = Packed(of).cells().filter(|cell| {
        // Cells that are the same are packed alike, but for two zeros and the many NaNs.
        let plain = match cell {
            Cell::Float(v) => Cell::Int(super::float_key(*v).cast_signed()),
            other => *other,
        };
        seen.insert(pack([plain]))
    });
    Text::from(pack(first))
}

/// The elements of all elements.
pub fn flatten(of: &str) -> Text {
    let mut all = Packer::new();
    for cell in Packed(of).cells() {
        if let Cell::Packed(inner) = cell {
            all.extend(Packed(inner));
        }
    }
    Text::from(all.finish())
}

fn pairs<'a>(both: impl Iterator<Item = (Cell<'a>, Cell<'a>)>) -> Text {
    let mut all = Packer::new();
    both.for_each(|(a, b)| all.push(Cell::Packed(&pack([a, b]))));
    Text::from(all.finish())
}

/// Pairs of the elements at equal places, as many as the shorter has.
pub fn zip(a: &str, b: &str) -> Text {
    pairs(Packed(a).cells().zip(Packed(b).cells()))
}

/// Each element with the next.
pub fn sliding_pairs(of: &str) -> Text {
    pairs(Packed(of).cells().zip(Packed(of).cells().skip(1)))
}

/// The keys of a map.
pub fn keys(of: &str) -> Text {
    Text::from(pack(Packed(of).cells().step_by(2)))
}

/// The values of a map.
pub fn values(of: &str) -> Text {
    Text::from(pack(Packed(of).cells().skip(1).step_by(2)))
}

/// The elements of both.
pub fn concat_arrays(a: &str, b: &str) -> Text {
    Text::from(pack(Packed(a).cells().chain(Packed(b).cells())))
}

/// How many integers a range may have.
const LONGEST_RANGE: i128 = 1_000_000;

/// The integers from one to before another.
pub fn range(from: i64, to: i64) -> Result<Text, Reason> {
    if i128::from(to) - i128::from(from) > LONGEST_RANGE {
        return Err(Reason::OutOfRange);
    }
    Ok(Text::from(pack((from..to).map(Cell::Int))))
}

/// The array, unless it is too large.
pub fn limited_array(of: &str) -> Result<Text, Reason> {
    super::limited_text(of)
}

/// The texts, with `separator` between them; null is skipped.
pub fn join(of: &str, separator: &str) -> Result<Text, Reason> {
    if Packed(of).len().saturating_mul(separator.len()).saturating_add(of.len()) > LARGEST {
        return Err(Reason::TooLarge);
    }
    let mut all = Text::default();
    let texts = Packed(of).cells().filter_map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None });
    for (at, text) in texts.enumerate() {
        if at > 0 {
            all.push_str(separator);
        }
        all.push_str(text);
    }
    Ok(all)
}

/// The parts between occurrences of `separator`; each character for the empty text.
pub fn split(text: &str, separator: &str) -> Text {
    let mut all = Packer::new();
    if separator.is_empty() {
        let mut one = [0; 4];
        text.chars().for_each(|c| all.push(Cell::Text(c.encode_utf8(&mut one))));
    } else {
        text.split(separator).for_each(|part| all.push(Cell::Text(part)));
    }
    Text::from(all.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(values: &[i64]) -> String {
        pack(values.iter().map(|v| Cell::Int(*v)))
    }

    #[test]
    fn places_and_slices() {
        let of = ints(&[1, 2, 3]);
        assert_eq!((place(&of, -1), place(&of, 3)), (Ok(2), Err(Reason::IndexOutOfRange)));
        assert_eq!(slice(&of, 1, i64::MAX), ints(&[2, 3]));
        assert_eq!(slice(&of, -2, -1), ints(&[2]));
        assert_eq!(slice(&of, 2, 1), ints(&[]));
        assert_eq!(slice_text("aé😀z", 1, -1), "é😀");
        assert_eq!((character("aé", -1), character("aé", 2)), (Ok(Text::from("é")), Err(Reason::IndexOutOfRange)));
        assert_eq!(character("a", i64::MIN), Err(Reason::IndexOutOfRange));
    }

    #[test]
    fn orders_and_extremes() {
        let floats = pack([Cell::Float(f64::NAN), Cell::Null, Cell::Float(0.0), Cell::Float(-0.0), Cell::Float(7.0)]);
        assert_eq!((least(&floats), greatest(&floats)), (3, 4));
        let sorted = pack([Cell::Float(-0.0), Cell::Float(0.0), Cell::Float(7.0), Cell::Float(f64::NAN), Cell::Null]);
        assert!(equal_packed(&sort(&floats), &sorted));
        assert_eq!((least(&ints(&[])), greatest(&pack([Cell::Null]))), (-1, -1));
        assert_eq!(different(&pack([Cell::Float(0.0), Cell::Float(-0.0), Cell::Null, Cell::Null])), pack([Cell::Float(0.0), Cell::Null]));
    }

    #[test]
    fn sums() {
        assert_eq!(sum_of_ints(&ints(&[i64::MAX, 1, -1])), Ok(i64::MAX));
        assert_eq!(sum_of_ints(&ints(&[i64::MAX, 1])), Err(Reason::Overflow));
        assert_eq!(sum_of_floats(&ints(&[])).to_bits(), 0);
    }

    #[test]
    fn several_become_one_and_one_several() {
        let (a, b) = (ints(&[1, 2]), ints(&[3]));
        assert_eq!(flatten(&pack([Cell::Packed(&a), Cell::Null, Cell::Packed(&b)])), ints(&[1, 2, 3]));
        assert_eq!(zip(&a, &b), pack([Cell::Packed(&ints(&[1, 3]))]));
        assert_eq!(sliding_pairs(&a), pack([Cell::Packed(&a)]));
        assert_eq!(concat_arrays(&a, &b), ints(&[1, 2, 3]));
        assert_eq!(range(-1, 2).as_deref(), Ok(ints(&[-1, 0, 1]).as_str()));
        assert_eq!(range(i64::MIN, i64::MAX), Err(Reason::OutOfRange));
        assert_eq!(join(&split("a--b", "-"), "+"), Ok(Text::from("a++b")));
        assert_eq!(parts(&split("aé", "")), 2);
    }

    #[test]
    fn keys_find_values() {
        let map = pack([Cell::Text("a"), Cell::Int(1), Cell::Text("b"), Cell::Int(2)]);
        assert_eq!((member(&map, &pack([Cell::Text("b")])), member(&map, &pack([Cell::Text("1")]))), (3, -1));
        assert_eq!((members(&map), parts(&keys(&map))), (2, 2));
        assert_eq!(values(&map), ints(&[1, 2]));
    }
}
