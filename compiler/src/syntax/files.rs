//! Files of a program, and what of a file others reach by the import's name.

use super::ast::{ItemKind, Name};

/// What a file's names mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileScope {
    /// The file's first byte.
    pub start: u32,
    /// What stands in front of the names that it sees as its own: those of its declarations first.
    pub prefixes: Vec<String>,
    /// Names of imports, and what stands in front of the names of those files.
    pub aliases: Vec<(String, String)>,
}

impl ItemKind {
    /// The name of a declaration that another file reaches by the import's name.
    pub fn own_name(&self) -> Option<&Name> {
        match self {
            ItemKind::TypeAlias { name, .. }
            | ItemKind::Enum { name, .. }
            | ItemKind::Const { name, .. }
            | ItemKind::Let { name, .. }
            | ItemKind::Param { name, .. }
            | ItemKind::Var { name, .. } => Some(name),
            ItemKind::Function(f) => Some(&f.name),
            _ => None,
        }
    }
    /// The same, to be changed; events and streams keep theirs, as they have them outside.
    pub fn own_name_mut(&mut self) -> Option<&mut Name> {
        match self {
            ItemKind::TypeAlias { name, .. }
            | ItemKind::Enum { name, .. }
            | ItemKind::Const { name, .. }
            | ItemKind::Let { name, .. }
            | ItemKind::Param { name, .. }
            | ItemKind::Var { name, .. } => Some(name),
            ItemKind::Function(f) => Some(&mut f.name),
            _ => None,
        }
    }
}
