//! Values made of values — arrays, tuples, maps and records — as one run of ASCII and UTF-8, so that whatever borrows, owns, keeps, hashes and
//! passes texts does so with them, and no value points into memory of its own.
//!
//! A packed value is the number of its parts (five digits), a cell for each (a character that says what it is, and ten digits), and then the
//! texts of cells, one behind the other. Digits have seven bits, the lowest first. A cell's digits are 64 bits of payload; of a text, or of another
//! packed value, they are its place behind the cells and its length, 35 bits each. Parts are found in constant time.

use alloc::string::String;

use crate::reason::Reason;

/// One part of a packed value.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Cell<'a> {
    /// Null.
    #[default]
    Null,
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `decimal`
    Decimal(i128),
    /// `bool`
    Bool(bool),
    /// `timestamp`
    Timestamp(i64),
    /// `duration`
    Duration(i64),
    /// An enum's variant.
    Enum(u32),
    /// `str`
    Text(&'a str),
    /// `any`
    Json(&'a str),
    /// Another packed value.
    Packed(&'a str),
}

const HEAD: usize = HALF;
const CELL: usize = 1 + 2 * HALF;
const HALF: usize = 5;
const HALF_BITS: u32 = 35;

/// Seven of each eight bits, put together.
fn gather(spread: u64) -> u64 {
    let pairs = (spread & 0x007f_007f_007f_007f) | (spread & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4
}

/// 56 bits, seven to a byte.
fn spread(bits: u64) -> u64 {
    let fours = (bits & 0x0fff_ffff) | (bits & 0x00ff_ffff_f000_0000) << 4;
    let pairs = (fours & 0x0000_3fff_0000_3fff) | (fours & 0x0fff_c000_0fff_c000) << 2;
    (pairs & 0x007f_007f_007f_007f) | (pairs & 0x3f80_3f80_3f80_3f80) << 1
}

/// 64 bits as ten digits; the last one has one bit.
fn digits(bits: u64) -> [u8; 2 * HALF] {
    let mut all = [0; 2 * HALF];
    let low = spread(bits & ((1 << 56) - 1)).to_le_bytes();
    all[..8].copy_from_slice(&low);
    all[8] = (bits >> 56) as u8 & 0x7f;
    all[9] = (bits >> 63) as u8;
    all
}

/// 35 bits as five digits.
fn half(bits: u64) -> [u8; HALF] {
    let word = spread(bits & ((1 << HALF_BITS) - 1)).to_le_bytes();
    [word[0], word[1], word[2], word[3], word[4]]
}

fn bits_of(digits: &[u8; 2 * HALF]) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j] = *digits;
    gather(u64::from_le_bytes([a, b, c, d, e, f, g, h])) | u64::from(i) << 56 | u64::from(j) << 63
}

fn bits_of_half(digits: &[u8; HALF]) -> u64 {
    let [a, b, c, d, e] = *digits;
    gather(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]))
}

/// Makes a packed value, part by part.
#[derive(Clone, Debug, Default)]
pub struct Packer {
    count: u64,
    cells: String,
    texts: String,
}

/// How many bytes a text or an array may have that a program makes, where it can make one that is larger than everything it was made of.
pub const LARGEST: usize = 64 << 20;

impl Packer {
    /// Adds a part behind the others, unless they would become too large, and larger than the `source` bytes that they are made of.
    pub fn push_within(&mut self, cell: Cell<'_>, source: usize) -> Result<(), Reason> {
        let size = self.cells.len() + self.texts.len() + cell.text().map_or(0, str::len);
        if size > LARGEST.max(source) {
            return Err(Reason::TooLarge);
        }
        self.push(cell);
        Ok(())
    }

    /// One without parts.
    pub const fn new() -> Self {
        Self { count: 0, cells: String::new(), texts: String::new() }
    }

