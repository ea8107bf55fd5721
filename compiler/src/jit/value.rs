//! Values: the instructions of one operation. The match has no arm for the rest, so that a new operation does not compile without one here.
#![deny(clippy::wildcard_enum_match_arm)]

use cranelift::codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift::codegen::ir::{InstBuilder, Value, types};
use varpulis_abi::jit::{ARGUMENT_WORDS, context, firing, hasher};
use varpulis_abi::layout::Kind;
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::{Physical, Scalar};

use super::Error;
use super::function::{BodyMaker, Val, block_arguments, register};
use crate::analysis::typed::Literal;
use crate::functions::Function;
use crate::lower::ir::{Arithmetic, Body, Comparison, Op, Read, Region, SiteId, ValueId};

impl BodyMaker<'_, '_, '_, '_> {
    /// Evaluates a value.
    pub(super) fn op(&mut self, id: ValueId) -> Result<Val, Error> {
        let value = self.body.value(id);
        let ty = value.ty;
        Ok(match &value.op {
            Op::Const(literal) => self.constant(literal, ty),
            Op::Null => self.maker.zero(Physical { nullable: true, ..ty }),
            Op::Load { param, record, field } => {
                let base = self.parameter(param)?;
                match self.maker.shared.records.place(*record, *field) {
                    Some(place) => self.maker.read(base, &place, self.maker.shared.records.kind(*record)),
                    None => self.maker.zero(ty),
                }
            }
            Op::Read(Read::Ts) => Val::plain(self.ts()?),
            Op::Read(Read::WindowStart) => self.firing_part(firing::START)?,
            Op::Read(Read::WindowEnd) => self.firing_part(firing::END)?,
            Op::Read(Read::Updated) => self.updated()?,
            Op::Global(global) => self.global(*global, ty),
            Op::Wrap(v) => {
                let v = self.get(*v)?;
                Val { flag: Some(self.maker.builder.ins().iconst(types::I8, 1)), ..v }
            }
            Op::Unwrap(v) => Val { flag: None, ..self.get(*v)? },
            Op::IsNull(v) => {
                let flag = self.flag(*v)?;
                Val::plain(self.maker.builder.ins().bxor_imm_u(flag, 1))
            }
            Op::IsTrue(v) => {
                let (flag, v) = (self.flag(*v)?, self.get(*v)?.first);
                Val::plain(self.maker.builder.ins().band(flag, v))
            }
            Op::ToFloat(v) => {
                let v = self.get(*v)?.first;
                Val::plain(self.maker.builder.ins().fcvt_from_sint(types::F64, v))
            }
            Op::Widen(v) => {
                let v = self.get(*v)?.first;
                Val::plain(self.maker.builder.ins().sextend(types::I128, v))
            }
            Op::Narrow(v, site) => self.narrow(*v, *site)?,
            Op::Negate(v, site) => self.negate(*v, *site, ty.scalar)?,
            Op::Not(v) => {
                let v = self.get(*v)?.first;
                Val::plain(self.maker.builder.ins().bxor_imm_u(v, 1))
            }
            Op::BitNot(v) => {
                let v = self.get(*v)?.first;
                Val::plain(self.maker.builder.ins().bnot(v))
            }
            Op::AddCounts(a, b) => self.add_counts(*a, *b)?,
            Op::Arithmetic { op, left, right, site } => self.arithmetic(*op, *left, *right, *site, ty.scalar)?,
            Op::Compare { op, left, right } => self.compare(*op, *left, *right)?,
            Op::SameKey(a, b) => self.same_key(*a, *b)?,
            Op::If { condition, then, otherwise } => self.choose(ty, *condition, then, otherwise)?,
            Op::Call { function, args, site } => self.call(*function, args, *site)?,
            Op::Hash(values) => self.hash(values)?,
            Op::Mask(bits) => self.mask(bits)?,
            Op::Pack(values) => self.pack(values)?,
            Op::Part { of, at } => self.part(*of, *at, ty)?,
            Op::WallClock(_) => self.wall_clock()?,
            Op::Index(number) => self.index(*number)?,
            Op::Gather { of, index, keep, body, site, grows } => self.gather((*of, *index), keep.as_ref(), body, (*site, *grows))?,
            Op::Variable { variable, .. } => self.variable(*variable, ty)?,
            Op::Run { variables, body } => self.run(variables, body, ty)?,
            Op::Ask { param, record, field, method, args } => match self.object(param, *record, *field, method.name, args)? {
                Some(result) => self.answer(result, ty),
                None => self.maker.zero(ty),
            },
        })
    }

