//! A function's statements: its variables are Cranelift's, which finds out what merges where.

use cranelift::codegen::ir::{InstBuilder, Value, types};
use cranelift::frontend::Variable;
use varpulis_abi::jit::context;
use varpulis_abi::layout::{Kind, Place};
use varpulis_abi::scalar::Physical;

use super::Error;
use super::function::{BodyMaker, Val, register};
use crate::lower::ir::{self, Label, Region, SiteId, Statement, ValueId, VariableId};

/// A variable in registers, as a [`Val`] is.
#[derive(Clone, Copy)]
pub(super) struct VariableParts {
    flag: Option<Variable>,
    first: Variable,
    second: Option<Variable>,
}

impl BodyMaker<'_, '_, '_, '_> {
    pub(super) fn run(&mut self, variables: &[ir::Variable], body: &Region, ty: Physical) -> Result<Val, Error> {
        self.declare(variables);
        self.list(&body.statements)?;
        match body.result {
            Some(result) => self.get(result),
            None => Ok(self.maker.zero(ty)),
        }
    }

    pub(super) fn declare(&mut self, variables: &[ir::Variable]) {
        for ir::Variable { id, ty, .. } in variables {
            let builder = &mut self.maker.builder;
            let parts = VariableParts {
                flag: ty.nullable.then(|| builder.declare_var(types::I8)),
                first: builder.declare_var(register(ty.scalar)),
                second: ty.scalar.is_pair().then(|| builder.declare_var(types::I64)),
            };
            self.variables.insert(*id, parts);
            // Analysis sets a variable before it is read; Cranelift sees to it that even otherwise no register is read that nobody wrote.
            let zero = self.maker.zero(*ty);
            self.define(parts, zero);
        }
    }

    /// The slot of the program's globals, and the place of one of its states in it.
    fn state(&mut self, variable: VariableId) -> Option<(Value, Place)> {
        let shared = &self.maker.shared;
        let place = shared.records.globals.places.get(shared.program.globals.len() + variable.state()?).copied()?;
        let context = self.maker.context;
        Some((self.maker.fixed(context, context::GLOBALS), place))
    }

    fn state_value(&mut self, globals: Value, place: &Place) -> Result<Val, Error> {
        let found = self.maker.read(globals, place, Kind::Slot);
        let (Some(length), true) = (found.second, place.held.is_text()) else { return Ok(found) };
        let context = self.maker.context;
        Ok(Val { first: self.maker.helper("keep_text", &[context, found.first, length])?, ..found })
    }

    pub(super) fn variable(&mut self, variable: VariableId, ty: Physical) -> Result<Val, Error> {
        if let Some((globals, place)) = self.state(variable) {
            return self.state_value(globals, &place);
        }
        Ok(self.local(variable, ty))
    }

    fn local(&mut self, variable: VariableId, ty: Physical) -> Val {
        let Some(parts) = self.variables.get(&variable).copied() else { return self.maker.zero(ty) };
        let builder = &mut self.maker.builder;
        Val { flag: parts.flag.map(|v| builder.use_var(v)), first: builder.use_var(parts.first), second: parts.second.map(|v| builder.use_var(v)) }
    }

    pub(super) fn set(&mut self, variable: VariableId, value: ValueId) -> Result<(), Error> {
        let value = self.get(value)?;
        if let Some((globals, place)) = self.state(variable) {
            return self.maker.write(globals, &place, value, true);
        }
        if let Some(parts) = self.variables.get(&variable).copied() {
            self.define(parts, value);
        }
        Ok(())
    }

    fn define(&mut self, parts: VariableParts, value: Val) {
        let builder = &mut self.maker.builder;
        if let Some(variable) = parts.flag {
            let flag = value.flag.unwrap_or_else(|| builder.ins().iconst(types::I8, 1));
            builder.def_var(variable, flag);
        }
        builder.def_var(parts.first, value.first);
        if let (Some(variable), Some(length)) = (parts.second, value.second) {
            builder.def_var(variable, length);
        }
    }

    pub(super) fn block(&mut self, label: Label, repeats: Option<SiteId>, body: &[Statement]) -> Result<(), Error> {
        let behind = self.maker.builder.create_block();
        self.exits.insert(label, behind);
        let begin = match repeats {
            Some(site) => {
                self.fill_tank();
                self.loops += 1;
                let begin = self.maker.builder.create_block();
                self.maker.builder.ins().jump(begin, &[]);
                self.maker.builder.switch_to_block(begin);
                self.burn(site);
                Some(begin)
            }
            None => None,
        };
        if self.list(body)? {
            self.maker.builder.ins().jump(begin.unwrap_or(behind), &[]);
        }
        self.loops -= usize::from(begin.is_some());
        self.maker.builder.switch_to_block(behind);
        Ok(())
    }

    pub(super) fn leave_block(&mut self, label: Label) -> Result<(), Error> {
        let behind = self.exits.get(&label).copied().ok_or_else(|| Error::unknown("block"))?;
        self.maker.builder.ins().jump(behind, &[]);
        Ok(())
    }
}
