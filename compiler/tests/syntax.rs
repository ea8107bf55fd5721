//! The grammar: every construct of the language reads, what does not read says so, and no text makes the parser panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use varpulis_compiler::diagnostics::{Code, Diagnostic};
use varpulis_compiler::syntax::{ast, parse, print};

fn errors(text: &str) -> Vec<Diagnostic> {
    parse(text).diagnostics.into_iter().filter(Diagnostic::is_error).collect()
}

#[track_caller]
fn reads(text: &str) -> ast::Program {
    let parsed = parse(text);
    assert!(
        !parsed.diagnostics.iter().any(Diagnostic::is_error),
        "{}",
        varpulis_compiler::diagnostics::render(&parsed.diagnostics, &varpulis_compiler::sources::Sources::new("test.vpl", text), false)
    );
    parsed.program
}

const DECLARATIONS: &str = r#"
event Trade:                       # a schema
    symbol: str
    price: float
    volume: int
    venue: str?                    // optional
event Special extends Trade:
    tags: [str]
    extra: {str: int}
    pair: (float, float)
    amount: decimal(12, 2)
type UserId = str
enum Side: Buy, Sell
const LIMIT = 10_000
let threshold: float = 9.5
param limit: float = 9.5
var seen: int = 0
fn fee(amount: float, rate: float = 0.02) -> float:
    amount * rate
fn long(x: int) -> int:
    let y = x + 1
    var z: int = 0
    for i in 0..10:
        z := z + i
        if z > 5:
            break
        elif z == 3:
            continue
        else:
            return z
    while z < 100:
        z := z * 2
    match x:
        1 | 2 => z
        Side.Buy => 3
        _ => 0
connector Orders = kafka(brokers: ["localhost:9092"], group_id: "g")
context fast (cores: [1, 2], queue: 4096)
pattern Rise = SEQ(Trade as a, Trade+ where price > a.price as up) within 1m partition by symbol
embedding TradeVec for Trade (dim: 64):
    price:  log_scale (weight: 0.3)
    symbol: hash (dim: 32, weight: 0.2)
embedding Learned for Trade (model: "trade.safetensors", fallback: TradeVec)
config:
    mode: "throughput"
import "common.vpl" as common
stream Big = Trade.where(price * volume > LIMIT).emit(symbol, notional: price * volume)
"#;

const STREAMS: &str = r#"
stream Fraud = Login as l
    -> Transfer where user == l.user and amount > 1000 as t
    -> not Reversal where tx == t.tx                 # absence between its neighbours
    -> all Attempt where user == l.user as tries      # Kleene plus
    -> Logout where user == l.user as out
    .within(10m)
    .partition_by(user)
    .not(Freeze where user == l.user)
    .selection(next) .after_match(no_skip)
    .emit(user: l.user, n: count(tries), worst: max(tries.amount))
pattern P = SEQ(A as a, NOT B, C+ where x > 1 as cs, D? as d, (E AND F), (G OR H)) within 10m partition by user
stream S = P.emit(user: a.user)
stream T = A as a -> B{2,3} as b .within(100ms) -> (C as c -> D)* -> all X as xs until Y where p > 1 reluctant .within(1s)
stream W = Trade.partition_by(k1, k2).window(5m, sliding: 30s).aggregate(vwap: sum(price*volume)/sum(volume), f: count(where: status == "failed"))
stream V = join(Order as o, Payment).on(o.id == Payment.id).window(5m)
stream M = merge(stream S1 = E.where(x > 1), F)
stream E2 = E.from(Orders, topic: "t").enrich(conn, key: e, fields: [a, b], cache_ttl: 5m, timeout: 2s, fallback: x)
stream K = E.fork(a: .where(x > 1).select(x), b: .where(y > 1)).any(2).order_by(x desc, y asc).concurrent(max_workers: 8, strategy: "consistent_hash", supervision: {restart: "always", max_restarts: 3})
stream L = E.select(p: lag(x), q: lag(x, 2, 0)).emit as Other (p, context: fast)
stream Q = timer(5s)
stream O = Trade.pattern(rise: events => events.len() > 3 and events.sliding_pairs().all((a, b) => a.x < b.x))
stream A1 = Trade.attention_window(duration: 30s, heads: 4, embedding: TradeVec, threshold: 0.85).where(attention_score > 0.9).emit(top: top_attention(3))
"#;

