//! What code that is compiled at run time and the runtime around it agree on: where things lie in memory, how a refusal travels, and which
//! helpers there are.
//!
//! All compiled functions take and return 64-bit integers. The first argument is the [`context`] of the running instance.

use crate::reason::Reason;

/// Where the fields of a running instance's context lie, in bytes.
pub mod context {
    /// The second half of a helper's result: a text's length.
    pub const LENGTH: i32 = 0;
    /// The result of a helper or kernel whose return value says whether there is one.
    pub const VALUE: i32 = 8;
    /// The slot of the program's `param`s and `let`s.
    pub const GLOBALS: i32 = 16;
    /// The counters of `.tap` and `.log`.
    pub const COUNTERS: i32 = 24;
    /// The table by which compiled code pushes to operators: an [`operator`](super::operator) each.
    pub const OPERATORS: i32 = 32;
    /// The time from which on operators fire.
    pub const DUE: i32 = 40;
    /// A byte: whether there is something to be done before the next event, outside compiled code.
    pub const UNSETTLED: i32 = 48;
    /// What the loop that runs may still use, where loops are limited.
    pub const FUEL: i32 = 56;
}

/// Where the parts of an event lie, in bytes; how it begins, its row, is in [`layout`](crate::layout).
pub mod event {
    /// How many values it has.
    pub const COUNT: i32 = 16;
    /// Which event it is.
    pub const EVENT: i32 = 24;
    /// The size of an event.
    pub const SIZE: i32 = 32;
}

/// Where the parts of an entry in the table of operators lie, in bytes.
pub mod operator {
    /// The address of its function: the context, the operator's address, the port and the row to 0 or a refusal.
    pub const PUSH: i32 = 0;
    /// The address of the operator.
    pub const OPERATOR: i32 = 8;
    /// The size of an entry.
    pub const SIZE: i32 = 16;
    /// Stands beside the port of a record below the watermark.
    pub const LATE: u64 = 1 << 32;
}

/// Where the parts of an operator's hasher lie, in bytes.
pub mod hasher {
    /// Two random words.
    pub const SEEDS: i32 = 0;
}

/// Where the parts of a firing lie, in bytes.
pub mod firing {
    /// Its time.
    pub const TS: i32 = 0;
    /// The window's start.
    pub const START: i32 = 8;
    /// The window's end.
    pub const END: i32 = 16;
    /// Which rule fired; of a window, whether the row is an update.
    pub const RULE: i32 = 24;
    /// The address of the row.
    pub const ROW: i32 = 32;
    /// The addresses of the slots that it lends.
    pub const SLOTS: i32 = 40;
    /// How many of these there are.
    pub const SLOT_COUNT: usize = 3;

    /// Which of the slots is called so.
    pub fn slot(name: &str) -> Option<usize> {
        match name {
            "key" => Some(0),
            "accs" | "left" | "run" | "constants" | "kept" => Some(1),
            "right" => Some(2),
            _ => None,
        }
    }
}

/// The lowest byte of a refusal, by which it differs from `0` and `1`.
const REFUSED: u64 = 0xff;

/// A refusal as the result of a compiled function: the place and the reason.
pub fn refusal(site: u32, reason: Reason) -> u64 {
    u64::from(site) << 16 | (reason as u64) << 8 | REFUSED
}

/// The place and the reason of a result that is a refusal.
pub fn refused(result: u64) -> Option<(u32, Reason)> {
    let reason = *Reason::ALL.get((result >> 8 & 0xff) as usize)?;
    (result & 0xff == REFUSED).then_some(((result >> 16) as u32, reason))
}

/// What stands for a record's number where no record had been made: then the time follows instead of an address.
pub const NO_RECORD: u64 = u64::MAX;

/// Hands the list of helpers to the macro named: `name(parameters)`. Texts are passed as address and length.
#[macro_export]
macro_rules! for_each_helper {
    ($expand:ident) => {
        $expand! {
            /// Publishes a row.
            publish(context, publication, row);
            /// Publishes a row of the rule that fired.
            publish_rule(context, table, rule, row);
            /// Reports a refused record: its number and address, or `NO_RECORD` and its time.
            refused(context, refusal, record, row);
            /// Writes a line to the program's messages.
            say(context, text, length);
            /// Counts for a label.
            count_by(context, counter, text, length);
            /// The machine's time.
            wall_clock(context);
            /// Whether two texts of one length are equal.
            same_text(a, b, length);
            /// The order of two texts: negative, zero or positive.
            compare_text(a, a_length, b, b_length);
            /// Whether two JSON values are equal.
            same_json(a, a_length, b, b_length);
            /// Whether two packed values are equal.
            same_packed(a, a_length, b, b_length);
            /// Values, by their address and number, as a packed one.
            pack(context, values, count);
            /// A part of a packed value: 1 with the value in the context, 0 if it is null.
            part(context, text, length, place);
            /// Begins a packed value whose parts come one by one.
            gather(context);
            /// Adds a part, by the address of its value.
            gather_one(context, value, source);
            /// The packed value that was begun last.
            gathered(context);
            /// Puts a text into a slot, in place of the one there.
            store_text(place, text, length);
            /// Copies a text of the program's state, which may change while the copy is used.
            keep_text(context, text, length);
            /// The hash of a text.
            hash_text(hasher, text, length);
        }
    };
}

/// A helper: its name and how many arguments it takes.
#[derive(Clone, Copy, Debug)]
pub struct Helper {
    /// Its name.
    pub name: &'static str,
    /// How many arguments it takes.
    pub parameters: usize,
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident($($parameter:ident),*);)*) => {
        /// Every helper.
        pub const HELPERS: &[Helper] = &[$(Helper { name: stringify!($name), parameters: [$(stringify!($parameter)),*].len() }),*];
    };
}
for_each_helper!(table);

/// How many words of arguments the helpers take that run a function or ask an object, behind the context (and the object's place).
pub const ARGUMENT_WORDS: usize = 6;
