//! Headers with placeholders, and the headers that no configuration may set.

use http::{HeaderName, HeaderValue};

use super::placeholder::{self, FillError, Parameters, Part, PlaceholderError};
use crate::record::Fields;

const PLACE: &str = "a header";

/// Headers that the transport sets, or that belong to one connection (RFC 9110, 7.6.1).
const RESERVED: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
    "expect",
];

/// A header whose value may hold fields of the record. Its name never comes from a record.
#[derive(Debug, Clone)]
pub(super) struct HeaderTemplate {
    pub(super) name: HeaderName,
    parts: Vec<Part>,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A placeholder is wrong.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    /// The name is not a header's name.
    #[error("`{0}` is not a header name")]
    Name(String),
    /// The value has characters that no header may hold.
    #[error("the value of `{0}` has characters that a header cannot hold")]
    Value(String),
    /// The header is not the configuration's to set.
    #[error("`{0}` is set by outpour itself")]
    Reserved(String),
    /// The header decides whether a server takes two requests for one, which no record may.
    #[error("`{0}` cannot come from a record")]
    NotFromRecord(String),
    /// The header is the credential's.
    #[error("`{0}` is set from the credential, leave it out of `headers`")]
    Credential(String),
    /// The content type has its own key.
    #[error("`content-type` is set by `content_type`, leave it out of `headers`")]
    ContentType,
    /// A piece of the text form is not `name:value`.
    #[error("`{0}` is not `header1:value1,header2:value2`")]
    Text(String),
}

impl HeaderTemplate {
    /// Makes a header ready. `taken` are the names that credentials set.
    pub(super) fn compile(
        name: &str,
        value: &str,
        parameters: &Parameters,
        taken: &[HeaderName],
    ) -> Result<Self, HeaderError> {
        let name = check_name(name, taken)?;
        let parts = placeholder::parse(value, parameters, |_, value| value.to_owned())?;
        for part in &parts {
            if let Part::Literal(text) = part {
                HeaderValue::from_str(text).map_err(|_| HeaderError::Value(name.to_string()))?;
            }
        }
        let header = Self { name, parts };
        match header.is_varying() && header.name == "idempotency-key" {
            true => Err(HeaderError::NotFromRecord(header.name.to_string())),
            false => Ok(header),
        }
    }

    /// Whether the value differs by record.
    pub(super) fn is_varying(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Field(_)))
    }

    /// The value for one record. A record's text is limited to visible ASCII, which no header can be broken with.
    pub(super) fn render(&self, fields: &Fields<'_>) -> Result<HeaderValue, FillError> {
        let mut text = String::new();
        let mut last = "";
        let unfit = |field: &str, reason| FillError::Unfit {
            place: PLACE,
            field: field.to_owned(),
            reason,
        };
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(field) => {
                    last = field;
                    let value = placeholder::fill(fields, field, PLACE)?;
                    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                        return Err(unfit(field, "it has characters other than visible ASCII"));
                    }
                    text.push_str(&value);
                }
            }
        }
        HeaderValue::from_str(&text).map_err(|_| unfit(last, "no header can hold it"))
    }
}

/// Checks that a configuration may set a header of this name.
pub(super) fn check_name(name: &str, taken: &[HeaderName]) -> Result<HeaderName, HeaderError> {
    let parsed: HeaderName = name
        .trim()
        .parse()
        .map_err(|_| HeaderError::Name(name.to_owned()))?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(HeaderError::Reserved(parsed.to_string()));
    }
    if parsed == http::header::CONTENT_TYPE {
        return Err(HeaderError::ContentType);
    }
    if taken.contains(&parsed) {
        return Err(HeaderError::Credential(name.trim().to_owned()));
    }
    Ok(parsed)
}

/// Reads the text form `header1:value1,header2:value2`. A comma inside a value is kept: what follows it and has no
/// colon, such as the second type in `Accept:text/html,text/plain`, belongs to the value before.
pub(super) fn parse_text(text: &str) -> Result<Vec<(String, String)>, HeaderError> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for piece in text.split(',').filter(|piece| !piece.trim().is_empty()) {
        match (piece.split_once(':'), headers.last_mut()) {
            (Some((name, value)), _) if name.trim().parse::<HeaderName>().is_ok() => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (_, None) => return Err(HeaderError::Text(text.to_owned())),
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(name: &str, value: &str) -> Result<HeaderTemplate, HeaderError> {
        let taken = [HeaderName::from_static("x-encharge-token")];
        HeaderTemplate::compile(name, value, &Parameters::new(), &taken)
    }

    #[test]
    fn the_seeds_text_form_is_read_with_commas_inside_values() {
        let headers = parse_text("header1:value1, Accept:text/html,text/plain,X-Time:10:30").unwrap();
        let pairs: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("header1", "value1"),
                ("Accept", "text/html,text/plain"),
                ("X-Time", "10:30")
            ]
        );
        assert!(parse_text("nonsense").is_err());
    }

    #[test]
    fn reserved_and_credential_headers_are_refused() {
        assert_eq!(
            compile("Host", "x").unwrap_err(),
            HeaderError::Reserved("host".into())
        );
        let taken = compile("X-Encharge-Token", "x").unwrap_err();
        assert_eq!(
            taken.to_string(),
            "`X-Encharge-Token` is set from the credential, leave it out of `headers`"
        );
        assert_eq!(
            compile("Content-Type", "x").unwrap_err(),
            HeaderError::ContentType
        );
    }

    #[test]
    fn a_record_cannot_break_a_header() {
        let header = compile("X-Id", "id-{record.id}").unwrap();
        let render = |record: &str| header.render(&Fields::parse(record).unwrap());
        assert_eq!(render(r#"{"id":"a b"}"#).unwrap(), "id-a b");
        for hostile in [
            r#"{"id":"a\r\nX-Evil: 1"}"#,
            r#"{"id":"é"}"#,
            r#"{"id":"\t"}"#,
            r#"{"id":"\u0000"}"#,
        ] {
            assert!(
                matches!(render(hostile), Err(FillError::Unfit { .. })),
                "{hostile}"
            );
        }
        assert!(compile("X-Id", "a\nb").is_err());
    }
}
