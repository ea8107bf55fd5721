//! A running instance of a program that was compiled at run time.
#![expect(unsafe_code, reason = "rows are filled in place for compiled code; the context is reached by the address that the code holds")]

use std::sync::Arc;

use varpulis_abi::layout::WORD;
use varpulis_abi::scalar::Scalar;

use super::bytes::{Bytes, put_text};
use super::code::{Code, GlobalCode};
use super::context::Context;
use super::event_row::EventRow;
use super::kernel::{JitKernel, status};
use super::operator::construct;
use super::record::{JitRow, put};
use crate::clock::{Arrival, Clock};
use crate::input::Rejected;
use crate::output::Output;
use crate::program::{self, Counters, Params, Schema};
use crate::reorder::ReorderBuffer;
use crate::state::Slots;
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
    /// The operators that time makes fire, by stage.
    timed: Vec<usize>,
    /// Per event, the row that it is decoded into.
    rows: Vec<EventRow>,
    globals: Bytes,
    counters: Vec<u64>,
}

// SAFETY: all that the instance points to is its own, and operators are `Send`; nothing is bound to a thread.
unsafe impl Send for Instance {}

/// An event that waits for its turn, with texts of its own.
struct Waiting {
    event: usize,
    row: Vec<u64>,
    /// What the row's texts point into.
    _text: Box<[u8]>,
}

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
        let mut timed: Vec<usize> = (0..code.operators.len()).filter(|at| code.operators.get(*at).is_some_and(|o| o.timed)).collect();
        timed.sort_by_key(|at| code.operators.get(*at).map(|o| o.stage));
        let rows = code.inputs.iter().filter_map(|input| code.shapes.get(input.shape)).map(|shape| EventRow::new(&shape.layout)).collect();
        let mut instance = Self {
            context: Box::into_raw(Box::new(Context::new(Arc::clone(&code)))),
            clock: Clock::new(lag),
            waiting: ReorderBuffer::new(),
            holds: code.holds(),
            timed,
            rows,
            globals,
            counters: vec![0; code.counters.len()],
            code,
        };
        instance.fill_globals(params)?;
        instance.make_operators()?;
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
                    status(body.call(self.context, slot)).map_err(|refusal| format!("`{}`: {}", value.name, refusal.reason))?;
                    Context::reset(self.context, mark);
                }
                (None, None) if value.is_param && !value.ty.nullable => return Err(format!("parameter `{}` must be set", value.name)),
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn make_operators(&mut self) -> Result<(), String> {
        for operator in &self.code.operators {
            // SAFETY: the compiler made the functions for this operator's kernel; code and context live as long as the operators, which the
            // context owns.
            let kernel = unsafe { JitKernel::new(Arc::clone(&operator.functions), Arc::clone(&operator.layouts), self.context) };
            let made = construct(kernel, operator);
            let made = made.ok_or_else(|| format!("internal error: the operator `{}` cannot be made", operator.runtime))?;
            // SAFETY: no compiled code runs.
            unsafe {
                let operators = &mut (*self.context).operators;
                operators.push(std::cell::RefCell::new(made));
            }
        }
        Ok(())
    }

    /// Takes an event whose row is filled.
    fn take(&mut self, event: usize, ts: i64) {
        let Some(shape) = self.code.inputs.get(event).map(|input| input.shape) else { return };
        let arrival = self.clock.observe(ts);
        if arrival == Arrival::Late {
            let row = self.rows.get(event).map_or(std::ptr::null(), EventRow::address);
            return Context::late(self.context, shape, row);
        }
        if self.holds {
            if let Some(waiting) = self.waiting_event(event, shape) {
                self.waiting.push(ts, waiting);
            }
            if let Arrival::Moved(watermark) = arrival {
                self.release(watermark);
            }
            return;
        }
        if let Arrival::Moved(watermark) = arrival {
            self.pass(watermark);
        }
        let row = self.rows.get(event).map_or(std::ptr::null(), EventRow::address);
        self.run(event, row);
    }

    /// The event at hand, with texts of its own.
    fn waiting_event(&self, event: usize, shape: usize) -> Option<Waiting> {
        let (mut row, layout) = (self.rows.get(event)?.words().to_vec(), &self.code.shapes.get(shape)?.layout);
        let texts = || layout.places.iter().filter(|place| place.held.is_text()).map(|place| (place.offset / WORD) as usize);
        let mut text = Vec::new();
        for at in texts() {
            if let Some([address, length]) = row.get(at..at + 2) {
                // SAFETY: the row was filled with texts that live during this call.
                text.extend_from_slice(unsafe { super::memory::text(*address, *length) }.as_bytes());
            }
        }
        let text = text.into_boxed_slice();
        let mut address = text.as_ptr().expose_provenance() as u64;
        for at in texts() {
            if let Some([place, length]) = row.get_mut(at..at + 2) {
                *place = address;
                address += *length;
            }
        }
        Some(Waiting { event, row, _text: text })
    }

    /// Hands a row to the chains of its event.
    #[inline]
    fn run(&self, event: usize, row: *const u64) {
        let Some(input) = self.code.inputs.get(event) else { return };
        let mark = Context::mark(self.context);
        for chain in &input.chains {
            let result = chain.call(self.context, row);
            if result != 0 {
                Context::report(self.context, result, input.shape, row);
            }
        }
        Context::reset(self.context, mark);
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
        if self.timed.len() == 1 {
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
        // SAFETY: as above.
        unsafe { (*self.context).due = self.deadline() };
    }

    fn deadline(&self) -> i64 {
        self.timed.iter().map(|at| self.operator(*at, |o| o.deadline())).min().unwrap_or(i64::MAX)
    }

    fn advance_all(&self, watermark: i64) {
        for at in &self.timed {
            self.operator(*at, |o| {
                o.advance(self.context, watermark);
                0
            });
        }
    }

    fn operator(&self, at: usize, run: impl FnOnce(&mut dyn super::operator::Running) -> i64) -> i64 {
        // SAFETY: operators are made once, so that the vector does not change; an operator that is entered is behind its cell.
        let cell = unsafe {
            let operators = &(*self.context).operators;
            operators.get(at)
        };
        cell.and_then(|cell| cell.try_borrow_mut().ok()).map_or(i64::MAX, |mut operator| run(&mut **operator))
    }

    /// Hands on what waited, up to a watermark.
    fn release(&mut self, watermark: i64) {
        while let Some((ts, waiting)) = self.waiting.pop_ready(watermark) {
            if !self.timed.is_empty() {
                self.pass(ts);
            }
            self.run(waiting.event, waiting.row.as_ptr());
        }
        if !self.timed.is_empty() {
            self.pass(watermark);
        }
    }

    #[inline]
    fn fill(&mut self, event: usize, ts: i64, values: &[Value<'_>]) -> bool {
        self.rows.get_mut(event).is_some_and(|row| row.fill(ts, values))
    }
}

enum Set {
    Plain(Value<'static>),
    Text(String),
}

/// What a parameter is set to, if it is.
fn set_param(params: &Params, value: &GlobalCode) -> Result<Option<Set>, String> {
    let name = &value.name;
    Ok(match value.ty.scalar {
        Scalar::Int | Scalar::Wide => params.int(name)?.map(|v| Set::Plain(Value::Int(v))),
        Scalar::Enum => params.int(name)?.map(|v| Set::Plain(Value::Enum(u32::try_from(v).unwrap_or(u32::MAX)))),
        Scalar::Timestamp => params.timestamp(name)?.map(|v| Set::Plain(Value::Timestamp(v))),
        Scalar::Duration => params.duration(name)?.map(|v| Set::Plain(Value::Duration(v))),
        Scalar::Float => params.float(name)?.map(|v| Set::Plain(Value::Float(v))),
        Scalar::Bool => params.boolean(name)?.map(|v| Set::Plain(Value::Bool(v))),
        Scalar::Text | Scalar::Json => params.text(name)?.map(|v| Set::Text(v.to_owned())),
    })
}

impl program::Instance for Instance {
    type Row<'a> = JitRow<'a>;

    fn schema(&self) -> Schema<'_> {
        self.code.schema()
    }

    fn event<O: Output<Self>>(&mut self, event: usize, ts: i64, values: &[Value<'_>], out: &mut O) {
        if self.fill(event, ts, values) {
            Context::with_output(self.context, out, || self.take(event, ts));
        }
    }

    fn rejects(&self, event: usize, values: &[Value<'_>], read: &[bool]) -> bool {
        let Some(input) = self.code.inputs.get(event) else { return false };
        let rejections = self.code.rejections.of(event);
        let Some(shape) = self.code.shapes.get(input.shape).filter(|_| !rejections.is_empty()) else { return false };
        let mut row = EventRow::new(&shape.layout);
        if !row.fill(0, values) {
            return false;
        }
        let mark = Context::mark(self.context);
        let rejected =
            rejections.iter().all(|beginning| beginning.iter().any(|r| read.get(r.field) == Some(&true) && r.body.call(self.context, row.address()) == 1));
        Context::reset(self.context, mark);
        rejected
    }

    fn rejected<O: Output<Self>>(&mut self, record: &Rejected<'_>, out: &mut O) {
        Context::with_output(self.context, out, || match self.clock.observe(record.ts) {
            Arrival::Late => Context::late_rejected(self.context, record),
            Arrival::Moved(watermark) if self.holds => self.release(watermark),
            Arrival::Moved(watermark) => self.pass(watermark),
            Arrival::InTime => {}
        });
    }

    fn advance<O: Output<Self>>(&mut self, watermark: i64, out: &mut O) {
        Context::with_output(self.context, out, || {
            self.clock.move_to(watermark);
            if self.holds {
                self.release(watermark);
            } else {
                self.pass(watermark);
            }
        });
    }

    fn counters(&self) -> Counters {
        let named = self.code.counter_order.iter().filter_map(|at| Some((self.code.counters.get(*at)?.clone(), *self.counters.get(*at)?)));
        Counters { named: named.collect() }
    }
}
