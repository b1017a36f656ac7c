//! Who is woken when something happens on a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Wakes whoever listens, and nobody while nobody does: what an idle connection has to tell is found out by the request that
/// would use it. hyper and the socket know the bell alone, and so need not be told of a new listener by a poll.
#[derive(Default)]
pub(super) struct Bell {
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes this task from now on, or nobody.
    pub(super) fn tell(&self, listener: Option<&Waker>) {
        let mut told = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        match (told.as_mut(), listener) {
            (Some(told), Some(listener)) => told.clone_from(listener),
            _ => *told = listener.cloned(),
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            listener.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_listens_is_woken_and_nobody_else() {
        let bell = Arc::new(Bell::default());
        let rope = Waker::from(Arc::clone(&bell));
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        rope.wake_by_ref();
        bell.tell(Some(&Waker::from(Arc::clone(&first))));
        rope.wake_by_ref();
        bell.tell(Some(&Waker::from(Arc::clone(&second))));
        rope.wake_by_ref();
        rope.wake_by_ref();
        bell.tell(None);
        rope.wake();
        let woken = [first, second].map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [1, 2]);
    }
}
