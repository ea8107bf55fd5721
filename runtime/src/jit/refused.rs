//! Evaluation errors that the program handles: they become records of an input of their own.
#![expect(unsafe_code, reason = "rows are filled in place for compiled code")]

use varpulis_abi::layout::WORD;

use super::code::Target;
use super::context::Context;
use super::record::put;
use crate::operator::Refusal;
use crate::output::WriteRecord;
use crate::told::Told;
use crate::value::Value;

/// Hands an error to what handles it, if something does. `ts` is the time of the record that was refused.
#[cold]
pub(super) fn handle(context: *mut Context, refusal: Refusal, ts: i64, record: &dyn WriteRecord) -> bool {
    let code = Context::code(context);
    let Some(Some(handler)) = code.handlers.get(refusal.site as usize) else { return false };
    let Some((input, shape)) = code.errors.get(*handler).and_then(|input| Some((input, code.shapes.get(input.shape)?))) else { return false };
    let told = Told::new(&code.sites, refusal, record);
    let mut row = vec![0; (shape.layout.size / WORD) as usize];
    if let Some(first) = row.first_mut() {
        *first = ts.cast_unsigned();
    }
    for (field, place) in shape.fields.iter().zip(&shape.layout.places) {
        let value = match &*field.schema.name {
            "reason" => Value::Text(told.reason()),
            "expression" => Value::Text(told.expression()),
            "line" => Value::Int(told.line()),
            _ => Value::Json(told.record()),
        };
        // SAFETY: the row is as large as the layout says that the place belongs to.
        unsafe { put(row.as_mut_ptr(), place, value) };
    }
    for target in &input.targets {
        let result = match *target {
            Target::Chain(chain) => chain.call(context, row.as_ptr()),
            Target::Operator { operator, port } => Context::push(context, operator, port, row.as_ptr()),
        };
        if result != 0 {
            Context::report(context, result, input.shape, row.as_ptr());
        }
    }
    true
}