    fn constant(&mut self, literal: &Literal, ty: Physical) -> Val {
        let builder = &mut self.maker.builder;
        match literal {
            Literal::Null => self.maker.zero(Physical { nullable: true, ..ty }),
            Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => Val::plain(builder.ins().iconst(types::I64, *v)),
            Literal::Float(v) => Val::plain(builder.ins().f64const(*v)),
            Literal::Decimal(v) => {
                let (low, high) = (builder.ins().iconst(types::I64, *v as i64), builder.ins().iconst(types::I64, (*v >> 64) as i64));
                Val { flag: None, first: low, second: Some(high) }
            }
            Literal::Bool(v) => Val::plain(builder.ins().iconst(types::I8, i64::from(*v))),
            Literal::Enum(v) => Val::plain(builder.ins().iconst(types::I32, i64::from(*v))),
            Literal::Str(text) => {
                let (all, at) = self.maker.shared.module.text(text, builder.func);
                let start = builder.ins().symbol_value(types::I64, all);
                let first = builder.ins().iadd_imm_s(start, at as i64);
                Val { flag: None, first, second: Some(builder.ins().iconst(types::I64, text.len() as i64)) }
            }
        }
    }

    fn firing_part(&mut self, offset: i32) -> Result<Val, Error> {
        let base = self.place.firing.ok_or_else(|| Error::unknown("firing"))?;
        Ok(Val::plain(self.maker.load(types::I64, base, offset)))
    }

    /// Whether the row of a window that fired is an update.
    fn updated(&mut self) -> Result<Val, Error> {
        let rule = self.firing_part(firing::RULE)?.first;
        Ok(Val::plain(self.maker.builder.ins().ireduce(types::I8, rule)))
    }

    fn wall_clock(&mut self) -> Result<Val, Error> {
        let context = self.maker.context;
        Ok(Val::plain(self.maker.helper("wall_clock", &[context])?))
    }

    fn global(&mut self, global: usize, ty: Physical) -> Val {
        match self.maker.shared.records.globals.places.get(global).copied() {
            Some(place) => {
                let context = self.maker.context;
                let globals = self.maker.fixed(context, context::GLOBALS);
                self.maker.read(globals, &place, Kind::Slot)
            }
            None => self.maker.zero(ty),
        }
    }

    /// Whether there is a value, as 0 or 1.
    fn flag(&mut self, v: ValueId) -> Result<Value, Error> {
        let flag = self.get(v)?.flag;
        Ok(flag.unwrap_or_else(|| self.maker.builder.ins().iconst(types::I8, 1)))
    }

    fn narrow(&mut self, v: ValueId, site: SiteId) -> Result<Val, Error> {
        let wide = self.get(v)?.first;
        let (low, high) = self.maker.builder.ins().isplit(wide);
        let sign = self.maker.builder.ins().sshr_imm_u(low, 63);
        let over = self.maker.builder.ins().icmp(IntCC::NotEqual, sign, high);
        self.maker.refuse_if(over, site, Reason::Overflow);
        Ok(Val::plain(low))
    }

    fn negate(&mut self, v: ValueId, site: SiteId, scalar: Scalar) -> Result<Val, Error> {
        let v = self.get(v)?.first;
        if scalar == Scalar::Float {
            return Ok(Val::plain(self.maker.builder.ins().fneg(v)));
        }
        let over = self.maker.builder.ins().icmp_imm_s(IntCC::Equal, v, i64::MIN);
        self.maker.refuse_if(over, site, Reason::Overflow);
        Ok(Val::plain(self.maker.builder.ins().ineg(v)))
    }

