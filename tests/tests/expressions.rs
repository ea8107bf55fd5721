//! Random expressions of everything that the language has, over values at the limits, as three witnesses compute them: the evaluator of lowered
//! code, the JIT, and native code. They agree on every value, to the last bit, and on every refusal: its reason and its place.
//!
//! A million distinct expressions, each on eight rows by evaluator and JIT, and a million evaluations of native code:
//!
//! ```text
//! VARPULIS_EXPRESSIONS=1000000 VARPULIS_ROWS=8 VARPULIS_THREADS=2 VARPULIS_NATIVE_EXPRESSIONS=4000 VARPULIS_NATIVE_ROWS=320 \
//!     cargo test --release -p varpulis-tests --test expressions -- --nocapture
//! ```
//!
//! `VARPULIS_SEED` makes others. In a release build native code is optimized, too. The first expression that differs is made smaller and printed
//! as a case. What the evaluator does not know of functions it asks the runtime: there it is witness to what they are called with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use varpulis_abi::reason::Reason;
use varpulis_compiler::analysis::typed::Literal;
use varpulis_compiler::evaluate::{Outcome, Surroundings, chain};
use varpulis_compiler::jit::{Limits, Program as JitProgram};
use varpulis_compiler::lower::ir::RecordId;
use varpulis_compiler::plan::physical::{Chain, ChainInput, Program};
use varpulis_compiler::{Compiled, compile};
use varpulis_runtime::jit::{Instance, JitRow};
use varpulis_runtime::operator::Refusal;
use varpulis_runtime::output::{Output, WriteRecord};
use varpulis_runtime::program::Instance as _;
use varpulis_runtime::value::Value;
use varpulis_tests::functions::{at_run_time, same};
use varpulis_tests::random::rows::Row;
use varpulis_tests::random::trees::{DECLARATIONS, FIELDS, Tree};
use varpulis_tests::{jit, native};

/// How many expressions a program has.
const BATCH: u64 = 200;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A debug and a release build may run at the same time.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(if cfg!(debug_assertions) { name.to_owned() } else { format!("{name}-release") })
}

/// What was tried: witnesses that see only nulls or only refusals see nothing.
#[derive(Debug, Default)]
struct Statistics {
    expressions: u64,
    refused_by_the_compiler: u64,
    evaluations: u64,
    values: u64,
    nulls: u64,
    dropped: u64,
    refusals: BTreeMap<&'static str, u64>,
    unknown: u64,
    functions_of_the_runtime: u64,
}

impl Statistics {
    fn add(&mut self, other: &Self) {
        self.expressions += other.expressions;
        self.refused_by_the_compiler += other.refused_by_the_compiler;
        self.evaluations += other.evaluations;
        self.values += other.values;
        self.nulls += other.nulls;
        self.dropped += other.dropped;
        other.refusals.iter().for_each(|(reason, count)| *self.refusals.entry(reason).or_default() += count);
        self.unknown += other.unknown;
        self.functions_of_the_runtime += other.functions_of_the_runtime;
    }
}

/// Expressions in one program, one stream each.
struct Batch {
    trees: Vec<Tree>,
    text: String,
    compiled: Compiled,
}

fn text_of(trees: &[Tree]) -> String {
    let streams = trees.iter().enumerate().map(|(at, tree)| format!("stream S{at} = {}\n", tree.text()));
    std::iter::once(DECLARATIONS.to_owned()).chain(streams).collect()
}

/// Compiles the trees that the compiler accepts.
fn batch(mut trees: Vec<Tree>, statistics: &mut Statistics) -> Option<Batch> {
    loop {
        let text = text_of(&trees);
        let compilation = compile(&text);
        if let Some(compiled) = compilation.program {
            statistics.expressions += trees.len() as u64;
            return Some(Batch { trees, text, compiled });
        }
        let errors: Vec<_> = compilation.diagnostics.iter().filter(|d| d.is_error()).collect();
        if std::env::var_os("VARPULIS_SHOW_REFUSED").is_some() {
            println!(
                "{}",
                varpulis_compiler::diagnostics::render(&compilation.diagnostics, &varpulis_compiler::sources::Sources::new("expressions", &text), false)
            );
        }
        let line = |at: u32| text[..at as usize].matches('\n').count();
        let wrong: HashSet<usize> = errors.iter().map(|d| line(d.span.start).saturating_sub(DECLARATIONS.lines().count())).collect();
        let before = trees.len();
        let mut at = 0;
        trees.retain(|_| (!wrong.contains(&at), at += 1).0);
        statistics.refused_by_the_compiler += (before - trees.len()) as u64;
        if trees.len() == before || trees.is_empty() {
            return None;
        }
    }
}

