//! Analysis: names, types, schemas, streams. From an AST to a typed logical plan, with everything that is wrong on the way.
//!
//! Analysis runs until the schemas of undeclared events stand still: each pass uses what earlier passes learnt, and only the last one reports.

mod aggregates;
pub mod builtins;
mod calls;
mod composed;
mod decimals;
mod declarations;
mod expressions;
mod forks;
mod functions;
mod handlers;
mod imports;
mod impure;
mod joins;
mod lag;
mod late_aggregates;
mod lateness;
mod limits;
mod loops;
pub mod methods;
mod names;
mod operators;
mod patterns;
mod process;
mod projection;
pub(crate) mod rows;
pub mod run;
pub mod scope;
mod settings;
mod slips;
mod state;
mod statements;
mod stream_sources;
mod streams;
mod type_names;
pub mod typed;
pub mod types;
mod usage;
mod values;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Event, NodeId, Plan, Schema};
use crate::syntax::ast::{self, Span};
use typed::Expr;
use types::{EnumType, Kind, Type};

pub(crate) use aggregates::same_call as calls_same;
pub(crate) use forks::Joined;
pub use streams::StreamBuilder;

/// What analysis yields: a plan if there was no error, and all diagnostics.
pub struct Analysis {
    /// The plan; `None` if the program is refused.
    pub plan: Option<Plan>,
    /// Errors, warnings and notes, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is known of a field of an undeclared event.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// The state of one pass.
pub struct Analyzer<'a> {
    pub(crate) ast: &'a ast::Program,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) plan: Plan,
    pub(crate) event_ids: HashMap<String, usize>,
    pub(crate) enums: HashMap<String, Rc<EnumType>>,
    pub(crate) aliases: HashMap<String, Type>,
    pub(crate) constants: HashMap<String, Expr>,
    /// Constants, values and parameters that are not declared yet.
    pub(crate) pending: HashMap<String, &'a ast::ItemKind>,
    pub(crate) global_ids: HashMap<String, usize>,
    /// Names of streams in place, as inputs of `merge` and of joins: nothing else reads them.
    pub(crate) names_in_place: HashSet<String>,
    /// What the files declare that others reach by an import's name.
    pub(crate) own_names: HashSet<String>,
    /// `var`s of the program.
    pub(crate) state_ids: HashMap<String, usize>,
    /// Whether some function calls what differs from run to run.
    pub(crate) impure_functions: bool,
    /// The variable that `random()` and `uuid()` draw from, once one of them is called.
    pub(crate) drawn: Option<u32>,
    pub(crate) functions: HashMap<String, &'a ast::FunctionDecl>,
    pub(crate) patterns: HashMap<String, &'a ast::PatternDecl>,
    pub(crate) stream_decls: HashMap<String, usize>,
    /// Finished streams, by name.
    pub(crate) streams: HashMap<String, streams::Finished>,
    pub(crate) in_progress: Vec<String>,
    pub(crate) failed: HashSet<String>,
    pub(crate) consumed: HashSet<String>,
    pub(crate) used: HashSet<String>,
    /// Types of inferred fields, from earlier passes.
    pub(crate) settled: BTreeMap<(String, String), Settled>,
    /// Places of the text that read an inferred field.
    pub(crate) inferred_places: HashMap<Span, (usize, usize)>,
    /// Inferred fields that are ordered against one another while no use says what they hold.
    pub(crate) ordered: Vec<(usize, usize, Span)>,
    /// Calls of functions that the expression at hand was expanded to.
    pub(crate) expanded: usize,
    pub(crate) expansion: limits::Expansion,
    /// Events and aliases whose types are being read, to refuse those made of themselves.
    pub(crate) resolving: Vec<String>,
    /// The types that declared names turned out to be.
    pub(crate) resolved_types: HashMap<String, types::Type>,
    /// Numbers with more digits than a float keeps, by the bits of that, as they are written.
    pub(crate) long_numbers: HashMap<u64, String>,
    /// What each call of `lag` stands for.
    pub(crate) lagged: HashMap<Span, Expr>,
    /// How many numbers were given to `.filter`s, variables and the like so far.
    pub(crate) numbers: u32,
    /// The source node of each event that is read.
    pub(crate) sources: HashMap<usize, NodeId>,
    /// How far each node of the plan is from its source.
    pub(crate) steps: Vec<usize>,
    /// What this pass learnt that earlier ones did not know.
    pub(crate) learnt: usize,
    /// Fields of undeclared events, from earlier passes, in order of first use.
    pub(crate) known_fields: BTreeMap<String, Vec<String>>,
}

