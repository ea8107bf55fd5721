//! Programs in memory come and go: what they took is given back, no memory is ever writable and executable at once, compiling twice makes the
//! same code, and instances need nothing but themselves.
//!
//! `VARPULIS_CYCLES` says how often a program is compiled, run and dropped: 10,000 times unless it says otherwise, or 2,000 times in a debug build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use varpulis_compiler::compile;
use varpulis_compiler::jit::Program;
use varpulis_runtime::jit::{Instance, JitRow};
use varpulis_runtime::operator::Refusal;
use varpulis_runtime::output::{Output, RecordWriter, WriteRecord, rows};
use varpulis_runtime::program::Instance as _;
use varpulis_runtime::value::Value;

/// A window, a pattern, texts that are made, and a set of what was seen.
const PROGRAM: &str = r#"event T:
    k: str
    v: int
stream Sums = T.partition_by(k).window(1s).aggregate(k: k, total: sum(v), all: collect(k))
stream Rises = T as a -> T where k == a.k and v > a.v as b .within(5s).emit(k: upper(a.k) + "!", by: b.v - a.v)
stream News = T.distinct(k, within: 1m).select(k, text: f"{k} {v}", quotient: 100 / v)
"#;

/// Memory is the whole process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands events over, and returns the rows' texts and how many were refused.
fn run(instance: &mut Instance) -> (Vec<String>, u64) {
    let mut found = vec![];
    let mut out = rows(|row: JitRow<'_>| found.push(text(&row)));
    for at in 0..12 {
        let key = ["a", "b", "a longer key that is no short text"][at as usize % 3];
        instance.event(0, (1 + at) * 300_000_000, &[Value::Text(key), Value::Int(at % 5)], &mut out);
    }
    instance.finish(&mut out);
    let errors = out.errors;
    (found, errors)
}

fn text(row: &JitRow<'_>) -> String {
    let mut buffer = vec![];
    row.write(&mut RecordWriter::new(&mut buffer));
    String::from_utf8(buffer).unwrap()
}

fn program() -> Program {
    Program::compile(PROGRAM).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(target_os = "linux")]
mod memory {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;

    /// The pages that the process has in memory, in KiB; pages are at least 4 KiB large.
    fn resident() -> u64 {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4
    }

    /// How the process's mappings may be used: `r-xp` and so on.
    fn permissions() -> Vec<String> {
        let text = std::fs::read_to_string("/proc/self/maps").unwrap();
        text.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    fn executable() -> usize {
        permissions().iter().filter(|p| p.contains('x')).count()
    }

    #[test]
    fn what_programs_took_is_given_back() {
        let _alone = alone();
        let cycles = std::env::var("VARPULIS_CYCLES").ok().and_then(|v| v.parse().ok()).unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 10_000_u32 });
        let cycle = || {
            let program = program();
            let (rows, errors) = run(&mut program.instance().unwrap());
            assert!(rows.len() > 10 && errors == 1, "{errors} errors and {rows:?}");
        };
        (0..cycles.min(500)).for_each(|_| cycle());
        let (memory, mappings) = (resident(), executable());
        (0..cycles).for_each(|_| cycle());
        let (then, after) = (resident(), executable());
        println!("{cycles} cycles: {memory} KiB before, {then} KiB after; {mappings} executable mappings before, {after} after");
        assert_eq!(after, mappings, "executable mappings stayed");
        assert!(then <= memory + 1_024, "{memory} KiB became {then} KiB in {cycles} cycles");
    }

    #[test]
    fn a_program_has_executable_memory_as_long_as_it_lives() {
        let _alone = alone();
        drop(program());
        let before = executable();
        let programs: Vec<Program> = (0..20).map(|_| program()).collect();
        assert!(executable() > before, "compiled code has no mapping of its own: the tests here count the wrong thing");
        drop(programs);
        assert_eq!(executable(), before);
    }

    #[test]
    fn no_memory_is_writable_and_executable() {
        let _alone = alone();
        let (done, looks) = (AtomicBool::new(false), AtomicU64::new(0));
        let look = || {
            let open = permissions().into_iter().filter(|p| p.contains('w') && p.contains('x')).count();
            looks.fetch_add(1, Ordering::Relaxed);
            assert_eq!(open, 0, "mappings are writable and executable");
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    look();
                }
            });
            for _ in 0..1_000 {
                let program = program();
                look();
                drop(program);
            }
            done.store(true, Ordering::Relaxed);
        });
        println!("looked {} times", looks.load(Ordering::Relaxed));
    }
}