/// What came of one row: rows as publication and value, refusals as place and reason.
#[derive(Default)]
struct Found {
    rows: BTreeMap<String, Literal>,
    errors: Vec<(u32, Reason)>,
}

impl Output<Instance> for Found {
    fn row(&mut self, row: JitRow<'_>) {
        let value = row.get("v").unwrap();
        self.rows.insert(row.stream().to_owned(), literal(value));
    }
    fn error(&mut self, refusal: Refusal, _: &dyn WriteRecord) {
        self.errors.push((refusal.site, refusal.reason));
    }
    fn late(&mut self, _: &dyn WriteRecord) {
        panic!("no row is late");
    }
    fn print(&mut self, _: &str) {}
}

fn literal(value: Value<'_>) -> Literal {
    match value {
        Value::Null => Literal::Null,
        Value::Int(v) => Literal::Int(v),
        Value::Float(v) => Literal::Float(v),
        Value::Decimal(v) => Literal::Decimal(v.into()),
        Value::Bool(v) => Literal::Bool(v),
        Value::Text(v) | Value::Json(v) | Value::Packed(v) => Literal::Str(v.to_owned()),
        Value::Timestamp(v) => Literal::Timestamp(v),
        Value::Duration(v) => Literal::Duration(v),
        Value::Enum(v) => Literal::Enum(v),
    }
}

/// The row's value of a field, for the JIT.
fn value<'r>(row: &'r Row, field: &str) -> Value<'r> {
    let at = place(field);
    match &row.values[at] {
        Literal::Null => Value::Null,
        Literal::Int(v) => Value::Int(*v),
        Literal::Float(v) => Value::Float(*v),
        Literal::Decimal(v) => Value::of_decimal(*v),
        Literal::Bool(v) => Value::Bool(*v),
        Literal::Str(v) if field == "a" => Value::Json(v),
        Literal::Str(v) => Value::Text(v),
        Literal::Timestamp(v) => Value::Timestamp(*v),
        Literal::Duration(v) => Value::Duration(*v),
        Literal::Enum(v) => Value::Enum(*v),
    }
}

fn place(field: &str) -> usize {
    FIELDS.iter().position(|(name, ..)| *name == field).unwrap()
}

/// A row around a chain's body.
struct Around<'a> {
    row: &'a Row,
    places: &'a [usize],
    record: RecordId,
    asked: std::cell::Cell<u64>,
}

impl Surroundings for Around<'_> {
    fn field(&self, record: RecordId, field: usize) -> Option<Literal> {
        if record == self.record { Some(self.row.values[self.places[field]].clone()) } else { None }
    }
    fn ts(&self) -> Option<i64> {
        Some(self.row.ts)
    }
    fn call(&self, body: &str, args: &[Literal]) -> Option<Result<Literal, Reason>> {
        self.asked.set(self.asked.get() + 1);
        match (body, args) {
            ("equal_json", [Literal::Str(a), Literal::Str(b)]) => Some(Ok(Literal::Bool(varpulis_runtime::scalar::equal_json(a, b)))),
            _ => at_run_time(body, args),
        }
    }
}

/// What a difference is about: the streams that it shows in, the row, and what both say.
struct Difference {
    streams: Vec<String>,
    row: Row,
    told: String,
}

