//! The head of a reply: its status, its headers, where its body ends, and whether the connection outlives it.

use http::{Method, StatusCode};

use super::super::Headers;
use super::super::headers::parse_head;
use super::cause::Fault;
use super::framing::{Chunks, Framing};

/// What the head of a reply says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Headers,
    pub(super) framing: Framing,
    /// Whether the server would take another request on the connection.
    pub(super) keeps: bool,
}

/// What the headers say of the message, and nothing of its meaning.
struct Message {
    length: Length,
    coding: Coding,
    closes: bool,
    keeps: bool,
}

/// What `content-length` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    None,
    Told(u64),
    /// No number, or several.
    Unclear,
}

/// What `transfer-encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Chunked,
    Other,
}

impl Answer {
    /// Takes the head from the start of these bytes, with how long it is. None: it does not end yet. A reply that announces
    /// another one (1xx) has no answer.
    pub(super) fn take(input: &[u8], method: &Method) -> Result<Option<(usize, Option<Self>)>, Fault> {
        let taken = parse_head(input, |head, length| {
            let status = head.code.and_then(|code| StatusCode::from_u16(code).ok());
            let status = status.ok_or(Fault::Head(httparse::Error::Status))?;
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                return Ok((length, None));
            }
            let is_latest = head.version == Some(1);
            let message = Message::of(head.headers);
            let framing = message.framing(status, method, is_latest)?;
            let answer = Self {
                status,
                headers: Headers::unread(&input[..length]),
                keeps: message.keeps(status, is_latest) && framing != Framing::Close,
                framing,
            };
            Ok((length, Some(answer)))
        });
        taken.map_err(Fault::Head)?.transpose()
    }
}

