//! One connection, and the requests that go over it one after the other.
//!
//! The task that sends a request writes it and reads its reply: no task stands in between that would have to be woken. While
//! a connection is idle nobody reads from it. Dropping a link in the middle of a request closes the connection.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Method;
use http::uri::InvalidUri;
use tokio::io::AsyncWrite;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep, sleep_until};
use url::Url;

use super::super::Request;
use super::answer::Answer;
use super::cause::Fault;
use super::framing::{Framing, Step};
use super::head::Head;
use super::input::Input;
use super::origin::Origin;
use super::stream::Stream;

pub(super) struct Link {
    origin: Origin,
    stream: Stream,
    input: Input,
    head: Head,
    /// The body of the request that is under way.
    body: Bytes,
    method: Method,
    /// How many bytes of the request, its head included, are written.
    written: usize,
    stage: Stage,
    /// Where the body of the reply ends that is under way.
    framing: Framing,
    keeps: bool,
    /// Whether a request went over it before.
    is_used: bool,
    /// When the attempt is given up. It stays from one attempt to the next: a timer that is put off costs no lock.
    timer: Pin<Box<Sleep>>,
    /// When it was last looked for something of the server's, or the connection was made.
    heard: Instant,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of it was written, and it is not known whether the connection has ended.
    Loaded,
    Begun,
    /// All of it has left for the server.
    Sent,
}

/// Why no status came.
#[derive(Debug)]
pub(super) enum Broken {
    /// No byte of the request was written: the connection had ended before.
    Unsent(Fault),
    /// It may have been written.
    Lost(Fault),
    /// Time ran out.
    Late,
}

/// A piece of a reply's body.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Data(&'a [u8]),
    End,
    /// The rest is lost, or late.
    Lost,
}

/// A piece that is still among what came.
enum Found {
    Data(usize),
    End,
    Lost,
}

impl Link {
    pub(super) fn new(stream: Stream, origin: Origin) -> Box<Self> {
        let heard = Instant::now();
        Box::new(Self {
            origin,
            stream,
            input: Input::new(),
            head: Head::new(),
            body: Bytes::new(),
            method: Method::GET,
            written: 0,
            stage: Stage::Loaded,
            framing: Framing::Length(0),
            keeps: false,
            is_used: false,
            timer: Box::pin(sleep_until(heard)),
            heard,
        })
    }

    /// Whether it leads to where this URL does.
    pub(super) fn leads_to(&self, url: &Url) -> bool {
        self.origin.is_of(url)
    }

    /// When it was last looked for something of the server's: for a connection that is idle, when its last reply came.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// Makes a request ready that is [exchanged](Self::exchange) next.
    pub(super) fn load(&mut self, request: &Request) -> Result<(), InvalidUri> {
        self.head.set(request, &self.origin.header)?;
        self.body.clone_from(&request.body);
        self.method.clone_from(&request.method);
        self.written = 0;
        self.stage = Stage::Loaded;
        Ok(())
    }

    /// Sends the request and waits for the head of the reply, until `deadline`, which holds for the reply's body as well.
    pub(super) async fn exchange(&mut self, deadline: Instant) -> Result<Answer, Broken> {
        self.timer.as_mut().reset(deadline);
        poll_fn(|cx| {
            let is_begun = self.stage != Stage::Loaded;
            let asked = match is_begun && self.is_late() {
                true => Poll::Ready(Err(Broken::Late)),
                false if is_begun => self.poll_answer(cx),
                false => self.poll_first(cx),
            };
            match asked {
                Poll::Pending => self.timer.as_mut().poll(cx).map(|()| Err(Broken::Late)),
                answered @ Poll::Ready(_) => answered,
            }
        })
        .await
    }

