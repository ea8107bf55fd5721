//! Random streams: sources, chains of operators, windows, patterns, joins.

use fastrand::Rng;

use super::expressions::{Scope, condition, expression};
use super::{Event, Field, Program, Stream, Type, pick};

/// A random program of up to five streams over up to three events.
pub fn program(rng: &mut Rng) -> Program {
    let events: Vec<Event> = (0..rng.usize(1..4)).map(|i| event(rng, i)).collect();
    let mut sources: Vec<(String, Vec<Field>)> = events.iter().map(|e| (e.name.clone(), e.fields.clone())).collect();
    // Those that have no more records than events: combinations of combinations would be more than anyone can count.
    let mut few = sources.clone();
    let lag = if rng.u8(..3) == 0 { pick(rng, &["1ms", "1s", "30s"]) } else { "" };
    let mut streams = vec![];
    for i in 0..rng.usize(1..6) {
        let name = format!("S{i}");
        let (head, mut operators, fields) = source(rng, &sources, &few, &name);
        let multiplies = head.contains("join(") || head.contains(" as s0") || !few.iter().any(|(from, _)| head.ends_with(&format!("= {from}")));
        // The lag belongs to the event, for all streams: said once, at the first of them that reads an event.
        if i == 0 && !lag.is_empty() && events.iter().any(|e| head.ends_with(&format!("= {}", e.name))) {
            operators.insert(0, format!(".watermark(out_of_order: {lag})"));
        }
        let fields = chain(rng, &mut operators, fields);
        streams.push(Stream { head, operators });
        if !multiplies {
            few.push((name.clone(), fields.clone()));
        }
        sources.push((name, fields));
    }
    Program { events, streams }
}

pub(super) fn event(rng: &mut Rng, number: usize) -> Event {
    let mut fields = vec![
        Field { name: "k".to_owned(), ty: Type::Str, nullable: rng.bool() },
        Field { name: "n".to_owned(), ty: Type::Int, nullable: rng.u8(..3) == 0 },
        Field { name: "x".to_owned(), ty: Type::Float, nullable: rng.u8(..3) == 0 },
    ];
    for i in 0..rng.usize(..5) {
        let ty = pick(rng, &Type::ALL);
        fields.push(Field { name: format!("f{i}"), ty, nullable: rng.bool() });
    }
    // Same-named fields of different events have one type, so that they can be merged.
    fields.iter_mut().skip(3).for_each(|f| f.name = format!("{}{}", f.ty.word(), &f.name));
    Event { name: ["Alpha", "Beta", "Gamma"].get(number).unwrap_or(&"Delta").to_string(), fields }
}

fn source(rng: &mut Rng, sources: &[(String, Vec<Field>)], few: &[(String, Vec<Field>)], name: &str) -> (String, Vec<String>, Vec<Field>) {
    let of = if rng.bool() { few } else { sources };
    match rng.u8(..10) {
        0 if sources.len() > 1 => merge(rng, sources, name),
        1..=2 => join(rng, of, few, name),
        3..=5 => pattern(rng, of, few, name),
        _ => {
            let (from, fields) = pick(rng, sources);
            (format!("stream {name} = {from}"), vec![], fields)
        }
    }
}

fn merge(rng: &mut Rng, sources: &[(String, Vec<Field>)], name: &str) -> (String, Vec<String>, Vec<Field>) {
    let (a, left) = pick(rng, sources);
    // Whether a stream that is merged with itself yields each record twice in a row, the language does not say.
    let others: Vec<_> = sources.iter().filter(|(other, _)| *other != a).cloned().collect();
    let (b, right) = pick(rng, &others);
    let mut fields: Vec<Field> = vec![];
    for f in left.iter().chain(&right) {
        if !fields.iter().any(|g| g.name == f.name) {
            let (l, r) = (left.iter().find(|g| g.name == f.name), right.iter().find(|g| g.name == f.name));
            let nullable = l.is_none_or(|g| g.nullable) || r.is_none_or(|g| g.nullable);
            fields.push(Field { nullable, ..f.clone() });
        }
    }
    (format!("stream {name} = merge({a}, {b})"), vec![], fields)
}