#[test]
fn compiling_twice_makes_the_same_code() {
    let _alone = alone();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut compared = 0;
    for case in varpulis_tests::cases(&root.join("tests/cases"), &root) {
        let listing = || compile(&case.program).program.map(|compiled| Program::listing(&compiled.physical).unwrap());
        if let Some(once) = listing() {
            assert!(once.contains("function"), "{}: no code", case.name);
            assert_eq!(Some(once), listing(), "{} is compiled differently each time", case.name);
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} cases");
}

#[test]
fn instances_outlive_their_program_and_are_independent() {
    let _alone = alone();
    let program = program();
    let expected = run(&mut program.instance().unwrap());
    let (mut first, mut second, mut third) = (program.instance().unwrap(), program.instance().unwrap(), program.instance().unwrap());
    // What one has seen, no other knows.
    let mut begun = rows(|_: JitRow<'_>| {});
    third.event(0, 1, &[Value::Text("a"), Value::Int(1)], &mut begun);
    drop(program);
    let on_another_thread = std::thread::spawn(move || run(&mut first));
    assert_eq!(run(&mut second), expected);
    assert_eq!(on_another_thread.join().unwrap(), expected);
    assert_ne!(run(&mut third), expected, "an event more, and the same rows");
}

#[test]
fn interleaved_instances_do_not_mix() {
    let _alone = alone();
    let program = program();
    let (mut texts, mut instances) = (vec![vec![]; 2], [program.instance().unwrap(), program.instance().unwrap()]);
    for at in 0..200_i64 {
        for (which, instance) in instances.iter_mut().enumerate() {
            let key = format!("{which}{}", at % 7);
            let mut out = rows(|row: JitRow<'_>| texts[which].push(text(&row)));
            instance.event(0, at * 100_000_000, &[Value::Text(&key), Value::Int(at % 11)], &mut out);
        }
    }
    // The keys differ in their first character, and in nothing else.
    let renamed: Vec<String> = texts[1].iter().map(|row| (0..7).fold(row.clone(), |row, k| row.replace(&format!("\"1{k}"), &format!("\"0{k}")))).collect();
    assert!(texts[0].len() > 100);
    assert_eq!(texts[0], renamed);
}

/// Panics at the n-th row.
struct Panics {
    left: usize,
    rows: usize,
}

impl Output<Instance> for Panics {
    fn row(&mut self, _: JitRow<'_>) {
        self.left = self.left.saturating_sub(1);
        assert!(self.left > 0, "the caller's own");
        self.rows += 1;
    }
    fn error(&mut self, _: Refusal, _: &dyn WriteRecord) {}
    fn late(&mut self, _: &dyn WriteRecord) {}
    fn print(&mut self, _: &str) {}
}

#[test]
fn a_panic_of_the_output_reaches_the_caller() {
    let _alone = alone();
    let program = program();
    let mut instance = program.instance().unwrap();
    let mut out = Panics { left: 3, rows: 0 };
    let mut caught = 0;
    for at in 0..30 {
        let event = |instance: &mut Instance, out: &mut Panics| instance.event(0, at * 100_000_000, &[Value::Text("a"), Value::Int(at + 1)], out);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| event(&mut instance, &mut out))) {
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"the caller's own"));
            caught += 1;
            out.left = 3;
        }
    }
    assert!(caught > 3 && out.rows > 3, "{caught} panics, {} rows", out.rows);
    // From the end of the input as well, where operators fire.
    assert!(catch_unwind(AssertUnwindSafe(|| instance.finish(&mut Panics { left: 1, rows: 0 }))).is_err());
    // The process goes on, and so does the program.
    assert!(run(&mut program.instance().unwrap()).0.len() > 10);
}
