//! All values of a window.

use super::element::{Element, adders};
use crate::output::RecordWriter;

/// All values in order, kept as the JSON text that they become.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The array's inside.
    text: Vec<u8>,
}

impl Collected {
    adders!();

    fn add(&mut self, element: Element<&str>) {
        let separator = if self.text.is_empty() { "" } else { "," };
        element.write(&mut RecordWriter::new(&mut self.text), separator);
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        if !self.text.is_empty() && !newer.text.is_empty() {
            self.text.push(b',');
        }
        self.text.extend_from_slice(&newer.text);
    }

    /// The values as a JSON array.
    pub fn json(&self) -> String {
        let mut json = String::with_capacity(self.text.len() + 2);
        json.push('[');
        json.push_str(std::str::from_utf8(&self.text).unwrap_or_default());
        json.push(']');
        json
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn values_stand_in_order() {
        let mut all = Collected::default();
        assert_eq!(all.json(), "[]");
        all.merge(&Collected::default());
        assert_eq!(all.json(), "[]");
        all.add_text("");
        all.add_text("é\n");
        all.add_float(f64::INFINITY);
        let mut newer = Collected::default();
        newer.add_json(r#"{"a":1}"#);
        newer.add_bool(false);
        newer.add_duration(1_500_000);
        all.merge(&newer);
        all.merge(&Collected::default());
        assert_eq!(all.json(), r#"["","é\n",null,{"a":1},false,1.5]"#);
        let mut empty = Collected::default();
        empty.merge(&newer);
        assert_eq!(empty.json(), newer.json());
    }
}
