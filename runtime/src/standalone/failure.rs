//! Why a run ended early.

use std::io;

/// Why a run ended early, in words for its user.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// An input cannot be opened or read.
    Input {
        /// Its name.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// An output cannot be created or written.
    Output {
        /// Its name.
        name: String,
        /// Why.
        error: io::Error,
    },
}

impl Failure {
    /// 2 for wrong usage, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Input { .. } | Self::Output { .. } => 1,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Input { name, error } => write!(f, "cannot read {}: {error}", shown(name, "stdin")),
            Self::Output { name, error } => write!(f, "cannot write {}: {error}", shown(name, "stdout")),
        }
    }
}

impl std::error::Error for Failure {}

/// A file's name in messages.
pub(super) fn shown<'a>(name: &'a str, standard: &'a str) -> &'a str {
    if name == "-" { standard } else { name }
}