fn qualified(alias: &str, fields: &[Field]) -> Vec<Field> {
    fields.iter().map(|f| Field { name: format!("{alias}.{}", f.name), ..f.clone() }).collect()
}

fn of_type(fields: &[Field], ty: Type) -> Vec<&Field> {
    fields.iter().filter(|f| f.ty == ty && !f.is_rounded()).collect()
}

/// A projection that gives the fields plain names again.
fn renamed(rng: &mut Rng, verb: &str, fields: &[Field], extra: Vec<(String, Field)>) -> (String, Vec<Field>) {
    let mut parts = vec![];
    let mut made = vec![];
    for (i, f) in fields.iter().enumerate().filter(|_| rng.u8(..3) > 0) {
        let name = format!("{}{i}", f.name.rsplit('.').next().unwrap_or_default());
        parts.push(format!("{name}: {}", f.name));
        made.push(Field { name, ..f.clone() });
    }
    for (text, f) in extra {
        parts.push(format!("{}: {text}", f.name));
        made.push(f);
    }
    if let (true, Some(f)) = (parts.is_empty(), fields.first()) {
        parts.push(format!("only: {}", f.name));
        made.push(Field { name: "only".to_owned(), ..f.clone() });
    }
    (format!(".{verb}({})", parts.join(", ")), made)
}

fn join(rng: &mut Rng, sources: &[(String, Vec<Field>)], few: &[(String, Vec<Field>)], name: &str) -> (String, Vec<String>, Vec<Field>) {
    let (a, left) = pick(rng, sources);
    // In which order a record that comes on both sides meets the partners of one moment, the language does not say: a stream with several
    // records of one moment is not joined with itself.
    let others: Vec<_> = few.iter().filter(|(other, _)| *other != a || !a.starts_with('S')).cloned().collect();
    let (b, right) = pick(rng, &others);
    let (left, right) = (qualified("l", &left), qualified("r", &right));
    let kind = pick(rng, &["join", "join", "latest_join", "latest_join", "left_join", "right_join", "full_join"]);
    let mut on = vec![];
    for ty in [Type::Str, Type::Int] {
        if let (Some(l), Some(r), true) = (rng.choice(of_type(&left, ty)), rng.choice(of_type(&right, ty)), on.is_empty() || rng.u8(..3) == 0) {
            on.push(format!("{} == {}", l.name, r.name));
        }
    }
    let both: Vec<Field> = left.iter().chain(&right).cloned().collect();
    if on.is_empty() || rng.u8(..3) == 0 {
        on.push(condition(rng, &Scope::new(&both), 1).0);
    }
    let mut operators = vec![format!(".on({})", on.join(" and "))];
    if kind != "latest_join" {
        operators.push(format!(".window({})", pick(rng, &["5ms", "1s", "20s"])));
    }
    // What has no partner is null.
    let missing =
        |side: &[Field], kinds: [&str; 2]| side.iter().map(|f| Field { nullable: f.nullable || kinds.contains(&kind), ..f.clone() }).collect::<Vec<_>>();
    // A third input, which an equality ties to one of the two: an event, since matches of matches would be more than anyone can count.
    let thirds: Vec<_> = others.iter().filter(|(other, _)| !other.starts_with('S')).cloned().collect();
    let third = if kind == "join" && !(a.starts_with('S') && b.starts_with('S')) && rng.u8(..3) == 0 { rng.choice(thirds) } else { None };
    let third = third.and_then(|(c, fields)| {
        let (fields, before) = (qualified("t", &fields), left.iter().chain(&right).cloned().collect::<Vec<_>>());
        let (t, other) = (rng.choice(of_type(&fields, Type::Int))?.name.clone(), rng.choice(of_type(&before, Type::Int))?.name.clone());
        if let Some(on) = operators.first_mut() {
            *on = on.replacen(".on(", &format!(".on({t} == {other} and "), 1);
        }
        Some((c, fields))
    });
    let both = [missing(&left, ["right_join", "full_join"]), missing(&right, ["left_join", "full_join"])].concat();
    let all = [both, third.iter().flat_map(|(_, fields)| fields.clone()).collect()].concat();
    let (project, fields) = renamed(rng, "select", &all, vec![]);
    operators.push(project);
    let third = third.map_or(String::new(), |(c, _)| format!(", {c} as t"));
    (format!("stream {name} = {kind}({a} as l, {b} as r{third})"), operators, fields)
}

