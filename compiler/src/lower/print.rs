//! The lowered program as text, one value a line: what `varpulis emit --lowered` shows.

use std::fmt::{Display, Formatter, Result, Write};

use varpulis_abi::scalar::{Physical, Scalar};

use super::ir::{
    Arithmetic, Arm, Body, ChainId, Comparison, FieldType, KernelFunction, Op, ParamName, Read, RecordId, Region, RowSource, SiteId, Statement, Value, ValueId,
    Variable, VariableId,
};
use crate::plan::physical::{ChainInput, Config, Operator, Program};
use crate::sources::Sources;

/// A program's records, kernels and chains; displays as text.
pub struct Lowered<'p> {
    program: &'p Program,
    sources: &'p Sources,
}

impl<'p> Lowered<'p> {
    /// Of a program, and its text.
    pub fn new(program: &'p Program, sources: &'p Sources) -> Self {
        Self { program, sources }
    }
}

impl Display for Lowered<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let p = self.program;
        for r in &p.records {
            let fields: Vec<String> = r.fields.iter().map(|f| format!("{}: {}", f.name, field_type(f.ty))).collect();
            writeln!(f, "{} {}({})", if r.stored { "slot" } else { "row" }, r.name, fields.join(", "))?;
        }
        for g in &p.globals {
            writeln!(f, "\n{} {}: {}", if g.is_param { "param" } else { "let" }, g.name, physical(g.ty))?;
            if let Some(body) = &g.body {
                self.body(body).write(f)?;
            }
        }
        for (at, s) in p.states.iter().enumerate() {
            writeln!(f, "\nvar state{at} {}: {}", s.name, physical(s.ty))?;
            if let Some(body) = &s.body {
                self.body(body).write(f)?;
            }
        }
        for e in &p.events {
            let names = |chains: &[ChainId]| chains.iter().map(|c| p.chain(*c).name.as_str()).collect::<Vec<_>>().join(", ");
            writeln!(f, "\nevent {} = {} -> {}", e.name, p.record(e.record).name, names(&e.chains))?;
            if !e.late.is_empty() {
                writeln!(f, "    late -> {}", names(&e.late))?;
            }
            for beginning in &e.rejections {
                writeln!(f, "    rejected")?;
                for rejection in beginning {
                    writeln!(f, "        by {}", self.field(e.record, rejection.field))?;
                    self.body(&rejection.body).list(&rejection.body.statements, 3, f)?;
                }
            }
        }
        for t in &p.timers {
            let chains: Vec<&str> = t.chains.iter().map(|c| p.chain(*c).name.as_str()).collect();
            writeln!(f, "\ntimer {} every {} ns -> {}", p.record(t.record).name, t.period, chains.join(", "))?;
        }
        for o in &p.operators {
            self.operator(o, f)?;
        }
        for c in &p.chains {
            let input = match c.input {
                ChainInput::Row(r) => format!("row: {}", p.record(r).name),
                ChainInput::Firing(o) => format!("firing of {}", p.operator(o).name),
                ChainInput::FiredRow(o, r) => format!("row: {} of {}", p.record(r).name, p.operator(o).name),
            };
            writeln!(f, "\nchain {}({input}) stage {}", c.name, c.stage + 1)?;
            self.body(&c.body).write(f)?;
        }
        Ok(())
    }
}

