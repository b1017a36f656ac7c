//! How many events wait for the webhook, and whether there is room for more.

use tokio::sync::watch;

/// What waits, and the most that may.
#[derive(Debug)]
pub(super) struct Backlog {
    load: watch::Sender<Load>,
    most: Load,
}

/// Events, and the bytes of their bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

/// Shut while a run has to wait for its webhook before it takes more records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Option<(watch::Receiver<Load>, Load)>);

impl Backlog {
    pub(super) fn new(most: Load, load: Load) -> Self {
        Self {
            load: watch::Sender::new(load),
            most,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.load.borrow().reaches(self.most)
    }

    pub(super) fn add(&self, load: Load) {
        self.load.send_modify(|now| {
            now.events += load.events;
            now.bytes += load.bytes;
        });
    }

    pub(super) fn take(&self, load: Load) {
        self.load.send_modify(|now| {
            now.events = now.events.saturating_sub(load.events);
            now.bytes = now.bytes.saturating_sub(load.bytes);
        });
    }

    /// A gate that is shut while the backlog is full.
    pub(super) fn gate(&self) -> Gate {
        Gate(Some((self.load.subscribe(), self.most)))
    }

    /// How many events wait.
    pub(super) fn events(&self) -> u64 {
        self.load.borrow().events
    }

    /// The most events that may wait.
    pub(super) fn most_events(&self) -> u64 {
        self.most.events
    }
}

impl Load {
    /// The load of one event.
    pub(super) fn one(bytes: usize) -> Self {
        Self {
            events: 1,
            bytes: bytes as u64,
        }
    }

    fn reaches(self, most: Self) -> bool {
        self.events >= most.events || self.bytes >= most.bytes
    }
}

impl Gate {
    /// Whether the run may take more records.
    pub(crate) fn is_open(&self) -> bool {
        let is_full = |(load, most): &(watch::Receiver<Load>, Load)| load.borrow().reaches(*most);
        !self.0.as_ref().is_some_and(is_full)
    }

    /// Until the run may take more records. One whose backlog is gone stays open.
    pub(crate) async fn opened(&mut self) {
        if let Some((load, most)) = &mut self.0 {
            let most = *most;
            if load.wait_for(|load| !load.reaches(most)).await.is_err() {
                self.0 = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_is_shut_while_events_or_bytes_reach_the_most() {
        let most = Load {
            events: 2,
            bytes: 100,
        };
        let backlog = Backlog::new(most, Load::one(10));
        let mut gate = backlog.gate();
        assert!(gate.is_open() && !backlog.is_full());
        backlog.add(Load::one(10));
        assert!(!gate.is_open() && backlog.is_full());
        backlog.take(Load::one(10));
        gate.opened().await;
        backlog.take(Load::one(10));
        backlog.add(Load::one(100));
        assert!(!gate.is_open(), "too many bytes");
        drop(backlog);
        gate.opened().await;
        assert!(gate.is_open(), "nobody is left to open it");
    }
}
