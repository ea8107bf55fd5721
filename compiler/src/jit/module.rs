//! The module of one program: functions are declared, defined, and made executable in one step; their memory is freed with the program.
//!
//! Pages are writable while code is put there and executable afterwards, never both. A program has a module of its own, so that dropping the
//! program gives all of its memory back.
#![expect(unsafe_code, reason = "code memory is freed, and addresses of compiled functions are handed out, here alone")]

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use cranelift::codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift::codegen::settings::{self, Configurable};
use cranelift::codegen::{Context, ir};
use cranelift::frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module as _};
use ir::{AbiParam, Signature, types};
use varpulis_abi::jit::{ARGUMENT_WORDS, HELPERS};
use varpulis_runtime::jit::{BatchAddress, ChainAddress, Symbol, address};

use super::Error;

/// The module in the making.
pub(super) struct Module {
    module: JITModule,
    context: Context,
    pub(super) builder: FunctionBuilderContext,
    imports: HashMap<String, FuncId>,
    /// All texts of the program, one behind the other.
    texts: Vec<u8>,
    texts_id: DataId,
    /// Machine code, in bytes.
    size: usize,
    most: usize,
    /// The functions as text, if somebody wants it.
    pub(super) listing: Option<String>,
}

/// The memory of a program's code.
pub(super) struct Memory(Mutex<Option<JITModule>>);

impl Drop for Memory {
    fn drop(&mut self) {
        let module = self.0.get_mut().ok().and_then(Option::take);
        if let Some(module) = module {
            // SAFETY: the runtime drops this with the last instance, so that no function runs, and no address of one is left.
            unsafe { module.free_memory() };
        }
    }
}

/// The machine that programs are compiled for: this one.
fn machine() -> Result<OwnedTargetIsa, Error> {
    static MACHINE: OnceLock<Result<OwnedTargetIsa, String>> = OnceLock::new();
    let make = || {
        let mut flags = settings::builder();
        let set = [("opt_level", "none"), ("is_pic", "false"), ("use_colocated_libcalls", "false"), ("enable_verifier", "false"), ("unwind_info", "false")];
        for (name, value) in set {
            flags.set(name, value).map_err(|error| error.to_string())?;
        }
        let builder = cranelift_native::builder().map_err(str::to_owned)?;
        builder.finish(settings::Flags::new(flags)).map_err(|error| error.to_string())
    };
    MACHINE.get_or_init(make).clone().map_err(Error::Machine)
}

/// What a symbol's name stands for.
fn symbol(name: &str) -> Option<*const u8> {
    let (kind, name) = name.split_once(' ')?;
    match kind {
        "helper" => address(Symbol::Helper(name)),
        "function" => address(Symbol::Function(name)),
        "method" => name.split_once('.').and_then(|(object, method)| address(Symbol::Method(object, method))),
        _ => None,
    }
}

impl Module {
    /// An empty module, for at most so many bytes of machine code.
    pub(super) fn new(most: usize, listing: bool) -> Result<Self, Error> {
        let mut builder = JITBuilder::with_isa(machine()?, cranelift_module::default_libcall_names());
        builder.symbol_lookup_fn(Box::new(symbol));
        let mut module = JITModule::new(builder);
        let texts_id = module.declare_data("texts", Linkage::Local, false, false).map_err(Error::module)?;
        let context = module.make_context();
        Ok(Self {
            module,
            context,
            builder: FunctionBuilderContext::new(),
            imports: HashMap::new(),
            texts: vec![],
            texts_id,
            size: 0,
            most,
            listing: listing.then(String::new),
        })
    }

    pub(super) fn frontend(&self) -> cranelift::codegen::isa::TargetFrontendConfig {
        self.module.target_config()
    }

    /// A signature of so many words to one.
    pub(super) fn signature(&self, parameters: usize) -> Signature {
        let mut signature = Signature::new(CallConv::triple_default(self.module.isa().triple()));
        signature.params.extend(std::iter::repeat_n(AbiParam::new(types::I64), parameters));
        signature.returns.push(AbiParam::new(types::I64));
        signature
    }

    /// Declares a function of the program.
    pub(super) fn declare(&mut self, name: &str, parameters: usize) -> Result<FuncId, Error> {
        let signature = self.signature(parameters);
        self.module.declare_function(name, Linkage::Local, &signature).map_err(Error::module)
    }

    /// The function that is filled next: empty, with its signature.
    pub(super) fn begin(&mut self, parameters: usize) -> (ir::Function, FunctionBuilderContext) {
        self.module.clear_context(&mut self.context);
        let mut function = std::mem::replace(&mut self.context.func, ir::Function::new());
        function.signature = self.signature(parameters);
        (function, std::mem::take(&mut self.builder))
    }

