//! Operators over compiled kernels: the same types as in programs compiled ahead of time, made by name.

use std::borrow::Cow;
use std::sync::Arc;

use varpulis_abi::jit::firing;

use super::bytes::Bytes;
use super::code::{ChainAddress, OperatorCode};
use super::context::Context;
use super::kernel::{JitKernel, RowRef};
use super::record::put;
use crate::operator::{Operator, Refusal};
use crate::operators::{JoinFiring, RowFiring, RuleFiring, WindowFiring};
use crate::pattern::{MatchFiring, NegationSpec, PatternSpec, StepSpec};
use crate::state::Slots;
use crate::value::Value;

/// An operator and the chains behind it.
pub(super) trait Running: Send {
    fn push(&mut self, context: *mut Context, ts: i64, row: RowRef<'_>) -> Result<(), Refusal>;
    /// Whether time alone makes it fire.
    fn is_timed(&self) -> bool;
    fn deadline(&self) -> i64;
    fn advance(&mut self, context: *mut Context, watermark: i64);
}

/// What a firing consists of, as compiled chains read it.
#[repr(C)]
pub(super) struct Parts {
    ts: i64,
    start: i64,
    end: i64,
    rule: u64,
    row: *const u64,
    slots: [*const u64; firing::SLOT_COUNT],
}

const _: () = {
    assert!(std::mem::offset_of!(Parts, ts) == firing::TS as usize);
    assert!(std::mem::offset_of!(Parts, start) == firing::START as usize);
    assert!(std::mem::offset_of!(Parts, end) == firing::END as usize);
    assert!(std::mem::offset_of!(Parts, rule) == firing::RULE as usize);
    assert!(std::mem::offset_of!(Parts, row) == firing::ROW as usize);
    assert!(std::mem::offset_of!(Parts, slots) == firing::SLOTS as usize);
};

impl Parts {
    fn at(ts: i64) -> Self {
        Self { ts, start: 0, end: 0, rule: 0, row: std::ptr::null(), slots: [std::ptr::null(); firing::SLOT_COUNT] }
    }
}

/// A firing that can be taken apart. The order of slots is that of [`firing::slot`].
trait Fired {
    fn parts(&self) -> Parts;
}

impl Fired for WindowFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { start: self.start, end: self.end, slots: [self.key.as_ptr(), self.accs.as_ptr(), std::ptr::null()], ..Parts::at(self.ts) }
    }
}
impl Fired for RowFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { row: self.row.row, ..Parts::at(self.ts) }
    }
}
impl Fired for JoinFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { slots: [self.key.as_ptr(), self.left.as_ptr(), self.right.as_ptr()], ..Parts::at(self.ts) }
    }
}
impl Fired for RuleFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        let slots = [std::ptr::null(), self.constants.as_ptr(), std::ptr::null()];
        Parts { row: self.row.row, rule: self.rule as u64, slots, ..Parts::at(self.ts) }
    }
}
impl Fired for MatchFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { start: self.first_ts, slots: [self.key.as_ptr(), self.run.as_ptr(), std::ptr::null()], ..Parts::at(self.ts) }
    }
}

struct Behind<O> {
    operator: O,
    timed: bool,
    chains: Arc<[ChainAddress]>,
}

impl<O> Running for Behind<O>
where
    O: Operator + Send + 'static,
    for<'a> O: Operator<Input<'a> = RowRef<'a>>,
    for<'a> O::Firing<'a>: Fired,
{
    fn push(&mut self, context: *mut Context, ts: i64, row: RowRef<'_>) -> Result<(), Refusal> {
        let Self { operator, chains, .. } = self;
        operator.push(ts, row, &mut |firing| fire(context, chains, &firing.parts()))
    }

    fn is_timed(&self) -> bool {
        self.timed
    }

    fn deadline(&self) -> i64 {
        self.operator.deadline()
    }

    fn advance(&mut self, context: *mut Context, watermark: i64) {
        let Self { operator, chains, .. } = self;
        operator.advance(watermark, &mut |firing| fire(context, chains, &firing.parts()));
    }
}

/// Hands a firing to the chains behind the operator. What they make does not outlive the firing.
fn fire(context: *mut Context, chains: &[ChainAddress], parts: &Parts) {
    for chain in chains {
        let mark = Context::mark(context);
        let result = chain.call(context, std::ptr::from_ref(parts).cast());
        if result != 0 {
            Context::report_at(context, result, parts.ts);
        }
        Context::reset(context, mark);
    }
}

