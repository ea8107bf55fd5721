//! Operators and their kernels: what each node contributes to the functions of the shared list.

use varpulis_abi::scalar::{Physical, Scalar};

use super::accumulators::{Accumulators, label_of};
use super::assemble::Assembler;
use super::builder::{Builder, nullable, plain};
use super::columns::fields_of;
use super::expression::{lower, physical};
use super::frame::{Frame, Lowering};
use super::ir::{Arm, Comparison, FieldType, KernelFunction, Op, OperatorId, Read, Record, RecordField, RecordId, Statement, ValueId};
use super::kept::{KeptField, KeptRecord, join_operator, joins};
use super::order::beats;
use super::patterns::RunLayout;
use crate::analysis::typed::{Expr, Place};
use crate::plan::logical::{Column, ErrorOwner, NodeId, NodeKind, Outer, Policy, Rank, Window};
use crate::plan::physical::{ChainInput, Config, Operator};

/// What assembly knows of an operator while the chains behind it are lowered.
pub(super) struct OperatorState {
    pub(super) id: OperatorId,
    pub(super) keys: RecordId,
    pub(super) kind: StateKind,
}

/// What differs between operators.
pub(super) enum StateKind {
    /// Keys and accumulators.
    Window(Accumulators),
    /// Keys and runs.
    Pattern(Box<RunLayout>),
    /// Keys and records that are kept, of each input.
    Kept(Vec<KeptRecord>),
    /// Keys only.
    Keyed,
}

/// Makes the operator of a node, and everything behind it.
pub(super) fn create(a: &mut Assembler<'_>, node: NodeId) -> OperatorId {
    let plan = a.plan;
    let n = plan.node(node);
    let id = OperatorId(a.program.operators.len() as u32);
    let mut operator = begun(a, node);
    // Its place among the operators, until it is complete.
    a.program.operators.push(operator.clone());
    let ports = operator.ports.clone();
    let (key_exprs, key_columns, needs_key) = keys_of(&n.kind, ports.len());
    let name = format!("{}Key", operator.name);
    let keys = a.add_record(Record { name, fields: fields_of(&key_columns), shapes: vec![], stored: true, doc: format!("The key of `{}`.", n.stream) });
    operator.functions = key_functions(a, &n.error_owner(), &ports, keys, &key_exprs, needs_key);
    operator.stores.push(("Keys", keys));
    let row = *ports.first().unwrap_or(&RecordId(0));
    let (kind, input, frame) = match &n.kind {
        NodeKind::Window { window, policy, aggregates, .. } => {
            let accumulators = window_operator(a, &mut operator, node, window, aggregates, row, keys);
            if *policy == Policy::ProcessingTime {
                (operator.timed, operator.clocked) = (false, operator.timed);
            }
            (StateKind::Window(accumulators), ChainInput::Firing(id), Frame::Firing(node))
        }
        NodeKind::Pattern(p) => {
            let layout = RunLayout::new(a, &mut operator, node, p, keys);
            (StateKind::Pattern(Box::new(layout)), ChainInput::Firing(id), Frame::Firing(node))
        }
        NodeKind::TopK { by, count, window, .. } => {
            (top_k_operator(a, &mut operator, node, by, *count, window, row, keys), ChainInput::Firing(id), Frame::Firing(node))
        }
        NodeKind::Join { span, outer, .. } => (join_operator(a, &mut operator, node, *span, outer.as_ref(), keys), ChainInput::Firing(id), Frame::Firing(node)),
        NodeKind::Distinct { within, .. } => {
            (operator.runtime, operator.firing) = ("Distinct", "RowFiring");
            operator.config = vec![Config::Int(*within)];
            operator.memory = "values in the span × (key + 24 B)".to_owned();
            (StateKind::Keyed, ChainInput::FiredRow(id, row), Frame::Row(row))
        }
        NodeKind::Lag { values, back, .. } => {
            let kept = lag_operator(a, &mut operator, node, values, *back, row);
            (StateKind::Keyed, ChainInput::FiredRow(id, row), Frame::Lagged { operator: id, row, kept })
        }
        NodeKind::Limit { count, .. } => {
            (operator.runtime, operator.firing) = ("Limit", "RowFiring");
            operator.config = vec![Config::Int(*count)];
            operator.memory = "keys × (key + 8 B)".to_owned();
            (StateKind::Keyed, ChainInput::FiredRow(id, row), Frame::Row(row))
        }
        _ => (StateKind::Keyed, ChainInput::Row(row), Frame::Row(row)),
    };
    put(a, id, operator);
    a.operators.insert(node, OperatorState { id, keys, kind });
    if let NodeKind::Join { outer: Some(Outer { condition: Some(condition), .. }), .. } = &n.kind {
        let joins = joins(a, node, condition);
        if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
            o.functions.push(joins);
        }
    }
    let chains = a.behind(node, input, &frame);
    if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
        o.chains = chains;
    }
    id
}

