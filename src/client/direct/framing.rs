//! Where the body of a reply ends (RFC 9112, 6.3 and 7.1), and which of the bytes that come belong to it.

/// How the end of a body is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes of it are to come.
    Length(u64),
    /// Each piece says its length before it.
    Chunked(Chunks),
    /// All that comes belongs to it until the connection is closed.
    Close,
}

/// Where in a chunked body the next byte stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunks {
    /// At the length of a piece.
    Size,
    /// In a piece of which so many bytes are to come.
    Data(u64),
    /// Behind a piece.
    Line,
    /// In the trailers, of which so many bytes have come.
    Trailers(usize),
    /// Behind all of it.
    Done,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes of the body.
    Data(usize),
    /// So many bytes that are none of it.
    Skip(usize),
    /// More has to come before that can be said.
    More,
    /// Nothing: this is the end.
    End,
    /// It is not as it should be.
    Broken,
}

/// How long the line may be that says how long a piece is, extensions included.
const MOST_SIZE_LINE: usize = 4 << 10;

/// How long all trailers may be.
const MOST_TRAILERS: usize = 16 << 10;

impl Framing {
    /// What stands at the start of these bytes, which the caller takes away then as far as they are data or to be skipped.
    pub(super) fn next(&mut self, input: &[u8]) -> Step {
        match self {
            Self::Length(0) => Step::End,
            Self::Length(left) => data(left, input),
            Self::Chunked(chunks) => chunks.next(input),
            Self::Close if input.is_empty() => Step::More,
            Self::Close => Step::Data(input.len()),
        }
    }
}

impl Chunks {
    fn next(&mut self, input: &[u8]) -> Step {
        match self {
            Self::Size => self.size(input),
            Self::Data(0) => {
                *self = Self::Line;
                self.next(input)
            }
            Self::Data(left) => data(left, input),
            Self::Line => self.line(input),
            Self::Trailers(before) => {
                let before = *before;
                self.trailers(before, input)
            }
            Self::Done => Step::End,
        }
    }

    fn size(&mut self, input: &[u8]) -> Step {
        // A line without a digit is no length of 0.
        if input.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Step::Broken;
        }
        match httparse::parse_chunk_size(input) {
            Ok(httparse::Status::Complete((used, size))) => {
                *self = match size {
                    0 => Self::Trailers(0),
                    size => Self::Data(size),
                };
                Step::Skip(used)
            }
            Ok(httparse::Status::Partial) if input.len() < MOST_SIZE_LINE => Step::More,
            _ => Step::Broken,
        }
    }

    fn line(&mut self, input: &[u8]) -> Step {
        match input {
            [b'\r', b'\n', ..] => {
                *self = Self::Size;
                Step::Skip(2)
            }
            [] | [b'\r'] => Step::More,
            _ => Step::Broken,
        }
    }

    /// Trailers are passed over: no part of them is asked for.
    fn trailers(&mut self, before: usize, input: &[u8]) -> Step {
        let Some(end) = memchr::memchr(b'\n', input) else {
            return match before + input.len() > MOST_TRAILERS {
                true => Step::Broken,
                false => Step::More,
            };
        };
        let line = end + 1;
        if end == 0 || input[end - 1] != b'\r' || before + line > MOST_TRAILERS {
            return Step::Broken;
        }
        *self = match line {
            2 => Self::Done,
            line => Self::Trailers(before + line),
        };
        Step::Skip(line)
    }
}

/// As much of what is left as there is.
fn data(left: &mut u64, input: &[u8]) -> Step {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    if count == 0 {
        return Step::More;
    }
    *left -= count as u64;
    Step::Data(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, how it ended, and what was not looked at, where the bytes come in pieces of this size.
    fn read(mut framing: Framing, bytes: &[u8], size: usize) -> (Vec<u8>, Step, usize) {
        let (mut body, mut input, mut pieces) = (Vec::new(), Vec::new(), bytes.chunks(size));
        loop {
            match framing.next(&input) {
                Step::Data(count) => body.extend(input.drain(..count)),
                Step::Skip(count) => drop(input.drain(..count)),
                Step::More => match pieces.next() {
                    Some(piece) => input.extend(piece),
                    None => return (body, Step::More, input.len()),
                },
                ended => return (body, ended, input.len() + pieces.map(<[u8]>::len).sum::<usize>()),
            }
        }
    }

    fn chunked(text: &str) -> Vec<(String, Step, usize)> {
        let pieces = [1, 2, 3, 7, 100_000].into_iter();
        let all = pieces.map(|size| read(Framing::Chunked(Chunks::Size), text.as_bytes(), size));
        let mut all: Vec<_> = all
            .map(|(body, end, left)| (String::from_utf8(body).unwrap(), end, left))
            .collect();
        all.dedup();
        all
    }

    #[test]
    fn a_body_with_a_length_ends_there_and_leaves_the_rest() {
        for size in [1, 4, 100] {
            assert_eq!(
                read(Framing::Length(5), b"hello, you", size),
                (b"hello".to_vec(), Step::End, 5)
            );
        }
        assert_eq!(read(Framing::Length(0), b"x", 1), (Vec::new(), Step::End, 1));
        assert_eq!(
            read(Framing::Length(6), b"hello", 2),
            (b"hello".to_vec(), Step::More, 0)
        );
    }

    #[test]
    fn without_a_length_everything_belongs_to_it() {
        assert_eq!(
            read(Framing::Close, b"hello", 2),
            (b"hello".to_vec(), Step::More, 0)
        );
    }

    #[test]
    fn pieces_are_put_together_wherever_they_are_cut() {
        let text = "5\r\nhello\r\nA;name=\"v\"\r\n0123456789\r\n0000\r\n\r\nrest";
        assert_eq!(chunked(text), [("hello0123456789".to_owned(), Step::End, 4)]);
        let trailers = "1 \r\na\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n";
        assert_eq!(chunked(trailers), [("a".to_owned(), Step::End, 0)]);
    }

    #[test]
    fn what_is_cut_waits_for_more() {
        for text in [
            "",
            "5",
            "5\r\nhel",
            "5\r\nhello",
            "5\r\nhello\r",
            "5\r\nhello\r\n0\r\n",
            "0\r\nx-a: 1\r\n\r",
        ] {
            let read = chunked(text);
            assert!(
                read.iter().all(|(_, end, _)| *end == Step::More),
                "{text:?} {read:?}"
            );
        }
    }

    #[test]
    fn what_is_no_chunk_is_broken() {
        for text in [
            "zzz\r\n",
            "\r\n",
            "5\r\nhelloX",
            "5\r\nhello\rX",
            "10000000000000000\r\n",
            "5 5\r\n",
            "-1\r\n",
            "0\r\n\n",
            "0\r\nx: 1\n\r\n",
        ] {
            let read = chunked(text);
            assert!(
                read.iter().all(|(_, end, _)| *end == Step::Broken),
                "{text:?} {read:?}"
            );
        }
    }

    #[test]
    fn neither_the_line_of_a_length_nor_trailers_go_on_for_ever() {
        let line = format!("5;{}", "x".repeat(MOST_SIZE_LINE));
        let trailers = format!("0\r\n{}", "x-a: 1\r\n".repeat(MOST_TRAILERS / 8 + 1));
        let trailer = format!("0\r\nx-a: {}", "1".repeat(MOST_TRAILERS));
        for text in [line, trailers, trailer] {
            assert_eq!(
                read(Framing::Chunked(Chunks::Size), text.as_bytes(), 1_000).1,
                Step::Broken
            );
        }
    }
}
