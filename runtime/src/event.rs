//! Events as they are handed to a running program.

use varpulis_abi::layout::VALUES;

use crate::value::Value;

/// One decoded event: which, when, and the fields of its schema. Code that is compiled at run time reads it where it lies.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Event<'a> {
    ts: i64,
    values: &'a [Value<'a>],
    event: usize,
}

impl<'a> Event<'a> {
    /// An event, by its place in the program's schema; `ts` in ns since the epoch.
    #[inline(always)]
    pub const fn new(event: usize, ts: i64, values: &'a [Value<'a>]) -> Self {
        Self { ts, values, event }
    }

    /// Its place in [`Schema::events`](crate::program::Schema::events).
    #[inline(always)]
    pub fn event(&self) -> usize {
        self.event
    }

    /// Its time, in ns since the epoch.
    #[inline(always)]
    pub fn ts(&self) -> i64 {
        self.ts
    }

    /// The fields of its schema.
    #[inline(always)]
    pub fn values(&self) -> &'a [Value<'a>] {
        self.values
    }

    /// The row that compiled code reads.
    #[cfg(feature = "jit")]
    #[inline(always)]
    pub(crate) fn address(&self) -> *const u64 {
        std::ptr::from_ref(self).cast()
    }
}

const _: () = assert!(std::mem::offset_of!(Event<'static>, ts) == 0 && std::mem::offset_of!(Event<'static>, values) == VALUES as usize);