/// A sequence of two or three steps, perhaps with a Kleene step and an absence. Conditions that look at a run cannot refuse: which run
/// would then have refused first is nobody's business.
pub(super) fn pattern(rng: &mut Rng, sources: &[(String, Vec<Field>)], few: &[(String, Vec<Field>)], name: &str) -> (String, Vec<String>, Vec<Field>) {
    let steps = rng.usize(1..4);
    let kleene = if steps == 1 || rng.bool() { rng.usize(..steps) } else { usize::MAX };
    let sources = if kleene == usize::MAX { sources } else { few };
    let absence = if rng.u8(..3) == 0 && steps > 1 { rng.usize(..steps) } else { usize::MAX };
    let keyed = rng.bool();
    let mut bound: Vec<Field> = vec![];
    let mut extra = vec![];
    let mut head = format!("stream {name} = ");
    for step in 0..steps {
        let (event, fields) = pick(rng, sources);
        let alias = format!("s{step}");
        if step > 0 {
            head.push_str(" -> ");
        }
        let own = if step == kleene { format!("all {event}") } else { event.clone() };
        let test = step_condition(rng, &fields, &bound, keyed && step > 0);
        head.push_str(&format!("{own}{test} as {alias}"));
        if step > 0 && step + 1 < steps && step != kleene && step - 1 != kleene && rng.u8(..5) == 0 {
            head.push_str(&format!(" .within({})", pick(rng, &["10ms", "2s"])));
        }
        if step == kleene {
            let inner = qualified(&alias, &fields);
            extra.push((format!("count({alias})"), Field { name: "taken".to_owned(), ty: Type::Int, nullable: false }));
            if let Some(f) = rng.choice(of_type(&inner, Type::Float)) {
                extra.push((format!("sum({})", f.name), Field { name: "total".to_owned(), ty: Type::Float, nullable: false }));
                extra.push((format!("max({})", f.name), Field { name: "top".to_owned(), ty: Type::Float, nullable: f.nullable }));
            }
            if let Some(f) = rng.choice(&fields) {
                extra.push((format!("{alias}[0].{}", f.name), Field { name: "opening".to_owned(), ..f.clone() }));
            }
        }
        // An absence directly behind a Kleene step leaves open between which of its elements it must not come.
        if step == absence && step != kleene {
            let (event, fields) = pick(rng, sources);
            head.push_str(&format!(" -> not {event}{}", step_condition(rng, &fields, &bound, false)));
        }
        bound.extend(qualified(&alias, &fields));
    }
    let within = format!(".within({})", pick(rng, &["20ms", "1s", "10s", "1m"]));
    let mut operators = vec![within];
    if rng.u8(..3) == 0 && sources.iter().all(|(_, f)| f.iter().any(|f| f.name == "k" && f.ty == Type::Str)) {
        operators.push(".partition_by(k)".to_owned());
    }
    if rng.u8(..5) == 0 {
        let (event, fields) = pick(rng, sources);
        operators.push(format!(".not({event}{})", step_condition(rng, &fields, bound.get(..1).unwrap_or_default(), false)));
    }
    let (project, fields) = renamed(rng, "select", &bound, extra);
    operators.push(project);
    (head, operators, fields)
}

fn step_condition(rng: &mut Rng, fields: &[Field], bound: &[Field], keyed: bool) -> String {
    let mut parts = vec![];
    if rng.bool() {
        parts.push(condition(rng, &Scope::safe(fields), 1).0);
    }
    if keyed {
        let text = of_type(fields, Type::Str);
        if let (Some(f), Some(b)) = (rng.choice(text), rng.choice(of_type(bound, Type::Str))) {
            parts.push(format!("{} == {}", f.name, b.name));
        }
    }
    if let (Some(f), true) = (rng.choice(fields).filter(|f| !f.is_rounded()), rng.u8(..3) == 0)
        && let Some(b) = rng.choice(of_type(bound, f.ty))
    {
        parts.push(format!("{} {} {}", f.name, if f.ty.is_ordered() { pick(rng, &["<", ">=", "!=", "=="]) } else { "==" }, b.name));
    }
    if parts.is_empty() { String::new() } else { format!(" where {}", parts.join(" and ")) }
}

