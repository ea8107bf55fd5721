//! `.window(…)`: spans of time or counts of records to aggregate over (§6).

use super::{Entry, Order};
use crate::analysis::typed::Literal;
use crate::analysis::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{NodeKind, Policy, Schema, Window};
use crate::plan::print::duration;
use crate::syntax::ast;

/// `.window(…)`
pub(super) const ENTRY: Entry = Entry {
    name: "window",
    title: "Groups records by time or count.",
    arguments: "(5m) · (5m, sliding: 30s) · (1d, cumulate: 1h) · (1d, early: 1h) · (session: 30s) · (100) · (100, sliding: 10) · offset: d · policy: \"processing_time\"",
    doc: "Time windows are aligned to the epoch plus `offset`. A window that is not empty fires when the watermark reaches its end: one row per key. Sessions are per key. Count windows fire when full. With `policy: \"processing_time\"` a record belongs to the machine's time at which it comes, and windows fire by it.",
    example: "stream V = Trade.partition_by(symbol).window(5m, sliding: 30s).aggregate(top: max(price))",
    order: Order::Time,
    memory: "keys × accumulators × open windows (panes, for sliding ones)",
    analyze: Some(analyze),
};

fn analyze<'a>(a: &mut Analyzer<'a>, b: &mut StreamBuilder, op: &'a ast::Op) {
    a.need_record(b);
    // A window that cannot be read stands in as another one, so that one mistake is one message.
    let read = read(a, op);
    let policy = read.map_or(Policy::Watermark, |window| policy(a, op, window));
    let window = read.unwrap_or(Window::Count { size: 1 });
    let input = b.node;
    let keys = b.keys.iter().map(|k| k.expr.clone()).collect();
    let key_columns = b.keys.iter().map(|k| k.column.clone()).collect();
    let name = b.name.clone();
    b.node = a.add_node(NodeKind::Window { input, keys, key_columns, window, policy, aggregates: vec![] }, Schema::default(), &name, op.span);
    b.firing = Some(b.node);
    b.inputs = vec![];
}

fn read(a: &mut Analyzer<'_>, op: &ast::Op) -> Option<Window> {
    if !a.check_args(op, &["sliding", "cumulate", "early", "session", "offset", "policy"], 0, 1) {
        return None;
    }
    if let Some(gap) = a.named(op, "session") {
        if !a.check_args(op, &["session", "early", "policy"], 0, 0) {
            return None;
        }
        let gap = a.constant_duration(gap, "a session's gap")?;
        let early = match a.named(op, "early") {
            Some(e) => {
                let step = a.constant_duration(e, "an early firing's interval")?;
                refused(a, too_often(e, gap, step))?;
                Some(step)
            }
            None => None,
        };
        return Some(Window::Session { gap, early });
    }
    let size_at = *a.positional(op).first().or_else(|| {
        a.report(Diagnostic::new(Code::MissingArgument, op.name.span, "a window needs a size").help("a duration `5m`, a count `100`, or `session: 30s`"));
        None
    })?;
    let size = a.constant(size_at)?;
    let sliding = a.named(op, "sliding");
    match size.as_literal() {
        Some(Literal::Int(_)) => {
            if !a.check_args(op, &["sliding", "policy"], 1, 1) {
                return None;
            }
            let size = a.constant_count(size_at, "a count window's size")?;
            match sliding {
                Some(s) => Some(Window::SlidingCount { size, slide: a.constant_count(s, "a slide")? }),
                None => Some(Window::Count { size }),
            }
        }
        _ => {
            let size = a.constant_duration(size_at, "a window's size")?;
            let offset = match a.named(op, "offset") {
                Some(e) => match a.constant(e)?.as_literal() {
                    Some(Literal::Duration(v)) => v.rem_euclid(size),
                    _ => {
                        a.report(Diagnostic::new(Code::BadArgument, e.span, "an offset is a duration"));
                        return None;
                    }
                },
                None => 0,
            };
            let cumulate = a.named(op, "cumulate");
            if let Some(e) = a.named(op, "early") {
                return early(a, e, size, offset, sliding.or(cumulate));
            }
            if let Some(e) = cumulate {
                return cumulating(a, e, size, offset, sliding);
            }
            match sliding {
                Some(s) => {
                    let slide = a.constant_duration(s, "a slide")?;
                    refused(a, too_often(s, size, slide))?;
                    a.look_at_slide(size, slide, s.span);
                    Some(Window::Sliding { size, slide, offset })
                }
                None => Some(Window::Tumbling { size, offset }),
            }
        }
    }
}

/// Which time the window goes by.
fn policy(a: &mut Analyzer<'_>, op: &ast::Op, window: Window) -> Policy {
    let Some(e) = a.named(op, "policy") else { return Policy::Watermark };
    let Some(value) = a.constant(e) else { return Policy::Watermark };
    let wrong = match value.as_literal() {
        Some(Literal::Str(policy)) if policy == "watermark" => return Policy::Watermark,
        Some(Literal::Str(policy)) if policy == "processing_time" => match window {
            Window::Count { .. } | Window::SlidingCount { .. } => "a window of records knows no time",
            _ => {
                a.report(Diagnostic::new(Code::Impure, e.span, "windows by the machine's time differ from run to run"));
                return Policy::ProcessingTime;
            }
        },
        _ => "a window's policy is `\"watermark\"` or `\"processing_time\"`",
    };
    a.report(Diagnostic::new(Code::BadArgument, e.span, wrong));
    Policy::Watermark
}

/// How many steps a window may have: it fires at each.
const STEPS: i64 = 100_000;

fn early(a: &mut Analyzer<'_>, e: &ast::Expr, size: i64, offset: i64, other: Option<&ast::Expr>) -> Option<Window> {
    let step = a.constant_duration(e, "an early firing's interval")?;
    let wrong = if let Some(other) = other {
        Some((other.span, "windows that fire early come one after the other".to_owned(), "leave one of the two out".to_owned()))
    } else if step >= size {
        Some((e.span, format!("a window of {} is over by then", duration(size)), "a shorter interval".to_owned()))
    } else {
        too_often(e, size, step)
    };
    refused(a, wrong)?;
    Some(Window::Cumulating { size, step, offset, early: true })
}

/// A mistake: where, what, and how to mend it.
type Wrong = Option<(ast::Span, String, String)>;

fn too_often(e: &ast::Expr, size: i64, step: i64) -> Wrong {
    (size / step > STEPS).then(|| (e.span, format!("a window of {} steps would fire as often", size / step), format!("at most {STEPS} steps")))
}

fn refused(a: &mut Analyzer<'_>, wrong: Wrong) -> Option<()> {
    let Some((at, message, help)) = wrong else { return Some(()) };
    a.report(Diagnostic::new(Code::BadArgument, at, message).help(help));
    None
}

fn cumulating(a: &mut Analyzer<'_>, e: &ast::Expr, size: i64, offset: i64, sliding: Option<&ast::Expr>) -> Option<Window> {
    let step = a.constant_duration(e, "a step")?;
    let wrong = if let Some(sliding) = sliding {
        Some((sliding.span, "a window slides or cumulates, not both".to_owned(), "leave one of the two out".to_owned()))
    } else if size % step != 0 {
        let help = format!("a step of which {} is a multiple", duration(size));
        Some((e.span, format!("{} is no whole number of steps of {}", duration(size), duration(step)), help))
    } else {
        too_often(e, size, step)
    };
    refused(a, wrong)?;
    Some(Window::Cumulating { size, step, offset, early: false })
}
