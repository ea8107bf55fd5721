//! A running instance of a program that was compiled at run time.
#![expect(unsafe_code, reason = "rows are filled in place for compiled code; the context is reached by the address that the code holds")]

use std::cell::RefCell;
use std::sync::Arc;

use varpulis_abi::scalar::Scalar;

use super::bytes::{Bytes, put_text};
use super::code::{Code, GlobalCode, InputCode, OperatorCode, Target};
use super::context::Context;
use super::kernel::{JitKernel, status};
use super::operator::{Running, construct};
use super::record::{JitRow, put};
use super::waiting::Waiting;
use crate::clock::{Arrival, Clock};
use crate::event::Event;
use crate::input::Rejected;
use crate::output::Output;
use crate::program::{self, Counters, Params, Schema};
use crate::reorder::ReorderBuffer;
use crate::state::Slots;
use crate::timers::Timers;
use crate::value::Value;

/// A running program: events in, rows out. It owns all its state.
pub struct Instance {
    code: Arc<Code>,
    /// Made by `Box::into_raw`: compiled code and operators hold its address.
    context: *mut Context,
    clock: Clock,
    waiting: ReorderBuffer<Waiting>,
    /// Whether events wait.
    holds: bool,
    /// Asked where time passes, which borrows the instance.
    timers: RefCell<Timers>,
    /// The operators that time makes fire, by stage.
    timed: Vec<usize>,
    /// Those that the machine's time makes fire, by stage.
    clocked: Vec<usize>,
    globals: Bytes,
    counters: Vec<u64>,
}

// SAFETY: all that the instance points to is its own, and operators are `Send`; nothing is bound to a thread.
unsafe impl Send for Instance {}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the context was made by `Box::into_raw` in `new`, and is freed here alone.
        drop(unsafe { Box::from_raw(self.context) });
    }
}

impl Instance {
    /// A fresh instance.
    ///
    /// # Errors
    /// A parameter is unknown, missing or not of its type, or a `let` cannot be computed; the text says which and why.
    pub fn new(code: Arc<Code>, params: &Params) -> Result<Self, String> {
        params.check(&code.params)?;
        let mut globals = Bytes::with_layout(Some(&code.globals));
        globals.add();
        let lag = code.events.iter().map(|event| event.out_of_order).max().unwrap_or(0);
        let mut instance = Self {
            context: Box::into_raw(Box::new(Context::new(Arc::clone(&code)))),
            clock: Clock::new(lag),
            waiting: ReorderBuffer::new(lag),
            holds: code.holds(),
            timers: RefCell::new(Timers::new(code.timers.iter().map(|(period, _)| *period))),
            timed: by_stage(&code, |operator| operator.timed),
            clocked: by_stage(&code, |operator| operator.clocked),
            globals,
            counters: vec![0; code.counters.len()],
            code,
        };
        instance.fill_globals(params)?;
        instance.make_operators()?;
        instance.set_due();
        Ok(instance)
    }

    /// The number of an event in the schema's table; `None` if the program does not read it.
    pub fn event_named(&self, name: &str) -> Option<usize> {
        self.code.events.iter().position(|event| event.name == name)
    }

