//! The cells of one row, as spans of the row itself or of what unescaping wrote.

use std::ops::Range;

use memchr::memchr;

/// How many cells of a row are told apart at most. More are no row that fits any header, and only take memory.
pub(super) const MAX_CELLS: usize = 1 << 18;

/// The cells of a row, unescaped.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) spans: Vec<Span>,
    /// What csv-core or unescaping wrote.
    pub(super) text: Vec<u8>,
    pub(super) text_len: usize,
    /// Where the cells end that csv-core wrote.
    pub(super) ends: Vec<usize>,
    pub(super) ends_len: usize,
    pub(super) is_split: bool,
}

/// Where a cell's text is.
#[derive(Debug)]
pub(super) enum Span {
    /// In the row itself.
    Row(Range<usize>),
    /// In `text`.
    Text(Range<usize>),
}

impl Cells {
    pub(super) fn new() -> Self {
        Self {
            spans: Vec::new(),
            text: Vec::new(),
            text_len: 0,
            ends: vec![0; 32],
            ends_len: 0,
            is_split: false,
        }
    }

    /// The number of cells; one that reaches [`MAX_CELLS`] stands for that many or more.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the row is known to follow the rules of quotes.
    pub(super) fn follow_every_rule(&self) -> bool {
        self.is_split
    }

    /// The cells of this row, in order.
    pub(super) fn iter<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.spans.iter().map(|span| match span {
            Span::Row(range) => &row[range.clone()],
            Span::Text(range) => &self.text[range.clone()],
        })
    }

    /// Forgets the cells of the row before.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        (self.text_len, self.ends_len) = (0, 0);
        self.is_split = false;
    }

    /// Adds a cell that stands in the row as it is.
    pub(super) fn push_span(&mut self, range: Range<usize>) {
        self.spans.push(Span::Row(range));
    }

    /// Adds a cell in which each quote is doubled.
    pub(super) fn push_unescaped(&mut self, inner: &[u8], quote: u8) {
        let start = self.text_len;
        self.make_room(inner.len());
        let mut rest = inner;
        while !rest.is_empty() {
            let length = memchr(quote, rest).map_or(rest.len(), |at| at + 1);
            self.text[self.text_len..self.text_len + length].copy_from_slice(&rest[..length]);
            self.text_len += length;
            rest = rest.get(length + 1..).unwrap_or_default();
        }
        self.spans.push(Span::Text(start..self.text_len));
    }

    /// Takes the cells that csv-core wrote.
    pub(super) fn take_written(&mut self) {
        let mut start = 0;
        self.spans.clear();
        for end in &self.ends[..self.ends_len] {
            self.spans.push(Span::Text(start..*end));
            start = *end;
        }
    }

    /// Makes room for what `input` bytes can become.
    pub(super) fn make_room(&mut self, input: usize) {
        let needed = self.text_len + input + 1;
        if self.text.len() < needed {
            self.text.resize(needed, 0);
        }
        if self.ends_len == MAX_CELLS {
            self.ends_len -= 1;
        } else if self.ends_len == self.ends.len() {
            self.ends.resize(self.ends.len() * 2, 0);
        }
    }
}
