use super::{Source, dedent};
use proc_macro2::TokenStream;
use varpulis_compiler::syntax::ast::Span;

fn inline(text: &str) -> Source {
    Source::inline(text.parse::<TokenStream>().unwrap_or_default())
}

/// The text of the token at a place of the program.
fn token(source: &Source, part: &str) -> Option<String> {
    let start = source.text.find(part)?;
    source.token(Span { start: start as u32, end: (start + part.len()) as u32 })?.source_text()
}

#[test]
fn lines_and_columns_survive() {
    let program =
        "event Trade:\n    symbol: str\n    price: float?\nstream Big = Trade\n    .where(price >= 50.0 and symbol != \"x y\")\n    -> Trade[1..=5]\n";
    assert_eq!(inline(program).text, program);
}

#[test]
fn the_first_token_is_the_margin() {
    let indented = "\n\n        event Trade:\n            symbol: str\n        stream A = Trade\n    ";
    assert_eq!(inline(indented).text, "\n\nevent Trade:\n    symbol: str\nstream A = Trade\n");
}

#[test]
fn comments_end_with_their_line() {
    let program = "stream A = Trade # all of them\nstream B = A\n";
    assert_eq!(inline(program).text, program);
    assert_eq!(inline("stream A = Trade // all of them\nstream B = A\n").text, "stream A = Trade\nstream B = A\n");
}

#[test]
fn literals_keep_their_spelling() {
    let program = "const A = [1_000, 50ms, 1e9, 0.5, 1d]\nconst B = @2026-01-23T10:00:00Z\n";
    assert_eq!(inline(program).text, program);
}

#[test]
fn brackets_span_lines() {
    let program = "stream A = Trade.emit(\n    a: f(x,\n         y),\n  )\nstream B = A\n";
    assert_eq!(inline(program).text, program);
}

#[test]
fn places_lead_to_tokens() {
    let source = inline("stream A = Trade\n    .where(prise > 50.0)\n");
    assert_eq!(token(&source, "prise").as_deref(), Some("prise"));
    assert_eq!(token(&source, "50.0").as_deref(), Some("50.0"));
    assert_eq!(token(&source, "(prise > 50.0)").as_deref(), Some("("));
    let end = source.text.len() as u32;
    assert_eq!(source.token(Span { start: end, end }).and_then(|s| s.source_text()).as_deref(), Some(")"));
}

#[test]
fn tokens_without_places_get_spaces() {
    // Tokens of other origin: all of them at the same place.
    let tokens: TokenStream = quote::quote!(stream A = Trade.where(price >= 50.0));
    let text = Source::inline(tokens).text;
    assert_eq!(text.split_whitespace().collect::<String>(), "streamA=Trade.where(price>=50.0)");
    assert!(text.contains("stream A") && text.contains(">="), "{text}");
}

#[test]
fn no_tokens_are_no_text() {
    let source = Source::inline(TokenStream::new());
    assert_eq!(source.text.trim(), "");
    assert!(source.token(Span { start: 0, end: 0 }).is_none());
}

#[test]
fn shared_indentation_goes() {
    assert_eq!(dedent("\n    event A:\n        x: int\n\n    stream B = A\n  "), "\nevent A:\n    x: int\n\nstream B = A\n\n");
    assert_eq!(dedent("stream B = A"), "stream B = A\n");
}

#[test]
fn literals_count_lines_as_the_file_does() {
    let lines = |text: &str| syn::parse_str::<syn::LitStr>(text).map(|l| Source::literal(&l).text).unwrap_or_default();
    assert_eq!(lines("\n\nr\"\n  a\n  b\""), "\n\n\na\nb\n");
    // Here the lines of the text are not those of the file.
    assert_eq!(lines("\n\n\"a\\nb\""), "a\nb\n");
}
