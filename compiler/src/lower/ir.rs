//! Lowered code: blocks of values in an arena. Every coercion, null test, checked operation and error exit is an operation of its own,
//! so that backends print and decide nothing.
#![expect(missing_docs, reason = "the fields of variants are named by what they hold")]

use varpulis_abi::scalar::{Form, Physical, Scalar};

use crate::analysis::typed::Literal;
use crate::functions::Function;

/// A value of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// A record layout of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub u32);

/// A place in the text that can refuse a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

/// A stateful operator of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperatorId(pub u32);

/// A chain of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId(pub u32);

/// A parameter of a kernel function, or a part of what an operator hands to a chain, by its name in the shared list.
pub type ParamName = &'static str;

/// A variable of a [`Run`](Op::Run), or of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub u32);

impl VariableId {
    /// The first number of the program's own variables: the n-th of its states has the n-th from here on.
    pub const STATE: u32 = 1 << 31;

    /// Which of the program's states it is, if it is one.
    pub fn state(self) -> Option<usize> {
        self.0.checked_sub(Self::STATE).map(|at| at as usize)
    }
}

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    /// Which it is.
    pub id: VariableId,
    /// What the program calls it.
    pub name: String,
    /// The type of its values.
    pub ty: Physical,
}

/// A [`Block`](Statement::Block) of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// A scalar that comes with a row or a firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// Event time.
    Ts,
    /// The window's start.
    WindowStart,
    /// The window's end.
    WindowEnd,
    /// Whether a late record changed a row that had been told.
    Updated,
}

/// Arithmetic on two operands of one scalar type; on integers it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Floats only.
    Divide,
    BitAnd,
    BitOr,
    BitXor,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// What an object of an accumulator is asked, or told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method {
    /// Its name in the runtime.
    pub name: &'static str,
    /// What it yields; `None` for a change of the object.
    pub result: Option<Physical>,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant that is not null.
    Const(Literal),
    /// Null of the value's type.
    Null,
    /// A field of a record.
    Load { param: ParamName, record: RecordId, field: usize },
    /// A scalar of the row or the firing.
    Read(Read),
    /// A `param` or `let`.
    Global(usize),
    /// Makes a nullable value of one that is not.
    Wrap(ValueId),
    /// The value of a nullable that is known not to be null here.
    Unwrap(ValueId),
    /// Whether it is null.
    IsNull(ValueId),
    /// Whether a nullable bool is true.
    IsTrue(ValueId),
    /// `int → float`
    ToFloat(ValueId),
    /// An integer as a sum in the making.
    Widen(ValueId),
    /// A sum as an integer; refuses what takes more than 64 bits.
    Narrow(ValueId, SiteId),
    /// Negation; checked on integers.
    Negate(ValueId, SiteId),
    /// `not` of a bool that is not null.
    Not(ValueId),
    /// `~`
    BitNot(ValueId),
    /// The sum of two counts; saturates.
    AddCounts(ValueId, ValueId),
    /// Arithmetic; on integers it refuses on overflow. Sums in the making are added only, and have room for more terms than there can be.
    Arithmetic { op: Arithmetic, left: ValueId, right: ValueId, site: SiteId },
    /// IEEE comparison of floats, bytes of text, order of the rest.
    Compare { op: Comparison, left: ValueId, right: ValueId },
    /// Equality of keys: null equals null, NaN equals NaN.
    SameKey(ValueId, ValueId),
    /// Chooses; only the chosen region is evaluated.
    If { condition: ValueId, then: Region, otherwise: Region },
    /// Calls a run-time function; arguments are not null.
    Call { function: Function, args: Vec<ValueId>, site: SiteId },
    /// The hash of a key.
    Hash(Vec<ValueId>),
    /// Bits of truth values.
    Mask(Vec<(u32, ValueId)>),
    /// Values, null or not, as one packed value.
    Pack(Vec<ValueId>),
    /// A part of a packed value, by its place; null, or the type's zero, if there is none of that type.
    Part { of: ValueId, at: ValueId },
    /// The place of the element at hand, inside the [`Gather`](Op::Gather) of that number.
    Index(u32),
    /// For each element of a packed value that is kept, a part of a new one: both regions see the element's place. Where loops are limited, it
    /// refuses when that is used up.
    ///
    /// `grows` if elements become texts, of which there may be more than it is made of: it refuses to grow without end.
    Gather { of: ValueId, index: u32, keep: Option<Region>, body: Region, site: SiteId, grows: bool },
    /// The machine's time, read at one place of the program.
    WallClock(u32),
    /// A variable's value where this stands; `read` tells one reading from the next, which may find another.
    Variable { variable: VariableId, read: u32 },
    /// Runs statements for a value, over variables of its own.
    Run { variables: Vec<Variable>, body: Region },
    /// Asks an accumulator's object.
    Ask { param: ParamName, record: RecordId, field: usize, method: Method, args: Vec<ValueId> },
}

