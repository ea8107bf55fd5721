//! Programs made of cases, with other constants, operators and aggregates, are compiled in memory and run to the end over damaged input: nothing
//! panics, and no helper reads or writes what it does not own.
//!
//! The first bytes choose a case, another one beside it, and what changes in their texts; the others damage the cases' input, or are the input.
#![expect(clippy::indexing_slicing, reason = "places are taken modulo what there is")]

use varpulis_compiler::jit::{Limits, Program};

use crate::{Case, jit};

const CASES: &[&str] = &[
    include_str!("../cases/aggregates/all.case"),
    include_str!("../cases/aggregates/combined.case"),
    include_str!("../cases/aggregates/of_text_and_time.case"),
    include_str!("../cases/aggregates/collect_enum.case"),
    include_str!("../cases/aggregates/sum_overflow_sliding.case"),
    include_str!("../cases/aggregates/error_in_the_row.case"),
    include_str!("../cases/aggregates/any_every.case"),
    include_str!("../cases/aggregates/arg_max.case"),
    include_str!("../cases/aggregates/covar_corr.case"),
    include_str!("../cases/joins/interval.case"),
    include_str!("../cases/joins/latest.case"),
    include_str!("../cases/joins/residual.case"),
    include_str!("../cases/joins/self.case"),
    include_str!("../cases/joins/enum_and_int_keys.case"),
    include_str!("../cases/joins/without_equality.case"),
    include_str!("../cases/joins/then_window.case"),
    include_str!("../cases/patterns/sequence.case"),
    include_str!("../cases/patterns/kleene_middle.case"),
    include_str!("../cases/patterns/kleene_values.case"),
    include_str!("../cases/patterns/kleene_own_aggregate.case"),
    include_str!("../cases/patterns/not_between_conditions.case"),
    include_str!("../cases/patterns/not_last.case"),
    include_str!("../cases/patterns/not_whole_and_last.case"),
    include_str!("../cases/patterns/partition_by_two.case"),
    include_str!("../cases/patterns/of_windows.case"),
    include_str!("../cases/patterns/enum_conditions.case"),
    include_str!("../cases/patterns/step_within.case"),
    include_str!("../cases/values/arrays.case"),
    include_str!("../cases/values/equality.case"),
    include_str!("../cases/values/errors.case"),
    include_str!("../cases/values/index.case"),
    include_str!("../cases/values/literals.case"),
    include_str!("../cases/values/maps.case"),
    include_str!("../cases/values/membership.case"),
    include_str!("../cases/values/methods.case"),
    include_str!("../cases/values/methods_null.case"),
    include_str!("../cases/values/ranges.case"),
    include_str!("../cases/values/reordered.case"),
    include_str!("../cases/values/slices.case"),
    include_str!("../cases/values/state.case"),
    include_str!("../cases/values/tuples.case"),
    include_str!("../cases/values/types.case"),
    include_str!("../cases/windows/chained.case"),
    include_str!("../cases/windows/count_sliding_per_key.case"),
    include_str!("../cases/windows/session_per_key.case"),
    include_str!("../cases/windows/sliding_order_dependent.case"),
    include_str!("../cases/windows/sliding_uneven.case"),
    include_str!("../cases/windows/key_types.case"),
    include_str!("../cases/windows/shared_errors.case"),
    include_str!("../cases/windows/before_the_epoch.case"),
    include_str!("../cases/windows/top_k.case"),
    include_str!("../cases/windows/top_k_then.case"),
    include_str!("../cases/operators/distinct_per_key.case"),
    include_str!("../cases/operators/limit_per_key.case"),
    include_str!("../cases/operators/merge_overlapping.case"),
    include_str!("../cases/operators/print_log_tap.case"),
    include_str!("../cases/operators/rekey.case"),
    include_str!("../cases/operators/having.case"),
    include_str!("../cases/operators/emit_as_all.case"),
    include_str!("../cases/operators/map_record.case"),
    include_str!("../cases/time/reordered_pattern.case"),
    include_str!("../cases/time/reordered_sliding.case"),
    include_str!("../cases/time/late_window.case"),
    include_str!("../cases/time/now.case"),
    include_str!("../cases/nulls/logic.case"),
    include_str!("../cases/nulls/pattern_key.case"),
    include_str!("../cases/types/any_and_values.case"),
    include_str!("../cases/types/enums.case"),
    include_str!("../cases/types/if_then_else.case"),
    include_str!("../cases/functions/replace_and_concat.case"),
    include_str!("../cases/functions/str_of_any.case"),
    include_str!("../cases/functions/int_of_any.case"),
    include_str!("../cases/streams/rules.case"),
    include_str!("../cases/errors/in_patterns.case"),
    include_str!("../cases/errors/in_joins.case"),
    include_str!("../cases/declarations/function_nulls.case"),
    include_str!("../cases/declarations/param_types.case"),
    include_str!("../cases/input/rejected_by_all.case"),
];

const NUMBERS: &[&str] = &["0", "1", "2", "3", "7", "10", "63", "64", "100", "1000", "2.5", "9223372036854775807"];
/// What may stand for one another.
const WORDS: &[&[&str]] = &[
    &["+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^"],
    &["<", "<=", ">", ">=", "==", "!="],
    &["and", "or", "xor"],
    &["sum", "avg", "min", "max", "first", "last", "collect", "count_distinct", "stddev", "median", "variance", "count"],
    &["int", "float", "bool", "str", "timestamp", "duration", "any"],
    &["upper", "lower", "trim", "len", "abs", "floor", "round", "str", "is_nan"],
    &["where", "having", "filter"],
    &["map", "filter", "count", "any", "all", "min", "max", "sum", "avg"],
    &["sort", "reverse", "distinct", "sliding_pairs", "flatten", "first", "last", "keys", "values"],
];

