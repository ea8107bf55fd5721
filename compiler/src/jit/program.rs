//! Programs: text in, instances out.

use std::collections::HashMap;
use std::sync::Arc;

use varpulis_runtime::jit::{Address, ChainAddress, Code, Functions, GlobalCode, InputCode, Instance, OperatorCode, Target};
use varpulis_runtime::program::{Params, Schema};

use super::function::Shared;
use super::module::{Finished, Module};
use super::records::Records;
use super::rejections::OnDemand;
use super::{Error, batch, effect, kernel, tables};
use crate::Compilation;
use crate::diagnostics::{Code as DiagnosticCode, Diagnostic};
use crate::lower::ir::{ChainId, OperatorId, RowSource, Statement};
use crate::lower::usage::Usage;
use crate::plan::physical::{self, ErrorInput, EventInput, Operator, TimerInput};
use crate::sources::{Load, Sources};
use crate::syntax::ast::Span;

/// How large a program may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Its text, in bytes.
    pub text: usize,
    /// The streams that it publishes; rules count as one each.
    pub streams: usize,
    /// Its machine code, in bytes.
    pub code: usize,
    /// What a loop over the elements of arrays, with those inside it, may use: one for each element, and one for each byte of the texts and
    /// arrays made on the way. Where it is used up, the record is refused. `None`: as much as it likes.
    pub fuel: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text: 16 << 20, streams: 1 << 20, code: 64 << 20, fuel: None }
    }
}

/// Why a text does not become a program.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The text is at fault.
    Program(Vec<Diagnostic>),
    /// There is no code generator for this machine, or no memory.
    Generation(Error),
}

impl std::fmt::Display for Refused {
    /// The errors, one a line; [`crate::diagnostics`] has the renderers that show the places.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Program(diagnostics) => {
                let mut errors = diagnostics.iter().filter(|d| d.is_error());
                errors.try_for_each(|d| writeln!(f, "error {}: {}", d.code.text(), d.message))
            }
            Self::Generation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

/// A compiled program. It is cheap to copy; its code is freed with the last copy and the last instance.
#[derive(Clone)]
pub struct Program {
    code: Arc<Code>,
    size: usize,
}

impl Program {
    /// Compiles a program's text.
    ///
    /// # Errors
    /// The program is refused; the diagnostics say why.
    pub fn compile(text: &str) -> Result<Self, Refused> {
        Self::compile_as("program", "program.vpl", text, Limits::default())
    }

    /// The same with the program's name and file, for messages, and other limits.
    ///
    /// # Errors
    /// The program is refused; the diagnostics say why.
    pub fn compile_as(name: &str, file: &str, text: &str, limits: Limits) -> Result<Self, Refused> {
        if text.len() > limits.text {
            return Err(too_large("bytes of text", limits.text));
        }
        Self::compiled(crate::compile(text), name, file, limits)
    }

    /// The same of a program that imports files, which `load` reads; paths are relative to the program's file.
    ///
    /// # Errors
    /// The program is refused; the diagnostics say why.
    pub fn compile_file(name: &str, file: &str, text: &str, load: &mut Load<'_>, limits: Limits) -> Result<Self, Refused> {
        Self::compiled(crate::compile_file(file, text, load), name, file, limits)
    }

    fn compiled(compilation: Compilation, name: &str, file: &str, limits: Limits) -> Result<Self, Refused> {
        let Compilation { program, diagnostics, sources } = compilation;
        if sources.text().len() > limits.text {
            return Err(too_large("bytes of text", limits.text));
        }
        let Some(compiled) = program else { return Err(Refused::Program(diagnostics)) };
        if compiled.analyzed.publications.len() > limits.streams {
            return Err(too_large("published streams", limits.streams));
        }
        Self::generate(&compiled.physical, name, file, &sources, limits).map_err(|error| match error {
            Error::TooLarge(most) => too_large("bytes of machine code", most),
            error => Refused::Generation(error),
        })
    }

