//! What each stateful operator asks of a program: its kernel.
//!
//! [`for_each_kernel!`](crate::for_each_kernel) lists the kernels once. The runtime expands it to traits, the compiler to a table of
//! signatures that every lowered function is checked against and that the backends print from.
//!
//! In the list, a *row* is a record on its way (borrowed, `Copy`; with several inputs, an enum with one variant per input);
//! a *store* is an array of equal slots that belongs to the operator. Parameters are `row` (a row), `ref S` (a slot to read),
//! `mut S` (a slot to write), `hasher`, or `index` (which step, which negation). Results are `hash`, `bool`, `mask` (64 bits),
//! `nothing`, or `fallible` with one of these: then an evaluation error leaves the function.

/// Hands the list of kernels to the macro named.
#[macro_export]
macro_rules! for_each_kernel {
    ($expand:ident) => {
        $expand! {
            /// The key of a record: how it is hashed, compared with a stored key in place, and stored.
            KeyKernel [] [Keys] {
                /// Whether the record has a key at all: a null key takes part in no join and no pattern match.
                has_key(row: row) -> bool;
                /// Equal keys hash alike.
                hash(row: row, hasher: hasher) -> hash;
                /// Null equals null and NaN equals NaN here.
                same_key(row: row, key: ref Keys) -> bool;
                /// Fills a fresh slot.
                store_key(row: row, key: mut Keys) -> nothing;
            }
            /// Aggregation over a window.
            WindowKernel [KeyKernel] [Accs] {
                /// Adds a record to an accumulator, whole or (when it fails) not at all.
                fold(acc: mut Accs, row: row) -> fallible nothing;
                /// Adds an accumulator of later records to one of earlier records.
                merge(into: mut Accs, newer: ref Accs) -> nothing;
            }
            /// Sequence patterns: which steps an event may take, and what a run keeps of it.
            PatternKernel [KeyKernel] [Runs, Elements] {
                /// Bit i: the event satisfies the part of step i's condition that looks at the event alone;
                /// bit (steps + j): the same for negation j.
                classify(row: row) -> fallible mask;
                /// What `classify` leaves open of step `at`, or of negation `at - steps`: the rest of the condition on the event alone, from the
                /// first part on that may refuse it. Asked only of those declared fallible, whose bits mean that they may be satisfied.
                satisfies(at: index, row: row) -> fallible bool;
                /// The part of a step's condition that looks at the run; asked only of steps declared correlated.
                fits(step: index, row: row, run: ref Runs) -> fallible bool;
                /// The part of a negation's condition that looks at the run.
                kills(negation: index, row: row, run: ref Runs) -> fallible bool;
                /// Keeps what later conditions and results need of the event that took a step (not Kleene).
                capture(step: index, row: row, run: mut Runs) -> fallible nothing;
                /// Adds an element to a Kleene step's aggregates in the run (first element included).
                extend(step: index, row: row, run: mut Runs) -> fallible nothing;
                /// Makes a Kleene element out of an event, for runs that share their elements.
                lift(step: index, row: row, element: mut Elements) -> fallible nothing;
                /// Puts an older element (or suffix) in front of a suffix of elements.
                prepend(step: index, suffix: mut Elements, older: ref Elements) -> nothing;
                /// Hands the aggregates of a suffix of elements to a run.
                absorb(step: index, run: mut Runs, suffix: ref Elements) -> nothing;
            }
            /// Joins of two inputs (variant 0 is left, variant 1 is right).
            JoinKernel [KeyKernel] [Lefts, Rights] {
                /// Whether the record came by input 0.
                is_left(row: row) -> bool;
                /// Keeps what results need of a left record.
                keep_left(row: row, left: mut Lefts) -> nothing;
                /// Keeps what results need of a right record.
                keep_right(row: row, right: mut Rights) -> nothing;
                /// Whether a left and a right record of one key are a pair; asked where what is in none counts.
                joins(left: ref Lefts, right: ref Rights) -> fallible bool;
            }
            /// Values of earlier records.
            LagKernel [KeyKernel] [Kept] {
                /// Keeps of a record what later ones ask for.
                remember(row: row, kept: mut Kept) -> fallible nothing;
            }
            /// Ranking the records of a window.
            RankKernel [KeyKernel] [Kept] {
                /// Whether the record ranks above a kept one.
                outranks(row: row, kept: ref Kept) -> fallible bool;
                /// Keeps what results need of the record, and what it is ranked by.
                keep(row: row, kept: mut Kept) -> fallible nothing;
                /// Whether one kept record ranks above another.
                precedes(kept: ref Kept, other: ref Kept) -> bool;
            }
            /// Many rules that differ in constants only: keys hold the constants compared for equality, `Constants` the others.
            RuleKernel [KeyKernel] [Constants] {
                /// Hashes a stored key like `hash` hashes the row.
                hash_key(key: ref Keys, hasher: hasher) -> hash;
                /// Whether two stored keys are equal.
                same_keys(key: ref Keys, other: ref Keys) -> bool;
                /// The conditions other than the equalities.
                accepts(row: row, constants: ref Constants) -> fallible bool;
            }
        }
    };
}