/// Runs a program's rows by JIT and evaluator, until they differ.
fn differ(text: &str, physical: &std::sync::Arc<Program>, rows: &[Row], statistics: &mut Statistics) -> Option<Difference> {
    let program = JitProgram::generate(
        physical,
        "expressions",
        "expressions.case",
        &varpulis_compiler::sources::Sources::new("expressions.case", text),
        Limits::default(),
    )
    .unwrap();
    let mut instance = program.instance().unwrap();
    let record = physical.events[0].record;
    let places: Vec<usize> = physical.record(record).fields.iter().map(|f| place(&f.name)).collect();
    let event = program.schema().events[0].clone();
    for row in rows {
        let values: Vec<Value<'_>> = event.fields.iter().map(|f| value(row, &f.name)).collect();
        let mut found = Found::default();
        instance.event(0, row.ts, &values, &mut found);
        let around = Around { row, places: &places, record, asked: std::cell::Cell::new(0) };
        for id in &physical.events[0].chains {
            let of_row = physical.chain(*id);
            if let Err(told) = same_outcome(physical, of_row, &around, &mut found, statistics) {
                return Some(Difference { streams: streams(physical, of_row), row: row.clone(), told });
            }
        }
        statistics.functions_of_the_runtime += around.asked.get();
        if !found.errors.is_empty() || !found.rows.is_empty() {
            let streams = found.errors.iter().map(|(site, _)| physical.sites[*site as usize].stream.clone()).chain(found.rows.keys().cloned());
            let told = format!("the JIT has more: {:?} {:?}", found.rows, found.errors);
            return Some(Difference { streams: streams.collect(), row: row.clone(), told });
        }
    }
    None
}

/// The streams that a chain publishes.
fn streams(physical: &Program, chain: &Chain) -> Vec<String> {
    use varpulis_compiler::lower::ir::Statement;
    let mut found = vec![chain.stream.clone()];
    chain.body.walk(&mut |_| {}, &mut |s| {
        if let Statement::Publish { publication, .. } = s {
            found.push(physical.outputs[*publication].name.clone());
        }
    });
    found.dedup();
    found
}

/// Compares one chain's outcome, and takes what the JIT has of it out of `found`.
fn same_outcome(physical: &Program, of: &Chain, around: &Around<'_>, found: &mut Found, statistics: &mut Statistics) -> Result<(), String> {
    statistics.evaluations += 1;
    let refused =
        |found: &Found| -> Vec<(u32, Reason)> { found.errors.iter().copied().filter(|(site, _)| physical.sites[*site as usize].stream == of.stream).collect() };
    let outcome = if matches!(of.input, ChainInput::Row(_)) { chain(&of.body, around) } else { Outcome::Unknown };
    match outcome {
        Outcome::Done { rows, calls } => {
            statistics.dropped += u64::from(rows.is_empty() && calls.is_empty());
            for id in calls {
                same_outcome(physical, physical.chain(id), around, found, statistics)?;
            }
            for (publication, fields) in rows {
                let name = &physical.outputs[publication].name;
                let jit = found.rows.remove(name);
                let [evaluator] = fields.as_slice() else { return Err(format!("`{name}` has {} fields", fields.len())) };
                if !jit.as_ref().is_some_and(|jit| same(jit, evaluator)) {
                    return Err(format!("JIT {jit:?} {:?}, evaluator {evaluator:?}", refused(found)));
                }
                *(if *evaluator == Literal::Null { &mut statistics.nulls } else { &mut statistics.values }) += 1;
            }
        }
        Outcome::Refused(site, reason) => {
            *statistics.refusals.entry(reason.text()).or_default() += 1;
            let Some(at) = found.errors.iter().position(|error| *error == (site.0, reason)) else {
                return Err(format!("JIT {:?} {:?}, evaluator refuses at {site:?}: {reason}", found.rows.get(&of.stream), refused(found)));
            };
            found.errors.remove(at);
        }
        Outcome::Unknown => {
            statistics.unknown += 1;
            let names = streams(physical, of);
            found.rows.retain(|name, _| !names.contains(name));
            found.errors.retain(|(site, _)| !names.contains(&physical.sites[*site as usize].stream));
        }
    }
    Ok(())
}

/// Rows in the order of their time.
fn rows(rng: &mut fastrand::Rng, count: u64) -> Vec<Row> {
    let mut times: Vec<i64> = (0..count)
        .map(|_| match rng.u8(..6) {
            // From 1700 to 2199, as far as the times of events go.
            0 => rng.i64(-8_520_336_000_000_000_000..7_258_118_400_000_000_000),
            1 => rng.i64(-2..3),
            _ => rng.i64(0..2_000_000_000_000_000_000),
        })
        .collect();
    times.sort_unstable();
    times.into_iter().map(|ts| Row::random(rng, ts)).collect()
}

