//! State behind one seam: arrays of equal slots, typed for compiled Rust, bytes for a JIT.

mod calendar;
mod keys;
mod slots;

pub use calendar::{Calendar, Timed};
pub use keys::KeyTable;
pub use slots::{NoState, Slots, Typed};

/// Text that state owns; up to 24 bytes without an allocation.
pub type Text = compact_str::CompactString;
