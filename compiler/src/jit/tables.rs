//! The tables of a compiled program: schemas, shapes, places in the text, configurations.

use std::borrow::Cow;

use varpulis_abi::scalar::{Form, Physical, Scalar};
use varpulis_runtime::jit::{self, Config, Constant, CounterCode, OutputCode, ShapeField};
use varpulis_runtime::program::{EventSchema, FieldSchema, ParamSchema, Site, StreamSchema, Variants};
use varpulis_runtime::value::Value;

use super::Error;
use super::records::Records;
use crate::analysis::typed::Literal;
use crate::lower::ir::{FieldType, Record, RecordField, RecordId, Shape, Statement};
use crate::lower::usage::Usage;
use crate::plan::physical::{self, Program};
use crate::sources::Sources;

/// The beginning of a record's text.
fn head(name: &str) -> String {
    format!("{{\"type\":{}", serde_json::to_string(name).unwrap_or_default())
}

fn ty(field: &RecordField) -> Physical {
    match field.ty {
        FieldType::Scalar(ty) => ty,
        FieldType::Object(_) => Physical { scalar: Scalar::Int, nullable: false },
    }
}

fn schema(record: &Record, at: usize, field: &RecordField) -> FieldSchema {
    match record.shape_of(at) {
        Some(shape) => part(&field.name, shape),
        None => {
            let name = Cow::Owned(field.name.clone());
            FieldSchema { name, ty: ty(field), variants: Variants::Fixed(&[]), decimal: (0, 0), form: Form::Plain, parts: Cow::Borrowed(&[]) }
        }
    }
}

/// What is read and written by its shape.
pub(super) fn part(name: &str, shape: &Shape) -> FieldSchema {
    let parts = shape.parts.iter().map(|(name, shape)| part(name, shape)).collect();
    let variants = if shape.variants.is_empty() { Variants::Fixed(&[]) } else { Variants::Made(shape.variants.as_slice().into()) };
    FieldSchema { name: Cow::Owned(name.to_owned()), ty: shape.ty, variants, decimal: shape.decimal, form: shape.form, parts: Cow::Owned(parts) }
}

pub(super) fn events(program: &Program, usage: &Usage) -> Vec<EventSchema> {
    let event = |e: &physical::EventInput| {
        let record = program.record(e.record);
        let fields = usage.used_fields(program, e.record).into_iter().map(|(at, field)| schema(record, at, field)).collect();
        EventSchema { name: Cow::Owned(e.name.clone()), fields: Cow::Owned(fields), out_of_order: e.out_of_order, idle: e.idle }
    };
    program.events.iter().map(event).collect()
}

pub(super) fn streams(program: &Program) -> Vec<StreamSchema> {
    let stream = |o: &physical::Output| {
        let record = program.record(o.record);
        let fields = record.fields.iter().enumerate().map(|(at, field)| schema(record, at, field)).collect();
        StreamSchema { name: Cow::Owned(o.name.clone()), fields: Cow::Owned(fields) }
    };
    program.outputs.iter().map(stream).collect()
}

pub(super) fn sites(program: &Program, sources: &Sources, file: &str) -> Vec<Site> {
    let site = |s: &physical::SiteInfo| {
        let (path, line, column) = sources.position(s.start as usize);
        let file = if sources.part(s.start as usize).start == 0 { file } else { path };
        let words = sources.text().get(s.start as usize..s.end as usize).unwrap_or_default().to_owned();
        Site { stream: Cow::Owned(s.stream.clone()), file: Cow::Owned(file.to_owned()), line: line as u32, column: column as u32, text: Cow::Owned(words) }
    };
    program.sites.iter().map(site).collect()
}

/// Who takes what each place refuses; nothing if nobody takes anything.
pub(super) fn handlers(program: &Program) -> Vec<Option<usize>> {
    if program.errors.is_empty() { vec![] } else { program.sites.iter().map(|site| site.errors_to).collect() }
}

pub(super) fn params(program: &Program) -> Vec<ParamSchema> {
    let param = |g: &physical::GlobalValue| {
        let default = g.default.clone().or_else(|| g.ty.nullable.then(|| "null".to_owned()));
        ParamSchema { name: Cow::Owned(g.name.clone()), ty: g.ty, default: default.map(Cow::Owned) }
    };
    program.globals.iter().filter(|g| g.is_param).map(param).collect()
}

/// What every record looks like; an event is written by its own name.
pub(super) fn shapes(program: &Program, usage: &Usage, records: &Records) -> Result<Vec<jit::Shape>, Error> {
    let mut names: Vec<&str> = program.records.iter().map(|r| r.name.as_str()).collect();
    for event in &program.events {
        if let Some(name) = names.get_mut(event.record.0 as usize) {
            *name = &event.name;
        }
    }
    let mut shapes = vec![];
    for (at, (record, name)) in program.records.iter().zip(names).enumerate() {
        let id = RecordId(at as u32);
        let layout = records.layout(id).ok_or_else(|| Error::unknown("record"))?;
        let used = usage.used_fields(program, id);
        let fields = used.into_iter().map(|(at, field)| ShapeField::new(schema(record, at, field))).collect();
        shapes.push(jit::Shape { head: head(name), layout, fields });
    }
    Ok(shapes)
}

pub(super) fn outputs(program: &Program) -> Vec<OutputCode> {
    let output = |o: &physical::Output| OutputCode { name: o.name.clone(), head: head(&o.name), shape: o.record.0 as usize, shadow: o.shadow };
    program.outputs.iter().map(output).collect()
}

/// The counters, by their numbers.
pub(super) fn counters(program: &Program) -> Vec<CounterCode> {
    let counter = |(at, name): (usize, &String)| CounterCode { name: name.clone(), has_labels: program.is_labelled(at) };
    program.counters.iter().enumerate().map(counter).collect()
}

/// The counters in the order in which a program tells them: by stage, then by chain.
pub(super) fn counter_order(program: &Program) -> Vec<usize> {
    let mut chains: Vec<&physical::Chain> = program.chains.iter().collect();
    chains.sort_by_key(|chain| chain.stage);
    let mut order = vec![];
    for chain in chains {
        chain.body.walk(&mut |_| {}, &mut |s| {
            if let Statement::Count { counter, .. } | Statement::CountBy { counter, .. } = s {
                order.push(*counter);
            }
        });
    }
    order
}

pub(super) fn config(config: &physical::Config) -> Config {
    match config {
        physical::Config::Int(v) => Config::Int(*v),
        physical::Config::Bool(v) => Config::Bool(*v),
        physical::Config::Struct(_, fields) => Config::Struct(fields.iter().map(|(name, value)| (*name, self::config(value))).collect()),
        physical::Config::List(items) => Config::List(items.iter().map(self::config).collect()),
        physical::Config::Slots(store, rows) => Config::Slots(store, rows.iter().map(|row| row.iter().map(constant).collect()).collect()),
    }
}

fn constant(literal: &Literal) -> Constant {
    match literal {
        Literal::Str(text) => Constant::Text(text.clone()),
        Literal::Null => Constant::Plain(Value::Null),
        Literal::Int(v) => Constant::Plain(Value::Int(*v)),
        Literal::Float(v) => Constant::Plain(Value::Float(*v)),
        Literal::Decimal(v) => Constant::Plain(Value::of_decimal(*v)),
        Literal::Bool(v) => Constant::Plain(Value::Bool(*v)),
        Literal::Timestamp(v) => Constant::Plain(Value::Timestamp(*v)),
        Literal::Duration(v) => Constant::Plain(Value::Duration(*v)),
        Literal::Enum(v) => Constant::Plain(Value::Enum(*v)),
    }
}
