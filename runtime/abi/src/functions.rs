//! The run-time functions that expressions can call, written once.
//!
//! [`for_each_function!`](crate::for_each_function) lists `"name" body(argument types) -> [fallible] result : "what it does";`. The compiler makes
//! its table of signatures of it, the runtime provides `scalar::body`. Null never reaches a body: lowering makes the branches.

use crate::scalar::Scalar;

/// Hands the list of functions to the macro named.
#[macro_export]
macro_rules! for_each_function {
    ($expand:ident) => {
        $expand! {
            "abs" abs_int(Int) -> fallible Int: "The absolute value.";
            "abs" abs_float(Float) -> Float: "The absolute value.";
            "sign" sign_int(Int) -> Int: "-1, 0 or 1.";
            "sign" sign_float(Float) -> Float: "-1.0, 0.0 or 1.0; NaN stays.";
            "floor" floor(Float) -> Float: "The largest whole number that is not above.";
            "ceil" ceil(Float) -> Float: "The smallest whole number that is not below.";
            "round" round(Float) -> Float: "The nearest whole number; halves away from zero.";
            "round" round_to(Float, Int) -> Float: "Rounds to that many decimals.";
            "sqrt" sqrt(Float) -> Float: "The square root; NaN below zero.";
            "exp" exp(Float) -> Float: "e to the power.";
            "ln" ln(Float) -> Float: "The natural logarithm.";
            "log10" log10(Float) -> Float: "The logarithm to base 10.";
            "log2" log2(Float) -> Float: "The logarithm to base 2.";
            "sin" sin(Float) -> Float: "The sine.";
            "cos" cos(Float) -> Float: "The cosine.";
            "tan" tan(Float) -> Float: "The tangent.";
            "is_nan" is_nan(Float) -> Bool: "Whether it is not a number.";
            "int" int_of_float(Float) -> fallible Int: "Truncates toward zero.";
            "int" int_of_text(Text) -> fallible Int: "Reads a decimal integer.";
            "int" int_of_bool(Bool) -> Int: "0 or 1.";
            "int" int_of_json(Json) -> fallible Int: "Reads an integer out of a JSON value.";
            "float" float_of_text(Text) -> fallible Float: "Reads a number.";
            "float" float_of_json(Json) -> fallible Float: "Reads a number out of a JSON value.";
            "bool" bool_of_text(Text) -> fallible Bool: "Reads true or false.";
            "bool" bool_of_json(Json) -> fallible Bool: "Reads true or false out of a JSON value.";
            "str" text_of_int(Int) -> Text: "As decimal text.";
            "str" text_of_float(Float) -> Text: "As shortest text that reads back to the same number.";
            "str" text_of_bool(Bool) -> Text: "true or false.";
            "str" text_of_timestamp(Timestamp) -> Text: "As RFC 3339.";
            "str" text_of_duration(Duration) -> Text: "With its largest fitting units, as 1m30s.";
            "str" text_of_json(Json) -> Text: "A text as it is, any other value as JSON.";
            ".quoted" quoted_text(Text) -> Text: "As JSON, in quotes.";
            ".quoted" quoted_json(Json) -> Text: "As it stands in JSON.";
            "fixed" text_fixed(Float, Int) -> Text: "As text with that many decimals.";
            "len" length(Text) -> Int: "The number of characters.";
            "upper" upper(Text) -> Text: "In upper case.";
            "lower" lower(Text) -> Text: "In lower case.";
            "trim" trim(Text) -> Text: "Without white space at both ends.";
            "contains" contains(Text, Text) -> Bool: "Whether the second stands in the first.";
            "starts_with" starts_with(Text, Text) -> Bool: "Whether the first begins with the second.";
            "ends_with" ends_with(Text, Text) -> Bool: "Whether the first ends with the second.";
            "replace" replace(Text, Text, Text) -> fallible Text: "Every occurrence of the second replaced by the third.";
            "substr" substring(Text, Int, Int) -> Text: "That many characters from a place on, counted from 0; clamped.";
            "concat" concat(Text, Text) -> Text: "Both, joined.";
            "hour" hour(Timestamp) -> Int: "Hour of the day, UTC.";
            "minute" minute(Timestamp) -> Int: "Minute of the hour, UTC.";
            "second" second(Timestamp) -> Int: "Second of the minute, UTC.";
            "day" day(Timestamp) -> Int: "Day of the month, UTC.";
            "month" month(Timestamp) -> Int: "Month, 1 to 12, UTC.";
            "year" year(Timestamp) -> Int: "Year, UTC.";
            "weekday" weekday(Timestamp) -> Int: "1 Monday to 7 Sunday, UTC.";
            "timestamp" timestamp_of_text(Text) -> fallible Timestamp: "Reads RFC 3339.";
            "timestamp" timestamp_of_millis(Int) -> fallible Timestamp: "Milliseconds since the epoch.";
            "millis" millis_of_timestamp(Timestamp) -> Int: "Milliseconds since the epoch, rounded down.";
            "millis" millis_of_duration(Duration) -> Int: "Whole milliseconds.";
            "seconds" seconds_of_duration(Duration) -> Float: "Seconds.";
            "min" min_int(Int, Int) -> Int: "The smaller one.";
            "min" min_float(Float, Float) -> Float: "The smaller one; −0 is smaller than 0, and a NaN loses.";
            "max" max_int(Int, Int) -> Int: "The larger one.";
            "max" max_float(Float, Float) -> Float: "The larger one; 0 is larger than −0, and a NaN loses.";
            "**" power_int(Int, Int) -> fallible Int: "To the power; a negative exponent does not convert.";
            "**" power_float(Float, Float) -> Float: "To the power.";
            "<<" shift_left(Int, Int) -> fallible Int: "Bits shifted up.";
            ">>" shift_right(Int, Int) -> fallible Int: "Bits shifted down, the sign kept.";
            "/" divide_int(Int, Int) -> fallible Int: "Truncates toward zero.";
            "%" remainder_int(Int, Int) -> fallible Int: "With the dividend's sign.";
            "==" json_is_text(Json, Text) -> Bool: "Whether a JSON value is that text.";
            "==" json_is_int(Json, Int) -> Bool: "Whether a JSON value is that number, however it is written.";
            "==" json_is_float(Json, Float) -> Bool: "Whether a JSON value is that number, however it is written.";
            "==" json_is_bool(Json, Bool) -> Bool: "Whether a JSON value is that truth value.";
            "%" remainder_float(Float, Float) -> Float: "With the dividend's sign.";
            "truncate" truncate_time(Timestamp, Duration) -> fallible Timestamp: "The last whole multiple of the duration since the epoch that is not later.";
            "format_time" format_time(Timestamp, Text) -> fallible Text: "As text, as strftime has it: `%Y-%m-%d %H:%M:%S`; UTC.";
            "parse_time" parse_time(Text, Text) -> fallible Timestamp: "Reads such a text; what it leaves out is 0, and UTC.";
            "regex_match" regex_match(Text, Text) -> fallible Bool: "Whether a part of the text matches the regular expression.";
            ".regex_extract" regex_group(Text, Text, Int) -> fallible Packed: "A group of the first match, alone; nothing if there is none.";
            "hash" hash_of_int(Int) -> Int: "FNV-1a of its 8 bytes, the lowest first, as a signed number.";
            "hash" hash_of_float(Float) -> Int: "The hash of its bits; 0 and −0 have one, and so has every NaN.";
            "hash" hash_of_text(Text) -> Int: "FNV-1a of its bytes, 64 bits, as a signed number.";
            ".try_int" try_int_of_text(Text) -> Packed: "An integer, alone; nothing if the text is none.";
            ".try_int" try_int_of_float(Float) -> Packed: "The number without decimals, alone; nothing if it is out of range.";
            ".try_int" try_int_of_json(Json) -> Packed: "An integer, alone; nothing if the JSON value is none.";
            ".try_float" try_float_of_text(Text) -> Packed: "A number, alone; nothing if the text is none.";
            ".try_float" try_float_of_json(Json) -> Packed: "A number, alone; nothing if the JSON value is none.";
            ".try_bool" try_bool_of_text(Text) -> Packed: "A truth value, alone; nothing if the text is none.";
            ".try_bool" try_bool_of_json(Json) -> Packed: "A truth value, alone; nothing if the JSON value is none.";
            ".try_timestamp" try_timestamp_of_text(Text) -> Packed: "A timestamp, alone; nothing if the text is none.";
            ".json_get" json_get(Json, Text) -> Packed: "A part of a JSON value by its path, alone; nothing if there is none.";
            ".decimal" decimal_of_int(Int, Int, Int) -> fallible Decimal: "With so many decimals, of so many digits.";
            ".decimal" decimal_of_float(Float, Int, Int) -> fallible Decimal: "With so many decimals, of so many digits; halves away from zero.";
            ".decimal" decimal_of_text(Text, Int, Int) -> fallible Decimal: "With so many decimals, of so many digits; halves away from zero.";
            ".decimal" decimal_of_json(Json, Int, Int) -> fallible Decimal: "With so many decimals, of so many digits; halves away from zero.";
            ".rescale" rescale_decimal(Decimal, Int, Int) -> fallible Decimal: "With so many decimals more, or fewer, of so many digits; halves away from zero.";
            ".widen" wider_int(Int, Int) -> Decimal: "With so many decimals, where there is room for them.";
            ".widen" wider_decimal(Decimal, Int) -> Decimal: "With so many decimals more, where there is room for them.";
            ".add" add_decimal(Decimal, Decimal) -> fallible Decimal: "The sum of two with equally many decimals.";
            ".subtract" subtract_decimal(Decimal, Decimal) -> fallible Decimal: "The difference of two with equally many decimals.";
            ".multiply" multiply_decimal(Decimal, Decimal) -> fallible Decimal: "The product, with the decimals of both.";
            ".divide" divide_decimal(Decimal, Decimal, Int) -> fallible Decimal: "The quotient, the first with so many decimals more; halves away from zero.";
            ".remainder" remainder_decimal(Decimal, Decimal) -> fallible Decimal: "With the dividend's sign, of two with equally many decimals.";
            ".sum" sum_decimal(Decimal, Decimal) -> Decimal: "The sum; where there is no room for it, what no other sum is, and stays so.";
            ".compare" compare_decimal(Decimal, Decimal, Int) -> Int: "-1, 0 or 1: which is larger, where the first has so many decimals more.";
            ".min" min_decimal(Decimal, Decimal) -> Decimal: "The smaller of two with equally many decimals.";
            ".max" max_decimal(Decimal, Decimal) -> Decimal: "The larger of two with equally many decimals.";
            ".abs" abs_decimal(Decimal) -> Decimal: "The absolute value.";
            ".sign" sign_decimal(Decimal) -> Int: "-1, 0 or 1.";
            ".whole" whole_decimal(Decimal, Int, Bool) -> Decimal: "The largest whole number that is not above, or the smallest that is not below, of one with so many decimals.";
            ".int" int_of_decimal(Decimal, Int) -> fallible Int: "Of one with so many decimals: truncates toward zero.";
            ".float" float_of_decimal(Decimal, Int) -> Float: "Of one with so many decimals: the nearest number.";
            ".text" text_of_decimal(Decimal, Int) -> Text: "With all of its decimals, so many.";
            ".shortest" shortest_of_decimal(Decimal, Int) -> Text: "Without zeros at the end of its decimals, so many.";
            ".entropy" entropy(Int) -> Int: "A number that no one knows before.";
            ".random_step" random_step(Int) -> Int: "The next state of what is drawn from.";
            ".random_unit" random_unit(Int) -> Float: "A number from 0 to below 1 out of such a state.";
            ".uuid" uuid(Int, Int) -> Text: "A UUID of version 4 out of two such states.";
            ".len" parts(Packed) -> Int: "The number of elements.";
            ".size" members(Packed) -> Int: "The number of members of a map.";
            ".place" place(Packed, Int) -> fallible Int: "The place of an element from the beginning; negative ones count from the end.";
            ".character" character(Text, Int) -> fallible Text: "The character at a place; negative ones count from the end.";
            ".slice" slice(Packed, Int, Int) -> Packed: "The elements from one place to before another, clamped.";
            ".slice" slice_text(Text, Int, Int) -> Text: "The characters from one place to before another, clamped.";
            ".find" find(Packed, Packed) -> Int: "The place of the first element equal to the only one of the second, or -1.";
            ".member" member(Packed, Packed) -> Int: "The place of the value whose key is equal to the only element of the second, or -1.";
            ".has_null" has_null(Packed) -> Bool: "Whether an element is null.";
            ".sum" sum_of_ints(Packed) -> fallible Int: "The sum; 0 over nothing.";
            ".sum" sum_of_durations(Packed) -> fallible Duration: "The sum; 0 over nothing.";
            ".sum" sum_of_decimals(Packed) -> fallible Decimal: "The sum; 0 over nothing.";
            ".sum" sum_of_floats(Packed) -> Float: "The sum of numbers; 0 over nothing.";
            ".count" count_of_values(Packed) -> Int: "The number of elements that are not null.";
            ".least" least(Packed) -> Int: "The place of the smallest element, or -1; null and NaN are skipped.";
            ".greatest" greatest(Packed) -> Int: "The place of the largest element, or -1; null and NaN are skipped.";
            ".any" any_true(Packed) -> Bool: "Whether an element is true.";
            ".all" all_true(Packed) -> Bool: "Whether no element is false or null.";
            ".sort" sort(Packed) -> Packed: "In ascending order; null and NaN last.";
            ".by_time" by_time(Packed) -> Packed: "The second parts of pairs, ordered by the first, a time; of equal times in the order that they have.";
            ".smoothed" smoothed(Packed, Float) -> Float: "The exponential moving average of numbers, alpha = 2/(n+1); NaN over nothing.";
            ".reverse" reverse(Packed) -> Packed: "From the last to the first.";
            ".distinct" different(Packed) -> Packed: "The different elements, in order of first appearance.";
            ".flatten" flatten(Packed) -> Packed: "The elements of all elements.";
            ".zip" zip(Packed, Packed) -> Packed: "Pairs of the elements at equal places, as many as the shorter has.";
            ".sliding_pairs" sliding_pairs(Packed) -> Packed: "Each element with the next.";
            ".keys" keys(Packed) -> Packed: "The keys of a map.";
            ".values" values(Packed) -> Packed: "The values of a map.";
            ".concat" concat_arrays(Packed, Packed) -> Packed: "The elements of both.";
            ".range" range(Int, Int) -> fallible Packed: "The integers from one to before another, a million at most.";
            ".join" join(Packed, Text) -> fallible Text: "The texts, with the second between them.";
            "split" split(Text, Text) -> Packed: "The parts between occurrences of the second; each character for the empty text.";
            ".limited" limited_text(Text) -> fallible Text: "The text, unless it is too large.";
            ".limited" limited_array(Packed) -> fallible Packed: "The array, unless it is too large.";
            "*" scale_duration(Duration, Float) -> fallible Duration: "Rounded to the nearest nanosecond.";
            "/" divide_duration(Duration, Float) -> fallible Duration: "Rounded to the nearest nanosecond.";
        }
    };
}

/// A row of the list.
#[derive(Clone, Copy, Debug)]
pub struct FunctionRow {
    /// The language's name or operator.
    pub name: &'static str,
    /// The run-time body.
    pub body: &'static str,
    /// Argument types; never null.
    pub args: &'static [Scalar],
    /// Result type.
    pub result: Scalar,
    /// Whether it can refuse.
    pub fallible: bool,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! rows {
    ($($name:literal $body:ident($($arg:ident),*) -> $r1:ident $($r2:ident)?: $doc:literal;)*) => {
        /// Every function.
        pub const FUNCTIONS: &[FunctionRow] = &[$(FunctionRow {
            name: $name,
            body: stringify!($body),
            args: &[$(Scalar::$arg),*],
            result: rows!(@result $r1 $($r2)?),
            fallible: rows!(@fallible $r1),
            doc: $doc,
        }),*];
    };
    (@result fallible $r:ident) => { Scalar::$r };
    (@result $r:ident) => { Scalar::$r };
    (@fallible fallible) => { true };
    (@fallible $r:ident) => { false };
}
for_each_function!(rows);
