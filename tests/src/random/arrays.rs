//! Random expressions over arrays, tuples, maps and records, made and taken apart again.

use fastrand::Rng;
use varpulis_abi::functions::FunctionRow;
use varpulis_abi::scalar::Scalar;

use super::pick;
use super::trees::{Tree, form, tree as any};

/// Whether a function is one of those that methods and operators of arrays stand for.
pub(super) fn are_in(row: &FunctionRow) -> bool {
    row.result == Scalar::Packed || row.args.contains(&Scalar::Packed) || row.name.starts_with('.')
}

/// Forms of any type: `@` stands for an expression of the type, `#` for an int, `%` for a text. What comes behind `?` may be null.
const FORMS: &[&str] = &[
    "[@, @][1]",
    "[@, @, @][-#]",
    "[@, @][#]",
    "?[@, @].first()",
    "?[@, @].filter(x => x == @).last()",
    "?[@, @, @].filter(x => x != @ or x is null).first()",
    "[@].map(x => @)[0]",
    "[@, @].map(x => [x, @]).flatten()[2]",
    "[@, @].zip([#, #]).map((x, n) => if n > # then x else @)[1]",
    "(@, #)[0]",
    "{x: @, y: [#]}.x",
    "?{\"a\": @, \"b\": @}[%]",
    "[@, @].reverse()[0]",
    "[@, @].sliding_pairs()[0][1]",
    "([@] + [@, @])[2]",
    "[@, @, @][1:][0]",
];
const ORDERED: &[&str] = &["?[@, @].max()", "?[@, @, @].min()", "[@, @, @].sort()[0]", "?[@, @].distinct().sort().last()"];
const INTS: &[&str] = &[
    "[#, #, #].sum()",
    "[#, #].map(x => x * #).sum()",
    "[%, %].len()",
    "(%).split(%).len()",
    "[#, #].count(x => x < #)",
    "[#, #, #].distinct().len()",
    "[%, %][#:#].len()",
];
const BOOLS: &[&str] = &[
    "(# in [#, #].reverse())",
    "([#, #] == [#, #])",
    "([%] != [%])",
    "[#, #].any(x => x < #)",
    "[#, #].all(x => x < #)",
    "(% in %)",
    "[%, %].contains(%)",
    "((#, %) == (#, %))",
];
const TEXTS: &[&str] = &["[%, %].join(%)", "(%).split(%).join(%)", "(%)[#:#]", "(%)[#]"];

/// An expression of the type; `None` if there is no form.
pub(super) fn tree(rng: &mut Rng, ty: Scalar, depth: u32) -> Option<Tree> {
    let mut forms: Vec<&str> = if ty == Scalar::Json { vec![] } else { FORMS.to_vec() };
    match ty {
        Scalar::Int => forms.extend([INTS, ORDERED].concat()),
        Scalar::Bool => forms.extend(BOOLS),
        Scalar::Text => forms.extend([TEXTS, ORDERED].concat()),
        Scalar::Float | Scalar::Decimal | Scalar::Timestamp | Scalar::Duration | Scalar::Enum => forms.extend(ORDERED),
        Scalar::Json | Scalar::Packed | Scalar::Wide => {}
    }
    if forms.is_empty() {
        return None;
    }
    let chosen = pick(rng, &forms);
    let (nullable, text) = chosen.strip_prefix('?').map_or((false, chosen), |text| (true, text));
    let mut parts = vec![];
    for c in text.chars() {
        match c {
            '@' => parts.push(any(rng, ty, depth.min(2))),
            // Most numbers are no places.
            '#' if rng.bool() => parts.push(form(Scalar::Int, pick(rng, &["0", "1", "2", "(-1)", "(-2)", "3"]), vec![])),
            '#' => parts.push(any(rng, Scalar::Int, depth.min(2))),
            '%' => parts.push(any(rng, Scalar::Text, depth.min(2))),
            _ => {}
        }
    }
    let mut made = form(ty, &text.replace(['@', '%'], "#"), parts);
    made.nullable |= nullable;
    Some(made)
}
