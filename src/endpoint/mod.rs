//! The endpoint: a template, or a manual method and URL, with its parameters and credentials filled in.
//!
//! [`Endpoint::compile`] makes it ready and gives every problem at once; [`Endpoint::prepare`] turns one record into
//! its part of a request ([`Prepared`]), or says why it cannot be sent. An endpoint does no I/O and sends nothing.

mod checks;
mod compile;
mod credentials;
mod definitions;
mod destination;
mod given;
mod header;
mod operation;
mod placeholder;
mod prepared;
mod query;
mod refuse;
mod results;
mod routes;
mod sample;
mod success;
mod url;
mod verdict;

use std::borrow::Cow;
use std::sync::Arc;

use ::url::Url;
use bytes::Bytes;
use http::{HeaderName, Method};

use crate::batch::BodyShape;
use crate::client::{Headers, Reply};
use crate::expression::{Expression, ExpressionError, Value};
use crate::record::{EmptyStrings, Fields, Outline, Record, is_blank, key_of, text_of};
use crate::secret::Mask;
use crate::template::{BodyCompression, ContentType, Need};
use crate::units::ByteSize;

pub use compile::EndpointInput;
pub use credentials::{token_client, wanted_secrets};
pub use definitions::Definitions;
pub use destination::{AuthConfig, DestinationConfig, HeaderValueConfig, HeadersConfig};
pub use given::misfit;
pub use header::HeaderError;
pub use operation::{Operation, OperationConfig, OperationError};
pub use placeholder::{FillError, Parameters, PlaceholderError};
pub use prepared::{PrepareError, Prepared, Target};
pub use query::{MAX_URL, QueryError};
pub use routes::{Route, Routes};
pub use success::Success;
pub use url::{UrlError, check_url, fixed_url};
pub use verdict::{ItemVerdict, Refusal, Verdict};

use header::HeaderTemplate;
use query::Query;
use refuse::Refuse;
use url::UrlTemplate;

/// A compiled endpoint: ready to make requests.
#[derive(Debug)]
pub struct Endpoint {
    name: String,
    method: Method,
    url: UrlTemplate,
    /// Those that are the same for all requests, without a body and with one.
    fixed_headers: [Headers; 2],
    varying_headers: Vec<HeaderTemplate>,
    content_type: ContentType,
    body: Option<Expression>,
    body_shape: BodyShape,
    wrap: Option<Expression>,
    parameters: Value,
    empty: EmptyStrings,
    refuse: Option<Refuse>,
    query: Option<Query>,
    distinct: Vec<String>,
    needs: Vec<Requirement>,
    identifiers: Vec<String>,
    success: Arc<Success>,
    safe_to_resend: bool,
    idempotency: Option<HeaderName>,
    compression: BodyCompression,
    max_records: u32,
    most_records: Option<u32>,
    max_bytes: Option<ByteSize>,
    mask: Mask,
}

/// A need, and whether a parameter waives it.
#[derive(Debug)]
struct Requirement {
    need: Need,
    is_waived: bool,
}

/// What is made of a record.
struct Parts {
    piece: Bytes,
    target: Option<Arc<Target>>,
    lacks_need: bool,
    distinct: Option<u64>,
    query_bytes: usize,
}

impl Endpoint {
    /// The template's name, or `manual`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL as a report may show it: without query, with placeholders for fields.
    pub fn shown_url(&self) -> String {
        self.url.shown()
    }

    /// The URL of a request as a person may see it: `***` for what the configuration's URL has in its query, where it may be
    /// a key. What comes from parameters and records is shown.
    pub fn masked_url(&self, url: &Url) -> String {
        self.url.masked(url, self.query.is_some())
    }

    /// The fields that tell one record from another.
    pub fn identifiers(&self) -> &[String] {
        &self.identifiers
    }

    /// How a reply is judged.
    pub fn success(&self) -> &Arc<Success> {
        &self.success
    }

