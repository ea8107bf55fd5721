//! The kernel traits, one per entry of the shared list.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use varpulis_abi::layout::RecordLayout;

use crate::operator::Refusal;
use crate::state::Slots;

/// Hashes keys. Text comes from outsiders, so the hash is seeded per operator; no output depends on it.
#[derive(Clone)]
#[repr(C)]
pub struct KeyHasher {
    /// Compiled code hashes short keys in place, from these.
    seeds: [u64; 2],
    state: foldhash::fast::RandomState,
}

const _: () = assert!(std::mem::offset_of!(KeyHasher, seeds) == varpulis_abi::jit::hasher::SEEDS as usize);

impl Default for KeyHasher {
    fn default() -> Self {
        let state = foldhash::fast::RandomState::default();
        Self { seeds: [state.hash_one(1u64), state.hash_one(2u64)], state }
    }
}

impl KeyHasher {
    /// The hash of a key, usually a tuple of its fields.
    #[inline(always)]
    pub fn hash(&self, key: impl Hash) -> u64 {
        self.state.hash_one(key)
    }
}

macro_rules! traits {
    ($($(#[$kd:meta])* $kernel:ident [$($base:ident)?] [$($store:ident),*] { $($(#[$fd:meta])* $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* })*) => {
        $(traits! { @kernel $(#[$kd])* $kernel [$($base)?] [$($store),*] { $($(#[$fd])* $name($($param: $kind $($of)?),*) -> $y1 $($y2)?;)* } })*
    };
    (@kernel $(#[$kd:meta])* $kernel:ident [] [$($store:ident),*] { $($(#[$fd:meta])* $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* }) => {
        $(#[$kd])*
        pub trait $kernel {
            /// A record on its way.
            type Row<'a>: Copy;
            /// The layout of a store's slots, where it is known at run time only.
            fn layout(&self, _store: &'static str) -> Option<&Arc<RecordLayout>> {
                None
            }
            $(/// Slots of the operator's state.
            type $store: Slots;)*
            $($(#[$fd])* #[allow(unused_variables, reason = "the default does nothing with its parameters")]
            fn $name(&self, $($param: traits!(@param $kind $($of)?)),*) -> traits!(@result $y1 $($y2)?) { traits!(@default $y1 $($y2)?) })*
        }
    };
    (@kernel $(#[$kd:meta])* $kernel:ident [$base:ident] [$($store:ident),*] { $($(#[$fd:meta])* $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* }) => {
        $(#[$kd])*
        pub trait $kernel: $base {
            $(/// Slots of the operator's state.
            type $store: Slots;)*
            $($(#[$fd])* #[allow(unused_variables, reason = "the default does nothing with its parameters")]
            fn $name(&self, $($param: traits!(@param $kind $($of)?)),*) -> traits!(@result $y1 $($y2)?) { traits!(@default $y1 $($y2)?) })*
        }
    };
    (@param row) => { Self::Row<'_> };
    (@param hasher) => { &KeyHasher };
    (@param index) => { usize };
    (@param ref $s:ident) => { &<Self::$s as Slots>::Slot };
    (@param mut $s:ident) => { &mut <Self::$s as Slots>::Slot };
    (@result nothing) => { () };
    (@result bool) => { bool };
    (@result hash) => { u64 };
    (@result mask) => { u64 };
    (@result fallible $y:ident) => { Result<traits!(@result $y), Refusal> };
    (@default nothing) => { () };
    (@default bool) => { true };
    (@default hash) => { 0 };
    (@default mask) => { 0 };
    (@default fallible $y:ident) => { Ok(traits!(@default $y)) };
}
varpulis_abi::for_each_kernel!(traits);
