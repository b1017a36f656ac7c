//! URLs with placeholders: every value percent-encoded for its place, host and scheme always the configuration's.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

use super::placeholder::{self, FillError, Parameters, Part, PlaceholderError};
use crate::record::Fields;

/// Everything but the unreserved characters of RFC 3986 is encoded, in a path as in a query.
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const PLACE: &str = "the URL";

/// A URL whose path and query may hold fields of the record.
#[derive(Debug, Clone)]
pub(super) struct UrlTemplate {
    form: Form,
    /// For each piece of the query whether its value stands in the configuration, where it may be a key.
    is_literal: Vec<bool>,
}

#[derive(Debug, Clone)]
enum Form {
    /// It is the same for every record.
    Fixed(Arc<Url>),
    /// It differs by record.
    Varying(Vec<Part>),
}

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A placeholder is wrong.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    /// It is not a URL.
    #[error("`{text}` is not a URL: {reason}")]
    Invalid {
        /// The text.
        text: String,
        /// What the parser says.
        reason: String,
    },
    /// It is neither https nor http.
    #[error("the scheme `{0}` is not supported, write `https://`")]
    Scheme(String),
    /// It is plain http to another machine.
    #[error(
        "plain http to `{0}` would send credentials and records unencrypted; write `https://`, or set `allow_http: true`"
    )]
    PlainHttp(String),
    /// A record would decide where the request goes.
    #[error("scheme and host must be literal, a record may fill path and query only")]
    RecordInHost,
    /// It carries a user name or password.
    #[error("a user name or password in a URL is refused, use `auth:`")]
    Userinfo,
    /// It has a fragment, which is never sent.
    #[error("a URL for requests has no `#`")]
    Fragment,
    /// A URL parser would change the text, so the request would go elsewhere than it reads.
    #[error("`{text}` would be sent as `{sent}`; write it so")]
    Changed {
        /// The text.
        text: String,
        /// What a parser makes of it.
        sent: String,
    },
}

impl UrlTemplate {
    /// Makes a URL ready. Plain http is for loopback alone unless `allow_http`.
    pub(super) fn compile(text: &str, parameters: &Parameters, allow_http: bool) -> Result<Self, UrlError> {
        if text.contains('#') {
            return Err(UrlError::Fragment);
        }
        let encode = |before: &str, value: &str| match is_past_host(before) {
            true => utf8_percent_encode(value, ENCODED).to_string(),
            false => value.to_owned(),
        };
        let parts = placeholder::parse(text, parameters, encode)?;
        if let Some(Part::Literal(head)) = parts.first()
            && (is_past_host(head) || parts.len() == 1)
        {
            let sample = parts.iter().map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Field(_) => "x",
            });
            let url = check(&sample.collect::<String>(), allow_http)?;
            let form = if parts.len() == 1 {
                Form::Fixed(Arc::new(url))
            } else {
                Form::Varying(parts)
            };
            let pieces = text.split_once('?').map(|(_, query)| query.split('&'));
            let is_literal = pieces
                .into_iter()
                .flatten()
                .map(|piece| {
                    !piece
                        .split_once('=')
                        .map_or(piece, |(_, value)| value)
                        .contains('{')
                })
                .collect();
            return Ok(Self { form, is_literal });
        }
        Err(UrlError::RecordInHost)
    }

    /// The URL for one record; none where it is the same for all.
    pub(super) fn render(&self, fields: &Fields<'_>) -> Result<Option<Url>, FillError> {
        let Form::Varying(parts) = &self.form else {
            return Ok(None);
        };
        let mut text = String::with_capacity(96);
        let mut last_field = "";
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(field) => {
                    last_field = field;
                    let value = placeholder::fill(fields, field, PLACE)?;
                    if let Some(reason) = unfit(&value, text.contains('?')) {
                        return Err(FillError::Unfit {
                            place: PLACE,
                            field: field.clone(),
                            reason,
                        });
                    }
                    text.extend(utf8_percent_encode(&value, ENCODED));
                }
            }
        }
        // `.` and `..` need no encoding and yet fold a path, so the parser must leave the text as it is.
        match Url::parse(&text) {
            Ok(url) if url.as_str() == text && !url.path().split('/').any(climbs) => Ok(Some(url)),
            _ => Err(FillError::Unfit {
                place: PLACE,
                field: last_field.to_owned(),
                reason: "it would change the path",
            }),
        }
    }

    /// The URL without its record: what a report may show. Fields stand as their placeholders.
    pub(super) fn shown(&self) -> String {
        let text = match &self.form {
            Form::Fixed(url) => url.as_str().to_owned(),
            Form::Varying(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.clone(),
                    Part::Field(field) => format!("{{record.{field}}}"),
                })
                .collect(),
        };
        text.split('?').next().unwrap_or_default().to_owned()
    }

    /// The URL if it is the same for every record.
    pub(super) fn fixed(&self) -> Option<&Arc<Url>> {
        match &self.form {
            Form::Fixed(url) => Some(url),
            Form::Varying(_) => None,
        }
    }

    /// A URL of this template as a person may see it: what the query's values are where they come from parameters and
    /// records, and `***` where they stand in the configuration's URL itself. What records add behind them is shown.
    pub(super) fn masked(&self, url: &Url, has_more: bool) -> String {
        let Some((before, query)) = url.as_str().split_once('?') else {
            return url.to_string();
        };
        let pieces: Vec<&str> = query.split('&').collect();
        let own = self.is_literal.len();
        if pieces.len() < own || (pieces.len() > own && !has_more) {
            return format!("{before}?***");
        }
        let masked = pieces
            .iter()
            .zip(self.is_literal.iter().chain(std::iter::repeat(&false)))
            .map(|(piece, is_literal)| match piece.split_once('=') {
                Some((name, _)) if *is_literal => format!("{name}=***"),
                None if *is_literal && !piece.is_empty() => "***".to_owned(),
                _ => (*piece).to_owned(),
            });
        format!("{before}?{}", masked.collect::<Vec<_>>().join("&"))
    }
}

