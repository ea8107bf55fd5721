//! The physical plan: records, operators with their kernels, and the fused chains between them. Both backends print from it.

use std::collections::BTreeSet;

use varpulis_abi::scalar::Physical;

use crate::lower::ir::{Body, ChainId, KernelFunction, OperatorId, Record, RecordId, Shape, SiteId, Statement};

/// A value of an operator's construction.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// A number: ns or a count.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A struct of the runtime, with its fields.
    Struct(&'static str, Vec<(&'static str, Config)>),
    /// A constant list.
    List(Vec<Config>),
    /// Prefilled slots of the kernel's store: one row of constants per slot.
    Slots(&'static str, Vec<Vec<crate::analysis::typed::Literal>>),
}

/// A stateful operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Its name in the program, unique; stable under edits elsewhere.
    pub name: String,
    /// Its type in the runtime.
    pub runtime: &'static str,
    /// The kernel trait, by name in the shared list.
    pub kernel: &'static str,
    /// The kernel trait's stores, with the records of their slots.
    pub stores: Vec<(&'static str, RecordId)>,
    /// The records of its inputs.
    pub ports: Vec<RecordId>,
    /// The program's contribution.
    pub functions: Vec<KernelFunction>,
    /// What its constructor takes behind the kernel.
    pub config: Vec<Config>,
    /// Which parts of a firing carry records: parameter name → record.
    pub parts: Vec<(&'static str, RecordId)>,
    /// The firing's type in the runtime.
    pub firing: &'static str,
    /// Whether event time alone makes it fire.
    pub timed: bool,
    /// Whether it goes by the machine's time, and that alone makes it fire.
    pub clocked: bool,
    /// Its text in the program.
    pub doc: String,
    /// What it keeps, as a formula.
    pub memory: String,
    /// The chains that its firings go to.
    pub chains: Vec<ChainId>,
    /// How many operators lie before it at most.
    pub stage: usize,
}

/// What a chain reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainInput {
    /// A row of a record.
    Row(RecordId),
    /// What an operator fires.
    Firing(OperatorId),
    /// What an operator fires, of which it reads the row only.
    FiredRow(OperatorId, RecordId),
}

/// A fused chain: straight-line code from one input to pushes, calls and publications.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its name, unique.
    pub name: String,
    /// The stream whose records it refuses.
    pub stream: String,
    /// What it reads.
    pub input: ChainInput,
    /// What it does.
    pub body: Body,
    /// Its text in the program.
    pub doc: String,
    /// How many operators lie before it at most.
    pub stage: usize,
}

/// An event that the program reads.
#[derive(Clone, Debug)]
pub struct EventInput {
    /// Its name.
    pub name: String,
    /// Its record.
    pub record: RecordId,
    /// How far it may lag, ns.
    pub out_of_order: i64,
    /// After how long without a record an input holds time back no longer, ns.
    pub idle: Option<i64>,
    /// The chains that take it, in order.
    pub chains: Vec<ChainId>,
    /// The chains that take it when it is late.
    pub late: Vec<ChainId>,
    /// What rejects it before all of its fields are known: of each list, one must. Empty if nothing does.
    pub rejections: Vec<Vec<FieldRejection>>,
    /// Its text in the program.
    pub doc: String,
}

/// A source of records that come of time alone.
#[derive(Clone, Debug)]
pub struct TimerInput {
    /// Its record, which has no fields.
    pub record: RecordId,
    /// ns between its records.
    pub period: i64,
    /// The chains that take it, in order.
    pub chains: Vec<ChainId>,
    /// Its text in the program.
    pub doc: String,
}

/// A source of records of evaluation errors, which something handles.
#[derive(Clone, Debug)]
pub struct ErrorInput {
    /// Its record, with the fields `reason`, `expression`, `line` and `record`.
    pub record: RecordId,
    /// The chains that take it, in order.
    pub chains: Vec<ChainId>,
    /// Its text in the program.
    pub doc: String,
}

/// A field that can reject an event: a stream that reads the event begins with a condition over this field alone.
#[derive(Clone, Debug)]
pub struct FieldRejection {
    /// The field of the event's record.
    pub field: usize,
    /// Whether the condition is not true; reads no other field. If it is refused, the field does not reject.
    pub body: Body,
}

/// A published record type.
#[derive(Clone, Debug)]
pub struct Output {
    /// The stream.
    pub stream: String,
    /// The record type's name in the output.
    pub name: String,
    /// Its record.
    pub record: RecordId,
    /// A field that takes the place of the record's `ts`.
    pub shadow: Option<usize>,
    /// Its text in the program.
    pub doc: String,
}

/// A place in the text that can refuse a record.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteInfo {
    /// The stream.
    pub stream: String,
    /// First byte of the expression.
    pub start: u32,
    /// One past its last.
    pub end: u32,
    /// Which of the program's error inputs takes what is refused here; `None`: it leaves the program.
    pub errors_to: Option<usize>,
}