    /// Generates the code of a program that was compiled to its physical form.
    ///
    /// # Errors
    /// There is no code generator for this machine, no memory, or the code is too large.
    pub fn generate(program: &Arc<physical::Program>, name: &str, file: &str, sources: &Sources, limits: Limits) -> Result<Self, Error> {
        let usage = Usage::of(program);
        let records = Records::of(program, &usage);
        let Generated { parts, rules, finished } = generate(program, &usage, &records, limits, false)?;
        let size = finished.size;
        let code = Code {
            name: name.to_owned(),
            events: tables::events(program, &usage),
            streams: tables::streams(program),
            sites: tables::sites(program, sources, file),
            params: tables::params(program),
            shapes: tables::shapes(program, &usage, &records)?,
            inputs: parts.inputs(program, &records, &finished),
            timers: parts.timers(program, &finished),
            handlers: tables::handlers(program),
            errors: parts.errors(program, &finished),
            batch: parts.batch.map(|id| finished.batch(id)),
            operators: parts.operators(program, &records, &finished),
            outputs: tables::outputs(program),
            rules,
            globals: records.globals.clone(),
            values: parts.values(program, &finished),
            counters: tables::counters(program),
            counter_order: tables::counter_order(program),
            rejections: Box::new(OnDemand::new(Arc::clone(program), usage, records, limits)),
            memory: Box::new(finished.memory()),
        };
        Ok(Self { code: Arc::new(code), size })
    }

    /// A fresh instance, its parameters at their defaults.
    ///
    /// # Errors
    /// A parameter has no default; the text says which.
    pub fn instance(&self) -> Result<Instance, String> {
        self.with_params(&Params::default())
    }

    /// A fresh instance with parameters.
    ///
    /// # Errors
    /// A parameter is unknown, missing, or not of its type; the text says which and why.
    pub fn with_params(&self, params: &Params) -> Result<Instance, String> {
        Instance::new(Arc::clone(&self.code), params)
    }

    /// What the program says of itself.
    pub fn schema(&self) -> Schema<'_> {
        self.code.schema()
    }

    /// The size of its machine code, in bytes.
    pub fn code_size(&self) -> usize {
        self.size
    }

    /// The functions of a program as Cranelift's text, in the order of their generation.
    ///
    /// # Errors
    /// As for [`Program::generate`].
    pub fn listing(program: &physical::Program) -> Result<String, Error> {
        let usage = Usage::of(program);
        let records = Records::of(program, &usage);
        let finished = generate(program, &usage, &records, Limits::default(), true)?.finished;
        let listing = finished.listing.clone();
        drop(finished.memory());
        Ok(listing)
    }
}

fn too_large(of: &str, most: usize) -> Refused {
    let message = format!("the program has more than {most} {of}");
    Refused::Program(vec![Diagnostic::new(DiagnosticCode::TooLarge, Span { start: 0, end: 0 }, message).help("split it into several programs")])
}

/// The functions of a program, by what they belong to.
#[derive(Default)]
struct Parts {
    chains: Vec<ChainCode>,
    kernels: Vec<Vec<(&'static str, cranelift_module::FuncId)>>,
    globals: Vec<Option<cranelift_module::FuncId>>,
    batch: Option<cranelift_module::FuncId>,
}

/// What a chain becomes.
pub(super) enum ChainCode {
    Function(cranelift_module::FuncId),
    /// It does nothing but hand an event to an operator.
    Push(OperatorId, usize),
}

/// Chains that do nothing but hand their event to an operator, which takes it as well without them.
fn pushes(program: &physical::Program) -> HashMap<ChainId, (OperatorId, usize)> {
    let mut pushes = HashMap::new();
    for id in program.events.iter().flat_map(|event| &event.chains).chain(program.timers.iter().flat_map(|timer| &timer.chains)) {
        let mut statements = program.chain(*id).body.statements.iter().filter(|s| !matches!(s, Statement::Comment(_)));
        if let (Some(Statement::Push { operator, port, row: RowSource::Same, late: false }), None) = (statements.next(), statements.next())
            && !effect::asks_first(program.operator(*operator), *port)
        {
            pushes.insert(*id, (*operator, *port));
        }
    }
    let mut others = vec![];
    for chain in &program.chains {
        chain.body.walk(&mut |_| {}, &mut |s| others.extend(if let Statement::Call { chain, .. } = s { Some(*chain) } else { None }));
    }
    for id in others.iter().chain(program.operators.iter().flat_map(|operator| &operator.chains)) {
        pushes.remove(id);
    }
    pushes
}

struct Generated {
    parts: Parts,
    rules: Vec<Vec<usize>>,
    finished: Finished,
}

fn generate(program: &physical::Program, usage: &Usage, records: &Records, limits: Limits, listing: bool) -> Result<Generated, Error> {
    let mut shared = Shared {
        program,
        usage,
        records,
        module: Module::new(limits.code, listing)?,
        chains: HashMap::new(),
        rules: vec![],
        fuel: limits.fuel,
        shared: HashMap::new(),
    };
    let (mut parts, pushes) = (Parts::default(), pushes(program));
    for (at, chain) in program.chains.iter().enumerate() {
        let id = ChainId(at as u32);
        parts.chains.push(match pushes.get(&id) {
            Some((operator, port)) => ChainCode::Push(*operator, *port),
            None => {
                let function = shared.module.declare(&chain.name, 2)?;
                shared.chains.insert(id, function);
                ChainCode::Function(function)
            }
        });
    }
    for (at, global) in program.globals.iter().chain(&program.states).enumerate() {
        let place = records.globals.places.get(at).copied();
        let function = match (&global.body, place) {
            (Some(body), Some(place)) => Some(kernel::global(&mut shared, &format!("global {}", global.name), place, body)?),
            _ => None,
        };
        parts.globals.push(function);
    }
    for operator in &program.operators {
        let functions = kernel::kernel_functions(&mut shared, operator)?;
        parts.kernels.push(functions);
    }
    for (chain, code) in program.chains.iter().zip(&parts.chains) {
        if let ChainCode::Function(function) = code {
            kernel::chain(&mut shared, *function, chain)?;
        }
    }
    parts.batch = batch::batch(&mut shared, &parts.chains)?;
    let Shared { module, rules, .. } = shared;
    Ok(Generated { parts, rules, finished: module.finish()? })
}

impl Parts {
    fn function(&self, chain: ChainId, finished: &Finished) -> Option<ChainAddress> {
        match self.chains.get(chain.0 as usize)? {
            ChainCode::Function(function) => Some(finished.chain(*function)),
            ChainCode::Push(..) => None,
        }
    }