/// The URL that a text with placeholders of parameters stands for; one with a field of a record stands for none.
pub fn fixed_url(text: &str, parameters: &Parameters, allow_http: bool) -> Result<Url, UrlError> {
    match UrlTemplate::compile(text, parameters, allow_http)?.form {
        Form::Fixed(url) => Ok(Arc::unwrap_or_clone(url)),
        Form::Varying(_) => Err(UrlError::RecordInHost),
    }
}

/// Checks the URL of something that requests go to, as it stands: https, or http to this machine; no user name, no
/// fragment, nothing that a parser would change.
pub fn check_url(text: &str, allow_http: bool) -> Result<Url, UrlError> {
    match text.contains('#') {
        true => Err(UrlError::Fragment),
        false => check(text, allow_http),
    }
}

/// Why a value cannot stand in a URL. Parsers drop some control characters; servers behind servers may decode a path once
/// more and then fold it.
fn unfit(value: &str, is_in_query: bool) -> Option<&'static str> {
    if has_control(value) {
        return Some("it has control characters");
    }
    (!is_in_query && climbs(value)).then_some("it would change the path")
}

pub(super) fn has_control(text: &str) -> bool {
    text.contains(char::is_control)
}

/// Whether a part of a path is or holds a `.` or `..`, however it is percent-encoded. What is encoded more often than
/// anyone decodes counts as well.
fn climbs(part: &str) -> bool {
    const MOST_OFTEN: usize = 8;
    let mut part = Cow::Borrowed(part);
    for _ in 0..MOST_OFTEN {
        if part
            .split(['/', '\\'])
            .any(|segment| segment == "." || segment == "..")
        {
            return true;
        }
        let decoded = percent_decode_str(&part).decode_utf8_lossy().into_owned();
        if decoded == *part {
            return false;
        }
        part = Cow::Owned(decoded);
    }
    true
}

/// A query may hold a secret, so no message shows it.
fn without_query(text: &str) -> String {
    text.split('?').next().unwrap_or_default().to_owned()
}

/// Whether the text of a URL reaches beyond its host.
fn is_past_host(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(_, rest)| rest.contains(['/', '?']))
}

