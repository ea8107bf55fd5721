//! Records in memory: fields of rows, slots and events, read into registers and written back.

use cranelift::codegen::ir::condcodes::IntCC;
use cranelift::codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use varpulis_abi::layout::{Held, Kind, Place, value as decoded};
use varpulis_abi::scalar::{Physical, Scalar};

use super::Error;
use super::function::{FunctionMaker, TRUSTED, UNCHANGING, Val, register};

impl FunctionMaker<'_, '_, '_> {
    /// The value at a place of a record.
    pub(super) fn read(&mut self, base: Value, place: &Place, kind: Kind) -> Val {
        let Held::Scalar(ty) = place.held else { return Val::plain(base) };
        let offset = place.offset as i32;
        match kind {
            Kind::Event => self.read_decoded(base, place, ty),
            Kind::Slot => {
                let flag = place.flag.map(|flag| self.load(types::I8, base, flag as i32));
                if !ty.scalar.is_text() {
                    return Val { flag, ..self.read_plain(base, offset, ty.scalar, TRUSTED) };
                }
                let (length, address) = (self.load(types::I64, base, offset), self.load(types::I64, base, offset + 8));
                let inside = self.builder.ins().iadd_imm_s(base, i64::from(offset + 8));
                let boxed = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, length, 0);
                let first = self.builder.ins().select(boxed, address, inside);
                Val { flag, first, second: Some(self.builder.ins().band_imm_s(length, i64::MAX)) }
            }
            Kind::Row => {
                let flag = place.flag.map(|flag| self.builder.ins().load(types::I8, UNCHANGING, base, flag as i32));
                Val { flag, ..self.read_plain(base, offset, ty.scalar, UNCHANGING) }
            }
        }
    }

    /// A value's words.
    fn read_plain(&mut self, base: Value, offset: i32, scalar: Scalar, flags: MemFlagsData) -> Val {
        let ins = &mut self.builder;
        match scalar {
            Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal => {
                let (first, second) = (ins.ins().load(types::I64, flags, base, offset), ins.ins().load(types::I64, flags, base, offset + 8));
                Val { flag: None, first, second: Some(second) }
            }
            Scalar::Wide => {
                let (low, high) = (ins.ins().load(types::I64, flags, base, offset), ins.ins().load(types::I64, flags, base, offset + 8));
                Val::plain(ins.ins().iconcat(low, high))
            }
            _ => Val::plain(ins.ins().load(register(scalar), flags, base, offset)),
        }
    }

    /// The value of an event's field. What is not of the field's type is null, or the type's zero: what stands beside such a tag is never used
    /// as an address.
    fn read_decoded(&mut self, row: Value, place: &Place, ty: Physical) -> Val {
        let values = self.values_of(row);
        let tag = self.builder.ins().load(types::I8, UNCHANGING, values, place.flag.unwrap_or_default() as i32);
        // Types that share a class have it in common under the mask; others are alone in theirs.
        let shared = matches!(decoded::class(ty.scalar), decoded::INT | decoded::TEXT);
        let class = if shared { self.builder.ins().band_imm_u(tag, i64::from(decoded::CLASS)) } else { tag };
        let there = self.builder.ins().icmp_imm_u(IntCC::Equal, class, i64::from(decoded::class(ty.scalar)));
        let found = self.read_plain(values, place.offset as i32, ty.scalar, UNCHANGING);
        let zero = self.zero(ty);
        let second = found.second.zip(zero.second).map(|(second, zero)| self.builder.ins().select(there, second, zero));
        if ty.nullable {
            return Val { flag: Some(there), first: found.first, second };
        }
        let first = if ty.scalar.is_text() { found.first } else { self.builder.ins().select(there, found.first, zero.first) };
        Val { flag: None, first, second }
    }

    /// Writes a value to a place of a row (which borrows texts) or a slot (which owns them).
    pub(super) fn write(&mut self, base: Value, place: &Place, value: Val, owns: bool) -> Result<(), Error> {
        let Held::Scalar(Physical { scalar, .. }) = place.held else { return Ok(()) };
        let offset = place.offset as i32;
        if let Some(at) = place.flag {
            let flag = value.flag.unwrap_or_else(|| self.builder.ins().iconst(types::I8, 1));
            self.store(flag, base, at as i32);
        }
        match scalar {
            Scalar::Text | Scalar::Json | Scalar::Packed => {
                let length = value.second.unwrap_or(value.first);
                if owns {
                    self.store_text(base, offset, value.first, length)?;
                } else {
                    self.store(value.first, base, offset);
                    self.store(length, base, offset + 8);
                }
            }
            Scalar::Decimal => {
                let high = value.second.unwrap_or(value.first);
                self.store(value.first, base, offset);
                self.store(high, base, offset + 8);
            }
            Scalar::Wide => {
                let (low, high) = self.builder.ins().isplit(value.first);
                self.store(low, base, offset);
                self.store(high, base, offset + 8);
            }
            Scalar::Bool | Scalar::Enum => {
                // A word is written whole, so that what reads it as one finds nothing else there.
                let word = self.builder.ins().uextend(types::I64, value.first);
                self.store(word, base, offset);
            }
            Scalar::Int | Scalar::Float | Scalar::Timestamp | Scalar::Duration => self.store(value.first, base, offset),
        }
        Ok(())
    }

    /// Null, or the zero, of a type.
    pub(super) fn zero(&mut self, ty: Physical) -> Val {
        let first = match ty.scalar {
            Scalar::Float => self.builder.ins().f64const(0.0),
            Scalar::Wide => {
                let zero = self.word(0);
                self.builder.ins().sextend(types::I128, zero)
            }
            scalar => self.builder.ins().iconst(register(scalar), 0),
        };
        let second = ty.scalar.is_pair().then(|| self.word(0));
        let flag = ty.nullable.then(|| self.builder.ins().iconst(types::I8, 0));
        Val { flag, first, second }
    }
}
