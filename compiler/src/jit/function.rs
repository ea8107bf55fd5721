//! Functions: one lowered body (or several arms) as one Cranelift function.

use std::collections::HashMap;

use cranelift::codegen::ir::{Block, BlockArg, FuncRef, InstBuilder, MemFlagsData, Value, types};
use cranelift::frontend::FunctionBuilder;
use cranelift_module::FuncId;
use varpulis_abi::jit::{context, firing, refusal};
use varpulis_abi::layout::{Held, Place, VALUES};
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use super::Error;
use super::module::Module;
use super::records::Records;
use super::run::VariableParts;
use crate::lower::ir::{Arithmetic, Body, ChainId, Label, Op, ParamName, RecordId, SiteId, Statement, ValueId, VariableId};
use crate::lower::usage::Usage;
use crate::plan::physical::Program;

/// A value in registers.
#[derive(Clone, Copy)]
pub(super) struct Val {
    /// Whether there is one; absent where there always is.
    pub(super) flag: Option<Value>,
    /// The value, or a text's address.
    pub(super) first: Value,
    /// A text's length.
    pub(super) second: Option<Value>,
}

impl Val {
    pub(super) fn plain(first: Value) -> Self {
        Self { flag: None, first, second: None }
    }
}

/// What a function's result means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Yields {
    /// 0; values are not returned.
    Nothing,
    /// A truth value, as 0 or 1.
    Bool,
    /// 64 bits.
    Word,
    /// 64 bits by way of the context, since refusals need some of them.
    WordInContext,
    /// The value goes to this place of the slot that the function is given.
    Stored(Place),
    /// The body stands in another: 64 bits go to this block of it.
    To(Block),
}

/// What surrounds a body.
pub(super) struct Surroundings {
    /// Slots and rows by the names that the body uses.
    pub(super) parameters: Vec<(ParamName, Value)>,
    /// The firing that a chain reads.
    pub(super) firing: Option<Value>,
    /// The operator's hasher.
    pub(super) hasher: Option<Value>,
    /// The number of the row's record, in chains that read a row.
    pub(super) record: Option<RecordId>,
    /// What `return` does.
    pub(super) result: Yields,
}

/// What all functions of a program share while they are made.
pub(super) struct Shared<'p> {
    pub(super) program: &'p Program,
    pub(super) usage: &'p Usage,
    pub(super) records: &'p Records,
    pub(super) module: Module,
    /// The functions of chains.
    pub(super) chains: HashMap<ChainId, FuncId>,
    /// The publications of each rule table.
    pub(super) rules: Vec<Vec<usize>>,
    /// What a loop may use.
    pub(super) fuel: Option<u64>,
    /// Small functions of kernels, by what they do: operators over equal keys share them.
    pub(super) shared: HashMap<String, FuncId>,
}

/// One function in the making.
pub(super) struct FunctionMaker<'m, 'f, 'p> {
    pub(super) shared: &'m mut Shared<'p>,
    pub(super) builder: FunctionBuilder<'f>,
    pub(super) context: Value,
    imports: HashMap<String, FuncRef>,
    /// Exits by refusal and reason, made once each.
    refusals: HashMap<u64, Block>,
    /// Where the values of an event's row lie: once the function's first block has asked, nobody else does.
    events: HashMap<Value, Value>,
}

/// A body on its way into a function.
pub(super) struct BodyMaker<'b, 'm, 'f, 'p> {
    pub(super) maker: &'b mut FunctionMaker<'m, 'f, 'p>,
    pub(super) body: &'b Body,
    pub(super) place: &'b Surroundings,
    pub(super) uses: HashMap<ValueId, usize>,
    pub(super) values: HashMap<ValueId, Val>,
    /// The places of the elements at hand, by the numbers of their gathers.
    pub(super) indices: HashMap<u32, Value>,
    /// How many loops stand around what is being made.
    pub(super) loops: usize,
    /// The variables of functions, and where one goes on that leaves a block of statements.
    pub(super) variables: HashMap<VariableId, VariableParts>,
    pub(super) exits: HashMap<Label, Block>,
}