/// Statements and a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Region {
    /// What is evaluated, in order.
    pub statements: Vec<Statement>,
    /// The region's value.
    pub result: Option<ValueId>,
}

/// A value and its type.
#[derive(Clone, Debug)]
pub struct Value {
    /// How it is computed.
    pub op: Op,
    /// Its type.
    pub ty: Physical,
    /// Text that it owns, in contrast to text borrowed from a record.
    pub owned: bool,
}

/// Where a row for an operator or another chain comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowSource {
    /// The row at hand.
    Same,
    /// The firing at hand.
    Firing,
    /// A new record: the fields that somebody reads, and their values.
    Make { record: RecordId, fields: Vec<(usize, ValueId)> },
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    /// Evaluates a value here.
    Let(ValueId),
    /// Goes on only if it is true.
    Guard(ValueId),
    /// Runs one of two lists.
    If { condition: ValueId, then: Vec<Statement>, otherwise: Vec<Statement> },
    /// Runs statements over variables of their own.
    Run { variables: Vec<Variable>, body: Vec<Statement> },
    /// Gives a variable a value.
    Set { variable: VariableId, value: ValueId },
    /// Statements that can be left. With a site they begin again at their end: where loops are limited, that refuses when the limit is used up.
    Block { label: Label, repeats: Option<SiteId>, body: Vec<Statement> },
    /// Goes on behind that block, which is around it.
    Leave(Label),
    /// Writes a field of a slot.
    Store { param: ParamName, record: RecordId, field: usize, value: ValueId },
    /// Changes an accumulator's object.
    Tell { param: ParamName, record: RecordId, field: usize, method: Method, args: Vec<ValueId> },
    /// Merges an object with the same field of another slot.
    MergeObject { record: RecordId, field: usize, into: ParamName, from: ParamName },
    /// The function's result.
    Return(ValueId),
    /// Hands a row to an operator; `port` is the input.
    Push { operator: OperatorId, port: usize, row: RowSource, late: bool },
    /// Hands a row to another chain.
    Call { chain: ChainId, row: RowSource },
    /// Publishes a row.
    Publish { publication: usize, fields: Vec<ValueId> },
    /// Publishes a row of the rule that fired: the n-th rule's publication is the n-th of the list.
    PublishRule { publications: Vec<usize>, fields: Vec<ValueId> },
    /// Writes a line to the program's messages.
    Print(ValueId),
    /// Counts; every `every`-th time, beginning with the first, runs the statements.
    Count { counter: usize, every: i64, then: Vec<Statement> },
    /// Counts, for each label on its own.
    CountBy { counter: usize, label: ValueId },
    /// The stream that what follows belongs to, and its place in the text: becomes a comment.
    Comment(String),
}

/// A body: values and what is done with them.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The arena.
    pub values: Vec<Value>,
    /// In order.
    pub statements: Vec<Statement>,
}

