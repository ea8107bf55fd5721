//! Generated code as a text for people: formatted, with the program's lines in comments, and a header that says where it came from.

use proc_macro2::TokenStream;

/// Formats items as a file. `header` lines become comments at its top.
///
/// # Errors
/// The tokens are not Rust: a bug of this compiler, described by the text.
pub fn file(items: TokenStream, header: &[String]) -> Result<String, String> {
    let file: syn::File = syn::parse2(items.clone()).map_err(|e| format!("{e}\n{items}"))?;
    let text = prettyplease::unparse(&file);
    let mut out = String::new();
    for line in header {
        out.push_str("// ");
        out.push_str(line);
        out.push('\n');
    }
    comments(&text, &mut out);
    Ok(out)
}

/// Puts comments where markers stand. A formatter drops comments, so that they travel as macro calls.
fn comments(text: &str, out: &mut String) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let Some(rest) = trimmed.strip_prefix("__vpl_comment!(") else {
            // The formatter puts nothing between the slashes and the text.
            match trimmed.strip_prefix("///") {
                Some(doc) if !doc.starts_with(' ') && !doc.is_empty() => {
                    out.push_str(line.get(..line.len() - trimmed.len()).unwrap_or_default());
                    out.push_str("/// ");
                    out.push_str(doc);
                }
                _ => out.push_str(line),
            }
            out.push('\n');
            continue;
        };
        let mut call = rest.to_owned();
        while !call.trim_end().ends_with(");") {
            match lines.next() {
                Some(more) => call.push_str(more.trim()),
                None => break,
            }
        }
        let literal = call.trim_end().trim_end_matches(");").trim().trim_end_matches(',');
        let said = syn::parse_str::<syn::LitStr>(literal).map(|l| l.value()).unwrap_or_default();
        out.push_str(line.get(..line.len() - trimmed.len()).unwrap_or_default());
        out.push_str("// ");
        out.push_str(&said);
        out.push('\n');
    }
}