pub(super) const TRUSTED: MemFlagsData = MemFlagsData::trusted();
/// Of what does not change while a function runs that can read it: rows.
pub(super) const UNCHANGING: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// How a value of a type is held in registers.
pub(super) fn register(scalar: Scalar) -> types::Type {
    match scalar {
        Scalar::Int | Scalar::Timestamp | Scalar::Duration | Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal => types::I64,
        Scalar::Float => types::F64,
        Scalar::Bool => types::I8,
        Scalar::Enum => types::I32,
        Scalar::Wide => types::I128,
    }
}

/// Makes a function: declares its parameters, fills it and compiles it.
pub(super) fn make<'p>(
    shared: &mut Shared<'p>,
    id: FuncId,
    name: &str,
    parameters: usize,
    fill: impl FnOnce(&mut FunctionMaker<'_, '_, 'p>, &[Value]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut function, mut builder_context) = shared.module.begin(parameters);
    let mut builder = FunctionBuilder::new(&mut function, &mut builder_context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let arguments = builder.block_params(entry).to_vec();
    let Some(context) = arguments.first().copied() else { return Err(Error::unknown(name)) };
    let mut maker = FunctionMaker { shared, builder, context, imports: HashMap::new(), refusals: HashMap::new(), events: HashMap::new() };
    fill(&mut maker, &arguments)?;
    maker.builder.seal_all_blocks();
    let frontend = maker.shared.module.frontend();
    maker.builder.finalize(frontend);
    shared.module.define(id, name, function, builder_context)
}

impl<'p> FunctionMaker<'_, '_, 'p> {
    pub(super) fn word(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(types::I64, value)
    }

    pub(super) fn load(&mut self, ty: types::Type, base: Value, offset: i32) -> Value {
        self.builder.ins().load(ty, TRUSTED, base, offset)
    }

    pub(super) fn store(&mut self, value: Value, base: Value, offset: i32) {
        self.builder.ins().store(TRUSTED, value, base, offset);
    }

    /// Calls a helper of the shared list.
    pub(super) fn helper(&mut self, name: &'static str, arguments: &[Value]) -> Result<Value, Error> {
        let found = match self.imports.get(name) {
            Some(found) => *found,
            None => {
                let found = self.shared.module.helper(name, self.builder.func)?;
                self.imports.insert(name.to_owned(), found);
                found
            }
        };
        Ok(self.call(found, arguments))
    }

    /// Calls a function of the runtime; `import` finds it.
    pub(super) fn imported(
        &mut self,
        name: String,
        arguments: &[Value],
        import: impl FnOnce(&mut Module, &mut cranelift::codegen::ir::Function) -> Result<FuncRef, Error>,
    ) -> Result<Value, Error> {
        let found = match self.imports.get(&name) {
            Some(found) => *found,
            None => {
                let found = import(&mut self.shared.module, self.builder.func)?;
                self.imports.insert(name, found);
                found
            }
        };
        Ok(self.call(found, arguments))
    }

    pub(super) fn call(&mut self, function: FuncRef, arguments: &[Value]) -> Value {
        let call = self.builder.ins().call(function, arguments);
        self.builder.inst_results(call).first().copied().unwrap_or(self.context)
    }

    /// Calls a function of words to a word by its address.
    pub(super) fn call_address(&mut self, address: Value, arguments: &[Value]) -> Value {
        let signature = self.shared.module.signature(arguments.len());
        let signature = self.builder.import_signature(signature);
        let call = self.builder.ins().call_indirect(signature, address, arguments);
        self.builder.inst_results(call).first().copied().unwrap_or(self.context)
    }

    /// A word that does not change while the program runs.
    pub(super) fn fixed(&mut self, base: Value, offset: i32) -> Value {
        self.builder.ins().load(types::I64, UNCHANGING, base, offset)
    }

    /// Where the values of an event's row lie.
    pub(super) fn values_of(&mut self, row: Value) -> Value {
        if let Some(values) = self.events.get(&row) {
            return *values;
        }
        let values = self.fixed(row, VALUES as i32);
        if self.builder.current_block() == self.builder.func.layout.entry_block() {
            self.events.insert(row, values);
        }
        values
    }

    /// Leaves the function with a constant.
    pub(super) fn leave(&mut self, result: i64) {
        let result = self.word(result);
        self.builder.ins().return_(&[result]);
    }

    /// Goes on in a fresh block unless the condition holds; then the function ends with the result.
    pub(super) fn leave_if(&mut self, condition: Value, result: Value) {
        let (out, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, out, &[], on, &[]);
        self.builder.switch_to_block(out);
        self.builder.ins().return_(&[result]);
        self.builder.switch_to_block(on);
    }

    /// Refuses the record if the condition holds.
    pub(super) fn refuse_if(&mut self, condition: Value, site: SiteId, reason: Reason) {
        let result = refusal(site.0, reason);
        let out = match self.refusals.get(&result) {
            Some(out) => *out,
            None => {
                let out = self.builder.create_block();
                self.builder.set_cold_block(out);
                self.refusals.insert(result, out);
                out
            }
        };
        let on = self.builder.create_block();
        self.builder.ins().brif(condition, out, &[], on, &[]);
        self.builder.switch_to_block(on);
    }

    /// Fills the exits that were asked for; the function is complete then.
    pub(super) fn finish(&mut self) {
        let mut exits: Vec<_> = self.refusals.drain().collect();
        exits.sort_unstable();
        for (result, block) in exits {
            self.builder.switch_to_block(block);
            self.leave(result.cast_signed());
        }
    }
}

impl BodyMaker<'_, '_, '_, '_> {
    /// The whole body; true if what follows it can be reached.
    pub(super) fn list(&mut self, list: &[Statement]) -> Result<bool, Error> {
        // Conditions one behind the other become one branch, if what lies between costs less than a branch that goes the other way.
        let mut open: Option<Value> = None;
        for statement in list {
            match statement {
                Statement::Guard(v) => {
                    let condition = self.get(*v)?.first;
                    open = Some(open.map_or(condition, |open| self.maker.builder.ins().band(open, condition)));
                    continue;
                }
                Statement::Comment(_) => continue,
                Statement::Let(v) if self.is_cheap(*v) => {}
                _ => self.pass_if(open.take()),
            }
            if !self.statement(statement)? {
                return Ok(false);
            }
        }
        self.pass_if(open);
        Ok(true)
    }

    /// Goes on only if the condition, should there be one, holds.
    fn pass_if(&mut self, condition: Option<Value>) {
        if let Some(condition) = condition {
            if let Yields::To(on) = self.place.result {
                let (nothing, rest) = (self.maker.word(0), self.maker.builder.create_block());
                self.maker.builder.ins().brif(condition, rest, &[], on, &[BlockArg::Value(nothing)]);
                return self.maker.builder.switch_to_block(rest);
            }
            let (out, rest) = (self.maker.builder.create_block(), self.maker.builder.create_block());
            self.maker.builder.ins().brif(condition, rest, &[], out, &[]);
            self.maker.builder.switch_to_block(out);
            self.maker.leave(0);
            self.maker.builder.switch_to_block(rest);
        }
    }

    /// Whether a value is an instruction or few, and can be evaluated where it is not asked for. Beside a null there may be anything, but no
    /// address.
    fn is_cheap(&self, v: ValueId) -> bool {
        let scalar = |v: &ValueId| self.body.value(*v).ty.scalar;
        match &self.body.value(v).op {
            Op::Const(_) | Op::Null | Op::Load { .. } | Op::Read(_) | Op::Global(_) | Op::Wrap(_) | Op::Unwrap(_) | Op::IsNull(_) | Op::IsTrue(_) => true,
            Op::ToFloat(_) | Op::Widen(_) | Op::Not(_) | Op::BitNot(_) => true,
            Op::Index(_) => true,
            Op::Compare { left, .. } => !scalar(left).is_pair(),
            Op::Arithmetic { op, left, .. } => scalar(left) == Scalar::Float && *op != Arithmetic::Divide,
            _ => false,
        }
    }

    fn statement(&mut self, statement: &Statement) -> Result<bool, Error> {
        match statement {
            // The list has taken these.
            Statement::Comment(_) | Statement::Guard(_) => {}
            Statement::Let(id) => {
                if self.uses.contains_key(id) {
                    let value = self.op(*id)?;
                    self.values.insert(*id, value);
                }
            }
            Statement::If { condition, then, otherwise } => self.branch(*condition, then, otherwise)?,
            Statement::Run { variables, body } => {
                self.declare(variables);
                self.list(body)?;
            }
            Statement::Set { variable, value } => self.set(*variable, *value)?,
            Statement::Block { label, repeats, body } => self.block(*label, *repeats, body)?,
            Statement::Leave(label) => {
                self.leave_block(*label)?;
                return Ok(false);
            }
            Statement::Store { .. } | Statement::Tell { .. } | Statement::MergeObject { .. } => self.change(statement)?,
            Statement::Return(v) => {
                self.give(*v)?;
                return Ok(false);
            }
            Statement::Print(v) => {
                let line = self.get(*v)?;
                let context = self.maker.context;
                self.maker.helper("say", &[context, line.first, line.second.unwrap_or(line.first)])?;
            }
            Statement::CountBy { counter, label } => {
                let (label, counter) = (self.get(*label)?, self.maker.word(*counter as i64));
                let context = self.maker.context;
                self.maker.helper("count_by", &[context, counter, label.first, label.second.unwrap_or(label.first)])?;
            }
            Statement::Count { counter, every, then } => self.count(*counter, *every, then)?,
            Statement::Push { .. } | Statement::Call { .. } | Statement::Publish { .. } | Statement::PublishRule { .. } => self.effect(statement)?,
        }
        Ok(true)
    }

    fn give(&mut self, v: ValueId) -> Result<(), Error> {
        let value = self.get(v)?;
        let result = match self.place.result {
            Yields::Nothing => self.maker.word(0),
            Yields::Bool => self.maker.builder.ins().uextend(types::I64, value.first),
            Yields::Word => value.first,
            Yields::To(on) => {
                let scalar = self.body.value(v).ty.scalar;
                let word = self.word_of(scalar, value.first);
                self.maker.builder.ins().jump(on, &[BlockArg::Value(word)]);
                return Ok(());
            }
            Yields::WordInContext => {
                let context = self.maker.context;
                self.maker.store(value.first, context, context::VALUE);
                self.maker.word(0)
            }
            Yields::Stored(place) => {
                if let Some((_, slot)) = self.place.parameters.first().copied() {
                    self.maker.write(slot, &place, value, true)?;
                }
                self.maker.word(0)
            }
        };
        self.maker.builder.ins().return_(&[result]);
        Ok(())
    }

    fn branch(&mut self, condition: ValueId, then: &[Statement], otherwise: &[Statement]) -> Result<(), Error> {
        if self.maker.shared.usage.is_idle(self.body, then) && self.maker.shared.usage.is_idle(self.body, otherwise) {
            return Ok(());
        }
        let condition = self.get(condition)?.first;
        let blocks = [self.maker.builder.create_block(), self.maker.builder.create_block()];
        let on = self.maker.builder.create_block();
        self.maker.builder.ins().brif(condition, blocks[0], &[], blocks[1], &[]);
        for (block, list) in blocks.into_iter().zip([then, otherwise]) {
            self.maker.builder.switch_to_block(block);
            if self.list(list)? {
                self.maker.builder.ins().jump(on, &[]);
            }
        }
        self.maker.builder.switch_to_block(on);
        Ok(())
    }

    /// What is kept, changed. What nobody reads is not kept.
    fn change(&mut self, statement: &Statement) -> Result<(), Error> {
        match statement {
            Statement::Store { param, record, field, value } => {
                let Some(place) = self.maker.shared.records.place(*record, *field) else { return Ok(()) };
                let (base, value) = (self.parameter(param)?, self.get(*value)?);
                self.maker.write(base, &place, value, true)
            }
            Statement::Tell { param, record, field, method, args } => self.object(param, *record, *field, method.name, args).map(|_| ()),
            Statement::MergeObject { record, field, into, from } => {
                let Some(place) = self.maker.shared.records.place(*record, *field) else { return Ok(()) };
                let Held::Object(object) = place.held else { return Ok(()) };
                let places = [self.parameter(into)?, self.parameter(from)?];
                let places = places.map(|base| self.maker.builder.ins().iadd_imm_s(base, i64::from(place.offset)));
                self.maker.imported(format!("{object}.merge"), &places, |module, f| module.method(object, "merge", f)).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Calls an object's method; nothing if nobody asks the object.
    pub(super) fn object(&mut self, param: ParamName, record: RecordId, field: usize, method: &'static str, args: &[ValueId]) -> Result<Option<Value>, Error> {
        let Some(place) = self.maker.shared.records.place(record, field) else { return Ok(None) };
        let Held::Object(object) = place.held else { return Ok(None) };
        let base = self.parameter(param)?;
        let at = self.maker.builder.ins().iadd_imm_s(base, i64::from(place.offset));
        let mut words = vec![self.maker.context, at];
        self.words(args, &mut words)?;
        self.maker.imported(format!("{object}.{method}"), &words, |module, f| module.method(object, method, f)).map(Some)
    }

    fn count(&mut self, counter: usize, every: i64, then: &[Statement]) -> Result<(), Error> {
        let context = self.maker.context;
        let counters = self.maker.fixed(context, context::COUNTERS);
        let offset = i32::try_from(counter * 8).map_err(|_| Error::unknown("counter"))?;
        let count = self.maker.load(types::I64, counters, offset);
        if !then.is_empty() {
            let rest = if every == 1 { self.maker.word(0) } else { self.maker.builder.ins().urem_imm_s(count, every.max(1)) };
            let (now, on) = (self.maker.builder.create_block(), self.maker.builder.create_block());
            self.maker.builder.ins().brif(rest, on, &[], now, &[]);
            self.maker.builder.switch_to_block(now);
            if self.list(then)? {
                self.maker.builder.ins().jump(on, &[]);
            }
            self.maker.builder.switch_to_block(on);
        }
        let more = self.maker.builder.ins().iadd_imm_s(count, 1);
        self.maker.store(more, counters, offset);
        Ok(())
    }

    /// The time of the row or firing at hand.
    pub(super) fn ts(&mut self) -> Result<Value, Error> {
        let base = match self.place.firing {
            Some(firing) => firing,
            None => self.parameter("row")?,
        };
        Ok(self.maker.load(types::I64, base, firing::TS))
    }

    pub(super) fn parameter(&self, name: ParamName) -> Result<Value, Error> {
        self.place.parameters.iter().find(|(n, _)| *n == name).map(|(_, v)| *v).ok_or_else(|| Error::unknown(name))
    }

    /// A value that was evaluated before, or one that can be evaluated anywhere.
    pub(super) fn get(&mut self, id: ValueId) -> Result<Val, Error> {
        match self.values.get(&id) {
            Some(value) => Ok(*value),
            None if matches!(self.body.value(id).op, Op::Const(_) | Op::Null | Op::Global(_) | Op::Read(_) | Op::Load { .. }) => self.op(id),
            None => Err(Error::unknown("value")),
        }
    }
}

/// Values as arguments of a block.
pub(super) fn block_arguments(value: Val) -> Vec<BlockArg> {
    value.flag.into_iter().chain([value.first]).chain(value.second).map(BlockArg::Value).collect()
}
