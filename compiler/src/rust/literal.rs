//! Constants as tokens.

use proc_macro2::{Literal as Token, TokenStream};
use quote::quote;

use crate::analysis::typed::Literal;

/// A constant, and whether it binds tighter than any operator around it.
pub(super) fn constant(l: &Literal) -> (TokenStream, bool) {
    match l {
        Literal::Null => (quote!(None), true),
        Literal::Int(v) | Literal::Timestamp(v) | Literal::Duration(v) => (int(*v), *v >= 0),
        Literal::Float(v) if v.is_nan() => (quote!(f64::NAN), true),
        Literal::Float(v) if v.is_infinite() => (if *v > 0.0 { quote!(f64::INFINITY) } else { quote!(f64::NEG_INFINITY) }, true),
        Literal::Float(v) => {
            let t = Token::f64_unsuffixed(v.abs());
            if v.is_sign_negative() { (quote!(-#t), false) } else { (quote!(#t), true) }
        }
        Literal::Decimal(v) => {
            let t = Token::u128_unsuffixed(v.unsigned_abs());
            if *v < 0 { (quote!(-#t), false) } else { (quote!(#t), true) }
        }
        Literal::Bool(v) => (quote!(#v), true),
        Literal::Str(v) => (quote!(#v), true),
        Literal::Enum(v) => {
            let v = Token::u32_unsuffixed(*v);
            (quote!(#v), true)
        }
    }
}

/// An integer as an expression.
pub(super) fn int(value: i64) -> TokenStream {
    match value {
        i64::MIN => quote!(i64::MIN),
        i64::MAX => quote!(i64::MAX),
        v if v < 0 => {
            let v = whole(-v);
            quote!(-#v)
        }
        v => {
            let v = whole(v);
            quote!(#v)
        }
    }
}

/// A text as JSON.
pub(super) fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Among literals alone rustc would take small ones for an `i32`, which is as good; large ones say what they are.
fn whole(v: i64) -> Token {
    if i32::try_from(v).is_ok() { Token::i64_unsuffixed(v) } else { Token::i64_suffixed(v) }
}
