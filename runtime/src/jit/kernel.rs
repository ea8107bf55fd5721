//! The kernel of every operator of a program that is compiled at run time: a table of addresses that implements the kernel traits.
//!
//! The traits and this table are expanded from one list, so that neither can lack what the other has.
#![expect(unsafe_code, reason = "functions are called by address; the compiler made them with the signatures of the shared list")]

use std::marker::PhantomData;
use std::sync::Arc;

use varpulis_abi::jit;
use varpulis_abi::layout::RecordLayout;

use super::bytes::Bytes;
use super::context::Context;
use crate::kernels::{JoinKernel, KeyHasher, KeyKernel, LagKernel, PatternKernel, RankKernel, RuleKernel, WindowKernel};
use crate::operator::Refusal;
use crate::state::Slots;

/// A row on its way: where it lies, and by which input it comes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct RowRef<'a> {
    pub(super) row: *const u64,
    pub(super) port: u64,
    lives: PhantomData<&'a [u64]>,
}

impl RowRef<'_> {
    pub(super) fn new(row: *const u64, port: u64) -> Self {
        Self { row, port, lives: PhantomData }
    }
}

/// The address of a compiled function.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub *const u8);

// SAFETY: it is the address of code that nothing changes; the program keeps the code while the address is in use.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

/// What an operator asks of its kernel, by address.
pub(super) struct JitKernel {
    /// By value: every call looks its function up here.
    functions: Functions,
    layouts: Arc<[(&'static str, Arc<RecordLayout>)]>,
    context: *mut Context,
}

// SAFETY: the context belongs to the instance that owns the operator too, and goes where that goes.
unsafe impl Send for JitKernel {}

impl JitKernel {
    /// # Safety
    /// The functions were compiled for the kernel that the operator asks for, and their code and the context live as long as this value.
    pub(super) unsafe fn new(functions: Functions, layouts: Arc<[(&'static str, Arc<RecordLayout>)]>, context: *mut Context) -> Self {
        Self { functions, layouts, context }
    }
}

macro_rules! kernels {
    ($($(#[$kd:meta])* $kernel:ident [$($base:ident)?] [$($store:ident),*] { $($(#[$fd:meta])* $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* })*) => {
        /// The functions of all kernels; those that a program does not contribute are not there.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct Functions { $($($name: Option<Address>,)*)* }

        impl Functions {
            /// Sets a function by its name in the shared list; false if there is none of that name.
            pub fn set(&mut self, name: &str, address: Address) -> bool {
                match name {
                    $($(stringify!($name) => self.$name = Some(address),)*)*
                    _ => return false,
                }
                true
            }
        }

        $(kernels! { @kernel $kernel [$($base)?] [$($store),*] { $($name($($param: $kind $($of)?),*) -> $y1 $($y2)?;)* } })*
    };
    (@kernel $kernel:ident [] [$($store:ident),*] { $($name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* }) => {
        impl $kernel for JitKernel {
            type Row<'a> = RowRef<'a>;
            fn layout(&self, store: &'static str) -> Option<&Arc<RecordLayout>> {
                self.layouts.iter().find(|(name, _)| *name == store).map(|(_, layout)| layout)
            }
            $(type $store = Bytes;)*
            $(kernels! { @function $name($($param: $kind $($of)?),*) -> $y1 $($y2)? })*
        }
    };
    (@kernel $kernel:ident [$base:ident] [$($store:ident),*] { $($name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?;)* }) => {
        impl $kernel for JitKernel {
            $(type $store = Bytes;)*
            $(kernels! { @function $name($($param: $kind $($of)?),*) -> $y1 $($y2)? })*
        }
    };
    (@function $name:ident($($param:ident: $kind:ident $($of:ident)?),*) -> $y1:ident $($y2:ident)?) => {
        #[inline]
        fn $name(&self, $($param: kernels!(@param $kind $($of)?)),*) -> kernels!(@result $y1 $($y2)?) {
            let Some(Address(address)) = self.functions.$name else { return kernels!(@default $y1 $($y2)?) };
            // SAFETY: the compiler made the function of that name with the signature of the shared list.
            let result = unsafe {
                let function: unsafe extern "C" fn(*mut Context, $(kernels!(@passed $kind $($of)?)),*) -> u64 = std::mem::transmute(address);
                function(self.context, $(kernels!(@pass $param $kind $($of)?)),*)
            };
            kernels!(@take self result $y1 $($y2)?)
        }
    };
    (@param row) => { RowRef<'_> };
    (@param hasher) => { &KeyHasher };
    (@param index) => { usize };
    (@param ref $s:ident) => { &<Bytes as Slots>::Slot };
    (@param mut $s:ident) => { &mut <Bytes as Slots>::Slot };
    (@passed row) => { RowRef<'_> };
    (@passed hasher) => { &KeyHasher };
    (@passed index) => { u64 };
    (@passed ref $s:ident) => { *const u64 };
    (@passed mut $s:ident) => { *mut u64 };
    (@pass $p:ident row) => { $p };
    (@pass $p:ident hasher) => { $p };
    (@pass $p:ident index) => { $p as u64 };
    (@pass $p:ident ref $s:ident) => { $p.as_ptr() };
    (@pass $p:ident mut $s:ident) => { $p.as_mut_ptr() };
    (@result nothing) => { () };
    (@result bool) => { bool };
    (@result hash) => { u64 };
    (@result mask) => { u64 };
    (@result fallible $y:ident) => { Result<kernels!(@result $y), Refusal> };
    (@default nothing) => { () };
    (@default bool) => { true };
    (@default hash) => { 0 };
    (@default mask) => { 0 };
    (@default fallible $y:ident) => { Ok(kernels!(@default $y)) };
    (@take $self:ident $r:ident nothing) => {{ let _ = $r; }};
    (@take $self:ident $r:ident bool) => { $r == 1 };
    (@take $self:ident $r:ident hash) => { $r };
    (@take $self:ident $r:ident mask) => { $r };
    (@take $self:ident $r:ident fallible nothing) => { status($r) };
    (@take $self:ident $r:ident fallible bool) => { if $r > 1 { status($r).map(|()| false) } else { Ok($r == 1) } };
    // A mask needs all bits of a result, so it stands in the context.
    (@take $self:ident $r:ident fallible mask) => { status($r).map(|()| Context::value($self.context)) };
}
varpulis_abi::for_each_kernel!(kernels);

/// 0, or a refusal.
#[inline(always)]
pub(super) fn status(result: u64) -> Result<(), Refusal> {
    if result == 0 { Ok(()) } else { Err(refusal(result)) }
}

#[cold]
fn refusal(result: u64) -> Refusal {
    let (site, reason) = jit::refused(result).unwrap_or((u32::MAX, varpulis_abi::reason::Reason::Malformed));
    Refusal::new(site, reason)
}