impl Body {
    /// The value.
    #[expect(clippy::indexing_slicing, reason = "ids come from this body")]
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// Calls `visit` for every operation that is evaluated, and every statement.
    pub fn walk<'b>(&'b self, op: &mut dyn FnMut(&'b Value), statement: &mut dyn FnMut(&'b Statement)) {
        self.walk_list(&self.statements, op, statement);
    }

    fn walk_list<'b>(&'b self, list: &'b [Statement], op: &mut dyn FnMut(&'b Value), statement: &mut dyn FnMut(&'b Statement)) {
        for s in list {
            statement(s);
            match s {
                Statement::Let(v) => self.walk_value(*v, op, statement),
                Statement::If { then, otherwise, .. } => {
                    self.walk_list(then, op, statement);
                    self.walk_list(otherwise, op, statement);
                }
                Statement::Count { then, .. } | Statement::Block { body: then, .. } | Statement::Run { body: then, .. } => self.walk_list(then, op, statement),
                _ => {}
            }
        }
    }

    fn walk_value<'b>(&'b self, id: ValueId, op: &mut dyn FnMut(&'b Value), statement: &mut dyn FnMut(&'b Statement)) {
        let value = self.value(id);
        op(value);
        for region in value.regions() {
            self.walk_list(&region.statements, op, statement);
        }
    }

    /// The places that it can refuse at.
    pub fn sites(&self) -> Vec<SiteId> {
        let (mut of_values, mut of_loops) = (vec![], vec![]);
        self.walk(&mut |value| of_values.extend(value.site()), &mut |statement| {
            of_loops.extend(if let Statement::Block { repeats, .. } = statement { *repeats } else { None });
        });
        of_values.extend(of_loops);
        of_values
    }

    /// Whether an evaluation error can leave it.
    pub fn is_fallible(&self) -> bool {
        let mut fallible = false;
        self.walk(&mut |v| fallible |= v.is_fallible(), &mut |_| {});
        fallible
    }
}

impl Value {
    /// The regions that are evaluated as part of it, once, several times or not at all.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        let (first, second) = match &self.op {
            Op::If { then, otherwise, .. } => (Some(then), Some(otherwise)),
            Op::Gather { keep, body, .. } => (keep.as_ref(), Some(body)),
            Op::Run { body, .. } => (Some(body), None),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The place that it can refuse at, a loop also where nothing but its length does.
    pub fn site(&self) -> Option<SiteId> {
        match &self.op {
            Op::Gather { site, .. } => Some(*site),
            Op::Negate(_, site) | Op::Narrow(_, site) | Op::Arithmetic { site, .. } | Op::Call { site, .. } if self.is_fallible() => Some(*site),
            _ => None,
        }
    }

    /// Whether this operation can refuse.
    pub fn is_fallible(&self) -> bool {
        match &self.op {
            Op::Negate(..) => self.ty.scalar != Scalar::Float,
            Op::Narrow(..) => true,
            Op::Arithmetic { op, .. } => {
                !matches!(self.ty.scalar, Scalar::Float | Scalar::Wide) && matches!(op, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply)
            }
            Op::Call { function, .. } => function.row().fallible,
            Op::Gather { grows, .. } => *grows,
            _ => false,
        }
    }
}

/// An accumulator that is more than plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its type in the runtime.
    pub name: &'static str,
}

/// What a record's field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A value.
    Scalar(Physical),
    /// An object of the runtime.
    Object(Object),
}

/// A field of a record layout.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordField {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub ty: FieldType,
}

/// A type as those see it who read and write its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// How values are held.
    pub ty: Physical,
    /// The names of an enum's variants.
    pub variants: Vec<String>,
    /// Of decimals: how many digits they have, and how many of these are decimals.
    pub decimal: (u8, u8),
    /// How values are made of others.
    pub form: Form,
    /// What they are made of; names are those of a record's fields.
    pub parts: Vec<(String, Shape)>,
}

/// A record layout: of rows on their way (borrowed text) or of slots (owned text).
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// In order.
    pub fields: Vec<RecordField>,
    /// Of fields whose types say more than how they are held: the field's place, and the type.
    pub shapes: Vec<(usize, Shape)>,
    /// A slot of an operator's state.
    pub stored: bool,
    /// What it is, for its documentation.
    pub doc: String,
}

impl Record {
    /// What its type says of a field beyond how it is held.
    pub fn shape_of(&self, field: usize) -> Option<&Shape> {
        self.shapes.iter().find(|(at, _)| *at == field).map(|(_, shape)| shape)
    }
    /// The names of a field's variants; none if it is no enum.
    pub fn variants_of(&self, field: usize) -> &[String] {
        self.shape_of(field).map_or(&[], |shape| &shape.variants)
    }
}

/// One case of a kernel function: for one input and one step.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The input whose row it reads; `None`: the only one.
    pub port: Option<usize>,
    /// The step or negation; `None`: all.
    pub index: Option<usize>,
    /// What it does.
    pub body: Body,
}

/// A kernel function: signature by name, one body or several arms. What no arm covers yields the signature's default.
#[derive(Clone, Debug)]
pub struct KernelFunction {
    /// Its name in the shared list.
    pub name: &'static str,
    /// Its cases.
    pub arms: Vec<Arm>,
}
