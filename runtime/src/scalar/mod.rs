//! Bodies of the run-time functions that expressions can call: one plain function per row of the shared list.
//!
//! Null never reaches a body. A body that can fail says why; lowering knows where.

mod decimals;
mod json;
mod number;
mod optional;
mod packed;
mod random;
mod text;
mod time;

pub use decimals::*;
pub use json::*;
pub use number::*;
pub use optional::*;
pub use packed::*;
pub use random::*;
pub use text::*;
pub use time::*;
pub use varpulis_abi::decimal::*;
pub(crate) use varpulis_abi::scaled::scaled;

/// The part of a float that keys compare: 0.0 and -0.0 are one key, and so are all NaNs.
#[inline(always)]
pub fn float_key(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        u64::MAX
    } else {
        value.to_bits()
    }
}

/// The name of an enum's variant.
#[inline]
pub fn variant_name<'n>(names: &[&'n str], variant: u32) -> &'n str {
    names.get(variant as usize).copied().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    macro_rules! bodies {
        ($($name:literal $body:ident($($arg:ident),*) -> $r1:ident $($r2:ident)?: $doc:literal;)*) => {
            /// A row of the list without a body does not compile.
            #[test]
            fn every_function_has_a_body() {
                $(let _ = super::$body as fn($(bodies!(@type $arg)),*) -> bodies!(@result $r1 $($r2)?);)*
            }
        };
        (@type Text) => { &str };
        (@type Json) => { &str };
        (@type Packed) => { &str };
        (@type Float) => { f64 };
        (@type Decimal) => { i128 };
        (@type Bool) => { bool };
        (@type $other:ident) => { i64 };
        (@plain Text) => { crate::state::Text };
        (@plain Packed) => { crate::state::Text };
        (@plain Float) => { f64 };
        (@plain Decimal) => { i128 };
        (@plain Bool) => { bool };
        (@plain $other:ident) => { i64 };
        (@result fallible $r:ident) => { Result<bodies!(@plain $r), varpulis_abi::reason::Reason> };
        (@result $r:ident) => { bodies!(@plain $r) };
    }
    varpulis_abi::for_each_function!(bodies);
}
