//! The look-alike, asked over a plain socket.

mod caller;
mod faults;
mod ingest;
mod objects;
mod people;
mod server;
mod tags;
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