impl Lowered<'_> {
    fn operator(&self, o: &Operator, f: &mut Formatter<'_>) -> Result {
        let p = self.program;
        let chains: Vec<&str> = o.chains.iter().map(|c| p.chain(*c).name.as_str()).collect();
        writeln!(f, "\noperator {} = {} stage {} -> {}  # {}", o.name, o.runtime, o.stage + 1, chains.join(", "), one_line(&o.doc))?;
        writeln!(f, "    kernel {}", o.kernel)?;
        let ports: Vec<&str> = o.ports.iter().map(|r| p.record(*r).name.as_str()).collect();
        writeln!(f, "    inputs {}", ports.join(", "))?;
        for (store, record) in &o.stores {
            writeln!(f, "    store {store} = {}", p.record(*record).name)?;
        }
        for (part, record) in &o.parts {
            writeln!(f, "    fires {part} = {}", p.record(*record).name)?;
        }
        for c in &o.config {
            writeln!(f, "    config {}", config(c))?;
        }
        for function in &o.functions {
            self.function(function, f)?;
        }
        Ok(())
    }

    fn function(&self, function: &KernelFunction, f: &mut Formatter<'_>) -> Result {
        for Arm { port, index, body } in &function.arms {
            let mut case = vec![];
            case.extend(port.map(|n| format!("input {n}")));
            case.extend(index.map(|n| format!("index {n}")));
            writeln!(f, "    fn {}({})", function.name, case.join(", "))?;
            self.body(body).list(&body.statements, 2, f)?;
        }
        Ok(())
    }

    fn body<'b>(&'b self, body: &'b Body) -> BodyText<'b> {
        BodyText { lowered: self, body }
    }

    fn field(&self, record: RecordId, field: usize) -> String {
        self.program.record(record).fields.get(field).map_or_else(|| format!("#{field}"), |f| f.name.clone())
    }

    /// A place in the text: its line and words.
    fn site(&self, site: SiteId) -> String {
        let site = self.program.site(site);
        let (_, line, _) = self.sources.position(site.start as usize);
        let words = self.sources.text().get(site.start as usize..site.end as usize).unwrap_or_default();
        format!("  # {line}: {}", one_line(words))
    }

    fn output(&self, publication: usize) -> &str {
        self.program.outputs.get(publication).map_or("?", |o| o.name.as_str())
    }
}

/// A body on its way to text.
struct BodyText<'b> {
    lowered: &'b Lowered<'b>,
    body: &'b Body,
}