    fn fill_globals(&mut self, params: &Params) -> Result<(), String> {
        let slot = self.globals.at_mut(0).as_mut_ptr();
        // SAFETY: the context is this instance's own; both vectors keep their buffers as long as the instance lives.
        unsafe {
            (*self.context).globals = slot;
            (*self.context).counters = self.counters.as_mut_ptr();
        }
        let code = Arc::clone(&self.code);
        for (value, place) in code.values.iter().zip(&code.globals.places) {
            let set = if value.is_param { set_param(params, value)? } else { None };
            match (set, value.body) {
                (Some(Set::Plain(set)), _) => {
                    // SAFETY: the slot is of the layout that the place belongs to.
                    unsafe { put(slot, place, set) };
                }
                (Some(Set::Text(text)), _) => {
                    // SAFETY: as above; the text is given to the slot as its own.
                    unsafe {
                        put_text(slot, place, &text);
                    }
                }
                (None, Some(body)) => {
                    let mark = Context::mark(self.context);
                    status(body.call(self.context, slot)).map_err(|refusal| format!("`{}`: {}", value.schema.name, refusal.reason))?;
                    Context::reset(self.context, mark);
                }
                (None, None) if value.is_param && !value.schema.ty.nullable => return Err(format!("parameter `{}` must be set", value.schema.name)),
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn make_operators(&mut self) -> Result<(), String> {
        let mut running = vec![];
        for operator in &self.code.operators {
            // SAFETY: the compiler made the functions for this operator's kernel; code and context live as long as the operators, which the
            // context owns.
            let kernel = unsafe { JitKernel::new(operator.functions, Arc::clone(&operator.layouts), self.context) };
            let made = construct(kernel, operator);
            running.push(made.ok_or_else(|| format!("internal error: the operator `{}` cannot be made", operator.runtime))?);
        }
        Context::set_operators(self.context, running);
        Ok(())
    }

    /// Keeps an event until the watermark has passed it.
    #[inline(never)]
    fn hold(&mut self, event: usize, ts: i64, values: &[Value<'_>]) {
        let arrival = self.clock.observe(ts);
        if arrival == Arrival::Late {
            if let Some(input) = self.code.inputs.get(event) {
                self.take_late(input, &Event::new(event, ts, values));
            }
            return;
        }
        self.waiting.push(ts, Waiting::new(event, values));
        if let Arrival::Moved(watermark) = arrival {
            self.release(watermark);
        }
    }

    /// Hands a row to all that takes it.
    #[inline(always)]
    fn run(&self, input: &InputCode, row: &Event<'_>) {
        let Some((first, others)) = input.targets.split_first() else { return };
        self.hand(input, *first, row);
        if !others.is_empty() {
            self.run_others(input, others, row);
        }
    }

    #[inline(never)]
    fn run_others(&self, input: &InputCode, others: &[Target], row: &Event<'_>) {
        for target in others {
            self.hand(input, *target, row);
        }
    }

    #[inline(always)]
    fn hand(&self, input: &InputCode, target: Target, row: &Event<'_>) {
        let row = row.address();
        let result = match target {
            Target::Chain(chain) => chain.call(self.context, row),
            Target::Operator { operator, port } => Context::push(self.context, operator, port, row),
        };
        if result != 0 {
            Context::report(self.context, result, input.shape, row);
        }
    }

    /// Hands a late event to the windows that may take it; if none does, tells of it.
    #[cold]
    fn take_late(&self, input: &InputCode, row: &Event<'_>) {
        if !input.late.is_empty() {
            self.timed_operators().for_each(|operator| operator.begin_late(self.clock.watermark()));
            self.run_others(input, &input.late, row);
            if self.timed_operators().any(Running::took_late) {
                return;
            }
        }
        Context::late(self.context, input.shape, row.address());
    }

    /// Lets time go by.
    #[inline]
    fn pass(&self, watermark: i64) {
        // SAFETY: no compiled code runs, so that nothing else uses the context.
        if watermark >= unsafe { (*self.context).due } {
            self.fire_due(watermark);
        }
    }

    #[cold]
    fn fire_due(&self, watermark: i64) {
        if !self.code.timers.is_empty() {
            self.fire_with_timers(watermark);
        } else if self.timed.len() == 1 {
            if self.deadline() <= watermark {
                self.advance_all(watermark);
            }
        } else {
            // Operators fire in the order of time, whatever their order in the program.
            loop {
                let due = self.deadline();
                if due > watermark || due == i64::MAX {
                    break;
                }
                self.advance_all(due);
            }
        }
        self.set_due();
    }

    /// Timers and operators in the order of time; of one moment, operators first.
    fn fire_with_timers(&self, watermark: i64) {
        self.timers.borrow_mut().begin(self.clock.oldest(), watermark);
        loop {
            let due = self.deadline();
            let tick = self.timers.borrow_mut().tick(watermark, due);
            if let Some((ts, timer)) = tick {
                if let Some((_, input)) = self.code.timers.get(timer) {
                    self.run(input, &Event::new(usize::MAX, ts, &[]));
                    Context::settle(self.context);
                }
                continue;
            }
            if due > watermark || due == i64::MAX {
                break;
            }
            self.advance_all(due);
        }
    }

    fn set_due(&self) {
        // SAFETY: no compiled code runs, so that nothing else uses the context.
        unsafe { (*self.context).due = self.deadline().min(self.timers.borrow().due()) };
    }

    fn deadline(&self) -> i64 {
        self.timed_operators().map(Running::deadline).min().unwrap_or(i64::MAX)
    }

    fn advance_all(&self, watermark: i64) {
        self.timed_operators().for_each(|operator| operator.advance(self.context, watermark));
    }

    fn timed_operators(&self) -> impl Iterator<Item = &dyn Running> {
        self.timed.iter().filter_map(|at| Context::operator(self.context, *at))
    }

    fn clocked_operators(&self) -> impl Iterator<Item = &dyn Running> {
        self.clocked.iter().filter_map(|at| Context::operator(self.context, *at))
    }

    /// Hands on what waited, up to a watermark.
    fn release(&mut self, watermark: i64) {
        while let Some((ts, waiting)) = self.waiting.pop_ready(watermark) {
            if self.passes() {
                self.pass(ts);
            }
            let row = waiting.at(ts);
            if let Some(input) = self.code.inputs.get(row.event()) {
                self.run(input, &row);
                Context::settle(self.context);
            }
        }
        if self.passes() {
            self.pass(watermark);
        }
    }

    /// Whether time alone makes something happen.
    fn passes(&self) -> bool {
        !self.timed.is_empty() || !self.code.timers.is_empty()
    }
}

/// The operators of that kind, by their places, those of earlier stages first.
fn by_stage(code: &Code, kind: impl Fn(&OperatorCode) -> bool) -> Vec<usize> {
    let mut found: Vec<usize> = code.operators.iter().enumerate().filter(|(_, operator)| kind(operator)).map(|(at, _)| at).collect();
    found.sort_by_key(|at| code.operators.get(*at).map(|operator| operator.stage));
    found
}

enum Set {
    Plain(Value<'static>),
    Text(String),
}

/// What a parameter is set to, if it is.
fn set_param(params: &Params, value: &GlobalCode) -> Result<Option<Set>, String> {
    let schema = &value.schema;
    let name = &schema.name;
    Ok(match schema.ty.scalar {
        Scalar::Int | Scalar::Wide => params.int(name)?.map(|v| Set::Plain(Value::Int(v))),
        Scalar::Enum => params.variant(schema)?.map(|v| Set::Plain(Value::Enum(v))),
        Scalar::Timestamp => params.timestamp(name)?.map(|v| Set::Plain(Value::Timestamp(v))),
        Scalar::Duration => params.duration(name)?.map(|v| Set::Plain(Value::Duration(v))),
        Scalar::Float => params.float(name)?.map(|v| Set::Plain(Value::Float(v))),
        Scalar::Decimal => params.decimal(schema)?.map(|v| Set::Plain(Value::of_decimal(v))),
        Scalar::Bool => params.boolean(name)?.map(|v| Set::Plain(Value::Bool(v))),
        Scalar::Packed => params.packed(schema)?.map(|v| Set::Text(v.to_string())),
        Scalar::Text | Scalar::Json => params.text(name)?.map(|v| Set::Text(v.to_owned())),
    })
}

impl program::Instance for Instance {
    type Row<'a> = JitRow<'a>;

    fn schema(&self) -> Schema<'_> {
        self.code.schema()
    }

    #[inline(always)]
    fn event<O: Output<Self>>(&mut self, event: usize, ts: i64, values: &[Value<'_>], out: &mut O) {
        let Some(input) = self.code.inputs.get(event).filter(|input| input.fields == values.len()) else { return };
        Context::enter(self.context, out);
        if self.holds {
            self.hold(event, ts, values);
        } else {
            let (arrival, row) = (self.clock.observe_without_lag(ts), Event::new(event, ts, values));
            match arrival {
                Arrival::Late => self.take_late(input, &row),
                Arrival::Moved(watermark) => {
                    self.pass(watermark);
                    self.run(input, &row);
                }
                Arrival::InTime => self.run(input, &row),
            }
        }
        Context::leave(self.context);
    }

    fn events<O: Output<Self>>(&mut self, events: &[Event<'_>], out: &mut O) {
        let mut rest = events;
        while !rest.is_empty() {
            let mut taken = 0;
            if let (Some(batch), false) = (self.code.batch, self.holds) {
                Context::enter(self.context, out);
                taken = batch.call(self.context, rest, self.clock.watermark());
                if let Some(last) = taken.checked_sub(1).and_then(|last| rest.get(last)) {
                    self.clock.move_to(last.ts());
                }
                Context::leave(self.context);
            }
            // What is out of the common is done here, one event at a time.
            if let (0, Some(event)) = (taken, rest.first()) {
                self.event(event.event(), event.ts(), event.values(), out);
                taken = 1;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    fn rejects(&self, event: usize, values: &[Value<'_>], read: &[bool]) -> bool {
        let rejections = self.code.rejections.of(event);
        if rejections.is_empty() || self.code.inputs.get(event).is_none_or(|input| input.fields != values.len()) {
            return false;
        }
        let row = Event::new(event, 0, values);
        let mark = Context::mark(self.context);
        let rejected =
            rejections.iter().all(|beginning| beginning.iter().any(|r| read.get(r.field) == Some(&true) && r.body.call(self.context, row.address()) == 1));
        Context::reset(self.context, mark);
        rejected
    }

    fn rejected<O: Output<Self>>(&mut self, record: &Rejected<'_>, out: &mut O) {
        Context::enter(self.context, out);
        match self.clock.observe(record.ts) {
            Arrival::Late => Context::late_rejected(self.context, record),
            Arrival::Moved(watermark) if self.holds => self.release(watermark),
            Arrival::Moved(watermark) => self.pass(watermark),
            Arrival::InTime => {}
        }
        Context::leave(self.context);
    }

    fn advance<O: Output<Self>>(&mut self, watermark: i64, out: &mut O) {
        Context::enter(self.context, out);
        if watermark == i64::MAX {
            // The end of the input is no time that goes by.
            self.timers.get_mut().end(self.clock.newest());
        }
        self.clock.move_to(watermark);
        if self.holds {
            self.release(watermark);
        } else {
            self.pass(watermark);
        }
        if watermark == i64::MAX {
            self.clocked_operators().for_each(|operator| operator.tick(self.context, watermark));
        }
        Context::leave(self.context);
    }

    fn machine_deadline(&self) -> Option<i64> {
        self.clocked_operators().map(Running::deadline).min()
    }

    fn tick<O: Output<Self>>(&mut self, out: &mut O) {
        let now = out.wall_clock();
        if program::Instance::machine_deadline(self).is_some_and(|due| due <= now) {
            Context::enter(self.context, out);
            self.clocked_operators().for_each(|operator| operator.tick(self.context, now));
            Context::leave(self.context);
        }
    }

    fn counters(&self) -> Counters {
        let mut named = vec![];
        for at in &self.code.counter_order {
            let (Some(counter), Some(count)) = (self.code.counters.get(*at), self.counters.get(*at)) else { continue };
            if counter.has_labels {
                named.extend(Context::tally(self.context, *at).into_iter().flat_map(|tally| tally.counts(&counter.name)));
            } else {
                named.push((counter.name.clone(), *count));
            }
        }
        Counters { named }
    }
}