/// Operators on records; returns the fields that the stream then has.
fn chain(rng: &mut Rng, operators: &mut Vec<String>, mut fields: Vec<Field>) -> Vec<Field> {
    let mut keys: Vec<Field> = vec![];
    for _ in 0..rng.usize(..5) {
        match rng.u8(..13) {
            12 if !operators.is_empty() => operators.push(handled(rng, &mut fields, &mut keys)),
            0..=2 => operators.push(format!(".where({})", condition(rng, &Scope::new(&fields), 2).0)),
            3 => {
                let ty = pick(rng, &[Type::Int, Type::Float, Type::Str]);
                let (now, before) = (expression(rng, &Scope::new(&fields), ty, 1).0, looking_back(rng, &fields, ty).0);
                operators.push(format!(".where({now} {} {before})", pick(rng, &["<", ">=", "!="])));
            }
            4..=5 => {
                let (text, made) = projection(rng, "select", &fields);
                operators.push(text);
                fields = made;
                keys.clear();
            }
            6 => {
                if let Some(f) = rng.choice(fields.iter().filter(|f| f.ty != Type::Float).collect::<Vec<_>>()) {
                    operators.push(format!(".distinct({}, within: {})", f.name, pick(rng, &["3ms", "2s", "1h"])));
                }
            }
            7 => operators.push(format!(".limit({})", rng.usize(1..20))),
            8..=9 => {
                keys = fields.iter().filter(|f| f.ty != Type::Float && rng.u8(..3) == 0).cloned().collect();
                if !keys.is_empty() {
                    let names: Vec<&str> = keys.iter().map(|f| f.name.as_str()).collect();
                    operators.push(format!(".partition_by({})", names.join(", ")));
                }
            }
            _ => {
                fields = window(rng, operators, &fields, &keys);
                keys.clear();
            }
        }
    }
    if rng.u8(..3) > 0 {
        let (text, made) = projection(rng, "emit", &fields);
        operators.push(text);
        fields = made;
    }
    fields
}

/// A handler of errors: of the stream's fields it has some, and one of its own.
fn handled(rng: &mut Rng, fields: &mut Vec<Field>, keys: &mut [Field]) -> String {
    let mut parts = vec![];
    for field in fields.iter_mut() {
        let value = match field.ty {
            Type::Int => "7",
            Type::Float => "0.5",
            Type::Str => "\"none\"",
            Type::Bool => "true",
            _ => "",
        };
        if !value.is_empty() && rng.bool() {
            parts.push(format!("{}: {value}", field.name));
        } else {
            field.nullable = true;
            keys.iter_mut().filter(|key| key.name == field.name).for_each(|key| key.nullable = true);
        }
    }
    // Keys that the record has no longer.
    keys.iter_mut().filter(|key| fields.iter().all(|f| f.name != key.name)).for_each(|key| key.nullable = true);
    if fields.iter().all(|f| f.name != "failed") && (parts.is_empty() || rng.bool()) {
        parts.push("failed: e.reason".to_owned());
        fields.push(Field { name: "failed".to_owned(), ty: Type::Str, nullable: true });
    }
    if parts.is_empty() {
        parts.push("again: e.reason".to_owned());
    }
    format!(".on_error(e => {{{}}})", parts.join(", "))
}

fn projection(rng: &mut Rng, verb: &str, fields: &[Field]) -> (String, Vec<Field>) {
    let mut parts = vec![];
    let mut made: Vec<Field> = vec![];
    for f in fields.iter().filter(|_| rng.bool()) {
        parts.push(f.name.clone());
        made.push(f.clone());
    }
    for i in 0..rng.usize(1..3) {
        let ty = pick(rng, &Type::ALL);
        let name = format!("e{i}{}", ty.word());
        if made.iter().any(|f| f.name == name) {
            continue;
        }
        let (text, nullable) = if rng.u8(..5) == 0 { looking_back(rng, fields, ty) } else { expression(rng, &Scope::new(fields), ty, 3) };
        parts.push(format!("{name}: {text}"));
        made.push(Field { name, ty, nullable });
    }
    (format!(".{verb}({})", parts.join(", ")), made)
}