    /// Sends what can be sent at once. Of a connection that was used before it is found out first whether it has ended since.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Broken>> {
        if !std::mem::replace(&mut self.is_used, true) {
            self.stage = Stage::Begun;
            return self.poll_answer(cx);
        }
        match self.input.poll_fill(&mut self.stream, cx) {
            // tokio tells a task nothing of its connections that has done much without a break, and has it come again: what
            // was not looked for then would be taken for the reply.
            Poll::Pending if !has_budget_remaining() => return Poll::Pending,
            Poll::Pending => self.stage = Stage::Begun,
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(Broken::Unsent(Fault::Closed))),
            Poll::Ready(Ok(_)) => return Poll::Ready(Err(Broken::Unsent(Fault::Unasked))),
            Poll::Ready(Err(fault)) => return Poll::Ready(Err(Broken::Unsent(fault))),
        }
        match self.poll_write(cx) {
            // Nothing was there to be read, and whoever asked is woken when that changes.
            Poll::Pending | Poll::Ready(Ok(())) => Poll::Pending,
            Poll::Ready(Err(_)) => self.poll_answer(cx),
        }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Broken>> {
        let written = self.poll_write(cx);
        loop {
            match self.input.poll_fill(&mut self.stream, cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Broken::Lost(Fault::Closed))),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(Broken::Lost(fault))),
            }
            match self.answer() {
                Ok(None) => {}
                Ok(Some(answer)) => return Poll::Ready(Ok(answer)),
                Err(fault) => return Poll::Ready(Err(Broken::Lost(fault))),
            }
        }
        match written {
            // What the server had said before is read first: it may be the reason. A connection that was reset is about to be
            // read to its end, even if tokio has not heard of that yet.
            Poll::Ready(Err(error)) if !is_reset(&error) => Poll::Ready(Err(Broken::Lost(error.into()))),
            _ => Poll::Pending,
        }
    }

    /// The head of the reply, if it is there to its end.
    fn answer(&mut self) -> Result<Option<Answer>, Fault> {
        while let Some((length, answer)) = Answer::take(self.input.bytes(), &self.method)? {
            self.input.take(length);
            if let Some(answer) = answer {
                self.framing.clone_from(&answer.framing);
                self.keeps = answer.keeps;
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// The next piece of a reply's body.
    pub(super) async fn piece(&mut self) -> Piece<'_> {
        match poll_fn(|cx| self.poll_piece(cx)).await {
            Found::Data(count) => Piece::Data(self.input.take(count)),
            Found::End => Piece::End,
            Found::Lost => Piece::Lost,
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Found> {
        loop {
            match self.framing.next(self.input.bytes()) {
                Step::Data(count) => return Poll::Ready(Found::Data(count)),
                Step::Skip(count) => {
                    self.input.take(count);
                }
                Step::End => return Poll::Ready(Found::End),
                Step::Broken => return Poll::Ready(Found::Lost),
                Step::More => {
                    if self.is_late() {
                        return Poll::Ready(Found::Lost);
                    }
                    // A server may answer before it has read all: the rest goes out beside the answer. If it cannot, the
                    // connection is not used again.
                    let _ = self.poll_write(cx);
                    match self.input.poll_fill(&mut self.stream, cx) {
                        Poll::Pending => return self.timer.as_mut().poll(cx).map(|()| Found::Lost),
                        Poll::Ready(Ok(0)) if self.framing == Framing::Close => {
                            return Poll::Ready(Found::End);
                        }
                        Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Found::Lost),
                        Poll::Ready(Ok(_)) => {}
                    }
                }
            }
        }
    }

    /// Whether time has run out. The timer alone does not tell: while a server sends without a break, the task has always
    /// something to do, and tokio lets no timer of it fire.
    fn is_late(&mut self) -> bool {
        self.heard = Instant::now();
        self.heard >= self.timer.deadline()
    }

    /// Whether another request can go over it, now that a reply was read to its end.
    pub(super) fn is_reusable(&mut self) -> bool {
        // It would be held in memory for as long as the connection is idle.
        self.body = Bytes::new();
        self.keeps && self.stage == Stage::Sent && self.input.is_empty()
    }

    /// Writes what is left of the request.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stage == Stage::Sent {
            return Poll::Ready(Ok(()));
        }
        let (head, body) = (self.head.bytes(), &self.body[..]);
        while self.written < head.len() + body.len() {
            let stream = Pin::new(&mut self.stream);
            let count = match self.written.checked_sub(head.len()) {
                Some(place) => ready!(stream.poll_write(cx, &body[place..]))?,
                None if body.is_empty() => ready!(stream.poll_write(cx, &head[self.written..]))?,
                None => {
                    let parts = [IoSlice::new(&head[self.written..]), IoSlice::new(body)];
                    ready!(stream.poll_write_vectored(cx, &parts))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.stage = Stage::Sent;
        Poll::Ready(Ok(()))
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::net::TcpStream;
    use tokio::task::yield_now;

    use super::super::stream::Plain;
    use super::*;

    #[tokio::test]
    async fn what_a_server_said_before_it_went_away_is_heard_where_writing_fails_first() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut link = Link::new(Stream::Plain(Plain::new(stream)), Origin::of(&url).unwrap());
        let large = Request::new(Method::POST, url, vec![b'a'; 64 << 20]);
        link.load(&large).unwrap();
        let mut exchange = pin!(link.exchange(Instant::now() + Duration::from_secs(10)));
        let begun = poll_fn(|cx| Poll::Ready(exchange.as_mut().poll(cx))).await;
        assert!(begun.is_pending());
        // There is room again, and the task that writes is told of it.
        server.read_exact(&mut vec![0; 2 << 20]).unwrap();
        yield_now().await;
        server
            .write_all(b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        drop(server);
        assert_eq!(exchange.await.unwrap().status, 413);
    }
}
