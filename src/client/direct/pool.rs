//! Connections that wait for the next request.
//!
//! The one that was used last goes first, so that few stay in use where few are needed. Nothing watches them: one that has
//! waited too long is dropped when somebody passes by, and one that the server closed is found out by the request
//! that would use it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use url::Url;

use super::super::http_transport::IDLE;
use super::link::Link;

pub(super) struct Pool {
    most: usize,
    /// The longest waiting first.
    idle: Mutex<VecDeque<Box<Link>>>,
}

impl Pool {
    /// A pool of at most so many.
    pub(super) fn new(most: usize) -> Self {
        let idle = Mutex::default();
        Self { most, idle }
    }

    /// A connection that leads to where this URL does, if one waits now.
    pub(super) fn take(&self, url: &Url, now: Instant) -> Option<Box<Link>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().rposition(|link| link.leads_to(url))?;
        let found = idle.remove(place)?;
        if now.duration_since(found.heard()) < IDLE {
            return Some(found);
        }
        // What stands before it has waited even longer. Closing takes its time, so not under the lock.
        let old: Vec<Box<Link>> = idle.drain(..place).collect();
        drop(idle);
        drop(old);
        None
    }

    /// Takes a connection back.
    pub(super) fn put(&self, link: Box<Link>) {
        let now = link.heard();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(link);
        let is_old = |link: &Link| now.duration_since(link.heard()) >= IDLE;
        let old = match idle.front() {
            Some(first) if idle.len() > self.most || is_old(first) => idle.pop_front(),
            _ => None,
        };
        drop(idle);
        drop(old);
    }
}