    fn add_counts(&mut self, a: ValueId, b: ValueId) -> Result<Val, Error> {
        let (a, b) = (self.get(a)?.first, self.get(b)?.first);
        let builder = &mut self.maker.builder;
        let (sum, over) = builder.ins().sadd_overflow(a, b);
        let sign = builder.ins().sshr_imm_u(a, 63);
        let limit = builder.ins().bxor_imm_s(sign, i64::MAX);
        Ok(Val::plain(builder.ins().select(over, limit, sum)))
    }

    fn arithmetic(&mut self, op: Arithmetic, left: ValueId, right: ValueId, site: SiteId, scalar: Scalar) -> Result<Val, Error> {
        let (l, r) = (self.get(left)?.first, self.get(right)?.first);
        let builder = &mut self.maker.builder;
        let float = scalar == Scalar::Float;
        let (result, over) = match op {
            Arithmetic::Add if float => (builder.ins().fadd(l, r), None),
            Arithmetic::Subtract if float => (builder.ins().fsub(l, r), None),
            Arithmetic::Multiply if float => (builder.ins().fmul(l, r), None),
            Arithmetic::Divide => (builder.ins().fdiv(l, r), None),
            Arithmetic::Add if scalar == Scalar::Wide => (builder.ins().iadd(l, r), None),
            Arithmetic::Subtract if scalar == Scalar::Wide => (builder.ins().isub(l, r), None),
            Arithmetic::Multiply if scalar == Scalar::Wide => (builder.ins().imul(l, r), None),
            Arithmetic::Add => some_second(builder.ins().sadd_overflow(l, r)),
            Arithmetic::Subtract => some_second(builder.ins().ssub_overflow(l, r)),
            Arithmetic::Multiply => some_second(builder.ins().smul_overflow(l, r)),
            Arithmetic::BitAnd => (builder.ins().band(l, r), None),
            Arithmetic::BitOr => (builder.ins().bor(l, r), None),
            Arithmetic::BitXor => (builder.ins().bxor(l, r), None),
        };
        if let Some(over) = over {
            self.maker.refuse_if(over, site, Reason::Overflow);
        }
        Ok(Val::plain(result))
    }

    fn compare(&mut self, op: Comparison, left: ValueId, right: ValueId) -> Result<Val, Error> {
        let scalar = self.body.value(left).ty.scalar;
        let (l, r) = (self.get(left)?, self.get(right)?);
        let result = match scalar {
            Scalar::Json | Scalar::Packed => {
                let equal = if scalar == Scalar::Json { "same_json" } else { "same_packed" };
                let same = self.maker.helper(equal, &[l.first, length(l), r.first, length(r)])?;
                let same = self.maker.builder.ins().ireduce(types::I8, same);
                if op == Comparison::NotEqual { self.maker.builder.ins().bxor_imm_u(same, 1) } else { same }
            }
            Scalar::Text if matches!(op, Comparison::Equal | Comparison::NotEqual) => {
                let same = match (Self::literal(self.body, left), Self::literal(self.body, right)) {
                    (_, Some(text)) => self.maker.is_text(l, text, r)?,
                    (Some(text), _) => self.maker.is_text(r, text, l)?,
                    _ => self.maker.same_text(l, r)?,
                };
                if op == Comparison::NotEqual { self.maker.builder.ins().bxor_imm_u(same, 1) } else { same }
            }
            Scalar::Text => {
                let order = self.maker.helper("compare_text", &[l.first, length(l), r.first, length(r)])?;
                self.maker.builder.ins().icmp_imm_s(signed(op), order, 0)
            }
            Scalar::Float => self.maker.builder.ins().fcmp(floating(op), l.first, r.first),
            Scalar::Decimal => {
                let (l, r) = (self.whole(l), self.whole(r));
                self.maker.builder.ins().icmp(signed(op), l, r)
            }
            Scalar::Bool | Scalar::Enum => self.maker.builder.ins().icmp(signed(op).unsigned(), l.first, r.first),
            Scalar::Int | Scalar::Timestamp | Scalar::Duration | Scalar::Wide => self.maker.builder.ins().icmp(signed(op), l.first, r.first),
        };
        Ok(Val::plain(result))
    }

