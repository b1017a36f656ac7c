//! How values of types without types inside are written.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DecimalType, Float16Type, Float32Type, Float64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, BooleanArray, GenericStringArray, OffsetSizeTrait, PrimitiveArray, StringViewArray,
};
use arrow_buffer::{ScalarBuffer, i256};
use arrow_schema::{DataType, TimeUnit};

use super::json::Rules;
use super::times::{Instant, Text, Zone};
use crate::source::config::{BigIntegers, NonFinite};
use crate::source::json_text::{is_clean, write_clean_string, write_plain, write_string};

/// The values of one array, none of them null where it is asked for.
pub(super) trait Value: Send {
    /// Writes a value; the reason says why it has no JSON form.
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String>;
}

/// Null, always.
pub(super) struct Nothing;

impl Value for Nothing {
    fn write(&self, _: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        out.extend_from_slice(b"null");
        Ok(())
    }
}

impl Value for BooleanArray {
    fn write(&self, row: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        out.extend_from_slice(if self.value(row) { b"true" } else { b"false" });
        Ok(())
    }
}

/// Integers of any width.
pub(super) struct Integers<T: ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Integers<T> {
    pub(super) fn new(array: &dyn Array) -> Self {
        Self(array.as_primitive().clone())
    }
}

impl<T: ArrowPrimitiveType> Value for Integers<T>
where
    T::Native: itoa::Integer + Into<i128>,
{
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        const EXACT: std::ops::RangeInclusive<i128> = -9_007_199_254_740_991..=9_007_199_254_740_991;
        let value = self.0.value(row);
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(value).as_bytes();
        if rules.big_integers == BigIntegers::Number || EXACT.contains(&value.into()) {
            out.extend_from_slice(digits);
        } else {
            write_clean_string(out, digits);
        }
        Ok(())
    }
}

/// Floating-point numbers of any width.
pub(super) struct Floats<T: Float>(PrimitiveArray<T>);

impl<T: Float> Floats<T> {
    pub(super) fn new(array: &dyn Array) -> Self {
        Self(array.as_primitive().clone())
    }
}

impl<T: Float> Value for Floats<T> {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        let value = self.0.value(row);
        let wide: f64 = value.into();
        if wide.is_finite() {
            T::write(value, out);
            return Ok(());
        }
        let name = match (wide.is_nan(), wide > 0.0) {
            (true, _) => "NaN",
            (false, true) => "Infinity",
            (false, false) => "-Infinity",
        };
        match rules.non_finite {
            NonFinite::Reject => {
                return Err(format!("{name} has no JSON form, see `source.arrow.non_finite`"));
            }
            NonFinite::Null => out.extend_from_slice(b"null"),
            NonFinite::String => write_string(out, name.as_bytes()),
        }
        Ok(())
    }
}

/// Numbers whose finite values are written as the shortest text that reads back the same.
pub(super) trait Float: ArrowPrimitiveType<Native: Into<f64>> {
    /// Writes a finite value.
    fn write(value: Self::Native, out: &mut Vec<u8>);
}

/// Where every printer of shortest texts writes the digits alone, without an exponent.
const WITHOUT_EXPONENT: std::ops::Range<f64> = 1e-3..1e13;

impl Float for Float16Type {
    fn write(value: Self::Native, out: &mut Vec<u8>) {
        write_plain(out, format_args!("{value:?}"));
    }
}

impl Float for Float32Type {
    fn write(value: f32, out: &mut Vec<u8>) {
        // Two shortest texts can be equally near only where 10 to the power of their digits is at least 2^23.
        const DIGITS: usize = 6;
        write_float(
            f64::from(value),
            &value,
            zmij::Buffer::new().format(value),
            DIGITS,
            out,
        );
    }
}

impl Float for Float64Type {
    fn write(value: f64, out: &mut Vec<u8>) {
        // As above, with 2^52.
        const DIGITS: usize = 15;
        write_float(value, &value, zmij::Buffer::new().format(value), DIGITS, out);
    }
}

/// Writes the shortest text, which is `quick` where it has no more than so many digits; else it is what Debug shows:
/// of two that are equally near the larger one, and with an exponent where that is shorter.
fn write_float(wide: f64, value: &impl fmt::Debug, quick: &str, digits: usize, out: &mut Vec<u8>) {
    let point = 1;
    match WITHOUT_EXPONENT.contains(&wide.abs()) && quick.len() <= digits + point {
        true => out.extend_from_slice(quick.as_bytes()),
        false => write_plain(out, format_args!("{value:?}")),
    }
}

/// Decimals: digits with a point among them.
pub(super) struct Decimals<T: DecimalType> {
    array: PrimitiveArray<T>,
    scale: i8,
}

/// The whole number that a decimal's digits are.
pub(super) trait Unscaled: Copy {
    /// Passes on the number's digits, behind a minus where it is below zero.
    fn with_digits(self, take: impl FnOnce(&str));
}

impl Unscaled for i32 {
    fn with_digits(self, take: impl FnOnce(&str)) {
        take(itoa::Buffer::new().format(self));
    }
}

impl Unscaled for i64 {
    fn with_digits(self, take: impl FnOnce(&str)) {
        take(itoa::Buffer::new().format(self));
    }
}

impl Unscaled for i128 {
    fn with_digits(self, take: impl FnOnce(&str)) {
        take(itoa::Buffer::new().format(self));
    }
}

impl Unscaled for i256 {
    fn with_digits(self, take: impl FnOnce(&str)) {
        match self.to_i128() {
            Some(small) => small.with_digits(take),
            None => take(&self.to_string()),
        }
    }
}

impl<T: DecimalType> Decimals<T> {
    pub(super) fn new(array: &dyn Array, scale: i8) -> Self {
        let array = array.as_primitive().clone();
        Self { array, scale }
    }
}