#[test]
fn every_declaration_reads() {
    assert_eq!(reads(DECLARATIONS).items.len(), 18);
}

#[test]
fn every_stream_form_reads() {
    assert_eq!(reads(STREAMS).items.len(), 13);
}

#[test]
fn expressions_bind_as_the_language_says() {
    let cases = [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a ** b ** c", "a ** (b ** c)"),
        ("-a ** b", "-(a ** b)"),
        ("not a == b and c", "(not (a == b)) and c"),
        ("a and b xor c or d", "((a and b) xor c) or d"),
        ("a or b ?? c", "(a or b) ?? c"),
        ("a | b ^ c & d << e + f", "a | (b ^ (c & (d << (e + f))))"),
        ("a is not null and b", "(a is not null) and b"),
        ("x in [1, 2] or y not in 1..=3", "(x in [1, 2]) or (y not in (1..=3))"),
    ];
    let value = |e: &str| {
        let program = reads(&format!("const X = {e}"));
        let mut text = format!("{:?}", program.items[0].kind);
        while let Some(at) = text.find("Span {") {
            let end = at + text[at..].find('}').unwrap() + 1;
            text.replace_range(at..end, "");
        }
        text
    };
    for (flat, grouped) in cases {
        assert_eq!(value(flat), value(grouped), "{flat}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, code) in [
        ("const X = 99999999999999999999", Code::InvalidNumber),
        ("const X = \"open", Code::UnterminatedText),
        ("event T:\n\ta: int", Code::TabIndentation),
        ("const X = \"\\q\"", Code::InvalidEscape),
        ("/* open", Code::UnterminatedComment),
        ("const X = 1 \u{202e}", Code::BidiControl),
        ("stream = Trade", Code::Syntax),
        ("const X = a < b < c", Code::ChainedComparison),
        ("const X = \u{7}1", Code::InvalidCharacter),
        ("event T:\n    a: int\n  b: int", Code::Indentation),
    ] {
        let found = errors(text);
        assert!(found.iter().any(|d| d.code == code), "{text:?}: {found:?}");
    }
    // One mistake does not hide the next, nor the declarations around it.
    let parsed = parse("stream A = \nconst B = 1\nstream C = = D\nconst E = 2\n");
    assert_eq!(parsed.program.items.len(), 2);
    assert_eq!(parsed.diagnostics.iter().filter(|d| d.is_error()).count(), 2);
}

#[test]
fn what_breaks_off_is_read_once() {
    // Where one alternative fails at the end, the next one must not read the inside again: forty levels would not end.
    for opening in [
        "if (",
        "if ",
        "(",
        "(a, ",
        "[",
        "{a: ",
        "f(",
        "a.b(",
        "not (",
        "-(",
        "match (",
        "all (",
        "(x) => ",
        "x?.f(",
        "x[",
        "join(",
        "merge(stream S = ",
        "f(a: ",
    ] {
        for text in [
            format!("stream S = T.where({}1", opening.repeat(40)),
            format!("stream S = {}A", opening.repeat(40)),
            format!("fn f(x: int) -> int:\n    {}1", opening.repeat(40)),
        ] {
            let complete = opening == "(x) => ";
            assert!(!parse(&text).diagnostics.is_empty() || complete, "{text}");
        }
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    for text in [
        "(".repeat(100_000),
        "[".repeat(100_000),
        "f(".repeat(50_000),
        format!("const X = {}1", "not ".repeat(100_000)),
        format!("const X = {}1", "-".repeat(100_000)),
        format!("const X = 1{}", "**1".repeat(10_000)),
        format!("const X = {}1{}", "if true then ".repeat(100_000), " else 2".repeat(100_000)),
        format!("const X = {}1", "if true then 1 else ".repeat(100_000)),
        format!("const X = {}true", "if ".repeat(100_000)),
        format!("const X = {}x", "x => ".repeat(100_000)),
        format!("const X = {}x", "(x) => ".repeat(100_000)),
        format!("const X = {}x", "a ?? ".repeat(5_000)),
        format!("const X = {}x", "a + ".repeat(5_000)),
        format!("const X = a{}", ".b".repeat(5_000)),
        format!("const X = a{}", ".b()".repeat(5_000)),
        format!("const X = a{}", "[0]".repeat(5_000)),
        format!("const X = f\"{}\"", "{a}".repeat(2_000)),
        format!("const X = f\"{{{}1}}\"", "(".repeat(100_000)),
        format!("const X = 2{}", format!(" ** {}2", "- ".repeat(20)).repeat(50)),
        format!("fn f(x: int) -> int:\n    {}1", "if x.a: ".repeat(100_000)),
        format!("fn f(x: int) -> int:\n    {}1", "for y in x.a: ".repeat(100_000)),
        format!("fn f(x: int) -> int:\n{}", (0..1_000).map(|i| format!("{}if x > 1:\n", " ".repeat(4 + i))).collect::<String>()),
        format!("event A:\n    a: int{}", "?".repeat(100_000)),
        format!("stream S = A{} as a -> B", " where x > 1".repeat(2_000)),
        // The grammar reads a text up to its quote, though it is a mistake that it goes beyond its line.
        format!("const X = (\n\"\n\"{}", "(".repeat(100_000)),
    ] {
        assert!(errors(&text).iter().any(|d| d.code == Code::TooDeep), "{}", text.get(..60).unwrap_or(&text));
    }
    // What follows is no deeper for it.
    for fine in [
        format!("const X = {}1", "a - b - ".repeat(200)),
        format!("const X = [{}1]", "if a then b else c, ".repeat(500)),
        format!("fn f(x: int) -> int:\n{}    1", "    if x > 1:\n        return 2\n".repeat(500)),
        format!("fn f(x: int) -> int:\n    if x > 0: 1\n{}    else: 1", "    elif x > 1: 2\n".repeat(500)),
        format!("stream S = A{}", " where if x then y else z -> A".repeat(500)),
        format!("const X = {}1{}", "a[".repeat(100), "]".repeat(100)),
        format!("const X = {}1{}", "a[".repeat(100), ":1]".repeat(100)),
        format!("const X = a{}", " + a.if".repeat(400)),
    ] {
        assert!(errors(&fine).is_empty(), "{:?}", errors(&fine));
    }
    let fine = format!("const X = {}1{}", "(".repeat(100), ")".repeat(100));
    assert!(errors(&fine).is_empty());
}

#[test]
fn long_programs_read() {
    let text: String = (0..20_000).map(|i| format!("stream S{i} = Trade\n    .where(price > {i})\n")).collect();
    assert_eq!(reads(&text).items.len(), 20_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[a-z0-9 .:(){}\\[\\]=><\"'#\n+*?-]{0,200}") {
        let _ = parse(&text);
        let _ = print::format(&text);
    }

    #[test]
    fn no_damage_of_a_program_makes_the_parser_panic(at in 0usize..2000, junk in "\\PC{0,3}") {
        let mut text = format!("{DECLARATIONS}{STREAMS}");
        let at = (0..=at.min(text.len())).rev().find(|a| text.is_char_boundary(*a)).unwrap_or(0);
        text.insert_str(at, &junk);
        let _ = parse(&text);
    }

    #[test]
    fn formatting_twice_is_formatting_once(drop in 0usize..30) {
        let text: String = STREAMS.lines().enumerate().filter(|(i, _)| i % 31 != drop).map(|(_, l)| format!("{l}\n")).collect();
        if let Ok(once) = print::format(&text) {
            prop_assert_eq!(print::format(&once).unwrap(), once);
        }
    }
}
