//! Both transports, for the tests that each of them has to pass.

use std::sync::Arc;

use outpour::client::{AnyTransport, DirectTransport, HttpTransport, Lookup, TransportSettings};

/// One of each, made from these settings.
pub(crate) fn both(settings: &TransportSettings) -> [AnyTransport; 2] {
    let direct = DirectTransport::new(settings).unwrap();
    [direct.into(), HttpTransport::new(settings).unwrap().into()]
}

/// How to make one of each, with a lookup of the test's own.
pub(crate) const WITH_LOOKUP: [fn(&TransportSettings, &Arc<Lookup>) -> AnyTransport; 2] = [
    |settings, lookup| DirectTransport::with_lookup(settings, lookup).unwrap().into(),
    |settings, lookup| HttpTransport::with_lookup(settings, lookup).unwrap().into(),
];