/// What a parameter of a kernel function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// The record on its way.
    Row,
    /// A slot of the named store, to read.
    Ref(&'static str),
    /// A slot of the named store, to write.
    Mut(&'static str),
    /// The operator's hasher.
    Hasher,
    /// Which step, or which negation.
    Index,
}

/// What a kernel function yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// Nothing.
    Nothing,
    /// A truth value.
    Bool,
    /// A hash.
    Hash,
    /// 64 bits.
    Mask,
}

/// The signature of one function of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, in order, with their names.
    pub params: &'static [(&'static str, Param)],
    /// Whether an evaluation error may leave it.
    pub fallible: bool,
    /// Its result.
    pub yields: Yield,
}

/// A kernel's signatures.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The trait's name.
    pub name: &'static str,
    /// The kernel it extends.
    pub extends: Option<&'static str>,
    /// Its stores.
    pub stores: &'static [&'static str],
    /// Its functions.
    pub functions: &'static [Signature],
}

macro_rules! table {
    ($($(#[$kd:meta])* $kernel:ident [$($base:ident)?] [$($store:ident),*] { $($(#[$fd:meta])* $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* })*) => {
        /// Every kernel.
        pub const KERNELS: &[Kernel] = &[$(Kernel {
            name: stringify!($kernel),
            extends: table!(@base $($base)?),
            stores: &[$(stringify!($store)),*],
            functions: &[$(Signature {
                name: stringify!($name),
                params: &[$((stringify!($param), table!(@param $kind $($of)?))),*],
                fallible: table!(@fallible $y1),
                yields: table!(@yields $y1 $($y2)?),
            }),*],
        }),*];
    };
    (@base) => { None };
    (@base $base:ident) => { Some(stringify!($base)) };
    (@param row) => { Param::Row };
    (@param hasher) => { Param::Hasher };
    (@param index) => { Param::Index };
    (@param ref $s:ident) => { Param::Ref(stringify!($s)) };
    (@param mut $s:ident) => { Param::Mut(stringify!($s)) };
    (@fallible fallible) => { true };
    (@fallible $other:ident) => { false };
    (@yields fallible $y:ident) => { table!(@yields $y) };
    (@yields nothing) => { Yield::Nothing };
    (@yields bool) => { Yield::Bool };
    (@yields hash) => { Yield::Hash };
    (@yields mask) => { Yield::Mask };
}
for_each_kernel!(table);

/// What an operator asks of a record before it does anything else. A record for which one of these yields nothing (`false`, or no bit) passes
/// by without a trace, so that whoever hands records on may ask before, and spare the call.
pub const GATES: &[&str] = &["has_key", "classify"];

/// The kernel of that name.
pub fn kernel(name: &str) -> Option<&'static Kernel> {
    KERNELS.iter().find(|k| k.name == name)
}
