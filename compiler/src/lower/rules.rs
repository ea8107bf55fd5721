//! Rules as data: streams that differ in constants only share one operator, whose table holds the constants.
//!
//! A stream `E.where(field == constant and …).emit(fields)` costs rustc a function each; a table costs a row. The look-up is by the
//! constants compared for equality, so that an event costs what it satisfies, not how many rules there are.

use std::collections::{BTreeMap, HashSet};

use varpulis_abi::scalar::Scalar;

use super::assemble::Assembler;
use super::builder::{Builder, plain};
use super::columns::has_shape;
use super::expression::{Context, lower, physical, truth};
use super::frame::{Frame, Lowering};
use super::ir::{Arm, ChainId, FieldType, KernelFunction, Op, OperatorId, Record, RecordField, RecordId, SiteId, Statement, ValueId};
use crate::analysis::typed::{Expr, ExprKind, Literal, Place};
use crate::analysis::types::Type;
use crate::plan::logical::{NodeId, NodeKind};
use crate::plan::physical::{ChainInput, Config, Operator};
use crate::plan::print::expression_key;
use crate::syntax::ast::{BinaryOp, Span};

/// From how many streams of one shape on they become a table.
const LEAST: usize = 16;

/// A rule: its equalities, its other conditions with constants taken out, and its publication.
struct Rule {
    reader: NodeId,
    project: NodeId,
    publication: usize,
    equalities: Vec<(usize, Literal, Type)>,
    rest: Vec<Expr>,
    constants: Vec<(Literal, Type)>,
}

/// Stands for the n-th constant of a rule in its shape.
const CONSTANT: usize = usize::MAX - 1;

/// Takes the readers of an event that form tables out of `readers`, and makes their chains.
pub(super) fn tables(a: &mut Assembler<'_>, source: NodeId, record: RecordId, readers: &mut Vec<NodeId>) -> Vec<ChainId> {
    let mut shapes: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for reader in readers.iter() {
        if let Some((shape, rule)) = rule(a, *reader) {
            shapes.entry(shape).or_default().push(rule);
        }
    }
    let mut chains = vec![];
    let mut groups: Vec<Vec<Rule>> = shapes.into_values().filter(|g| g.len() >= LEAST).collect();
    groups.sort_by_key(|g| g.first().map(|r| r.reader));
    for group in groups {
        let taken: HashSet<NodeId> = group.iter().map(|g| g.reader).collect();
        readers.retain(|r| !taken.contains(r));
        chains.push(table(a, source, record, &group));
    }
    chains
}

fn rule(a: &Assembler<'_>, reader: NodeId) -> Option<(String, Rule)> {
    let plan = a.plan;
    let NodeKind::Filter { condition, .. } = &plan.node(reader).kind else { return None };
    let [project] = a.consumers.get(&reader)?.as_slice() else { return None };
    let NodeKind::Project { columns, .. } = &plan.node(*project).kind else { return None };
    if a.consumers.contains_key(project) || a.published.contains_key(&reader) {
        return None;
    }
    let &[publication] = a.published.get(project)?.as_slice() else { return None };
    let (mut equalities, mut rest, mut constants) = (vec![], vec![], vec![]);
    for part in condition.clone().conjuncts() {
        match equality(&part) {
            // The first field decides the bucket; a second test of a field stays a condition.
            Some((field, literal, ty)) if !equalities.iter().any(|(f, _, _): &(usize, Literal, Type)| *f == field) => equalities.push((field, literal, ty)),
            _ => rest.push(take_constants(&part, &mut constants)),
        }
    }
    // A row of a table is written without shapes (variants, decimals, parts) and without a field that shadows `ts`.
    let plain = plan.node(*project).schema.columns.iter().all(|c| c.name != "ts" && !has_shape(&c.ty));
    let touches_state = rest.iter().chain(columns).any(Expr::touches_state);
    if equalities.is_empty() || !plain || touches_state || columns.iter().any(has_text_constant) {
        return None;
    }
    equalities.sort_by_key(|(f, _, _)| *f);
    let fields: Vec<usize> = equalities.iter().map(|(f, _, _)| *f).collect();
    let rest_keys: Vec<String> = rest.iter().map(expression_key).collect();
    let column_keys: Vec<String> = columns.iter().map(expression_key).collect();
    let names: Vec<(&str, bool)> = plan.node(*project).schema.columns.iter().map(|c| (c.name.as_str(), c.hidden)).collect();
    let shape = format!("{fields:?} {rest_keys:?} {column_keys:?} {names:?}");
    Some((shape, Rule { reader, project: *project, publication, equalities, rest, constants }))
}

