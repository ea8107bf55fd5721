//! Random expressions as trees, from everything that an expression may say: each operator and run-time function of the shared list, on operands
//! at the limits of their types. A tree that shows a difference can be made smaller.

use fastrand::Rng;
use varpulis_abi::functions::{FUNCTIONS, FunctionRow};
use varpulis_abi::scalar::Scalar;

use super::{arrays, pick};

/// A function of statements that holds values of a type: it turns two around, in a loop that is left in every way.
macro_rules! turning {
    ($name:literal, $ty:literal) => {
        concat!(
            "fn turn_",
            $name,
            "(a: ",
            $ty,
            "?, b: ",
            $ty,
            "?, c: bool?, n: int?) -> ",
            $ty,
            "?:
    var x = a
    var y: ",
            $ty,
            "? = b
    var i = 0
    while i < (n ?? 3) % 5:
        i := i + 1
        if c:
            let z = x
            x := y
            y := z
        elif x is null:
            return y
        if i == 2:
            continue
        if y == a:
            break
    match c:
        true => x
        null => y
        _:
            if i > 0:
                y := x ?? b
            y
"
        )
    };
}

/// The declarations that such expressions read: a field of every type, and one that may be null.
pub const DECLARATIONS: &str = concat!(
    "enum Side: Buy, Sell, Hold
event E:
    i: int
    j: int?
    f: float
    g: float?
    b: bool
    c: bool?
    s: str
    t: str?
    u: timestamp
    v: timestamp?
    d: duration
    e: duration?
    k: Side
    l: Side?
    a: any
    m: decimal(14, 3)
    o: decimal(14, 3)?
",
    turning!("int", "int"),
    turning!("float", "float"),
    turning!("bool", "bool"),
    turning!("str", "str"),
    turning!("timestamp", "timestamp"),
    turning!("duration", "duration"),
    turning!("side", "Side"),
    turning!("any", "any"),
    turning!("decimal", "decimal(14, 3)"),
);

/// The fields, in the order of their declaration: name, type, and whether it may be null.
pub const FIELDS: &[(&str, Scalar, bool)] = &[
    ("i", Scalar::Int, false),
    ("j", Scalar::Int, true),
    ("f", Scalar::Float, false),
    ("g", Scalar::Float, true),
    ("b", Scalar::Bool, false),
    ("c", Scalar::Bool, true),
    ("s", Scalar::Text, false),
    ("t", Scalar::Text, true),
    ("u", Scalar::Timestamp, false),
    ("v", Scalar::Timestamp, true),
    ("d", Scalar::Duration, false),
    ("e", Scalar::Duration, true),
    ("k", Scalar::Enum, false),
    ("l", Scalar::Enum, true),
    ("a", Scalar::Json, true),
    ("m", Scalar::Decimal, false),
    ("o", Scalar::Decimal, true),
];

/// The types that an expression may have.
const TYPES: &[Scalar] = &[
    Scalar::Int,
    Scalar::Float,
    Scalar::Bool,
    Scalar::Text,
    Scalar::Timestamp,
    Scalar::Duration,
    Scalar::Enum,
    Scalar::Json,
    Scalar::Decimal,
    Scalar::Float,
    Scalar::Int,
];

/// An expression: its text is the pieces with the parts between them.
#[derive(Clone, Debug)]
pub struct Tree {
    ty: Scalar,
    pub(super) nullable: bool,
    pieces: Vec<String>,
    parts: Vec<Tree>,
}

impl Tree {
    /// A random stream of one field, some of them behind a condition. It is of no type that an expression has.
    pub fn random(rng: &mut Rng) -> Self {
        let (ty, depth) = (pick(rng, TYPES), rng.u32(1..=6));
        let value = tree(rng, ty, depth);
        match rng.u8(..6) {
            0 => form(Scalar::Wide, "E.where(#).emit(v: #)", vec![condition(rng, depth / 2), value]),
            _ => form(Scalar::Wide, "E.emit(v: #)", vec![value]),
        }
    }

