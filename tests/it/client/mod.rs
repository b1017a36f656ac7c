//! The client: its loop on paused time against a scripted transport, and its transport against real sockets.

mod alike;
mod breaker;
mod concurrency;
mod connections;
mod faults;
mod keys;
mod limits;
mod oracle;
pub(crate) mod script;
mod stop;
pub(crate) mod tls;
mod token;
mod wire;