/// The value of an expression some records back, and whether it may be null.
fn looking_back(rng: &mut Rng, fields: &[Field], ty: Type) -> (String, bool) {
    let (scope, back) = (Scope::new(fields), rng.usize(1..4));
    let (text, nullable) = expression(rng, &scope, ty, 2);
    match rng.u8(..4) {
        0 => (format!("lag({text})"), true),
        1 => (format!("lag({text}, {back})"), true),
        2 => {
            let (default, default_nullable) = expression(rng, &scope, ty, 1);
            (format!("lag({text}, {back}, {default})"), nullable || default_nullable)
        }
        _ => (format!("lag(lag({text}), {back})"), true),
    }
}

pub(super) fn window(rng: &mut Rng, operators: &mut Vec<String>, fields: &[Field], keys: &[Field]) -> Vec<Field> {
    let text = match rng.u8(..8) {
        0..=2 => pick(rng, &["(20ms)", "(1s)", "(10s, offset: 300ms)", "(1m)"]),
        3..=4 => pick(
            rng,
            &[
                "(20ms, sliding: 10ms)",
                "(3s, sliding: 2s)",
                "(10s, sliding: 3s, offset: 1s)",
                "(1s, sliding: 5s)",
                "(20ms, cumulate: 5ms)",
                "(1m, cumulate: 20s, offset: 7s)",
                "(10s, early: 3s)",
            ],
        ),
        5 => pick(rng, &["(session: 15ms)", "(session: 2s)", "(session: 15ms, early: 4ms)", "(session: 2s, early: 700ms)", "(session: 20ms, early: 50ms)"]),
        6 => pick(rng, &["(1)", "(3)", "(10)"]),
        _ => pick(rng, &["(4, sliding: 2)", "(3, sliding: 1)", "(5, sliding: 3)", "(2, sliding: 5)"]),
    };
    operators.push(format!(".window{text}"));
    let of_time = !text.contains("session") && !text.contains("cumulate") && !text.contains("early") && text.contains("s");
    if of_time && rng.u8(..4) == 0 && top_k(rng, operators, fields) {
        return fields.to_vec();
    }
    let late = of_time && rng.u8(..5) == 0;
    if late {
        operators.push(format!(".allowed_lateness({})", pick(rng, &["15ms", "1s", "30s"])));
    }
    let mut parts = vec![];
    let mut made: Vec<Field> = keys.to_vec();
    for i in 0..rng.usize(1..4) {
        let (text, ty, nullable) = aggregate(rng, fields);
        // What is rounded is no rank: equal results of two ways of computing them may differ in the last bit.
        let rounded = ["corr", "covar", "stddev", "variance", "avg", "ema"].iter().any(|name| text.starts_with(name));
        let name = format!("{}{i}{}", if rounded { "r" } else { "a" }, ty.word());
        parts.push(format!("{name}: {text}"));
        made.push(Field { name, ty, nullable });
    }
    operators.push(format!(".aggregate({})", parts.join(", ")));
    if late || text.contains("early") {
        made.push(Field { name: "is_update".to_owned(), ty: Type::Bool, nullable: false });
    }
    let ordered: Vec<&Field> = made.iter().filter(|f| f.ty.is_ordered() && !f.is_rounded()).collect();
    if !late && !is_count(text) && !ordered.is_empty() && rng.u8(..4) == 0 {
        let by: Vec<String> = (0..rng.usize(1..3)).map(|_| format!("{}{}", pick(rng, &ordered).name, pick(rng, &["", " asc", " desc"]))).collect();
        operators.push(format!(".order_by({})", by.join(", ")));
    }
    made
}

/// Whether a window is one of so many records.
fn is_count(window: &str) -> bool {
    window.trim_start_matches('(').split([',', ')']).next().is_some_and(|size| size.parse::<u32>().is_ok())
}

/// Ranks by a field or something computed of fields; false if there is nothing to rank by.
fn top_k(rng: &mut Rng, operators: &mut Vec<String>, fields: &[Field]) -> bool {
    let Some(f) = rng.choice(fields.iter().filter(|f| f.ty.is_ordered()).collect::<Vec<_>>()) else { return false };
    let by = if rng.bool() { f.name.clone() } else { expression(rng, &Scope::new(fields), f.ty, 2).0 };
    operators.push(format!(".top_k({}, by: {by})", rng.usize(1..6)));
    true
}