/// Analyses a program.
pub fn analyze(program: &ast::Program) -> Analysis {
    let mut settled = BTreeMap::new();
    let mut known_fields = BTreeMap::new();
    let mut last = false;
    loop {
        let mut pass = Analyzer::new(program, settled, known_fields);
        pass.run();
        if last {
            return pass.finish();
        }
        if pass.learnt == 0 {
            last = pass.settle_rest();
        }
        settled = pass.settled;
        known_fields = pass.known_fields;
    }
}

impl<'a> Analyzer<'a> {
    fn new(ast: &'a ast::Program, settled: BTreeMap<(String, String), Settled>, known_fields: BTreeMap<String, Vec<String>>) -> Self {
        Self {
            ast,
            diagnostics: vec![],
            plan: Plan::default(),
            event_ids: HashMap::new(),
            enums: HashMap::new(),
            aliases: HashMap::new(),
            constants: HashMap::new(),
            pending: HashMap::new(),
            global_ids: HashMap::new(),
            own_names: ast.items.iter().filter_map(|item| item.kind.own_name()).map(|name| name.text.clone()).collect(),
            names_in_place: stream_sources::names_in_place(ast),
            state_ids: HashMap::new(),
            impure_functions: false,
            drawn: None,
            functions: HashMap::new(),
            patterns: HashMap::new(),
            stream_decls: HashMap::new(),
            streams: HashMap::new(),
            in_progress: vec![],
            failed: HashSet::new(),
            consumed: HashSet::new(),
            used: HashSet::new(),
            settled,
            inferred_places: HashMap::new(),
            ordered: vec![],
            expanded: 0,
            expansion: limits::Expansion::default(),
            resolving: vec![],
            resolved_types: HashMap::new(),
            long_numbers: HashMap::new(),
            lagged: HashMap::new(),
            numbers: 0,
            sources: HashMap::new(),
            steps: vec![],
            learnt: 0,
            known_fields,
        }
    }

    fn run(&mut self) {
        self.impure_functions = self.functions_are_impure();
        self.collect_declarations();
        self.build_streams();
        self.check_state();
        self.check_lateness();
        self.report_unused();
    }

    /// Fields that are only ordered against one another hold numbers; other fields that no use settled are passed through as they are. False if
    /// this may settle more.
    fn settle_rest(&mut self) -> bool {
        if !self.ordered.is_empty() {
            for (event, field, span) in std::mem::take(&mut self.ordered) {
                let Some(e) = self.plan.events.get(event) else { continue };
                let Some(column) = e.schema.columns.get(field) else { continue };
                self.settled.entry((e.name.clone(), column.name.clone())).or_insert(Settled { kind: Kind::Float, span });
            }
            return false;
        }
        for event in self.plan.events.iter().filter(|e| !e.declared) {
            for column in &event.schema.columns {
                if matches!(column.ty.kind, Kind::Unsettled { .. }) {
                    self.settled.entry((event.name.clone(), column.name.clone())).or_insert(Settled { kind: Kind::Any, span: event.span });
                }
            }
        }
        true
    }

    fn finish(mut self) -> Analysis {
        self.note_inferred_schemas();
        self.check_rows();
        self.check_timers();
        self.look_at_inferred_fields();
        self.diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
        self.diagnostics.dedup();
        let refused = self.diagnostics.iter().any(Diagnostic::is_error);
        if refused {
            // What a mistake kept from being read looks unused.
            self.diagnostics.retain(|d| d.code != Code::UnusedDeclaration);
            // Nor are all fields known of which it makes use.
            self.diagnostics.retain(|d| d.code != Code::InferredSchema);
        }
        Analysis { plan: (!refused).then_some(self.plan), diagnostics: self.diagnostics }
    }