impl BodyText<'_> {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        self.list(&self.body.statements, 1, f)
    }

    fn list(&self, list: &[Statement], depth: usize, f: &mut Formatter<'_>) -> Result {
        list.iter().try_for_each(|s| self.statement(s, depth, f))
    }

    fn statement(&self, s: &Statement, depth: usize, f: &mut Formatter<'_>) -> Result {
        let indent = Indent(depth);
        match s {
            Statement::Let(v) => self.value(*v, depth, f),
            Statement::Guard(v) => writeln!(f, "{indent}guard {}", Id(*v)),
            Statement::If { condition, then, otherwise } => {
                writeln!(f, "{indent}if {}", Id(*condition))?;
                self.list(then, depth + 1, f)?;
                if otherwise.is_empty() {
                    return Ok(());
                }
                writeln!(f, "{indent}else")?;
                self.list(otherwise, depth + 1, f)
            }
            Statement::Run { variables, body } => {
                writeln!(f, "{indent}run{}", declared(variables))?;
                self.list(body, depth + 1, f)
            }
            Statement::Set { variable, value } => writeln!(f, "{indent}set {} {}", Name(*variable), Id(*value)),
            Statement::Block { label, repeats, body } => {
                writeln!(
                    f,
                    "{indent}{} b{}{}",
                    if repeats.is_some() { "loop" } else { "block" },
                    label.0,
                    repeats.map_or_else(String::new, |s| self.lowered.site(s))
                )?;
                self.list(body, depth + 1, f)
            }
            Statement::Leave(label) => writeln!(f, "{indent}leave b{}", label.0),
            Statement::Store { param, record, field, value } => {
                writeln!(f, "{indent}store {param}.{} {}", self.lowered.field(*record, *field), Id(*value))
            }
            Statement::Tell { param, record, field, method, args } => {
                writeln!(f, "{indent}tell {}{}", self.place(param, *record, *field, method.name), ids(args))
            }
            Statement::MergeObject { record, field, into, from } => {
                let field = self.lowered.field(*record, *field);
                writeln!(f, "{indent}merge {into}.{field} {from}.{field}")
            }
            Statement::Return(v) => writeln!(f, "{indent}return {}", Id(*v)),
            Statement::Push { operator, port, row, late } => {
                let late = if *late { " late" } else { "" };
                writeln!(f, "{indent}push {} {port} {}{late}", self.lowered.program.operator(*operator).name, self.row(row))
            }
            Statement::Call { chain, row } => writeln!(f, "{indent}call {} {}", self.lowered.program.chain(*chain).name, self.row(row)),
            Statement::Publish { publication, fields } => writeln!(f, "{indent}publish {}{}", self.lowered.output(*publication), ids(fields)),
            Statement::PublishRule { publications, fields } => {
                let names: Vec<&str> = publications.iter().map(|p| self.lowered.output(*p)).collect();
                writeln!(f, "{indent}publish.rule [{}]{}", names.join(" "), ids(fields))
            }
            Statement::Print(v) => writeln!(f, "{indent}print {}", Id(*v)),
            Statement::Count { counter, every, then } => {
                writeln!(f, "{indent}count {:?} every {every}", self.lowered.program.counters.get(*counter).map_or("?", String::as_str))?;
                self.list(then, depth + 1, f)
            }
            Statement::CountBy { counter, label } => {
                let name = self.lowered.program.counters.get(*counter).map_or("?", String::as_str);
                writeln!(f, "{indent}count {name:?} by {}", Id(*label))
            }
            Statement::Comment(text) => writeln!(f, "{indent}# {}", one_line(text)),
        }
    }

    fn value(&self, id: ValueId, depth: usize, f: &mut Formatter<'_>) -> Result {
        let value = self.body.value(id);
        let (op, site) = self.op(value);
        let owned = if value.owned { " owned" } else { "" };
        writeln!(f, "{}{} = {op} : {}{owned}{}", Indent(depth), Id(id), physical(value.ty), site.map_or_else(String::new, |s| self.lowered.site(s)))?;
        let names = match &value.op {
            Op::Gather { keep: Some(_), .. } => ["keep", "part"],
            Op::Gather { .. } => ["part", ""],
            Op::Run { .. } => ["do", ""],
            _ => ["then", "else"],
        };
        names.into_iter().zip(value.regions()).try_for_each(|(name, region)| self.region(name, region, depth + 1, f))
    }

    fn region(&self, name: &str, region: &Region, depth: usize, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}{name}", Indent(depth))?;
        self.list(&region.statements, depth + 1, f)?;
        region.result.map_or(Ok(()), |v| writeln!(f, "{}yield {}", Indent(depth + 1), Id(v)))
    }

    /// An operation, and the place that it can refuse for.
    fn op(&self, value: &Value) -> (String, Option<SiteId>) {
        let checked = if value.is_fallible() { ".checked" } else { "" };
        let unary = |name: &str, v: &ValueId| (format!("{name} {}", Id(*v)), None);
        match &value.op {
            Op::Const(l) => (format!("const {l}"), None),
            Op::Null => ("null".to_owned(), None),
            Op::Load { param, record, field } => (format!("load {param}.{}", self.lowered.field(*record, *field)), None),
            Op::Read(read) => (format!("read {}", read_name(*read)), None),
            Op::Global(n) => (format!("global {}", self.lowered.program.globals.get(*n).map_or("?", |g| g.name.as_str())), None),
            Op::Wrap(v) => unary("wrap", v),
            Op::Unwrap(v) => unary("unwrap", v),
            Op::IsNull(v) => unary("is_null", v),
            Op::IsTrue(v) => unary("is_true", v),
            Op::ToFloat(v) => unary("to_float", v),
            Op::Widen(v) => unary("widen", v),
            Op::Narrow(v, site) => (format!("narrow.checked {}", Id(*v)), Some(*site)),
            Op::Negate(v, site) => (format!("negate{checked} {}", Id(*v)), value.is_fallible().then_some(*site)),
            Op::Not(v) => unary("not", v),
            Op::BitNot(v) => unary("bit_not", v),
            Op::AddCounts(a, b) => (format!("add.saturating{}", ids(&[*a, *b])), None),
            Op::Arithmetic { op, left, right, site } => {
                (format!("{}{checked}{}", arithmetic_name(*op), ids(&[*left, *right])), value.is_fallible().then_some(*site))
            }
            Op::Compare { op, left, right } => (format!("{}{}", comparison_name(*op), ids(&[*left, *right])), None),
            Op::SameKey(a, b) => (format!("same_key{}", ids(&[*a, *b])), None),
            Op::If { condition, .. } => unary("if", condition),
            Op::Call { function, args, site } => (format!("call{checked} {}{}", function.row().body, ids(args)), value.is_fallible().then_some(*site)),
            Op::Hash(values) => (format!("hash{}", ids(values)), None),
            Op::Pack(values) => (format!("pack{}", ids(values)), None),
            Op::Part { of, at } => (format!("part{}", ids(&[*of, *at])), None),
            Op::WallClock(n) => (format!("wall_clock {n}"), None),
            Op::Index(n) => (format!("index {n}"), None),
            Op::Gather { of, index, site, .. } => (format!("gather {index}{}", ids(&[*of])), Some(*site)),
            Op::Variable { variable, .. } => (format!("variable {}", Name(*variable)), None),
            Op::Run { variables, .. } => (format!("run{}", declared(variables)), None),
            Op::Mask(bits) => (format!("mask{}", bits.iter().map(|(n, v)| format!(" {n}:{}", Id(*v))).collect::<String>()), None),
            Op::Ask { param, record, field, method, args } => (format!("ask {}{}", self.place(param, *record, *field, method.name), ids(args)), None),
        }
    }

    fn place(&self, param: ParamName, record: RecordId, field: usize, method: &str) -> String {
        format!("{param}.{}.{method}", self.lowered.field(record, field))
    }

    fn row(&self, row: &RowSource) -> String {
        match row {
            RowSource::Same => "row".to_owned(),
            RowSource::Firing => "firing".to_owned(),
            RowSource::Make { record, fields } => {
                let fields: Vec<String> = fields.iter().map(|(n, v)| format!("{}: {}", self.lowered.field(*record, *n), Id(*v))).collect();
                format!("{}({})", self.lowered.program.record(*record).name, fields.join(", "))
            }
        }
    }
}

