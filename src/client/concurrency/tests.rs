//! The rule against destinations on a made-up clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

const BASE: Duration = Duration::from_millis(50);

/// What a destination does with more attempts than its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// All of them take longer.
    Slow,
    /// Each waits for a place.
    Queue,
    /// Those that are too many are refused, and all pause for so long.
    Refuse(Duration),
}

/// A destination, and a caller who always has more to send.
struct World {
    controller: Controller,
    now: Instant,
    start: Instant,
    capacity: u32,
    beyond: Beyond,
    /// The latency without load, and by how much it varies, in percent.
    base: Duration,
    noise: u32,
    dice: u64,
    /// Those on the wire by their end: the flight's number finds it.
    ends: BinaryHeap<Reverse<(Instant, usize)>>,
    flights: Vec<Option<(Flight, End)>>,
    /// When each place of the queue is free again.
    places: Vec<Instant>,
    taken: u32,
    paused_until: Instant,
    served: u64,
    refused: u64,
}

impl World {
    fn new(max: u32, capacity: u32, beyond: Beyond) -> Self {
        let now = Instant::now();
        Self {
            controller: Controller::new(max),
            now,
            start: now,
            capacity,
            beyond,
            base: BASE,
            noise: 0,
            dice: 1,
            ends: BinaryHeap::new(),
            flights: Vec::new(),
            places: Vec::new(),
            taken: 0,
            paused_until: now,
            served: 0,
            refused: 0,
        }
    }

    fn noisy(self, noise: u32) -> Self {
        Self { noise, ..self }
    }

    /// From 1 - noise to 1 + noise, evenly.
    fn factor(&mut self) -> f64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let unit = f64::from(u32::try_from(self.dice >> 32).unwrap()) / f64::from(u32::MAX);
        1.0 + f64::from(self.noise) / 100.0 * (2.0 * unit - 1.0)
    }

    fn send(&mut self) {
        let flight = self.controller.begin(self.now);
        let taken = self.taken + 1;
        let took = self.base.mul_f64(self.factor());
        let (at, end) = match self.beyond {
            Beyond::Refuse(_) if taken > self.capacity => (self.now + self.base, End::Refused),
            Beyond::Refuse(_) => (self.now + took, End::Served),
            Beyond::Slow => {
                let load = f64::from(taken) / f64::from(self.capacity);
                (self.now + took.mul_f64(load.max(1.0)), End::Served)
            }
            Beyond::Queue => {
                self.places.resize(self.capacity as usize, self.now);
                let place = self.places.iter_mut().min().unwrap();
                *place = (*place).max(self.now) + took;
                (*place, End::Served)
            }
        };
        self.taken += u32::from(end == End::Served);
        self.ends.push(Reverse((at, self.flights.len())));
        self.flights.push(Some((flight, end)));
    }

    /// Lets the next attempt end.
    fn step(&mut self) {
        while self.controller.on_wire < self.controller.limit() && self.now >= self.paused_until {
            self.send();
        }
        let Some(Reverse((at, index))) = self.ends.pop() else {
            self.now = self.paused_until;
            return;
        };
        if self.controller.on_wire < self.controller.limit() && at > self.paused_until {
            // The pause ends first.
            self.ends.push(Reverse((at, index)));
            self.now = self.paused_until;
            return;
        }
        self.now = at;
        let (flight, end) = self.flights[index].take().unwrap();
        self.controller.end(flight, at, end);
        if let (End::Refused, Beyond::Refuse(pause)) = (end, self.beyond) {
            self.refused += 1;
            self.paused_until = self.paused_until.max(at + pause);
            self.controller.pause(at, pause);
        } else {
            self.taken -= 1;
            self.served += 1;
        }
    }

    /// Runs for so many round trips without load, and gives the lowest and the highest limit of the last half of them.
    fn run(&mut self, round_trips: u32) -> (u32, u32) {
        let from = self.now;
        let (mut lowest, mut highest) = (u32::MAX, 0);
        while self.now < from + self.base * round_trips {
            self.step();
            if self.now > from + self.base * round_trips / 2 {
                lowest = lowest.min(self.controller.limit());
                highest = highest.max(self.controller.limit());
            }
        }
        (lowest, highest)
    }

    /// Served per round trip since the start, as a share of the capacity.
    fn share(&self) -> f64 {
        let trips = (self.now - self.start).as_secs_f64() / self.base.as_secs_f64();
        float(usize::try_from(self.served).unwrap()) / trips / f64::from(self.capacity)
    }
}