/// Trees whose texts were not seen before.
fn unseen(rng: &mut fastrand::Rng, count: u64, seen: &Mutex<HashSet<u64>>) -> Vec<Tree> {
    let mut trees = vec![];
    while (trees.len() as u64) < count {
        let tree = Tree::random(rng);
        let mut hasher = DefaultHasher::new();
        tree.text().hash(&mut hasher);
        if seen.lock().unwrap().insert(hasher.finish()) {
            trees.push(tree);
        }
    }
    trees
}

/// The tree that a difference shows in, alone and as small as it gets, as a case.
fn reduced(mut tree: Tree, row: &Row, differs: &dyn Fn(&Tree, &Row) -> Option<String>) -> String {
    let mut told = differs(&tree, row).unwrap_or_else(|| "alone it does not differ".to_owned());
    let mut tries = 0;
    while let Some((smaller, says)) = tree.smaller().into_iter().take(400).find_map(|t| differs(&t, row).map(|says| (t, says))) {
        (tree, told, tries) = (smaller, says, tries + 1);
        if tries > 50 {
            break;
        }
    }
    let line = row.to_json().unwrap_or_else(|| format!("# no JSON has these values: {row:?}"));
    format!("{}--- input\n{line}\n--- what differs\n{told}", text_of(&[tree]))
}

fn by_evaluator(tree: &Tree, row: &Row) -> Option<String> {
    let batch = batch(vec![tree.clone()], &mut Statistics::default())?;
    differ(&batch.text, &batch.compiled.physical, std::slice::from_ref(row), &mut Statistics::default()).map(|d| d.told)
}

fn culprit(batch: &Batch, streams: &[String]) -> Option<Tree> {
    let at = streams.iter().find_map(|name| name.strip_prefix('S')?.parse::<usize>().ok())?;
    batch.trees.get(at).cloned()
}

