//! Random expressions of a type over the fields at hand.

use fastrand::Rng;

use super::{Field, Type, pick};

/// What an expression may use.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Fields by the text that reads them.
    pub fields: Vec<Field>,
    /// Whether it may refuse a record at run time.
    pub fallible: bool,
    /// Whether it may call functions.
    pub calls: bool,
}

impl Scope {
    pub(crate) fn new(fields: &[Field]) -> Self {
        Self { fields: fields.iter().filter(|f| !f.is_rounded()).cloned().collect(), fallible: true, calls: true }
    }
    /// The same without anything that can refuse.
    pub(crate) fn safe(fields: &[Field]) -> Self {
        Self { fallible: false, ..Self::new(fields) }
    }
    fn of(&self, ty: Type, nullable: bool) -> Vec<&Field> {
        self.fields.iter().filter(|f| f.ty == ty && f.nullable == nullable).collect()
    }
}

/// An expression and whether it may be null.
pub(crate) type Text = (String, bool);

/// A random expression of that type.
pub(crate) fn expression(rng: &mut Rng, scope: &Scope, ty: Type, depth: u32) -> Text {
    if depth == 0 || rng.u8(..4) == 0 {
        return leaf(rng, scope, ty);
    }
    // Forms that every type has.
    match rng.u8(..12) {
        0 => {
            let c = condition(rng, scope, depth - 1);
            let (a, b) = (expression(rng, scope, ty, depth - 1), expression(rng, scope, ty, depth - 1));
            return (format!("(if {} then {} else {})", c.0, a.0, b.0), a.1 || b.1);
        }
        1 => {
            if let Some(f) = rng.choice(scope.of(ty, true)) {
                let b = expression(rng, scope, ty, depth - 1);
                return (format!("({} ?? {})", f.name, b.0), b.1);
            }
        }
        _ => {}
    }
    match ty {
        Type::Int => int(rng, scope, depth - 1),
        Type::Float => float(rng, scope, depth - 1),
        Type::Bool => condition(rng, scope, depth - 1),
        Type::Str => text(rng, scope, depth - 1),
        Type::Duration => duration(rng, scope, depth - 1),
        Type::Decimal => decimal(rng, scope, depth - 1),
        Type::Timestamp | Type::Enum => leaf(rng, scope, ty),
    }
}

fn leaf(rng: &mut Rng, scope: &Scope, ty: Type) -> Text {
    let fields: Vec<&Field> = scope.fields.iter().filter(|f| f.ty == ty).collect();
    if let (true, Some(f)) = (rng.u8(..4) > 0, rng.choice(&fields)) {
        return (f.name.clone(), f.nullable);
    }
    let literal = match ty {
        Type::Int => pick(rng, &["0", "1", "2", "3", "7", "-1", "10", "100"]).to_owned(),
        Type::Float => pick(rng, &["0.0", "0.5", "1.0", "2.25", "-1.5", "10.0", "1e3"]).to_owned(),
        Type::Bool => match rng.choice(&scope.fields) {
            Some(f) if f.nullable => format!("({} is null)", f.name),
            Some(f) => format!("({} {} {})", f.name, pick(rng, &["==", "!="]), f.name),
            None => "true".to_owned(),
        },
        Type::Str => format!("\"{}\"", pick(rng, &["", "a", "b", "ab", "Zü", "q\\\"q", "x y"])),
        Type::Timestamp => pick(rng, &["@1970-01-01T00:00:05Z", "@1970-01-01", "@1970-01-01T00:01:00Z"]).to_owned(),
        Type::Duration => pick(rng, &["0s", "1ms", "1500ms", "2s", "1m", "1h30m"]).to_owned(),
        Type::Enum => format!("Side.{}", pick(rng, &["Buy", "Sell", "Hold"])),
        Type::Decimal => format!("decimal({}, 12, 2)", pick(rng, &["0", "1.25", "-2.5", "100", "\"0.75\""])),
    };
    (literal, false)
}