/// The fuzzer's bytes, one by one; zeros behind them.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }
    fn number(&mut self) -> usize {
        self.byte() << 8 | self.byte()
    }
}

/// Compiles and runs what the bytes say; whether the program was one, and ran.
pub fn run(data: &[u8]) -> bool {
    let mut choices = Choices(data);
    let (mut program, mut input) = case(&mut choices);
    if choices.byte() % 3 == 0 {
        let (beside, its_input) = case(&mut choices);
        let (beside, its_input) = renamed(&beside, &its_input);
        program.push_str(&beside);
        input.push_str(&its_input);
    }
    for _ in 0..choices.byte() % 6 {
        program = changed(&program, &mut choices);
    }
    let limits = Limits { text: 64 << 10, code: 1 << 20, fuel: Some(1 << 22), ..Limits::default() };
    let Ok(program) = Program::compile_as("fuzz", "fuzz.vpl", &program, limits) else { return false };
    let input = if choices.byte() % 4 == 0 { choices.0.to_vec() } else { damaged(&input, &mut choices) };
    if let Some((one_by_one, at_once)) = jit::one_by_one_and_at_once(&program, &input) {
        assert!(at_once.iter().all(|told| *told == one_by_one), "events at once differ from events one by one");
    }
    // A run may fail: a parameter is missing, say.
    jit::run(&program, &input).is_ok()
}

/// A case's program and input.
fn case(choices: &mut Choices<'_>) -> (String, String) {
    let case = Case::parse("case", CASES[choices.byte() % CASES.len()]);
    let input = case.input().0.to_owned();
    (case.program, input)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words and what stands between them.
fn words(text: &str) -> Vec<&str> {
    let (mut found, mut start) = (vec![], 0);
    let mut before = None;
    for (at, c) in text.char_indices() {
        let kind = if is_of_a_word(c) {
            0
        } else if c.is_ascii_punctuation() && !matches!(c, '(' | ')' | '"' | '.' | ',' | ':') {
            1
        } else {
            2
        };
        if at > start && (before != Some(kind) || kind == 2) {
            found.push(&text[start..at]);
            start = at;
        }
        before = Some(kind);
    }
    found.push(&text[start..]);
    found
}

/// A program whose declarations have other names, and its input likewise.
fn renamed(program: &str, input: &str) -> (String, String) {
    let parts = words(program);
    let mut names = vec![];
    for (at, word) in parts.iter().enumerate() {
        if matches!(*word, "event" | "stream" | "enum" | "fn" | "const" | "let" | "param" | "type" | "pattern") {
            names.extend(parts.get(at + 2).copied());
        }
    }
    let change = |text: &str| words(text).into_iter().map(|word| if names.contains(&word) { format!("{word}2") } else { word.to_owned() }).collect();
    (change(program), change(input))
}

/// One number, operator or function gives way to another.
fn changed(program: &str, choices: &mut Choices<'_>) -> String {
    let mut parts: Vec<String> = words(program).into_iter().map(str::to_owned).collect();
    let list_of = |word: &str| WORDS.iter().find(|list| list.contains(&word)).copied();
    let replaceable = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) || list_of(word).is_some();
    let places: Vec<usize> = (0..parts.len()).filter(|at| replaceable(&parts[*at])).collect();
    let (place, choice) = (choices.number(), choices.byte());
    if let Some(at) = places.get(place % places.len().max(1)) {
        parts[*at] = match list_of(&parts[*at]) {
            Some(list) => list[choice % list.len()].to_owned(),
            None => NUMBERS[choice % NUMBERS.len()].to_owned() + parts[*at].trim_start_matches(|c: char| c.is_ascii_digit() || c == '_'),
        };
    }
    parts.concat()
}

/// Lines again and in another order, members that others have, and bytes in wrong places.
fn damaged(input: &str, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = input.lines().map(|line| line.as_bytes().to_vec()).collect();
    while !choices.0.is_empty() && !lines.is_empty() {
        let (kind, at, value) = (choices.byte(), choices.byte() % lines.len(), choices.byte());
        let other = value % lines.len();
        match kind % 6 {
            0 if lines.len() < 500 => lines.insert(at, lines[other].clone()),
            1 => lines.swap(at, other),
            2 => number(&mut lines[at], value, choices.byte()),
            3 => member(&mut lines, at, choices.byte(), value),
            4 if !lines[at].is_empty() => {
                let place = choices.byte() % lines[at].len();
                lines[at][place] = value as u8;
            }
            _ => {
                lines.remove(at);
            }
        }
    }
    lines.join(&b'\n')
}

/// Another number in place of one.
fn number(line: &mut Vec<u8>, which: usize, choice: usize) {
    const OTHERS: &[&str] = &["0", "-1", "null", "1e308", "9223372036854775807", "-9223372036854775808", "0.1", "7", "1000", "\"x\"", "true", "[]"];
    let starts: Vec<usize> = (1..line.len()).filter(|at| line[*at].is_ascii_digit() && matches!(line[*at - 1], b':' | b'-')).collect();
    if let Some(start) = starts.get(which % starts.len().max(1)) {
        let end = (*start..line.len()).find(|at| !line[*at].is_ascii_digit()).unwrap_or(line.len());
        line.splice(*start..end, OTHERS[choice % OTHERS.len()].bytes());
    }
}

/// A member of one line as another line has it.
fn member(lines: &mut [Vec<u8>], at: usize, which: usize, from: usize) {
    let parts = |line: &[u8]| line.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (mut to, from) = (parts(&lines[at]), parts(&lines[from % lines.len()]));
    let (place, source) = (which % to.len(), which % from.len());
    to[place] = from[source].clone();
    lines[at] = to.join(&b',');
}