    /// As it stands in a program.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut parts = self.parts.iter();
        for piece in &self.pieces {
            text.push_str(piece);
            if let Some(part) = parts.next() {
                text.push_str(&part.text());
            }
        }
        text
    }

    /// How many operators, fields and constants it has.
    pub fn size(&self) -> usize {
        1 + self.parts.iter().map(Tree::size).sum::<usize>()
    }

    /// Smaller ones of the same type: some node gives way to a part of it, or to a field or a constant, and a stream loses its condition. The
    /// smallest come first.
    pub fn smaller(&self) -> Vec<Tree> {
        let mut found: Vec<Tree> =
            if self.ty == Scalar::Wide { self.parts.iter().map(|part| form(self.ty, "E.emit(v: #)", vec![part.clone()])).collect() } else { self.leaves() };
        found.extend(self.parts.iter().flat_map(|part| part.of_type(self.ty)));
        for (at, part) in self.parts.iter().enumerate() {
            for smaller in part.smaller() {
                let mut whole = self.clone();
                if let Some(place) = whole.parts.get_mut(at) {
                    *place = smaller;
                }
                found.push(whole);
            }
        }
        found.retain(|t| t.size() < self.size());
        found.sort_by_key(Tree::size);
        found
    }

    fn of_type(&self, ty: Scalar) -> Vec<Tree> {
        let own = (self.ty == ty).then(|| self.clone());
        own.into_iter().chain(self.parts.iter().flat_map(|part| part.of_type(ty))).collect()
    }

    fn leaves(&self) -> Vec<Tree> {
        let fields = FIELDS.iter().filter(|(_, ty, _)| *ty == self.ty).map(|(name, ty, nullable)| leaf(*ty, *nullable, name));
        let constants = constants(self.ty).iter().map(|text| leaf(self.ty, false, text));
        fields.chain(constants).collect()
    }
}

fn leaf(ty: Scalar, nullable: bool, text: &str) -> Tree {
    Tree { ty, nullable, pieces: vec![text.to_owned()], parts: vec![] }
}

/// A form with a part at every `#`; null if a part is.
pub(super) fn form(ty: Scalar, text: &str, parts: Vec<Tree>) -> Tree {
    let nullable = parts.iter().any(|part| part.nullable);
    Tree { ty, nullable, pieces: text.split('#').map(str::to_owned).collect(), parts }
}

