//! How values of types without types inside are written.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DecimalType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayAccessor, BooleanArray, PrimitiveArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, TimeUnit};
use bytes::{BufMut, BytesMut};

use super::json::Rules;
use super::times::{Instant, Zone};
use crate::source::config::{BigIntegers, NonFinite};
use crate::source::json_text::{write_plain, write_string};

/// The values of one array, none of them null where it is asked for.
pub(super) trait Value: Send {
    /// Writes a value; the reason says why it has no JSON form.
    fn write(&self, row: usize, out: &mut BytesMut, rules: Rules) -> Result<(), String>;
}

/// Null, always.
pub(super) struct Nothing;

impl Value for Nothing {
    fn write(&self, _: usize, out: &mut BytesMut, _: Rules) -> Result<(), String> {
        out.extend_from_slice(b"null");
        Ok(())
    }
}

impl Value for BooleanArray {
    fn write(&self, row: usize, out: &mut BytesMut, _: Rules) -> Result<(), String> {
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
    T::Native: fmt::Display + Into<i128>,
{
    fn write(&self, row: usize, out: &mut BytesMut, rules: Rules) -> Result<(), String> {
        const EXACT: std::ops::RangeInclusive<i128> = -9_007_199_254_740_991..=9_007_199_254_740_991;
        let value = self.0.value(row);
        if rules.big_integers == BigIntegers::Number || EXACT.contains(&value.into()) {
            write_plain(out, value);
        } else {
            write_plain(out, format_args!("\"{value}\""));
        }
        Ok(())
    }
}

/// Floating-point numbers of any width.
pub(super) struct Floats<T: ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Floats<T> {
    pub(super) fn new(array: &dyn Array) -> Self {
        Self(array.as_primitive().clone())
    }
}

impl<T: ArrowPrimitiveType> Value for Floats<T>
where
    T::Native: fmt::Debug + Into<f64>,
{
    fn write(&self, row: usize, out: &mut BytesMut, rules: Rules) -> Result<(), String> {
        let value = self.0.value(row);
        let wide: f64 = value.into();
        if wide.is_finite() {
            // Debug is the shortest form that reads back the same, with an exponent where that is shorter.
            write_plain(out, format_args!("{value:?}"));
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

/// Decimals: digits with a point among them.
pub(super) struct Decimals<T: DecimalType> {
    array: PrimitiveArray<T>,
    scale: i8,
}

impl<T: DecimalType> Decimals<T> {
    pub(super) fn new(array: &dyn Array, scale: i8) -> Self {
        let array = array.as_primitive().clone();
        Self { array, scale }
    }
}

impl<T: DecimalType> Value for Decimals<T>
where
    T::Native: fmt::Display,
{
    fn write(&self, row: usize, out: &mut BytesMut, _: Rules) -> Result<(), String> {
        write_decimal(out, &self.array.value(row).to_string(), self.scale);
        Ok(())
    }
}

fn write_decimal(out: &mut BytesMut, digits: &str, scale: i8) {
    let zeros = |out: &mut BytesMut, count| out.put_bytes(b'0', count);
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
        write_plain(out, format_args!("{whole}.{fraction}"));
    } else {
        out.extend_from_slice(b"0.");
        zeros(out, places - digits.len());
        out.extend_from_slice(digits.as_bytes());
    }
}

/// Strings of any layout.
pub(super) struct Texts<A>(pub(super) A);

impl<A: Send> Value for Texts<A>
where
    for<'a> &'a A: ArrayAccessor<Item = &'a str>,
{
    fn write(&self, row: usize, out: &mut BytesMut, _: Rules) -> Result<(), String> {
        write_string(out, (&self.0).value(row).as_bytes());
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
    fn write(&self, row: usize, out: &mut BytesMut, rules: Rules) -> Result<(), String> {
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
fn write_quoted<T: fmt::Display>(out: &mut BytesMut, text: Option<T>) -> bool {
    let Some(text) = text else {
        return false;
    };
    write_plain(out, format_args!("\"{text}\""));
    true
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
            let mut out = BytesMut::new();
            write_decimal(&mut out, digits, scale);
            assert_eq!(std::str::from_utf8(&out).unwrap(), text);
        }
    }
}
