//! A reply that says what became of single records: some are settled, some sent again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fate::after_doubt;
use super::part::{Part, Rest, ordinals};
use super::{Delivered, Delivery, Exchange, Fate};
use crate::client::Again;
use crate::endpoint::{ItemVerdict, Prepared, Refusal};

/// The records of an answered request by what the reply says of them; where their order counts with their places in it.
#[derive(Debug, Default)]
struct Sorted {
    accepted: Vec<Prepared>,
    places: Vec<usize>,
    refused: Vec<(Prepared, Refusal)>,
    again: Vec<(usize, Prepared, Refusal)>,
    spared: Vec<(usize, Prepared)>,
    unclear: Vec<Prepared>,
}

/// What is known of the request that a reply answers.
pub(super) struct Answered {
    pub(super) exchange: Option<Arc<Exchange>>,
    /// Whether an attempt stayed without an answer, in this session.
    pub(super) is_after_doubt: bool,
    /// Whether one may have, in this session or an earlier one.
    pub(super) is_doubtful: bool,
    pub(super) generation: u32,
    /// The leave to send records again; none where their tries have run out.
    pub(super) again: Option<Again>,
    /// Whether the reply has a result for each record, and not only for those that failed.
    pub(super) has_results: bool,
}

impl Sorted {
    fn new(batch: Vec<Prepared>, items: Vec<ItemVerdict>) -> Self {
        let mut sorted = Self::default();
        for (place, (item, verdict)) in batch.into_iter().zip(items).enumerate() {
            match verdict {
                ItemVerdict::Accepted => {
                    sorted.accepted.push(item);
                    sorted.places.push(place);
                }
                ItemVerdict::Refused(refusal) => sorted.refused.push((item, refusal)),
                ItemVerdict::Again(refusal) => sorted.again.push((place, item, refusal)),
                ItemVerdict::Spared => sorted.spared.push((place, item)),
                ItemVerdict::Unclear => sorted.unclear.push(item),
            }
        }
        sorted
    }

    /// Refuses what cannot be sent again: all of it where no try is left, and what a later record of the same order has
    /// overtaken, which an older one must not undo.
    fn refuse_what_is_late(&mut self, has_try: bool) {
        let accepted = self.accepted.iter().zip(&self.places);
        let last: HashMap<u64, usize> = accepted
            .flat_map(|(item, place)| item.order.iter().map(|order| (*order, *place)))
            .collect();
        for (place, item, mut refusal) in std::mem::take(&mut self.again) {
            let is_later = |order: &u64| last.get(order).is_some_and(|last| *last > place);
            let is_overtaken = item.order.iter().any(is_later);
            if has_try && !is_overtaken {
                self.again.push((place, item, refusal));
                continue;
            }
            if is_overtaken {
                refusal.reason += " (not sent again: a later record of the same `order_by` was accepted)";
            }
            self.refused.push((item, refusal));
        }
    }

    /// What is sent again at once, and what after a wait: the latter with what must not overtake it.
    fn left(&mut self) -> (Vec<Prepared>, Vec<Prepared>) {
        let again = std::mem::take(&mut self.again).into_iter();
        let mut again: Vec<(usize, Prepared)> = again.map(|(place, item, _)| (place, item)).collect();
        let mut orders: HashSet<u64> = again.iter().flat_map(|(_, item)| item.order.clone()).collect();
        // What waits has others wait for it, which may share another order with it.
        let waits = |(_, item): &(usize, Prepared)| {
            let waits = item.order.iter().any(|order| orders.contains(order));
            if waits {
                orders.extend(&item.order);
            }
            waits
        };
        let (waiting, spared): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.spared).into_iter().partition(waits);
        again.extend(waiting);
        again.sort_by_key(|(place, _)| *place);
        let items = |parts: Vec<(usize, Prepared)>| parts.into_iter().map(|(_, item)| item).collect();
        (items(spared), items(again))
    }
}

impl Delivered {
    /// Settles what a reply settles. What it leaves is a rest.
    pub(super) fn settle_each(
        &mut self,
        batch: Vec<Prepared>,
        items: Vec<ItemVerdict>,
        unclear: Option<String>,
        answered: Answered,
    ) {
        let all = ordinals(&batch);
        let mut sorted = Sorted::new(batch, items);
        sorted.refuse_what_is_late(answered.again.is_some());
        let (spared, again) = sorted.left();
        let exchange = &answered.exchange;
        if !sorted.accepted.is_empty() {
            self.deliveries.push(Delivery {
                items: sorted.accepted,
                // A reply that lists what failed tells of the others, if at all, without it.
                places: if answered.has_results {
                    sorted.places
                } else {
                    Vec::new()
                },
                fate: Fate::Accepted,
                code: None,
                exchange: exchange.clone(),
            });
        }
        for (item, refusal) in sorted.refused {
            // It may be refused just because an earlier request was carried out.
            let fate = match answered.is_doubtful {
                true => after_doubt(&refusal.reason),
                false => Fate::Rejected(refusal.reason),
            };
            self.deliveries.push(Delivery {
                items: vec![item],
                places: Vec::new(),
                fate,
                code: refusal.code,
                exchange: exchange.clone(),
            });
        }
        if !sorted.unclear.is_empty() {
            let reason = unclear.unwrap_or_else(|| "the reply does not say what became of it".to_owned());
            self.settle(sorted.unclear, Fate::InDoubt(reason), exchange.clone());
        }
        self.leave(&all, spared, again, answered);
    }

    /// Leaves records to be sent again: those that were only in bad company at once, the others after a wait.
    fn leave(&mut self, all: &[u64], spared: Vec<Prepared>, again: Vec<Prepared>, answered: Answered) {
        let part = |items: Vec<Prepared>| Part {
            is_doubtful: answered.is_after_doubt,
            generation: if items.len() == all.len() {
                answered.generation + 1
            } else {
                0
            },
            ..Part::new(items)
        };
        let attempts = answered.exchange.as_ref().map_or(0, |exchange| exchange.attempts);
        let (spared, mut again) = (part(spared), part(again));
        (again.again, again.attempts) = (answered.again, attempts);
        let parts: Vec<Part> = [spared, again]
            .into_iter()
            .filter(|part| !part.items.is_empty())
            .collect();
        if parts.is_empty() {
            return;
        }
        let left: HashSet<u64> = parts.iter().flat_map(|part| ordinals(&part.items)).collect();
        let settled = all.iter().copied().filter(|ordinal| !left.contains(ordinal));
        self.rests.push(Rest::new(settled.collect(), parts));
    }

    /// Whether a part has records that must not be sent before some that are left for later.
    pub(super) fn overtakes(&self, part: &Part) -> bool {
        let mut waiting = self.rests.iter().flat_map(Rest::orders);
        waiting.any(|order| part.orders().any(|own| own == order))
    }

    /// Gives up what is not sent any more.
    pub(super) fn give_up_all(&mut self, parts: impl IntoIterator<Item = Part>) {
        for part in parts {
            self.give_up(part);
        }
    }

    /// Gives up records that are not sent any more.
    pub(super) fn give_up(&mut self, part: Part) {
        let fate = match part.is_doubtful {
            true => after_doubt("the run stopped before it was sent again"),
            false => Fate::Unsent,
        };
        self.settle(part.items, fate, None);
    }
}
