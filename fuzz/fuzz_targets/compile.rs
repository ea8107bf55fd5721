//! Any text goes through the parser, the formatter and the whole compiler without a panic; formatting twice is formatting once.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(once) = varpulis_compiler::syntax::print::format(text) {
        assert_eq!(varpulis_compiler::syntax::print::format(&once).ok(), Some(once));
    }
    let _ = varpulis_compiler::compile(text);
});
