//! Every diagnostic's code: stable text, level, title and explanation. `varpulis explain E0203` and the documentation are made of this table.

use super::diagnostic::Level;

macro_rules! codes {
    ($($name:ident $text:literal $level:ident $title:literal $explanation:literal;)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name),* }
        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
            /// Its stable text.
            pub const fn text(self) -> &'static str { match self { $(Code::$name => $text),* } }
            /// Its level.
            pub const fn level(self) -> Level { match self { $(Code::$name => Level::$level),* } }
            /// One line: what it means.
            pub const fn title(self) -> &'static str { match self { $(Code::$name => $title),* } }
            /// What it means and how to mend it.
            pub const fn explanation(self) -> &'static str { match self { $(Code::$name => $explanation),* } }
        }
    };
}

codes! {
    InvalidCharacter "E0001" Error "a character that no program has" "Control characters cannot be seen and mean nothing. Remove them; in a text, write them as `\\u{…}`.";
    UnterminatedText "E0002" Error "a text without an end" "A text ends on the line where it begins, with the quote that opened it. Write a line break as `\\n`.";
    TabIndentation "E0003" Error "a tab in indentation" "Blocks are delimited by indentation, and a tab has no fixed width. Indent with spaces.";
    Indentation "E0004" Error "indentation that fits no block" "A line of a block begins where the block's other lines begin.";
    InvalidNumber "E0005" Error "a number out of range" "Integers have 64 bits; durations reach 292 years; dates are dates of the calendar.";
    InvalidEscape "E0006" Error "an unknown escape" "Escapes in texts are \\n \\t \\r \\\\ \\\" \\' and \\u{…} with a character's hexadecimal number.";
    UnterminatedComment "E0007" Error "a comment without an end" "A comment that begins with `/*` ends with `*/`.";
    BidiControl "E0008" Error "a character that reorders text" "Characters that change the order in which text is shown can make a program look like another one. Remove them.";
    Syntax "E0101" Error "a syntax error" "The text is not what the grammar allows here. The message says what could stand in its place.";
    ChainedComparison "E0102" Error "a chain of comparisons" "`a < b < c` is not a comparison of three values. Write `a < b and b < c`.";
    UnknownName "E0201" Error "an unknown name" "Nothing of that name is visible here: no field, alias, constant or parameter.";
    DuplicateName "E0202" Error "a name used twice" "Every declaration of a program has a name of its own.";
    UnknownField "E0203" Error "an unknown field" "The record has no field of that name. Declared events have the fields of their declaration; records behind `.select` and `.aggregate` have the fields named there.";
    UnknownFunction "E0204" Error "an unknown function" "No function, aggregate or declaration has that name.";
    UnknownStream "E0205" Error "an unknown event or stream" "The name is that of no event or stream, and like one that is declared. An event may stay undeclared only if its name is like no other.";
    CyclicStreams "E0206" Error "streams in a circle" "A stream cannot read what is made of itself.";
    RecursiveFunction "E0207" Error "a recursive function" "Functions are expanded where they are called, so that none may call itself.";
    UnknownAlias "E0208" Error "an unknown alias" "What stands before the dot is no step, alias, record or enum that is visible here. A step sees the steps before it.";
    UnknownType "E0209" Error "an unknown type" "Types are int, float, bool, str, timestamp, duration, any, arrays of them, and the program's own aliases and enums.";
    TypeMismatch "E0301" Error "types that do not fit" "There is no implicit conversion but from int to float, and from a type to its optional. Convert with `int(x)`, `float(x)`, `str(x)`; give null a value with `x ?? default`.";
    ConflictingUses "E0302" Error "a field used as two types" "The schema of an undeclared event is inferred from its uses, and these disagree. Declare the event.";
    WrongArgumentType "E0303" Error "an argument of the wrong type" "The function or operator takes other types.";
    WrongArgumentCount "E0304" Error "a wrong number of arguments" "The function or operator takes fewer or more arguments.";
    NotBoolean "E0305" Error "a condition that is no condition" "A condition is a bool: a comparison, or several joined by and, or, not.";
    NotConstant "E0306" Error "a value that is not constant" "This place needs a value that is known when the program is compiled: literals, constants and functions of them.";
    ConstantEvaluation "E0307" Error "a constant that cannot be computed" "Computing the constant overflows, divides by zero or fails to convert.";
    UnknownVariant "E0308" Error "an unknown variant" "The enum has no such variant.";
    UnknownOperator "E0501" Error "an unknown operator" "Streams have no operator of that name.";
    MissingArgument "E0502" Error "a missing argument" "The operator needs an argument that is not there.";
    UnknownArgument "E0503" Error "an unknown argument" "The operator or function takes no argument of that name.";
    BadArgument "E0504" Error "an argument that does not fit" "The argument is not of the form that the operator takes.";
    BareFieldInAggregate "E0505" Error "a bare field among aggregates" "A window has many records, so that a field alone has no value. Use a key, or an aggregate such as `last(field)`.";
    AggregateOutsideWindow "E0506" Error "an aggregate without a window" "An aggregate ranges over the records of a window or the elements of a Kleene step.";
    OperatorNeedsWindow "E0507" Error "an operator that needs a window" "The operator works on the records of a window.";
    UnboundedState "E0508" Error "state without a bound" "The operator would keep state for ever. Bound it, or permit it with `allow: \"unbounded\"`.";
    DuplicateField "E0509" Error "a field that stands twice" "The fields of a record have different names.";
    JoinCondition "E0510" Error "a join without condition or window" "A join needs `.on(…)`, and `join` needs `.window(…)`: how far apart its members may be.";
    PatternNeedsWithin "E0602" Error "an absence without an end" "That something did not happen is known when its time is over. Bound the pattern with `.within(…)`.";
    PatternAlias "E0603" Error "an alias that cannot be" "Aliases of a pattern are different, and absent events have none.";
    PatternStep "E0604" Error "a step that cannot be" "A pattern begins with an event that happens; absences stand behind one.";
    NotCompiledYet "E0701" Error "understood, not compiled yet" "The language has it, and this version reads and checks it, but cannot compile it. The program is refused rather than run as something else.";
    OperatorNotCompiledYet "E0702" Error "an operator that is not compiled yet" "The language has the operator; this version cannot compile it.";
    FunctionNotCompiledYet "E0703" Error "a function that is not compiled yet" "The language has the function; this version cannot compile it.";
    TypeNotCompiledYet "E0704" Error "a type that is not compiled yet" "The language has the type; this version cannot compile it.";
    TooLarge "E0901" Error "too large" "The program goes beyond a limit of the compiler.";
    TooDeep "E0902" Error "nested too deeply" "Brackets, blocks and expressions nest at most 128 levels deep.";
    UnusedDeclaration "W1001" Warning "an unused declaration" "Nothing uses it. Remove it, or begin its name with `_`.";
    OldForm "W1002" Warning "an older form" "The form is accepted; there is a newer one.";
    NullComparison "W1003" Warning "a comparison with null" "`x == null` means `x is null`, which says it.";
    CrossJoin "W1004" Warning "a join without an equality" "Every record is compared with every other of the window: cost grows with the square.";
    UnboundedPattern "W1005" Warning "a pattern without an end" "Runs wait for ever, and memory grows with the input. Bound the pattern with `.within(…)`.";
    InferredSchema "N2001" Note "an inferred schema" "The event is not declared; its schema follows from its uses. To settle it, paste the declaration.";
}

impl Code {
    /// The code of that text.
    pub fn find(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|c| c.text().eq_ignore_ascii_case(text))
    }
}
