//! Writing JSON without formatting machinery and without memory of its own: what the tracker can afford.

use alloc::string::String;

/// Where text goes: a `String`, or in the tracker a buffer that never grows.
pub trait Push {
    /// Adds a text to the end.
    fn push_str(&mut self, text: &str);

    /// Adds one ASCII character to the end.
    fn push_ascii(&mut self, byte: u8);
}

impl Push for String {
    fn push_str(&mut self, text: &str) {
        String::push_str(self, text);
    }

    fn push_ascii(&mut self, byte: u8) {
        self.push(char::from(byte));
    }
}

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
pub struct ObjectWriter<'a, Out: Push> {
    out: &'a mut Out,
    separator: u8,
}

impl<'a, Out: Push> ObjectWriter<'a, Out> {
    /// Begins an object; [`end`](Self::end) closes it.
    pub fn new(out: &'a mut Out) -> Self {
        Self { out, separator: b'{' }
    }

    /// Adds a text, escaped.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_text(self.out, value);
    }

    /// Adds a number, as it is; what JSON can't say (NaN, infinities) becomes `null`.
    pub fn number(&mut self, name: &str, value: f64) {
        self.name(name);
        push_number(self.out, value);
    }

    /// Adds a measure, to hundredths: as fine as anybody looks at pixels. NaN becomes `null`; beyond ±10^12 it is cut.
    pub fn measure(&mut self, name: &str, value: f64) {
        self.name(name);
        if value.is_nan() {
            self.out.push_str("null");
        } else {
            push_decimal(self.out, rounded(value.clamp(-1e12, 1e12) * 100.0), 2);
        }
    }

    /// Adds a whole number.
    pub fn whole(&mut self, name: &str, value: i64) {
        self.name(name);
        push_decimal(self.out, value, 0);
    }

    /// Adds what is JSON already.
    pub fn json(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push_str(value);
    }

    /// Closes the object.
    pub fn end(self) {
        if self.separator == b'{' {
            self.out.push_ascii(b'{');
        }
        self.out.push_ascii(b'}');
    }

    fn name(&mut self, name: &str) {
        self.out.push_ascii(self.separator);
        self.separator = b',';
        push_text(self.out, name);
        self.out.push_ascii(b':');
    }
}

/// Writes a quoted JSON string. Quotes, backslashes and control characters are escaped, so a line stays one line.
pub fn push_text(out: &mut impl Push, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push_ascii(b'"');
    let mut rest = text;
    // Every byte looked for is ASCII, so the cuts fall between characters; `get` because `[..]` would bring the text of
    // its panic, and with it formatting, into the page.
    while let Some((at, byte)) = rest.bytes().enumerate().find(|(_, byte)| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_ascii(b'\\');
        if byte < 0x20 {
            out.push_str("u00");
            out.push_ascii(HEX[usize::from(byte >> 4)]);
            out.push_ascii(HEX[usize::from(byte & 15)]);
        } else {
            out.push_ascii(byte);
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push_ascii(b'"');
}

/// Writes a number so that reading it back gives the same `f64`.
pub fn push_number(out: &mut impl Push, value: f64) {
    /// Below this, a thousandth is far coarser than the steps of an `f64`, and the whole part fits an `i64`.
    const THOUSANDTHS_MAX: f64 = 1e12;
    if !value.is_finite() {
        out.push_str("null");
    } else if value.abs() < THOUSANDTHS_MAX && rounded(value * 1000.0) as f64 / 1000.0 == value {
        // Whole pixels and short fractions: nearly all there is.
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
pub fn push_decimal(out: &mut impl Push, value: i64, places: usize) {
    if value < 0 {
        out.push_ascii(b'-');
    }
    let digits = Digits::<20>::of(value.unsigned_abs());
    digits.push(out, places);
}

/// Writes every digit of a number's exact value: long, but right for all of them, and no table is needed.
fn push_exact(out: &mut impl Push, value: f64) {
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let mantissa = bits & ((1 << 52) - 1);
    // value = mantissa * 2^power; numbers below 2^-1022 have no hidden bit.
    let (mantissa, power) = if exponent == 0 { (mantissa, -1074) } else { (mantissa | 1 << 52, exponent - 1075) };
    if value < 0.0 {
        out.push_ascii(b'-');
    }
    // m * 2^-p = m * 5^p / 10^p, so a fraction ends after p places. 2^52 * 5^1074 has 767 digits.
    let mut digits = Digits::<800>::of(mantissa);
    for _ in 0..power.unsigned_abs() {
        digits.multiply(if power < 0 { 5 } else { 2 });
    }
    digits.push(out, power.min(0).unsigned_abs() as usize);
}

/// Decimal digits, the last one first; zeros beyond.
struct Digits<const N: usize> {
    digits: [u8; N],
    n_digits: usize,
}

impl<const N: usize> Digits<N> {
    fn of(mut value: u64) -> Self {
        let (mut digits, mut n_digits) = ([0; N], 0);
        for digit in &mut digits {
            if value == 0 {
                break;
            }
            *digit = (value % 10) as u8;
            value /= 10;
            n_digits += 1;
        }
        Self { digits, n_digits }
    }

    fn multiply(&mut self, by: u8) {
        let mut carry = 0;
        for (place, digit) in self.digits.iter_mut().enumerate() {
            if place >= self.n_digits && carry == 0 {
                break;
            }
            let product = *digit * by + carry;
            *digit = product % 10;
            carry = product / 10;
            self.n_digits = self.n_digits.max(place + 1);
        }
    }

    fn at(&self, place: usize) -> u8 {
        self.digits.get(place).copied().unwrap_or(0)
    }

    /// Writes them with a point before the last `places`, without trailing zeros there.
    fn push(&self, out: &mut impl Push, places: usize) {
        let n_zeros = (0..places).take_while(|place| self.at(*place) == 0).count();
        for place in (n_zeros..self.n_digits.max(places + 1)).rev() {
            out.push_ascii(b'0' + self.at(place));
            if place == places && places > n_zeros {
                out.push_ascii(b'.');
            }
        }
    }
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
            push_decimal(&mut out, value, 0);
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
        fn measures_are_kept_to_hundredths(pixels in -1e9f64..1e9) {
            let mut out = String::new();
            ObjectWriter::new(&mut out).measure("x", pixels);
            let read: f64 = out.strip_prefix("{\"x\":").unwrap().parse().unwrap();
            prop_assert!((read - pixels).abs() <= 0.005_001 && out.len() < 20, "{}", out);
        }

        #[test]
        fn texts_stay_on_one_line_and_hold_no_nul(text: String) {
            let mut out = String::new();
            push_text(&mut out, &text);
            prop_assert!(!out.contains(['\n', '\r', '\0']));
        }
    }
}