impl Message {
    fn of(headers: &[httparse::Header<'_>]) -> Self {
        let mut message = Self {
            length: Length::None,
            coding: Coding::None,
            closes: false,
            keeps: false,
        };
        for header in headers {
            match header.name.len() {
                10 if header.name.eq_ignore_ascii_case("connection") => message.connection(header.value),
                14 if header.name.eq_ignore_ascii_case("content-length") => message.length(header.value),
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => message.coding(header.value),
                _ => {}
            }
        }
        message
    }

    fn connection(&mut self, value: &[u8]) {
        for option in items(value) {
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// The same length may be told more than once (RFC 9112, 6.3), and no other.
    fn length(&mut self, value: &[u8]) {
        for item in items(value) {
            let digits = !item.is_empty() && item.iter().all(u8::is_ascii_digit);
            let text = std::str::from_utf8(item).ok().filter(|_| digits);
            let told = text
                .and_then(|text| text.parse().ok())
                .map_or(Length::Unclear, Length::Told);
            self.length = match self.length {
                Length::None => told,
                before if before == told => told,
                _ => Length::Unclear,
            };
        }
    }

    /// The last coding counts, of the last header.
    fn coding(&mut self, value: &[u8]) {
        let is_chunked = items(value)
            .last()
            .is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        self.coding = match is_chunked {
            true => Coding::Chunked,
            false => Coding::Other,
        };
    }

    fn framing(&self, status: StatusCode, method: &Method, is_latest: bool) -> Result<Framing, Fault> {
        let has_none = matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        if has_none || method == Method::HEAD {
            return Ok(Framing::Length(0));
        }
        match (self.coding, self.length) {
            // HTTP/1.0 knows no codings, so the end of such a body is nowhere (RFC 9112, 6.1).
            (Coding::Chunked | Coding::Other, _) if !is_latest => Err(Fault::Length),
            (Coding::Chunked, _) => Ok(Framing::Chunked(Chunks::Size)),
            (Coding::Other, _) | (Coding::None, Length::None) => Ok(Framing::Close),
            (Coding::None, Length::Told(length)) => Ok(Framing::Length(length)),
            (Coding::None, Length::Unclear) => Err(Fault::Length),
        }
    }

    fn keeps(&self, status: StatusCode, is_latest: bool) -> bool {
        let is_other_protocol = status == StatusCode::SWITCHING_PROTOCOLS;
        // Who tells both a coding and a length, or of a body that there may not be, may mean another end than we do.
        let is_clear = match status {
            StatusCode::NO_CONTENT => {
                self.coding == Coding::None && matches!(self.length, Length::None | Length::Told(0))
            }
            _ => self.coding == Coding::None || self.length == Length::None,
        };
        !is_other_protocol && is_clear && !self.closes && (is_latest || self.keeps)
    }
}

/// The items of a list.
fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(head: &str) -> Result<Option<(usize, Option<Answer>)>, Fault> {
        Answer::take(head.as_bytes(), &Method::POST)
    }

    /// Status, framing, and whether the connection is kept, of a reply with these headers.
    fn read(line: &str, headers: &[&str]) -> Result<(u16, Framing, bool), Fault> {
        let lines = [&[line], headers, &["", ""]].concat();
        let head = lines.join("\r\n");
        let (length, answer) = take(&head)?.unwrap();
        assert_eq!(length, head.len());
        let answer = answer.unwrap();
        Ok((answer.status.as_u16(), answer.framing, answer.keeps))
    }

    const OK: &str = "HTTP/1.1 200 OK";
    const CHUNKED: Framing = Framing::Chunked(Chunks::Size);

    #[test]
    fn the_end_of_a_body_is_where_the_headers_say() {
        let cases: [(&[&str], Framing, bool); 7] = [
            (&["Content-Length: 5"], Framing::Length(5), true),
            (
                &["content-length: 5, 5", "content-length: 5"],
                Framing::Length(5),
                true,
            ),
            (&["transfer-encoding: Chunked"], CHUNKED, true),
            (
                &["transfer-encoding: gzip", "transfer-encoding: chunked"],
                CHUNKED,
                true,
            ),
            (&["transfer-encoding: chunked, gzip"], Framing::Close, false),
            (
                &["transfer-encoding: chunked", "content-length: 5"],
                CHUNKED,
                false,
            ),
            (&[], Framing::Close, false),
        ];
        for (headers, framing, keeps) in cases {
            assert_eq!(read(OK, headers).unwrap(), (200, framing, keeps), "{headers:?}");
        }
    }

    #[test]
    fn some_replies_have_no_body_whatever_their_headers_say() {
        for (line, header, keeps) in [
            ("HTTP/1.1 204 No Content", "content-length: 5", false),
            ("HTTP/1.1 204 No Content", "transfer-encoding: chunked", false),
            ("HTTP/1.1 204 No Content", "content-length: 0", true),
            ("HTTP/1.1 304 Not Modified", "content-length: 5", true),
        ] {
            let read = read(line, &[header]).unwrap();
            assert_eq!((read.1, read.2), (Framing::Length(0), keeps), "{line} {header}");
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        let (_, answer) = Answer::take(head.as_bytes(), &Method::HEAD).unwrap().unwrap();
        assert_eq!(answer.unwrap().framing, Framing::Length(0));
        assert_eq!(
            read("HTTP/1.1 101 Over", &[]).unwrap(),
            (101, Framing::Length(0), false)
        );
    }

    #[test]
    fn the_connection_is_kept_as_both_versions_have_it() {
        let old = "HTTP/1.0 200 OK";
        for (line, connection, keeps) in [
            (OK, "connection: close", false),
            (OK, "connection: keep-alive, Close", false),
            (OK, "connection: keep-alive", true),
            (OK, "x: y", true),
            (old, "connection: Keep-Alive", true),
            (old, "x: y", false),
        ] {
            let read = read(line, &["content-length: 0", connection]).unwrap();
            assert_eq!(read.2, keeps, "{line} {connection}");
        }
        let both = ["connection: close", "connection: keep-alive", "content-length: 0"];
        assert!(!read(OK, &both).unwrap().2);
    }

    #[test]
    fn a_head_that_contradicts_itself_or_is_none_is_refused() {
        let lengths = ["5, 6", "-5", "+5", "5x", "", "99999999999999999999"];
        for length in lengths {
            let header = format!("content-length: {length}");
            assert!(matches!(read(OK, &[&header]), Err(Fault::Length)), "{length}");
        }
        let two = ["content-length: 5", "content-length: 6"];
        assert!(matches!(read(OK, &two), Err(Fault::Length)));
        let old = read("HTTP/1.0 200 OK", &["transfer-encoding: chunked"]);
        assert!(matches!(old, Err(Fault::Length)));
        for head in [
            "SSH-2.0-OpenSSH_9.6\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        ] {
            assert!(matches!(take(head), Err(Fault::Head(_))), "{head}");
        }
        let many = "a: b\r\n".repeat(101);
        assert!(matches!(
            take(&format!("{OK}\r\n{many}\r\n")),
            Err(Fault::Head(_))
        ));
    }

    #[test]
    fn a_head_that_does_not_end_waits_for_more() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        for end in 0..head.len() {
            assert!(take(&head[..end]).unwrap().is_none(), "{end}");
        }
        assert_eq!(take(&format!("{head}hello")).unwrap().unwrap().0, head.len());
    }

    #[test]
    fn a_reply_that_announces_another_is_passed_over() {
        let (length, answer) = take("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1")
            .unwrap()
            .unwrap();
        assert!(length == 37 && answer.is_none(), "{length}");
    }
}
