//! Forms of other languages, known by what stands around the place at which reading fails, and what is written here.

use super::Rule;

/// What is said of one: the bytes in question, what to write instead if that is certain, and why.
pub(super) struct Advice {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) with: Option<String>,
    pub(super) say: String,
}

/// Units of time as others write them.
const UNITS: &[(&str, &[&str])] = &[
    ("ns", &["nanos", "nanosecond", "nanoseconds", "nsec"]),
    ("us", &["micros", "microsecond", "microseconds", "usec"]),
    ("ms", &["millis", "millisecond", "milliseconds", "msec"]),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
    ("d", &["day", "days"]),
    ("w", &["week", "weeks"]),
];

/// Operators that are words elsewhere.
const OPERATORS: &[(&str, &str)] = &[
    ("AND", "and"),
    ("OR", "or"),
    ("XOR", "xor"),
    ("mod", "%"),
    ("MOD", "%"),
    ("div", "/"),
    ("DIV", "/"),
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("gt", ">"),
    ("le", "<="),
    ("ge", ">="),
    ("IN", "in"),
    ("IS", "is"),
];

/// What begins declarations elsewhere.
const DECLARATIONS: &[(&str, &str)] = &[
    ("def", "fn"),
    ("function", "fn"),
    ("func", "fn"),
    ("fun", "fn"),
    ("sub", "fn"),
    ("struct", "event"),
    ("schema", "event"),
    ("record", "event"),
    ("message", "event"),
    ("val", "const"),
    ("final", "const"),
    ("define", "const"),
];

/// The text around the place.
struct Around<'t> {
    text: &'t str,
    at: usize,
    /// What stands in front, without spaces at its end.
    before: &'t str,
    /// The word at its end.
    last: &'t str,
    rest: &'t str,
    /// The word there.
    next: &'t str,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first_word(text: &str) -> &str {
    text.get(..text.find(|c| !is_word(c)).unwrap_or(text.len())).unwrap_or_default()
}

fn last_word(text: &str) -> &str {
    text.get(text.trim_end_matches(is_word).len()..).unwrap_or_default()
}

impl<'t> Around<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        let (before, rest) = (text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']), text.get(at..).unwrap_or_default());
        Self { text, at, before, last: last_word(before), rest, next: first_word(rest) }
    }

    /// Instead of so many bytes from a place on.
    fn fix(&self, from: usize, length: usize, with: impl Into<String>, say: impl Into<String>) -> Option<Advice> {
        Some(Advice { from, to: from + length, with: Some(with.into()), say: say.into() })
    }

    /// Without a text to put there.
    fn help(&self, say: impl Into<String>) -> Option<Advice> {
        Some(Advice { from: self.at, to: self.at, with: None, say: say.into() })
    }

    /// Where the last word in front begins.
    fn last_at(&self) -> usize {
        self.before.len() - self.last.len()
    }
}

/// What may have been meant where reading fails with that message.
pub(super) fn advice(text: &str, at: usize, message: &str, rule: Rule) -> Option<Advice> {
    let a = Around::new(text, at);
    // What is filled into a text is read by itself.
    if rule != Rule::item && a.rest.starts_with(':') {
        return a.help("behind the `:` stands how many decimals a number has: `{price:.2}`; nothing else is formatted so");
    }
    duration(&a).or_else(|| declaration(&a)).or_else(|| statement(&a)).or_else(|| types(&a)).or_else(|| source(&a)).or_else(|| expression(&a, message))
}

