//! The run-time functions by name, for witnesses that have values and no program.

use varpulis_abi::reason::Reason;
use varpulis_compiler::analysis::typed::Literal;

/// Calls a function's body on literals; a JSON value is the text that it is.
macro_rules! at_run_time {
    ($($name:literal $body:ident($($arg:ident),*) -> $r1:ident $($r2:ident)?: $doc:literal;)*) => {
        /// What the runtime computes; `None` if no function is called that, or the arguments are not of its types.
        pub fn at_run_time(body: &str, args: &[Literal]) -> Option<Result<Literal, Reason>> {
            match body {
                $(stringify!($body) => {
                    let mut args = args.iter();
                    let result = varpulis_runtime::scalar::$body($(at_run_time!(@arg $arg args)),*);
                    Some(at_run_time!(@result $r1 $($r2)? result))
                })*
                _ => None,
            }
        }
    };
    (@arg Text $args:ident) => { match $args.next() { Some(Literal::Str(v)) => v.as_str(), _ => return None } };
    (@arg Json $args:ident) => { match $args.next() { Some(Literal::Str(v)) => v.as_str(), _ => return None } };
    (@arg Packed $args:ident) => { match $args.next() { Some(Literal::Str(v)) => v.as_str(), _ => return None } };
    (@arg Decimal $args:ident) => { match $args.next() { Some(Literal::Decimal(v)) => *v, _ => return None } };
    (@arg Float $args:ident) => { match $args.next() { Some(Literal::Float(v)) => *v, _ => return None } };
    (@arg Bool $args:ident) => { match $args.next() { Some(Literal::Bool(v)) => *v, _ => return None } };
    (@arg $other:ident $args:ident) => { match $args.next() { Some(Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v)) => *v, _ => return None } };
    (@result fallible $r:ident $value:ident) => { $value.map(|v| at_run_time!(@literal $r v)) };
    (@result $r:ident $value:ident) => { Ok(at_run_time!(@literal $r $value)) };
    (@literal Text $v:ident) => { Literal::Str((*$v).to_owned()) };
    (@literal Packed $v:ident) => { Literal::Str((*$v).to_owned()) };
    (@literal Decimal $v:ident) => { Literal::Decimal($v) };
    (@literal Float $v:ident) => { Literal::Float($v) };
    (@literal Bool $v:ident) => { Literal::Bool($v) };
    (@literal Timestamp $v:ident) => { Literal::Timestamp($v) };
    (@literal Duration $v:ident) => { Literal::Duration($v) };
    (@literal Int $v:ident) => { Literal::Int($v) };
}
varpulis_abi::for_each_function!(at_run_time);

/// Whether both are one value: NaN is NaN, and -0.0 is not 0.0.
pub fn same(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::Float(a), Literal::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        _ => a == b,
    }
}
