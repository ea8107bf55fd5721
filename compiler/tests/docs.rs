//! The pages of `docs` that are made from the compiler's tables. `UPDATE_EXPECT=1` writes them; without it, a page that is not fresh fails.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write;
use std::path::Path;

use varpulis_abi::functions::{FUNCTIONS, FunctionRow};
use varpulis_abi::scalar::Scalar;
use varpulis_compiler::analysis::builtins::BUILTINS;
use varpulis_compiler::analysis::methods::METHODS;
use varpulis_compiler::analysis::types::{Kind, Type};
use varpulis_compiler::diagnostics::{Code, Level};
use varpulis_compiler::functions::aggregates::{Aggregate, Argument};
use varpulis_compiler::operators::{CATALOGUE, Entry, Order};

#[track_caller]
fn check(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(path, text).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "docs/{page} is not fresh. Run: UPDATE_EXPECT=1 cargo test -p varpulis-compiler --test docs");
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn operators() {
    let mut page = String::from(
        "# Operators\n\nMade from the operator catalogue, `compiler/src/operators`.\n\n\
         *Order* says whether an operator needs its records by `ts`: where events may be late, a reorder buffer stands in front. *Keeps* is the memory \
         that it needs; `varpulis explain --memory` has the figures of a program.\n",
    );
    for entry in CATALOGUE.iter().filter(|e| e.analyze.is_some()) {
        operator(entry, &mut page);
    }
    page.push_str("\n## Later\n\nThese are read, and refused with E0702.\n\n| operator | arguments | |\n| --- | --- | --- |\n");
    for entry in CATALOGUE.iter().filter(|e| e.analyze.is_none()) {
        writeln!(page, "| `.{}` | `{}` | {} |", entry.name, cell(entry.arguments), cell(entry.title)).unwrap();
    }
    check("operators.md", &page);
}

fn operator(entry: &Entry, page: &mut String) {
    let order = match entry.order {
        Order::Any => "any",
        Order::Time => "by `ts`",
    };
    let keeps = if entry.memory.is_empty() { "nothing" } else { entry.memory };
    let forms: Vec<String> =
        entry.arguments.split(" · ").map(|f| if f.starts_with('(') { format!("`.{}{f}`", entry.name) } else { format!("`{f}`") }).collect();
    writeln!(page, "\n## .{}\n\n{}\n\n{} {}\n", entry.name, forms.join(" · "), entry.title, entry.doc).unwrap();
    writeln!(page, "Order: {order}. Keeps: {keeps}.\n\n```vpl\n{}\n```", entry.example).unwrap();
}

/// The language's name of a type.
fn scalar(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Int => "int",
        Scalar::Float => "float",
        Scalar::Decimal => "decimal",
        Scalar::Bool => "bool",
        Scalar::Text => "str",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Wide => "a sum",
        Scalar::Enum => "enum",
        Scalar::Json => "any",
        // Of what is called by name.
        Scalar::Packed => "[str]",
    }
}

#[test]
fn functions() {
    let mut page = String::from(
        "# Functions\n\nMade from the list of functions, `runtime/abi/src/functions.rs`. `x.upper()` is `upper(x)`. A function of null is null. \
         What is marked *may refuse* can be an evaluation error. An `int` is taken where a `float` stands.\n",
    );
    let is_named = |f: &&FunctionRow| f.name.starts_with(|c: char| c.is_ascii_alphabetic());
    page.push_str("\n## By name\n\n| function | result | | |\n| --- | --- | --- | --- |\n");
    let mut named: Vec<&FunctionRow> = FUNCTIONS.iter().filter(is_named).collect();
    named.sort_by_key(|f| f.name);
    for f in named {
        let arguments: Vec<&str> = f.args.iter().map(|a| scalar(*a)).collect();
        row(&format!("{}({})", f.name, arguments.join(", ")), f, &mut page);
    }
    page.push_str("| `str(enum)` | `str` | The variant's name. | |\n| `float(int)` | `float` | The same number. | |\n| `now()` | `timestamp` | The time of the current event. | |\n");
    for b in BUILTINS {
        let result = if b.result.starts_with("that") { b.result.to_owned() } else { format!("`{}`", b.result) };
        writeln!(page, "| `{}{}` | {result} | {} | |", b.name, b.arguments, cell(b.doc)).unwrap();
    }
    page.push_str("\n## Operators\n\nThose that are more than one instruction.\n\n| operator | result | | |\n| --- | --- | --- | --- |\n");
    for f in FUNCTIONS.iter().filter(|f| !is_named(f) && !f.name.starts_with('.')) {
        let arguments: Vec<&str> = f.args.iter().map(|a| scalar(*a)).collect();
        row(&arguments.join(&format!(" {} ", f.name)), f, &mut page);
    }
    page.push_str("\n## Methods of arrays and maps\n\nOf what is null they are null, too.\n\n| method | |\n| --- | --- |\n");
    for m in METHODS {
        writeln!(page, "| `.{}{}` | {} |", m.name, m.arguments.replace(" or ", "` or `"), cell(m.doc)).unwrap();
    }
    check("functions.md", &page);
}