    /// A decimal in one register.
    fn whole(&mut self, decimal: Val) -> Value {
        let high = decimal.second.unwrap_or(decimal.first);
        self.maker.builder.ins().iconcat(decimal.first, high)
    }

    /// The text of a constant.
    fn literal(body: &Body, v: ValueId) -> Option<&str> {
        if let Op::Const(Literal::Str(text)) = &body.value(v).op { Some(text) } else { None }
    }

    /// Null equals null, NaN equals NaN, and −0 equals 0.
    fn same_key(&mut self, a: ValueId, b: ValueId) -> Result<Val, Error> {
        let scalar = self.body.value(a).ty.scalar;
        let (l, r) = (self.get(a)?, self.get(b)?);
        let same = match scalar {
            Scalar::Text | Scalar::Json | Scalar::Packed => self.maker.same_text(l, r)?,
            Scalar::Float => {
                let builder = &mut self.maker.builder;
                let equal = builder.ins().fcmp(FloatCC::Equal, l.first, r.first);
                let (x, y) = (builder.ins().fcmp(FloatCC::Unordered, l.first, l.first), builder.ins().fcmp(FloatCC::Unordered, r.first, r.first));
                let both = builder.ins().band(x, y);
                builder.ins().bor(equal, both)
            }
            Scalar::Decimal => {
                let (l, r) = (self.whole(l), self.whole(r));
                self.maker.builder.ins().icmp(IntCC::Equal, l, r)
            }
            Scalar::Int | Scalar::Bool | Scalar::Timestamp | Scalar::Duration | Scalar::Enum | Scalar::Wide => {
                self.maker.builder.ins().icmp(IntCC::Equal, l.first, r.first)
            }
        };
        let (Some(x), Some(y)) = (l.flag, r.flag) else { return Ok(Val::plain(same)) };
        let builder = &mut self.maker.builder;
        let both = builder.ins().band(x, y);
        let neither = builder.ins().bor(x, y);
        let neither = builder.ins().bxor_imm_u(neither, 1);
        let same = builder.ins().band(both, same);
        Ok(Val::plain(builder.ins().bor(same, neither)))
    }

    fn choose(&mut self, ty: Physical, condition: ValueId, then: &Region, otherwise: &Region) -> Result<Val, Error> {
        let condition = self.get(condition)?.first;
        let blocks = [self.maker.builder.create_block(), self.maker.builder.create_block()];
        let on = self.maker.builder.create_block();
        let flag = ty.nullable.then(|| self.maker.builder.append_block_param(on, types::I8));
        let first = self.maker.builder.append_block_param(on, register(ty.scalar));
        let second = ty.scalar.is_pair().then(|| self.maker.builder.append_block_param(on, types::I64));
        self.maker.builder.ins().brif(condition, blocks[0], &[], blocks[1], &[]);
        for (block, region) in blocks.into_iter().zip([then, otherwise]) {
            self.maker.builder.switch_to_block(block);
            if !self.list(&region.statements)? {
                continue;
            }
            let result = match region.result {
                Some(result) => self.get(result)?,
                None => self.maker.zero(ty),
            };
            let flag = flag.map(|_| result.flag.unwrap_or_else(|| self.maker.builder.ins().iconst(types::I8, 1)));
            self.maker.builder.ins().jump(on, &block_arguments(Val { flag, ..result }));
        }
        self.maker.builder.switch_to_block(on);
        Ok(Val { flag, first, second })
    }

    /// Values as words of arguments.
    pub(super) fn words(&mut self, args: &[ValueId], into: &mut Vec<Value>) -> Result<(), Error> {
        let before = into.len();
        for arg in args {
            let (scalar, value) = (self.body.value(*arg).ty.scalar, self.get(*arg)?);
            into.push(self.word_of(scalar, value.first));
            into.extend(value.second);
        }
        while into.len() < before + ARGUMENT_WORDS {
            into.push(self.maker.word(0));
        }
        Ok(())
    }

