//! The parts of an expression as written.

use super::ast::{ArgValue, Expr, ExprKind, FormatPart};

impl Expr {
    /// The expressions that it is made of, in order; a call's callee comes before its arguments.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::LongFloat(..)
            | ExprKind::Str(_)
            | ExprKind::Duration(_)
            | ExprKind::Timestamp(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Name(_)
            | ExprKind::Error => vec![],
            ExprKind::Format(parts) => parts.iter().filter_map(|part| if let FormatPart::Value(e, _) = part { Some(&**e) } else { None }).collect(),
            ExprKind::Array(items) | ExprKind::Tuple(items) => items.iter().collect(),
            ExprKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            ExprKind::Member { object: a, .. }
            | ExprKind::Unary { operand: a, .. }
            | ExprKind::IsNull { operand: a, .. }
            | ExprKind::Lambda { body: a, .. } => vec![a],
            ExprKind::Index { object: a, index: b }
            | ExprKind::Binary { left: a, right: b, .. }
            | ExprKind::In { value: a, set: b, .. }
            | ExprKind::Range { from: a, to: b, .. } => vec![a, b],
            ExprKind::Slice { object, from, to } => [Some(object), from.as_ref(), to.as_ref()].into_iter().flatten().map(|e| &**e).collect(),
            ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
            ExprKind::Call { callee, args } => {
                let args = args.iter().filter_map(|arg| if let ArgValue::Expr(e, _) = &arg.value { Some(e) } else { None });
                [&**callee].into_iter().chain(args).collect()
            }
        }
    }
}
