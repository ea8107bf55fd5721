//! The page that leads from each rule of the language to the cases that would fail without it.

use std::fmt::Write;

use super::language::{headers, rules};
use super::root;

const PAGE: &str = "docs/rules.md";

#[test]
fn the_table_of_rules_is_fresh() {
    let mut page = String::from(
        "# Rules and their cases\n\nMade from [language.md](language.md) and the cases below `tests/cases`. Every case runs on both backends, and the oracle answers where \
         it can. A rule may stand on several cases; one without a sentence of its own belongs to the sentence before it.\n\n| rule | says | cases |\n| --- | --- | --- |\n",
    );
    let headers = headers();
    for rule in rules() {
        let cases = headers.iter().filter(|(_, anchors)| anchors.contains(&rule.anchor)).map(|(name, _)| format!("[{name}]({})", place(name)));
        let cases = if rule.is_later { "later".to_owned() } else { cases.collect::<Vec<_>>().join(", ") };
        let _ = writeln!(page, "| {} | {} | {cases} |", rule.anchor, rule.says.replace('|', "\\|"));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(root().join(PAGE), page).unwrap();
    }
    let found = std::fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    assert!(found == page, "{PAGE} is not fresh. Run: UPDATE_EXPECT=1 cargo test -p varpulis-tests --test tidy rules");
}

/// Where a case is, seen from the page: a file, or a folder.
fn place(name: &str) -> String {
    let file = format!("tests/cases/{name}.case");
    if root().join(&file).is_file() { format!("../{file}") } else { format!("../tests/cases/{name}") }
}