    /// Whether sending the same request twice does the same as sending it once.
    pub fn is_safe_to_resend(&self) -> bool {
        self.safe_to_resend
    }

    /// The header by which the API knows a request that it has seen before.
    pub fn idempotency(&self) -> Option<&HeaderName> {
        self.idempotency.as_ref()
    }

    /// Whether bodies go compressed, and compressed replies are asked for.
    pub fn speaks_gzip(&self) -> bool {
        self.compression == BodyCompression::Gzip
    }

    /// Records in one request unless the job says otherwise.
    pub fn default_max_records(&self) -> u32 {
        self.max_records
    }

    /// The most records that the API takes in one request, where a limit is known.
    pub fn most_records(&self) -> Option<u32> {
        self.most_records
    }

    /// The most bytes of a request's body unless the job says otherwise.
    pub fn max_bytes(&self) -> Option<ByteSize> {
        self.max_bytes
    }

    /// The form of a request's body.
    pub fn body_shape(&self) -> &BodyShape {
        &self.body_shape
    }

    /// The content type of requests.
    pub fn content_type(&self) -> ContentType {
        self.content_type
    }

    /// Takes the endpoint's secrets out of a reply that repeats them, so that no report can show them.
    pub fn mask(&self, reply: &mut Reply) {
        reply.mask(&self.mask);
    }

    pub(crate) fn fixed_url(&self) -> Option<&Arc<Url>> {
        self.url.fixed()
    }

    pub(crate) fn fixed_headers(&self, has_body: bool) -> &Headers {
        &self.fixed_headers[usize::from(has_body)]
    }

    /// The body of a list of records, where jq makes it.
    pub(crate) fn wrapped(&self, list: Value) -> Option<Result<Value, ExpressionError>> {
        let wrap = self.wrap.as_ref()?;
        Some(wrap.one_with(list, std::slice::from_ref(&self.parameters)))
    }

    /// The query of these records, where they have one.
    pub(crate) fn query(&self, batch: &[Prepared]) -> Option<Result<String, QueryError>> {
        let query = self.query.as_ref()?;
        let rendered = query.render(batch.iter().map(|item| item.record.as_str()));
        Some(rendered.map(|rendered| rendered.text))
    }

    /// The most bytes that the records of a request may add to its URL; none where they add nothing.
    pub fn query_room(&self) -> Option<usize> {
        // Of a URL that differs by record, this is about what is usual; what is longer is cut when it is rendered.
        const VARYING: usize = 2_048;
        self.query.as_ref()?;
        let own = self.url.fixed().map_or(VARYING, |url| url.as_str().len());
        Some(MAX_URL.saturating_sub(own))
    }

    /// Turns a record into its part of a request.
    pub fn prepare(&self, record: Record) -> Result<Prepared, Box<(Record, PrepareError)>> {
        self.prepare_outlined(record, &mut Outline::default())
    }

    /// Turns a record into its part of a request. Where `outline` is the record's, its text is not looked through again.
    pub fn prepare_outlined(
        &self,
        record: Record,
        outline: &mut Outline,
    ) -> Result<Prepared, Box<(Record, PrepareError)>> {
        let kept = match self.empty {
            EmptyStrings::Keep => Ok(Cow::Borrowed("")),
            choice => choice.apply(record.as_str()),
        };
        let record = match kept {
            Ok(Cow::Borrowed(_)) => record,
            Ok(Cow::Owned(text)) => Record {
                original: Some(record.original().clone()),
                text: Bytes::from(text),
                position: record.position,
            },
            Err(error) => return Err(Box::new((record, error.into()))),
        };
        match self.parts_of(&record, outline) {
            Ok(parts) => Ok(Prepared {
                record,
                piece: parts.piece,
                target: parts.target,
                lacks_need: parts.lacks_need,
                was_marked: false,
                order: Vec::new(),
                route: 0,
                distinct: parts.distinct,
                query_bytes: parts.query_bytes,
            }),
            Err(error) => Err(Box::new((record, error))),
        }
    }

