//! The function that takes many events at once: what the instance does around one of them, as far as it is the same for nearly all. At the
//! first that asks for more (it is late, an operator fires before it, it has not the fields of its schema) it returns.

use cranelift::codegen::ir::condcodes::IntCC;
use cranelift::codegen::ir::{BlockArg, InstBuilder, Value, types};
use cranelift::frontend::Switch;
use cranelift_module::FuncId;
use varpulis_abi::jit::{context, event};

use super::Error;
use super::function::{FunctionMaker, Shared, make};
use super::program::ChainCode;
use crate::plan::physical::EventInput;

/// An event that more chains take is left to the instance: there is little to be won then.
const MOST_CHAINS: usize = 8;

/// The function, if some event is taken by it.
pub(super) fn batch(shared: &mut Shared<'_>, chains: &[ChainCode]) -> Result<Option<FuncId>, Error> {
    let program = shared.program;
    let taken = |event: &&(usize, &EventInput)| event.1.chains.len() <= MOST_CHAINS;
    let events: Vec<_> = program.events.iter().enumerate().collect();
    let events: Vec<_> = events.iter().filter(taken).copied().collect();
    if events.is_empty() {
        return Ok(None);
    }
    let id = shared.module.declare("events", 4)?;
    make(shared, id, "events", 4, |maker, arguments| {
        let [_, first, count, newest] = *arguments else { return Err(Error::unknown("events")) };
        let [head, inside, choose, done] = [(); 4].map(|()| maker.builder.create_block());
        let next = maker.builder.create_block();
        let size = maker.builder.ins().imul_imm_s(count, i64::from(event::SIZE));
        let end = maker.builder.ins().iadd(first, size);
        let at = maker.builder.append_block_param(head, types::I64);
        let before = maker.builder.append_block_param(head, types::I64);
        maker.builder.ins().jump(head, &[BlockArg::Value(first), BlockArg::Value(newest)]);

        maker.builder.switch_to_block(head);
        let more = maker.builder.ins().icmp(IntCC::NotEqual, at, end);
        maker.builder.ins().brif(more, inside, &[], done, &[]);
        maker.builder.switch_to_block(inside);
        let ts = maker.load(types::I64, at, 0);
        let mut leave = maker.builder.ins().icmp(IntCC::SignedLessThan, ts, before);
        if !program.timers.is_empty() || program.operators.iter().any(|operator| operator.timed) {
            let due = maker.load(types::I64, maker.context, context::DUE);
            let fires = maker.builder.ins().icmp(IntCC::SignedGreaterThanOrEqual, ts, due);
            leave = maker.builder.ins().bor(leave, fires);
        }
        maker.builder.ins().brif(leave, done, &[], choose, &[]);
        maker.builder.switch_to_block(choose);
        let (which, fields) = (maker.load(types::I64, at, event::EVENT), maker.load(types::I64, at, event::COUNT));
        let mut switch = Switch::new();
        let mut arms = vec![];
        for (number, input) in events {
            let arm = maker.builder.create_block();
            switch.set_entry(number as u128, arm);
            arms.push((arm, input));
        }
        switch.emit(&mut maker.builder, which, done);
        for (arm, input) in arms {
            maker.builder.switch_to_block(arm);
            let expected = maker.shared.records.layout(input.record).map_or(0, |layout| layout.places.len());
            let fits = maker.builder.ins().icmp_imm_s(IntCC::Equal, fields, expected as i64);
            let on = maker.builder.create_block();
            maker.builder.ins().brif(fits, on, &[], done, &[]);
            maker.builder.switch_to_block(on);
            one(maker, input, chains, at)?;
            maker.builder.ins().jump(next, &[]);
        }

        maker.builder.switch_to_block(next);
        let following = maker.builder.ins().iadd_imm_s(at, i64::from(event::SIZE));
        let unsettled = maker.load(types::I8, maker.context, context::UNSETTLED);
        let settle = maker.builder.create_block();
        maker.builder.ins().brif(unsettled, settle, &[], head, &[BlockArg::Value(following), BlockArg::Value(ts)]);
        maker.builder.switch_to_block(settle);
        taken_up_to(maker, first, following);
        maker.builder.switch_to_block(done);
        taken_up_to(maker, first, at);
        maker.finish();
        Ok(())
    })?;
    Ok(Some(id))
}

/// Hands an event to all that takes it.
fn one(maker: &mut FunctionMaker<'_, '_, '_>, input: &EventInput, chains: &[ChainCode], row: Value) -> Result<(), Error> {
    for chain in input.chains.iter().filter_map(|id| chains.get(id.0 as usize)) {
        let result = match chain {
            ChainCode::Function(id) => {
                let function = maker.shared.module.local(*id, maker.builder.func);
                let context = maker.context;
                maker.call(function, &[context, row])
            }
            ChainCode::Push(operator, port) => maker.push(*operator, *port, row)?,
        };
        maker.report_if(result, Some(input.record), row)?;
    }
    Ok(())
}

fn taken_up_to(maker: &mut FunctionMaker<'_, '_, '_>, first: Value, at: Value) {
    let bytes = maker.builder.ins().isub(at, first);
    let count = maker.builder.ins().udiv_imm_u(bytes, i64::from(event::SIZE));
    maker.builder.ins().return_(&[count]);
}
