//! The abstract syntax tree: what the text says, with the place of everything it says.
//!
//! No name is resolved and no type is known here. Every node carries the byte range it was read from.
#![expect(missing_docs, reason = "the fields of variants are named by what they hold")]

pub use super::files::FileScope;
pub use super::span::Span;

/// A name and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A whole program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// In the order of the text.
    pub items: Vec<Item>,
    /// The files that they stand in, by their first bytes; a program that was parsed alone has none.
    pub files: Vec<FileScope>,
}

/// A declaration and its place (the whole declaration).
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is declared.
    pub kind: ItemKind,
    /// From its first to its last byte.
    pub span: Span,
}

/// What can be declared (§3).
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `event Trade extends Base:` and its fields.
    Event(EventDecl),
    /// `type UserId = str`.
    TypeAlias { name: Name, ty: TypeExpr },
    /// `enum Side: Buy, Sell`.
    Enum { name: Name, variants: Vec<Name> },
    /// `const LIMIT = 10_000`.
    Const { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `let threshold: float = 9.5`.
    Let { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `param limit: float = 9.5`.
    Param { name: Name, ty: TypeExpr, default: Option<Expr> },
    /// `var seen: int = 0`.
    Var { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `fn fee(amount: float, rate: float = 0.02) -> float:` and its body.
    Function(FunctionDecl),
    /// `connector Orders = kafka(brokers: […])`.
    Connector { name: Name, kind: Name, args: Vec<Arg> },
    /// `context fast (cores: [1, 2])`.
    Context { name: Name, args: Vec<Arg> },
    /// `pattern Rise = SEQ(…) within 1m partition by symbol`.
    Pattern(PatternDecl),
    /// `embedding TradeVec for Trade (dim: 64):` and its features.
    Embedding { name: Name, event: Name, args: Vec<Arg>, features: Vec<Feature> },
    /// `config:` and its entries.
    Config { entries: Vec<(Name, Expr)> },
    /// `import "common.vpl" as common`.
    Import { path: String, path_span: Span, alias: Option<Name> },
    /// `stream Name [: Type] = source op*`.
    Stream(StreamDecl),
}

/// `event Name extends Base:`
#[derive(Clone, Debug, PartialEq)]
pub struct EventDecl {
    /// The event's name.
    pub name: Name,
    /// The schema whose fields it inherits.
    pub extends: Option<Name>,
    /// In declared order.
    pub fields: Vec<FieldDecl>,
}

/// `symbol: str`
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// The field.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// Which.
    pub kind: TypeExprKind,
    /// Where.
    pub span: Span,
}

/// The forms of a type (§2).
#[derive(Clone, Debug, PartialEq)]
pub enum TypeExprKind {
    /// `int`, `str`, an alias, an event or an enum; with arguments for `decimal(12, 2)`.
    Named(Name, Vec<u32>),
    /// `[T]`.
    Array(Box<TypeExpr>),
    /// `{K: V}`.
    Map(Box<TypeExpr>, Box<TypeExpr>),
    /// `{a: A, b: B}`; with one field it is read as a map.
    Record(Vec<(Name, TypeExpr)>),
    /// `(A, B)`.
    Tuple(Vec<TypeExpr>),
    /// `T?`.
    Optional(Box<TypeExpr>),
}

/// A function's declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDecl {
    /// Its name.
    pub name: Name,
    /// In order; parameters with defaults last.
    pub params: Vec<ParamDecl>,
    /// The result's type, if written.
    pub result: Option<TypeExpr>,
    /// The statements.
    pub body: Vec<Stmt>,
}

/// `rate: float = 0.02`
#[derive(Clone, Debug, PartialEq)]
pub struct ParamDecl {
    /// The parameter.
    pub name: Name,
    /// Its type, if written.
    pub ty: Option<TypeExpr>,
    /// Its default.
    pub default: Option<Expr>,
}

