//! Buffers that are read into again once nobody looks at what stood in them.
//!
//! Each would else be a new allocation of its size, which the system has to find pages for, fill with zeros, and take back.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many buffers wait at most to be used again.
const MOST: usize = 8;

/// As few bytes as that are copied: what trickles in must not hold a large buffer for each record.
pub(super) const FEW: usize = 16 * 1024;

/// Buffers of about one size.
#[derive(Clone)]
pub(super) struct Buffers {
    /// How many bytes they have at the start.
    least: usize,
    /// How large they may grow; those that did more are not used again.
    most: usize,
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A buffer that goes home when the last slice of it is gone.
struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    pub(super) fn new(least: usize, most: usize) -> Self {
        let idle = Arc::default();
        Self { least, most, idle }
    }

    /// One with whatever stood in it before.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let used = idle.pop();
        drop(idle);
        used.unwrap_or_else(|| vec![0; self.least])
    }

    /// Shares one that was taken here.
    pub(super) fn share(&self, buffer: Vec<u8>) -> Bytes {
        if buffer.len() <= FEW && buffer.capacity() > FEW {
            let few = Bytes::copy_from_slice(&buffer);
            self.put(buffer);
            return few;
        }
        let home = self.clone();
        Bytes::from_owner(Lent { buffer, home })
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() >= self.least && buffer.capacity() <= self.most && idle.len() < MOST {
            idle.push(buffer);
        }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.put(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(buffers: &Buffers) -> usize {
        buffers.idle.lock().unwrap().len()
    }

    #[test]
    fn a_buffer_is_used_again_when_the_last_slice_of_it_is_gone() {
        let buffers = Buffers::new(4, 8);
        let mut buffer = buffers.take();
        buffer.copy_from_slice(b"abcd");
        let whole = buffers.share(buffer);
        let slice = whole.slice(1..3);
        drop(whole);
        assert_eq!((&slice[..], idle(&buffers)), (&b"bc"[..], 0));
        drop(slice);
        assert_eq!((idle(&buffers), &buffers.take()[..]), (1, &b"abcd"[..]));
        assert_eq!((idle(&buffers), &buffers.take()[..]), (0, &[0; 4][..]));
    }

    #[test]
    fn few_bytes_are_shared_without_the_large_buffer_that_they_stood_in() {
        let buffers = Buffers::new(0, 1 << 20);
        let mut buffer = Vec::with_capacity(1 << 20);
        buffer.extend_from_slice(b"few");
        let few = buffers.share(buffer);
        assert_eq!((&few[..], idle(&buffers)), (&b"few"[..], 1));
        assert_eq!(buffers.take().capacity(), 1 << 20);
    }

    #[test]
    fn neither_buffers_that_grew_too_large_nor_too_many_are_kept() {
        let buffers = Buffers::new(4, 8);
        drop(buffers.share(vec![0; 9]));
        drop(buffers.share(vec![0; 3]));
        assert_eq!(idle(&buffers), 0);
        drop(buffers.share(vec![0; 8]));
        assert_eq!(idle(&buffers), 1);
        let many: Vec<Bytes> = (0..2 * MOST).map(|_| buffers.share(buffers.take())).collect();
        drop(many);
        assert_eq!(idle(&buffers), MOST);
    }
}
