//! Every diagnostic's code: stable text, level, title, explanation, and a program before and after it is mended. `varpulis explain E0203` and the documentation are made of this table.

use super::diagnostic::Level;

macro_rules! codes {
    ($($name:ident $text:literal $level:ident $title:literal $explanation:literal bad $bad:literal good $good:literal;)*) => {
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
            /// A short program that gets this diagnostic. Where only a huge one does, a sketch with `…`.
            pub const fn bad(self) -> &'static str { match self { $(Code::$name => $bad),* } }
            /// The same program, mended.
            pub const fn good(self) -> &'static str { match self { $(Code::$name => $good),* } }
        }
    };
}

codes! {
    InvalidCharacter "E0001" Error "a character that no program has"
        "Control characters cannot be seen and mean nothing. Remove them; in a text, write them as `\\u{…}`."
        bad "stream Big = Trade.where(price > \u{1} 1.0)"
        good "stream Big = Trade.where(price > 1.0)";
    UnterminatedText "E0002" Error "a text without an end"
        "A text ends on the line where it begins, with the quote that opened it. Write a line break as `\\n`."
        bad "stream A = Trade.where(symbol == \"A)"
        good "stream A = Trade.where(symbol == \"A\")";
    TabIndentation "E0003" Error "a tab in indentation"
        "Blocks are delimited by indentation, and a tab has no fixed width. Indent with spaces."
        bad "event Trade:\n\tprice: float\nstream Big = Trade.where(price > 1.0)"
        good "event Trade:\n    price: float\nstream Big = Trade.where(price > 1.0)";
    Indentation "E0004" Error "indentation that fits no block"
        "A line of a block begins where the block's other lines begin."
        bad "event Trade:\n    price: float\n  volume: int\nstream Big = Trade.where(price > 1.0)"
        good "event Trade:\n    price: float\n    volume: int\nstream Big = Trade.where(price > 1.0)";
    InvalidNumber "E0005" Error "a number out of range"
        "Integers have 64 bits; durations reach 292 years; dates are dates of the calendar."
        bad "const LIMIT = 100_000_000_000_000_000_000\nstream Big = Trade.where(price > LIMIT)"
        good "const LIMIT = 1e20\nstream Big = Trade.where(price > LIMIT)";
    InvalidEscape "E0006" Error "an unknown escape"
        "Escapes in texts are \\n \\t \\r \\\\ \\\" \\' and \\u{…} with a character's hexadecimal number."
        bad "stream A = Log.where(path == \"C:\\data\")"
        good "stream A = Log.where(path == \"C:\\\\data\")";
    UnterminatedComment "E0007" Error "a comment without an end"
        "A comment that begins with `/*` ends with `*/`."
        bad "/* large trades\nstream Big = Trade.where(price > 1.0)"
        good "/* large trades */\nstream Big = Trade.where(price > 1.0)";
    BidiControl "E0008" Error "a character that reorders text"
        "Characters that change the order in which text is shown can make a program look like another one. Remove them."
        bad "stream A = Log.where(user == \"admin\u{202e}\")"
        good "stream A = Log.where(user == \"admin\\u{202e}\")";
    Syntax "E0101" Error "a syntax error"
        "The text is not what the grammar allows here. The message says what could stand in its place."
        bad "stream Big = Trade.where(price > )"
        good "stream Big = Trade.where(price > 1.0)";
    ChainedComparison "E0102" Error "a chain of comparisons"
        "`a < b < c` is not a comparison of three values. Write `a < b and b < c`."
        bad "stream Mid = Trade.where(1.0 < price < 2.0)"
        good "stream Mid = Trade.where(1.0 < price and price < 2.0)";
    UnknownName "E0201" Error "an unknown name"
        "Nothing of that name is visible here: no field, alias, constant or parameter."
        bad "const LIMIT = 10\nstream Sample = Trade.limit(LIMT)"
        good "const LIMIT = 10\nstream Sample = Trade.limit(LIMIT)";
    DuplicateName "E0202" Error "a name used twice"
        "Every declaration of a program has a name of its own."
        bad "stream Big = Trade.where(price > 1.0)\nstream Big = Trade.where(price > 2.0)"
        good "stream Big = Trade.where(price > 1.0)\nstream Bigger = Trade.where(price > 2.0)";
    UnknownField "E0203" Error "an unknown field"
        "The record has no field of that name. Declared events have the fields of their declaration; records behind `.select` and `.aggregate` have the fields named there."
        bad "event Trade:\n    price: float\nstream Big = Trade.where(pirce > 1.0)"
        good "event Trade:\n    price: float\nstream Big = Trade.where(price > 1.0)";
    UnknownFunction "E0204" Error "an unknown function"
        "No function, aggregate or declaration has that name."
        bad "stream Whole = Trade.select(price: flor(price))"
        good "stream Whole = Trade.select(price: floor(price))";
    UnknownStream "E0205" Error "an unknown event or stream"
        "The name is that of no event or stream, and like one that is declared. An event may stay undeclared only if its name is like no other."
        bad "event Trade:\n    price: float\nstream Big = Trad.where(price > 1.0)"
        good "event Trade:\n    price: float\nstream Big = Trade.where(price > 1.0)";
    CyclicStreams "E0206" Error "declarations in a circle"
        "A stream cannot read what is made of itself; nor can a constant, a type or an event be made of itself."
        bad "stream A = B.where(x > 1)\nstream B = A.where(x > 2)"
        good "stream A = Trade.where(x > 1)\nstream B = A.where(x > 2)";
    RecursiveFunction "E0207" Error "a recursive function"
        "Functions are expanded where they are called, so that none may call itself."
        bad "event Trade:\n    price: float\nfn half(x: float) -> float:\n    half(x) / 2.0\nstream Half = Trade.select(x: half(price))"
        good "event Trade:\n    price: float\nfn half(x: float) -> float:\n    x / 2.0\nstream Half = Trade.select(x: half(price))";
    UnknownAlias "E0208" Error "an unknown alias"
        "What stands before the dot is no step, alias, record or enum that is visible here. A step sees the steps before it."
        bad "stream Rise = Trade as a -> Trade where price > first.price as b .within(1m)"
        good "stream Rise = Trade as a -> Trade where price > a.price as b .within(1m)";
    UnknownType "E0209" Error "an unknown type"
        "Types are int, float, bool, str, timestamp, duration, any, arrays of them, and the program's own aliases and enums."
        bad "event Trade:\n    symbol: string\nstream All = Trade.select(symbol)"
        good "event Trade:\n    symbol: str\nstream All = Trade.select(symbol)";
    NotAssignable "E0210" Error "no variable to assign to"
        "`:=` gives a new value to what the function declares with `var`. Parameters, `let`s and fields keep theirs."
        bad "fn total(xs: [int]) -> int:\n    let sum = 0\n    for x in xs:\n        sum := sum + x\n    sum\nevent T:\n    xs: [int]\nstream S = T.select(sum: total(xs))"
        good "fn total(xs: [int]) -> int:\n    var sum = 0\n    for x in xs:\n        sum := sum + x\n    sum\nevent T:\n    xs: [int]\nstream S = T.select(sum: total(xs))";
    OutsideLoop "E0211" Error "a loop's word outside of a loop"
        "`break` and `continue` stand in a `for` or a `while`. `return` leaves a function."
        bad "fn f(x: int) -> int:\n    if x > 1:\n        break\n    x\nevent T:\n    x: int\nstream S = T.select(y: f(x))"
        good "fn f(x: int) -> int:\n    if x > 1:\n        return 1\n    x\nevent T:\n    x: int\nstream S = T.select(y: f(x))";
    EmitWithoutStream "E0212" Error "an `emit` that no stream takes"
        "A function that emits records is called by `.process(…)`, which takes them; other calls are for a value."
        bad "fn f(x: int) -> int:\n    emit P(x)\n    x\nevent T:\n    x: int\nstream S = T.select(y: f(x))"
        good "fn f(x: int):\n    emit P(x)\nevent T:\n    x: int\nstream S = T.process(f(x))";
    TypeMismatch "E0301" Error "types that do not fit"
        "There is no implicit conversion but from int to float, and from a type to its optional. Convert with `int(x)`, `float(x)`, `str(x)`; give null a value with `x ?? default`."
        bad "event Trade:\n    volume: int\nstream A = Trade.where(volume == \"100\")"
        good "event Trade:\n    volume: int\nstream A = Trade.where(volume == 100)";
    ConflictingUses "E0302" Error "a field used as two types"
        "The schema of an undeclared event is inferred from its uses, and these disagree. Declare the event."
        bad "stream A = Trade.where(price > 1.0)\nstream B = Trade.where(price == \"none\")"
        good "event Trade:\n    price: str\nstream A = Trade.where(float(price) > 1.0)\nstream B = Trade.where(price == \"none\")";
    WrongArgumentType "E0303" Error "an argument of the wrong type"
        "The function or operator takes other types."
        bad "event Trade:\n    price: float\nstream A = Trade.select(x: upper(price))"
        good "event Trade:\n    price: float\nstream A = Trade.select(x: upper(str(price)))";
    WrongArgumentCount "E0304" Error "a wrong number of arguments"
        "The function or operator takes fewer or more arguments."
        bad "stream A = Trade.select(x: floor(price, 2))"
        good "stream A = Trade.select(x: floor(price))";
    NotBoolean "E0305" Error "a condition that is no condition"
        "A condition is a bool: a comparison, or several joined by and, or, not."
        bad "event Trade:\n    price: float\nstream A = Trade.where(price)"
        good "event Trade:\n    price: float\nstream A = Trade.where(price > 0.0)";
    NotConstant "E0306" Error "a value that is not constant"
        "This place needs a value that is known when the program is compiled: literals, constants and functions of them."
        bad "let n: int = 5\nstream First = Trade.limit(n)"
        good "const N: int = 5\nstream First = Trade.limit(N)";
    ConstantEvaluation "E0307" Error "a constant that cannot be computed"
        "Computing the constant overflows, divides by zero or fails to convert."
        bad "const N = 10 / 0\nstream First = Trade.limit(N)"
        good "const N = 10 / 1\nstream First = Trade.limit(N)";
    UnknownVariant "E0308" Error "an unknown variant"
        "The enum has no such variant."
        bad "enum Side: Buy, Sell\nevent Trade:\n    side: Side\nstream Bought = Trade.where(side == \"buy\")"
        good "enum Side: Buy, Sell\nevent Trade:\n    side: Side\nstream Bought = Trade.where(side == \"Buy\")";
    UnknownOperator "E0501" Error "an unknown operator"
        "Streams have no operator of that name."
        bad "stream Big = Trade.wehre(price > 1.0)"
        good "stream Big = Trade.where(price > 1.0)";
    MissingArgument "E0502" Error "a missing argument"
        "The operator needs an argument that is not there."
        bad "stream First = Trade.limit()"
        good "stream First = Trade.limit(5)";
    UnknownArgument "E0503" Error "an unknown argument"
        "The operator or function takes no argument of that name."
        bad "stream V = Trade.window(5m, slide: 30s).aggregate(n: count())"
        good "stream V = Trade.window(5m, sliding: 30s).aggregate(n: count())";
    BadArgument "E0504" Error "an argument that does not fit"
        "The argument is not of the form that the operator takes."
        bad "stream First = Trade.limit(0)"
        good "stream First = Trade.limit(1)";
    BareFieldInAggregate "E0505" Error "a bare field among aggregates"
        "A window has many records, so that a field alone has no value. Use a key, or an aggregate such as `last(field)`."
        bad "stream V = Trade.window(1m).aggregate(n: count(), price: price)"
        good "stream V = Trade.window(1m).aggregate(n: count(), price: last(price))";
    AggregateOutsideWindow "E0506" Error "an aggregate without a window"
        "An aggregate ranges over the records of a window or the elements of a Kleene step."
        bad "stream V = Trade.select(total: sum(price))"
        good "stream V = Trade.window(1m).aggregate(total: sum(price))";
    OperatorNeedsWindow "E0507" Error "an operator that needs a window"
        "The operator works on the records of a window."
        bad "stream V = Trade.aggregate(n: count())"
        good "stream V = Trade.window(1m).aggregate(n: count())";
    UnboundedState "E0508" Error "state without a bound"
        "The operator would keep state for ever. Bound it, or permit it with `allow: \"unbounded\"`."
        bad "stream Once = Trade.distinct(symbol)"
        good "stream Once = Trade.distinct(symbol, within: 1h)";
    DuplicateField "E0509" Error "a field that stands twice"
        "The fields of a record have different names."
        bad "stream V = Trade.select(price, price: volume)"
        good "stream V = Trade.select(price, volume)";
    Import "E0213" Error "a file that cannot be imported"
        "A path is relative to the file that imports it. Files do not import each other in a circle, and a program that is handed over as text alone has none beside it."
        bad "import \"missing.vpl\"\nstream Big = Trade.where(price > 50.0)"
        good "const LIMIT = 50.0\nstream Big = Trade.where(price > LIMIT)";
    StateOutOfOrder "E0512" Error "program state where records have no order"
        "A `var` of the program is read and changed as records pass: in `.where`, `.select`, `.emit`, `.process` and observers. Windows, joins and patterns take records in an order of their own, and what is computed at the start comes before all of them."
        bad "var limit: float = 9.0\nfn raised() -> float:\n    limit := limit + 1.0\n    limit\nstream Tops = Trade.window(1m).aggregate(n: count(where: price > raised()))"
        good "var limit: float = 9.0\nfn raised() -> float:\n    limit := limit + 1.0\n    limit\nstream Tops = Trade.select(above: price > raised()).window(1m).aggregate(n: count(where: above))";
    OutOfTime "E0513" Error "late rows where order counts"
        "A window with `.allowed_lateness` takes late events, and tells of their rows when they come. Windows, joins, patterns and whatever else keeps records take them in the order of time."
        bad "stream A = Trade.window(1m).allowed_lateness(1m).aggregate(n: count())\nstream B = A.window(1h).aggregate(most: max(n))"
        good "stream A = Trade.window(1m).allowed_lateness(1m).aggregate(n: count())\nstream B = A.where(n > 10)";
    LagWithoutRecords "E0511" Error "a look back from nowhere"
        "`lag` looks back from the records of `.where`, `.having`, `.select` and `.emit`; a window or a match becomes one by `.aggregate` or `.select`."
        bad "stream Total = Trade.window(1m).select(before: lag(sum(price)))"
        good "stream Total = Trade.window(1m).aggregate(total: sum(price)).select(total, before: lag(total))";
    JoinCondition "E0510" Error "a join without condition or window"
        "A join needs `.on(…)`, and `join` needs `.window(…)`: how far apart its members may be."
        bad "stream J = join(Order, Payment).on(Order.id == Payment.id)"
        good "stream J = join(Order, Payment).on(Order.id == Payment.id).window(5m)";
    PatternNeedsWithin "E0602" Error "an absence without an end"
        "That something did not happen is known when its time is over. Bound the pattern with `.within(…)`."
        bad "stream Unpaid = Order as o -> not Payment where id == o.id"
        good "stream Unpaid = Order as o -> not Payment where id == o.id .within(1h)";
    PatternAlias "E0603" Error "an alias that cannot be"
        "Aliases of a pattern's steps and a join's sides are different, and absent events have none."
        bad "stream Rise = Trade as a -> Trade where price > a.price as a .within(1m)"
        good "stream Rise = Trade as a -> Trade where price > a.price as b .within(1m)";
    PatternStep "E0604" Error "a step that cannot be"
        "A pattern begins with an event that happens; absences stand behind one."
        bad "stream Alone = not Login -> Transfer as t .within(1m)"
        good "stream Alone = Logout as o -> not Login -> Transfer as t .within(1m)";
    NotCompiledYet "E0701" Error "understood, not compiled yet"
        "The language has it, and this version reads and checks it, but cannot compile it. The program is refused rather than run as something else."
        bad "stream V = Trade.emit(symbol, context: \"fast\")"
        good "stream V = Trade.emit(symbol)";
    OperatorNotCompiledYet "E0702" Error "an operator that is not compiled yet"
        "The language has the operator; this version cannot compile it."
        bad "stream Rich = Trade.enrich(venues, key: venue, fields: [country])"
        good "stream Rich = latest_join(Trade, Venue).on(Trade.venue == Venue.name).emit(venue: Trade.venue, country: Venue.country)";
    FunctionNotCompiledYet "E0703" Error "a function that is not compiled yet"
        "The language has the function; this version cannot compile it."
        bad "stream Odd = Trade.select(price, odd: attention_score())"
        good "stream Odd = Trade.where(price > 9.0).select(price, at: now())";
    TooLarge "E0901" Error "too large"
        "The program goes beyond a limit of the compiler."
        bad "stream Long = E1 -> E2 -> E3 -> … -> E65"
        good "stream Long = E1 -> E2 -> E3 -> … -> E64";
    TooDeep "E0902" Error "nested too deeply or too large"
        "Brackets, blocks and expressions nest at most 128 levels deep. Functions, `let`s, constants and entries of `.aggregate` are written out where they are used, up to 50,000 parts an expression: compute in a stream of its own what doubles with every line."
        bad "const X = ((((…((1))…))))\nstream A = Trade.limit(X)"
        good "const X = (1)\nstream A = Trade.limit(X)";
    UnusedDeclaration "W1001" Warning "an unused declaration"
        "Nothing uses it. Remove it, or begin its name with `_`."
        bad "const LIMIT = 10.0\nstream Big = Trade.where(price > 9.0)"
        good "const LIMIT = 10.0\nstream Big = Trade.where(price > LIMIT)";
    OldForm "W1002" Warning "an older form"
        "The form is accepted; there is a newer one."
        bad "stream Big from Trade.where(price > 1.0)"
        good "stream Big = Trade.where(price > 1.0)";
    NullComparison "W1003" Warning "a comparison with null"
        "`x == null` means `x is null`, which says it."
        bad "stream A = Trade.where(venue == null)"
        good "stream A = Trade.where(venue is null)";
    CrossJoin "W1004" Warning "a join without an equality"
        "Every record is compared with every other of the window: cost grows with the square."
        bad "stream J = join(Bid, Ask).on(Bid.price >= Ask.price).window(1s)"
        good "stream J = join(Bid, Ask).on(Bid.symbol == Ask.symbol and Bid.price >= Ask.price).window(1s)";
    LikelySlip "W1007" Warning "a likely slip"
        "The language allows it, and something else is meant by most who write it."
        bad "stream A = Trade.window(1m).aggregate(high: percentile(price, 0.95))"
        good "stream A = Trade.window(1m).aggregate(high: percentile(price, 95))";
    UnknownSetting "W1006" Warning "a setting without effect"
        "`config:` has one setting, `mode`, and so far the modes differ in nothing; what other engines read there is none."
        bad "config:\n    workers: 4\nstream A = Trade.where(price > 1.0)"
        good "stream A = Trade.where(price > 1.0)";
    UnboundedPattern "W1005" Warning "a pattern without an end"
        "Runs wait for ever, and memory grows with the input. Bound the pattern with `.within(…)`."
        bad "stream Paid = Order as o -> Payment where id == o.id as p"
        good "stream Paid = Order as o -> Payment where id == o.id as p .within(1h)";
    Impure "N2002" Note "what differs from run to run"
        "`random()`, `uuid()` and `wall_clock()` are the only functions whose values do not follow from the program and its input. `--param random_seed=1` repeats the first two."
        bad "stream Sampled = Trade.where(random() < 0.1)"
        good "stream Sampled = Trade.where(hash(symbol) % 10 == 0)";
    Parameter "N2003" Note "a parameter"
        "What the program is set from outside: by `--param`, or by the builder of a program in Rust. One without a default must be set."
        bad "param least: float = 10.0\nstream Big = Trade.where(price > least)"
        good "const LEAST = 10.0\nstream Big = Trade.where(price > LEAST)";
    InferredSchema "N2001" Note "an inferred schema"
        "The event is not declared; its schema follows from its uses. To settle it, paste the declaration."
        bad "stream Big = Trade.where(price > 1.0)"
        good "event Trade:\n    price: float\nstream Big = Trade.where(price > 1.0)";
}

impl Code {
    /// The code of that text.
    pub fn find(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|c| c.text().eq_ignore_ascii_case(text))
    }
}
