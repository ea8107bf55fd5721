//! What the handler of an evaluation error (`.on_error`) is told of it, for code compiled ahead of time and at run time alike.

use std::cell::OnceCell;

use crate::operator::Refusal;
use crate::output::{WriteRecord, text_of};
use crate::program::Site;

/// An evaluation error: a method for each field of the record that the handler gets, under the field's name.
pub struct Told<'t> {
    refusal: Refusal,
    site: Option<&'t Site>,
    refused: &'t dyn WriteRecord,
    text: OnceCell<String>,
}

impl<'t> Told<'t> {
    /// Of a record that was refused, in a program with these sites.
    pub fn new(sites: &'t [Site], refusal: Refusal, refused: &'t dyn WriteRecord) -> Self {
        Self { refusal, site: sites.get(refusal.site as usize), refused, text: OnceCell::new() }
    }

    /// Why it was refused.
    pub fn reason(&self) -> &'static str {
        self.refusal.reason.text()
    }

    /// The expression that refused it, as written.
    pub fn expression(&self) -> &str {
        self.site.map_or("", |site| &site.text)
    }

    /// The expression's line.
    pub fn line(&self) -> i64 {
        self.site.map_or(0, |site| i64::from(site.line))
    }

    /// The record, as JSON.
    pub fn record(&self) -> &str {
        self.text.get_or_init(|| text_of(self.refused))
    }
}
