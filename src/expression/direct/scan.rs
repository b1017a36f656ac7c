//! A record's text, looked over once: that it is JSON, where its members stand, and that no key stands twice.
//!
//! What is unusual is not an error here: the answer is none, and whoever asked goes the long way, which says what is wrong.

use super::super::MAX_NUMBER;

/// The longest text that is looked over.
pub(super) const MAX_TEXT: usize = 16 << 10;

/// The deepest nesting that is looked over.
const MAX_LEVELS: u8 = 32;

/// Up to so many keys are compared each with each; more are sorted.
const FEW_KEYS: usize = 16;

/// A key, without its quotes, and its value as written.
pub(super) type Member<'a> = (&'a str, &'a str);

/// The members of an object that nests nothing unusual.
pub(super) fn members_of(text: &str) -> Option<Vec<Member<'_>>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut scan = Scan::new(text);
    let mut members = Vec::with_capacity(16);
    scan.skip_space();
    scan.object(0, |key, value| members.push((key, value)))?;
    scan.skip_space();
    (scan.at == text.len() && !has_twins(&mut members.iter().map(|member| member.0))).then_some(members)
}

/// The elements of a list that was looked over before.
pub(super) fn elements_of(text: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::new();
    Scan::new(text).list(0, |element| elements.push(element))?;
    Some(elements)
}

/// How many of the first bytes of a string's inside stand for themselves, and are printed as themselves.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        match first_special(u64::from_le_bytes(*chunk)) {
            8 => at += 8,
            found => return at + found,
        }
    }
    let rest = bytes[at..].iter();
    at + rest.take_while(|byte| !is_special(**byte)).count()
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1F | b'"' | b'\\' | 0x7F)
}

/// The place of the first special byte of eight, the lowest first; 8 where there is none.
/// After "Determine if a word has a byte less than n" in Bit Twiddling Hacks: a borrow may only mark bytes above a true find.
fn first_special(word: u64) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let is_zero = |word: u64| word.wrapping_sub(LOW) & !word;
    let is = |byte: u8| is_zero(word ^ (LOW * u64::from(byte)));
    let is_control = word.wrapping_sub(LOW * 0x20) & !word;
    let found = (is_control | is(b'"') | is(b'\\') | is(0x7F)) & HIGH;
    found.trailing_zeros() as usize / 8
}

fn has_twins<'a>(keys: &mut (impl ExactSizeIterator<Item = &'a str> + Clone)) -> bool {
    if keys.len() > FEW_KEYS {
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        return keys.windows(2).any(|pair| pair[0] == pair[1]);
    }
    while let Some(key) = keys.next() {
        if keys.clone().any(|other| other == key) {
            return true;
        }
    }
    false
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn object(&mut self, level: u8, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
        self.take(b'{')?;
        self.skip_space();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.skip_space();
            let key = self.key()?;
            self.skip_space();
            self.take(b':')?;
            self.skip_space();
            each(key, self.value(level)?);
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    fn list(&mut self, level: u8, mut each: impl FnMut(&'a str)) -> Option<()> {
        self.take(b'[')?;
        self.skip_space();
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.skip_space();
            each(self.value(level)?);
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b']'),
            }
        }
    }

    /// A key whose bytes stand for themselves.
    fn key(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let from = self.at;
        self.at += plain_length(&self.text.as_bytes()[from..]);
        let key = self.text.get(from..self.at);
        self.take(b'"')?;
        key
    }

    fn value(&mut self, level: u8) -> Option<&'a str> {
        let from = self.at;
        match self.peek()? {
            b'"' => self.string()?,
            b'{' if level < MAX_LEVELS => self.nested_object(level + 1)?,
            b'[' if level < MAX_LEVELS => self.list(level + 1, |_| {})?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => self.number()?,
        }
        self.text.get(from..self.at)
    }

    fn nested_object(&mut self, level: u8) -> Option<()> {
        let mut keys = Vec::new();
        self.object(level, |key, _| keys.push(key))?;
        (!has_twins(&mut keys.into_iter())).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let from = self.at;
        let mut is_escaped = false;
        self.at += 1;
        loop {
            self.at += plain_length(bytes.get(self.at..)?);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.at += 2;
                }
                0x7F => self.at += 1,
                _ => return None,
            }
        }
        self.at += 1;
        let string = self.text.get(from..self.at)?;
        // An escape may be none, or half a surrogate pair.
        let is_sound = !is_escaped || serde_json::from_str::<String>(string).is_ok();
        is_sound.then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        rest.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// RFC 8259, section 6.
    fn number(&mut self) -> Option<()> {
        let from = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        (self.at - from <= MAX_NUMBER).then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}