    fn parts_of(&self, record: &Record, outline: &mut Outline) -> Result<Parts, PrepareError> {
        let is_varying = self.url.fixed().is_none() || !self.varying_headers.is_empty();
        if is_varying || !self.needs.is_empty() {
            outline.read(&record.text)?;
        }
        let lacks_need = self.check_needs(outline)?;
        if let Some(refuse) = &self.refuse {
            refuse.check(record)?;
        }
        let target = match is_varying {
            true => self.target(&outline.fields())?,
            false => None,
        };
        Ok(Parts {
            piece: self.piece(record)?,
            query_bytes: self.query_bytes(record, target.as_deref())?,
            distinct: match self.distinct.is_empty() {
                true => None,
                false => key_of(record.as_str(), &self.distinct)?,
            },
            target,
            lacks_need,
        })
    }

    /// What a record adds to a URL, which must not be too long with it alone.
    fn query_bytes(&self, record: &Record, target: Option<&Target>) -> Result<usize, PrepareError> {
        let Some(query) = &self.query else {
            return Ok(0);
        };
        let rendered = query.render(std::iter::once(record.as_str()))?;
        let url = target.and_then(|target| target.url.as_ref()).or(self.url.fixed());
        let length = url.map_or(0, |url| url.as_str().len()) + 1 + rendered.text.len();
        match length > MAX_URL {
            true => Err(QueryError::TooLong(length).into()),
            false => Ok(rendered.bytes_among_others()),
        }
    }

    /// Whether a waived need is lacking; one that is not waived is an error.
    fn check_needs(&self, outline: &Outline) -> Result<bool, PrepareError> {
        let mut lacks = false;
        for Requirement { need, is_waived } in &self.needs {
            let mut is_met = false;
            for field in &need.any_of {
                is_met |= outline.at(field)?.is_some_and(|value| !is_blank(value));
            }
            if !is_met && !is_waived {
                return Err(PrepareError::Lacks(need.any_of.clone(), need.because.clone()));
            }
            lacks |= !is_met;
        }
        Ok(lacks)
    }

    fn target(&self, fields: &Fields<'_>) -> Result<Option<Arc<Target>>, PrepareError> {
        let url = self.url.render(fields)?.map(Arc::new);
        if url.is_none() && self.varying_headers.is_empty() {
            return Ok(None);
        }
        let render = |header: &HeaderTemplate| Ok((header.name.clone(), header.render(fields)?));
        let headers = self
            .varying_headers
            .iter()
            .map(render)
            .collect::<Result<_, PrepareError>>()?;
        Ok(Some(Arc::new(Target { url, headers })))
    }

    fn piece(&self, record: &Record) -> Result<Bytes, PrepareError> {
        let shaped = match &self.body {
            None => record.text.clone(),
            Some(body) => {
                let value = Value::of_record(record.as_str())?;
                match body.at_most_one(value, std::slice::from_ref(&self.parameters))? {
                    Some(value) => Bytes::from(value.to_json()?),
                    None => Bytes::new(),
                }
            }
        };
        match self.content_type {
            ContentType::Form => form(&shaped),
            ContentType::Json | ContentType::Ndjson | ContentType::MergePatch => Ok(shaped),
        }
    }
}

/// The record as a form: a pair for each attribute, null left empty.
fn form(text: &Bytes) -> Result<Bytes, PrepareError> {
    let text = std::str::from_utf8(text).unwrap_or("{}");
    if text.is_empty() {
        return Ok(Bytes::new());
    }
    let mut form = ::url::form_urlencoded::Serializer::new(String::new());
    for field in Fields::parse(text)?.iter() {
        match text_of(field.value) {
            Some(value) => form.append_pair(&field.key(), &value),
            None if field.value == "null" => form.append_pair(&field.key(), ""),
            None => return Err(PrepareError::NotFlat(field.key().into_owned())),
        };
    }
    Ok(Bytes::from(form.finish()))
}
