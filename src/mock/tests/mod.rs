//! The look-alike, asked over a plain socket.

mod archive;
mod associations;
mod caller;
mod capacity;
mod faults;
mod fields;
mod ingest;
mod objects;
mod people;
mod schemas;
mod server;
mod steps;
mod tags;
mod whole;
mod zuora;

use caller::Caller;

use super::{Mock, MockSettings};

/// A mock that behaves, and a caller with the right keys.
async fn start() -> (Mock, Caller) {
    start_with(MockSettings::default()).await
}

async fn start_with(settings: MockSettings) -> (Mock, Caller) {
    let mock = Mock::start(settings).await.unwrap();
    let caller = Caller::new(mock.address());
    (mock, caller)
}
