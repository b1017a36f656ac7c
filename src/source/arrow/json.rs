//! Rows of a record batch as JSON objects. The form of each type stands in the module above.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};

use super::nested::{Dictionary, FixedLists, Lists, Maps, Structs};
use super::times::Zone;
use super::values::{Decimals, Floats, Integers, Nothing, Shown, Value, Views, texts};
use crate::source::config::{ArrowConfig, BigIntegers, NonFinite};
use crate::source::json_text::write_string;

/// What becomes of values that JSON or its readers do not have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) non_finite: NonFinite,
    pub(super) big_integers: BigIntegers,
    /// Writes a stand-in for what has no JSON form, so that a bad record can be shown.
    pub(super) is_lenient: bool,
}

/// The rows of a batch.
pub(super) struct Rows {
    columns: Vec<Column>,
    length: usize,
    next: usize,
}

/// A column, or a member of a struct.
pub(super) struct Column {
    name: String,
    /// What stands before the value in an object: `{"name":` or `,"name":`.
    prefix: Vec<u8>,
    cells: Cells,
}

/// The values of a column and which of them are null.
pub(super) struct Cells {
    nulls: Option<NullBuffer>,
    value: Box<dyn Value>,
}

impl Rules {
    pub(super) fn new(config: &ArrowConfig) -> Self {
        Self {
            non_finite: config.non_finite,
            big_integers: config.big_integers_as,
            is_lenient: false,
        }
    }
}

impl Rows {
    /// Prepares a batch. The error is a type that has no JSON form, which the schema's check finds earlier.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, String> {
        let fields = batch.schema_ref().fields().iter();
        Ok(Self {
            columns: columns(
                fields
                    .map(AsRef::as_ref)
                    .zip(batch.columns().iter().map(AsRef::as_ref)),
            )?,
            length: batch.num_rows(),
            next: 0,
        })
    }

    /// The next row's index.
    pub(super) fn next_row(&mut self) -> Option<usize> {
        let row = self.next;
        (row < self.length).then(|| {
            self.next += 1;
            row
        })
    }

    /// Writes a row; the reason says why a value has no JSON form.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        for column in &self.columns {
            column
                .write(row, out, rules)
                .map_err(|reason| format!("column `{}`: {reason}", column.name))?;
        }
        out.extend_from_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    /// Writes a row with stand-ins for what has no JSON form.
    pub(super) fn write_leniently(&self, row: usize, out: &mut Vec<u8>, rules: Rules) {
        let rules = Rules {
            non_finite: NonFinite::String,
            is_lenient: true,
            ..rules
        };
        // With stand-ins for everything there is nothing left to fail.
        let _ = self.write(row, out, rules);
    }
}

impl Column {
    /// Writes the member, behind the ones before it.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        out.extend_from_slice(&self.prefix);
        self.cells.write(row, out, rules)
    }
}

impl Cells {
    /// Prepares the values of an array.
    pub(super) fn new(array: &dyn Array) -> Result<Self, String> {
        Ok(Self {
            nulls: array.nulls().filter(|nulls| nulls.null_count() > 0).cloned(),
            value: value_of(array)?,
        })
    }

    /// Writes the value at `row`, or null.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        self.value.write(row, out, rules)
    }
}

/// Prepares columns, with their keys rendered.
pub(super) fn columns<'a>(
    fields: impl Iterator<Item = (&'a Field, &'a dyn Array)>,
) -> Result<Vec<Column>, String> {
    fields
        .enumerate()
        .map(|(index, (field, array))| {
            let mut prefix = Vec::from(if index == 0 { "{" } else { "," });
            write_string(&mut prefix, field.name().as_bytes());
            prefix.extend_from_slice(b":");
            Ok(Column {
                name: field.name().clone(),
                prefix,
                cells: Cells::new(array)?,
            })
        })
        .collect()
}

fn value_of(array: &dyn Array) -> Result<Box<dyn Value>, String> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(Nothing),
        DataType::Boolean => Box::new(array.as_boolean().clone()),
        DataType::Int8 => Box::new(Integers::<Int8Type>::new(array)),
        DataType::Int16 => Box::new(Integers::<Int16Type>::new(array)),
        DataType::Int32 => Box::new(Integers::<Int32Type>::new(array)),
        DataType::Int64 => Box::new(Integers::<Int64Type>::new(array)),
        DataType::UInt8 => Box::new(Integers::<UInt8Type>::new(array)),
        DataType::UInt16 => Box::new(Integers::<UInt16Type>::new(array)),
        DataType::UInt32 => Box::new(Integers::<UInt32Type>::new(array)),
        DataType::UInt64 => Box::new(Integers::<UInt64Type>::new(array)),
        DataType::Float16 => Box::new(Floats::<Float16Type>::new(array)),
        DataType::Float32 => Box::new(Floats::<Float32Type>::new(array)),
        DataType::Float64 => Box::new(Floats::<Float64Type>::new(array)),
        DataType::Decimal32(_, scale) => Box::new(Decimals::<Decimal32Type>::new(array, *scale)),
        DataType::Decimal64(_, scale) => Box::new(Decimals::<Decimal64Type>::new(array, *scale)),
        DataType::Decimal128(_, scale) => Box::new(Decimals::<Decimal128Type>::new(array, *scale)),
        DataType::Decimal256(_, scale) => Box::new(Decimals::<Decimal256Type>::new(array, *scale)),
        DataType::Utf8 => texts(array.as_string::<i32>()),
        DataType::LargeUtf8 => texts(array.as_string::<i64>()),
        DataType::Utf8View => Box::new(Views(array.as_string_view().clone())),
        DataType::Timestamp(unit, zone) => {
            let zone = Zone::parse(zone.as_deref());
            Box::new(Shown::timestamps(array, *unit, zone))
        }
        DataType::Date32 | DataType::Date64 => Box::new(Shown::dates(array)),
        DataType::Time32(unit) | DataType::Time64(unit) => Box::new(Shown::times(array, *unit)),
        _ => return nested_value_of(array),
    })
}

fn nested_value_of(array: &dyn Array) -> Result<Box<dyn Value>, String> {
    Ok(match array.data_type() {
        DataType::List(_) => Box::new(Lists::new(array.as_list::<i32>())?),
        DataType::LargeList(_) => Box::new(Lists::new(array.as_list::<i64>())?),
        DataType::FixedSizeList(..) => Box::new(FixedLists::new(array.as_fixed_size_list())?),
        DataType::Struct(_) => Box::new(Structs::new(array.as_struct())?),
        DataType::Map(..) => Box::new(Maps::new(array.as_map())?),
        DataType::Dictionary(..) => Box::new(Dictionary::new(array.as_any_dictionary())?),
        other => return Err(other.to_string()),
    })
}