#[test]
fn evaluator_and_jit_agree() {
    let (count, seed, of_each) = (number("VARPULIS_EXPRESSIONS", 4_000), number("VARPULIS_SEED", 1), number("VARPULIS_ROWS", 8));
    let (seen, all, failed, next) = (Mutex::default(), Mutex::new(Statistics::default()), Mutex::new(vec![]), AtomicU64::new(0));
    let work = || {
        let mut statistics = Statistics::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at * BATCH >= count || failed.lock().unwrap().len() >= 5 {
                break;
            }
            let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(at));
            let trees = unseen(&mut rng, BATCH.min(count - at * BATCH), &seen);
            let Some(batch) = batch(trees, &mut statistics) else { continue };
            let rows = rows(&mut rng, of_each);
            if let Some(difference) = differ(&batch.text, &batch.compiled.physical, &rows, &mut statistics) {
                let case = culprit(&batch, &difference.streams).map(|tree| reduced(tree, &difference.row, &by_evaluator));
                failed.lock().unwrap().push(format!("{}\n{}", difference.told, case.unwrap_or_else(|| format!("in {:?}", difference.streams))));
            }
        }
        all.lock().unwrap().add(&statistics);
    };
    std::thread::scope(|scope| {
        for _ in 0..number("VARPULIS_THREADS", 1) {
            std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let (statistics, failed) = (all.into_inner().unwrap(), failed.into_inner().unwrap());
    println!("seed {seed}, evaluator and JIT: {statistics:#?}");
    assert!(failed.is_empty(), "seed {seed}: {} programs differ:\n{}", failed.len(), failed.join("\n\n"));
    assert!(statistics.unknown * 100 < statistics.evaluations, "the evaluator knows too little");
    assert!(statistics.values * 4 > statistics.evaluations, "too few values");
}

/// Where rows or errors of both backends begin to differ; byte for byte, but for the order of the outputs.
fn unlike(jit: &native::Outputs, native: &native::Outputs) -> Option<String> {
    if jit.dead != native.dead || !jit.dead.is_empty() || jit.late != native.late {
        return Some(format!("dead letters\n{}{}", jit.dead, native.dead));
    }
    [(&jit.rows, &native.rows), (&jit.errors, &native.errors)].into_iter().find_map(|(jit, native)| {
        let (mut left, mut right) = (jit.lines(), native.lines());
        loop {
            match (left.next(), right.next()) {
                (None, None) => return (jit != native).then(|| "line ends".to_owned()),
                (a, b) if a == b => {}
                (a, b) => return Some(format!("JIT    {}\nnative {}", a.unwrap_or("nothing"), b.unwrap_or("nothing"))),
            }
        }
    })
}

fn by_native(batch: &Batch, binary: &Path, name: &str, lines: &str) -> Result<native::Outputs, String> {
    let outputs = folder("expressions-outputs");
    std::fs::create_dir_all(&outputs).map_err(|e| e.to_string())?;
    std::fs::write(outputs.join("input"), lines).map_err(|e| e.to_string())?;
    let program =
        JitProgram::generate(&batch.compiled.physical, name, &format!("{name}.case"), &batch.compiled.sources, Limits::default()).map_err(|e| e.to_string())?;
    let jit = jit::run(&program, lines.as_bytes())?;
    let native = native::run(binary, name, &outputs, native::Input::File(&outputs.join("input")), &[])?;
    unlike(&jit, &native).map_or(Ok(jit), Err)
}

fn build(folder: &str, programs: &[(String, String)]) -> PathBuf {
    native::build_as(&self::folder(folder), programs, if cfg!(debug_assertions) { "dev" } else { "release" }).unwrap()
}

/// Whether both backends differ on a tree alone.
fn differs_native(tree: &Tree, row: &Row) -> Option<String> {
    let batch = batch(vec![tree.clone()], &mut Statistics::default())?;
    let binary = build("expression-reduced", &[("reduced".to_owned(), batch.text.clone())]);
    by_native(&batch, &binary, "reduced", &row.to_json()?).err()
}

#[test]
fn native_code_and_jit_agree() {
    let (count, seed) = (number("VARPULIS_NATIVE_EXPRESSIONS", 120), number("VARPULIS_SEED", 1).wrapping_add(1_000_000));
    let (seen, mut statistics, mut rng) = (Mutex::default(), Statistics::default(), fastrand::Rng::with_seed(seed));
    let sizes = (0..count.div_ceil(BATCH)).map(|at| BATCH.min(count - at * BATCH));
    let batches: Vec<Batch> = sizes.filter_map(|size| batch(unseen(&mut rng, size, &seen), &mut statistics)).collect();
    let programs: Vec<(String, String)> = batches.iter().enumerate().map(|(at, batch)| (format!("expressions{at}"), batch.text.clone())).collect();
    let binary = build("expressions", &programs);
    let rows: Vec<Row> = rows(&mut rng, number("VARPULIS_NATIVE_ROWS", 250)).into_iter().filter(|row| row.to_json().is_some()).collect();
    let lines: String = rows.iter().filter_map(Row::to_json).map(|line| line + "\n").collect();
    let (mut of_rows, mut errors) = (0, 0);
    for (batch, (name, _)) in batches.iter().zip(&programs) {
        match by_native(batch, &binary, name, &lines) {
            Ok(outputs) => {
                of_rows += outputs.rows.lines().count();
                errors += outputs.errors.lines().count();
            }
            Err(told) => {
                let stream = told.split('"').filter(|word| word.len() > 1).map(str::to_owned).collect::<Vec<_>>();
                let alone = |tree: &Tree| rows.iter().find(|row| differs_native(tree, row).is_some()).map(|row| reduced(tree.clone(), row, &differs_native));
                let case = culprit(batch, &stream).and_then(|tree| alone(&tree));
                panic!("seed {seed}: {name} differs:\n{told}\n{}", case.unwrap_or_default());
            }
        }
    }
    println!(
        "seed {seed}, native code and JIT: {count} expressions, {} rows in, {of_rows} rows and {errors} errors out, {} refused by the compiler",
        rows.len(),
        statistics.refused_by_the_compiler
    );
    assert!(of_rows > errors / 4, "too few rows");
}
