//! `.fork(a: …, b: …)` and what joins its paths again: `.any(n)`, `.all()`, `.first()`.

use super::{Entry, Order};
use crate::analysis::{Analyzer, Joined, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;

/// `.fork(a: .where(…)…, b: …)`
pub(super) const FORK: Entry = Entry {
    name: "fork",
    title: "Several paths over one record.",
    arguments: "(name: .where(…).select(…), …)",
    doc: "A path is a chain of `.where`, `.filter`, `.select` and `.map`, and has a result where its conditions hold. `.any(n)`, `.all()` or `.first()` behind it \
          join the paths again.",
    example: "stream Odd = Order.fork(big: .where(amount > 1000.0), far: .where(distance > 500).select(distance)).any().emit(id, far: far?.distance)",
    order: Order::Any,
    memory: "",
    analyze: Some(fork),
};

/// `.any(n)`
pub(super) const ANY: Entry = Entry {
    name: "any",
    title: "Joins a fork's paths where n of them, or one, have a result.",
    arguments: "(n = 1)",
    doc: "The record goes on with each path's result beside its fields, under the path's name: a record, or null where the path has none.",
    example: "stream Two = Order.fork(big: .where(amount > 1000.0), far: .where(distance > 500), new: .where(age < 7)).any(2).emit(id)",
    analyze: Some(any),
    ..FORK
};

/// `.all()`
pub(super) const ALL: Entry = Entry {
    name: "all",
    title: "Joins a fork's paths where all of them have a result.",
    arguments: "()",
    doc: "The record goes on with each path's result beside its fields, under the path's name.",
    example: "stream Both = Order.fork(big: .where(amount > 1000.0), far: .where(distance > 500)).all().emit(id)",
    analyze: Some(all),
    ..FORK
};

/// `.first()`
pub(super) const FIRST: Entry = Entry {
    name: "first",
    title: "Joins a fork's paths at the first one that has a result.",
    arguments: "()",
    doc: "That result is the record that goes on. Fields of one name must have one type; a field that some paths lack may be null.",
    example: "stream Route = Order.fork(vip: .where(tier == \"gold\").select(id, queue: \"a\"), rest: .select(id, queue: \"b\")).first()",
    analyze: Some(first),
    ..FORK
};

fn fork<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    a.fork(b, op);
}

fn any<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    let least = if a.check_args(op, &[], 0, 1) { how_many(a, b, op) } else { None };
    match least {
        Some(n) => a.join_fork(b, Joined::AtLeast(n), op),
        // What is wrong has been told.
        None => b.fork = None,
    }
}

fn how_many(a: &mut Analyzer<'_>, b: &StreamBuilder, op: &ast::Op) -> Option<i64> {
    let Some(e) = a.positional(op).first().copied() else { return Some(1) };
    let n = a.constant_count(e, "how many paths must have a result")?;
    let paths = b.fork_paths();
    if paths == 0 || n <= paths as i64 {
        return Some(n);
    }
    let message = format!("the fork has {paths} path{}, and {n} of them would have to have a result", if paths == 1 { "" } else { "s" });
    a.report(Diagnostic::new(Code::BadArgument, e.span, message));
    None
}

fn all<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if a.check_args(op, &[], 0, 0) {
        a.join_fork(b, Joined::All, op);
    }
}

fn first<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    if a.check_args(op, &[], 0, 0) {
        a.join_fork(b, Joined::First, op);
    }
}
