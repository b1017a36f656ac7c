//! Where the members of a record's text stand: found once, and asked by every stage that follows.

use bytes::Bytes;

use super::fields::is_named;
use super::{Field, FieldError, Fields, readable, scan};

/// The memory of so many members is kept for the next record.
const MANY: usize = 1_024;

/// The outline of one record's text after the other: where keys and values stand, kept in the same memory.
///
/// It knows its text by the place in memory, so that it can be handed on beside a record: a stage that changed the text leaves an
/// outline that is not the record's, or writes a new one, and the next stage [reads](Self::read) only what it must.
///
/// ```
/// use bytes::Bytes;
/// use outpour::record::Outline;
/// let text = Bytes::from_static(br#"{"email":"a@b.c", "in":{"n":1.10}}"#);
/// let mut outline = Outline::default();
/// outline.read(&text)?;
/// assert_eq!(outline.at("in.n")?, Some("1.10"));
/// assert!(outline.is_of(&text) && !outline.is_of(&Bytes::from_static(b"{}")));
/// # Ok::<(), outpour::record::FieldError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Outline {
    text: Bytes,
    spans: Vec<Span>,
    /// Whether a key may be written with escapes.
    may_escape: bool,
}

/// Where a member stands in its text: the bytes at which the key begins with its quote and ends behind the other one, and at
/// which the value begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where the key begins.
    pub key: usize,
    /// Where the key ends.
    pub key_end: usize,
    /// Where the value begins.
    pub value: usize,
    /// Where the value ends.
    pub value_end: usize,
}

impl Outline {
    /// Whether it is this text's.
    pub fn is_of(&self, text: &Bytes) -> bool {
        // The text is held, so that nothing else can stand in its place.
        !text.is_empty() && self.text.as_ptr() == text.as_ptr() && self.text.len() == text.len()
    }

    /// Finds the members of a record's text, unless it is this text's outline already. A text that is no UTF-8 has none.
    ///
    /// # Errors
    /// Fails as [`Fields::parse`] does, and is no text's outline then.
    pub fn read(&mut self, text: &Bytes) -> Result<(), FieldError> {
        if self.is_of(text) {
            return Ok(());
        }
        self.clear();
        let whole = readable(text);
        let spans = &mut self.spans;
        spans.reserve(16);
        if !scan::spans(whole, |places| spans.push(places.into())) {
            spans.clear();
            spans.extend(Fields::parse(whole)?.iter().map(|field| Span::of(whole, field)));
        }
        self.may_escape = memchr::memchr(b'\\', text).is_some();
        self.text = text.clone();
        Ok(())
    }

    /// Takes over the outline of a text that was just written, and leaves the memory of the old one in `spans`, empty.
    pub(crate) fn replace(&mut self, text: Bytes, spans: &mut Vec<Span>, may_escape: bool) {
        self.clear();
        std::mem::swap(&mut self.spans, spans);
        self.text = text;
        self.may_escape = may_escape;
    }

    /// Makes it no text's outline.
    pub fn clear(&mut self) {
        self.text = Bytes::new();
        self.spans.clear();
        self.spans.shrink_to(MANY);
        self.may_escape = false;
    }

    /// The text.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// The members, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether a backslash stands in the text, without which every key is written as it is.
    pub(crate) fn may_escape(&self) -> bool {
        self.may_escape
    }

    /// The one value of `key`; a key that stands there twice is an error, since which one counts is unknown.
    pub fn one(&self, key: &str) -> Result<Option<&str>, FieldError> {
        let mut found = None;
        for span in &self.spans {
            // Most keys differ in their length.
            let may_be = self.may_escape || span.key_end - span.key == key.len() + 2;
            if may_be && self.is_key(span, key) && found.replace(span).is_some() {
                return Err(FieldError::Duplicate(key.to_owned()));
            }
        }
        Ok(found.map(|span| self.part(span.value, span.value_end)))
    }

