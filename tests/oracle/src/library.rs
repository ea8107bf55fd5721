//! The rest of the functions: those that look something up, and may find nothing.

use crate::expression::Refused;
use crate::functions::{self, civil};
use crate::value::Value::{self, Array, Float, Int, Json, Str, Timestamp};

const CONVERSION: Refused = "conversion failed";
const DAY: i64 = 86_400_000_000_000;

/// A function over values that are not null.
pub(crate) fn call(body: &str, args: &[Value]) -> Result<Value, Refused> {
    Ok(match (body, args) {
        ("truncate_time", [Timestamp(_), Value::Duration(d)]) if *d <= 0 => return Err("out of range"),
        ("truncate_time", [Timestamp(t), Value::Duration(d)]) => Timestamp(t.div_euclid(*d).checked_mul(*d).ok_or("integer overflow")?),
        ("format_time", [Timestamp(t), Str(format)]) => Str(format_time(*t, format)?),
        ("parse_time", [Str(text), Str(format)]) => Timestamp(parse_time(text, format).ok_or(CONVERSION)?),
        ("regex_match", [Str(text), Str(pattern)]) => Value::Bool(regex_lite::Regex::new(pattern).map_err(|_| CONVERSION)?.is_match(text)),
        ("regex_group", [Str(text), Str(pattern), Int(group)]) => {
            let regex = regex_lite::Regex::new(pattern).map_err(|_| CONVERSION)?;
            let found = regex.captures(text).and_then(|c| c.get(usize::try_from(*group).ok()?).map(|found| Str(found.as_str().to_owned())));
            Array(found.into_iter().collect())
        }
        ("hash_of_text", [Str(text)]) => Int(fnv(text.as_bytes())),
        ("hash_of_int", [Int(v)]) => Int(fnv(&v.to_le_bytes())),
        ("hash_of_float", [Float(v)]) if v.is_nan() => Int(fnv(&[0xff; 8])),
        ("hash_of_float", [Float(v)]) => Int(fnv(&(v + 0.0).to_bits().to_le_bytes())),
        ("json_get", [Json(json), Str(path)]) => Array(get(json, path).filter(|v| !v.is_null()).map(|v| Json(v.clone())).into_iter().collect()),
        (body, args) if body.starts_with("try_") => Array(functions::call(body.trim_start_matches("try_"), args).into_iter().collect()),
        (body, args) => panic!("the oracle does not know `{body}` of {args:?}"),
    })
}

fn fnv(bytes: &[u8]) -> i64 {
    let mut hash = 14_695_981_039_346_656_037_u64;
    for byte in bytes {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(1_099_511_628_211);
    }
    hash as i64
}

/// The directives that cases use.
fn format_time(t: i64, format: &str) -> Result<String, Refused> {
    let ((year, month, day), second) = (civil(t.div_euclid(DAY)), t.rem_euclid(DAY) / 1_000_000_000);
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        text.push_str(&match characters.next().ok_or(CONVERSION)? {
            'Y' => format!("{year:04}"),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'H' => format!("{:02}", second / 3600),
            'M' => format!("{:02}", second / 60 % 60),
            'S' => format!("{:02}", second % 60),
            _ => return Err(CONVERSION),
        });
    }
    Ok(text)
}

fn parse_time(text: &str, format: &str) -> Option<i64> {
    let (mut date, mut time) = ([1970, 1, 1], [0, 0, 0]);
    let mut rest = text;
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let (length, slot) = match characters.next()? {
            'Y' => (4, &mut date[0]),
            'm' => (2, &mut date[1]),
            'd' => (2, &mut date[2]),
            'H' => (2, &mut time[0]),
            'M' => (2, &mut time[1]),
            'S' => (2, &mut time[2]),
            _ => return None,
        };
        *slot = rest.get(..length)?.parse::<i64>().ok()?;
        rest = &rest[length..];
    }
    let day = (-200_000..200_000).find(|day| {
        let (y, m, d) = civil(*day);
        [y, m, d] == date
    })?;
    (rest.is_empty() && time[0] < 24 && time[1] < 60 && time[2] < 60).then(|| day * DAY + (time[0] * 3600 + time[1] * 60 + time[2]) * 1_000_000_000)
}

fn get<'j>(mut json: &'j serde_json::Value, path: &str) -> Option<&'j serde_json::Value> {
    for part in path.replace('[', ".[").split('.').filter(|part| !part.is_empty()) {
        json = match part.strip_prefix('[') {
            Some(index) => json.as_array()?.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?,
            None => json.as_object()?.get(part)?,
        };
    }
    (!path.is_empty()).then_some(json)
}
