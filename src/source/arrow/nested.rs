//! How values of types with types inside are written.

use std::ops::Range;

use arrow_array::{
    AnyDictionaryArray, Array, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray,
};
use arrow_buffer::ArrowNativeType;

use super::json::{Cells, Column, Rules, columns};
use super::values::Value;

/// Lists with offsets.
pub(super) struct Lists<O: OffsetSizeTrait> {
    array: GenericListArray<O>,
    items: Cells,
}

impl<O: OffsetSizeTrait> Lists<O> {
    pub(super) fn new(array: &GenericListArray<O>) -> Result<Self, String> {
        let items = Cells::new(array.values())?;
        let array = array.clone();
        Ok(Self { array, items })
    }
}

impl<O: OffsetSizeTrait> Value for Lists<O> {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        let offsets = self.array.value_offsets();
        write_items(
            &self.items,
            offsets[row].as_usize()..offsets[row + 1].as_usize(),
            out,
            rules,
        )
    }
}

/// Lists that are all of one length.
pub(super) struct FixedLists {
    array: FixedSizeListArray,
    length: usize,
    items: Cells,
}

impl FixedLists {
    pub(super) fn new(array: &FixedSizeListArray) -> Result<Self, String> {
        Ok(Self {
            length: usize::try_from(array.value_length()).unwrap_or(0),
            items: Cells::new(array.values())?,
            array: array.clone(),
        })
    }
}

impl Value for FixedLists {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        let start = self.array.value_offset(row).as_usize();
        write_items(&self.items, start..start + self.length, out, rules)
    }
}

fn write_items(items: &Cells, range: Range<usize>, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
    out.push(b'[');
    for item in range.clone() {
        if item > range.start {
            out.push(b',');
        }
        items.write(item, out, rules)?;
    }
    out.push(b']');
    Ok(())
}

/// Structs: objects with the same members in every row.
pub(super) struct Structs(Vec<Column>);

impl Structs {
    pub(super) fn new(array: &StructArray) -> Result<Self, String> {
        let fields = array.fields().iter().map(AsRef::as_ref);
        columns(fields.zip(array.columns().iter().map(AsRef::as_ref))).map(Self)
    }
}

impl Value for Structs {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        for column in &self.0 {
            column.write(row, out, rules)?;
        }
        out.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }
}

/// Maps with string keys: objects with members of their own.
pub(super) struct Maps {
    array: MapArray,
    keys: Cells,
    values: Cells,
}

impl Maps {
    pub(super) fn new(array: &MapArray) -> Result<Self, String> {
        Ok(Self {
            keys: Cells::new(array.keys())?,
            values: Cells::new(array.values())?,
            array: array.clone(),
        })
    }
}

impl Value for Maps {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        let offsets = self.array.value_offsets();
        let range = offsets[row].as_usize()..offsets[row + 1].as_usize();
        out.push(b'{');
        for entry in range.clone() {
            if entry > range.start {
                out.push(b',');
            }
            self.keys.write(entry, out, rules)?;
            out.push(b':');
            self.values.write(entry, out, rules)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// Values that are looked up in a dictionary.
pub(super) struct Dictionary {
    keys: Vec<usize>,
    values: Cells,
}

impl Dictionary {
    pub(super) fn new(array: &dyn AnyDictionaryArray) -> Result<Self, String> {
        // An empty dictionary has only nulls as keys, which are never looked up.
        let keys = if array.values().is_empty() {
            Vec::new()
        } else {
            array.normalized_keys()
        };
        let values = Cells::new(array.values())?;
        Ok(Self { keys, values })
    }
}

impl Value for Dictionary {
    fn write(&self, row: usize, out: &mut Vec<u8>, rules: Rules) -> Result<(), String> {
        self.values.write(self.keys[row], out, rules)
    }
}
