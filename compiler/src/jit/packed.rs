//! Values made of others: packing them, and their parts, by helpers.

use cranelift::codegen::ir::condcodes::IntCC;
use cranelift::codegen::ir::{BlockArg, InstBuilder, StackSlotData, StackSlotKind, Value, types};

use varpulis_abi::jit::context;
use varpulis_abi::layout::value as decoded;
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Physical;

use super::Error;
use super::function::{BodyMaker, Val};
use super::value::length;
use crate::lower::ir::{Region, SiteId, ValueId};

impl BodyMaker<'_, '_, '_, '_> {
    /// Room for so many values, in the layout that the runtime has for them.
    fn room(&mut self, count: usize) -> Value {
        let size = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(decoded::SIZE).max(decoded::SIZE);
        let slot = self.maker.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3));
        self.maker.builder.ins().stack_addr(types::I64, slot, 0)
    }

    /// Writes a value where the runtime reads it, its tag as a whole word.
    fn put(&mut self, v: ValueId, base: Value, at: usize) -> Result<(), Error> {
        let Physical { scalar, .. } = self.body.value(v).ty;
        let value = self.get(v)?;
        let offset = i32::try_from(at).unwrap_or(i32::MAX).saturating_mul(decoded::SIZE as i32);
        let mut tag = self.maker.word(i64::from(decoded::tag(scalar)));
        if let Some(flag) = value.flag {
            let null = self.maker.word(i64::from(decoded::NULL));
            tag = self.maker.builder.ins().select(flag, tag, null);
        }
        self.maker.store(tag, base, offset);
        let word = self.word_of(scalar, value.first);
        self.maker.store(word, base, offset + decoded::PAYLOAD as i32);
        if let Some(length) = value.second {
            self.maker.store(length, base, offset + decoded::PAYLOAD as i32 + 8);
        }
        Ok(())
    }

    fn kept(&mut self, address: Value) -> Val {
        let context = self.maker.context;
        let second = Some(self.maker.load(types::I64, context, context::LENGTH));
        Val { flag: None, first: address, second }
    }

    pub(super) fn pack(&mut self, values: &[ValueId]) -> Result<Val, Error> {
        let base = self.room(values.len());
        for (at, v) in values.iter().enumerate() {
            self.put(*v, base, at)?;
        }
        let (context, count) = (self.maker.context, self.maker.word(values.len() as i64));
        let address = self.maker.helper("pack", &[context, base, count])?;
        Ok(self.kept(address))
    }

    pub(super) fn part(&mut self, of: ValueId, at: ValueId, ty: Physical) -> Result<Val, Error> {
        let (of, at) = (self.get(of)?, self.get(at)?.first);
        let context = self.maker.context;
        let there = self.maker.helper("part", &[context, of.first, length(of), at])?;
        let there = self.maker.builder.ins().icmp_imm_s(IntCC::NotEqual, there, 0);
        let word = self.maker.load(types::I64, context, context::VALUE);
        let first = self.value_of(ty.scalar, word);
        let zero = self.maker.zero(ty);
        // What stands beside a null may be anything, but no address.
        let second = match zero.second {
            Some(zero) => {
                let length = self.maker.load(types::I64, context, context::LENGTH);
                Some(self.maker.builder.ins().select(there, length, zero))
            }
            None => None,
        };
        if ty.nullable {
            return Ok(Val { flag: Some(there), first, second });
        }
        let first = if ty.scalar.is_text() { first } else { self.maker.builder.ins().select(there, first, zero.first) };
        Ok(Val { flag: None, first, second })
    }

    pub(super) fn index(&mut self, number: u32) -> Result<Val, Error> {
        self.indices.get(&number).map(|at| Val::plain(*at)).ok_or_else(|| Error::unknown("element"))
    }

    /// A loop over the elements.
    pub(super) fn gather(&mut self, (of, number): (ValueId, u32), keep: Option<&Region>, body: &Region, (site, grows): (SiteId, bool)) -> Result<Val, Error> {
        let context = self.maker.context;
        self.fill_tank();
        let base = self.room(1);
        let mut words = vec![context];
        self.words(&[of], &mut words)?;
        let count = self.maker.imported("parts".to_owned(), &words, |module, f| module.function("parts", f))?;
        self.maker.helper("gather", &[context])?;
        let [head, inside, next, behind] = [(); 4].map(|()| self.maker.builder.create_block());
        let at = self.maker.builder.append_block_param(head, types::I64);
        let zero = self.maker.word(0);
        self.maker.builder.ins().jump(head, &[BlockArg::Value(zero)]);
        self.maker.builder.switch_to_block(head);
        let more = self.maker.builder.ins().icmp(IntCC::SignedLessThan, at, count);
        self.maker.builder.ins().brif(more, inside, &[], behind, &[]);
        self.maker.builder.switch_to_block(inside);
        self.burn(site);
        self.indices.insert(number, at);
        self.loops += 1;
        if let Some(keep) = keep
            && self.list(&keep.statements)?
            && let Some(condition) = keep.result
        {
            let (condition, on) = (self.get(condition)?.first, self.maker.builder.create_block());
            self.maker.builder.ins().brif(condition, on, &[], next, &[]);
            self.maker.builder.switch_to_block(on);
        }
        if self.list(&body.statements)?
            && let Some(value) = body.result
        {
            self.put(value, base, 0)?;
            // What cannot grow has no limit.
            let source = if grows { self.get(of).map(length)? } else { self.maker.word(i64::MAX) };
            let large = self.maker.helper("gather_one", &[context, base, source])?;
            if grows {
                let large = self.maker.builder.ins().icmp_imm_s(IntCC::NotEqual, large, 0);
                self.maker.refuse_if(large, site, Reason::TooLarge);
            }
        }
        self.maker.builder.ins().jump(next, &[]);
        self.maker.builder.switch_to_block(next);
        let following = self.maker.builder.ins().iadd_imm_s(at, 1);
        self.maker.builder.ins().jump(head, &[BlockArg::Value(following)]);
        self.maker.builder.switch_to_block(behind);
        self.loops -= 1;
        let address = self.maker.helper("gathered", &[context])?;
        Ok(self.kept(address))
    }

    /// Where loops are limited, one that stands in no other begins with all that it may use; helpers take from it what they make.
    pub(super) fn fill_tank(&mut self) {
        if let (Some(fuel), 0) = (self.maker.shared.fuel, self.loops) {
            let (context, fuel) = (self.maker.context, self.maker.word(i64::try_from(fuel).unwrap_or(i64::MAX)));
            self.maker.store(fuel, context, context::FUEL);
        }
    }

    /// One more time around.
    pub(super) fn burn(&mut self, site: SiteId) {
        if self.maker.shared.fuel.is_some() {
            let context = self.maker.context;
            let before = self.maker.load(types::I64, context, context::FUEL);
            let left = self.maker.builder.ins().iadd_imm_s(before, -1);
            self.maker.store(left, context, context::FUEL);
            let empty = self.maker.builder.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
            self.maker.refuse_if(empty, site, Reason::OutOfFuel);
        }
    }
}
