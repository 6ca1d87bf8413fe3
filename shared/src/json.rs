//! Writing JSON without formatting machinery: what the tracker can afford.

use alloc::{string::String, vec, vec::Vec};

/// Writes one flat JSON object to the end of a text.
///
/// ```
/// let mut out = String::new();
/// let mut object = logdig_shared::json::ObjectWriter::new(&mut out);
/// object.text("link", "a|\"b\"");
/// object.number("x", 110.0);
/// object.end();
/// assert_eq!(out, r#"{"link":"a|\"b\"","x":110}"#);
/// ```
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut String,
    separator: char,
}

impl<'a> ObjectWriter<'a> {
    /// Begins an object; [`end`](Self::end) closes it.
    pub fn new(out: &'a mut String) -> Self {
        Self { out, separator: '{' }
    }

    /// Adds a text, escaped.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_text(self.out, value);
    }

    /// Adds a number; what JSON can't say (NaN, infinities) becomes `null`.
    pub fn number(&mut self, name: &str, value: f64) {
        self.name(name);
        push_number(self.out, value);
    }

    /// Adds a whole number.
    pub fn whole(&mut self, name: &str, value: i64) {
        self.name(name);
        push_whole(self.out, value);
    }

    /// Adds what is JSON already.
    pub fn json(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push_str(value);
    }

    /// Closes the object.
    pub fn end(self) {
        if self.separator == '{' {
            self.out.push('{');
        }
        self.out.push('}');
    }

    fn name(&mut self, name: &str) {
        self.out.push(self.separator);
        self.separator = ',';
        push_text(self.out, name);
        self.out.push(':');
    }
}

/// Writes a quoted JSON string. Quotes, backslashes and control characters are escaped, so a line stays one line.
pub fn push_text(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // Every byte searched for is ASCII, so both cuts fall between characters.
        let (clean, tail) = rest.split_at(at);
        out.push_str(clean);
        let byte = tail.as_bytes()[0];
        out.push('\\');
        if byte < 0x20 {
            out.push_str("u00");
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        } else {
            out.push(byte as char);
        }
        rest = &tail[1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Writes a number so that reading it back gives the same `f64`.
pub fn push_number(out: &mut String, value: f64) {
    /// Below this, a thousandth is far coarser than the steps of an `f64`, and the whole part fits an `i64`.
    const THOUSANDTHS_MAX: f64 = 1e12;
    if !value.is_finite() {
        out.push_str("null");
    } else if value.abs() < THOUSANDTHS_MAX && rounded(value * 1000.0) as f64 / 1000.0 == value {
        // All that a page measures: whole pixels and short fractions.
        push_decimal(out, rounded(value * 1000.0), 3);
    } else {
        push_exact(out, value);
    }
}

/// The nearest whole number: `f64::round` needs std.
fn rounded(value: f64) -> i64 {
    (value + if value < 0.0 { -0.5 } else { 0.5 }) as i64
}

/// Writes `value / 10^places`.
fn push_decimal(out: &mut String, value: i64, places: usize) {
    if value < 0 {
        out.push('-');
    }
    push_places(out, &digits_of(value.unsigned_abs()), places);
}

/// Writes every digit of a number's exact value: long, but right for all of them, and no table is needed.
fn push_exact(out: &mut String, value: f64) {
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let mantissa = bits & ((1 << 52) - 1);
    // value = mantissa * 2^power; numbers below 2^-1022 have no hidden bit.
    let (mantissa, power) = if exponent == 0 { (mantissa, -1074) } else { (mantissa | 1 << 52, exponent - 1075) };

    // m * 2^-p = m * 5^p / 10^p, so a fraction ends after p places.
    let mut digits = digits_of(mantissa);
    for _ in 0..power.unsigned_abs() {
        multiply(&mut digits, if power < 0 { 5 } else { 2 });
    }
    if value < 0.0 {
        out.push('-');
    }
    push_places(out, &digits, power.min(0).unsigned_abs() as usize);
}

/// Decimal digits, the last one first.
fn digits_of(mut value: u64) -> Vec<u8> {
    let mut digits = vec![];
    while value > 0 {
        digits.push((value % 10) as u8);
        value /= 10;
    }
    digits
}

/// Writes digits (the last one first) with a point before the last `places` of them, without trailing zeros.
fn push_places(out: &mut String, digits: &[u8], places: usize) {
    let digit = |place: usize| digits.get(place).copied().unwrap_or(0);
    let zeros = (0..places).take_while(|place| digit(*place) == 0).count();
    for place in (zeros..digits.len().max(places + 1)).rev() {
        out.push((b'0' + digit(place)) as char);
        if place == places && places > zeros {
            out.push('.');
        }
    }
}

fn multiply(digits: &mut Vec<u8>, by: u8) {
    let mut carry = 0;
    for digit in digits.iter_mut() {
        let product = *digit * by + carry;
        *digit = product % 10;
        carry = product / 10;
    }
    if carry > 0 {
        digits.push(carry);
    }
}

/// Writes a whole number.
pub fn push_whole(out: &mut String, value: i64) {
    push_decimal(out, value, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn number(value: f64) -> String {
        let mut out = String::new();
        push_number(&mut out, value);
        out
    }

    #[test]
    fn writes_numbers_as_people_would() {
        let table: &[(f64, &str)] = &[
            (0.0, "0"),
            (110.0, "110"),
            (-7.0, "-7"),
            (99.5, "99.5"),
            (1.1, "1.1"),
            (-0.25, "-0.25"),
            (0.001, "0.001"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e22, "10000000000000000000000"),
            (1e13, "10000000000000"),
            (0.5f64.powi(10), "0.0009765625"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (f64::NEG_INFINITY, "null"),
        ];
        for (value, text) in table {
            assert_eq!(number(*value), *text, "{value}");
        }
    }

    #[test]
    fn writes_whole_numbers_to_the_ends_of_their_range() {
        for value in [0, 1, -1, 9, 10, i64::MAX, i64::MIN] {
            let mut out = String::new();
            push_whole(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }

    proptest! {
        #[test]
        fn every_finite_number_reads_back_equal(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(number(value).parse::<f64>().unwrap(), value);
        }

        #[test]
        fn measures_stay_short(hundredths in -10_000_000i64..10_000_000) {
            let text = number(hundredths as f64 / 100.0);
            prop_assert!(text.len() <= 11, "{}", text);
        }

        #[test]
        fn texts_stay_on_one_line_and_hold_no_nul(text: String) {
            let mut out = String::new();
            push_text(&mut out, &text);
            prop_assert!(!out.contains(['\n', '\r', '\0']));
        }
    }
}