/// A statement of a function body.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// Which.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// The statements (§3).
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `let x: T = e`.
    Let { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `var x: T = e`.
    Var { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `x := e`.
    Assign { name: Name, value: Expr },
    /// `return e`.
    Return(Option<Expr>),
    /// `if c: … elif c: … else: …`: the branches with a condition, then the `else`.
    If { branches: Vec<(Expr, Vec<Stmt>)>, otherwise: Vec<Stmt> },
    /// `for x in e: …`.
    For { name: Name, over: Expr, body: Vec<Stmt> },
    /// `while c: …`.
    While { condition: Expr, body: Vec<Stmt> },
    /// `match e:` with `pattern => …` or `pattern: block` arms; an arm without patterns is `_`.
    Match { value: Expr, arms: Vec<(Vec<Expr>, Vec<Stmt>)> },
    /// `emit Pixel(x: 1)`.
    Emit { event: Name, args: Vec<Arg> },
    /// `break` and `continue`.
    Break,
    /// `continue`.
    Continue,
    /// An expression; the last one is the function's value.
    Expr(Expr),
}

/// One feature of an embedding: `price: log_scale (weight: 0.3)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// The event's field.
    pub field: Name,
    /// The transformation, a name or a call.
    pub transform: Expr,
    /// Options in brackets.
    pub args: Vec<Arg>,
}

/// `stream Name [: Type] = source op*`
#[derive(Clone, Debug, PartialEq)]
pub struct StreamDecl {
    /// Its name.
    pub name: Name,
    /// The declared record type.
    pub ty: Option<TypeExpr>,
    /// Where its records come from.
    pub source: Source,
    /// What is done to them, in order.
    pub ops: Vec<Op>,
}

/// A stream's source and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Which.
    pub kind: SourceKind,
    /// `as alias`.
    pub alias: Option<Name>,
    /// Where.
    pub span: Span,
}

impl Source {
    /// The event, stream or pattern that it is, if it is one by name.
    pub fn named(&self) -> Option<&Name> {
        if let SourceKind::Named(name) = &self.kind { Some(name) } else { None }
    }
}

/// The sources (§5, §7).
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// An event, a stream or a declared pattern.
    Named(Name),
    /// `E.from(conn, topic: "…")`.
    From { event: Name, args: Vec<Arg> },
    /// `merge(A, stream S1 = E.where(…), …)`.
    Merge(Vec<StreamArg>),
    /// `join(A, B)` and its kin.
    Join { kind: JoinKind, inputs: Vec<StreamArg> },
    /// `A as a -> B where … as b`; also what `SEQ(…)` means.
    Sequence(PatternExpr),
    /// `timer(5s)`.
    Timer(Vec<Arg>),
}

/// Which rows a join yields (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `join`.
    Inner,
    /// `left_join`.
    Left,
    /// `right_join`.
    Right,
    /// `full_join`.
    Full,
    /// `latest_join`.
    Latest,
}

/// An input of `merge` or `join`: a source, with operators and alias.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamArg {
    /// `stream S1 = …` names it.
    pub name: Option<Name>,
    /// Where its records come from.
    pub source: Source,
    /// Operators in place.
    pub ops: Vec<Op>,
    /// `as alias`.
    pub alias: Option<Name>,
    /// Where.
    pub span: Span,
}

/// One operator: `.name(args)`, also `.emit as T (args)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Its name.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// `.emit as Type (…)`.
    pub as_type: Option<Name>,
    /// From the dot (or the word) to the closing bracket.
    pub span: Span,
    /// Written in the older form, `where p` without a dot.
    pub undotted: bool,
}

/// An argument, named or not. Operators that take streams (`fork`'s paths) carry them in `path`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `name:`.
    pub name: Option<Name>,
    /// The value.
    pub value: ArgValue,
    /// Where.
    pub span: Span,
}

/// What an argument can be.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgValue {
    /// An expression; with `asc`/`desc` in `order_by`.
    Expr(Expr, Option<SortOrder>),
    /// A chain of operators, as in `.fork(a: .where(…)…)`.
    Path(Vec<Op>),
    /// A pattern step, as in `.not(Freeze where user == l.user)`.
    Step(Box<Step>),
}

/// `asc` or `desc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// `pattern P = SEQ(…) within d partition by k`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternDecl {
    /// Its name.
    pub name: Name,
    /// The steps.
    pub pattern: PatternExpr,
    /// `within d`.
    pub within: Option<Expr>,
    /// `partition by k, …`.
    pub partition: Vec<Expr>,
}

