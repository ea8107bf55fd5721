//! Operators over compiled kernels: the same types as in programs compiled ahead of time, made by name.
#![expect(unsafe_code, reason = "compiled code pushes to operators by address; slots are filled by their layout")]

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use varpulis_abi::jit::{self, firing, operator};

use super::bytes::Bytes;
use super::code::{ChainAddress, OperatorCode};
use super::context::Context;
use super::kernel::{JitKernel, RowRef};
use super::record::put;
use crate::clock::MachineTime;
use crate::operator::Operator;
use crate::operators::{JoinFiring, LagFiring, RankFiring, RowFiring, RuleFiring, WindowFiring};
use crate::pattern::{MatchFiring, NegationSpec, PatternSpec, StepSpec};
use crate::state::Slots;
use crate::value::Value;

/// An operator and the chains behind it.
pub(super) trait Running: Send {
    /// How compiled code pushes to it, as long as it lives and stays where it is.
    fn entry(&self) -> Entry;
    /// The watermark at which time makes it fire; `i64::MAX` if none does.
    fn deadline(&self) -> i64;
    fn advance(&self, context: *mut Context, watermark: i64);
    /// The same of one that goes by the machine's time.
    fn tick(&self, context: *mut Context, now: i64);
    /// Records below the watermark follow.
    fn begin_late(&self, watermark: i64);
    /// Whether it took one.
    fn took_late(&self) -> bool;
}

/// What compiled code pushes by.
#[repr(C)]
pub(super) struct Entry {
    push: unsafe extern "C" fn(*mut Context, *const (), u64, *const u64) -> u64,
    operator: *const (),
}

impl Entry {
    /// # Safety
    /// As for [`push`].
    #[inline(always)]
    pub(super) unsafe fn push(&self, context: *mut Context, port: u64, row: *const u64) -> u64 {
        // SAFETY: by this function's contract; the operator is the function's.
        unsafe { (self.push)(context, self.operator, port, row) }
    }
}

const _: () = {
    assert!(std::mem::offset_of!(Entry, push) == operator::PUSH as usize);
    assert!(std::mem::offset_of!(Entry, operator) == operator::OPERATOR as usize);
    assert!(size_of::<Entry>() == operator::SIZE as usize);
};

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
        let slots = [self.key.as_ptr(), self.accs.as_ptr(), std::ptr::null()];
        Parts { start: self.start, end: self.end, rule: u64::from(self.update), slots, ..Parts::at(self.ts) }
    }
}
impl Fired for RowFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { row: self.row.row, ..Parts::at(self.ts) }
    }
}
impl Fired for LagFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { row: self.row.row, slots: [std::ptr::null(), self.kept.as_ptr(), std::ptr::null()], ..Parts::at(self.ts) }
    }
}
impl Fired for JoinFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { slots: [self.key.as_ptr(), self.left.as_ptr(), self.right.as_ptr()], ..Parts::at(self.ts) }
    }
}
impl Fired for RankFiring<'_, JitKernel> {
    fn parts(&self) -> Parts {
        Parts { start: self.start, end: self.end, slots: [self.key.as_ptr(), self.kept.as_ptr(), std::ptr::null()], ..Parts::at(self.ts) }
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
    /// The machine's time, if the operator goes by it.
    clock: Option<MachineTime>,
    chains: Arc<[ChainAddress]>,
}

impl<O> Running for RefCell<Behind<O>>
where
    O: Operator + Send + 'static,
    for<'a> O: Operator<Input<'a> = RowRef<'a>>,
    for<'a> O::Firing<'a>: Fired,
{
    fn entry(&self) -> Entry {
        // Which time it goes by does not change: most operators need not ask.
        let clocked = self.try_borrow().is_ok_and(|behind| behind.clock.is_some());
        Entry { push: if clocked { push::<O, true> } else { push::<O, false> }, operator: std::ptr::from_ref(self).cast() }
    }

    fn deadline(&self) -> i64 {
        self.try_borrow().map_or(i64::MAX, |behind| behind.operator.deadline())
    }

    fn advance(&self, context: *mut Context, watermark: i64) {
        if let Ok(mut behind) = self.try_borrow_mut() {
            let Behind { operator, chains, .. } = &mut *behind;
            operator.advance(watermark, &mut |firing| fire(context, chains, &firing.parts()));
        }
    }

    fn tick(&self, context: *mut Context, now: i64) {
        if let Ok(mut behind) = self.try_borrow_mut() {
            let Behind { operator, chains, clock, .. } = &mut *behind;
            let now = clock.as_mut().map_or(now, |machine| machine.reading(now));
            operator.tick(now, &mut |firing| fire(context, chains, &firing.parts()));
        }
    }

    fn begin_late(&self, watermark: i64) {
        if let Ok(mut behind) = self.try_borrow_mut() {
            behind.operator.begin_late(watermark);
        }
    }

    fn took_late(&self) -> bool {
        self.try_borrow().is_ok_and(|behind| behind.operator.took_late())
    }
}

/// Hands a row to an operator; 0 or a refusal.
///
/// # Safety
/// The operator's address is that of a `RefCell<Behind<O>>` that lives, the row is one of its port and begins with its time, the context is that
/// of the instance that owns the operator.
unsafe extern "C" fn push<O, const CLOCKED: bool>(context: *mut Context, operator: *const (), port: u64, row: *const u64) -> u64
where
    O: Operator + Send + 'static,
    for<'a> O: Operator<Input<'a> = RowRef<'a>>,
    for<'a> O::Firing<'a>: Fired,
{
    // SAFETY: by this function's contract.
    unsafe {
        let cell = &*operator.cast::<RefCell<Behind<O>>>();
        let Ok(mut behind) = cell.try_borrow_mut() else {
            debug_assert!(false, "an operator reaches later stages only");
            return 0;
        };
        let Behind { operator, chains, timed, clock } = &mut *behind;
        let mut fire = |firing: O::Firing<'_>| fire(context, chains, &firing.parts());
        let ts = match clock {
            Some(machine) if CLOCKED => machine.reading(Context::wall_clock(context)),
            _ => row.read().cast_signed(),
        };
        let result = if O::TAKES_LATE && port & operator::LATE != 0 {
            operator.push_late(ts, RowRef::new(row, port & !operator::LATE), &mut fire)
        } else {
            operator.push(ts, RowRef::new(row, port), &mut fire)
        };
        if *timed {
            (*context).due = (*context).due.min(operator.deadline());
        }
        match result {
            Ok(()) => 0,
            Err(refusal) => jit::refusal(refusal.site, refusal.reason),
        }
    }
}

/// Hands a firing to the chains behind the operator. What they make does not outlive the firing.
#[inline]
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
    StepSpec { kleene, fallible, correlated, within, shared }
    NegationSpec { after, whole, fallible, correlated }
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
            RefCell<Behind<O>>: Running + 'static,
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one arm has no arguments")]
            fn construct(self, kernel: JitKernel, of: &OperatorCode) -> Option<Box<dyn Running>> {
                let mut config = of.config.iter();
                $(let $argument = $argument::from_config(config.next()?, &kernel)?;)*
                let operator = self(kernel, $($argument),*);
                Some(Box::new(RefCell::new(Behind { operator, timed: of.timed, clock: of.clocked.then(MachineTime::default), chains: Arc::clone(&of.chains) })))
            }
        })*
    };
}
constructors! {
    ();
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
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
