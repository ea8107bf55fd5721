//! Memory that compiled code reads by address: texts, and the arena for those that functions make.
#![expect(unsafe_code, reason = "compiled code holds addresses; each function states what they must be")]

/// The text of that address and length.
///
/// # Safety
/// The length is 0, or the address is that of so many bytes of UTF-8 that live and do not change for `'a`.
#[inline(always)]
pub(super) unsafe fn text<'a>(address: u64, length: u64) -> &'a str {
    if length == 0 {
        return "";
    }
    let start = std::ptr::with_exposed_provenance::<u8>(address as usize);
    // SAFETY: by this function's contract.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(start, length as usize)) }
}

/// The words of a text: its address and its length.
#[inline(always)]
pub(super) fn words(text: &str) -> [u64; 2] {
    [text.as_ptr().expose_provenance() as u64, text.len() as u64]
}

/// The size of a chunk, unless a text needs more.
const CHUNK: usize = 16 << 10;

/// Texts that functions make for one event. They stay where they are until the arena goes back to a mark before them.
#[derive(Default)]
pub(super) struct Arena {
    /// Each with its capacity fixed when it is made.
    chunks: Vec<Vec<u8>>,
    /// The chunk that is being filled, and how far; those behind it are empty.
    now: Mark,
}

/// A moment of an arena.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    chunk: usize,
    length: usize,
}

impl Arena {
    /// Copies a text into the arena.
    pub(super) fn keep(&mut self, text: &str) -> [u64; 2] {
        loop {
            match self.chunks.get_mut(self.now.chunk) {
                Some(chunk) if chunk.capacity() - chunk.len() >= text.len() => {
                    let start = chunk.len();
                    chunk.extend_from_slice(text.as_bytes());
                    self.now.length = chunk.len();
                    let address = chunk.as_ptr().expose_provenance() + start;
                    return [address as u64, text.len() as u64];
                }
                Some(chunk) if chunk.is_empty() => chunk.reserve_exact(text.len()),
                Some(_) => self.now = Mark { chunk: self.now.chunk + 1, length: 0 },
                None => self.chunks.push(Vec::with_capacity(CHUNK)),
            }
        }
    }

    #[inline]
    pub(super) fn mark(&self) -> Mark {
        self.now
    }

    /// Forgets what was kept since the mark.
    #[inline]
    pub(super) fn reset(&mut self, mark: Mark) {
        if self.now != mark {
            self.go_back(mark);
        }
    }

    #[inline(never)]
    fn go_back(&mut self, mark: Mark) {
        if self.now.chunk != mark.chunk {
            self.chunks.iter_mut().skip(mark.chunk + 1).for_each(Vec::clear);
            // Room for one unusually large event is not kept for good.
            self.chunks.truncate(mark.chunk + 2);
        }
        if let Some(chunk) = self.chunks.get_mut(mark.chunk) {
            chunk.truncate(mark.length);
        }
        self.now = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_where_they_are() {
        let mut arena = Arena::default();
        let start = arena.mark();
        let kept: Vec<(String, [u64; 2])> = (0..2_000usize)
            .map(|n| {
                let text = "é".repeat(n % 700) + &n.to_string();
                let words = arena.keep(&text);
                (text, words)
            })
            .collect();
        let large = arena.keep(&"x".repeat(100_000));
        // SAFETY: the arena has not gone back.
        assert!(kept.iter().all(|(text, words)| text == unsafe { self::text(words[0], words[1]) }));
        assert_eq!(large[1], 100_000);
        arena.reset(start);
        assert!(arena.chunks.len() <= 2);
        arena.keep("again");
        let mark = arena.mark();
        arena.keep("more");
        arena.reset(mark);
        assert_eq!(arena.chunks.first().map(Vec::len), Some(5));
    }
}
