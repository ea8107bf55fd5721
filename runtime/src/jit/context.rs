//! What compiled code and its helpers share while a program runs.
//!
//! Compiled code knows the context by address and reads its first fields in place; helpers get the same address. Nobody holds a reference to
//! the whole: helpers touch one field at a time, because an operator that a helper pushes to may fire, and so call compiled code and helpers
//! again. A chain reaches operators of its own stage and later only, so that no operator is entered twice; the cells check it.
#![expect(unsafe_code, reason = "helpers get the context by address from compiled code, which got it from the instance that owns it")]

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use varpulis_abi::jit::{self, NO_RECORD};
use varpulis_abi::packed::Packer;

use super::bytes;
use super::code::Code;
use super::instance::Instance;
use super::memory::{self, Arena, Mark, text};
use super::operator::{Entry, Running};
use super::record::JitRow;
use super::refused;
use crate::kernels::KeyHasher;
use crate::operator::Refusal;
use crate::output::{At, Output};
use crate::program::Tally;
use crate::scalar::{self, equal_json, equal_packed, packed};
use crate::value::Value;

/// The context of a running instance.
#[repr(C)]
pub(super) struct Context {
    length: u64,
    value: u64,
    pub(super) globals: *const u64,
    pub(super) counters: *mut u64,
    operators: *const Entry,
    /// A lower bound of the operators' deadlines.
    pub(super) due: i64,
    /// Whether there is something to be done when the instance is left: texts to be forgotten, a panic to go on.
    unsettled: bool,
    /// What the loop that runs may still use, where loops are limited.
    fuel: i64,
    /// From here on only helpers look.
    arena: Arena,
    pub(super) code: Arc<Code>,
    /// Which must not move: their addresses stand in the entries.
    running: Vec<Box<dyn Running>>,
    entries: Vec<Entry>,
    /// Packed values in the making, the innermost last; what a refusal leaves behind goes when the instance is left.
    packers: Vec<Packer>,
    /// Counters with labels, by their numbers.
    tallies: BTreeMap<usize, Tally>,
    /// Where rows go. It is used between `enter` and `leave` alone: helpers, which use it, run in between.
    out: Option<NonNull<dyn Output<Instance>>>,
    /// What the output panicked with: it goes on where the instance was entered, since it must not cross compiled code.
    panic: Option<Box<dyn Any + Send>>,
}

const _: () = {
    assert!(std::mem::offset_of!(Context, length) == jit::context::LENGTH as usize);
    assert!(std::mem::offset_of!(Context, value) == jit::context::VALUE as usize);
    assert!(std::mem::offset_of!(Context, globals) == jit::context::GLOBALS as usize);
    assert!(std::mem::offset_of!(Context, counters) == jit::context::COUNTERS as usize);
    assert!(std::mem::offset_of!(Context, operators) == jit::context::OPERATORS as usize);
    assert!(std::mem::offset_of!(Context, due) == jit::context::DUE as usize);
    assert!(std::mem::offset_of!(Context, fuel) == jit::context::FUEL as usize);
    assert!(std::mem::offset_of!(Context, unsettled) == jit::context::UNSETTLED as usize);
};

impl Context {
    pub(super) fn new(code: Arc<Code>) -> Self {
        Self {
            length: 0,
            value: 0,
            globals: std::ptr::null(),
            counters: std::ptr::null_mut(),
            operators: std::ptr::null(),
            due: i64::MAX,
            unsettled: false,
            fuel: 0,
            arena: Arena::default(),
            code,
            running: Vec::new(),
            entries: Vec::new(),
            packers: Vec::new(),
            tallies: BTreeMap::new(),
            out: None,
            panic: None,
        }
    }

    /// Takes the operators of the program, in their order; once, before any code runs.
    pub(super) fn set_operators(context: *mut Self, running: Vec<Box<dyn Running>>) {
        // SAFETY: the context lives, and no compiled code runs.
        let context = unsafe { &mut *context };
        context.running = running;
        context.entries = context.running.iter().map(|operator| operator.entry()).collect();
        context.operators = context.entries.as_ptr();
    }

    /// Hands a row to an operator, as compiled code does.
    #[inline(always)]
    pub(super) fn push(context: *mut Self, operator: usize, port: u64, row: *const u64) -> u64 {
        // SAFETY: entries stay while the context does; the row is one of the port, as the compiler has it.
        unsafe {
            let entries = &(*context).entries;
            entries.get(operator).map_or(0, |entry| entry.push(context, port, row))
        }
    }

