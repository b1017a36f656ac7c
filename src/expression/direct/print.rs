//! Prints a value as jaq prints it: compact, strings with as few escapes as JSON allows, numbers with their digits.

use std::fmt::Write;

use super::piece::{Piece, read_text};
use super::scan::plain_length;

impl Piece<'_> {
    /// Adds the value to `out`; none where a text cannot be read after all.
    pub(super) fn print(&self, out: &mut String) -> Option<()> {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(number) => write!(out, "{number}").ok()?,
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => print_text(text, out),
            Self::Span(text) | Self::Record(text, _) => print_span(text, out)?,
            Self::List(list) => {
                out.push('[');
                for (index, element) in list.iter().enumerate() {
                    separate(index, out);
                    element.print(out)?;
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    separate(index, out);
                    print_text(key, out);
                    out.push(':');
                    value.print(out)?;
                }
                out.push('}');
            }
        }
        Some(())
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn print_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_length(rest.as_bytes()));
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            None => break,
            Some(special) => print_special(special, out),
        }
        rest = chars.as_str();
    }
    out.push('"');
}

fn print_special(special: char, out: &mut String) {
    match special {
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        other => {
            let _ = write!(out, "\\u{:04x}", u32::from(other));
        }
    }
}

/// Prints an object or a list that was looked over: without white space, strings and numbers as jaq has them.
fn print_span(text: &str, out: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(byte) = rest.bytes().next() {
        let end = match byte {
            b'"' => end_of_string(rest)?,
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
            _ => rest.find([',', '}', ']', ' ', '\t', '\n', '\r'])?,
        };
        let (token, after) = rest.split_at_checked(end)?;
        match byte {
            b'"' if plain_length(&token.as_bytes()[1..]) + 2 == end => out.push_str(token),
            b'"' => print_text(&read_text(token)?, out),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'-' if token == "-0" => out.push('0'),
            _ => out.push_str(token),
        }
        rest = after;
    }
    Some(())
}

fn end_of_string(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        at += plain_length(bytes.get(at..)?);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
