//! The flags of a standalone program.

use clap::builder::FalseyValueParser;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::failure::Failure;
use super::host::Host;
use crate::input::{DecodeOptions, Format, TimeUnit};
use crate::program::{Params, Program, Schema};

/// When a progress bar is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// On a terminal.
    #[default]
    Auto,
    /// Never.
    Never,
}

/// How the summary at the end is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Stats {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// Not at all.
    None,
}

/// What a run reads, writes and reports.
#[derive(Clone, Debug, Default, Parser)]
#[command(disable_version_flag = true)]
pub struct Options {
    /// Read events from FILE, or from stdin if it is `-` (the default); several inputs are merged by time. Gzip is recognised.
    #[arg(long, value_name = "FILE", env = "VARPULIS_INPUT")]
    pub input: Vec<String>,

    /// The format of every input [default: by the file's extension, else ndjson]
    #[arg(long, value_enum, env = "VARPULIS_FORMAT")]
    pub format: Option<Format>,

    /// Write rows to FILE [default: stdout]
    #[arg(long, value_name = "FILE", env = "VARPULIS_OUTPUT")]
    pub output: Option<String>,

    /// Write records that do not fit to FILE, with position and reason [default: count them and show the first few]
    #[arg(long, value_name = "FILE", env = "VARPULIS_DEAD_LETTER")]
    pub dead_letter: Option<String>,

    /// Write events that come too late to FILE [default: count them and show the first few]
    #[arg(long, value_name = "FILE", env = "VARPULIS_LATE")]
    pub late: Option<String>,

    /// Write records that an expression could not be evaluated for to FILE [default: count them and show the first few]
    #[arg(long, value_name = "FILE", env = "VARPULIS_ERRORS")]
    pub errors: Option<String>,

    /// Set a parameter of the program
    #[arg(long, value_name = "NAME=VALUE", env = "VARPULIS_PARAM")]
    pub param: Vec<String>,

    /// Exit with 1 if anything was refused
    #[arg(long, env = "VARPULIS_STRICT", value_parser = FalseyValueParser::new())]
    pub strict: bool,

    /// Examine records to their ends, not just as far as the program needs
    #[arg(long, env = "VARPULIS_STRICT_JSON", value_parser = FalseyValueParser::new())]
    pub strict_json: bool,

    /// Whether to show a progress bar on stderr
    #[arg(long, value_enum, default_value = "auto", env = "VARPULIS_PROGRESS")]
    pub progress: Progress,

    /// How to write the summary to stderr
    #[arg(long, value_enum, default_value = "text", env = "VARPULIS_STATS")]
    pub stats: Stats,

    /// The field that holds an event's time [default: ts, else timestamp]
    #[arg(long, value_name = "NAME", env = "VARPULIS_TIME_FIELD")]
    pub time_field: Option<String>,

    /// What numbers in that field count
    #[arg(long, value_enum, default_value = "ms", env = "VARPULIS_TIME_UNIT")]
    pub time_unit: TimeUnit,
}

impl Options {
    /// Reads a program's command line, its own name first.
    ///
    /// # Errors
    /// What to print: help, or what is wrong with it.
    pub fn parse_for<P: Program>(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Self, clap::Error> {
        Self::parse_as(&P::SCHEMA, arguments)
    }

    /// The same for what a program says of itself.
    ///
    /// # Errors
    /// What to print: help, or what is wrong with it.
    pub fn parse_as(schema: &Schema<'_>, arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Self, clap::Error> {
        let command = Self::command().name(schema.name.to_owned()).about(about(schema)).after_help(parameters(schema));
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    /// The inputs: at least one.
    pub(super) fn inputs(&self) -> Vec<String> {
        if self.input.is_empty() { vec!["-".to_owned()] } else { self.input.clone() }
    }

    /// The format of an input.
    pub(super) fn format_of(&self, input: &str) -> Format {
        self.format.or_else(|| Format::of_name(input)).unwrap_or(Format::Ndjson)
    }

    pub(super) fn decoding(&self) -> DecodeOptions {
        DecodeOptions { time_field: self.time_field.clone(), time_unit: self.time_unit, strict_json: self.strict_json }
    }

    pub(super) fn params(&self) -> Result<Params, Failure> {
        let mut params = Params::default();
        for setting in &self.param {
            let (name, value) = setting.split_once('=').ok_or_else(|| Failure::Usage(format!("`--param {setting}`: expected NAME=VALUE")))?;
            params.set(name.trim(), value);
        }
        Ok(params)
    }

    /// No file is written to twice, or read and written.
    pub(super) fn check_files(&self, host: &dyn Host) -> Result<(), Failure> {
        let inputs = self.inputs();
        if inputs.iter().filter(|input| *input == "-").count() > 1 {
            return Err(Failure::Usage("stdin can be one input only".to_owned()));
        }
        let extra = [("--dead-letter", &self.dead_letter), ("--late", &self.late), ("--errors", &self.errors)];
        if let Some((flag, _)) = extra.iter().find(|(_, name)| name.as_deref() == Some("-")) {
            return Err(Failure::Usage(format!("`{flag} -`: stdout is for rows; name a file")));
        }
        let mut taken: Vec<(&str, &str)> = inputs.iter().filter(|input| *input != "-").map(|input| ("--input", input.as_str())).collect();
        for (flag, name) in [("--output", &self.output)].into_iter().chain(extra) {
            let Some(name) = name.as_deref().filter(|name| *name != "-") else { continue };
            if let Some((other, _)) = taken.iter().find(|(_, taken)| host.is_same_file(taken, name)) {
                return Err(Failure::Usage(format!("`{flag} {name}`: `{other}` names the same file")));
            }
            taken.push((flag, name));
        }
        Ok(())
    }
}

fn about(schema: &Schema<'_>) -> String {
    let names: Vec<&str> = schema.events.iter().map(|event| &*event.name).collect();
    format!("Reads {} and writes rows as NDJSON.", names.join(", "))
}

fn parameters(schema: &Schema<'_>) -> String {
    if schema.params.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = schema
        .params
        .iter()
        .map(|param| match &param.default {
            Some(default) => format!("  {} [default: {default}]", param.name),
            None => format!("  {} (required)", param.name),
        })
        .collect();
    format!("Parameters:\n{}", lines.join("\n"))
}
