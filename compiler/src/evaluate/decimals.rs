//! Functions of decimals at compile time: the same code as at run time.

use varpulis_abi::decimal::{
    abs_decimal, add_decimal, compare_decimal, decimal_of_float, decimal_of_int, decimal_of_text, divide_decimal, float_of_decimal, int_of_decimal,
    max_decimal, min_decimal, multiply_decimal, remainder_decimal, rescale_decimal, sign_decimal, subtract_decimal, whole_decimal, wider_decimal, wider_int,
};
use varpulis_abi::number::decimal_text;

use super::Stop;
use crate::analysis::typed::Literal::{self, Bool, Decimal, Float, Int, Str};

/// The functions of which an argument or the value is a decimal.
pub(super) fn call(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    let value = match (body, args) {
        ("decimal_of_int", [Int(v), Int(scale), Int(digits)]) => decimal_of_int(*v, *scale, *digits),
        ("decimal_of_float", [Float(v), Int(scale), Int(digits)]) => decimal_of_float(*v, *scale, *digits),
        ("decimal_of_text", [Str(v), Int(scale), Int(digits)]) => decimal_of_text(v, *scale, *digits),
        ("rescale_decimal", [Decimal(v), Int(by), Int(digits)]) => rescale_decimal(*v, *by, *digits),
        ("wider_int", [Int(v), Int(scale)]) => Ok(wider_int(*v, *scale)),
        ("wider_decimal", [Decimal(v), Int(by)]) => Ok(wider_decimal(*v, *by)),
        ("add_decimal", [Decimal(a), Decimal(b)]) => add_decimal(*a, *b),
        ("subtract_decimal", [Decimal(a), Decimal(b)]) => subtract_decimal(*a, *b),
        ("multiply_decimal", [Decimal(a), Decimal(b)]) => multiply_decimal(*a, *b),
        ("divide_decimal", [Decimal(a), Decimal(b), Int(more)]) => divide_decimal(*a, *b, *more),
        ("remainder_decimal", [Decimal(a), Decimal(b)]) => remainder_decimal(*a, *b),
        ("min_decimal", [Decimal(a), Decimal(b)]) => Ok(min_decimal(*a, *b)),
        ("max_decimal", [Decimal(a), Decimal(b)]) => Ok(max_decimal(*a, *b)),
        ("abs_decimal", [Decimal(v)]) => Ok(abs_decimal(*v)),
        ("whole_decimal", [Decimal(v), Int(scale), Bool(down)]) => Ok(whole_decimal(*v, *scale, *down)),
        _ => return of_decimals(body, args),
    };
    value.map(Decimal).map_err(Stop::Refused)
}

/// Those whose value is none.
fn of_decimals(body: &str, args: &[Literal]) -> Result<Literal, Stop> {
    Ok(match (body, args) {
        ("compare_decimal", [Decimal(a), Decimal(b), Int(more)]) => Int(compare_decimal(*a, *b, *more)),
        ("sign_decimal", [Decimal(v)]) => Int(sign_decimal(*v)),
        ("int_of_decimal", [Decimal(v), Int(scale)]) => Int(int_of_decimal(*v, *scale).map_err(Stop::Refused)?),
        ("float_of_decimal", [Decimal(v), Int(scale)]) => Float(float_of_decimal(*v, *scale)),
        ("text_of_decimal", [Decimal(v), Int(scale)]) => Str(decimal_text(*v, u8::try_from(*scale).unwrap_or(0))),
        _ => return Err(Stop::Unknown),
    })
}