/// An operator of which only the name and the inputs are known.
fn begun(a: &mut Assembler<'_>, node: NodeId) -> Operator {
    let n = a.plan.node(node);
    let suffix = match &n.kind {
        NodeKind::Window { .. } => "Window",
        NodeKind::TopK { .. } => "Top",
        NodeKind::Pattern(_) => "Pattern",
        NodeKind::Join { .. } => "Join",
        NodeKind::Distinct { .. } => "Distinct",
        NodeKind::Lag { .. } => "Lag",
        _ => "Limit",
    };
    Operator {
        name: a.unique(&format!("{}{suffix}", n.stream)),
        runtime: "",
        kernel: "KeyKernel",
        stores: vec![],
        ports: n.kind.inputs().into_iter().map(|i| a.record_of(i)).collect(),
        functions: vec![],
        config: vec![],
        parts: vec![],
        firing: "",
        timed: false,
        clocked: false,
        doc: a.doc(n.span),
        memory: String::new(),
        chains: vec![],
        stage: 0,
    }
}

fn put(a: &mut Assembler<'_>, id: OperatorId, operator: Operator) {
    if let Some(slot) = a.program.operators.get_mut(id.0 as usize) {
        *slot = operator;
    }
}

/// Per port the key's expressions, its columns, and whether a null key takes no part.
fn keys_of(kind: &NodeKind, ports: usize) -> (Vec<Vec<Expr>>, Vec<Column>, bool) {
    let columns =
        |keys: &[Expr]| keys.iter().enumerate().map(|(i, k)| Column { name: format!("key{}", i + 1), ty: k.ty.clone(), hidden: false }).collect::<Vec<_>>();
    match kind {
        NodeKind::Window { keys, key_columns, .. } | NodeKind::TopK { keys, key_columns, .. } => (vec![keys.clone()], key_columns.clone(), false),
        NodeKind::Distinct { keys, .. } | NodeKind::Limit { keys, .. } | NodeKind::Lag { keys, .. } => (vec![keys.clone()], columns(keys), false),
        NodeKind::Pattern(p) => (p.keys.clone(), p.key_columns.clone(), true),
        NodeKind::Join { left_keys, right_keys, .. } => {
            let mut merged = columns(left_keys);
            for (c, r) in merged.iter_mut().zip(right_keys) {
                c.ty.nullable |= r.ty.nullable;
            }
            (vec![left_keys.clone(), right_keys.clone()], merged, true)
        }
        _ => (vec![vec![]; ports], vec![], false),
    }
}

/// `has_key`, `hash`, `same_key` and `store_key`, one arm per port.
pub(super) fn key_functions(
    a: &mut Assembler<'_>,
    owner: &ErrorOwner,
    ports: &[RecordId],
    keys: RecordId,
    exprs: &[Vec<Expr>],
    needs_key: bool,
) -> Vec<KernelFunction> {
    let several = ports.len() > 1;
    let mut functions: Vec<KernelFunction> = ["has_key", "hash", "same_key", "store_key"].iter().map(|name| KernelFunction { name, arms: vec![] }).collect();
    for (port, (record, exprs)) in ports.iter().zip(exprs).enumerate() {
        let types: Vec<Physical> = a.program.record(keys).fields.iter().filter_map(|f| if let FieldType::Scalar(p) = f.ty { Some(p) } else { None }).collect();
        for function in &mut functions {
            let mut b = Builder::new();
            let mut values: Vec<ValueId> = vec![];
            for (e, ty) in exprs.iter().zip(&types) {
                let v = lower(&mut b, &mut Lowering { a, frame: Frame::Row(*record), owner: owner.clone() }, e);
                values.push(b.fit(v, *ty));
            }
            if function.name == "has_key" && !(needs_key && values.iter().any(|v| b.ty(*v).nullable)) {
                continue;
            }
            key_body(&mut b, function.name, keys, &values, &types);
            function.arms.push(Arm { port: several.then_some(port), index: None, body: b.finish() });
        }
    }
    functions.retain(|f| !f.arms.is_empty());
    functions
}

