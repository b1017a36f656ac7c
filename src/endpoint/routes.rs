//! Where the records of a job go: all to one endpoint, or each to one of several, as its operation says.

use std::sync::Arc;

use bytes::Bytes;

use super::operation::{Operation, OperationConfig, OperationError};
use super::{Endpoint, PrepareError, Prepared};
use crate::client::Reply;
use crate::record::{Fields, Outline, Record};

/// The endpoints of a job, and which record goes to which. Records of different endpoints never share a request.
#[derive(Debug, Clone)]
pub struct Routes {
    routes: Arc<[Route]>,
    feed: Option<Arc<OperationConfig>>,
}

/// One endpoint of a job.
#[derive(Debug, Clone)]
pub struct Route {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The most records that share a request to it.
    pub max_records: usize,
    /// The operations whose records go there; none where all records do.
    pub operations: Vec<Operation>,
}

impl Routes {
    /// All records go to one endpoint.
    pub fn one(endpoint: Endpoint, max_records: usize) -> Self {
        let route = Route {
            endpoint: Arc::new(endpoint),
            max_records,
            operations: Vec::new(),
        };
        Self {
            routes: Arc::new([route]),
            feed: None,
        }
    }

    /// Each record goes where its operation says; none where there is no route.
    pub fn by_operation(routes: Vec<Route>, config: OperationConfig) -> Option<Self> {
        (!routes.is_empty()).then(|| Self {
            routes: routes.into(),
            feed: Some(Arc::new(config)),
        })
    }

    /// All endpoints.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The endpoint of the records of a batch.
    pub fn of(&self, batch: &[Prepared]) -> &Arc<Endpoint> {
        &self.route(batch.first().map_or(0, |first| first.route)).endpoint
    }

    /// The most records that share a request with this one.
    pub fn max_records(&self, prepared: &Prepared) -> usize {
        self.route(prepared.route).max_records
    }

    /// Whether records go to endpoints by their operations: several of one record are changes then, not duplicates.
    pub fn is_change_feed(&self) -> bool {
        self.feed.is_some()
    }

    /// Whether sending a request twice does the same as sending it once, at every endpoint.
    pub fn are_safe_to_resend(&self) -> bool {
        self.iter().all(|route| route.endpoint.is_safe_to_resend())
    }

    /// The names of the endpoints, for reports.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.iter().map(|route| route.endpoint.name()).collect();
        names.join(", ")
    }

    /// The fields that tell one record from another, at any of the endpoints.
    pub fn identifiers(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for name in self.iter().flat_map(|route| route.endpoint.identifiers()) {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
        all
    }

    /// Takes the secrets of every endpoint out of a reply that repeats them.
    pub fn mask(&self, reply: &mut Reply) {
        for route in self.iter() {
            route.endpoint.mask(reply);
        }
    }

    /// Turns a record into its part of a request to the endpoint that it goes to; none where its operation is skipped.
    pub fn prepare(&self, record: Record) -> Result<Option<Prepared>, Box<(Record, PrepareError)>> {
        self.prepare_outlined(record, &mut Outline::default())
    }

    /// Turns a record into its part of a request, as [`Endpoint::prepare_outlined`] does; none where its operation is skipped.
    pub fn prepare_outlined(
        &self,
        record: Record,
        outline: &mut Outline,
    ) -> Result<Option<Prepared>, Box<(Record, PrepareError)>> {
        let Some(feed) = &self.feed else {
            return self.routes[0]
                .endpoint
                .prepare_outlined(record, outline)
                .map(Some);
        };
        match self.look_at(feed, &record) {
            Ok(None) => Ok(None),
            Ok(Some((route, text))) => {
                let original = Some(record.original().clone());
                let record = Record {
                    text,
                    original,
                    ..record
                };
                let prepared = self.routes[route].endpoint.prepare_outlined(record, outline)?;
                Ok(Some(Prepared { route, ..prepared }))
            }
            Err(error) => Err(Box::new((record, error.into()))),
        }
    }

    fn route(&self, index: usize) -> &Route {
        // There is at least one, and what was prepared here names one of them.
        self.routes.get(index).unwrap_or(&self.routes[0])
    }

    /// Which route a record takes, and its text without the field that says so; none where it is skipped.
    fn look_at(
        &self,
        feed: &OperationConfig,
        record: &Record,
    ) -> Result<Option<(usize, Bytes)>, OperationError> {
        let fields = Fields::parse(record.as_str())?;
        let operation = feed.of(&fields)?;
        if feed.skip.contains(&operation) {
            return Ok(None);
        }
        let has_it = |route: &Route| route.operations.contains(&operation);
        match self.routes.iter().position(has_it) {
            Some(route) => Ok(Some((route, fields.without(&feed.field).into()))),
            None => Err(OperationError::NoTemplate(operation)),
        }
    }
}