/// A `param` or a `let`.
#[derive(Clone, Debug)]
pub struct GlobalValue {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Physical,
    /// How it is read and written.
    pub shape: Shape,
    /// How it is computed (`let`) or its default (`param`).
    pub body: Option<Body>,
    /// Whether it is set from outside.
    pub is_param: bool,
    /// The default of a `param`, as text that sets it.
    pub default: Option<String>,
}

/// A whole program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Layouts.
    pub records: Vec<Record>,
    /// Operators; inputs come before their consumers.
    pub operators: Vec<Operator>,
    /// Chains.
    pub chains: Vec<Chain>,
    /// Events, in order of declaration.
    pub events: Vec<EventInput>,
    /// Timers, in order of the plan.
    pub timers: Vec<TimerInput>,
    /// Where evaluation errors that the program handles come in.
    pub errors: Vec<ErrorInput>,
    /// Outputs, in order of the text.
    pub outputs: Vec<Output>,
    /// Places that can refuse.
    pub sites: Vec<SiteInfo>,
    /// Globals.
    pub globals: Vec<GlobalValue>,
    /// Program state: what it holds at the start.
    pub states: Vec<GlobalValue>,
    /// Names of counters.
    pub counters: Vec<String>,
}

#[expect(clippy::indexing_slicing, reason = "ids come from this program")]
impl Program {
    /// The record.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0 as usize]
    }
    /// Whether a counter counts for each label on its own.
    pub fn is_labelled(&self, counter: usize) -> bool {
        let mut labelled = false;
        for chain in &self.chains {
            chain.body.walk(&mut |_| {}, &mut |s| labelled |= matches!(s, Statement::CountBy { counter: at, .. } if *at == counter));
        }
        labelled
    }
    /// The error inputs that take what a chain, or an operator that it hands rows to, refuses.
    pub fn error_inputs_of(&self, chain: &Chain) -> BTreeSet<usize> {
        let mut sites = chain.body.sites();
        chain.body.walk(&mut |_| {}, &mut |statement| {
            if let Statement::Push { operator, .. } = statement {
                sites.extend(self.operator(*operator).functions.iter().flat_map(|f| &f.arms).flat_map(|arm| arm.body.sites()));
            }
        });
        sites.into_iter().filter_map(|site| self.site(site).errors_to).collect()
    }
    /// The operator.
    pub fn operator(&self, id: OperatorId) -> &Operator {
        &self.operators[id.0 as usize]
    }
    /// The chain.
    pub fn chain(&self, id: ChainId) -> &Chain {
        &self.chains[id.0 as usize]
    }
    /// The site.
    pub fn site(&self, id: SiteId) -> &SiteInfo {
        &self.sites[id.0 as usize]
    }
}

impl std::fmt::Display for Program {
    /// Events and their chains, operators with their kernels and the chains behind them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chains = |ids: &[ChainId]| ids.iter().map(|c| self.chain(*c).name.clone()).collect::<Vec<_>>().join(", ");
        for e in &self.events {
            writeln!(f, "event {} -> {}", e.name, chains(&e.chains))?;
        }
        for t in &self.timers {
            writeln!(f, "timer {} -> {}", self.record(t.record).name, chains(&t.chains))?;
        }
        for o in &self.operators {
            let functions: Vec<&str> = o.functions.iter().map(|k| k.name).collect();
            writeln!(f, "operator {} = {} stage {} [{}] -> {}", o.name, o.runtime, o.stage + 1, functions.join(", "), chains(&o.chains))?;
        }
        for c in &self.chains {
            writeln!(f, "chain {} stage {}: {}", c.name, c.stage + 1, self.steps(c).join("; "))?;
        }
        Ok(())
    }
}

impl Program {
    /// What a chain does, in short.
    pub fn steps(&self, chain: &Chain) -> Vec<String> {
        let mut steps = vec![];
        chain.body.walk(&mut |_| {}, &mut |s| {
            steps.extend(match s {
                Statement::Guard(_) => Some("guard".to_owned()),
                Statement::Push { operator, .. } => Some(format!("push {}", self.operator(*operator).name)),
                Statement::Call { chain, .. } => Some(format!("call {}", self.chain(*chain).name)),
                Statement::Publish { publication, .. } => Some(format!("publish {}", self.outputs.get(*publication).map_or("", |o| &o.name))),
                Statement::PublishRule { publications, .. } => Some(format!("publish one of {}", publications.len())),
                Statement::Print(_) => Some("print".to_owned()),
                Statement::Count { .. } | Statement::CountBy { .. } => Some("count".to_owned()),
                _ => None,
            });
        });
        steps
    }

    /// What each operator keeps, as formulas.
    pub fn memory(&self) -> String {
        self.operators.iter().map(|o| format!("{}  {}\n", o.name, o.memory)).collect()
    }
}
