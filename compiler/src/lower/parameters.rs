//! The default of a parameter as text that sets it: as a user writes one; values made of others are JSON.

use varpulis_abi::number::decimal_text;
use varpulis_abi::packed::{Cell, Packed};

use crate::analysis::typed::Literal;
use crate::analysis::types::{Kind, Type};
use crate::plan::print::duration;

/// The text of a constant of the type.
pub(super) fn text(value: &Literal, ty: &Type) -> String {
    match value {
        Literal::Null => "null".to_owned(),
        Literal::Str(packed) if ty.is_packed() => json(&Cell::Packed(packed), ty),
        Literal::Str(text) => text.clone(),
        Literal::Duration(ns) => duration(*ns),
        Literal::Timestamp(ns) => timestamp(*ns),
        Literal::Enum(variant) => variant_name(*variant, ty),
        Literal::Decimal(v) => decimal_text(*v, ty.decimal().1),
        other => other.to_string(),
    }
}

fn timestamp(ns: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |t| t.to_string())
}

fn variant_name(variant: u32, ty: &Type) -> String {
    let name = if let Kind::Enum(e) = &ty.kind { e.variants.get(variant as usize).cloned() } else { None };
    name.unwrap_or_else(|| variant.to_string())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A value as JSON.
fn json(cell: &Cell<'_>, ty: &Type) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Int(v) => v.to_string(),
        Cell::Float(v) => Literal::Float(*v).to_string(),
        Cell::Bool(v) => v.to_string(),
        Cell::Decimal(v) => decimal_text(*v, ty.decimal().1),
        Cell::Timestamp(ns) => quoted(&timestamp(*ns)),
        // In milliseconds, as in the input.
        Cell::Duration(ns) if ns % 1_000_000 == 0 => (ns / 1_000_000).to_string(),
        Cell::Duration(ns) => decimal_text(i128::from(*ns), 6),
        Cell::Enum(variant) => quoted(&variant_name(*variant, ty)),
        Cell::Text(text) => quoted(text),
        Cell::Json(text) => (*text).to_owned(),
        Cell::Packed(text) => parts(text, ty),
    }
}

fn parts(packed: &str, ty: &Type) -> String {
    let cells: Vec<Cell<'_>> = Packed(packed).cells().collect();
    let types = ty.parts();
    match &ty.kind {
        Kind::Array(element) => format!("[{}]", cells.iter().map(|cell| json(cell, element)).collect::<Vec<_>>().join(", ")),
        Kind::Record(record) => {
            let fields = cells.iter().zip(&record.fields).map(|(cell, (name, ty))| format!("{}: {}", quoted(name), json(cell, ty)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Kind::Map(key_type, value_type) => {
            let entries = cells.chunks_exact(2).filter_map(|entry| {
                let [key, value] = entry else { return None };
                let key = json(key, key_type);
                let key = if key.starts_with('"') { key } else { quoted(&key) };
                Some(format!("{key}: {}", json(value, value_type)))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => format!("[{}]", cells.iter().zip(types).map(|(cell, ty)| json(cell, ty)).collect::<Vec<_>>().join(", ")),
    }
}