/// From six tenths of the capacity to twice of it.
#[track_caller]
fn assert_near((lowest, highest): (u32, u32), capacity: u32) {
    assert!(
        lowest >= capacity * 6 / 10 && highest <= capacity * 2,
        "{lowest} to {highest} of {capacity}"
    );
}

#[test]
fn the_limit_settles_near_a_capacity_that_changes_within_sixty_round_trips() {
    for beyond in [Beyond::Slow, Beyond::Queue] {
        for noise in [0, 20, 40] {
            let mut world = World::new(200, 20, beyond).noisy(noise);
            for capacity in [20, 5, 40, 20, 10] {
                world.capacity = capacity;
                world.places.clear();
                assert_near(world.run(120), capacity);
            }
        }
    }
}

#[test]
fn refusals_beyond_the_capacity_are_few_and_cost_little() {
    for pause in [0, 10, 250, 1_000] {
        for noise in [0, 30] {
            let refuse = Beyond::Refuse(Duration::from_millis(pause));
            let mut world = World::new(64, 20, refuse).noisy(noise);
            world.run(600);
            let share = world.share();
            assert!(share > 0.85, "{share} with pauses of {pause} ms, noise {noise}");
            assert!(
                world.refused * 100 < world.served,
                "{} of {}",
                world.refused,
                world.served
            );
        }
    }
}

#[test]
fn a_capacity_that_refusals_taught_is_tried_again() {
    let mut world = World::new(64, 5, Beyond::Refuse(Duration::from_millis(100)));
    assert!(world.run(200).1 <= 6);
    world.capacity = 40;
    let (lowest, highest) = world.run(300);
    assert!(lowest >= 20 && highest <= 41, "{lowest} to {highest}");
}

#[test]
fn a_calm_destination_is_given_the_maximum_in_twenty_round_trips() {
    let mut world = World::new(64, 1_000, Beyond::Slow);
    world.run(20);
    assert_eq!(
        world.controller.reached(),
        Reached {
            last: 64,
            highest: 64
        }
    );
}

#[test]
fn noise_alone_does_not_hold_the_limit_down() {
    for noise in [10, 40, 80] {
        let mut world = World::new(64, 1_000, Beyond::Slow).noisy(noise);
        let (lowest, highest) = world.run(400);
        let least = if noise > 50 { 16 } else { 60 };
        assert!(lowest >= least, "{lowest} with noise of {noise} %");
        assert_eq!(highest, 64);
    }
}

#[test]
fn a_destination_that_is_slower_for_another_reason_gets_as_many_as_before() {
    let mut world = World::new(64, 1_000, Beyond::Slow).noisy(10);
    world.run(60);
    world.base = BASE * 3;
    world.run(60);
    assert_eq!(world.controller.limit(), 64);
}

#[test]
fn a_limit_that_is_not_used_does_not_grow() {
    let mut world = World::new(64, 1_000, Beyond::Slow);
    for _ in 0..1_000 {
        let flight = world.controller.begin(world.now);
        world.now += BASE;
        world.controller.end(flight, world.now, End::Served);
    }
    assert_eq!(world.controller.limit(), FIRST_LIMIT);
}

#[test]
fn one_round_trip_has_one_fall_however_many_are_refused() {
    let mut world = World::new(64, 1_000, Beyond::Slow);
    world.run(40);
    let mut flights: Vec<Flight> = world
        .flights
        .iter()
        .flatten()
        .map(|(flight, _)| *flight)
        .collect();
    flights.sort_by_key(|flight| flight.number);
    assert!(flights.len() >= 60);
    let (first, others) = flights.split_at(40);
    for flight in first {
        world.controller.end(*flight, world.now, End::Served);
    }
    for (index, flight) in others.iter().enumerate() {
        let end = [End::Refused, End::Failed][index % 2];
        world.controller.end(*flight, world.now, end);
    }
    // The first of them was the forty-first at most.
    let limit = world.controller.limit();
    assert!((16..=32).contains(&limit), "{limit}");
}

