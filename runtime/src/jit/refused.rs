//! Evaluation errors that the program handles: they become records of an input of their own.
#![expect(unsafe_code, reason = "rows are filled in place for compiled code")]

use std::cell::OnceCell;

use varpulis_abi::layout::WORD;

use super::code::Target;
use super::context::Context;
use super::record::put;
use crate::operator::Refusal;
use crate::output::{WriteRecord, text_of};
use crate::value::Value;

/// Hands an error to what handles it, if something does. `ts` is the time of the record that was refused.
#[cold]
pub(super) fn handle(context: *mut Context, refusal: Refusal, ts: i64, record: &dyn WriteRecord) -> bool {
    let code = Context::code(context);
    let Some(Some(handler)) = code.handlers.get(refusal.site as usize) else { return false };
    let Some((input, shape)) = code.errors.get(*handler).and_then(|input| Some((input, code.shapes.get(input.shape)?))) else { return false };
    let site = code.sites.get(refusal.site as usize);
    let text = OnceCell::new();
    let mut row = vec![0; (shape.layout.size / WORD) as usize];
    if let Some(first) = row.first_mut() {
        *first = ts.cast_unsigned();
    }
    for (field, place) in shape.fields.iter().zip(&shape.layout.places) {
        let value = match &*field.schema.name {
            "reason" => Value::Text(refusal.reason.text()),
            "expression" => Value::Text(site.map_or("", |site| &site.text)),
            "line" => Value::Int(site.map_or(0, |site| i64::from(site.line))),
            _ => Value::Json(text.get_or_init(|| text_of(record))),
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