    fn inputs(&self, program: &physical::Program, records: &Records, finished: &Finished) -> Vec<InputCode> {
        let input = |event: &EventInput| InputCode {
            shape: event.record.0 as usize,
            fields: records.layout(event.record).map_or(0, |layout| layout.places.len()),
            targets: self.targets(&event.chains, finished),
            late: self.targets(&event.late, finished),
        };
        program.events.iter().map(input).collect()
    }

    fn timers(&self, program: &physical::Program, finished: &Finished) -> Vec<(i64, InputCode)> {
        let input = |timer: &TimerInput| {
            let input = InputCode { shape: timer.record.0 as usize, fields: 0, targets: self.targets(&timer.chains, finished), late: vec![] };
            (timer.period, input)
        };
        program.timers.iter().map(input).collect()
    }

    fn errors(&self, program: &physical::Program, finished: &Finished) -> Vec<InputCode> {
        let input = |error: &ErrorInput| InputCode { shape: error.record.0 as usize, fields: 0, targets: self.targets(&error.chains, finished), late: vec![] };
        program.errors.iter().map(input).collect()
    }

    fn targets(&self, chains: &[ChainId], finished: &Finished) -> Vec<Target> {
        let target = |id: &ChainId| match self.chains.get(id.0 as usize)? {
            ChainCode::Function(function) => Some(Target::Chain(finished.chain(*function))),
            ChainCode::Push(operator, port) => Some(Target::Operator { operator: operator.0 as usize, port: *port as u64 }),
        };
        chains.iter().filter_map(target).collect()
    }

    fn operators(&self, program: &physical::Program, records: &Records, finished: &Finished) -> Vec<OperatorCode> {
        let operator = |(operator, functions): (&Operator, &Vec<(&'static str, _)>)| {
            let mut table = Functions::default();
            for (name, id) in functions {
                table.set(name, Address(finished.address(*id)));
            }
            let layouts = operator.stores.iter().filter_map(|(store, record)| Some((*store, records.layout(*record)?)));
            let chains = operator.chains.iter().filter_map(|id| self.function(*id, finished));
            OperatorCode {
                runtime: operator.runtime,
                functions: table,
                layouts: layouts.collect(),
                config: operator.config.iter().map(tables::config).collect(),
                chains: chains.collect(),
                timed: operator.timed,
                clocked: operator.clocked,
                stage: operator.stage,
            }
        };
        program.operators.iter().zip(&self.kernels).map(operator).collect()
    }

    fn values(&self, program: &physical::Program, finished: &Finished) -> Vec<GlobalCode> {
        let value = |(global, function): (&physical::GlobalValue, &Option<cranelift_module::FuncId>)| GlobalCode {
            schema: tables::part(&global.name, &global.shape),
            is_param: global.is_param,
            body: function.map(|id| finished.chain(id)),
        };
        program.globals.iter().chain(&program.states).zip(&self.globals).map(value).collect()
    }
}