fn aggregate(rng: &mut Rng, fields: &[Field]) -> (String, Type, bool) {
    let condition = if rng.u8(..4) == 0 { format!(", where: {}", condition(rng, &Scope::new(fields), 1).0) } else { String::new() };
    let nullable = |f: &Field| f.nullable || !condition.is_empty();
    let numbers: Vec<&Field> = fields.iter().filter(|f| f.ty.is_number()).collect();
    let Some(f) = rng.choice(fields) else { return ("count()".to_owned(), Type::Int, false) };
    match rng.u8(..12) {
        0 => (if condition.is_empty() { "count()".to_owned() } else { format!("count({})", &condition[2..]) }, Type::Int, false),
        1 => (format!("count({}{condition})", f.name), Type::Int, false),
        2 => (format!("{}({}{condition})", pick(rng, &["first", "last"]), f.name), f.ty, nullable(f)),
        3 => match rng.u8(..3) {
            0 => (format!("{}({}{condition})", pick(rng, &["count_distinct", "approx_count_distinct"]), f.name), Type::Int, false),
            1 => {
                let (p, null) = self::condition(rng, &Scope::new(fields), 1);
                (format!("{}({p}{condition})", pick(rng, &["any", "every"])), Type::Bool, null || !condition.is_empty())
            }
            _ => match rng.choice(fields.iter().filter(|f| f.ty.is_ordered()).collect::<Vec<_>>()) {
                Some(by) => (format!("{}({}, {}{condition})", pick(rng, &["arg_max", "arg_min"]), f.name, by.name), f.ty, nullable(f) || by.nullable),
                None => ("count()".to_owned(), Type::Int, false),
            },
        },
        4..=5 if f.ty.is_ordered() => (format!("{}({}{condition})", pick(rng, &["min", "max"]), f.name), f.ty, nullable(f)),
        _ => match rng.choice(&numbers).copied() {
            Some(n) if n.ty == Type::Int => (format!("sum({}{condition})", n.name), Type::Int, false),
            Some(n) if n.ty == Type::Float && rng.bool() => (format!("sum({}{condition})", n.name), Type::Float, false),
            Some(n) if n.ty == Type::Decimal => match rng.u8(..4) {
                0 => (format!("avg({}{condition})", n.name), Type::Float, nullable(n)),
                1 => (format!("percentile({}, {}{condition})", n.name, pick(rng, &["0", "50", "99"])), Type::Float, nullable(n)),
                _ => (format!("decimal(sum({}{condition}), 12, 2)", n.name), Type::Decimal, false),
            },
            Some(n) if n.ty == Type::Float => match rng.u8(..8) {
                5 => {
                    let floats: Vec<&Field> = numbers.iter().copied().filter(|f| f.ty != Type::Decimal).collect();
                    let other = pick(rng, &floats);
                    (format!("{}({}, {}{condition})", pick(rng, &["covar", "corr"]), n.name, other.name), Type::Float, true)
                }
                // Milliseconds are no sums of halves, and what is rounded must not decide anything.
                6 => (format!("floor(slope({}{condition}) * 0.001 + 0.1234)", n.name), Type::Float, true),
                7 => (format!("approx_percentile({}, {}{condition})", n.name, pick(rng, &["0", "30", "50", "100"])), Type::Float, nullable(n)),
                0 => (format!("avg({}{condition})", n.name), Type::Float, nullable(n)),
                1 => (format!("percentile({}, {}{condition})", n.name, pick(rng, &["0", "25", "50", "99", "100"])), Type::Float, nullable(n)),
                2 => (format!("median({}{condition})", n.name), Type::Float, nullable(n)),
                3 => (format!("ema({}, {}{condition})", n.name, pick(rng, &["1", "3", "9"])), Type::Float, nullable(n)),
                _ => (format!("{}({}{condition})", pick(rng, &["stddev", "variance"]), n.name), Type::Float, true),
            },
            _ => ("count()".to_owned(), Type::Int, false),
        },
    }
}
