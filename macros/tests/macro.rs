//! The macro's three forms, run; and its errors, as users see them.

use varpulis::{Instance, Program as _, varpulis};

varpulis! {
    mod inline;

    event Trade:
        symbol: str
        price: float
        venue: str?
    // The words stay where they are, so that blocks are blocks.
    stream Large = Trade
        .where(price >= 50.0 and symbol != "TEST") # not the tests
        .emit(symbol, twice: price * 2.0)
}

varpulis! {
    mod importing;

    import "limits/readings.vpl"
    event Reading:
        value: float
    stream Hot = Reading.where(value > HOT)
}

varpulis! { mod text; r#"
    event Trade:
        symbol: str
        price: float
    # Each symbol's minute.
    stream Minute = Trade
        .partition_by(symbol)
        .window(1m)
        .aggregate(n: count(), total: sum(price))
"# }

varpulis! { pub(crate) mod file; file "tests/program.vpl" }

/// A crate that has Varpulis under another name.
mod renamed {
    pub(crate) use varpulis as cep;
}

mod inner {
    varpulis::varpulis! { crate = crate::renamed::cep, pub mod program; "stream Large = Trade.where(price > 50.0).emit(price)" }
}

/// What nothing that is in scope around a program may disturb.
mod shadowed {
    #![allow(dead_code, reason = "it only has to be there")]
    pub(crate) struct Option;
    pub(crate) struct Result;
    pub(crate) struct Program;
    varpulis::varpulis! { pub(crate) mod program; "stream Large = Trade.where(price > 50.0).emit(price)" }
}

#[test]
fn inline() {
    let mut rows = vec![];
    let mut out = varpulis::rows(|row: inline::Row<'_>| rows.push(format!("{row:?}")));
    let mut program = inline::Program::new();
    for (ts, symbol, price) in [(0, "A", 50.0), (1, "B", 49.0), (2, "TEST", 90.0), (3, "C", 60.0)] {
        program.push(inline::Trade { ts, symbol, price }, &mut out);
    }
    program.finish(&mut out);
    assert_eq!(rows, ["Large(Large { ts: 0, symbol: \"A\", twice: 100.0 })", "Large(Large { ts: 3, symbol: \"C\", twice: 120.0 })"]);
}

#[test]
fn text() {
    let mut rows = vec![];
    let mut out = varpulis::rows(|row: text::Row<'_>| {
        let text::Row::Minute(minute) = row;
        rows.push((minute.symbol.to_owned(), minute.n, minute.total));
    });
    let mut program = text::Program::new();
    for (second, symbol, price) in [(0, "A", 1.0), (10, "A", 2.0), (70, "B", 4.0)] {
        program.push(text::Trade { ts: second * 1_000_000_000, symbol, price }, &mut out);
    }
    program.finish(&mut out);
    assert_eq!(rows, [("A".to_owned(), 2, 3.0), ("B".to_owned(), 1, 4.0)]);
}

#[test]
fn importing() {
    let mut values = vec![];
    let mut out = varpulis::rows(|row: importing::Row<'_>| {
        let importing::Row::Hot(hot) = row;
        values.push(hot.value);
    });
    let mut program = importing::Program::new();
    for value in [29.0, 31.0] {
        program.push(importing::Reading { ts: 0, value }, &mut out);
    }
    program.finish(&mut out);
    assert_eq!(values, [31.0]);
}

#[test]
fn file() {
    let mut bytes = vec![];
    let mut out = varpulis::rows(|row: file::Row<'_>| varpulis::WriteRecord::write(&row, &mut varpulis::RecordWriter::new(&mut bytes)));
    let mut program = file::Program::new();
    program.push(file::Reading { ts: 5_000_000, sensor: 7, value: 20.0 }, &mut out);
    program.push(file::Reading { ts: 4_000_000, sensor: 7, value: 40.0 }, &mut out);
    program.push(file::Reading { ts: 6_000_000, sensor: 7, value: 40.0 }, &mut out);
    program.finish(&mut out);
    assert_eq!(out.late, 1);
    assert_eq!(String::from_utf8_lossy(&bytes), r#"{"type":"Hot","ts":6,"sensor":7,"value":40.0}"#);
}

/// Types have a lifetime with texts and without: code that names them does not depend on which fields a program has.
#[test]
fn types_without_texts_have_a_lifetime() {
    fn hot<'a>(row: &file::Row<'a>) -> file::Hot<'a> {
        match row {
            file::Row::Hot(hot) => *hot,
        }
    }
    let mut seen = vec![];
    let mut out = varpulis::rows(|row: file::Row<'_>| seen.push((hot(&row).sensor, format!("{row:?}"))));
    let mut program = file::Program::new();
    program.push(file::Event::Reading(file::Reading { ts: 0, sensor: 7, value: 40.0 }), &mut out);
    program.finish(&mut out);
    assert_eq!(seen, [(7, "Hot(Hot { ts: 0, sensor: 7, value: 40.0 })".to_owned())]);
}

#[test]
fn renamed_crate_and_shadowed_names() {
    let mut count = 0;
    let mut out = varpulis::rows(|_: inner::program::Row<'_>| count += 1);
    inner::program::Program::new().push(inner::program::Trade { ts: 0, price: Some(51.0) }, &mut out);
    assert_eq!(count, 1);
    assert_eq!(shadowed::program::Program::NAME, "program");
}

/// Positions in messages are those of the Rust file.
#[test]
fn refusals_name_the_place() {
    varpulis! {
        mod refusing;
        event Pair:
            a: int
            b: int
        stream Ratio = Pair.emit(ratio: a / b)
    }
    let site = refusing::Program::SITES.first().map(|s| (s.file.rsplit(['/', '\\']).next().unwrap_or_default(), s.line, &*s.text));
    assert_eq!(site, Some(("macro.rs", line!() - 3, "a / b")));
}

#[test]
fn errors() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass_*.rs");
    cases.compile_fail("tests/ui/fail_*.rs");
}