fn int(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    let operand = |rng: &mut Rng| expression(rng, scope, Type::Int, depth);
    let (a, b) = (operand(rng), operand(rng));
    let null = a.1 || b.1;
    if !scope.fallible {
        return match rng.u8(..5) {
            0 => (format!("({} & {})", a.0, b.0), null),
            1 => (format!("({} ^ {})", a.0, b.0), null),
            2 => (format!("(~{})", a.0), a.1),
            3 if scope.calls => (format!("min({}, {})", a.0, b.0), null),
            4 if scope.calls => (format!("max({}, {})", a.0, b.0), null),
            _ => (format!("({} | {})", a.0, b.0), null),
        };
    }
    match rng.u8(..12) {
        0..=2 => (format!("({} + {})", a.0, b.0), null),
        3 => (format!("({} - {})", a.0, b.0), null),
        4 => (format!("({} * {})", a.0, b.0), null),
        5 => (format!("({} / {})", a.0, b.0), null),
        6 => (format!("({} % {})", a.0, b.0), null),
        7 => (format!("(-{})", a.0), a.1),
        8 => (format!("({} & {})", a.0, b.0), null),
        9 => (format!("abs({})", a.0), a.1),
        10 => {
            let t = expression(rng, scope, Type::Str, depth);
            (format!("len({})", t.0), t.1)
        }
        11 if rng.bool() => {
            let d = expression(rng, scope, Type::Decimal, depth);
            (format!("int({})", d.0), d.1)
        }
        _ => {
            let f = expression(rng, scope, Type::Float, depth);
            (format!("int(floor({}))", f.0), f.1)
        }
    }
}

fn float(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    let mixed = if rng.bool() { Type::Float } else { Type::Int };
    let (a, b) = (expression(rng, scope, Type::Float, depth), expression(rng, scope, mixed, depth));
    let null = a.1 || b.1;
    match rng.u8(..8) {
        0..=1 => (format!("({} + {})", a.0, b.0), null),
        2 => (format!("({} - {})", a.0, b.0), null),
        3 => (format!("({} * {})", a.0, b.0), null),
        4 => (format!("({} / {})", a.0, b.0), null),
        5 if rng.bool() => {
            let d = expression(rng, scope, Type::Decimal, depth);
            (format!("float({})", d.0), d.1)
        }
        5 => (format!("(-{})", a.0), a.1),
        6 if scope.calls => (format!("{}({})", pick(rng, &["abs", "floor", "ceil", "round", "sqrt"]), a.0), a.1),
        _ => (format!("({} - {})", b.0, a.0), null),
    }
}

fn text(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    let a = expression(rng, scope, Type::Str, depth);
    match rng.u8(..6) {
        0 if scope.calls => (format!("upper({})", a.0), a.1),
        1 if scope.calls => (format!("lower({})", a.0), a.1),
        2 if scope.calls => {
            let ty = pick(rng, &[Type::Int, Type::Decimal]);
            let n = expression(rng, scope, ty, depth);
            (format!("str({})", n.0), n.1)
        }
        3 if scope.calls => (format!("substr({}, {}, {})", a.0, rng.u8(..3), rng.u8(..3)), a.1),
        _ => {
            let b = expression(rng, scope, Type::Str, depth);
            (format!("({} + {})", a.0, b.0), a.1 || b.1)
        }
    }
}

fn duration(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    let (a, b) = (expression(rng, scope, Type::Duration, depth), expression(rng, scope, Type::Duration, depth));
    let times: Vec<&Field> = scope.fields.iter().filter(|f| f.ty == Type::Timestamp).collect();
    match (rng.u8(..4), rng.choice(&times), scope.fallible) {
        (0, Some(t), true) => (format!("({} - {})", t.name, leaf(rng, scope, Type::Timestamp).0), true),
        (1, _, true) => (format!("({} * 2)", a.0), a.1),
        (_, _, true) => (format!("({} {} {})", a.0, pick(rng, &["+", "-"]), b.0), a.1 || b.1),
        _ => a,
    }
}

