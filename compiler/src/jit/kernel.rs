//! Functions of kernels, chains and the like: what surrounds each kind of body. Which functions a kernel has, and with what parameters, is
//! read from the shared list; no operator is named here.

use cranelift::codegen::ir::condcodes::IntCC;
use cranelift::codegen::ir::{Block, InstBuilder, Value, types};
use cranelift_module::FuncId;
use varpulis_abi::jit::firing;
use varpulis_abi::kernels::{Param, Signature, Yield, kernel};
use varpulis_abi::layout::Place;

use super::Error;
use super::function::{BodyMaker, FunctionMaker, Shared, Surroundings, Yields, make};
use crate::lower::ir::{Arm, Body, KernelFunction, RecordId};
use crate::plan::physical::{Chain, ChainInput, Operator};

/// The functions of an operator's kernel.
pub(super) fn kernel_functions(shared: &mut Shared<'_>, operator: &Operator) -> Result<Vec<(&'static str, FuncId)>, Error> {
    let mut made = vec![];
    let mut wanted = Some(operator.kernel);
    while let Some(kernel) = wanted.and_then(kernel) {
        for signature in kernel.functions {
            let Some(function) = operator.functions.iter().find(|f| f.name == signature.name) else { continue };
            let same = fingerprint(shared, signature, function);
            let id = match same.as_ref().and_then(|same| shared.shared.get(same)) {
                Some(id) => *id,
                None => kernel_function(shared, operator, signature, function)?,
            };
            if let Some(same) = same {
                shared.shared.insert(same, id);
            }
            made.push((signature.name, id));
        }
        wanted = kernel.extends;
    }
    Ok(made)
}

/// Larger functions are seldom the same, and cost more to compare.
const COMPARED: usize = 64;

/// What a small function does, in words that are equal for equal functions.
fn fingerprint(shared: &Shared<'_>, signature: &Signature, function: &KernelFunction) -> Option<String> {
    if function.arms.iter().map(|arm| arm.body.values.len()).sum::<usize>() > COMPARED {
        return None;
    }
    let mut words = signature.name.to_owned();
    for arm in &function.arms {
        words.push_str(&format!(" {:?} {:?} {}", arm.port, arm.index, words_of(shared, &arm.body)?));
    }
    Some(words)
}

/// What a body does, in words: a field counts by its place, whatever the record.
fn words_of(shared: &Shared<'_>, body: &Body) -> Option<String> {
    let text = format!("{body:?}");
    let mut parts = text.split("RecordId(");
    let mut words = parts.next()?.to_owned();
    for part in parts {
        let (record, rest) = part.split_once("), field: ")?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (field, rest) = rest.split_at(digits);
        let record = RecordId(record.parse().ok()?);
        words.push_str(&format!("{:?} {:?}{rest}", shared.records.kind(record), shared.records.place(record, field.parse().ok()?)));
    }
    Some(words)
}

/// The arms of a function, each with the ports that it serves: those that do the same are one.
fn merged<'a>(shared: &Shared<'_>, function: &'a KernelFunction) -> Vec<(&'a Arm, Vec<usize>)> {
    let mut merged: Vec<(&Arm, Option<String>, Vec<usize>)> = vec![];
    for arm in &function.arms {
        let words = (arm.body.values.len() <= COMPARED && arm.port.is_some()).then(|| words_of(shared, &arm.body)).flatten();
        let same = merged.iter_mut().find(|(other, w, _)| w.is_some() && *w == words && other.index == arm.index);
        match same {
            Some((_, _, ports)) => ports.extend(arm.port),
            None => merged.push((arm, words, arm.port.into_iter().collect())),
        }
    }
    merged.into_iter().map(|(arm, _, ports)| (arm, ports)).collect()
}

fn kernel_function(shared: &mut Shared<'_>, operator: &Operator, signature: &Signature, function: &KernelFunction) -> Result<FuncId, Error> {
    let words: usize = signature.params.iter().map(|(_, param)| if *param == Param::Row { 2 } else { 1 }).sum();
    let name = format!("{}.{}", operator.name, signature.name);
    let merged = merged(shared, function);
    let id = shared.module.declare(&name, words + 1)?;
    make(shared, id, &name, words + 1, |maker, arguments| {
        let mut arguments = arguments.iter().skip(1).copied();
        let mut next = || arguments.next().ok_or_else(|| Error::unknown(signature.name));
        let (mut parameters, mut port, mut index, mut hasher) = (vec![], None, None, None);
        for (name, param) in signature.params {
            match param {
                Param::Row => {
                    parameters.push((*name, next()?));
                    port = Some(next()?);
                }
                Param::Ref(_) | Param::Mut(_) => parameters.push((*name, next()?)),
                Param::Hasher => hasher = Some(next()?),
                Param::Index => index = Some(next()?),
            }
        }
        let result = match (signature.yields, signature.fallible) {
            (Yield::Nothing, _) => Yields::Nothing,
            (Yield::Bool, _) => Yields::Bool,
            (Yield::Hash | Yield::Mask, false) => Yields::Word,
            (Yield::Hash | Yield::Mask, true) => Yields::WordInContext,
        };
        let place = Surroundings { parameters, firing: None, hasher, record: None, result };
        let all = operator.ports.len();
        let cases = merged.iter().map(|(arm, ports)| Case { arm, ports: if ports.len() < all { ports } else { &[] } });
        arms(maker, cases, port, index, &place)?;
        // What no arm covers yields the default; so does a body that returns nothing.
        default(maker, signature)?;
        maker.finish();
        Ok(())
    })?;
    Ok(id)
}