/// `field == constant`, of a kind whose values can be looked up.
fn equality(e: &Expr) -> Option<(usize, Literal, Type)> {
    let ExprKind::Binary(BinaryOp::Equal, l, r) = &e.kind else { return None };
    let (place, literal) = match (&l.kind, &r.kind) {
        (ExprKind::Place(Place::Field { field, .. }), ExprKind::Literal(v)) => ((field, &l.ty), v),
        (ExprKind::Literal(v), ExprKind::Place(Place::Field { field, .. })) => ((field, &r.ty), v),
        _ => return None,
    };
    let fits = !place.1.nullable && matches!(place.1.scalar(), Scalar::Int | Scalar::Text | Scalar::Bool | Scalar::Enum) && *literal != Literal::Null;
    fits.then(|| (*place.0, literal.clone(), place.1.clone()))
}

fn has_text_constant(e: &Expr) -> bool {
    let mut found = matches!(&e.kind, ExprKind::Literal(_));
    e.children(&mut |c| found |= has_text_constant(c));
    found
}

/// The expression with its constants replaced by places, which number them.
fn take_constants(e: &Expr, constants: &mut Vec<(Literal, Type)>) -> Expr {
    match &e.kind {
        ExprKind::Literal(l) if *l != Literal::Null => {
            constants.push((l.clone(), e.ty.clone()));
            Expr::place(Place::Field { input: CONSTANT, field: constants.len() - 1 }, e.ty.clone(), e.span)
        }
        _ => e.map_children(&mut |c| take_constants(c, constants)),
    }
}

/// Reads a rule's constants from its slot, everything else from the row.
struct RuleContext<'a, 'p> {
    inner: Lowering<'a, 'p>,
    constants: RecordId,
}

impl Context for RuleContext<'_, '_> {
    fn place(&mut self, b: &mut Builder, place: &Place, ty: &Type) -> ValueId {
        match place {
            Place::Field { input: CONSTANT, field } => b.value(Op::Load { param: "constants", record: self.constants, field: *field }, physical(ty)),
            _ => self.inner.place(b, place, ty),
        }
    }
    fn site(&mut self, span: Span) -> SiteId {
        self.inner.site(span)
    }
}

fn table(a: &mut Assembler<'_>, source: NodeId, record: RecordId, group: &[Rule]) -> ChainId {
    let plan = a.plan;
    let event = plan.node(source).stream.clone();
    let Some(first) = group.first() else { return ChainId(0) };
    let span = plan.node(first.reader).span;
    let name = a.unique(&format!("{event}Rules"));
    let doc = format!("{} and {} like it", a.doc(span), group.len() - 1);
    let columns = plan.columns_of(source);
    let field = |name: String, ty: &Type| RecordField { name, ty: FieldType::Scalar(physical(ty)) };
    let key_fields = first.equalities.iter().map(|(f, _, ty)| field(columns.get(*f).map_or_else(String::new, |c| c.name.clone()), ty)).collect();
    let keys = a.add_record(Record {
        name: format!("{name}Key"),
        fields: key_fields,
        shapes: vec![],
        stored: true,
        doc: "What a rule compares for equality.".to_owned(),
    });
    let constant_fields = first.constants.iter().enumerate().map(|(i, (_, ty))| field(format!("constant{}", i + 1), ty)).collect();
    let constants = a.add_record(Record {
        name: format!("{name}Constants"),
        fields: constant_fields,
        shapes: vec![],
        stored: true,
        doc: "A rule's other constants.".to_owned(),
    });
    let key_exprs: Vec<Expr> = first.equalities.iter().map(|(f, _, ty)| Expr::place(Place::Field { input: 0, field: *f }, ty.clone(), span)).collect();
    let owner = plan.node(first.reader).error_owner();
    let mut functions = super::kernels::key_functions(a, &owner, &[record], keys, &[key_exprs], false);
    functions.extend(stored_key_functions(a, keys));
    let mut b = Builder::new();
    let mut cx = RuleContext { inner: Lowering { a, frame: Frame::Row(record), owner }, constants };
    let result = first.rest.iter().fold(None, |before: Option<ValueId>, e| match before {
        None => Some(truth(&mut b, &mut cx, e, true)),
        Some(before) => Some(b.and(before, |b| truth(b, &mut cx, e, true))),
    });
    let result = result.unwrap_or_else(|| b.boolean(true));
    b.statement(Statement::Return(result));
    functions.push(KernelFunction { name: "accepts", arms: vec![Arm { port: None, index: None, body: b.finish() }] });
    let rows = |values: &dyn Fn(&Rule) -> Vec<Literal>| group.iter().map(values).collect::<Vec<_>>();
    let id = OperatorId(a.program.operators.len() as u32);
    a.program.operators.push(Operator {
        name,
        runtime: "RuleTable",
        kernel: "RuleKernel",
        stores: vec![("Keys", keys), ("Constants", constants)],
        ports: vec![record],
        functions,
        config: vec![
            Config::Slots("Keys", rows(&|r| r.equalities.iter().map(|(_, l, _)| l.clone()).collect())),
            Config::Slots("Constants", rows(&|r| r.constants.iter().map(|(l, _)| l.clone()).collect())),
        ],
        parts: vec![("constants", constants)],
        firing: "RuleFiring",
        timed: false,
        clocked: false,
        doc: doc.clone(),
        memory: format!("{} rules", group.len()),
        chains: vec![],
        stage: 0,
    });
    let behind = fired_rule(a, id, record, group);
    if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
        o.chains = vec![behind];
    }
    let chain = a.reserve_chain(&format!("{event}Rules"), ChainInput::Row(record), span);
    let mut b = Builder::new();
    b.statement(Statement::Push { operator: id, port: 0, row: super::ir::RowSource::Same, late: false });
    a.fill_chain(chain, b);
    chain
}