/// A (sub-)pattern and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternExpr {
    /// Which.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The forms of a pattern (§7).
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// One step.
    Step(Box<Step>),
    /// `a -> b -> c`, or `SEQ(a, b, c)`: the elements, in order.
    Sequence(Vec<PatternExpr>),
    /// `a and b`: any order.
    And(Vec<PatternExpr>),
    /// `a or b`.
    Or(Vec<PatternExpr>),
    /// `a xor b`.
    Xor(Vec<PatternExpr>),
    /// A group with a quantifier.
    Repeat(Box<PatternExpr>, Quantifier),
}

/// `[not|all] Event [quantifier] [where p] [as a] [until Y where p] [reluctant]` and operators behind it (`.within(d)`, `.print(…)`, `.where(…)`).
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `not`.
    pub negated: bool,
    /// The event or stream.
    pub event: Name,
    /// `all` is `OneOrMore`.
    pub quantifier: Option<Quantifier>,
    /// `where p` or `.where(p)` before the alias.
    pub condition: Option<Expr>,
    /// `as a`.
    pub alias: Option<Name>,
    /// `until Y where p`.
    pub until: Option<Box<Step>>,
    /// `reluctant`.
    pub reluctant: bool,
    /// Operators that stand behind this step and before the next `->`.
    pub ops: Vec<Op>,
    /// Where.
    pub span: Span,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `all X`, `X+`.
    OneOrMore,
    /// `X*`.
    ZeroOrMore,
    /// `X?`.
    Optional,
    /// `X{n}`, `X{n,m}`, `X{n,}`.
    Between(u32, Option<u32>),
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The expressions (§1).
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `42`; `None` when it does not fit 64 bits (an error was reported).
    Int(i64),
    /// `3.14`.
    Float(f64),
    /// The same with more digits than a float keeps, and how it is written.
    LongFloat(f64, String),
    /// `"…"`, escapes resolved.
    Str(String),
    /// `f"user {u.name} paid {amount:.2}"`.
    Format(Vec<FormatPart>),
    /// `5m`, in nanoseconds.
    Duration(i64),
    /// `@2026-01-23T10:00:00Z`, in nanoseconds since the epoch.
    Timestamp(i64),
    /// `true`.
    Bool(bool),
    /// `null`.
    Null,
    /// `x`.
    Name(String),
    /// `[1, 2]`.
    Array(Vec<Expr>),
    /// `{"a": 1, b: 2}`.
    Map(Vec<(Expr, Expr)>),
    /// `(1.0, 2.0)`.
    Tuple(Vec<Expr>),
    /// `a.b`, and `a?.b`.
    Member { object: Box<Expr>, name: Name, safe: bool },
    /// `a[i]`.
    Index { object: Box<Expr>, index: Box<Expr> },
    /// `a[i:j]`.
    Slice { object: Box<Expr>, from: Option<Box<Expr>>, to: Option<Box<Expr>> },
    /// `f(x, n: 1)`; a method call has a `Member` as callee.
    Call { callee: Box<Expr>, args: Vec<Arg> },
    /// `-x`, `~x`, `not x`.
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// `a + b`.
    Binary { op: BinaryOp, op_span: Span, left: Box<Expr>, right: Box<Expr> },
    /// `a in b`, `a not in b`.
    In { value: Box<Expr>, set: Box<Expr>, negated: bool },
    /// `x is null`, `x is not null`.
    IsNull { operand: Box<Expr>, negated: bool },
    /// `a .. b`, `a ..= b`.
    Range { from: Box<Expr>, to: Box<Expr>, inclusive: bool },
    /// `if c then a else b`.
    If { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `x => …`, `(a, b) => …`.
    Lambda { params: Vec<Name>, body: Box<Expr> },
    /// What could not be read; an error was reported.
    Error,
}

/// A part of an f-string.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatPart {
    /// Text as it is.
    Text(String),
    /// `{expr:.2}`: the expression and the number of decimals.
    Value(Box<Expr>, Option<u32>),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `~`
    BitNot,
    /// `not`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Power,
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    BitAnd,
    BitXor,
    BitOr,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    /// `??`
    Coalesce,
}