    /// Adds a diagnostic.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds a diagnostic and stands in for the wrong expression.
    pub(crate) fn wrong(&mut self, diagnostic: Diagnostic) -> Expr {
        let span = diagnostic.span;
        self.report(diagnostic);
        Expr::error(span)
    }

    /// The event of that name; an undeclared one comes into being.
    pub(crate) fn event_id(&mut self, name: &str, span: Span) -> usize {
        if let Some(&id) = self.event_ids.get(name) {
            return id;
        }
        let id = self.plan.events.len();
        let columns = self.known_fields.get(name).cloned().unwrap_or_default();
        self.plan.events.push(Event {
            name: name.to_owned(),
            declared: false,
            schema: Schema { columns: vec![], open: Some(id) },
            out_of_order: 0,
            idle: None,
            span,
        });
        self.event_ids.insert(name.to_owned(), id);
        for field in columns {
            self.add_inferred_field(id, &field);
        }
        id
    }

    fn add_inferred_field(&mut self, event: usize, field: &str) -> usize {
        let Some(e) = self.plan.events.get_mut(event) else { return 0 };
        let at = e.schema.columns.len();
        let kind = self.settled.get(&(e.name.clone(), field.to_owned())).map_or(Kind::Unsettled { event, field: at }, |s| s.kind.clone());
        e.schema.columns.push(crate::plan::logical::Column { name: field.to_owned(), ty: Type::optional(kind), hidden: false });
        at
    }

    /// A field of an undeclared event, which a first use brings into being.
    pub(crate) fn inferred_field(&mut self, event: usize, field: &str) -> (usize, Type) {
        if let Some(at) = self.plan.events.get(event).and_then(|e| e.schema.find(field)) {
            let ty = self.plan.events.get(event).and_then(|e| e.schema.columns.get(at)).map_or(Type::ERROR, |c| c.ty.clone());
            return (at, ty);
        }
        self.learnt += 1;
        let at = self.add_inferred_field(event, field);
        let name = self.plan.events.get(event).map(|e| e.name.clone()).unwrap_or_default();
        self.known_fields.entry(name).or_default().push(field.to_owned());
        (at, Type::optional(Kind::Unsettled { event, field: at }))
    }

    /// A use that needs the expression to be of a kind: an unsettled field takes it.
    pub(crate) fn settle(&mut self, expr: &mut Expr, kind: Kind) {
        let Kind::Unsettled { event, field } = expr.ty.kind else { return };
        let Some(e) = self.plan.events.get(event) else { return };
        let Some(column) = e.schema.columns.get(field) else { return };
        let key = (e.name.clone(), column.name.clone());
        if let std::collections::btree_map::Entry::Vacant(slot) = self.settled.entry(key) {
            slot.insert(Settled { kind: kind.clone(), span: expr.span });
            self.learnt += 1;
        }
        expr.ty.kind = kind;
    }

    /// A type mismatch at an expression: if it reads an inferred field, shows both uses and the declaration that would settle it.
    pub(crate) fn mismatch(&mut self, code: Code, expr: &Expr, message: String, wanted: &str) -> Diagnostic {
        if let Some(&(event, field)) = self.inferred_places.get(&expr.span)
            && let Some(e) = self.plan.events.get(event)
            && let Some(column) = e.schema.columns.get(field)
            && let Some(first) = self.settled.get(&(e.name.clone(), column.name.clone()))
            && first.kind != Kind::Any
        {
            return Diagnostic::new(
                Code::ConflictingUses,
                expr.span,
                format!("`{}.{}` is used as {} here and as {} elsewhere", e.name, column.name, wanted, expr.ty.without_null()),
            )
            .label(format!("used as {wanted}"))
            .also(first.span, format!("used as {}", expr.ty.without_null()))
            .help(format!("declare the event to settle it: `event {}:` with a line `{}: {}`", e.name, column.name, expr.ty));
        }
        Diagnostic::new(code, expr.span, message)
    }
}
