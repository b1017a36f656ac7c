//! The built-in look-alike of a vendor, that a job can be tried against without an account.
//!
//! [`Mock`] is a running HTTP server on this machine's loopback interface. It answers as Encharge's contract says
//! (people, tags, objects and what ties them, schemas, fields, ingest calls, both kinds of key, the error envelopes), keeps
//! what it was given as the exact text that arrived, and can be told to misbehave: [`MockSettings`] gives it a latency, a
//! rate limit and [`Faults`]. [`Mock::state`] and `GET /_mock/state` show what became of it all: [`State`].
//!
//! ```text
//! /v1/..          the REST API, with the API key      -> encharge/
//! /ingest/v1      events, with the write key          -> encharge/ingest.rs
//! /_mock/state    GET: the state as JSON, no key needed
//! /_mock/reset    POST: forget everything that arrived
//! ```
//!
//! It is an oracle, and so it shares nothing with the code that it judges: no client, template or record code of
//! outpour's is used here, only the vendor's contract. The invariant is that [`Arrivals`] tells the truth about
//! every request: what it was answered, whether it was carried out, and whether the caller was left to guess.
//!
//! What is not here: anything that needs the real Encharge to be known (flows, segments, e-mail), and any way to
//! bind it to another interface. The folder `encharge/` holds what is that vendor's own; the files beside this
//! one (server, faults, arrivals) would serve another vendor's look-alike just as well.

mod answer;
mod arrivals;
mod encharge;
mod faults;
mod server;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod whole;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use self::server::Server;

pub use arrivals::{Arrival, Arrivals};
pub use encharge::{
    Association, AssociationType, Attributes, Cardinality, Event, Field, FieldFormat, FieldType, Object,
    Person, Schema,
};
pub use faults::{Fault, FaultError, Faults};
pub use settings::{API_KEY, MockSettings, WRITE_KEY};
pub use state::{Counts, State};
pub use whole::WholeRequest;

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
}

/// A running look-alike of Encharge. It stops when it is dropped.
///
/// ```
/// use outpour::mock::{Mock, MockSettings};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let mock = Mock::start(MockSettings::default()).await?;
/// assert!(mock.api_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(mock.state().arrivals.requests, 0);
/// mock.stop().await;
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
    /// Binds a port of the loopback interface and begins to answer, on the current tokio runtime.
    #[expect(
        clippy::unused_async,
        reason = "it needs a runtime, and what it waits for may grow"
    )]
    pub async fn start(settings: MockSettings) -> Result<Self, MockError> {
        let port = settings.port;
        let failed = |source| MockError::Listen { port, source };
        let listener = listen(port).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = Arc::new(Server::new(settings));
        let accepting = tokio::spawn(server::serve(listener, Arc::clone(&server)));
        tracing::debug!(%address, "the mock listens");
        Ok(Self {
            address,
            server,
            accepting,
        })
    }

    /// The base of the REST API, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base of the ingest API, without a slash at its end.
    pub fn ingest_url(&self) -> String {
        format!("http://{}/ingest/v1", self.address)
    }

    /// The address that is listened on, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the mock holds and has seen, at this moment.
    pub fn state(&self) -> State {
        self.server.state()
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
