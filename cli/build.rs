//! Embeds the runtime's sources, so that `varpulis build` works wherever the command is installed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let Some(root) = here.parent() else { return };
    let mut files = vec![];
    for folder in ["runtime/src", "runtime/abi/src"] {
        collect(&root.join(folder), &mut files);
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
    for file in ["Cargo.lock", "Cargo.toml", "runtime/Cargo.toml", "runtime/abi/Cargo.toml"] {
        files.push(root.join(file));
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let Ok(name) = file.strip_prefix(root) else { continue };
        let _ = writeln!(list, "    ({:?}, include_str!({:?})),", name.display().to_string(), file.display().to_string());
    }
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("sources.rs");
    if std::fs::read_to_string(&out).is_ok_and(|old| old == list) {
        return;
    }
    if let Err(error) = std::fs::write(&out, list) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}
