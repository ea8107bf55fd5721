//! Equality and hashes of texts in place: keys and labels are short, as a rule, and a call costs more than they do.

use cranelift::codegen::ir::condcodes::IntCC;
use cranelift::codegen::ir::{Block, BlockArg, Endianness, InstBuilder, MemFlagsData, Type, Value, types};

use super::Error;
use super::function::{FunctionMaker, Val, block_arguments};
use super::value::length;

/// How many bytes are compared in place at most: two words that may overlap.
const SHORT: u32 = 16;
const _: () = assert!(SHORT as u64 == varpulis_abi::layout::INLINE, "so many bytes stand in a slot itself");

/// Of a text's bytes: they lie anywhere, and words are put together from the first byte on.
const BYTES: MemFlagsData = MemFlagsData::new().with_notrap().with_endianness(Endianness::Little);

/// A load of some bytes.
#[derive(Clone, Copy)]
struct Chunk {
    ty: Type,
    bytes: u32,
}

/// From the widest: what two of them cover has between one and two times as many bytes.
const CHUNKS: [Chunk; 4] =
    [Chunk { ty: types::I64, bytes: 8 }, Chunk { ty: types::I32, bytes: 4 }, Chunk { ty: types::I16, bytes: 2 }, Chunk { ty: types::I8, bytes: 1 }];

/// How two words hold a short text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Its beginning and its end, whatever they have in common.
    Overlapping,
    /// As a slot does.
    Padded,
}

