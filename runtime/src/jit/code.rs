//! A compiled program: the addresses of its functions, and the tables by which it runs.
#![expect(unsafe_code, reason = "compiled functions are called by address, with the one signature that each kind has")]

use std::any::Any;
use std::sync::Arc;

use varpulis_abi::layout::RecordLayout;

use super::context::Context;
use super::kernel::{Address, Functions};
use super::operator::Config;
use super::record::Shape;
use crate::event::Event;
use crate::program::{EventSchema, FieldSchema, ParamSchema, Schema, Site, StreamSchema};

/// What a compiler hands over. Numbers are places in the tables here.
pub struct Code {
    /// The program's name.
    pub name: String,
    /// The events it reads.
    pub events: Vec<EventSchema>,
    /// The streams it publishes.
    pub streams: Vec<StreamSchema>,
    /// The places that can refuse a record.
    pub sites: Vec<Site>,
    /// Its parameters.
    pub params: Vec<ParamSchema>,
    /// What its records look like, by their numbers.
    pub shapes: Vec<Shape>,
    /// Per event: where it goes.
    pub inputs: Vec<InputCode>,
    /// Per timer: its period in ns, and where its records go.
    pub timers: Vec<(i64, InputCode)>,
    /// Per place that can refuse a record: which of `errors` takes that, if the program handles it. Empty if it handles nothing.
    pub handlers: Vec<Option<usize>>,
    /// Where evaluation errors go that the program handles.
    pub errors: Vec<InputCode>,
    /// Takes many events at once.
    pub batch: Option<BatchAddress>,
    /// Operators; inputs come before their consumers.
    pub operators: Vec<OperatorCode>,
    /// Publications.
    pub outputs: Vec<OutputCode>,
    /// Per rule table: the publications of its rules.
    pub rules: Vec<Vec<usize>>,
    /// The slot of its `param`s and `let`s.
    pub globals: Arc<RecordLayout>,
    /// How they are computed, in order.
    pub values: Vec<GlobalCode>,
    /// Its counters.
    pub counters: Vec<CounterCode>,
    /// The order in which they are told.
    pub counter_order: Vec<usize>,
    /// What rejects events.
    pub rejections: Box<dyn Rejections>,
    /// Keeps the memory of the functions, and frees it.
    pub memory: Box<dyn Any + Send + Sync>,
}

/// A counter.
#[derive(Clone, Debug)]
pub struct CounterCode {
    /// Its name.
    pub name: String,
    /// Whether it counts for each label on its own.
    pub has_labels: bool,
}

/// Where an event goes.
#[derive(Clone, Debug)]
pub struct InputCode {
    /// Its record.
    pub shape: usize,
    /// How many fields it has.
    pub fields: usize,
    /// What takes it, in order.
    pub targets: Vec<Target>,
    /// What takes it when it is late.
    pub late: Vec<Target>,
}

/// What takes the rows of an event.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A chain.
    Chain(ChainAddress),
    /// An operator, by one of its inputs.
    Operator {
        /// Its number.
        operator: usize,
        /// The input.
        port: u64,
    },
}

/// What rejects events before all of their fields are known. Few inputs ever ask, so that it is compiled when one does.
pub trait Rejections: Send + Sync {
    /// Of an event: of each list, one must. Empty if nothing does.
    fn of(&self, event: usize) -> &[Vec<RejectionCode>];
}

/// A condition over one field.
#[derive(Clone, Debug)]
pub struct RejectionCode {
    /// The field, among those of the event's schema.
    pub field: usize,
    /// Whether it rejects: 1; a refusal does not.
    pub body: ChainAddress,
}

/// A stateful operator.
#[derive(Clone, Debug)]
pub struct OperatorCode {
    /// Its type in the runtime.
    pub runtime: &'static str,
    /// Its kernel.
    pub functions: Functions,
    /// The layouts of its stores.
    pub layouts: Arc<[(&'static str, Arc<RecordLayout>)]>,
    /// What its constructor takes behind the kernel.
    pub config: Vec<Config>,
    /// The chains that its firings go to.
    pub chains: Arc<[ChainAddress]>,
    /// Whether event time alone makes it fire.
    pub timed: bool,
    /// Whether it goes by the machine's time, and that alone makes it fire.
    pub clocked: bool,
    /// How many operators lie before it at most.
    pub stage: usize,
}

/// A publication.
#[derive(Clone, Debug)]
pub struct OutputCode {
    /// The record type's name.
    pub name: String,
    /// How its records begin.
    pub head: String,
    /// Its record.
    pub shape: usize,
    /// A field that takes the place of the record's `ts`.
    pub shadow: Option<usize>,
}

/// A `param` or a `let`.
#[derive(Clone, Debug)]
pub struct GlobalCode {
    /// Its name and type.
    pub schema: FieldSchema,
    /// Whether it is set from outside.
    pub is_param: bool,
    /// Computes it (or its default) into the slot.
    pub body: Option<ChainAddress>,
}

/// The address of a function from a context and a row (or a firing) to 0, 1 or a refusal.
#[derive(Clone, Copy, Debug)]
pub struct ChainAddress(Address);

impl ChainAddress {
    /// # Safety
    /// It is the address of a compiled function of that signature, whose code lives as long as the [`Code`] that this becomes part of.
    pub unsafe fn new(address: *const u8) -> Self {
        Self(Address(address))
    }

    #[inline(always)]
    pub(super) fn call(self, context: *mut Context, input: *const u64) -> u64 {
        // SAFETY: whoever made this value has promised the signature; the context is that of the running instance, which keeps the code.
        unsafe {
            let function: unsafe extern "C" fn(*mut Context, *const u64) -> u64 = std::mem::transmute(self.0.0);
            function(context, input)
        }
    }
}

/// The address of a function that takes events one by one, as long as that asks for nothing but compiled code and pushes: the context,
/// events, their number, and the time of the newest event so far, to how many it took.
#[derive(Clone, Copy, Debug)]
pub struct BatchAddress(Address);

impl BatchAddress {
    /// # Safety
    /// As for [`ChainAddress::new`].
    pub unsafe fn new(address: *const u8) -> Self {
        Self(Address(address))
    }

    #[inline(always)]
    pub(super) fn call(self, context: *mut Context, events: &[Event<'_>], newest: i64) -> usize {
        // SAFETY: as for `ChainAddress::call`.
        unsafe {
            let function: unsafe extern "C" fn(*mut Context, *const Event<'_>, u64, i64) -> u64 = std::mem::transmute(self.0.0);
            function(context, events.as_ptr(), events.len() as u64, newest) as usize
        }
    }
}

impl Code {
    /// What the program says of itself.
    pub fn schema(&self) -> Schema<'_> {
        Schema { name: &self.name, events: &self.events, streams: &self.streams, sites: &self.sites, params: &self.params }
    }

    /// Whether some event may lag, so that events wait in a reorder buffer.
    pub(super) fn holds(&self) -> bool {
        self.events.iter().any(|event| event.out_of_order > 0)
    }
}
