//! The subcommands, one file each.

mod both;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod emit;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod new;
pub(crate) mod run;