/// A value's name.
struct Id(ValueId);

impl Display for Id {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "v{}", self.0.0)
    }
}

/// Variables, with their types.
fn declared(variables: &[Variable]) -> String {
    variables.iter().map(|v| format!(" {} {}: {}", Name(v.id), v.name, physical(v.ty))).collect::<Vec<_>>().join(",")
}

/// A variable's name.
struct Name(VariableId);

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0.state() {
            Some(state) => write!(f, "state{state}"),
            None => write!(f, "x{}", self.0.0),
        }
    }
}

struct Indent(usize);

impl Display for Indent {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        (0..self.0).try_for_each(|_| f.write_str("    "))
    }
}

fn ids(values: &[ValueId]) -> String {
    values.iter().fold(String::new(), |mut text, v| {
        let _ = write!(text, " {}", Id(*v));
        text
    })
}

/// Texts of programs may go over several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The types go by their names in programs.
fn physical(ty: Physical) -> String {
    let scalar = match ty.scalar {
        Scalar::Int => "int",
        Scalar::Float => "float",
        Scalar::Bool => "bool",
        Scalar::Text => "str",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Wide => "wide",
        Scalar::Decimal => "decimal",
        Scalar::Enum => "enum",
        Scalar::Json => "any",
        Scalar::Packed => "packed",
    };
    format!("{scalar}{}", if ty.nullable { "?" } else { "" })
}

fn field_type(ty: FieldType) -> String {
    match ty {
        FieldType::Scalar(ty) => physical(ty),
        FieldType::Object(object) => object.name.to_owned(),
    }
}

fn config(c: &Config) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match c {
        Config::Int(i64::MAX) => "max".to_owned(),
        Config::Int(v) => v.to_string(),
        Config::Bool(v) => v.to_string(),
        Config::Struct(name, fields) => format!("{name} {{ {} }}", list(fields.iter().map(|(n, c)| format!("{n}: {}", config(c))).collect())),
        Config::List(items) => format!("[{}]", list(items.iter().map(config).collect())),
        Config::Slots(store, rows) => {
            let rows = rows.iter().map(|r| format!("({})", list(r.iter().map(ToString::to_string).collect()))).collect();
            format!("{store} [{}]", list(rows))
        }
    }
}

fn read_name(read: Read) -> &'static str {
    match read {
        Read::Ts => "ts",
        Read::WindowStart => "window_start",
        Read::WindowEnd => "window_end",
        Read::Updated => "updated",
    }
}

fn arithmetic_name(op: Arithmetic) -> &'static str {
    match op {
        Arithmetic::Add => "add",
        Arithmetic::Subtract => "subtract",
        Arithmetic::Multiply => "multiply",
        Arithmetic::Divide => "divide",
        Arithmetic::BitAnd => "bit_and",
        Arithmetic::BitOr => "bit_or",
        Arithmetic::BitXor => "bit_xor",
    }
}

fn comparison_name(op: Comparison) -> &'static str {
    match op {
        Comparison::Less => "less",
        Comparison::LessEqual => "less_equal",
        Comparison::Greater => "greater",
        Comparison::GreaterEqual => "greater_equal",
        Comparison::Equal => "equal",
        Comparison::NotEqual => "not_equal",
    }
}
