//! The three flight programs through the macro: a week of events pushed as structs gives exactly the rows that the command gives.

mod week;

use varpulis::{Instance, varpulis};
use week::{Event, MILLISECOND, append, check, events};

varpulis! { mod cascade; file "../tests/cases/flights/cascade/program.vpl" }
varpulis! { mod hourly; file "../tests/cases/flights/hourly/program.vpl" }
varpulis! { mod overdue; file "../tests/cases/flights/overdue/program.vpl" }

#[test]
fn cascade() {
    let mut lines = vec![];
    let mut out = varpulis::rows(|row: cascade::Row<'_>| append(&row, &mut lines));
    let mut program = cascade::Program::new();
    for event in &events() {
        if let Event::Departure { ts, tailnum, dest, delay, .. } = event {
            program.push(cascade::Departure { ts: ts * MILLISECOND, tailnum: tailnum.as_deref(), dest, delay: *delay }, &mut out);
        }
    }
    program.finish(&mut out);
    assert_eq!((out.errors, out.late), (0, 0));
    check("cascade", &lines);
}

#[test]
fn hourly() {
    let mut lines = vec![];
    let mut out = varpulis::rows(|row: hourly::Row<'_>| append(&row, &mut lines));
    let mut program = hourly::Program::new();
    for event in &events() {
        if let Event::Departure { ts, carrier, origin, delay, .. } = event {
            program.push(hourly::Departure { ts: ts * MILLISECOND, carrier, origin, delay: *delay }, &mut out);
        }
    }
    program.finish(&mut out);
    assert_eq!((out.errors, out.late), (0, 0));
    check("hourly", &lines);
}

#[test]
fn overdue() {
    let mut lines = vec![];
    let mut out = varpulis::rows(|row: overdue::Row<'_>| append(&row, &mut lines));
    let mut program = overdue::Program::new();
    for event in &events() {
        match event {
            Event::Departure { ts, carrier, flight, tailnum, dest, .. } => {
                program.push(overdue::Departure { ts: ts * MILLISECOND, tailnum: tailnum.as_deref(), flight: *flight, carrier, dest }, &mut out);
            }
            Event::Arrival { ts, carrier, flight, tailnum } => {
                program.push(overdue::Arrival { ts: ts * MILLISECOND, tailnum: tailnum.as_deref(), flight: *flight, carrier }, &mut out);
            }
            Event::Weather {} | Event::Cancelled {} => {}
        }
    }
    program.finish(&mut out);
    assert_eq!((out.errors, out.late), (0, 0));
    check("overdue", &lines);
}