fn check(text: &str, allow_http: bool) -> Result<Url, UrlError> {
    let url = Url::parse(text).map_err(|error| UrlError::Invalid {
        text: without_query(text),
        reason: error.to_string(),
    })?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http || is_loopback(&url) => {}
        "http" => return Err(UrlError::PlainHttp(url.host_str().unwrap_or_default().to_owned())),
        other => return Err(UrlError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Userinfo);
    }
    let is_same = url.as_str() == text || url.as_str().trim_end_matches('/') == text;
    if is_same {
        Ok(url)
    } else {
        Err(UrlError::Changed {
            text: without_query(text),
            sent: without_query(url.as_str()),
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, record: &str) -> Result<String, String> {
        let template =
            UrlTemplate::compile(template, &Parameters::new(), false).map_err(|error| error.to_string())?;
        let url = template
            .render(&Fields::parse(record).unwrap())
            .map_err(|error| error.to_string())?;
        Ok(url
            .or_else(|| template.fixed().map(|url| Url::clone(url)))
            .unwrap()
            .to_string())
    }

    #[test]
    fn fields_are_percent_encoded_for_path_and_query() {
        let url = render(
            "https://a.example/u/{record.id}?q={record.q}",
            r#"{"id":"a/b?c#d","q":"x&y=z é"}"#,
        );
        assert_eq!(
            url.unwrap(),
            "https://a.example/u/a%2Fb%3Fc%23d?q=x%26y%3Dz%20%C3%A9"
        );
    }

    #[test]
    fn a_dot_segment_is_a_reject() {
        for value in [
            ".",
            "..",
            "%2e",
            "%2E%2e",
            "%252e%252e",
            "../admin",
            "..%2fadmin",
            "a\\\\..\\\\b",
        ] {
            let error = render(
                "https://a.example/u/{record.id}/x",
                &format!(r#"{{"id":"{value}"}}"#),
            )
            .unwrap_err();
            assert_eq!(
                error,
                "the URL cannot hold the value of `id`: it would change the path"
            );
        }
        let query = render("https://a.example/u?q={record.id}", r#"{"id":".."}"#).unwrap();
        assert_eq!(query, "https://a.example/u?q=..");
    }

    #[test]
    fn a_control_character_is_a_reject() {
        for value in ["a\\u0000", "a\\r\\nb", "\\t", "\\u007f"] {
            let record = format!(r#"{{"id":"{value}"}}"#);
            let error = render("https://a.example/u/{record.id}", &record).unwrap_err();
            assert_eq!(
                error,
                "the URL cannot hold the value of `id`: it has control characters"
            );
        }
    }

    #[test]
    fn a_missing_null_or_empty_field_is_a_reject() {
        for record in ["{}", r#"{"id":null}"#, r#"{"id":""}"#] {
            let error = render("https://a.example/{record.id}", record).unwrap_err();
            assert_eq!(error, "the URL needs `id`, which the record lacks");
        }
    }

    #[test]
    fn host_and_scheme_never_come_from_a_record() {
        for template in [
            "https://{record.host}/x",
            "{record.url}",
            "https://a{record.x}/",
            "https://a.example:{record.p}/",
        ] {
            assert_eq!(
                render(template, "{}").unwrap_err(),
                UrlError::RecordInHost.to_string(),
                "{template}"
            );
        }
    }

    #[test]
    fn what_a_parser_would_change_or_hide_is_refused() {
        for template in [
            "ftp://a.example/",
            "https://user:pw@a.example/",
            "https://a.example/x#y",
            "http://a.example/",
            "https://a.example/a/../b",
            "https://0x7f.1/",
            "https:\\\\a.example/x",
            "https://a.example/a\tb",
        ] {
            assert!(render(template, "{}").is_err(), "{template}");
        }
        assert!(render("http://127.0.0.1:8080/x", "{}").is_ok());
        assert!(render("http://[::1]:8080/x", "{}").is_ok());
    }

    proptest! {
        #[test]
        fn hostile_values_change_neither_host_nor_path(value in "\\PC{1,20}|[./\\\\%?#@:\t\n]{1,8}") {
            let record = serde_json::json!({ "id": value }).to_string();
            if let Ok(text) = render("https://a.example/u/{record.id}/end?k={record.id}", &record) {
                let url = Url::parse(&text).unwrap();
                prop_assert_eq!(url.host_str(), Some("a.example"));
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 3);
                prop_assert_eq!((segments[0], segments[2]), ("u", "end"));
                let decoded = percent_encoding::percent_decode_str(segments[1]).decode_utf8().unwrap().into_owned();
                prop_assert_eq!(&decoded, &value);
                prop_assert_eq!(url.query_pairs().count(), 1);
            }
        }
    }
}
