//! Where records are written anew, one after the other, from the spans of their own text.
//!
//! What stays next to each other is copied at once. Records share a block of memory, as those of a source's chunk do, so that
//! one of them costs no allocation; and what is written has its outline from the start.

use bytes::BytesMut;

use super::ShapeError;
use super::attributes::{Fate, Inside, has_attributes};
use super::rules::Rules;
use crate::expression::MAX_DEPTH;
use crate::record::{Outline, Span, depth_of, text_of};

/// How much is set aside for texts at a time.
const BLOCK: usize = 32 << 10;

/// The memory that one record after the other is written in.
#[derive(Debug, Default)]
pub(super) struct Desk {
    block: BytesMut,
    spans: Vec<Span>,
    inside: String,
    /// For each name that attributes are renamed to the last record that has it, by its number.
    last_with: Vec<u64>,
    number: u64,
}

/// A record that is being written.
struct Page<'a> {
    from: &'a [u8],
    to: &'a mut BytesMut,
    spans: &'a mut Vec<Span>,
    /// What was kept last and is not copied yet.
    run: std::ops::Range<usize>,
}

impl Desk {
    /// Writes the record that `outline` is of anew, and makes it the outline of what was written.
    pub(super) fn write(&mut self, rules: &Rules, outline: &mut Outline) -> Result<(), ShapeError> {
        let size = outline.text().len() + 2;
        if self.block.capacity() < size {
            self.block = BytesMut::with_capacity(BLOCK.max(size));
        }
        if let Err(error) = self.write_members(rules, outline) {
            self.block.clear();
            self.spans.clear();
            return Err(error);
        }
        let may_escape = outline.may_escape() || rules.have_escapes();
        outline.replace(self.block.split().freeze(), &mut self.spans, may_escape);
        Ok(())
    }

    fn write_members(&mut self, rules: &Rules, outline: &Outline) -> Result<(), ShapeError> {
        let text = outline.text();
        self.number += 1;
        self.last_with.resize(rules.targets().len(), 0);
        self.inside.shrink_to(BLOCK);
        self.block.extend_from_slice(b"{");
        let mut clash = None;
        let mut page = Page {
            from: text,
            to: &mut self.block,
            spans: &mut self.spans,
            run: 0..0,
        };
        for span in outline.spans() {
            let inner = &text[span.key + 1..span.key_end - 1];
            let decoded = match outline.may_escape() && inner.contains(&b'\\') {
                true => decoded(&text[span.key..span.key_end]),
                false => None,
            };
            let rule = rules.of_name(decoded.as_deref().map_or(inner, str::as_bytes));
            if let Some(target) = rule.target
                && std::mem::replace(&mut self.last_with[target], self.number) == self.number
            {
                clash = Some(clash.map_or(target, |other: usize| other.min(target)));
            }
            match &rule.fate {
                Fate::Gone => {}
                Fate::Kept => page.keep(*span, rule.key.as_deref()),
                Fate::Entered(inside) => {
                    let value = std::str::from_utf8(&text[span.value..span.value_end]).unwrap_or_default();
                    if has_attributes(value) {
                        enter(inside, value, &mut self.inside).map_err(|depth| {
                            ShapeError::TooDeep(name_of(inner, decoded.as_deref()), depth)
                        })?;
                        page.write(*span, rule.key.as_deref(), self.inside.as_bytes());
                    } else if inside.only.is_empty() {
                        page.keep(*span, rule.key.as_deref());
                    }
                }
            }
        }
        page.copy();
        self.block.extend_from_slice(b"}");
        match clash {
            Some(target) => Err(ShapeError::Clash(rules.targets()[target].clone())),
            None => Ok(()),
        }
    }
}

impl<'a> Page<'a> {
    /// Keeps a member, perhaps under a new key.
    fn keep(&mut self, span: Span, new_key: Option<&str>) {
        if new_key.is_some() || span.key_end + 1 != span.value {
            let from: &'a [u8] = self.from;
            return self.write(span, new_key, &from[span.value..span.value_end]);
        }
        // With one byte between them, they have nothing but a comma.
        if self.run.is_empty() || self.run.end + 1 != span.key {
            self.copy();
            self.separate();
            self.run = span.key..span.key;
        }
        let (from, to) = (self.run.start, self.to.len());
        let moved = |place: usize| place - from + to;
        self.spans.push(Span {
            key: moved(span.key),
            key_end: moved(span.key_end),
            value: moved(span.value),
            value_end: moved(span.value_end),
        });
        self.run.end = span.value_end;
    }

    /// Writes a member with this value, perhaps under a new key.
    fn write(&mut self, span: Span, new_key: Option<&str>, value: &[u8]) {
        self.copy();
        self.separate();
        let key = self.to.len();
        match new_key {
            Some(new) => self.to.extend_from_slice(new.as_bytes()),
            None => self.to.extend_from_slice(&self.from[span.key..span.key_end]),
        }
        let key_end = self.to.len();
        self.to.extend_from_slice(b":");
        self.to.extend_from_slice(value);
        self.spans.push(Span {
            key,
            key_end,
            value: key_end + 1,
            value_end: self.to.len(),
        });
    }

    /// Copies what was kept.
    fn copy(&mut self) {
        self.to.extend_from_slice(&self.from[self.run.clone()]);
        self.run = 0..0;
    }

    fn separate(&mut self) {
        if self.to.len() > 1 {
            self.to.extend_from_slice(b",");
        }
    }
}

/// Writes a value without what goes inside it; the error says how deep it nests where that is too deep to be looked through.
fn enter(inside: &Inside, value: &str, to: &mut String) -> Result<(), usize> {
    let depth = depth_of(value);
    if depth > MAX_DEPTH {
        return Err(depth);
    }
    to.clear();
    inside.write(to, value);
    Ok(())
}

/// A key with escapes, decoded; none where it has no decoded form.
fn decoded(raw_key: &[u8]) -> Option<String> {
    let raw_key = std::str::from_utf8(raw_key).ok()?;
    text_of(raw_key).map(std::borrow::Cow::into_owned)
}

fn name_of(inner: &[u8], decoded: Option<&str>) -> String {
    decoded.map_or_else(|| String::from_utf8_lossy(inner).into_owned(), str::to_owned)
}