fn key_body(b: &mut Builder, name: &str, keys: RecordId, values: &[ValueId], types: &[Physical]) {
    match name {
        "has_key" => {
            let null = b.any_null(values);
            let present = b.not(null);
            b.statement(Statement::Return(present));
        }
        "hash" => {
            let hash = b.value(Op::Hash(values.to_vec()), plain(Scalar::Int));
            b.statement(Statement::Return(hash));
        }
        "same_key" => {
            let mut same: Option<ValueId> = None;
            for (i, (v, ty)) in values.iter().zip(types).enumerate() {
                let stored = b.value(Op::Load { param: "key", record: keys, field: i }, *ty);
                let equal = b.value(Op::SameKey(*v, stored), plain(Scalar::Bool));
                same = Some(same.map_or(equal, |s| b.and(s, |_| equal)));
            }
            let same = same.unwrap_or_else(|| b.boolean(true));
            b.statement(Statement::Return(same));
        }
        _ => {
            for (i, v) in values.iter().enumerate() {
                b.statement(Statement::Store { param: "key", record: keys, field: i, value: *v });
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one node")]
fn top_k_operator(
    a: &mut Assembler<'_>,
    operator: &mut Operator,
    node: NodeId,
    by: &[Rank],
    count: i64,
    window: &Window,
    row: RecordId,
    keys: RecordId,
) -> StateKind {
    let owner = a.plan.node(node).error_owner();
    let fields = by.iter().enumerate().map(|(at, rank)| RecordField { name: rank_name(at), ty: FieldType::Scalar(physical(&rank.by.ty)) });
    let fields: Vec<RecordField> = fields.collect();
    let doc = format!("A record that `{}` keeps, and what it is ranked by.", owner.stream);
    let kept = a.add_record(Record { name: format!("{}Kept", operator.name), fields, shapes: vec![], stored: true, doc });
    let arm = |body: Builder| vec![Arm { port: None, index: None, body: body.finish() }];
    let mut b = Builder::new();
    let mut sides = vec![];
    for (field, rank) in by.iter().enumerate() {
        let ty = physical(&rank.by.ty);
        let value = lower(&mut b, &mut Lowering { a, frame: Frame::Row(row), owner: owner.clone() }, &rank.by);
        sides.push((b.fit(value, ty), b.value(Op::Load { param: "kept", record: kept, field }, ty), rank.descending));
    }
    let outranks = precedes(&mut b, &sides);
    b.statement(Statement::Return(outranks));
    operator.functions.push(KernelFunction { name: "outranks", arms: arm(b) });
    let mut b = Builder::new();
    let mut sides = vec![];
    for (field, rank) in by.iter().enumerate() {
        let [value, stored] = ["kept", "other"].map(|param| b.value(Op::Load { param, record: kept, field }, physical(&rank.by.ty)));
        sides.push((value, stored, rank.descending));
    }
    let before = precedes(&mut b, &sides);
    b.statement(Statement::Return(before));
    operator.functions.push(KernelFunction { name: "precedes", arms: arm(b) });
    let (size, slide, offset) = match *window {
        Window::Tumbling { size, offset } => (size, size, offset),
        Window::Sliding { size, slide, offset } => (size, slide, offset),
        Window::Cumulating { size, .. }
        | Window::Late { size, .. }
        | Window::Session { gap: size, .. }
        | Window::Count { size }
        | Window::SlidingCount { size, .. } => (size, size, 0),
    };
    (operator.runtime, operator.kernel, operator.firing, operator.timed) = ("TopK", "RankKernel", "RankFiring", true);
    operator.config = [count, size, slide, offset].map(Config::Int).to_vec();
    operator.stores.push(("Kept", kept));
    operator.parts = vec![("key", keys), ("kept", kept)];
    let count = if count == i64::MAX { "rows".to_owned() } else { count.to_string() };
    operator.memory = format!("keys × open windows × {count} × (captures + 4 B)");
    let fields = (0..by.len()).map(|at| (KeptField::Rank(at), at)).collect();
    StateKind::Kept(vec![KeptRecord {
        param: "kept",
        function: "keep",
        record: kept,
        fields,
        ranks: by.iter().map(|rank| rank.by.clone()).collect(),
        optional: false,
    }])
}

fn rank_name(at: usize) -> String {
    if at == 0 { "rank".to_owned() } else { format!("rank{}", at + 1) }
}

/// Whether one record comes before another, by pairs of values of which the next counts where those before it are equal; null and NaN come last.
fn precedes(b: &mut Builder, sides: &[(ValueId, ValueId, bool)]) -> ValueId {
    let Some(((value, other, descending), rest)) = sides.split_first() else { return b.boolean(false) };
    let op = if *descending { Comparison::Greater } else { Comparison::Less };
    let before = beats(b, op, *value, *other);
    if rest.is_empty() {
        return before;
    }
    b.or(before, |b| {
        let behind = beats(b, op, *other, *value);
        let equal = b.not(behind);
        b.and(equal, |b| precedes(b, rest))
    })
}

/// What a record keeps for later ones; every value may be missing.
fn lag_operator(a: &mut Assembler<'_>, operator: &mut Operator, node: NodeId, values: &[Expr], back: i64, row: RecordId) -> RecordId {
    let owner = a.plan.node(node).error_owner();
    let ty = |e: &Expr| nullable(physical(&e.ty).scalar);
    let fields = values.iter().enumerate().map(|(at, e)| RecordField { name: format!("value{}", at + 1), ty: FieldType::Scalar(ty(e)) }).collect();
    let doc = format!("What `{}` keeps of a record for the one {back} later.", owner.stream);
    let kept = a.add_record(Record { name: format!("{}Kept", operator.name), fields, shapes: vec![], stored: true, doc });
    let mut b = Builder::new();
    for (field, e) in values.iter().enumerate() {
        let value = lower(&mut b, &mut Lowering { a, frame: Frame::Row(row), owner: owner.clone() }, e);
        let value = b.fit(value, ty(e));
        b.statement(Statement::Store { param: "kept", record: kept, field, value });
    }
    operator.functions.push(KernelFunction { name: "remember", arms: vec![Arm { port: None, index: None, body: b.finish() }] });
    (operator.runtime, operator.kernel, operator.firing) = ("Lag", "LagKernel", "LagFiring");
    operator.config = vec![Config::Int(back)];
    operator.stores.push(("Kept", kept));
    operator.parts = vec![("kept", kept)];
    operator.memory = format!("keys × (key + {} × values)", back + 1);
    kept
}

fn window_operator(
    a: &mut Assembler<'_>,
    operator: &mut Operator,
    node: NodeId,
    window: &Window,
    aggregates: &[crate::plan::logical::AggregateCall],
    row: RecordId,
    keys: RecordId,
) -> Accumulators {
    let n = a.plan.node(node);
    let accs = a.add_record(Record {
        name: format!("{}Acc", operator.name),
        fields: vec![],
        shapes: vec![],
        stored: true,
        doc: format!("What `{}` accumulates per key.", n.stream),
    });
    let columns: Vec<String> = a.program.record(row).fields.iter().map(|f| f.name.clone()).collect();
    let column = |p: &Place| if let Place::Field { field, .. } = p { columns.get(*field).cloned() } else { None };
    let mut fields = vec![];
    let accumulators = Accumulators::new(accs, "", aggregates, &|e| label_of(e, &column), &mut fields);
    if let Some(r) = a.program.records.get_mut(accs.0 as usize) {
        r.fields = fields;
    }
    let mut fold = Builder::new();
    accumulators.fold(&mut fold, &mut Lowering { a, frame: Frame::Row(row), owner: n.error_owner() }, "acc");
    operator.functions.push(KernelFunction { name: "fold", arms: vec![Arm { port: None, index: None, body: fold.finish() }] });
    if let Window::Sliding { .. } | Window::SlidingCount { .. } = window {
        // Only these put a window together out of parts.
        let mut merge = Builder::new();
        accumulators.merge(&mut merge, "into", "into", "newer");
        operator.functions.push(KernelFunction { name: "merge", arms: vec![Arm { port: None, index: None, body: merge.finish() }] });
    }
    operator.kernel = "WindowKernel";
    operator.firing = "WindowFiring";
    operator.stores.push(("Accs", accs));
    operator.parts = vec![("key", keys), ("accs", accs)];
    let int = Config::Int;
    let (runtime, config, timed, memory) = match *window {
        Window::Tumbling { size, offset } => ("TumblingWindow", vec![int(size), int(offset)], true, "keys × (key + accumulators)"),
        Window::Sliding { size, slide, offset } => ("SlidingWindow", vec![int(size), int(slide), int(offset)], true, "keys × panes × accumulators"),
        Window::Cumulating { size, step, offset, early } => {
            ("CumulatingWindow", vec![int(size), int(step), int(offset), Config::Bool(early)], true, "keys in the window × (key + accumulators)")
        }
        Window::Late { size, slide, offset, lateness } => {
            let memory = "windows open or kept × keys × (key + accumulators)";
            ("LateWindow", vec![int(size), int(slide), int(offset), int(lateness)], true, memory)
        }
        Window::Session { gap, early } => ("SessionWindow", vec![int(gap), int(early.unwrap_or(i64::MAX))], true, "open sessions × (key + accumulators)"),
        Window::Count { size } => ("CountWindow", vec![int(size)], false, "keys × (key + accumulators)"),
        Window::SlidingCount { size, slide } => ("SlidingCountWindow", vec![int(size), int(slide)], false, "keys × panes × accumulators"),
    };
    (operator.runtime, operator.config, operator.timed, operator.memory) = (runtime, config, timed, memory.to_owned());
    accumulators
}

impl Assembler<'_> {
    /// A place of what an operator fires; in a pattern's kernel (`kernel_port`), of the run.
    pub(super) fn fired(&mut self, b: &mut Builder, node: NodeId, place: &Place, ty: Physical, kernel_port: Option<usize>) -> ValueId {
        let Some(mut state) = self.operators.remove(&node) else { return b.value(Op::Null, ty) };
        let value = self.fired_from(b, &mut state, node, place, ty, kernel_port);
        self.operators.insert(node, state);
        value
    }

    fn fired_from(&mut self, b: &mut Builder, state: &mut OperatorState, node: NodeId, place: &Place, ty: Physical, kernel_port: Option<usize>) -> ValueId {
        match (place, &mut state.kind) {
            (Place::WindowStart, _) => b.value(Op::Read(Read::WindowStart), ty),
            (Place::WindowEnd, _) => b.value(Op::Read(Read::WindowEnd), ty),
            (Place::Updated, _) => b.value(Op::Read(Read::Updated), ty),
            (Place::Key(i), _) => b.value(Op::Load { param: "key", record: state.keys, field: *i }, ty),
            (Place::Aggregate(i), StateKind::Window(accumulators)) => {
                // A window may be shared: what cannot be read of it is an error of who reads.
                let owner = self.reader.clone().unwrap_or_else(|| self.plan.node(node).error_owner());
                accumulators.finish(b, *i, "accs", &mut |span| self.site(&owner, span))
            }
            (place, StateKind::Pattern(layout)) => layout.place(self, b, node, place, ty, kernel_port, state.keys),
            (Place::Field { input, .. } | Place::Ts { input }, StateKind::Kept(records)) => {
                let side = (*input).min(records.len().saturating_sub(1));
                let field = if let Place::Field { field, .. } = place { KeptField::Column(*field) } else { KeptField::Ts };
                let Some(kept) = records.get_mut(side) else { return b.value(Op::Null, ty) };
                let ty = Physical { nullable: ty.nullable || kept.optional, ..ty };
                let next = kept.fields.len();
                let at = *kept.fields.entry(field.clone()).or_insert(next);
                if at == next {
                    let source = self.port_of(state.id, side);
                    let name = match field {
                        KeptField::Column(c) => self.program.record(source).fields.get(c).map_or_else(String::new, |f| f.name.clone()),
                        KeptField::Ts => "ts".to_owned(),
                        KeptField::Rank(at) => rank_name(at),
                    };
                    if let Some(r) = self.program.records.get_mut(kept.record.0 as usize) {
                        let taken = r.fields.iter().any(|f| f.name == name);
                        let name = if taken { format!("{name}{}", r.fields.len() + 1) } else { name };
                        r.fields.push(RecordField { name, ty: FieldType::Scalar(ty) });
                    }
                }
                b.value(Op::Load { param: kept.param, record: kept.record, field: at }, ty)
            }
            _ => b.value(Op::Null, ty),
        }
    }

    pub(super) fn port_of(&self, id: OperatorId, port: usize) -> RecordId {
        self.program.operators.get(id.0 as usize).and_then(|o| o.ports.get(port)).copied().unwrap_or(RecordId(0))
    }
}
