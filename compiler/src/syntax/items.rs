//! Declarations other than streams and patterns, and the statements of functions.

use pest::iterators::Pair;

use super::ast::{EventDecl, Expr, ExprKind, Feature, FieldDecl, FunctionDecl, Item, ItemKind, Name, ParamDecl, Span, Stmt, StmtKind, TypeExpr, TypeExprKind};
use super::{Reader, Rule};

impl Reader<'_> {
    pub(super) fn item(&mut self, pair: Pair<'_, Rule>) -> Option<Item> {
        let inner = pair.into_inner().find(|p| p.as_rule() != Rule::EOI)?;
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::event_decl => self.event(inner)?,
            Rule::type_decl => {
                let (name, ty, _) = self.binding(inner);
                ItemKind::TypeAlias { name: name?, ty: ty? }
            }
            Rule::enum_decl => {
                let mut names = inner.into_inner().filter(|p| p.as_rule() == Rule::name).map(|p| self.name(&p)).collect::<Vec<_>>().into_iter();
                ItemKind::Enum { name: names.next()?, variants: names.collect() }
            }
            Rule::const_decl => {
                let (name, ty, value) = self.binding(inner);
                ItemKind::Const { name: name?, ty, value: value? }
            }
            Rule::let_decl => {
                let (name, ty, value) = self.binding(inner);
                ItemKind::Let { name: name?, ty, value: value? }
            }
            Rule::var_decl => {
                let (name, ty, value) = self.binding(inner);
                ItemKind::Var { name: name?, ty, value: value? }
            }
            Rule::param_decl => {
                let (name, ty, default) = self.binding(inner);
                ItemKind::Param { name: name?, ty: ty?, default }
            }
            Rule::fn_decl => ItemKind::Function(self.function(inner)?),
            Rule::connector_decl => {
                let names: Vec<Name> = inner.clone().into_inner().filter(|p| p.as_rule() == Rule::name).map(|p| self.name(&p)).collect();
                let args = self.args_of(inner);
                let mut names = names.into_iter();
                ItemKind::Connector { name: names.next()?, kind: names.next()?, args }
            }
            Rule::context_decl => {
                let name = inner.clone().into_inner().find(|p| p.as_rule() == Rule::name).map(|p| self.name(&p))?;
                ItemKind::Context { name, args: self.args_of(inner) }
            }
            Rule::pattern_decl => ItemKind::Pattern(self.pattern_decl(inner)?),
            Rule::embedding_decl => self.embedding(inner)?,
            Rule::config_decl => {
                let entries = inner.into_inner().filter(|p| p.as_rule() == Rule::config_entry).filter_map(|p| self.config_entry(p)).collect();
                ItemKind::Config { entries }
            }
            Rule::import_decl => {
                let mut path = None;
                let mut alias = None;
                for p in inner.into_inner() {
                    match p.as_rule() {
                        Rule::string => path = Some((self.string(&p), self.span(&p))),
                        Rule::name => alias = Some(self.name(&p)),
                        _ => {}
                    }
                }
                let (path, path_span) = path?;
                ItemKind::Import { path, path_span, alias }
            }
            Rule::stream_decl => ItemKind::Stream(self.stream(inner)?),
            _ => return None,
        };
        Some(Item { kind, span })
    }

    /// `name: type = value`, as far as it is written.
    fn binding(&mut self, pair: Pair<'_, Rule>) -> (Option<Name>, Option<TypeExpr>, Option<Expr>) {
        let (mut name, mut ty, mut value) = (None, None, None);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::type_expr => ty = Some(self.type_expr(p)),
                Rule::expr => value = Some(self.expr(p)),
                _ => {}
            }
        }
        (name, ty, value)
    }

    fn event(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        let mut names = vec![];
        let mut fields = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => names.push(self.name(&p)),
                Rule::field => {
                    if let (Some(name), Some(ty), _) = self.binding(p) {
                        fields.push(FieldDecl { name, ty });
                    }
                }
                _ => {}
            }
        }
        let mut names = names.into_iter();
        Some(ItemKind::Event(EventDecl { name: names.next()?, extends: names.next(), fields }))
    }

    pub(super) fn type_expr(&mut self, pair: Pair<'_, Rule>) -> TypeExpr {
        let span = self.span(&pair);
        let mut ty = TypeExpr { kind: TypeExprKind::Tuple(vec![]), span };
        for p in pair.into_inner() {
            let kind = match p.as_rule() {
                Rule::optional => TypeExprKind::Optional(Box::new(std::mem::replace(&mut ty, TypeExpr { kind: TypeExprKind::Tuple(vec![]), span }))),
                Rule::named_type => {
                    let mut args = vec![];
                    let mut name = Name { text: String::new(), span };
                    for part in p.into_inner() {
                        if part.as_rule() == Rule::name {
                            let of = self.name(&part);
                            // `common.Price`: a type of an imported file.
                            name = if name.text.is_empty() { of } else { Name { text: format!("{}.{}", name.text, of.text), span: name.span.to(of.span) } };
                        } else {
                            args.push(u32::try_from(self.int(&part)).unwrap_or(u32::MAX));
                        }
                    }
                    TypeExprKind::Named(name, args)
                }
                Rule::record_type => {
                    let fields = p.into_inner().filter_map(|field| if let (name, Some(ty), _) = self.binding(field) { Some((name?, ty)) } else { None });
                    TypeExprKind::Record(fields.collect())
                }
                rule => {
                    let mut parts: Vec<TypeExpr> = p.into_inner().map(|t| self.type_expr(t)).collect();
                    match (rule, parts.len()) {
                        (Rule::array_type, 1) => TypeExprKind::Array(Box::new(parts.remove(0))),
                        (Rule::map_type, 2) => {
                            let value = parts.remove(1);
                            TypeExprKind::Map(Box::new(parts.remove(0)), Box::new(value))
                        }
                        _ => TypeExprKind::Tuple(parts),
                    }
                }
            };
            ty = TypeExpr { kind, span };
        }
        ty
    }

    fn function(&mut self, pair: Pair<'_, Rule>) -> Option<FunctionDecl> {
        let (mut name, mut params, mut result, mut body) = (None, vec![], None, vec![]);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => name = Some(self.name(&p)),
                Rule::parameter => {
                    if let (Some(name), ty, default) = self.binding(p) {
                        params.push(ParamDecl { name, ty, default });
                    }
                }
                Rule::type_expr => result = Some(self.type_expr(p)),
                Rule::body => body = self.body(p),
                _ => {}
            }
        }
        Some(FunctionDecl { name: name?, params, result, body })
    }

    fn body(&mut self, pair: Pair<'_, Rule>) -> Vec<Stmt> {
        pair.into_inner().filter(|p| p.as_rule() == Rule::statement).filter_map(|p| self.statement(p)).collect()
    }

    fn statement(&mut self, pair: Pair<'_, Rule>) -> Option<Stmt> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::expr => StmtKind::Expr(self.expr(inner)),
            Rule::return_stmt => StmtKind::Return(inner.into_inner().find(|p| p.as_rule() == Rule::expr).map(|p| self.expr(p))),
            Rule::let_decl => {
                let (name, ty, value) = self.binding(inner);
                StmtKind::Let { name: name?, ty, value: value? }
            }
            Rule::var_decl => {
                let (name, ty, value) = self.binding(inner);
                StmtKind::Var { name: name?, ty, value: value? }
            }
            Rule::assign_stmt => {
                let (name, _, value) = self.binding(inner);
                StmtKind::Assign { name: name?, value: value? }
            }
            Rule::if_stmt => self.if_statement(inner),
            Rule::for_stmt | Rule::while_stmt => {
                let mut parts = (None, None, vec![]);
                for p in inner.into_inner() {
                    match p.as_rule() {
                        Rule::name => parts.0 = Some(self.name(&p)),
                        Rule::expr => parts.1 = Some(self.expr(p)),
                        Rule::body => parts.2 = self.body(p),
                        _ => {}
                    }
                }
                match parts {
                    (Some(name), Some(over), body) => StmtKind::For { name, over, body },
                    (None, Some(condition), body) => StmtKind::While { condition, body },
                    _ => return None,
                }
            }
            Rule::match_stmt => self.match_statement(inner)?,
            Rule::emit_stmt => {
                let event = inner.clone().into_inner().find(|p| p.as_rule() == Rule::name).map(|p| self.name(&p))?;
                StmtKind::Emit { event, args: self.args_of(inner) }
            }
            Rule::break_stmt => StmtKind::Break,
            Rule::continue_stmt => StmtKind::Continue,
            _ => return None,
        };
        Some(Stmt { kind, span })
    }

    fn if_statement(&mut self, pair: Pair<'_, Rule>) -> StmtKind {
        let mut branches = vec![];
        let mut otherwise = vec![];
        let mut condition = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::expr => condition = Some(self.expr(p)),
                Rule::body => {
                    let body = self.body(p);
                    branches.extend(condition.take().map(|c| (c, body)));
                }
                Rule::elif_part => {
                    let mut c = None;
                    for q in p.into_inner() {
                        match q.as_rule() {
                            Rule::expr => c = Some(self.expr(q)),
                            Rule::body => {
                                let body = self.body(q);
                                branches.extend(c.take().map(|c| (c, body)));
                            }
                            _ => {}
                        }
                    }
                }
                Rule::else_part => {
                    for q in p.into_inner().filter(|q| q.as_rule() == Rule::body) {
                        otherwise = self.body(q);
                    }
                }
                _ => {}
            }
        }
        StmtKind::If { branches, otherwise }
    }

    fn match_statement(&mut self, pair: Pair<'_, Rule>) -> Option<StmtKind> {
        let mut value = None;
        let mut arms = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::expr => value = Some(self.expr(p)),
                Rule::match_arm => {
                    let (mut patterns, mut body) = (vec![], vec![]);
                    for q in p.into_inner() {
                        match q.as_rule() {
                            Rule::pattern_list => patterns = q.into_inner().filter_map(|v| self.match_value(v)).collect(),
                            Rule::statement => body.extend(self.statement(q)),
                            Rule::body => body = self.body(q),
                            _ => {}
                        }
                    }
                    arms.push((patterns, body));
                }
                _ => {}
            }
        }
        Some(StmtKind::Match { value: value?, arms })
    }

    fn match_value(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::negative => {
                let number = inner.into_inner().next()?;
                match number.as_rule() {
                    Rule::duration => ExprKind::Duration(-self.duration(&number)),
                    Rule::float => self.float(&number, true),
                    _ => ExprKind::Int(self.int(&number).wrapping_neg()),
                }
            }
            Rule::string => ExprKind::Str(self.string(&inner)),
            Rule::timestamp => ExprKind::Timestamp(self.timestamp(&inner)),
            Rule::duration => ExprKind::Duration(self.duration(&inner)),
            Rule::float => self.float(&inner, false),
            Rule::int => ExprKind::Int(self.int(&inner)),
            Rule::boolean => ExprKind::Bool(inner.as_str() == "true"),
            Rule::null => ExprKind::Null,
            Rule::qualified => {
                let mut names = inner.into_inner().map(|p| self.name(&p));
                let first = names.next()?;
                let first = Expr { kind: ExprKind::Name(first.text), span: first.span };
                let member = |object: Expr, name: Name| {
                    let span = object.span.to(name.span);
                    Expr { kind: ExprKind::Member { object: Box::new(object), name, safe: false }, span }
                };
                names.fold(first, member).kind
            }
            _ => return None,
        };
        Some(Expr { kind, span })
    }

    fn config_entry(&mut self, pair: Pair<'_, Rule>) -> Option<(Name, Expr)> {
        let (name, _, value) = self.binding(pair);
        Some((name?, value?))
    }

    fn embedding(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        let mut names = vec![];
        let mut features = vec![];
        let args = self.args_of(pair.clone());
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => names.push(self.name(&p)),
                Rule::feature => features.extend(self.feature(p)),
                _ => {}
            }
        }
        let mut names = names.into_iter();
        Some(ItemKind::Embedding { name: names.next()?, event: names.next()?, args, features })
    }

    fn feature(&mut self, pair: Pair<'_, Rule>) -> Option<Feature> {
        let mut field = None;
        let mut transform: Option<Expr> = None;
        let mut groups = vec![];
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::name => field = Some(self.name(&p)),
                Rule::value_name => transform = Some(Expr { kind: ExprKind::Name(p.as_str().to_owned()), span: self.span(&p) }),
                Rule::args => groups.push(p.into_inner().map(|a| self.arg(a)).collect::<Vec<_>>()),
                _ => {}
            }
        }
        let mut groups = groups.into_iter();
        let (first, second) = (groups.next(), groups.next());
        let transform = transform?;
        let span: Span = transform.span;
        // With two lists the first belongs to the transformation, with one it holds options if they are named.
        let (transform, args) = match (first, second) {
            (Some(call), Some(options)) => (Expr { kind: ExprKind::Call { callee: Box::new(transform), args: call }, span }, options),
            (Some(only), None) => (transform, only),
            _ => (transform, vec![]),
        };
        Some(Feature { field: field?, transform, args })
    }
}
