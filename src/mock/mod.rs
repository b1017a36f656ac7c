//! The built-in look-alikes of two vendors, that a job can be tried against without an account.
//!
//! [`Mock`] is a running HTTP server on this machine's loopback interface. It answers as a vendor's contract says, keeps
//! what it was given as the exact text that arrived, and can be told to misbehave: [`MockSettings`] gives it a vendor, a
//! latency, a rate limit, a [`Capacity`] and [`Faults`]. [`Mock::state`], [`Mock::zuora_state`] and `GET /_mock/state` show what became
//! of it all: [`State`], [`ZuoraState`].
//!
//! ```text
//! Encharge: people, tags, objects and their ties, schemas, events       -> encharge/
//!   /v1/..              the REST API, with the API key
//!   /ingest/v1          events, with the write key                          -> encharge/ingest.rs
//! Zuora: tokens, custom object definitions and records                      -> zuora/
//!   /oauth/token        a token for a client's id and secret
//!   /objects/..         definitions, migrations, records, batches, with the token
//! both:
//!   /_mock/state        GET: the state as JSON, no key needed
//!   /_mock/reset        POST: forget everything that arrived
//!   /_mock/expire_tokens  POST, at Zuora: every token given out so far is worthless
//! ```
//!
//! It is an oracle, and so it shares nothing with the code that it judges: no client, template or record code of
//! outpour's is used here, only the vendor's contract. The invariant is that [`Arrivals`] tells the truth about
//! every request: what it was answered, whether it was carried out, and whether the caller was left to guess.
//!
//! What is not here: anything that needs the real vendor to be known (flows, segments, bills), and any way to bind it to
//! another interface. What is a vendor's own is in its folder, behind the seam in `vendor.rs`; the files beside it
//! (server, faults, arrivals) know of none.

mod answer;
mod arrivals;
mod capacity;
mod encharge;
mod faults;
mod server;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod vendor;
mod whole;
mod zuora;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use self::server::Server;
use self::vendor::Vendor;

pub use arrivals::{Arrival, Arrivals};
pub use capacity::{Beyond, Capacity};
pub use encharge::{
    Association, AssociationType, Attributes, Cardinality, Event, Field, FieldFormat, FieldType, Object,
    Person, Schema,
};
pub use faults::{Fault, FaultError, Faults};
pub use settings::{API_KEY, MockSettings, WRITE_KEY};
pub use state::{Counts, State};
pub use vendor::MockVendor;
pub use whole::WholeRequest;
pub use zuora::{
    CLIENT_ID, CLIENT_SECRET, SERVERS as ZUORA_SERVERS, ZuoraCounts, ZuoraDefinition, ZuoraField,
    ZuoraRecord, ZuoraRelationship, ZuoraSchema, ZuoraSettings, ZuoraState,
};

/// A mock that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The port is taken, or may not be bound by this user.
    #[error("failed to listen on port {port} of the loopback interface")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The definitions to start with are none that the vendor would take.
    #[error("the definitions to start with are refused: {message}")]
    Definitions {
        /// Why, as the look-alike would answer.
        message: String,
    },
}

/// A running look-alike of a vendor, of Encharge unless its settings say otherwise. It stops when it is dropped.
///
/// ```
/// use outpour::mock::{Mock, MockSettings, MockVendor};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let mock = Mock::start(MockSettings::default()).await?;
/// assert!(mock.api_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(mock.state().arrivals.requests, 0);
/// mock.stop().await;
/// let zuora = MockSettings { vendor: MockVendor::Zuora, ..MockSettings::default() };
/// let mock = Mock::start(zuora).await?;
/// assert!(mock.zuora_state().is_some_and(|state| state.definitions.is_empty()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Mock {
    address: SocketAddr,
    server: Arc<Server>,
    accepting: JoinHandle<()>,
}

impl Mock {
    /// Binds a port of the loopback interface and begins to answer, on the current tokio runtime. It fails where the port
    /// is taken, or where the definitions in the settings are wrong.
    #[expect(
        clippy::unused_async,
        reason = "it needs a runtime, and what it waits for may grow"
    )]
    pub async fn start(settings: MockSettings) -> Result<Self, MockError> {
        let port = settings.port;
        let failed = |source| MockError::Listen { port, source };
        let listener = listen(port).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = Arc::new(Server::new(settings)?);
        let accepting = tokio::spawn(server::serve(listener, Arc::clone(&server)));
        tracing::debug!(%address, "the mock listens");
        Ok(Self {
            address,
            server,
            accepting,
        })
    }

    /// Whom it looks like.
    pub fn vendor(&self) -> MockVendor {
        match self.server.vendor() {
            Vendor::Encharge(_) => MockVendor::Encharge,
            Vendor::Zuora(_) => MockVendor::Zuora,
        }
    }

    /// The base of Zuora's REST API, without a slash at its end.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base of Encharge's REST API, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base of Encharge's ingest API, without a slash at its end.
    pub fn ingest_url(&self) -> String {
        format!("http://{}/ingest/v1", self.address)
    }

    /// The address that is listened on, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a mock of Encharge holds and has seen, at this moment; of another vendor's mock, what arrived alone.
    pub fn state(&self) -> State {
        self.server.vendor().encharge_state(self.server.totals())
    }

    /// What a mock of Zuora holds and has seen, at this moment; none of another vendor's.
    pub fn zuora_state(&self) -> Option<ZuoraState> {
        match self.server.vendor() {
            Vendor::Encharge(_) => None,
            Vendor::Zuora(zuora) => Some(zuora.state(self.server.totals())),
        }
    }

    /// Makes every token that a mock of Zuora has given out worthless, as their end would.
    pub fn expire_tokens(&self) {
        self.server.vendor().expire_tokens();
    }

    /// How many requests have arrived. Unlike the whole [`state`](Self::state) it costs nothing to ask.
    pub fn requests(&self) -> u64 {
        self.server.requests()
    }

    /// Forgets everything that arrived; settings stay.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// Stops listening and cuts every connection. What was not answered by then never will be.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // The only error that the task can end with is the cancellation just asked for.
        let _ = (&mut self.accepting).await;
    }
}

/// Listens with a longer queue than the 128 that binding alone gives. Where more callers than that connect at once,
/// those left over would try again a whole second later.
fn listen(port: u16) -> io::Result<TcpListener> {
    const QUEUE: u32 = 4096;
    let socket = TcpSocket::new_v4()?;
    // On Windows the option means something else: to share a port with whoever has it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(QUEUE)
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