impl<T: DecimalType> Value for Decimals<T>
where
    T::Native: Unscaled,
{
    fn write(&self, row: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        self.array
            .value(row)
            .with_digits(|digits| write_decimal(out, digits, self.scale));
        Ok(())
    }
}

fn write_decimal(out: &mut Vec<u8>, digits: &str, scale: i8) {
    let zeros = |out: &mut Vec<u8>, count| out.resize(out.len() + count, b'0');
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    out.extend_from_slice(sign.as_bytes());
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        zeros(out, if digits == "0" { 0 } else { places });
    } else if digits.len() > places {
        let (whole, fraction) = digits.split_at(digits.len() - places);
        out.extend_from_slice(whole.as_bytes());
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    } else {
        out.extend_from_slice(b"0.");
        zeros(out, places - digits.len());
        out.extend_from_slice(digits.as_bytes());
    }
}

/// Strings that lie one behind the other.
struct Texts<O: OffsetSizeTrait>(GenericStringArray<O>);

/// The same, where none needs an escape.
struct CleanTexts<O: OffsetSizeTrait>(GenericStringArray<O>);

/// Prepares strings, by one look at all of them.
pub(super) fn texts<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> Box<dyn Value> {
    let offsets = array.offsets();
    let all = offsets[0].as_usize()..offsets[array.len()].as_usize();
    match is_clean(&array.value_data()[all]) {
        true => Box::new(CleanTexts(array.clone())),
        false => Box::new(Texts(array.clone())),
    }
}

impl<O: OffsetSizeTrait> Value for Texts<O> {
    fn write(&self, row: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        write_string(out, self.0.value(row).as_bytes());
        Ok(())
    }
}

impl<O: OffsetSizeTrait> Value for CleanTexts<O> {
    fn write(&self, row: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        write_clean_string(out, self.0.value(row).as_bytes());
        Ok(())
    }
}

/// Strings that lie anywhere.
pub(super) struct Views(pub(super) StringViewArray);

impl Value for Views {
    fn write(&self, row: usize, out: &mut Vec<u8>, _: Rules) -> Result<(), String> {
        write_string(out, self.0.value(row).as_bytes());
        Ok(())
    }
}

/// Dates and times, as numbers and how they are shown.
pub(super) struct Shown {
    values: ScalarBuffer<i64>,
    kind: Kind,
}

/// What a number of a temporal type means.
enum Kind {
    Timestamp(TimeUnit, Zone),
    Days,
    DateMillis,
    Time(TimeUnit),
}

impl Shown {
    pub(super) fn timestamps(array: &dyn Array, unit: TimeUnit, zone: Zone) -> Self {
        let values = match unit {
            TimeUnit::Second => values_of::<TimestampSecondType>(array),
            TimeUnit::Millisecond => values_of::<TimestampMillisecondType>(array),
            TimeUnit::Microsecond => values_of::<TimestampMicrosecondType>(array),
            TimeUnit::Nanosecond => values_of::<TimestampNanosecondType>(array),
        };
        let kind = Kind::Timestamp(unit, zone);
        Self { values, kind }
    }

    pub(super) fn dates(array: &dyn Array) -> Self {
        match array.data_type() {
            DataType::Date32 => Self {
                values: values_of::<Date32Type>(array),
                kind: Kind::Days,
            },
            _ => Self {
                values: values_of::<Date64Type>(array),
                kind: Kind::DateMillis,
            },
        }
    }

    pub(super) fn times(array: &dyn Array, unit: TimeUnit) -> Self {
        let values = match unit {
            TimeUnit::Second => values_of::<Time32SecondType>(array),
            TimeUnit::Millisecond => values_of::<Time32MillisecondType>(array),
            TimeUnit::Microsecond => values_of::<Time64MicrosecondType>(array),
            TimeUnit::Nanosecond => values_of::<Time64NanosecondType>(array),
        };
        let kind = Kind::Time(unit);
        Self { values, kind }
    }
}

impl Value for Shown {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        let value = self.values[row];
        let is_written = match self.kind {
            Kind::Timestamp(unit, zone) => write_quoted(out, Instant::new(value, unit).timestamp(zone)),
            Kind::Days => write_quoted(out, Instant::midnight(value).date()),
            Kind::DateMillis => write_quoted(out, Instant::new(value, TimeUnit::Millisecond).date()),
            Kind::Time(unit) => write_quoted(out, Instant::new(value, unit).time()),
        };
        if is_written {
            return Ok(());
        }
        if !rules.is_lenient {
            let limits = if let Kind::Time(_) = self.kind {
                "a day"
            } else {
                "the years 0 to 9999"
            };
            return Err(format!("{value} is outside {limits}"));
        }
        write_plain(out, value);
        Ok(())
    }
}

/// Writes a text in quotes if there is one, and says whether there was.
fn write_quoted(out: &mut Vec<u8>, text: Option<Text>) -> bool {
    text.map(|text| write_clean_string(out, text.as_bytes()))
        .is_some()
}

fn values_of<T: ArrowPrimitiveType>(array: &dyn Array) -> ScalarBuffer<i64>
where
    T::Native: Into<i64>,
{
    array
        .as_primitive::<T>()
        .values()
        .iter()
        .map(|value| (*value).into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_exactly_its_digits() {
        for (digits, scale, text) in [
            ("110", 2, "1.10"),
            ("-110", 2, "-1.10"),
            ("5", 2, "0.05"),
            ("-5", 3, "-0.005"),
            ("0", 2, "0.00"),
            ("12", 0, "12"),
            ("12", -2, "1200"),
            ("0", -2, "0"),
        ] {
            let mut out = Vec::new();
            write_decimal(&mut out, digits, scale);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
