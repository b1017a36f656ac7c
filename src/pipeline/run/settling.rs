//! What a run does with what was delivered: counts it, lets go what waited for it, and sends on what is left.

use std::collections::HashSet;

use tokio::task::JoinError;

use super::Run;
use crate::causes::in_one_line;
use crate::client::Transport;
use crate::delivery::{Delivered, Delivery, Fate, Rest, Work};
use crate::pipeline::endings::ending_of;
use crate::report::Ending;

impl<T: Transport> Run<T> {
    /// Settles what a lane that ended has delivered, and all else that has been delivered by now.
    pub(super) fn settle_all(&mut self, ended: Option<Result<Delivered, JoinError>>) {
        let mut all = self.lanes.delivered();
        let mut rests = Vec::new();
        let mut next = ended;
        while let Some(ended) = next {
            match ended {
                Ok(mut delivered) => {
                    all.add(&mut delivered);
                    rests.push(delivered.rests);
                }
                Err(error) => self.stop(Ending::Defect, format!("a delivery ended in a panic: {error}")),
            }
            next = self.lanes.try_ended();
        }
        rests.retain(|rests| !rests.is_empty());
        self.settle(all, rests);
    }

    /// Settles what lanes have delivered that go on.
    pub(super) fn settle_news(&mut self) {
        let delivered = self.lanes.delivered();
        if !delivered.deliveries.is_empty() {
            self.settle(delivered, Vec::new());
        }
    }

    fn settle(&mut self, delivered: Delivered, rests: Vec<Vec<Rest>>) {
        self.accountant
            .requests(delivered.requests, delivered.cut_replies);
        let left: HashSet<u64> = rests.iter().flatten().flat_map(Rest::orders).collect();
        for delivery in &delivered.deliveries {
            self.outbound.release(&delivery.items, &left);
        }
        self.accountant.settle(&delivered.deliveries);
        if let Some(reason) = delivered.stop {
            self.stop(ending_of(&reason), in_one_line(&reason));
        }
        self.check();
        // What is known of the others is on its way to the disk, and comes there before the rest is sent.
        for rests in rests {
            self.lanes.start(Work::Rests(rests));
        }
    }

    /// Stops the run when what was settled says so.
    pub(super) fn check(&mut self) {
        if let Some((ending, because)) = self.accountant.stop_reason()
            && !self.is_stopping()
        {
            self.stop(ending, because);
        }
    }

    /// Settles what was not sent and is not sent any more.
    pub(super) fn give_up_unsent(&mut self) {
        let ready = std::iter::from_fn(|| self.lanes.take());
        for items in ready.chain(self.outbound.drain()) {
            self.accountant.settle(&[Delivery {
                items,
                places: Vec::new(),
                fate: Fate::Unsent,
                code: None,
                exchange: None,
            }]);
        }
    }
}
