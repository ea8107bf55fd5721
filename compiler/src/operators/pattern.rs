//! The operators that belong to patterns and joins. They are read together with the pattern or join they follow; behind anything else they are refused here.

use super::{Entry, Order};
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::NodeKind;
use crate::syntax::ast;

/// `.within(d)`
pub(super) const WITHIN: Entry = Entry {
    name: "within",
    title: "Bounds the time from a match's first event to its last.",
    arguments: "(duration)",
    doc: "The last one of the chain bounds the match; one that is followed by another step bounds the time since the step before.",
    example: "stream S = Login as a -> Logout where user == a.user as b .within(10m) .emit(user: a.user)",
    order: Order::Time,
    memory: "runs in the span × (captures + 40 B)",
    analyze: Some(analyze),
};

/// `.not(X where p)`
pub(super) const NOT: Entry = Entry {
    name: "not",
    title: "Kills a match if the event comes between its first and its last event.",
    arguments: "(Event where condition)",
    doc: "The condition may use every step of the match. The event that completes the match does not kill it.",
    example: "stream S = Login as a -> Logout where user == a.user as b .within(10m) .not(Freeze where user == a.user) .emit(user: a.user)",
    memory: "",
    ..WITHIN
};

/// `.selection(next)`
pub(super) const SELECTION: Entry = Entry {
    name: "selection",
    title: "Which events a step may pass over.",
    arguments: "(next)",
    doc: "`next`: every step takes the next event that fits.",
    example: "stream S = Login as a -> Logout where user == a.user as b .within(10m) .selection(next) .emit(user: a.user)",
    memory: "",
    ..WITHIN
};

/// `.after_match(no_skip)`
pub(super) const AFTER_MATCH: Entry = Entry {
    name: "after_match",
    title: "What becomes of other runs after a match.",
    arguments: "(no_skip)",
    doc: "`no_skip`: nothing.",
    example: "stream S = Login as a -> Logout where user == a.user as b .within(10m) .after_match(no_skip) .emit(user: a.user)",
    memory: "",
    ..WITHIN
};

/// `.on(condition)`
pub(super) const ON: Entry = Entry {
    name: "on",
    title: "A join's condition.",
    arguments: "(A.key == B.key and …)",
    doc: "Equalities between the two sides become hash keys. A null key takes part in no join.",
    example: "stream Paid = join(Order, Payment).on(Order.id == Payment.id).window(5m).emit(id: Order.id)",
    memory: "records in the window × (captures + 32 B)",
    ..WITHIN
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if op.name.text == "on" {
        a.report(Diagnostic::new(Code::BadArgument, op.name.span, "`.on` stands directly behind `join(…)`"));
    } else if !matches!(a.current_firing(b), Some(NodeKind::Pattern(_))) {
        a.report(Diagnostic::new(Code::PatternStep, op.name.span, format!("`.{}` stands behind a pattern, before its records are made", op.name.text)));
    }
}