/// `hash_key` and `same_keys`: the table is built from keys that no row brought.
fn stored_key_functions(a: &Assembler<'_>, keys: RecordId) -> Vec<KernelFunction> {
    let fields = a.program.record(keys).fields.clone();
    let load = |b: &mut Builder, param: &'static str| -> Vec<ValueId> {
        let mut values = vec![];
        for (i, f) in fields.iter().enumerate() {
            if let FieldType::Scalar(ty) = f.ty {
                values.push(b.value(Op::Load { param, record: keys, field: i }, ty));
            }
        }
        values
    };
    let mut hash = Builder::new();
    let values = load(&mut hash, "key");
    let h = hash.value(Op::Hash(values), plain(Scalar::Int));
    hash.statement(Statement::Return(h));
    let mut same = Builder::new();
    let (left, right) = (load(&mut same, "key"), load(&mut same, "other"));
    let mut result: Option<ValueId> = None;
    for (l, r) in left.into_iter().zip(right) {
        let equal = same.value(Op::SameKey(l, r), plain(Scalar::Bool));
        result = Some(result.map_or(equal, |s| same.and(s, |_| equal)));
    }
    let result = result.unwrap_or_else(|| same.boolean(true));
    same.statement(Statement::Return(result));
    [("hash_key", hash), ("same_keys", same)]
        .into_iter()
        .map(|(name, b)| KernelFunction { name, arms: vec![Arm { port: None, index: None, body: b.finish() }] })
        .collect()
}

/// Publishes the row of the rule that fired: one output, many names.
fn fired_rule(a: &mut Assembler<'_>, id: OperatorId, record: RecordId, group: &[Rule]) -> ChainId {
    let plan = a.plan;
    let Some(first) = group.first() else { return ChainId(0) };
    let span = plan.node(first.reader).span;
    let owner = plan.node(first.reader).error_owner();
    let chain = a.reserve_chain(&owner.stream, ChainInput::FiredRow(id, record), span);
    let mut b = Builder::new();
    let NodeKind::Project { columns, .. } = &plan.node(first.project).kind else { return chain };
    let mut fields = vec![];
    for (e, c) in columns.iter().zip(&plan.node(first.project).schema.columns) {
        if !c.hidden {
            fields.push(lower(&mut b, &mut Lowering { a, frame: Frame::Row(record), owner: owner.clone() }, e));
        }
    }
    b.statement(Statement::PublishRule { publications: group.iter().map(|r| r.publication).collect(), fields });
    a.fill_chain(chain, b);
    chain
}
