//! What has come over a connection and was not looked at yet.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use super::cause::Fault;

/// How much is read at once, first and at most. The head of a reply has to fit in all of it.
const LEAST: usize = 8 << 10;
const MOST: usize = 64 << 10;

/// A buffer that is filled from a connection and emptied from its start.
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; LEAST],
            start: 0,
            end: 0,
        }
    }

    /// What is in it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes so many bytes out of it.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start = (start + count).min(self.end);
        &self.buffer[start..self.start]
    }

    /// Reads what there is, and says how much that was: nothing at the end. An error where there is no room for it.
    pub(super) fn poll_fill(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Fault>> {
        self.make_room()?;
        let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
        std::task::ready!(Pin::new(stream).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }

    fn make_room(&mut self) -> Result<(), Fault> {
        // Whoever filled it whole may have more to say.
        let is_full = self.end == self.buffer.len();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if is_full && self.buffer.len() < MOST {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.end < self.buffer.len() {
            true => Ok(()),
            false => Err(Fault::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(input: &mut Input, mut from: &[u8]) -> Result<usize, Fault> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match input.poll_fill(&mut from, &mut cx) {
            Poll::Ready(filled) => filled,
            Poll::Pending => panic!("a slice is always ready"),
        }
    }

    #[test]
    fn what_is_taken_goes_and_what_stays_is_followed_by_more() {
        let mut input = Input::new();
        assert_eq!(fill(&mut input, b"one two").unwrap(), 7);
        assert_eq!(input.take(4), b"one ");
        assert_eq!(fill(&mut input, b" three").unwrap(), 6);
        assert_eq!(input.bytes(), b"two three");
        assert_eq!(input.take(100), b"two three");
        assert!(input.is_empty());
        assert_eq!(fill(&mut input, b"").unwrap(), 0);
    }

    #[test]
    fn it_grows_while_it_is_filled_whole_and_no_further_than_it_may() {
        let (mut input, endless) = (Input::new(), vec![b'x'; 2 * MOST]);
        let mut sizes = Vec::new();
        let error = loop {
            match fill(&mut input, &endless) {
                Ok(count) => sizes.push(count),
                Err(error) => break error,
            }
        };
        assert_eq!(sizes, [8 << 10, 8 << 10, 16 << 10, 32 << 10]);
        assert!(matches!(error, Fault::TooLong));
        input.take(MOST);
        assert_eq!(fill(&mut input, &endless).unwrap(), MOST);
    }
}