impl FunctionMaker<'_, '_, '_> {
    /// Whether two texts are equal; their bytes are looked at only if their lengths are equal.
    pub(super) fn same_text(&mut self, l: Val, r: Val) -> Result<Value, Error> {
        let on = self.builder.create_block();
        let result = self.builder.append_block_param(on, types::I8);
        self.lengths(l, r, on);
        self.same_bytes(l, r, on)?;
        self.builder.switch_to_block(on);
        Ok(result)
    }

    /// Whether a text is this one, which is also at hand as a value.
    pub(super) fn is_text(&mut self, l: Val, text: &str, value: Val) -> Result<Value, Error> {
        let on = self.builder.create_block();
        let result = self.builder.append_block_param(on, types::I8);
        self.lengths(l, value, on);
        if text.len() > SHORT as usize {
            self.same_bytes(l, value, on)?;
        } else {
            let bytes = text.as_bytes();
            let mut same: Option<Value> = None;
            if let Some(chunk) = CHUNKS.iter().find(|chunk| chunk.bytes as usize <= bytes.len()) {
                let last = bytes.len() - chunk.bytes as usize;
                let mut places = vec![0, last];
                places.dedup();
                for at in places {
                    let wanted = bytes.iter().skip(at).take(chunk.bytes as usize).rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
                    let loaded = self.builder.ins().load(chunk.ty, BYTES, l.first, at as i32);
                    let wanted = self.builder.ins().iconst(chunk.ty, wanted.cast_signed());
                    let equal = self.builder.ins().icmp(IntCC::Equal, loaded, wanted);
                    same = Some(same.map_or(equal, |same| self.builder.ins().band(same, equal)));
                }
            }
            let same = same.unwrap_or_else(|| self.builder.ins().iconst(types::I8, 1));
            self.builder.ins().jump(on, &block_arguments(Val::plain(same)));
        }
        self.builder.switch_to_block(on);
        Ok(result)
    }

    /// Goes on in a fresh block if the lengths are equal; leaves for a block with `false` if not.
    fn lengths(&mut self, l: Val, r: Val, on: Block) {
        let (equal, rest) = (self.builder.ins().icmp(IntCC::Equal, length(l), length(r)), self.builder.create_block());
        let no = self.builder.ins().iconst(types::I8, 0);
        self.builder.ins().brif(equal, rest, &[], on, &block_arguments(Val::plain(no)));
        self.builder.switch_to_block(rest);
    }

    /// Goes on with the hash of a key: the two halves of a product, folded.
    pub(super) fn fold(&mut self, state: Value, word: Value, seed: Value) -> Value {
        let mixed = self.builder.ins().bxor(state, word);
        let (low, high) = (self.builder.ins().imul(mixed, seed), self.builder.ins().umulhi(mixed, seed));
        self.builder.ins().bxor(low, high)
    }

    /// The same with a text: as its first and last words, if that is all of it.
    pub(super) fn hash_text(&mut self, hasher: Value, state: Value, seed: Value, text: Value, size: Value) -> Result<Value, Error> {
        let on = self.builder.create_block();
        let words = [types::I64; 2].map(|ty| self.builder.append_block_param(on, ty));
        self.short_words(text, size, Words::Overlapping, on);
        let (hash, zero) = (self.helper("hash_text", &[hasher, text, size])?, self.word(0));
        self.builder.ins().jump(on, &[hash, zero].map(BlockArg::Value));
        self.builder.switch_to_block(on);
        let state = self.builder.ins().iadd(state, size);
        let seed = self.builder.ins().bxor(seed, words[1]);
        Ok(self.fold(state, words[0], seed))
    }

    /// Gives a text to a slot. A short one that replaces a short one is written in place, by way of registers, since it may be a part of it.
    pub(super) fn store_text(&mut self, slot: Value, offset: i32, text: Value, size: Value) -> Result<(), Error> {
        let [short, owned, on] = [(); 3].map(|()| self.builder.create_block());
        let words = [types::I64; 2].map(|ty| self.builder.append_block_param(short, ty));
        let kept = self.load(types::I64, slot, offset);
        let (is_boxed, inline) = (self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, kept, 0), self.builder.create_block());
        self.builder.ins().brif(is_boxed, owned, &[], inline, &[]);
        self.builder.switch_to_block(inline);
        self.short_words(text, size, Words::Padded, short);
        self.builder.ins().jump(owned, &[]);
        self.builder.switch_to_block(short);
        self.store(size, slot, offset);
        for (word, at) in words.into_iter().zip([8, 16]) {
            self.builder.ins().store(BYTES, word, slot, offset + at);
        }
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(owned);
        let place = self.builder.ins().iadd_imm_s(slot, i64::from(offset));
        self.helper("store_text", &[place, text, size])?;
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(on);
        Ok(())
    }

    /// Goes to a block with the words that hold a text of 1 to 16 bytes; goes on where it is none.
    fn short_words(&mut self, text: Value, size: Value, as_what: Words, on: Block) {
        for chunk in CHUNKS.into_iter().take(2) {
            let (these, rest) = (self.builder.create_block(), self.builder.create_block());
            let behind = self.builder.ins().iadd_imm_s(size, -i64::from(chunk.bytes));
            let enough = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, behind, i64::from(chunk.bytes));
            self.builder.ins().brif(enough, these, &[], rest, &[]);
            self.builder.switch_to_block(these);
            let end = self.builder.ins().iadd(text, behind);
            let [first, last] = [text, end].map(|at| {
                let word = self.builder.ins().load(chunk.ty, BYTES, at, 0);
                if chunk.bytes < 8 { self.builder.ins().uextend(types::I64, word) } else { word }
            });
            let words = if as_what == Words::Overlapping { [first, last] } else { self.padded(chunk, first, last, behind) };
            self.builder.ins().jump(on, &words.map(BlockArg::Value));
            self.builder.switch_to_block(rest);
        }
        let (few, rest) = (self.builder.create_block(), self.builder.create_block());
        let last = self.builder.ins().iadd_imm_s(size, -1);
        let enough = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, last, 3);
        self.builder.ins().brif(enough, few, &[], rest, &[]);
        self.builder.switch_to_block(few);
        let (zero, middle) = (self.word(0), self.builder.ins().ushr_imm_u(size, 1));
        let mut word = zero;
        for number in [zero, middle, last] {
            let at = self.builder.ins().iadd(text, number);
            let byte = self.builder.ins().load(types::I8, BYTES, at, 0);
            let byte = self.builder.ins().uextend(types::I64, byte);
            let bits = self.builder.ins().ishl_imm_u(number, 3);
            let shifted = self.builder.ins().ishl(byte, bits);
            word = self.builder.ins().bor(word, shifted);
        }
        self.builder.ins().jump(on, &[word, zero].map(BlockArg::Value));
        self.builder.switch_to_block(rest);
    }

    /// Two words with zeros behind the text, from its first and last chunk; the last one begins `behind` the first.
    fn padded(&mut self, chunk: Chunk, first: Value, last: Value, behind: Value) -> [Value; 2] {
        let bits = self.builder.ins().ishl_imm_u(behind, 3);
        if chunk.bytes < 8 {
            let shifted = self.builder.ins().ishl(last, bits);
            return [self.builder.ins().bor(first, shifted), self.word(0)];
        }
        // What the first word has already goes out below; in two steps, since all of it may.
        let half = self.builder.ins().ushr_imm_u(bits, 1);
        let all = self.word(32);
        let half = self.builder.ins().isub(all, half);
        let once = self.builder.ins().ushr(last, half);
        [first, self.builder.ins().ushr(once, half)]
    }

    /// Asks the helper, for texts of one length.
    fn same_bytes(&mut self, l: Val, r: Val, on: Block) -> Result<(), Error> {
        let equal = self.helper("same_text", &[l.first, r.first, length(l)])?;
        let equal = self.builder.ins().ireduce(types::I8, equal);
        self.builder.ins().jump(on, &block_arguments(Val::plain(equal)));
        Ok(())
    }
}
