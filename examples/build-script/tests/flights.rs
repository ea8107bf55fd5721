//! A flight program through the build script: a week of events gives exactly the rows that the command gives.

#[path = "../../../macros/tests/week/mod.rs"]
mod week;

use varpulis::Instance;
use week::{Event, MILLISECOND, append, check, events};

varpulis::include!(overdue);

#[test]
fn overdue_flights() {
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