/// Constants of a type, as a program has them.
fn constants(ty: Scalar) -> &'static [&'static str] {
    match ty {
        Scalar::Int => &["0", "1", "(-1)", "2", "3", "7", "10", "62", "63", "64", "4294967296", "9223372036854775807", "(-9223372036854775808)"],
        Scalar::Float => {
            &["0.0", "(-0.0)", "1.0", "(-1.0)", "0.5", "2.5", "0.1", "1e15", "9007199254740993.0", "9223372036854775807.0", "1e308", "(-1e308)", "5e-324"]
        }
        Scalar::Bool => &["true", "false"],
        Scalar::Text => &[r#""""#, r#""a""#, r#"" ""#, r#""é""#, r#""日本語""#, r#""12""#, r#""1e3""#, r#""true""#, r#""nan""#, r#""2026-01-23T10:00:00Z""#],
        Scalar::Timestamp => {
            &["@1970-01-01", "@2026-01-23T10:00:00Z", "@1969-12-31T23:59:59.999999999Z", "@2262-04-11T23:47:16.854775807Z", "@1677-09-21T00:12:44Z", "now()"]
        }
        Scalar::Duration => &["0s", "1ns", "(-1ns)", "1500ms", "1h30m", "1d", "106751d"],
        Scalar::Enum => &["Side.Buy", "Side.Sell", "Side.Hold"],
        Scalar::Decimal => &[
            "decimal(0, 14, 3)",
            "decimal(1.5, 14, 3)",
            "decimal(\"-0.005\", 14, 3)",
            "decimal(99999999999.999, 14, 3)",
            "decimal(-99999999999.999, 14, 3)",
            "decimal(0.001, 14, 3)",
        ],
        Scalar::Json | Scalar::Packed | Scalar::Wide => &[],
    }
}

pub(super) fn tree(rng: &mut Rng, ty: Scalar, depth: u32) -> Tree {
    if depth == 0 || rng.u8(..8) == 0 {
        return end(rng, ty);
    }
    let depth = depth - 1;
    match rng.u8(..16) {
        14 | 15 => {
            if let Some(found) = arrays::tree(rng, ty, depth) {
                return found;
            }
        }
        13 => return turned(rng, ty, depth),
        0 => {
            let parts = vec![tree(rng, Scalar::Bool, depth), tree(rng, ty, depth), tree(rng, ty, depth)];
            let nullable = parts.iter().skip(1).any(|part| part.nullable);
            return Tree { nullable, ..form(ty, "(if # then # else #)", parts) };
        }
        1 => {
            let (left, right) = (tree(rng, ty, depth), tree(rng, ty, depth));
            // What is never null needs no other value.
            if left.nullable {
                let nullable = right.nullable;
                return Tree { nullable, ..form(ty, "(# ?? #)", vec![left, right]) };
            }
        }
        2..=6 => {
            let rows: Vec<&FunctionRow> = FUNCTIONS.iter().filter(|row| row.result == ty && !arrays::are_in(row) && !has_decimals(row)).collect();
            if let Some(row) = rng.choice(rows) {
                return call(rng, row, depth);
            }
        }
        _ => {}
    }
    operation(rng, ty, depth)
}

/// Functions of decimals have no names: the compiler chooses them by the types.
fn has_decimals(row: &FunctionRow) -> bool {
    row.result == Scalar::Decimal || row.args.contains(&Scalar::Decimal)
}

/// A call of a function of statements.
fn turned(rng: &mut Rng, ty: Scalar, depth: u32) -> Tree {
    let name = match ty {
        Scalar::Int => "int",
        Scalar::Float => "float",
        Scalar::Bool => "bool",
        Scalar::Text => "str",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Enum => "side",
        Scalar::Json => "any",
        Scalar::Decimal => "decimal",
        Scalar::Packed | Scalar::Wide => return end(rng, ty),
    };
    let parts = [ty, ty, Scalar::Bool, Scalar::Int].map(|of| tree(rng, of, depth));
    Tree { nullable: true, ..form(ty, &format!("turn_{name}(#, #, #, #)"), parts.into()) }
}

fn end(rng: &mut Rng, ty: Scalar) -> Tree {
    let fields: Vec<_> = FIELDS.iter().filter(|(_, of, _)| *of == ty).collect();
    let constants = constants(ty);
    match rng.choice(fields) {
        Some((name, ty, nullable)) if constants.is_empty() || rng.u8(..3) > 0 => leaf(*ty, *nullable, name),
        _ => leaf(ty, false, pick(rng, constants)),
    }
}

fn call(rng: &mut Rng, row: &FunctionRow, depth: u32) -> Tree {
    let arg = |rng: &mut Rng, at: usize, ty: Scalar| match (row.body, at) {
        // Nested replacements would make texts that no memory holds.
        ("replace", 1..) => end(rng, ty),
        // Most numbers of decimals and most shifts would be out of range.
        ("round_to" | "text_fixed" | "shift_left" | "shift_right" | "substring", 1..) if rng.bool() => {
            leaf(ty, false, pick(rng, &["0", "1", "2", "5", "(-1)", "63"]))
        }
        // Most texts and numbers do not convert.
        ("int_of_text", _) if rng.u8(..3) > 0 => form(ty, "str(#)", vec![tree(rng, Scalar::Int, depth)]),
        ("float_of_text", _) if rng.u8(..3) > 0 => form(ty, "str(#)", vec![tree(rng, Scalar::Float, depth)]),
        ("bool_of_text", _) if rng.u8(..3) > 0 => form(ty, "str(#)", vec![tree(rng, Scalar::Bool, depth)]),
        ("timestamp_of_text", _) if rng.u8(..3) > 0 => form(ty, "str(#)", vec![tree(rng, Scalar::Timestamp, depth)]),
        ("timestamp_of_millis", _) if rng.bool() => form(ty, "millis(#)", vec![tree(rng, Scalar::Timestamp, depth)]),
        _ => tree(rng, ty, depth),
    };
    let parts: Vec<Tree> = row.args.iter().enumerate().map(|(at, ty)| arg(rng, at, *ty)).collect();
    let text = match (row.name, row.args.len()) {
        ("concat", _) if rng.bool() => "(# + #)".to_owned(),
        (name, count) if name.starts_with(char::is_alphabetic) && rng.u8(..6) == 0 && count > 0 => format!("#.{name}({})", vec!["#"; count - 1].join(", ")),
        (name, count) if name.starts_with(char::is_alphabetic) => format!("{name}({})", vec!["#"; count].join(", ")),
        (operator, _) => format!("(# {operator} #)"),
    };
    // A receiver must not begin with a sign or a digit.
    let text = if text.starts_with("#.") { format!("(#){}", text.split_at(1).1) } else { text };
    form(row.result, &text, parts)
}

fn operation(rng: &mut Rng, ty: Scalar, depth: u32) -> Tree {
    let of = |rng: &mut Rng, ty: Scalar| tree(rng, ty, depth);
    let two = |rng: &mut Rng, ty: Scalar, operators: &[&str]| {
        let operator = pick(rng, operators);
        form(ty, &format!("(# {operator} #)"), vec![tree(rng, ty, depth), tree(rng, ty, depth)])
    };
    let mixed = |rng: &mut Rng, text: &str, ty: Scalar, parts: [Scalar; 2]| form(ty, text, parts.iter().map(|part| tree(rng, *part, depth)).collect());
    match (ty, rng.u8(..8)) {
        (Scalar::Int, 0) => form(ty, "(-#)", vec![of(rng, ty)]),
        (Scalar::Int, 1) => form(ty, "(~#)", vec![of(rng, ty)]),
        (Scalar::Int, 2) => {
            let function = pick(rng, &["int(#)", "sign(#)", "int(round(#))", "int(floor(#))", "int(ceil(#))"]);
            form(ty, function, vec![of(rng, Scalar::Decimal)])
        }
        (Scalar::Int, _) => two(rng, ty, &["+", "-", "*", "&", "|", "^"]),
        (Scalar::Float, 0) => form(ty, "(-#)", vec![of(rng, ty)]),
        (Scalar::Float, 1) => form(ty, "float(#)", vec![of(rng, Scalar::Int)]),
        (Scalar::Float, 2) => mixed(rng, "(# / #)", ty, [Scalar::Duration, Scalar::Duration]),
        (Scalar::Float, 3) => mixed(rng, "(# * #)", ty, [Scalar::Int, Scalar::Float]),
        (Scalar::Float, 5) => form(ty, "float(#)", vec![of(rng, Scalar::Decimal)]),
        (Scalar::Float, 4) => mixed(rng, "(# - #)", ty, [Scalar::Float, Scalar::Int]),
        (Scalar::Float, _) => two(rng, ty, &["+", "-", "*", "/"]),
        (Scalar::Bool, _) => condition(rng, depth),
        (Scalar::Text, 0) => form(ty, "str(#)", vec![of(rng, Scalar::Enum)]),
        (Scalar::Text, 1) => {
            let of = pick(rng, TYPES);
            let field = rng.choice(FIELDS.iter().filter(|(_, ty, _)| *ty == of).collect::<Vec<_>>()).map_or("i", |(name, ..)| name);
            leaf(ty, false, &format!("f\"<{{{field}}}>\""))
        }
        (Scalar::Text, 2 | 3) => {
            let function = pick(rng, &["str(#)", "str(# * 0.1)", "fixed(#, 1)"]);
            form(ty, function, vec![of(rng, Scalar::Decimal)])
        }
        (Scalar::Text, 4) => {
            let text = pick(rng, &["str([#, #])", "str((#, 1, #))", "str({a: #, b: #, c: true})"]);
            let of = pick(rng, TYPES);
            Tree { nullable: false, ..mixed(rng, text, ty, [of, of]) }
        }
        (Scalar::Text, _) => two(rng, ty, &["+"]),
        (Scalar::Timestamp, 0..=2) => mixed(rng, "(# + #)", ty, [Scalar::Timestamp, Scalar::Duration]),
        (Scalar::Timestamp, 3) => mixed(rng, "(# + #)", ty, [Scalar::Duration, Scalar::Timestamp]),
        (Scalar::Timestamp, _) => mixed(rng, "(# - #)", ty, [Scalar::Timestamp, Scalar::Duration]),
        (Scalar::Duration, 0) => form(ty, "(-#)", vec![of(rng, ty)]),
        (Scalar::Duration, 1 | 2) => mixed(rng, "(# - #)", ty, [Scalar::Timestamp, Scalar::Timestamp]),
        (Scalar::Duration, 3) => mixed(rng, "(# * #)", ty, [Scalar::Duration, Scalar::Int]),
        (Scalar::Duration, 4) => mixed(rng, "(# * #)", ty, [Scalar::Int, Scalar::Duration]),
        (Scalar::Duration, 5) => mixed(rng, "(# / #)", ty, [Scalar::Duration, Scalar::Int]),
        (Scalar::Duration, _) => two(rng, ty, &["+", "-"]),
        (Scalar::Decimal, 0) => form(ty, "(-#)", vec![of(rng, ty)]),
        (Scalar::Decimal, 1) => {
            let from = pick(rng, &[Scalar::Int, Scalar::Int, Scalar::Float, Scalar::Float, Scalar::Text, Scalar::Json]);
            form(ty, "decimal(#, 14, 3)", vec![of(rng, from)])
        }
        (Scalar::Decimal, 2) => {
            let text = pick(rng, &["abs(#)", "decimal(round(#, 1), 14, 3)", "decimal(floor(#), 14, 3)", "decimal(decimal(str(#), 20, 1), 14, 3)"]);
            form(ty, text, vec![of(rng, ty)])
        }
        (Scalar::Decimal, 3) => {
            let (text, other) =
                (pick(rng, &["decimal(# + #, 14, 3)", "decimal(# * #, 14, 3)", "decimal(# / #, 14, 3)"]), pick(rng, &[Scalar::Int, Scalar::Float]));
            mixed(rng, text, ty, [Scalar::Decimal, other])
        }
        (Scalar::Decimal, _) => {
            let text = pick(
                rng,
                &["min(#, #)", "max(#, #)", "decimal(# + #, 14, 3)", "decimal(# - #, 14, 3)", "decimal(# * #, 14, 3)", "decimal(# / #, 14, 3)", "(# % #)"],
            );
            mixed(rng, text, ty, [ty, ty])
        }
        (Scalar::Enum | Scalar::Json | Scalar::Packed | Scalar::Wide, _) => end(rng, ty),
    }
}

fn condition(rng: &mut Rng, depth: u32) -> Tree {
    let (ty, bool) = (pick(rng, TYPES), Scalar::Bool);
    let some = |rng: &mut Rng, count: usize| -> Vec<Tree> { (0..count).map(|_| tree(rng, ty, depth)).collect() };
    let operator: &[&str] = match ty {
        Scalar::Bool | Scalar::Json | Scalar::Enum => &["==", "!="],
        _ => &["<", "<=", ">", ">=", "==", "!="],
    };
    match rng.u8(..12) {
        0 => form(bool, "(not #)", vec![tree(rng, bool, depth)]),
        1..=3 => {
            let operator = pick(rng, &["and", "or", "xor"]);
            form(bool, &format!("(# {operator} #)"), vec![tree(rng, bool, depth), tree(rng, bool, depth)])
        }
        4 => {
            let (not, parts) = (pick(rng, &["", "not "]), some(rng, 1));
            Tree { nullable: false, ..form(bool, &format!("(# is {not}null)"), parts) }
        }
        5 => {
            let (not, count) = (pick(rng, &["", "not "]), rng.usize(1..4));
            form(bool, &format!("(# {not}in [{}])", vec!["#"; count].join(", ")), some(rng, count + 1))
        }
        6 if operator.len() > 2 => {
            let (range, parts) = (pick(rng, &["..", "..="]), some(rng, 3));
            form(bool, &format!("(# in #{range}#)"), parts)
        }
        7 if ty == Scalar::Decimal => {
            let (operator, other) = (pick(rng, operator), pick(rng, &[Scalar::Int, Scalar::Float]));
            form(bool, &format!("(# {operator} #)"), vec![tree(rng, ty, depth), tree(rng, other, depth)])
        }
        7 if matches!(ty, Scalar::Int | Scalar::Float) => {
            let operator = pick(rng, operator);
            form(bool, &format!("(# {operator} #)"), vec![tree(rng, Scalar::Int, depth), tree(rng, Scalar::Float, depth)])
        }
        _ => {
            let operator = pick(rng, operator);
            form(bool, &format!("(# {operator} #)"), some(rng, 2))
        }
    }
}
