//! Inputs that come as they are made: rows do not wait for what need not be waited for. Nothing here is timed: a row that did not come would be
//! waited for without end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

struct Run {
    child: Child,
    rows: BufReader<ChildStdout>,
}

/// A run of a program over inputs, in a folder of its own.
fn run(folder: &Path, program: &str, inputs: &[&Path]) -> Run {
    let file = folder.join("program.vpl");
    std::fs::write(&file, program).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_varpulis"));
    command.arg("run").arg(&file).args(["--stats", "json"]);
    inputs.iter().for_each(|input| {
        command.arg("--input").arg(input);
    });
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let rows = BufReader::new(child.stdout.take().unwrap());
    Run { child, rows }
}

impl Run {
    fn row(&mut self) -> String {
        let mut line = String::new();
        self.rows.read_line(&mut line).unwrap();
        line
    }

    /// The summary, once the run has ended.
    fn summary(self) -> serde_json::Value {
        let output = self.child.wait_with_output().unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        messages.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_else(|| panic!("{messages}"))
    }
}

/// A pipe with a name.
fn pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn open(pipe: &Path) -> File {
    OpenOptions::new().write(true).open(pipe).unwrap()
}

#[test]
fn idle_inputs_hold_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let (busy, silent) = (pipe(folder.path(), "busy"), pipe(folder.path(), "silent"));
    let program = "event T:\n    v: int\nstream S = T.watermark(idle: 20ms).window(1s).aggregate(n: count())\n";
    let mut run = run(folder.path(), program, &[&busy, &silent]);
    let (mut busy, mut silent) = (open(&busy), open(&silent));
    busy.write_all(b"{\"type\":\"T\",\"ts\":1000,\"v\":1}\n{\"type\":\"T\",\"ts\":2000,\"v\":2}\n").unwrap();
    assert_eq!(run.row(), "{\"type\":\"S\",\"ts\":1999,\"n\":1}\n");
    // What comes of the silent one now is older than what went on without it.
    silent.write_all(b"{\"type\":\"T\",\"ts\":1500,\"v\":3}\n{\"type\":\"T\",\"ts\":2500,\"v\":4}\n").unwrap();
    drop((busy, silent));
    assert_eq!(run.row(), "{\"type\":\"S\",\"ts\":2999,\"n\":2}\n");
    let summary = run.summary();
    assert_eq!((&summary["consumed"], &summary["late"]), (&3.into(), &1.into()));
}

#[test]
fn windows_by_the_machines_time_fire_while_nothing_comes() {
    let folder = tempfile::tempdir().unwrap();
    let program = "event T:\n    v: int\nstream S = T.window(20ms, policy: \"processing_time\").emit(ts: 0, total: sum(v))\n";
    let mut run = run(folder.path(), program, &[]);
    let mut input = run.child.stdin.take().unwrap();
    for v in 1..4 {
        writeln!(input, "{{\"type\":\"T\",\"ts\":1000,\"v\":{v}}}").unwrap();
        assert_eq!(run.row(), format!("{{\"type\":\"S\",\"ts\":0,\"total\":{v}}}\n"));
    }
    drop(input);
    assert_eq!(run.summary()["rows"], 3);
}