#[test]
fn failures_halve_the_limit_and_leave_no_ceiling() {
    let mut world = World::new(64, 1_000, Beyond::Slow);
    world.run(40);
    while world.controller.on_wire < 64 {
        world.send();
    }
    let Reverse((at, index)) = world.ends.pop().unwrap();
    let (flight, _) = world.flights[index].take().unwrap();
    world.controller.end(flight, at, End::Failed);
    assert_eq!(world.controller.limit(), 32);
    world.run(40);
    assert_eq!(world.controller.limit(), 64);
}

#[test]
fn a_pause_delays_the_next_try_at_the_ceiling_twentyfold_and_for_ten_minutes_at_most() {
    let now = Instant::now();
    for (pause, wait) in [(1, 21), (10, 210), (3_600, 600)] {
        let mut controller = Controller::new(64);
        let flight = controller.begin(now);
        controller.end(flight, now, End::Refused);
        controller.pause(now, Duration::from_secs(pause));
        let ceiling = controller.ceiling.unwrap();
        assert_eq!(ceiling.try_at, now + Duration::from_secs(wait));
    }
}

/// Something that happens at the caller: attempts begin as far as they may, or one of those on the wire ends.
#[derive(Debug, Clone, Copy)]
enum Event {
    Begin,
    End { which: usize, end: End, after: u64 },
    Pause(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        6 => Just(End::Served),
        1 => Just(End::Refused),
        1 => Just(End::Failed),
        1 => Just(End::Silent),
    ];
    let ended = (any::<usize>(), end, 0..1_000_000u64);
    prop_oneof![
        4 => Just(Event::Begin),
        4 => ended.prop_map(|(which, end, after)| Event::End { which, end, after }),
        1 => (0..100_000u64).prop_map(Event::Pause),
    ]
}

proptest! {
    #[test]
    fn the_limit_is_never_above_the_maximum_nor_below_one(
        max in 1..200u32,
        events in prop::collection::vec(event(), 1..600),
    ) {
        let mut controller = Controller::new(max);
        let mut now = Instant::now();
        let mut on_wire = Vec::new();
        for event in events {
            match event {
                Event::Begin => {
                    while controller.on_wire < controller.limit() {
                        on_wire.push(controller.begin(now));
                    }
                }
                Event::End { which, end, after } if !on_wire.is_empty() => {
                    now += Duration::from_micros(after);
                    let flight = on_wire.swap_remove(which % on_wire.len());
                    let before = controller.limit();
                    let is_news = flight.number >= controller.first_after_fall;
                    controller.end(flight, now, end);
                    if is_news && matches!(end, End::Refused | End::Failed) {
                        prop_assert!(controller.limit() <= (before / 2).max(1));
                    } else if end != End::Served {
                        prop_assert_eq!(controller.limit(), before);
                    }
                }
                Event::End { .. } => {}
                Event::Pause(millis) => controller.pause(now, Duration::from_millis(millis)),
            }
            prop_assert!((1..=max).contains(&controller.limit()));
            prop_assert!(controller.limit() <= controller.reached().highest);
            prop_assert!(controller.reached().highest <= max);
        }
    }

    #[test]
    fn after_a_refusal_the_limit_grows_again(max in 2..100u32, capacity in 2..50u32, noise in 0..50u32) {
        let mut world = World::new(max, 1, Beyond::Refuse(Duration::from_millis(20))).noisy(noise);
        world.run(50);
        world.capacity = capacity;
        world.run(600);
        let limit = world.controller.reached().last;
        prop_assert!(limit * 2 >= capacity.min(max) / 2, "{} of {}", limit, capacity.min(max));
    }
}
