//! Random input for a program's events: ties, nulls, late events, numbers at the limits, lines that are no events.

use fastrand::Rng;

use super::{Field, Program, Type, pick};

/// NDJSON lines.
pub fn input(rng: &mut Rng, program: &Program) -> String {
    let lines = match rng.u8(..10) {
        0 => rng.usize(..3),
        1..=6 => rng.usize(5..60),
        _ => rng.usize(60..200),
    };
    let calm = rng.bool();
    let step = pick(rng, &[3_i64, 50, 700, 4_000]);
    let mut text = String::new();
    let mut ts: i64 = pick(rng, &[0, 1, 59_990, 1_700_000_000_000]);
    for _ in 0..lines {
        ts += match rng.u8(..10) {
            0..=2 => 0,
            9 if !calm => -rng.i64(0..step * 3),
            8 => rng.i64(0..step * 10),
            _ => rng.i64(0..step),
        };
        ts = ts.max(0);
        let event = pick(rng, &program.events);
        match rng.u8(..40) {
            0 => text.push_str("this is no event\n"),
            1 => text.push_str(&format!("{{\"type\":\"Unread\",\"ts\":{ts}}}\n")),
            2 => text.push_str(&format!("{{\"type\":\"{}\"}}\n", event.name)),
            _ => {
                let mut members = vec![format!("\"ts\":{ts}")];
                members.extend(event.fields.iter().filter_map(|f| Some(format!("\"{}\":{}", f.name, value(rng, f)?))));
                spoil(rng, &mut members);
                text.push_str(&format!("{{\"type\":\"{}\",{}}}\n", event.name, members.join(",")));
            }
        }
    }
    text
}

/// Some lines have members in another order, a value that fits no type, a member too few, or are broken.
fn spoil(rng: &mut Rng, members: &mut Vec<String>) {
    if rng.u8(..4) == 0 {
        rng.shuffle(members);
    }
    let place = rng.usize(..members.len());
    let (kind, count) = (rng.u8(..30), members.len());
    let Some(member) = members.get_mut(place) else { return };
    match kind {
        0 | 1 => {
            let key = member.split_once(':').map_or("", |(key, _)| key).to_owned();
            *member = format!("{key}:[1]");
        }
        2 if count > 1 => {
            members.remove(place);
        }
        3 => member.push('}'),
        _ => {}
    }
}

/// A field's value; `None` leaves it out.
pub(super) fn value(rng: &mut Rng, f: &Field) -> Option<String> {
    if f.nullable {
        match rng.u8(..8) {
            0 => return None,
            1 => return Some("null".to_owned()),
            _ => {}
        }
    }
    Some(match f.ty {
        Type::Int if rng.u8(..60) == 0 => pick(rng, &[i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53]).to_string(),
        Type::Int => rng.i64(-3..6).to_string(),
        // Quarters: sums of them are exact in any order.
        Type::Float => (rng.i32(-20..40) as f64 / 4.0).to_string(),
        Type::Decimal => {
            let quarters = f64::from(rng.i32(-20..40)) / 4.0;
            if rng.bool() { format!("{quarters:.2}") } else { format!("\"{quarters}\"") }
        }
        Type::Bool => rng.bool().to_string(),
        Type::Str => format!("\"{}\"", pick(rng, &["", "a", "b", "a", "b", "ab", "Zü", "q\\\"q", "\\u0041"])),
        Type::Timestamp => pick(rng, &[0, 1, 5_000, 60_000, 90_061_001]).to_string(),
        Type::Duration => pick(rng, &[0, 1, 1_500, 2_000, -3]).to_string(),
        Type::Enum => format!("\"{}\"", pick(rng, &["Buy", "Sell", "Hold"])),
    })
}
