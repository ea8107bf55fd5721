//! Diagnostics on a terminal: the same wherever they stand in a program, and in time that grows with their number only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use varpulis_compiler::compile;
use varpulis_compiler::diagnostics::{Code, Diagnostic, render};
use varpulis_compiler::sources::Sources;
use varpulis_compiler::syntax::ast::Span;

/// A program with a mistake that has labels, a note and a fix, its first line at that one of the text.
fn mistakes(line: usize) -> String {
    let text = format!(
        "{}event Trade:\n    price: float\n    symbol: str\nevent Trade:\n    price: float\nstream S = Trade.where(pirce > 1.0)\nstream T = Trade\n    .where(symbol > 1)\n",
        "\n".repeat(line - 1)
    );
    render(&compile(&text).diagnostics, &Sources::new("test.vpl", &text), false)
}

#[test]
fn a_diagnostic_looks_the_same_wherever_it_stands() {
    insta::assert_snapshot!("the_third_line", mistakes(3));
    insta::assert_snapshot!("the_forty_thousandth_line", mistakes(40_000));
}

#[test]
fn diagnostics_without_end_are_cut_and_errors_go_first() {
    let text = "a\n".repeat(30_000);
    let at = |line: usize| Span::new(line * 2, line * 2 + 1);
    let mut all: Vec<Diagnostic> = (0..29_999).map(|i| Diagnostic::new(Code::UnusedDeclaration, at(i), format!("number {i}"))).collect();
    all.push(Diagnostic::new(Code::UnknownName, at(29_999), "the error"));
    let shown = render(&all, &Sources::new("test.vpl", &text), false);
    assert_eq!(shown.matches("number ").count(), 9_999);
    assert!(shown.contains("the error") && shown.ends_with("20000 more messages are left out\n\n"));
    let few = render(all.get(20_000..).unwrap(), &Sources::new("test.vpl", &text), false);
    assert_eq!(few.matches("number ").count(), 9_999);
    assert!(!few.contains("left out"));
}
