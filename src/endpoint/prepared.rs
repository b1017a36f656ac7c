//! A record's part of a request, and why it may have none.

use std::sync::Arc;

use ::url::Url;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::{FillError, OperationError, QueryError};
use crate::expression::ExpressionError;
use crate::record::{EmptyError, FieldError, Record};

/// A record's part of a request.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The record.
    pub record: Record,
    /// What is sent of it.
    pub piece: Bytes,
    /// Where it goes, where that differs by record.
    pub target: Option<Arc<Target>>,
    /// Whether a need was waived for it: it is sent, counted as a warning, and never resent after doubt.
    pub lacks_need: bool,
    /// Whether an earlier session of the run may have sent it.
    pub was_marked: bool,
    /// What it is ordered by: of records that share a value at most one is under way, in the order of the input. None:
    /// it is in no order with others.
    pub order: Vec<u64>,
    /// The number of its endpoint among the job's [`Routes`](super::Routes), from 0.
    pub route: usize,
    /// What it is distinct by: records with the same value never share a request, and are in the order of the input too.
    /// None: it may share one with any.
    pub distinct: Option<u64>,
    /// The most bytes that it adds to the query of a request's URL.
    pub query_bytes: usize,
}

/// URL and headers that come from a record. Records of different targets never share a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL, where it varies.
    pub url: Option<Arc<Url>>,
    /// The headers that vary.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why a record cannot be sent; it becomes a reject.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The record lacks what the endpoint needs.
    #[error("the record has no {}{}", listed(.0), .1.as_ref().map(|because| format!(": {because}")).unwrap_or_default())]
    Lacks(Vec<String>, Option<String>),
    /// It is not known where the record goes.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// A placeholder cannot be filled.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// The record has no usable fields.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The body's expression failed.
    #[error("`body` cannot be made of the record")]
    Body(#[from] ExpressionError),
    /// It has empty strings, or cannot be looked through for them.
    #[error(transparent)]
    Empty(#[from] EmptyError),
    /// The template gives reasons not to send it.
    #[error("{0}")]
    Refused(String),
    /// Whether it may be sent cannot be said.
    #[error("`refuse` cannot be asked of the record")]
    Refuse(#[source] ExpressionError),
    /// `refuse` gave something that is no reason.
    #[error("`refuse` gave {0}, a reason is a text")]
    NotReason(String),
    /// It cannot stand in the query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A form holds plain values alone.
    #[error("a form cannot hold the list or object in `{0}`")]
    NotFlat(String),
}

fn listed(fields: &[String]) -> String {
    let quoted: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