    /// An operator.
    pub(super) fn operator<'a>(context: *mut Self, at: usize) -> Option<&'a dyn Running> {
        // SAFETY: operators are set once, and stay while the context does; nobody keeps what this returns beyond that.
        let running = unsafe { &(*context).running };
        running.get(at).map(|operator| &**operator)
    }

    /// Keeps a text that a function made until the arena goes back; its address is the result, its length goes to the context.
    pub(super) fn keep(context: *mut Self, text: &str) -> u64 {
        // SAFETY: the context lives while compiled code runs, and the arena is used by one helper at a time.
        unsafe {
            let arena = &mut (*context).arena;
            let [address, length] = arena.keep(text);
            (*context).length = length;
            (*context).unsettled = true;
            (*context).fuel = (*context).fuel.saturating_sub_unsigned(length);
            address
        }
    }

    /// Hands a value to compiled code: its word, and a text's length, stand in the context; 0 if it is null.
    fn give_value(context: *mut Self, value: Value<'_>) -> u64 {
        let [word, length] = match value {
            Value::Null => return 0,
            Value::Int(v) | Value::Timestamp(v) | Value::Duration(v) => [v.cast_unsigned(), 0],
            Value::Float(v) => [v.to_bits(), 0],
            Value::Decimal(v) => {
                let v = i128::from(v);
                [v as u64, (v >> 64) as u64]
            }
            Value::Bool(v) => [u64::from(v), 0],
            Value::Enum(v) => [u64::from(v), 0],
            Value::Text(v) | Value::Json(v) | Value::Packed(v) => memory::words(v),
        };
        // SAFETY: as for `keep`.
        unsafe {
            (*context).value = word;
            (*context).length = length;
        }
        1
    }

    pub(super) fn value(context: *mut Self) -> u64 {
        // SAFETY: as above.
        unsafe { (*context).value }
    }

    pub(super) fn set_length(context: *mut Self, length: u64) {
        // SAFETY: as above.
        unsafe { (*context).length = length }
    }

    pub(super) fn set_value(context: *mut Self, value: u64) {
        // SAFETY: as above.
        unsafe { (*context).value = value }
    }

    /// What a counter with labels has counted.
    pub(super) fn tally<'a>(context: *mut Self, counter: usize) -> Option<&'a Tally> {
        // SAFETY: no compiled code runs, and what is read is not kept beyond the call.
        unsafe {
            let tallies = &(*context).tallies;
            tallies.get(&counter)
        }
    }

    /// Forgets all texts.
    #[inline(always)]
    pub(super) fn settle(context: *mut Self) {
        // SAFETY: as above.
        if unsafe { (*context).unsettled } {
            Self::reset(context, Mark::default());
        }
    }

    #[inline]
    pub(super) fn mark(context: *mut Self) -> Mark {
        // SAFETY: as above.
        unsafe {
            let arena = &(*context).arena;
            arena.mark()
        }
    }

    #[inline]
    pub(super) fn reset(context: *mut Self, mark: Mark) {
        // SAFETY: as above.
        unsafe {
            let arena = &mut (*context).arena;
            arena.reset(mark);
        }
    }

    /// The code; it stays while the context does.
    pub(super) fn code<'a>(context: *mut Self) -> &'a Code {
        // SAFETY: nothing replaces the code of a context, and what is read of it is not kept beyond the call.
        unsafe { &*Arc::as_ptr(&(*context).code) }
    }