    pub(super) fn word_of(&mut self, scalar: Scalar, value: Value) -> Value {
        match scalar {
            Scalar::Float => self.maker.builder.ins().bitcast(types::I64, cranelift::codegen::ir::MemFlagsData::new(), value),
            Scalar::Bool | Scalar::Enum => self.maker.builder.ins().uextend(types::I64, value),
            Scalar::Wide => self.maker.builder.ins().ireduce(types::I64, value),
            Scalar::Int | Scalar::Timestamp | Scalar::Duration | Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal => value,
        }
    }

    pub(super) fn value_of(&mut self, scalar: Scalar, word: Value) -> Value {
        match scalar {
            Scalar::Float => self.maker.builder.ins().bitcast(types::F64, cranelift::codegen::ir::MemFlagsData::new(), word),
            Scalar::Bool => self.maker.builder.ins().ireduce(types::I8, word),
            Scalar::Enum => self.maker.builder.ins().ireduce(types::I32, word),
            Scalar::Wide => self.maker.builder.ins().sextend(types::I128, word),
            Scalar::Int | Scalar::Timestamp | Scalar::Duration | Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal => word,
        }
    }

    /// What a function or method of the runtime answered.
    fn answer(&mut self, result: Value, ty: Physical) -> Val {
        let context = self.maker.context;
        if ty.nullable {
            let value = self.maker.load(types::I64, context, context::VALUE);
            let flag = self.maker.builder.ins().ireduce(types::I8, result);
            return Val { flag: Some(flag), first: self.value_of(ty.scalar, value), second: None };
        }
        let second = ty.scalar.is_pair().then(|| self.maker.load(types::I64, context, context::LENGTH));
        Val { flag: None, first: self.value_of(ty.scalar, result), second }
    }

    fn call(&mut self, function: Function, args: &[ValueId], site: SiteId) -> Result<Val, Error> {
        let row = function.row();
        if let Some(value) = self.inline(row.body, args)? {
            return Ok(Val::plain(value));
        }
        let mut words = vec![self.maker.context];
        self.words(args, &mut words)?;
        let result = self.maker.imported(row.body.to_owned(), &words, |module, f| module.function(row.body, f))?;
        let plain = Physical { scalar: row.result, nullable: false };
        if !row.fallible {
            return Ok(self.answer(result, plain));
        }
        // One more than the reason, which a refusal has in its second byte.
        let (refused, on) = (self.maker.builder.create_block(), self.maker.builder.create_block());
        self.maker.builder.set_cold_block(refused);
        self.maker.builder.ins().brif(result, refused, &[], on, &[]);
        self.maker.builder.switch_to_block(refused);
        let reason = self.maker.builder.ins().iadd_imm_s(result, -1);
        let reason = self.maker.builder.ins().ishl_imm_u(reason, 8);
        let place = self.maker.word(varpulis_abi::jit::refusal(site.0, Reason::ALL.first().copied().unwrap_or(Reason::Overflow)).cast_signed());
        let all = self.maker.builder.ins().bor(reason, place);
        self.maker.builder.ins().return_(&[all]);
        self.maker.builder.switch_to_block(on);
        let context = self.maker.context;
        let value = self.maker.load(types::I64, context, context::VALUE);
        Ok(self.answer(value, plain))
    }