/// An arm and the ports that it serves; all of them if there are none.
struct Case<'a> {
    arm: &'a Arm,
    ports: &'a [usize],
}

/// One body after the other, each behind the test of its case.
fn arms<'a>(
    maker: &mut FunctionMaker<'_, '_, '_>,
    cases: impl Iterator<Item = Case<'a>>,
    port: Option<Value>,
    index: Option<Value>,
    place: &Surroundings,
) -> Result<(), Error> {
    for Case { arm, ports } in cases {
        let next = maker.builder.create_block();
        if let (Some((first, others)), Some(found)) = (ports.split_first(), port) {
            let mut served = maker.builder.ins().icmp_imm_s(IntCC::Equal, found, *first as i64);
            for port in others {
                let other = maker.builder.ins().icmp_imm_s(IntCC::Equal, found, *port as i64);
                served = maker.builder.ins().bor(served, other);
            }
            go_on_if(maker, served, next);
        }
        if let (Some(wanted), Some(found)) = (arm.index, index) {
            let served = maker.builder.ins().icmp_imm_s(IntCC::Equal, found, wanted as i64);
            go_on_if(maker, served, next);
        }
        if body(maker, &arm.body, place)? {
            maker.leave(0);
        }
        maker.builder.switch_to_block(next);
    }
    Ok(())
}

fn go_on_if(maker: &mut FunctionMaker<'_, '_, '_>, condition: Value, otherwise: Block) {
    let on = maker.builder.create_block();
    maker.builder.ins().brif(condition, on, &[], otherwise, &[]);
    maker.builder.switch_to_block(on);
}

fn default(maker: &mut FunctionMaker<'_, '_, '_>, signature: &Signature) -> Result<(), Error> {
    match signature.yields {
        Yield::Bool => maker.leave(1),
        Yield::Nothing => maker.leave(0),
        Yield::Hash | Yield::Mask => {
            if signature.fallible {
                let (context, none) = (maker.context, maker.word(0));
                maker.store(none, context, varpulis_abi::jit::context::VALUE);
            }
            maker.leave(0);
        }
    }
    Ok(())
}

/// A body where it stands; true if what follows it can be reached.
pub(super) fn body(maker: &mut FunctionMaker<'_, '_, '_>, body: &Body, place: &Surroundings) -> Result<bool, Error> {
    let uses = maker.shared.usage.uses(body);
    let mut bodies = BodyMaker {
        maker,
        body,
        place,
        uses,
        values: Default::default(),
        indices: Default::default(),
        loops: 0,
        variables: Default::default(),
        exits: Default::default(),
    };
    bodies.list(&body.statements)
}

/// A function of the context and one address, of a body that stands alone.
fn alone(
    shared: &mut Shared<'_>,
    id: FuncId,
    name: &str,
    of: &Body,
    surroundings: impl FnOnce(&mut FunctionMaker<'_, '_, '_>, Value) -> Surroundings,
) -> Result<(), Error> {
    make(shared, id, name, 2, |maker, arguments| {
        let Some(input) = arguments.get(1).copied() else { return Err(Error::unknown(name)) };
        let place = surroundings(maker, input);
        if body(maker, of, &place)? {
            maker.leave(0);
        }
        maker.finish();
        Ok(())
    })
}

/// The function of a chain: 0, or a refusal.
pub(super) fn chain(shared: &mut Shared<'_>, id: FuncId, chain: &Chain) -> Result<(), Error> {
    alone(shared, id, &chain.name, &chain.body, |maker, input| {
        let none = Surroundings { parameters: vec![], firing: None, hasher: None, record: None, result: Yields::Nothing };
        match chain.input {
            ChainInput::Row(record) => Surroundings { parameters: vec![("row", input)], record: Some(record), ..none },
            ChainInput::Firing(operator) => Surroundings { parameters: slots(maker, operator.0 as usize, input), firing: Some(input), ..none },
            ChainInput::FiredRow(operator, _) => {
                let mut parameters = slots(maker, operator.0 as usize, input);
                parameters.push(("row", maker.load(types::I64, input, firing::ROW)));
                Surroundings { parameters, firing: Some(input), ..none }
            }
        }
    })
}

/// The slots that an operator's firings lend.
fn slots(maker: &mut FunctionMaker<'_, '_, '_>, operator: usize, input: Value) -> Vec<(&'static str, Value)> {
    let parts = maker.shared.program.operators.get(operator).map_or(&[][..], |o| &o.parts);
    let mut slots = vec![];
    for (name, _) in parts {
        if let Some(at) = firing::slot(name) {
            slots.push((*name, maker.load(types::I64, input, firing::SLOTS + 8 * at as i32)));
        }
    }
    slots
}

/// Whether a field rejects an event: 1 if it does.
pub(super) fn rejection(shared: &mut Shared<'_>, name: &str, record: RecordId, body: &Body) -> Result<FuncId, Error> {
    let id = shared.module.declare(name, 2)?;
    alone(shared, id, name, body, |_, row| Surroundings {
        parameters: vec![("row", row)],
        firing: None,
        hasher: None,
        record: Some(record),
        result: Yields::Bool,
    })?;
    Ok(id)
}

/// Computes a global into its place of the slot that it is given.
pub(super) fn global(shared: &mut Shared<'_>, name: &str, place: Place, body: &Body) -> Result<FuncId, Error> {
    let id = shared.module.declare(name, 2)?;
    alone(shared, id, name, body, |_, slot| Surroundings {
        parameters: vec![("slot", slot)],
        firing: None,
        hasher: None,
        record: None,
        result: Yields::Stored(place),
    })?;
    Ok(id)
}