    /// From here on rows go to `out`, until the instance is left, which must come before `out` ends.
    #[inline(always)]
    pub(super) fn enter(context: *mut Self, out: &mut dyn Output<Instance>) {
        let out: NonNull<dyn Output<Instance> + '_> = NonNull::from(out);
        // SAFETY: only the lifetime changes; the pointer is used until `leave`, by the contract above. The context lives, and no helper runs.
        unsafe { (*context).out = Some(std::mem::transmute::<NonNull<dyn Output<Instance> + '_>, NonNull<dyn Output<Instance>>>(out)) };
    }

    /// Texts are forgotten; what the output panicked with goes on from here.
    #[inline(always)]
    pub(super) fn leave(context: *mut Self) {
        // SAFETY: as for `enter`.
        unsafe {
            if (*context).unsettled {
                Self::settle_all(context);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_all(context: *mut Self) {
        Self::reset(context, Mark::default());
        // SAFETY: as for `enter`.
        let panic = unsafe {
            (*context).unsettled = false;
            (*context).packers = Vec::new();
            (*context).panic.take()
        };
        if let Some(panic) = panic {
            std::panic::resume_unwind(panic);
        }
    }

    /// Hands something to the output. Once that has panicked, it gets nothing more until the instance is entered anew.
    fn tell(context: *mut Self, tell: impl FnOnce(&mut dyn Output<Instance>)) {
        // SAFETY: the output lives while the instance is entered, and nobody else uses it meanwhile.
        unsafe {
            let Some(mut out) = (*context).out else { return };
            if (*context).panic.is_some() {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(out.as_mut()))) {
                (*context).panic = Some(panic);
                (*context).unsettled = true;
            }
        }
    }

    /// The machine's time, as the output says.
    pub(super) fn wall_clock(context: *mut Self) -> i64 {
        let mut now = 0;
        Self::tell(context, |out| now = out.wall_clock());
        now
    }

    /// Reports a record that a chain refused, by its number and row.
    #[cold]
    pub(super) fn report(context: *mut Self, result: u64, record: usize, row: *const u64) {
        let refusal = refusal(result);
        let Some(shape) = Self::code(context).shapes.get(record) else { return };
        let record = JitRow::new(shape, &shape.head, row);
        if !refused::handle(context, refusal, record.ts(), &record) {
            Self::tell(context, |out| out.error(refusal, &record));
        }
    }

    /// Reports a record that had not been made when it was refused.
    #[cold]
    pub(super) fn report_at(context: *mut Self, result: u64, ts: i64) {
        let refusal = refusal(result);
        if !refused::handle(context, refusal, ts, &At(ts)) {
            Self::tell(context, |out| out.error(refusal, &At(ts)));
        }
    }

    /// Reports an event that came too late.
    #[cold]
    pub(super) fn late(context: *mut Self, record: usize, row: *const u64) {
        let Some(shape) = Self::code(context).shapes.get(record) else { return };
        Self::tell(context, |out| out.late(&JitRow::new(shape, &shape.head, row)));
    }

    /// Reports an event that its fields reject and that came too late.
    #[cold]
    pub(super) fn late_rejected(context: *mut Self, record: &crate::input::Rejected<'_>) {
        Self::tell(context, |out| out.late(record));
    }
}

fn refusal(result: u64) -> Refusal {
    super::kernel::status(result).err().unwrap_or(Refusal::new(u32::MAX, varpulis_abi::reason::Reason::Malformed))
}

/// The helpers, under the names of the shared list. All get what compiled code passes: the context of the running instance, numbers that the
/// compiler made for this program's tables, rows and texts that live during the call.
mod helpers {
    use super::*;

    pub(super) unsafe extern "C" fn publish(context: *mut Context, publication: u64, row: *const u64) -> u64 {
        let code = Context::code(context);
        let Some(output) = code.outputs.get(publication as usize) else { return 0 };
        let Some(shape) = code.shapes.get(output.shape) else { return 0 };
        Context::tell(context, |out| out.row(JitRow::published(shape, output, row)));
        0
    }

    pub(super) unsafe extern "C" fn publish_rule(context: *mut Context, table: u64, rule: u64, row: *const u64) -> u64 {
        let publication = Context::code(context).rules.get(table as usize).and_then(|rules| rules.get(rule as usize));
        // SAFETY: as for `publish`.
        publication.map_or(0, |publication| unsafe { publish(context, *publication as u64, row) })
    }

    pub(super) unsafe extern "C" fn refused(context: *mut Context, result: u64, record: u64, row: u64) -> u64 {
        if record == NO_RECORD {
            Context::report_at(context, result, row.cast_signed());
        } else {
            Context::report(context, result, record as usize, std::ptr::with_exposed_provenance(row as usize));
        }
        0
    }

    pub(super) unsafe extern "C" fn say(context: *mut Context, address: u64, length: u64) -> u64 {
        // SAFETY: see the module.
        let line = unsafe { text(address, length) };
        Context::tell(context, |out| out.print(line));
        0
    }

    pub(super) unsafe extern "C" fn count_by(context: *mut Context, counter: u64, address: u64, length: u64) -> u64 {
        // SAFETY: the context lives, and its tallies are used by one helper at a time; see the module for the text.
        unsafe {
            let tallies = &mut (*context).tallies;
            tallies.entry(counter as usize).or_default().count(text(address, length));
        }
        0
    }

    pub(super) unsafe extern "C" fn wall_clock(context: *mut Context) -> u64 {
        Context::wall_clock(context).cast_unsigned()
    }

    pub(super) unsafe extern "C" fn same_text(a: u64, b: u64, length: u64) -> u64 {
        // SAFETY: see the module.
        u64::from(unsafe { same_bytes(text(a, length).as_bytes(), text(b, length).as_bytes()) })
    }

    pub(super) unsafe extern "C" fn compare_text(a: u64, a_length: u64, b: u64, b_length: u64) -> u64 {
        // SAFETY: see the module.
        let order = unsafe { text(a, a_length).cmp(text(b, b_length)) };
        (order as i64).cast_unsigned()
    }

    pub(super) unsafe extern "C" fn same_json(a: u64, a_length: u64, b: u64, b_length: u64) -> u64 {
        // SAFETY: see the module.
        u64::from(unsafe { equal_json(text(a, a_length), text(b, b_length)) })
    }

    pub(super) unsafe extern "C" fn same_packed(a: u64, a_length: u64, b: u64, b_length: u64) -> u64 {
        // SAFETY: see the module.
        u64::from(unsafe { equal_packed(text(a, a_length), text(b, b_length)) })
    }

    pub(super) unsafe extern "C" fn pack(context: *mut Context, values: *const Value<'_>, count: u64) -> u64 {
        // SAFETY: compiled code passes the address of so many values, which it has written whole.
        let values = unsafe { std::slice::from_raw_parts(values, count as usize) };
        Context::keep(context, &packed(values))
    }

    pub(super) unsafe extern "C" fn part(context: *mut Context, of: u64, length: u64, place: u64) -> u64 {
        // SAFETY: see the module.
        let value = scalar::part(unsafe { text(of, length) }, place.cast_signed());
        Context::give_value(context, value)
    }

    pub(super) unsafe extern "C" fn gather(context: *mut Context) -> u64 {
        // SAFETY: the context lives, and its packers are used by one helper at a time.
        unsafe {
            let packers = &mut (*context).packers;
            packers.push(Packer::new());
            (*context).unsettled = true;
        }
        0
    }

    pub(super) unsafe extern "C" fn gather_one(context: *mut Context, value: *const Value<'_>, source: u64) -> u64 {
        // SAFETY: as above; compiled code passes the address of a value, which it has written whole.
        unsafe {
            let packers = &mut (*context).packers;
            if let Some(packer) = packers.last_mut() {
                let cell = (*value).cell();
                (*context).fuel = (*context).fuel.saturating_sub_unsigned(cell.text().map_or(0, |text| text.len() as u64));
                return u64::from(packer.push_within(cell, usize::try_from(source).unwrap_or(usize::MAX)).is_err());
            }
        }
        0
    }

    pub(super) unsafe extern "C" fn gathered(context: *mut Context) -> u64 {
        // SAFETY: as above.
        let packer = unsafe {
            let packers = &mut (*context).packers;
            packers.pop()
        };
        Context::keep(context, &packer.unwrap_or_default().finish())
    }

    pub(super) unsafe extern "C" fn store_text(place: *mut u64, address: u64, length: u64) -> u64 {
        // SAFETY: compiled code passes the place of a text in a slot.
        unsafe { bytes::store_text(place, text(address, length)) };
        0
    }

    pub(super) unsafe extern "C" fn keep_text(context: *mut Context, address: u64, length: u64) -> u64 {
        // SAFETY: see the module.
        Context::keep(context, unsafe { text(address, length) })
    }

    pub(super) unsafe extern "C" fn hash_text(hasher: &KeyHasher, address: u64, length: u64) -> u64 {
        // SAFETY: see the module.
        hasher.hash(unsafe { text(address, length) })
    }
}

/// Whether two byte strings of one length are equal. Keys are short, as a rule: the first and last bytes of so many that they overlap are all.
#[inline(always)]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(bytes: &[u8]) -> [Option<&[u8; N]>; 2] {
        [bytes.first_chunk(), bytes.last_chunk()]
    }
    match a.len() {
        8..=16 => ends::<8>(a) == ends::<8>(b),
        4..8 => ends::<4>(a) == ends::<4>(b),
        2..4 => ends::<2>(a) == ends::<2>(b),
        0..2 => a.first() == b.first(),
        _ => a == b,
    }
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident($($parameter:ident),*);)*) => {
        /// The address of a helper.
        pub(super) fn address(name: &str) -> Option<*const u8> {
            match name {
                $(stringify!($name) => Some(helpers::$name as *const u8),)*
                _ => None,
            }
        }
    };
}
varpulis_abi::for_each_helper!(addresses);
