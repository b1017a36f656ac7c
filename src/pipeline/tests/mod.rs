//! Tests of the pipeline as a whole, in memory.

mod simulation;
mod trickle;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::endpoint::{DestinationConfig, Endpoint, EndpointInput, Prepared};
use crate::record::{Origin, Position, Record, Shape};

/// An endpoint that sending twice does harm at.
pub(super) fn endpoint() -> Endpoint {
    let text = "{method: POST, url: 'https://api.example.com/people'}";
    let (destination, _) = crate::document::parse::<DestinationConfig>("test", text).unwrap();
    let input = EndpointInput {
        destination: &destination,
        template: None,
        secrets: &BTreeMap::new(),
        body_shape: None,
        is_batched: false,
        distinct: &[],
        empty: None,
        definitions: None,
    };
    Endpoint::compile(&input).unwrap()
}

/// A batch of one record.
pub(super) fn batch(number: u64) -> Vec<Prepared> {
    let origin = Origin {
        name: "test".to_owned(),
        shape: Shape::Json,
    };
    let record = Record {
        position: Position {
            origin: Arc::new(origin),
            ordinal: number,
            number,
            line: None,
            byte: 0,
        },
        text: Bytes::from("{}"),
        original: None,
    };
    vec![endpoint().prepare(record).map_err(|refused| refused.1).unwrap()]
}
