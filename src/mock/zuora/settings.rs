//! What a look-alike of Zuora may be told.

use std::time::Duration;

use crate::mock::faults::Faults;

/// The client id that a mock accepts unless told otherwise.
pub const CLIENT_ID: &str = "3f9c1b7e-0a52-4c1d-9d7e-6f1e2a9b4c80";

/// The client secret that a mock accepts unless told otherwise. It opens nothing else.
pub const CLIENT_SECRET: &str = "mock-client-secret/7Qm2xL9vT4bN";

/// The base URLs of the servers that a mock stands in for, as the API's description lists them.
pub const SERVERS: [&str; 10] = [
    "https://rest.zuora.com",
    "https://rest.na.zuora.com",
    "https://rest.eu.zuora.com",
    "https://rest.ap.zuora.com",
    "https://rest.apisandbox.zuora.com",
    "https://rest.sandbox.na.zuora.com",
    "https://rest.sandbox.eu.zuora.com",
    "https://rest.test.zuora.com",
    "https://rest.test.eu.zuora.com",
    "https://rest.test.ap.zuora.com",
];

/// How a mock of Zuora behaves, besides what any mock is told.
///
/// ```
/// use outpour::mock::{MockSettings, MockVendor, ZuoraSettings};
/// let settings = MockSettings {
///     vendor: MockVendor::Zuora,
///     zuora: ZuoraSettings {
///         token_requests: Some(100),
///         ..ZuoraSettings::default()
///     },
///     ..MockSettings::default()
/// };
/// assert_eq!(settings.zuora.concurrency, Some(40));
/// ```
#[derive(Debug, Clone)]
pub struct ZuoraSettings {
    /// The id of the client that may ask for tokens. Default: [`CLIENT_ID`].
    pub client_id: String,
    /// Its secret. Default: [`CLIENT_SECRET`].
    pub client_secret: String,
    /// The life of a token as it is told to the client, `expires_in`. Default: an hour.
    pub expires_in: Duration,
    /// The life that a token really has. Default: as it is told.
    pub token_life: Option<Duration>,
    /// How many requests a token is good for; each one after them is answered 401. Default: any number.
    pub token_requests: Option<u64>,
    /// What goes wrong where a token is asked for; other faults do not strike there. Default: nothing.
    pub token_faults: Faults,
    /// How many requests may be under way at once, those for a token aside. One more is answered 429 with a
    /// Retry-After of a second. Default: 40, as the vendor documents it.
    pub concurrency: Option<u32>,
    /// What is defined from the start: the body of a request that creates definitions, or the answer of one that lists
    /// them. Default: nothing.
    pub definitions: Option<serde_json::Value>,
    /// Names of objects that take records of any fields, where they are not defined otherwise. Default: none.
    pub open_objects: Vec<String>,
}

impl Default for ZuoraSettings {
    fn default() -> Self {
        Self {
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            expires_in: Duration::from_secs(3600),
            token_life: None,
            token_requests: None,
            token_faults: Faults::default(),
            concurrency: Some(40),
            definitions: None,
            open_objects: Vec::new(),
        }
    }
}
