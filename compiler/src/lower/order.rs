//! Which of two values is the better one, where records are ranked: the one meaning of null and NaN in it.

use varpulis_abi::scalar::Scalar;

use super::builder::Builder;
use super::ir::{Comparison, ValueId};

/// Whether `value` beats `other`: it is greater (or less, as `op` says). Null and NaN are beaten by every number, and beat nothing.
pub(super) fn beats(b: &mut Builder, op: Comparison, value: ValueId, other: ValueId) -> ValueId {
    let ranks_last = |b: &mut Builder, v: ValueId| {
        let null = b.is_null(v);
        b.or(null, |b| {
            let v = b.unwrap(v);
            if b.ty(v).scalar == Scalar::Float { b.compare(Comparison::NotEqual, v, v) } else { b.boolean(false) }
        })
    };
    let last = ranks_last(b, value);
    let ranks = b.not(last);
    b.and(ranks, |b| {
        let last = ranks_last(b, other);
        b.or(last, |b| {
            let (value, other) = (b.unwrap(value), b.unwrap(other));
            b.compare(op, value, other)
        })
    })
}