    /// How many parts it has.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a part behind the others.
    pub fn push(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => self.cell('0', digits(0)),
            Cell::Int(v) => self.cell('i', digits(v.cast_unsigned())),
            Cell::Float(v) => self.cell('f', digits(v.to_bits())),
            Cell::Bool(v) => self.cell('b', digits(u64::from(v))),
            Cell::Timestamp(v) => self.cell('t', digits(v.cast_unsigned())),
            Cell::Duration(v) => self.cell('d', digits(v.cast_unsigned())),
            Cell::Enum(v) => self.cell('e', digits(u64::from(v))),
            Cell::Decimal(v) => self.text('m', &alloc::format!("{v}")),
            Cell::Text(text) => self.text('s', text),
            Cell::Json(text) => self.text('j', text),
            Cell::Packed(text) => self.text('p', text),
        }
    }

    fn text(&mut self, kind: char, text: &str) {
        let (place, length) = (half(self.texts.len() as u64), half(text.len() as u64));
        let mut both = [0; 2 * HALF];
        both[..HALF].copy_from_slice(&place);
        both[HALF..].copy_from_slice(&length);
        self.cell(kind, both);
        self.texts.push_str(text);
    }

    fn cell(&mut self, kind: char, digits: [u8; 2 * HALF]) {
        self.count += 1;
        self.cells.push(kind);
        // Digits are below 128.
        self.cells.push_str(core::str::from_utf8(&digits).unwrap_or_default());
    }

    /// Adds the parts of another one behind its own.
    pub fn extend(&mut self, others: Packed<'_>) {
        others.cells().for_each(|cell| self.push(cell));
    }

    /// Adds the parts of another one in the making behind its own. O(parts of the other).
    pub fn append(&mut self, other: &Self) {
        let moved = self.texts.len() as u64;
        self.count += other.count;
        for cell in other.cells.as_bytes().chunks_exact(CELL) {
            let Some((kind, digits)) = cell.split_first() else { continue };
            self.cells.push(char::from(*kind));
            let (Some(place), true) = (digits.first_chunk::<HALF>(), matches!(kind, b's' | b'j' | b'p' | b'm')) else {
                self.cells.push_str(core::str::from_utf8(digits).unwrap_or_default());
                continue;
            };
            let place = half(bits_of_half(place) + moved);
            self.cells.push_str(core::str::from_utf8(&place).unwrap_or_default());
            self.cells.push_str(core::str::from_utf8(digits.get(HALF..).unwrap_or_default()).unwrap_or_default());
        }
        self.texts.push_str(&other.texts);
    }

    /// Begins anew, with the memory that there is.
    pub fn clear(&mut self) {
        self.count = 0;
        self.cells.clear();
        self.texts.clear();
    }

    /// Appends the packed value to `out`.
    pub fn write(&self, out: &mut String) {
        out.reserve(HEAD + self.cells.len() + self.texts.len());
        out.push_str(core::str::from_utf8(&half(self.count)).unwrap_or_default());
        out.push_str(&self.cells);
        out.push_str(&self.texts);
    }

    /// The packed value.
    pub fn finish(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Parts as a packed value.
pub fn pack<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> String {
    let mut packer = Packer::new();
    cells.into_iter().for_each(|cell| packer.push(cell));
    packer.finish()
}

/// A packed value, read. A text that is none reads as one with fewer parts, or with nulls.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a>(pub &'a str);

impl<'a> Packed<'a> {
    /// How many parts it has.
    #[inline]
    pub fn len(self) -> usize {
        let count = self.0.as_bytes().first_chunk::<HEAD>().map_or(0, bits_of_half) as usize;
        count.min(self.0.len().saturating_sub(HEAD) / CELL)
    }

    /// Whether it has none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The part at a place, from 0; null behind the last.
    pub fn cell(self, at: usize) -> Cell<'a> {
        let count = self.len();
        if at >= count {
            return Cell::Null;
        }
        let start = HEAD + at * CELL;
        let Some((kind, rest)) = self.0.as_bytes().get(start..).and_then(<[u8]>::split_first) else { return Cell::Null };
        let Some(digits) = rest.first_chunk::<{ 2 * HALF }>() else { return Cell::Null };
        let bits = bits_of(digits);
        match kind {
            b'i' => Cell::Int(bits.cast_signed()),
            b'f' => Cell::Float(f64::from_bits(bits)),
            b'b' => Cell::Bool(bits != 0),
            b't' => Cell::Timestamp(bits.cast_signed()),
            b'd' => Cell::Duration(bits.cast_signed()),
            b'e' => Cell::Enum(bits as u32),
            b'm' => self.text(count, digits).parse().map_or(Cell::Null, Cell::Decimal),
            b's' => Cell::Text(self.text(count, digits)),
            b'j' => Cell::Json(self.text(count, digits)),
            b'p' => Cell::Packed(self.text(count, digits)),
            _ => Cell::Null,
        }
    }

    fn text(self, count: usize, digits: &[u8; 2 * HALF]) -> &'a str {
        let texts = self.0.get(HEAD + count * CELL..).unwrap_or_default();
        let (Some(place), Some(length)) = (digits.first_chunk::<HALF>(), digits.last_chunk::<HALF>()) else { return "" };
        let (place, length) = (bits_of_half(place) as usize, bits_of_half(length) as usize);
        texts.get(place..place.saturating_add(length)).unwrap_or_default()
    }

    /// All parts, in order.
    pub fn cells(self) -> impl DoubleEndedIterator<Item = Cell<'a>> + Clone {
        (0..self.len()).map(move |at| self.cell(at))
    }

    /// Where a place counted from the end, if it is negative, lies from the beginning; `None` if it is out of range.
    pub fn place(self, at: i64) -> Option<usize> {
        let length = self.len() as i64;
        let at = if at < 0 { at.checked_add(length)? } else { at };
        (0..length).contains(&at).then_some(at as usize)
    }
}

