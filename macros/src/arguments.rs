//! What stands in the macro: `crate = path, pub mod name;` and then a program in one of three forms.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Path, Token, Visibility};

/// The macro's arguments.
pub(crate) struct Arguments {
    /// The crate `varpulis`, as the user calls it.
    pub(crate) facade: Path,
    /// The module's visibility.
    pub(crate) visibility: Visibility,
    /// The module's name.
    pub(crate) name: Ident,
    /// The program.
    pub(crate) program: Form,
}

/// Where the program is.
pub(crate) enum Form {
    /// In a file.
    File(LitStr),
    /// In a string literal.
    Text(LitStr),
    /// In the macro, behind the semicolon at that place.
    Inline(TokenStream, Span),
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let facade = if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            let path = input.call(Path::parse_mod_style)?;
            input.parse::<Token![,]>()?;
            path
        } else {
            syn::parse_quote!(::varpulis)
        };
        let visibility = input.parse()?;
        input.parse::<Token![mod]>()?;
        let name = input.parse()?;
        let semicolon = input.parse::<Token![;]>()?;
        Ok(Self { facade, visibility, name, program: form(input, semicolon.span)? })
    }
}

fn form(input: ParseStream<'_>, before: Span) -> syn::Result<Form> {
    if input.is_empty() {
        return Err(syn::Error::new(before, "the program is missing: `file \"program.vpl\"`, a string literal, or its text"));
    }
    if input.peek(LitStr) {
        let text = input.parse()?;
        end(input)?;
        return Ok(Form::Text(text));
    }
    // No declaration of the language begins with `file`.
    if input.peek(Ident) && input.peek2(LitStr) && input.fork().parse::<Ident>()? == "file" {
        input.parse::<Ident>()?;
        let path = input.parse()?;
        end(input)?;
        return Ok(Form::File(path));
    }
    Ok(Form::Inline(input.parse()?, before))
}

fn end(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() { Ok(()) } else { Err(input.error("nothing can stand behind the program")) }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Form};

    fn parse(text: &str) -> Result<Arguments, String> {
        syn::parse_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn forms() {
        assert!(matches!(parse("mod a; file \"a.vpl\"").map(|a| a.program), Ok(Form::File(_))));
        assert!(matches!(parse("pub(crate) mod a; r#\"stream\"#").map(|a| a.program), Ok(Form::Text(_))));
        assert!(matches!(parse("mod a; stream X = Y").map(|a| a.program), Ok(Form::Inline(..))));
    }

    #[test]
    fn renamed_crate() {
        let facade = parse("crate = crate::cep, mod a; \"\"").map(|a| a.facade.segments.len());
        assert_eq!(facade, Ok(2));
    }

    #[test]
    fn refusals() {
        assert!(parse("mod a;").is_err_and(|e| e.contains("the program is missing")));
        assert!(parse("mod a; \"x\" y").is_err_and(|e| e.contains("nothing can stand behind")));
        assert!(parse("a; \"x\"").is_err());
    }
}
