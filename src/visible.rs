//! Text from elsewhere, made fit for a terminal and a log: what would steer it, or hide and reorder what it shows, is
//! written out.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with its control characters, and those that change the direction of writing, written as JSON writes them. Line
/// breaks and tabs stay.
///
/// ```
/// use outpour::visible::visible;
/// assert_eq!(visible("a\u{1b}[2Jb\n\u{202e}c"), "a\\u001b[2Jb\n\\u202ec");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    write_out(text, |character| {
        is_steering(character) && !matches!(character, '\n' | '\t')
    })
}

/// The same for what stands within a line: its line breaks and tabs are written out as well, so that it cannot pretend to
/// be a line of its own.
///
/// ```
/// use outpour::visible::in_line;
/// assert_eq!(in_line("a\nerror: b"), "a\\nerror: b");
/// ```
pub fn in_line(text: &str) -> Cow<'_, str> {
    write_out(text, is_steering)
}

fn write_out(text: &str, is_meant: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            character if !is_meant(character) => shown.push(character),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            // Writing to a string cannot fail.
            other => drop(write!(shown, "\\u{:04x}", u32::from(other))),
        }
    }
    Cow::Owned(shown)
}

/// Control characters, line and paragraph separators, and what Unicode has for the direction of writing.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}
