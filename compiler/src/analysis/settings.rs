//! `config:`.

use super::Analyzer;
use crate::diagnostics::{Code, Diagnostic, did_you_mean, listed};
use crate::syntax::ast;

/// What `config: mode:` may say.
const MODES: [&str; 3] = ["throughput", "low_latency", "balanced"];

impl Analyzer<'_> {
    /// `config:`. What is no setting of this language is one of the engines that programs come from; what changes nothing is said to.
    pub(super) fn settings(&mut self, entries: &[(ast::Name, ast::Expr)]) {
        for (at, (name, value)) in entries.iter().enumerate() {
            if let Some((before, _)) = entries.iter().take(at).find(|(n, _)| n.text == name.text) {
                let d = Diagnostic::new(Code::DuplicateName, name.span, format!("`{}` is set twice", name.text));
                self.report(d.also(before.span, "first set here"));
            } else if name.text != "mode" {
                let mut d = Diagnostic::new(Code::UnknownSetting, name.span, format!("`{}` is no setting, and changes nothing", name.text));
                if let Some(similar) = did_you_mean(&name.text, ["mode"].into_iter().filter(|mode| entries.iter().all(|(n, _)| n.text != *mode))) {
                    d = d.fix(name.span, similar, "a similar setting exists");
                }
                self.report(d);
            } else if !matches!(&value.kind, ast::ExprKind::Str(mode) if MODES.contains(&mode.as_str())) {
                let d = Diagnostic::new(Code::BadArgument, value.span, "`mode` is one of three texts");
                self.report(d.help(format!("one of {}", listed(MODES.iter().map(|mode| format!("\"{mode}\""))))));
            } else {
                let d = Diagnostic::new(Code::UnknownSetting, value.span, "the mode changes nothing so far");
                self.report(d.note("every program runs on one thread, event by event"));
            }
        }
    }
}