/// A value of an operator's construction.
#[derive(Clone, Debug)]
pub enum Config {
    /// A number: ns or a count.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A struct of the runtime, with its fields.
    Struct(Vec<(&'static str, Config)>),
    /// A list.
    List(Vec<Config>),
    /// Slots of a store, with their values.
    Slots(&'static str, Vec<Vec<Constant>>),
}

/// A constant in a slot.
#[derive(Clone, Debug)]
pub enum Constant {
    /// A value that is no text.
    Plain(Value<'static>),
    /// A text.
    Text(String),
}

impl Config {
    fn field<T: FromConfig>(&self, name: &str, kernel: &JitKernel) -> Option<T> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|(field, _)| *field == name).and_then(|(_, config)| T::from_config(config, kernel))
    }
}

/// What operators are made of.
trait FromConfig: Sized {
    fn from_config(config: &Config, kernel: &JitKernel) -> Option<Self>;
}

impl FromConfig for i64 {
    fn from_config(config: &Config, _: &JitKernel) -> Option<Self> {
        if let Config::Int(value) = config { Some(*value) } else { None }
    }
}
impl FromConfig for usize {
    fn from_config(config: &Config, _: &JitKernel) -> Option<Self> {
        if let Config::Int(value) = config { usize::try_from(*value).ok() } else { None }
    }
}
impl FromConfig for bool {
    fn from_config(config: &Config, _: &JitKernel) -> Option<Self> {
        if let Config::Bool(value) = config { Some(*value) } else { None }
    }
}
impl<T: FromConfig + Clone + 'static> FromConfig for Cow<'static, [T]> {
    fn from_config(config: &Config, kernel: &JitKernel) -> Option<Self> {
        let Config::List(items) = config else { return None };
        items.iter().map(|item| T::from_config(item, kernel)).collect::<Option<Vec<T>>>().map(Cow::Owned)
    }
}
impl FromConfig for Bytes {
    fn from_config(config: &Config, kernel: &JitKernel) -> Option<Self> {
        use crate::kernels::KeyKernel;
        let Config::Slots(store, rows) = config else { return None };
        let layout = kernel.layout(store)?;
        let mut slots = Self::with_layout(Some(layout));
        for row in rows {
            let slot = slots.add();
            for (place, constant) in layout.places.iter().zip(row) {
                let record = slots.at_mut(slot).as_mut_ptr();
                put_constant(record, place, constant);
            }
        }
        Some(slots)
    }
}

#[expect(unsafe_code, reason = "a slot is filled by its layout")]
fn put_constant(record: *mut u64, place: &varpulis_abi::layout::Place, constant: &Constant) {
    // SAFETY: the slot is fresh and of the layout that the place belongs to; a text is given to the slot as its own.
    unsafe {
        match constant {
            Constant::Plain(value) => put(record, place, *value),
            Constant::Text(text) => {
                super::bytes::put_text(record, place, text);
            }
        }
    }
}

macro_rules! structs {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl FromConfig for $name {
            fn from_config(config: &Config, kernel: &JitKernel) -> Option<Self> {
                Some(Self { $($field: config.field(stringify!($field), kernel)?),* })
            }
        })*
    };
}
structs! {
    PatternSpec { steps, negations, within }
    StepSpec { kleene, correlated, within, shared }
    NegationSpec { after, whole, correlated }
}

/// A constructor: a kernel, and what else the operator is made of.
trait Construct<Arguments> {
    fn construct(self, kernel: JitKernel, of: &OperatorCode) -> Option<Box<dyn Running>>;
}

macro_rules! constructors {
    ($(($($argument:ident),*);)*) => {
        $(impl<F, O, $($argument: FromConfig),*> Construct<($($argument,)*)> for F
        where
            F: FnOnce(JitKernel, $($argument),*) -> O,
            Behind<O>: Running + 'static,
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one arm has no arguments")]
            fn construct(self, kernel: JitKernel, of: &OperatorCode) -> Option<Box<dyn Running>> {
                let mut config = of.config.iter();
                $(let $argument = $argument::from_config(config.next()?, &kernel)?;)*
                Some(Box::new(Behind { operator: self(kernel, $($argument),*), timed: of.timed, chains: Arc::clone(&of.chains) }))
            }
        })*
    };
}
constructors! {
    ();
    (A);
    (A, B);
    (A, B, C);
}

macro_rules! operators {
    ($($name:ident)*) => {
        /// Makes an operator by the name of its type; `None` if there is none of that name, or the configuration is not its own.
        pub(super) fn construct(kernel: JitKernel, of: &OperatorCode) -> Option<Box<dyn Running>> {
            use crate::operators::*;
            use crate::pattern::*;
            match of.runtime {
                $(stringify!($name) => Construct::construct($name::<JitKernel>::new, kernel, of),)*
                _ => None,
            }
        }
    };
}
crate::operators::for_each_operator!(operators);