    /// Compiles a function.
    pub(super) fn define(&mut self, id: FuncId, name: &str, function: ir::Function, builder: FunctionBuilderContext) -> Result<(), Error> {
        self.builder = builder;
        self.context.func = function;
        if let Some(listing) = &mut self.listing {
            listing.push_str(&format!("; {name}\n{}\n", self.context.func.display()));
        }
        // Once, before anything is made of it: the passes of the code generator would each ask again.
        self.context.verify(self.module.isa()).map_err(Error::module)?;
        self.module.define_function(id, &mut self.context).map_err(Error::module)?;
        self.size += self.context.compiled_code().map_or(0, |code| code.code_buffer().len());
        if self.size > self.most { Err(Error::TooLarge(self.most)) } else { Ok(()) }
    }

    /// A function of the program, to be called from the one at hand.
    pub(super) fn local(&mut self, id: FuncId, function: &mut ir::Function) -> ir::FuncRef {
        let found = self.module.declare_func_in_func(id, function);
        // Memory for code need not lie in one piece, so that a short jump may not reach.
        if let Some(called) = function.dfg.ext_funcs.get_mut(found) {
            called.colocated = false;
        }
        found
    }

    /// A helper of the shared list.
    pub(super) fn helper(&mut self, name: &str, function: &mut ir::Function) -> Result<ir::FuncRef, Error> {
        let parameters = HELPERS.iter().find(|helper| helper.name == name).map(|helper| helper.parameters);
        self.import(format!("helper {name}"), parameters.ok_or_else(|| Error::unknown(name))?, function)
    }

    /// A run-time function: the context and words of arguments.
    pub(super) fn function(&mut self, body: &str, function: &mut ir::Function) -> Result<ir::FuncRef, Error> {
        self.import(format!("function {body}"), 1 + ARGUMENT_WORDS, function)
    }

    /// An object's method: the context, the object's place and words of arguments; or its `merge`: two places.
    pub(super) fn method(&mut self, object: &str, method: &str, function: &mut ir::Function) -> Result<ir::FuncRef, Error> {
        let parameters = if method == "merge" { 2 } else { 2 + ARGUMENT_WORDS };
        self.import(format!("method {object}.{method}"), parameters, function)
    }

    fn import(&mut self, name: String, parameters: usize, function: &mut ir::Function) -> Result<ir::FuncRef, Error> {
        let id = match self.imports.get(&name) {
            Some(id) => *id,
            None => {
                if symbol(&name).is_none() {
                    return Err(Error::unknown(&name));
                }
                let signature = self.signature(parameters);
                let id = self.module.declare_function(&name, Linkage::Import, &signature).map_err(Error::module)?;
                self.imports.insert(name, id);
                id
            }
        };
        Ok(self.module.declare_func_in_func(id, function))
    }

    /// The place of all texts, and where in it this one begins.
    pub(super) fn text(&mut self, text: &str, function: &mut ir::Function) -> (ir::GlobalValue, usize) {
        let at = self.texts.len();
        self.texts.extend_from_slice(text.as_bytes());
        (self.module.declare_data_in_func(self.texts_id, function), at)
    }

    /// Makes everything that was defined executable.
    pub(super) fn finish(mut self) -> Result<Finished, Error> {
        let mut texts = DataDescription::new();
        // An empty object has no address.
        self.texts.push(0);
        texts.define(std::mem::take(&mut self.texts).into_boxed_slice());
        self.module.define_data(self.texts_id, &texts).map_err(Error::module)?;
        self.module.finalize_definitions().map_err(Error::module)?;
        Ok(Finished { module: self.module, size: self.size, listing: self.listing.unwrap_or_default() })
    }
}

/// A module whose functions can be called.
pub(super) struct Finished {
    module: JITModule,
    /// Machine code, in bytes.
    pub(super) size: usize,
    pub(super) listing: String,
}

impl Finished {
    pub(super) fn address(&self, id: FuncId) -> *const u8 {
        self.module.get_finalized_function(id)
    }

    /// A function from the context and a row or firing.
    pub(super) fn chain(&self, id: FuncId) -> ChainAddress {
        // SAFETY: chains and their like are declared with two parameters; the memory becomes part of the same code as the address.
        unsafe { ChainAddress::new(self.address(id)) }
    }

    /// The function that takes many events.
    pub(super) fn batch(&self, id: FuncId) -> BatchAddress {
        // SAFETY: it is declared with four parameters; the memory becomes part of the same code as the address.
        unsafe { BatchAddress::new(self.address(id)) }
    }

    /// The memory, to be kept while anything can call the functions.
    pub(super) fn memory(self) -> Memory {
        Memory(Mutex::new(Some(self.module)))
    }
}
