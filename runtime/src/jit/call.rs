//! Calls of the runtime's functions out of compiled code: arguments as words, results as a word and what stands in the context.
#![expect(unsafe_code, reason = "the words of a text are an address and a length; compiled code passes those of texts that live")]

use varpulis_abi::jit::ARGUMENT_WORDS;
use varpulis_abi::reason::Reason;

use super::context::Context;
use super::memory;
use crate::scalar;
use crate::state::Text;

/// Words, read one by one.
pub(super) struct Arguments<'w> {
    words: std::slice::Iter<'w, u64>,
}

impl<'w> Arguments<'w> {
    pub(super) fn new(words: &'w [u64; ARGUMENT_WORDS]) -> Self {
        Self { words: words.iter() }
    }

    #[inline(always)]
    fn word(&mut self) -> u64 {
        self.words.next().copied().unwrap_or(0)
    }
}

/// A parameter's type.
pub(super) trait Take {
    /// Reads it.
    ///
    /// # Safety
    /// Words of a text are those of one that lives.
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self;
}

impl Take for i64 {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        arguments.word().cast_signed()
    }
}
impl Take for u32 {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        arguments.word() as u32
    }
}
impl Take for f64 {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        f64::from_bits(arguments.word())
    }
}
impl Take for bool {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        arguments.word() != 0
    }
}
impl Take for i128 {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        let (low, high) = (arguments.word(), arguments.word());
        i128::from(high.cast_signed()) << 64 | i128::from(low)
    }
}
impl Take for &str {
    #[inline(always)]
    unsafe fn take(arguments: &mut Arguments<'_>) -> Self {
        let (address, length) = (arguments.word(), arguments.word());
        // SAFETY: by this function's contract.
        unsafe { memory::text(address, length) }
    }
}

/// A result's type.
pub(super) trait Give {
    /// The word that stands for it; the length of a text goes to the context.
    fn word(self, context: *mut Context) -> u64;
}

impl Give for i64 {
    fn word(self, _: *mut Context) -> u64 {
        self.cast_unsigned()
    }
}
/// The lower half; the upper one goes to the context.
impl Give for i128 {
    fn word(self, context: *mut Context) -> u64 {
        Context::set_length(context, (self >> 64) as u64);
        self as u64
    }
}
impl Give for f64 {
    fn word(self, _: *mut Context) -> u64 {
        self.to_bits()
    }
}
impl Give for bool {
    fn word(self, _: *mut Context) -> u64 {
        u64::from(self)
    }
}
impl Give for Text {
    fn word(self, context: *mut Context) -> u64 {
        Context::keep(context, &self)
    }
}
impl Give for String {
    fn word(self, context: *mut Context) -> u64 {
        Context::keep(context, &self)
    }
}
/// Whether there is a value, which goes to the context.
impl<T: Give> Give for Option<T> {
    fn word(self, context: *mut Context) -> u64 {
        match self {
            Some(value) => {
                let word = value.word(context);
                Context::set_value(context, word);
                1
            }
            None => 0,
        }
    }
}
/// 0 with the value in the context, or one more than the reason.
impl<T: Give> Give for Result<T, Reason> {
    fn word(self, context: *mut Context) -> u64 {
        match self {
            Ok(value) => {
                let word = value.word(context);
                Context::set_value(context, word);
                0
            }
            Err(reason) => reason as u64 + 1,
        }
    }
}

/// Hands a result to compiled code.
pub(super) fn give(context: *mut Context, result: impl Give) -> u64 {
    result.word(context)
}

/// A function: the context, arguments.
type Function = unsafe extern "C" fn(*mut Context, u64, u64, u64, u64, u64, u64) -> u64;

macro_rules! shims {
    ($($name:literal $body:ident($($arg:ident),*) -> $r1:ident $($r2:ident)?: $doc:literal;)*) => {
        /// The address of the function with that body.
        pub(super) fn address(body: &str) -> Option<*const u8> {
            $(if body == stringify!($body) {
                unsafe extern "C" fn shim(context: *mut Context, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
                    let words: [u64; ARGUMENT_WORDS] = [a, b, c, d, e, f];
                    let mut arguments = Arguments::new(&words);
                    // SAFETY: compiled code passes the words of texts that live.
                    give(context, unsafe { scalar::$body($(shims!(@take arguments $arg)),*) })
                }
                return Some(shim as Function as *const u8);
            })*
            None
        }
    };
    (@take $arguments:ident Text) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Json) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Packed) => { <&str as Take>::take(&mut $arguments) };
    (@take $arguments:ident Float) => { <f64 as Take>::take(&mut $arguments) };
    (@take $arguments:ident Decimal) => { <i128 as Take>::take(&mut $arguments) };
    (@take $arguments:ident Bool) => { <bool as Take>::take(&mut $arguments) };
    (@take $arguments:ident $other:ident) => { <i64 as Take>::take(&mut $arguments) };
}
varpulis_abi::for_each_function!(shims);
