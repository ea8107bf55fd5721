//! All values of a window.

use varpulis_abi::packed::Packer;

use super::element::{Element, adders};
use crate::state::Text;

/// All values in order, kept as the array that they become.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    values: Packer,
}

impl Collected {
    adders!();

    fn add(&mut self, element: Element<&str>) {
        self.values.push(element.cell());
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        self.values.append(&newer.values);
    }

    /// The values as an array.
    pub fn packed(&self) -> Text {
        Text::from(self.values.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use varpulis_abi::packed::{Cell, pack};

    #[test]
    fn values_stand_in_order() {
        let mut all = Collected::default();
        assert_eq!(all.packed(), pack([]));
        all.merge(&Collected::default());
        assert_eq!(all.packed(), pack([]));
        all.add_text("");
        all.add_text("é");
        all.add_float(f64::INFINITY);
        let mut newer = Collected::default();
        newer.add_json(r#"{"a":1}"#);
        newer.add_bool(false);
        newer.add_variant(3);
        newer.add_text("z");
        all.merge(&newer);
        all.merge(&Collected::default());
        let cells = [Cell::Text(""), Cell::Text("é"), Cell::Float(f64::INFINITY), Cell::Json(r#"{"a":1}"#), Cell::Bool(false), Cell::Enum(3), Cell::Text("z")];
        assert_eq!(all.packed(), pack(cells));
        let mut empty = Collected::default();
        empty.merge(&newer);
        assert_eq!(empty.packed(), newer.packed());
    }
}
