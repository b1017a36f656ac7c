//! How long a simulated process lives: every step that it takes is counted, and after the last one it is gone.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::sync::watch;

use super::plan::Cut;

/// The life of one process. Its steps are the polls of the run, and what its requests meet on their way.
#[derive(Debug, Clone)]
pub(super) struct Life(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    cut: Option<Cut>,
    steps: u64,
    is_over: bool,
    signal: watch::Sender<Option<i32>>,
    waker: Option<Waker>,
}

impl Life {
    pub(super) fn new(cut: Option<Cut>, signal: watch::Sender<Option<i32>>) -> Self {
        Self(Arc::new(Mutex::new(State {
            cut,
            steps: 0,
            is_over: false,
            signal,
            waker: None,
        })))
    }

    /// Takes a step. It never comes back from the last one.
    pub(super) async fn step(&self) {
        if !self.take_step() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether there is life after this step.
    fn take_step(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        state.steps += 1;
        match state.cut {
            Some(Cut::Kill(steps)) if state.steps >= steps => {
                state.is_over = true;
                if let Some(waker) = &state.waker {
                    waker.wake_by_ref();
                }
            }
            Some(Cut::Stop(steps, _)) if state.steps == steps => {
                state.signal.send_replace(Some(15));
            }
            _ => {}
        }
        !state.is_over
    }
}

/// A run that may die at any poll. Its output is none then.
pub(super) struct Mortal<F> {
    pub(super) run: Pin<Box<F>>,
    pub(super) life: Life,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.life.0.lock().unwrap().waker = Some(context.waker().clone());
        if !self.life.take_step() {
            return Poll::Ready(None);
        }
        let polled = self.run.as_mut().poll(context);
        // What died while it was polled has no output either.
        match self.life.0.lock().unwrap().is_over {
            true => Poll::Ready(None),
            false => polled.map(Some),
        }
    }
}
