//! The objects of accumulators as compiled code reaches them: by the address of the word that holds their box.
//!
//! A word of 0 stands for an empty object, so that a zeroed slot is a fresh one; the box is made when the object is first told something.
#![expect(unsafe_code, reason = "compiled code names objects by address; the word at that address is as the module says")]

use varpulis_abi::jit::ARGUMENT_WORDS;

use super::call::{Arguments, Take, give};
use super::context::Context;
use crate::operators::{Collected, DistinctSet, DistinctSketch, Largest, PercentileSketch, Sorted};

/// What slots must know of a type.
pub(super) struct Object {
    name: &'static str,
    /// Frees the box in a word, and leaves 0.
    pub(super) drop: unsafe fn(*mut u64),
    /// Puts a copy into a word that is itself a copy of another slot's.
    pub(super) clone: unsafe fn(*mut u64),
}

/// The type of that name.
pub(super) fn named(name: &str) -> Option<&'static Object> {
    OBJECTS.iter().find(|object| object.name == name)
}

/// # Safety
/// The word is 0 or the address of a boxed `T` that belongs to it.
unsafe fn free<T>(word: *mut u64) {
    // SAFETY: by this function's contract.
    unsafe {
        let address = word.read() as usize;
        if address != 0 {
            drop(Box::from_raw(std::ptr::with_exposed_provenance_mut::<T>(address)));
        }
        word.write(0);
    }
}

/// # Safety
/// The word is 0 or the address of a boxed `T` that lives, and that belongs to another word.
unsafe fn duplicate<T: Clone>(word: *mut u64) {
    // SAFETY: by this function's contract.
    unsafe {
        if let Some(object) = at::<T>(word) {
            word.write(boxed(object.clone()));
        }
    }
}

fn boxed<T>(object: T) -> u64 {
    Box::into_raw(Box::new(object)).expose_provenance() as u64
}

/// # Safety
/// As for [`free`]; nothing changes the object for `'a`.
unsafe fn at<'a, T>(word: *const u64) -> Option<&'a T> {
    // SAFETY: by this function's contract.
    unsafe { std::ptr::with_exposed_provenance::<T>(word.read() as usize).as_ref() }
}

/// The object in a word, made if it is not there yet.
///
/// # Safety
/// As for [`free`]; nothing else refers to the object for `'a`.
unsafe fn at_mut<'a, T: Default>(word: *mut u64) -> &'a mut T {
    // SAFETY: by this function's contract.
    unsafe {
        if word.read() == 0 {
            word.write(boxed(T::default()));
        }
        &mut *std::ptr::with_exposed_provenance_mut::<T>(word.read() as usize)
    }
}

/// # Safety
/// As for [`at_mut`], of two different slots.
unsafe extern "C" fn merge<T: Default + Merge>(into: *mut u64, from: *const u64) -> u64 {
    // SAFETY: by this function's contract.
    unsafe {
        if let Some(newer) = at::<T>(from) {
            at_mut::<T>(into).merge(newer);
        }
    }
    0
}

trait Merge {
    fn merge(&mut self, newer: &Self);
}

/// A function over an object: the context, the object's word, arguments.
type Method = unsafe extern "C" fn(*mut Context, *mut u64, u64, u64, u64, u64, u64, u64) -> u64;

macro_rules! objects {
    ($($object:ident { $($kind:ident $method:ident($($arg:ident)?) $(-> $result:ident)?;)* })*) => {
        static OBJECTS: &[Object] = &[$(Object { name: stringify!($object), drop: free::<$object>, clone: duplicate::<$object> }),*];

        $(impl Merge for $object {
            fn merge(&mut self, newer: &Self) { $object::merge(self, newer); }
        })*

        /// The address of an object's method, or of its `merge`.
        pub(super) fn address(object: &str, method: &str) -> Option<*const u8> {
            $(if object == stringify!($object) {
                if method == "merge" {
                    return Some(merge::<$object> as *const u8);
                }
                $(if method == stringify!($method) {
                    unsafe extern "C" fn shim(context: *mut Context, word: *mut u64, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
                        let words: [u64; ARGUMENT_WORDS] = [a, b, c, d, e, f];
                        #[allow(unused_mut, unused_variables, reason = "some methods take nothing")]
                        let mut arguments = Arguments::new(&words);
                        // SAFETY: compiled code passes the word of an object of this type, and texts that live.
                        unsafe { objects!(@call $kind $object $method context word arguments $($arg)?) }
                    }
                    return Some(shim as Method as *const u8);
                })*
            })*
            None
        }
    };
    (@call tell $object:ident $method:ident $context:ident $word:ident $arguments:ident $arg:ident) => {{
        let _ = $context;
        at_mut::<$object>($word).$method(objects!(@take $arguments $arg));
        0
    }};
    (@call ask $object:ident $method:ident $context:ident $word:ident $arguments:ident $($arg:ident)?) => {{
        let empty;
        let object = match at::<$object>($word) {
            Some(object) => object,
            None => {
                empty = $object::default();
                &empty
            }
        };
        give($context, object.$method($(objects!(@take $arguments $arg))?))
    }};
    (@take $arguments:ident Text) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Json) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Packed) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Enum) => { <u32 as Take>::take(&mut $arguments) };
    (@take $arguments:ident Float) => { <f64 as Take>::take(&mut $arguments) };
    (@take $arguments:ident Decimal) => { <i128 as Take>::take(&mut $arguments) };
    (@take $arguments:ident Bool) => { <bool as Take>::take(&mut $arguments) };
    (@take $arguments:ident $other:ident) => { <i64 as Take>::take(&mut $arguments) };
}
varpulis_abi::for_each_object!(objects);
