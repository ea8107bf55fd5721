//! Who depends on whom.

use std::process::Command;

use serde_json::Value;

use super::{refuse, root};

/// What the runtime links always: every program that is compiled pays for it.
const SLIM: &[&str] = &["varpulis-abi", "compact_str", "foldhash", "hashbrown", "itoa", "jiff", "memchr", "regex-lite", "ryu"];

/// Beginnings of names of crates that bring a C library, a client or an executor. They belong behind a feature.
const HEAVY: &[&str] = &["rocksdb", "librocksdb", "rdkafka", "aws", "openssl", "tokio", "hyper", "reqwest", "arrow", "protoc"];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A dependency that a crate's `Cargo.toml` names.
struct Dependency {
    name: String,
    is_optional: bool,
    is_for_tests: bool,
}

fn dependencies(of: &str) -> Vec<Dependency> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["name"] == of).unwrap_or_else(|| panic!("no crate `{of}` in the workspace"));
    let read = |d: &Value| Dependency { name: d["name"].as_str().unwrap().to_owned(), is_optional: d["optional"] == true, is_for_tests: d["kind"] == "dev" };
    package["dependencies"].as_array().unwrap().iter().map(read).collect()
}

/// The workspace's own crates among a crate's dependencies, tests included.
fn own(of: &str) -> Vec<String> {
    dependencies(of).into_iter().map(|d| d.name).filter(|n| n.starts_with("varpulis")).collect()
}

#[test]
fn the_abi_depends_on_nothing() {
    let found: Vec<String> = dependencies("varpulis-abi").into_iter().map(|d| d.name).collect();
    refuse("runtime/abi is what compiler and runtime agree on, and depends on nothing. Move what needs these crates to one of the two:", &found);
}

#[test]
fn the_runtime_knows_nothing_of_the_compiler() {
    let found: Vec<String> = own("varpulis-runtime").into_iter().filter(|n| n != "varpulis-abi").collect();
    refuse("Of the workspace, the runtime depends on varpulis-abi only. What both need belongs there:", &found);
}

#[test]
fn the_compiler_knows_nothing_of_the_runtime() {
    // But for the JIT: what it compiles runs in the same process.
    let known = |d: &Dependency| d.name == "varpulis-abi" || (d.name == "varpulis-runtime" && d.is_optional && !d.is_for_tests);
    let found = dependencies("varpulis-compiler").into_iter().filter(|d| d.name.starts_with("varpulis") && !known(d)).map(|d| d.name);
    let found: Vec<String> = found.collect();
    refuse("Of the workspace, the compiler depends on varpulis-abi only, in tests too. Tests that run programs stand in `tests` or `cli`:", &found);
}

#[test]
fn the_macro_brings_no_code_generator() {
    let tree = cargo(&["tree", "--package", "varpulis", "--edges", "normal,build", "--prefix", "none", "--offline"]);
    let found: Vec<String> = tree.lines().filter(|l| l.starts_with("cranelift")).map(str::to_owned).collect();
    refuse("Programs that use the macro or a build script have rustc; they must not compile the JIT's code generator too:", &found);
}

#[test]
fn the_runtime_is_slim() {
    let found: Vec<String> = dependencies("varpulis-runtime")
        .into_iter()
        .filter(|d| !d.is_optional && !d.is_for_tests && !SLIM.contains(&d.name.as_str()))
        .map(|d| d.name)
        .collect();
    refuse(
        "Every compiled program links these. Make them `optional = true` behind a feature, or add them to SLIM in tests/tests/tidy/dependencies.rs:",
        &found,
    );
}

#[test]
fn the_default_build_has_nothing_heavy() {
    let tree = cargo(&["tree", "--workspace", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--offline"]);
    let heavy = |l: &&str| HEAVY.iter().any(|h| l.starts_with(h));
    let mut found: Vec<String> = tree.lines().filter(heavy).map(str::to_owned).collect();
    found.dedup();
    refuse("The default build of the workspace brings heavy crates. Put them behind a feature that is off by default:", &found);
}