fn decimal(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    let operand = |rng: &mut Rng| expression(rng, scope, Type::Decimal, depth);
    let (a, b) = (operand(rng), operand(rng));
    let null = a.1 || b.1;
    if !scope.fallible {
        return if scope.calls { (format!("{}({}, {})", pick(rng, &["min", "max"]), a.0, b.0), null) } else { a };
    }
    match rng.u8(..11) {
        0..=4 => (format!("decimal({} {} {}, 12, 2)", a.0, pick(rng, &["+", "-", "*", "/", "%"]), b.0), null),
        5 => (format!("(-{})", a.0), a.1),
        6 => (format!("abs({})", a.0), a.1),
        7 => (
            format!("decimal({}, 12, 2)", pick(rng, &["round(#)", "round(#, 1)", "floor(#)", "ceil(#)", "# + 0.125", "# * 3", "sign(#)"]).replace('#', &a.0)),
            a.1,
        ),
        8 => {
            let n = expression(rng, scope, Type::Int, depth);
            (format!("decimal({}, 12, 2)", n.0), n.1)
        }
        9 => {
            let x = expression(rng, scope, Type::Float, depth);
            (format!("decimal({}, 12, 2)", x.0), x.1)
        }
        _ => (format!("{}({}, {})", pick(rng, &["min", "max"]), a.0, b.0), null),
    }
}

/// A random condition.
pub(crate) fn condition(rng: &mut Rng, scope: &Scope, depth: u32) -> Text {
    if depth > 0 && rng.u8(..3) == 0 {
        let (a, b) = (condition(rng, scope, depth - 1), condition(rng, scope, depth - 1));
        return match rng.u8(..5) {
            0 => (format!("(not {})", a.0), a.1),
            1 => (format!("({} xor {})", a.0, b.0), a.1 || b.1),
            2 => (format!("({} or {})", a.0, b.0), a.1 || b.1),
            _ => (format!("({} and {})", a.0, b.0), a.1 || b.1),
        };
    }
    if let Some(f) = rng.choice(scope.fields.iter().filter(|f| f.nullable).collect::<Vec<_>>())
        && rng.u8(..6) == 0
    {
        return (format!("({} is {}null)", f.name, pick(rng, &["", "not "])), false);
    }
    let ty = comparable(rng, scope);
    let depth = depth.min(1);
    let a = expression(rng, scope, ty, depth);
    match rng.u8(..8) {
        0 if ty != Type::Bool => {
            let list: Vec<Text> = (0..3).map(|_| leaf(rng, scope, ty)).collect();
            let null = a.1 || list.iter().any(|l| l.1);
            let texts: Vec<&str> = list.iter().map(|l| l.0.as_str()).collect();
            (format!("({} {} [{}])", a.0, pick(rng, &["in", "not in"]), texts.join(", ")), null)
        }
        1 if ty == Type::Str && scope.calls => {
            let b = leaf(rng, scope, Type::Str);
            (format!("{}({}, {})", pick(rng, &["contains", "starts_with", "ends_with"]), a.0, b.0), a.1 || b.1)
        }
        2 if ty == Type::Decimal => {
            let ty = pick(rng, &[Type::Int, Type::Float]);
            let b = leaf(rng, scope, ty);
            (format!("({} {} {})", a.0, pick(rng, &["<", "<=", ">", ">=", "==", "!="]), b.0), a.1 || b.1)
        }
        _ => {
            let b = expression(rng, scope, ty, depth);
            let ops: &[&str] = if ty.is_ordered() { &["<", "<=", ">", ">=", "==", "!="] } else { &["==", "!="] };
            (format!("({} {} {})", a.0, pick(rng, ops), b.0), a.1 || b.1)
        }
    }
}

/// A type that the scope has fields of, mostly.
fn comparable(rng: &mut Rng, scope: &Scope) -> Type {
    match rng.choice(&scope.fields) {
        Some(f) if rng.u8(..8) > 0 => f.ty,
        _ => pick(rng, &Type::ALL),
    }
}