fn row(form: &str, f: &FunctionRow, page: &mut String) {
    let refuses = if f.fallible { "may refuse" } else { "" };
    writeln!(page, "| `{}` | `{}` | {} | {refuses} |", cell(form), scalar(f.result), cell(f.doc)).unwrap();
}

#[test]
fn aggregates() {
    let mut page = String::from(
        "# Aggregates\n\nMade from the list of aggregates, `compiler/src/functions/aggregates.rs`. Every one takes `where:`. Nulls are skipped. \
         Over nothing, `count` and `sum` are 0, an array is empty, and any other result is null: its type is optional only where an argument is optional or a `where:` stands.\n\n\
         | aggregate | result | |\n| --- | --- | --- |\n",
    );
    for a in Aggregate::ALL {
        writeln!(page, "| `{}` | {} | {} |", form(*a), result(*a), cell(a.doc())).unwrap();
    }
    page.push_str("\n`count(distinct(x))` is `count_distinct(x)`.\n");
    check("aggregates.md", &page);
}

fn form(aggregate: Aggregate) -> String {
    let arguments = match (aggregate, aggregate.argument()) {
        (_, Argument::Optional) => "[x]",
        (Aggregate::Percentile | Aggregate::ApproxPercentile, _) => "number, p",
        (_, Argument::OrderedAndConstant) => "x, k",
        (_, Argument::NumberAndConstant) => "number, n",
        (_, Argument::Number) => "number",
        (_, Argument::Condition) => "p",
        (_, Argument::ValueAndOrdered) => "x, by",
        (_, Argument::TwoNumbers) => "number, number",
        (_, Argument::Ordered | Argument::Value) => "x",
    };
    format!("{}({arguments})", aggregate.name())
}

/// The type for an `int` argument; that of the argument where it follows it.
fn result(aggregate: Aggregate) -> String {
    let of = |t: Type| aggregate.result(Some(&t), false);
    let (int, text) = (of(Type::INT), of(Type::STR));
    match aggregate.argument() {
        Argument::Value | Argument::Ordered | Argument::ValueAndOrdered if int == Type::INT && text == Type::STR => "that of x".to_owned(),
        Argument::Value | Argument::OrderedAndConstant if matches!(int.kind, Kind::Array(_)) => "an array of x".to_owned(),
        Argument::Number if of(Type::INT) != of(Type::FLOAT) => format!("`{int}` of int, `{}` of float", of(Type::FLOAT)),
        _ => format!("`{int}`"),
    }
}

#[test]
fn diagnostics() {
    let mut page = String::from(
        "# Diagnostics\n\nMade from the table of codes, `compiler/src/diagnostics/codes.rs`. `varpulis explain E0203` prints one. A program with an error is \
         refused; a program with warnings and notes runs.\n",
    );
    for (level, title) in [(Level::Error, "Errors"), (Level::Warning, "Warnings"), (Level::Note, "Notes")] {
        write!(page, "\n## {title}\n\n| code | | |\n| --- | --- | --- |\n").unwrap();
        for code in Code::ALL.iter().filter(|c| c.level() == level) {
            writeln!(page, "| {} | {} | {} |", code.text(), cell(code.title()), cell(code.explanation())).unwrap();
        }
    }
    check("diagnostics.md", &page);
}