fn duration(a: &Around<'_>) -> Option<Advice> {
    let digits = a.next.len() - a.next.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    // `5 min` fails behind the number.
    let (from, number, unit) = match digits {
        0 if !a.last.is_empty() && a.last.chars().all(|c| c.is_ascii_digit()) => (a.last_at(), a.last, a.next),
        0 => return None,
        _ => (a.at, a.next.get(..digits)?, a.next.get(digits..)?),
    };
    let known = |(ours, theirs): &(&'static str, &[&str])| (*ours == unit || theirs.iter().any(|their| their.eq_ignore_ascii_case(unit))).then_some(*ours);
    let ours = UNITS.iter().find_map(known)?;
    a.fix(from, a.at + a.next.len() - from, format!("{number}{ours}"), "durations have the units ns, us, ms, s, m, h, d and w: `5m`, `1m30s`")
}

fn declaration(a: &Around<'_>) -> Option<Advice> {
    if !a.before.is_empty() {
        return match (a.last, a.rest) {
            ("mut", _) if a.before.ends_with("let mut") => a.fix(a.before.len() - 7, 7, "var", "a variable that changes is a `var`"),
            (name, rest) if a.before.len() > name.len() && rest.starts_with('=') && a.before.trim_end().ends_with(':') && a.text.starts_with("stream") => {
                let from = a.before.trim_end_matches(':').len();
                a.fix(from, a.at + 1 - from, "=", "a stream is declared with `=`; `:=` gives a variable another value")
            }
            (_, rest) if rest.starts_with('{') && ["event", "enum", "fn", "type"].iter().any(|word| a.text.starts_with(word)) => {
                a.help("blocks are indented: a `:` at the end of the line, and the lines of the block further to the right")
            }
            _ => None,
        };
    }
    if let Some((_, ours)) = DECLARATIONS.iter().find(|(theirs, _)| *theirs == a.next) {
        return a.fix(a.at, a.next.len(), *ours, format!("`{}` is called `{ours}` here", a.next));
    }
    if a.rest.starts_with("--") {
        return a.fix(a.at, 2, "#", "comments begin with `#`");
    }
    let behind = a.rest.get(a.next.len()..).unwrap_or_default().trim_start();
    match a.next.to_ascii_lowercase().as_str() {
        "select" | "from" | "insert" | "create" | "with" => {
            a.help("what a query selects is a stream: `stream Large = Trade.where(price > 10).select(symbol, price)`")
        }
        "print" | "println" | "log" | "emit" => {
            a.help("records are printed by an operator of their stream: `stream Large = Trade.where(price > 10).print(symbol)`")
        }
        _ if !a.next.is_empty() && behind.starts_with('=') && !behind.starts_with("==") => a.fix(a.at, 0, "stream ", "a stream is declared with `stream`"),
        _ => None,
    }
}

fn statement(a: &Around<'_>) -> Option<Advice> {
    if a.last == "else" && a.next == "if" {
        return a.fix(a.last_at(), a.at + 2 - a.last_at(), "elif", "a further branch is an `elif`");
    }
    if ["elsif", "elseif"].contains(&a.last) {
        return a.fix(a.last_at(), a.last.len(), "elif", "a further branch is an `elif`");
    }
    if a.rest.starts_with('=') && !a.rest.starts_with("==") && a.before.ends_with(['+', '-', '*', '/']) && a.before.len() == a.at {
        let operator = a.before.chars().last()?;
        let name = last_word(a.before.trim_end_matches(operator).trim_end());
        let from = a.before.trim_end_matches(operator).trim_end().len() - name.len();
        return if name.is_empty() {
            None
        } else {
            a.fix(from, a.at + 1 - from, format!("{name} := {name} {operator}"), "a variable is given its new value whole")
        };
    }
    if a.before.ends_with('+') && a.rest.starts_with('+') {
        return a.help("a variable is given its new value whole: `n := n + 1`");
    }
    if a.rest.starts_with('{') && ["while", "for", "if", "elif", "else"].iter().any(|word| line_of(a.before).trim_start().starts_with(word)) {
        return a.help("blocks are indented: a `:` at the end of the line, and the lines of the block further to the right");
    }
    None
}

/// What stands in front in the line.
fn line_of(before: &str) -> &str {
    before.rsplit(|c: char| c.is_control()).next().unwrap_or_default()
}

fn types(a: &Around<'_>) -> Option<Advice> {
    let is_type = a.before.trim_end_matches(is_word).trim_end().ends_with([':', '>']) && !a.last.is_empty();
    if is_type && a.rest.starts_with('[') {
        let end = a.at + a.rest.find(']')?;
        let inner = a.text.get(a.at + 1..end)?.trim();
        let element = if inner.is_empty() { a.last } else { inner };
        let fits = element.chars().all(|c| is_word(c) || c == '?');
        return if fits { a.fix(a.last_at(), end + 1 - a.last_at(), format!("[{element}]"), "an array of texts is a `[str]`") } else { None };
    }
    if is_type && a.rest.starts_with('<') {
        return a.help("what may be null is an `int?`, an array of numbers an `[int]`, a map of them a `{str: int}`");
    }
    if a.rest.starts_with("?:") && !a.last.is_empty() {
        return a.help("that a field may be missing belongs to its type: `venue: str?`");
    }
    None
}

fn source(a: &Around<'_>) -> Option<Advice> {
    // `stream Name: T.where(…)` reads as a type with arguments.
    if let Some(colon) = a.text.find(':').filter(|colon| *colon < a.at)
        && let Some(name) = a.text.get(..colon).and_then(|t| t.strip_prefix("stream"))
        && name.trim().chars().all(is_word)
        && a.text.get(colon..a.at).is_some_and(|between| between.contains('(') && !between.contains('='))
    {
        return a.fix(colon, 1, " =", "what a stream is made of stands behind `=`; behind `:` stands its type");
    }
    if !a.text.starts_with("stream") || a.before.ends_with(['(', ',']) {
        return None;
    }
    if a.last == "union" && a.rest.starts_with('(') {
        return a.fix(a.last_at(), 5, "merge", "several streams become one by `merge(A, B)`");
    }
    if a.last == "every" && a.before.trim_end_matches(is_word).trim_end().ends_with(['=', '>']) && !a.next.is_empty() {
        return a.fix(a.last_at(), a.at - a.last_at(), "", "every event that fits begins a match");
    }
    match a.next {
        "JOIN" | "join" | "INNER" | "LEFT" | "RIGHT" | "FULL" | "inner" | "left" => a.help("streams are joined by `join(A, B).on(A.key == B.key).window(5m)`"),
        "followed" | "followedBy" | "then" | "THEN" | "before" => a.help("what follows stands behind an arrow: `A as a -> B as b .within(5m)`"),
        "within" | "WITHIN" if !a.before.ends_with('.') => a.help("the span of a pattern is an operator: `.within(5m)`"),
        "WHERE" | "FROM" | "GROUP" | "ORDER" | "HAVING" | "LIMIT" => {
            a.help("what a stream does stands behind dots: `Trade.where(price > 10).partition_by(symbol)`")
        }
        _ if a.rest.starts_with("=>") && !line_of(a.before).contains('(') => a.fix(a.at, 2, "->", "what follows stands behind `->`"),
        _ => None,
    }
}

fn expression(a: &Around<'_>, message: &str) -> Option<Advice> {
    if a.last == "NOT" && !a.next.is_empty() {
        return a.fix(a.last_at(), 3, "not", "operators are words in small letters");
    }
    if a.rest.starts_with('*') && a.before.ends_with('(') {
        let called = last_word(a.before.trim_end_matches('('));
        return match called {
            "count" => a.fix(a.at, 1, "", "`count()` counts records"),
            "emit" => a.fix(a.at, 1, "", "`.emit()` publishes all fields"),
            "select" => a.help("without `.select` a record has all of its fields; some more are added by naming all: `.select(a, b, c: a + b)`"),
            _ => None,
        };
    }
    if a.last == "distinct" && a.before.ends_with("(distinct") && a.before.trim_end_matches("(distinct").ends_with("count") && !a.next.is_empty() {
        let from = a.before.len() - "count(distinct".len();
        return a.fix(from, a.at - from, "count_distinct(", "different values are counted by `count_distinct(x)`");
    }
    if a.before.ends_with('"') && a.before.len() == a.at && in_filled_text(a.before) {
        return a.help("inside an f-string, texts stand in the other quotes: `f\"{venue ?? 'none'}\"`");
    }
    if !message.contains("an operator,") {
        return None;
    }
    if a.rest.starts_with('?') || a.next == "if" || a.next == "unless" {
        return a.help("a choice is `if condition then a else b`");
    }
    if a.rest.starts_with("->") {
        return a.fix(a.at, 2, "=>", "a function without a name is `x => …`");
    }
    if a.last == "lambda" {
        return a.help("a function without a name is `x => …`");
    }
    if let Some((_, ours)) = OPERATORS.iter().find(|(theirs, _)| *theirs == a.next) {
        return a.fix(a.at, a.next.len(), *ours, format!("`{}` is called `{ours}` here", a.next));
    }
    if a.next == "is" {
        let behind = a.rest.get(2..).unwrap_or_default();
        let negated = first_word(behind.trim_start()) == "not";
        let length = if negated { a.rest.find("not").map_or(2, |not| not + 3) } else { 2 };
        return a.fix(a.at, length, if negated { "!=" } else { "==" }, "`is` asks for `null` alone");
    }
    match a.next {
        "as" | "AS" => a.help("the name of a value stands in front of it: `total: price * volume`"),
        "between" | "BETWEEN" => a.help("write both bounds: `x >= 1 and x <= 3`, or of integers `x in 1..=3`"),
        "like" | "LIKE" | "matches" | "ilike" => a.help("ask `contains(x, \"…\")`, `starts_with(x, \"…\")`, or `regex_match(x, \"…\")`"),
        "instanceof" | "typeof" => a.help("types are known when the program is compiled"),
        _ => None,
    }
}

/// Whether a text that is filled in is open here, inside its braces.
fn in_filled_text(before: &str) -> bool {
    let line = line_of(before);
    let Some(at) = line.rfind("f\"").or_else(|| line.rfind("f'")) else { return false };
    let inside = line.get(at..).unwrap_or_default();
    inside.rfind('{').is_some_and(|open| inside.rfind('}').is_none_or(|close| close < open))
}