    /// The one value at a dotted path, as [`Fields::at`] finds it.
    pub fn at(&self, path: &str) -> Result<Option<&str>, FieldError> {
        if let Some(value) = self.one(path)? {
            return Ok(Some(value));
        }
        let Some((head, rest)) = path.split_once('.') else {
            return Ok(None);
        };
        match self.one(head)? {
            Some(inner) if inner.starts_with('{') => Fields::parse(inner)?.at(rest),
            _ => Ok(None),
        }
    }

    /// The members as texts.
    pub fn fields(&self) -> Fields<'_> {
        let field = |span: &Span| Field {
            raw_key: self.part(span.key, span.key_end),
            value: self.part(span.value, span.value_end),
        };
        self.spans.iter().map(field).collect()
    }

    fn is_key(&self, span: &Span, key: &str) -> bool {
        match self.may_escape {
            false => self.text.get(span.key + 1..span.key_end - 1) == Some(key.as_bytes()),
            true => is_named(self.part(span.key, span.key_end), key),
        }
    }

    /// A part of the text between borders of characters, as all spans are.
    fn part(&self, from: usize, to: usize) -> &str {
        let bytes = self.text.get(from..to).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl From<[usize; 4]> for Span {
    fn from([key, key_end, value, value_end]: [usize; 4]) -> Self {
        Self {
            key,
            key_end,
            value,
            value_end,
        }
    }
}

impl Span {
    /// Where a field of `text` stands in it.
    fn of(text: &str, field: &Field<'_>) -> Self {
        let place = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
        let (key, value) = (place(field.raw_key), place(field.value));
        [key, key + field.raw_key.len(), value, value + field.value.len()].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &'static str) -> Outline {
        let mut outline = Outline::default();
        outline.read(&Bytes::from_static(text.as_bytes())).unwrap();
        outline
    }

    #[test]
    fn an_outline_finds_what_fields_find() {
        for text in [
            r#"{ "a" : 1.10 ,"b":{"c":[ ] , "d.e":-0}, "b.c":null }"#,
            r#"{"\u0061":"x\\","é":"\"","n":"é"}"#,
            "{}",
        ] {
            let (outline, fields) = (outline(text), Fields::parse(text).unwrap());
            let both: Vec<_> = outline.fields().iter().copied().collect();
            assert_eq!(both, fields.iter().copied().collect::<Vec<_>>());
            for path in ["a", "b", "b.c", "b.d.e", "é", "n", "x", "\\u0061", "a.x"] {
                assert_eq!(
                    outline.at(path).unwrap(),
                    fields.at(path).unwrap(),
                    "{path} of {text}"
                );
            }
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_ambiguous_in_every_spelling() {
        for text in [r#"{"a":1,"b":2,"a":3}"#, r#"{"\u0061":1,"b":2,"a":3}"#] {
            assert!(matches!(outline(text).one("a"), Err(FieldError::Duplicate(key)) if key == "a"));
            assert_eq!(outline(text).one("b").unwrap(), Some("2"));
        }
    }

    #[test]
    fn what_is_no_object_leaves_the_outline_of_nothing() {
        let mut outline = outline(r#"{"a":1}"#);
        let text = Bytes::from_static(b"[1]");
        assert!(matches!(
            outline.read(&text),
            Err(FieldError::NotObject("a list"))
        ));
        assert!(!outline.is_of(&text) && outline.spans().is_empty());
        outline.read(&Bytes::from_static(b"\xff")).unwrap();
        assert!(outline.spans().is_empty());
    }

    #[test]
    fn what_nests_deeper_than_the_scanner_follows_has_an_outline_too() {
        let text = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(100), "]".repeat(100));
        let mut outline = Outline::default();
        outline.read(&Bytes::from(text)).unwrap();
        assert_eq!(outline.one("b").unwrap(), Some("1"));
    }
}
