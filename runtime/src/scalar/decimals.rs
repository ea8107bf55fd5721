//! Exact decimals as texts; what is computed with them is the compiler's as well.

use varpulis_abi::number::decimal_text;

use crate::state::Text;

/// With all of its decimals, so many.
pub fn text_of_decimal(value: i128, scale: i64) -> Text {
    Text::from(decimal_text(value, u8::try_from(scale).unwrap_or(0)))
}

/// Without zeros at the end of its decimals, so many.
pub fn shortest_of_decimal(value: i128, scale: i64) -> Text {
    let text = text_of_decimal(value, scale);
    let text: &str = &text;
    Text::from(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;
    use varpulis_abi::decimal::{decimal_of_text, float_of_decimal};

    use super::*;

    proptest! {
        #[test]
        fn texts_read_back(value in -10_i128.pow(37)..10_i128.pow(37), scale in 0..30i64) {
            let text = text_of_decimal(value, scale);
            prop_assert_eq!(decimal_of_text(&text, scale, 38), Ok(value));
            prop_assert!((float_of_decimal(value, scale) - text.parse::<f64>().unwrap()).abs() <= text.parse::<f64>().unwrap().abs() * 1e-15);
        }
    }

    #[test]
    fn texts_have_all_decimals() {
        assert_eq!([text_of_decimal(5, 2).as_str(), text_of_decimal(-105, 2).as_str(), text_of_decimal(7, 0).as_str()], ["0.05", "-1.05", "7"]);
        assert_eq!([shortest_of_decimal(1500, 2).as_str(), shortest_of_decimal(1510, 2).as_str(), shortest_of_decimal(100, 0).as_str()], ["15", "15.1", "100"]);
    }
}