impl<'a> Cell<'a> {
    /// What it holds as text.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) | Cell::Json(text) | Cell::Packed(text) => Some(text),
            _ => None,
        }
    }

    /// Whether both are the same, as keys are: null is null, NaN is NaN, and −0 is 0.
    pub fn is_same(self, other: Cell<'_>) -> bool {
        match (self, other) {
            (Cell::Float(a), Cell::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Cell::Packed(a), Cell::Packed(b)) => same(a, b),
            _ => self == other,
        }
    }
}

/// Whether two packed values have the same parts.
pub fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (Packed(a), Packed(b));
    a.len() == b.len() && a.cells().zip(b.cells()).all(|(a, b)| a.is_same(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn every(inner: &str) -> Vec<Cell<'_>> {
        vec![
            Cell::Null,
            Cell::Int(0),
            Cell::Int(-1),
            Cell::Int(i64::MIN),
            Cell::Int(i64::MAX),
            Cell::Int(0x0123_4567_89ab_cdef),
            Cell::Decimal(0),
            Cell::Decimal(i128::MIN),
            Cell::Decimal(99_999_999_999_999_999_999_999_999_999_999_999_999),
            Cell::Float(-0.0),
            Cell::Float(f64::MIN_POSITIVE),
            Cell::Float(f64::NEG_INFINITY),
            Cell::Bool(true),
            Cell::Bool(false),
            Cell::Timestamp(-5),
            Cell::Duration(7),
            Cell::Enum(u32::MAX),
            Cell::Text(""),
            Cell::Text("é\u{0}😀"),
            Cell::Json("[1]"),
            Cell::Packed(inner),
        ]
    }

    #[test]
    fn parts_are_what_was_packed() {
        let inner = pack([Cell::Text("a"), Cell::Int(1)]);
        let cells = every(&inner);
        let packed = pack(cells.iter().copied());
        assert_eq!(Packed(&packed).len(), cells.len());
        assert_eq!(Packed(&packed).cells().collect::<Vec<_>>(), cells);
        assert_eq!(Packed(&packed).cell(cells.len()), Cell::Null);
        assert!(Packed(&pack([])).is_empty());
    }

    #[test]
    fn every_bit_has_its_place() {
        for bit in 0..64 {
            assert_eq!(bits_of(&digits(1 << bit)), 1 << bit);
        }
        for bit in 0..HALF_BITS {
            assert_eq!(bits_of_half(&half(1 << bit)), 1 << bit);
        }
    }

    #[test]
    fn one_is_put_behind_another() {
        let inner = pack([Cell::Bool(true)]);
        let packed = pack(every(&inner));
        let mut packer = Packer::new();
        packer.push(Cell::Text("before"));
        packer.extend(Packed(&packed));
        packer.extend(Packed(&pack([])));
        assert_eq!(packer.len(), every(&inner).len() + 1);
        let all = packer.finish();
        assert_eq!(Packed(&all).cells().skip(1).collect::<Vec<_>>(), every(&inner));
        packer.clear();
        assert_eq!(packer.finish(), pack([]));
    }

    #[test]
    fn any_text_can_be_read() {
        let packed = pack(every(""));
        for end in (0..packed.len()).filter(|at| packed.is_char_boundary(*at)) {
            for start in [0, 1, 5, 9] {
                let part = packed.get(start..end).unwrap_or_default();
                Packed(part).cells().for_each(drop);
            }
        }
    }

    #[test]
    fn sameness_is_that_of_keys() {
        let nested = |v| pack([Cell::Packed(&pack([Cell::Float(v), Cell::Null]))]);
        assert!(same(&nested(0.0), &nested(-0.0)));
        assert!(same(&nested(f64::NAN), &nested(-f64::NAN)));
        assert!(!same(&nested(1.0), &nested(2.0)));
        assert!(!same(&nested(1.0), &pack([])));
    }

    #[test]
    fn places_count_from_both_ends() {
        let packed = pack([Cell::Int(1), Cell::Int(2)]);
        let place = |at| Packed(&packed).place(at);
        assert_eq!([place(0), place(1), place(2), place(-1), place(-2), place(-3), place(i64::MIN)], [Some(0), Some(1), None, Some(1), Some(0), None, None]);
    }
}