    /// Functions that are an instruction or two, and decide nothing: what refuses is in the runtime alone.
    fn inline(&mut self, body: &str, args: &[ValueId]) -> Result<Option<Value>, Error> {
        let mut operands = vec![];
        for arg in args {
            operands.push(self.get(*arg)?.first);
        }
        let value = match (body, operands.as_slice()) {
            ("abs_float", [a]) => self.maker.builder.ins().fabs(*a),
            ("floor", [a]) => self.maker.builder.ins().floor(*a),
            ("ceil", [a]) => self.maker.builder.ins().ceil(*a),
            ("sqrt", [a]) => self.maker.builder.ins().sqrt(*a),
            ("is_nan", [a]) => self.maker.builder.ins().fcmp(FloatCC::Unordered, *a, *a),
            ("int_of_bool", [a]) => self.maker.builder.ins().uextend(types::I64, *a),
            ("min_int", [a, b]) => {
                let less = self.maker.builder.ins().icmp(IntCC::SignedLessThan, *a, *b);
                self.maker.builder.ins().select(less, *a, *b)
            }
            ("max_int", [a, b]) => {
                let more = self.maker.builder.ins().icmp(IntCC::SignedGreaterThan, *a, *b);
                self.maker.builder.ins().select(more, *a, *b)
            }
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    /// The hash of a key: word by word, as `foldhash` folds them, so that short keys need no call.
    fn hash(&mut self, values: &[ValueId]) -> Result<Val, Error> {
        let hasher = self.place.hasher.ok_or_else(|| Error::unknown("hasher"))?;
        let seeds = [hasher::SEEDS, hasher::SEEDS + 8].map(|at| self.maker.fixed(hasher, at));
        let mut state = seeds[0];
        for v in values {
            let (scalar, value) = (self.body.value(*v).ty.scalar, self.get(*v)?);
            let mut word = match scalar {
                Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal => value.first,
                Scalar::Float => self.float_key(value.first),
                Scalar::Int | Scalar::Bool | Scalar::Timestamp | Scalar::Duration | Scalar::Enum | Scalar::Wide => self.word_of(scalar, value.first),
            };
            let mut second = value.second;
            if let Some(flag) = value.flag {
                // What stands beside a null is not part of the key.
                let (zero, flag) = (self.maker.word(0), self.maker.builder.ins().uextend(types::I64, flag));
                word = self.maker.builder.ins().select(flag, word, zero);
                second = second.map(|second| self.maker.builder.ins().select(flag, second, zero));
                state = self.maker.fold(state, flag, seeds[1]);
            }
            state = match second {
                Some(high) if scalar == Scalar::Decimal => {
                    state = self.maker.fold(state, word, seeds[1]);
                    self.maker.fold(state, high, seeds[1])
                }
                Some(length) => self.maker.hash_text(hasher, state, seeds[1], word, length)?,
                None => self.maker.fold(state, word, seeds[1]),
            };
        }
        Ok(Val::plain(state))
    }

    /// The bits of a float that keys compare.
    fn float_key(&mut self, value: Value) -> Value {
        let bits = self.word_of(Scalar::Float, value);
        let builder = &mut self.maker.builder;
        let zero = builder.ins().f64const(0.0);
        let is_zero = builder.ins().fcmp(FloatCC::Equal, value, zero);
        let is_nan = builder.ins().fcmp(FloatCC::Unordered, value, value);
        let (none, all) = (builder.ins().iconst(types::I64, 0), builder.ins().iconst(types::I64, -1));
        let bits = builder.ins().select(is_zero, none, bits);
        builder.ins().select(is_nan, all, bits)
    }

    fn mask(&mut self, bits: &[(u32, ValueId)]) -> Result<Val, Error> {
        let mut mask = self.maker.word(0);
        for (bit, v) in bits {
            let v = self.get(*v)?.first;
            let builder = &mut self.maker.builder;
            let word = builder.ins().uextend(types::I64, v);
            let word = builder.ins().ishl_imm_u(word, i64::from(*bit));
            mask = builder.ins().bor(mask, word);
        }
        Ok(Val::plain(mask))
    }
}

fn some_second((result, over): (Value, Value)) -> (Value, Option<Value>) {
    (result, Some(over))
}

pub(super) fn length(value: Val) -> Value {
    value.second.unwrap_or(value.first)
}

fn signed(op: Comparison) -> IntCC {
    match op {
        Comparison::Less => IntCC::SignedLessThan,
        Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
        Comparison::Greater => IntCC::SignedGreaterThan,
        Comparison::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        Comparison::Equal => IntCC::Equal,
        Comparison::NotEqual => IntCC::NotEqual,
    }
}

fn floating(op: Comparison) -> FloatCC {
    match op {
        Comparison::Less => FloatCC::LessThan,
        Comparison::LessEqual => FloatCC::LessThanOrEqual,
        Comparison::Greater => FloatCC::GreaterThan,
        Comparison::GreaterEqual => FloatCC::GreaterThanOrEqual,
        Comparison::Equal => FloatCC::Equal,
        Comparison::NotEqual => FloatCC::NotEqual,
    }
}
