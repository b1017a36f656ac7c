//! One connection, and the requests that go over it one after the other.
//!
//! The task that sends a request drives the connection too: hyper's connection is polled where its outcome is waited for, so
//! no task stands in between that would have to be woken. Dropping a link in the middle of a request closes the connection.
//!
//! Only the connection, which wakes whoever waits for the socket, is polled with a waker that wakes the task: a [`Bell`], which is
//! silent while a request is handed over and while the connection is idle. What comes through hyper's channels is looked
//! at right after, with a waker that does nothing, as another wake-up would tell nothing new.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until};
use url::{Position, Url};

use super::bell::Bell;
use super::origin::Origin;
use super::stream::Stream;

/// A request as hyper takes it.
pub(super) type Outgoing = http::Request<Full<Bytes>>;

pub(super) struct Link {
    origin: Origin,
    sender: SendRequest<Full<Bytes>>,
    /// Nothing once it has ended.
    connection: Option<Connection<TokioIo<Stream>, Full<Bytes>>>,
    bell: Arc<Bell>,
    /// Rings the bell.
    rope: Waker,
    /// When the attempt is given up. It stays from one attempt to the next: a timer that is put off costs no lock.
    timer: Pin<Box<Sleep>>,
    /// What was asked for last, since the next request often asks for the same.
    target: Uri,
}

/// Why no status came.
#[derive(Debug)]
pub(super) enum Broken {
    /// No byte of the request was written: the connection had ended before.
    Unsent(hyper::Error),
    /// It may have been written.
    Lost(hyper::Error),
    /// Time ran out.
    Late,
}

/// A piece of a reply's body.
#[derive(Debug)]
pub(super) enum Piece {
    Data(Bytes),
    End,
    /// The rest is lost, or late.
    Lost,
}

impl Link {
    pub(super) async fn open(stream: Stream, origin: Origin, target: Uri) -> hyper::Result<Box<Self>> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let bell = Arc::new(Bell::default());
        Ok(Box::new(Self {
            rope: Waker::from(Arc::clone(&bell)),
            bell,
            origin,
            sender,
            connection: Some(connection),
            timer: Box::pin(sleep_until(Instant::now())),
            target,
        }))
    }

    /// Where it leads to.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it leads to where this URL does.
    pub(super) fn leads_to(&self, url: &Url) -> bool {
        self.origin.is_of(url)
    }

    /// What to ask for to get this URL, as path and query.
    pub(super) fn target(&mut self, url: &Url) -> Result<Uri, http::uri::InvalidUri> {
        let wanted = &url[Position::BeforePath..Position::AfterQuery];
        let last = self.target.path_and_query();
        if last.is_none_or(|last| last.as_str() != wanted) {
            self.target = target(url)?;
        }
        Ok(self.target.clone())
    }

    /// Sends a request and waits for the head of the reply, until `deadline`, which holds for the reply's body as well.
    pub(super) async fn exchange(
        &mut self,
        request: Outgoing,
        deadline: Instant,
    ) -> Result<Response<Incoming>, Broken> {
        self.timer.as_mut().reset(deadline);
        let mut sent = pin!(self.sender.try_send_request(request));
        let mut is_first = true;
        poll_fn(|cx| {
            if !std::mem::take(&mut is_first) && self.is_late() {
                return Poll::Ready(Err(Broken::Late));
            }
            self.drive(cx);
            match sent.as_mut().poll(&mut quiet()) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(match error.message() {
                    Some(_) => Broken::Unsent(error.into_error()),
                    None => Broken::Lost(error.into_error()),
                })),
                Poll::Pending => self.timer.as_mut().poll(cx).map(|()| Err(Broken::Late)),
            }
        })
        .await
    }

    /// The next piece of a reply's body.
    pub(super) async fn piece(&mut self, body: &mut Incoming) -> Piece {
        poll_fn(|cx| {
            if self.is_late() {
                return Poll::Ready(Piece::Lost);
            }
            // The connection reads no more than somebody asks for.
            if let Poll::Ready(piece) = poll_piece(body) {
                return Poll::Ready(piece);
            }
            self.drive(cx);
            match poll_piece(body) {
                Poll::Ready(piece) => Poll::Ready(piece),
                Poll::Pending => self.timer.as_mut().poll(cx).map(|()| Piece::Lost),
            }
        })
        .await
    }

    /// Whether time has run out. The timer alone does not tell: while a server sends without a break, the task has always
    /// something to do, and tokio lets no timer of it fire.
    fn is_late(&self) -> bool {
        Instant::now() >= self.timer.deadline()
    }

    /// Whether another request can go over it, now that a reply was read to its end. From then on nobody is woken by it.
    pub(super) fn is_reusable(&mut self) -> bool {
        self.bell.tell(None);
        // After a reply with a body the connection has yet to find out that it is at the end.
        if !self.sender.is_ready() {
            self.poll();
        }
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Lets the connection write and read what it can, and wake the task when it can do more. How it ended is told to whoever
    /// waits for something from it.
    fn drive(&mut self, cx: &mut Context<'_>) {
        // First, so that nothing happens between this poll and the wait for the bell.
        self.bell.tell(Some(cx.waker()));
        self.poll();
    }

    fn poll(&mut self) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection)
                .poll(&mut Context::from_waker(&self.rope))
                .is_ready()
        {
            self.connection = None;
        }
    }
}

/// What to ask for to get this URL. A URL that another transport would not send is not sent by this one either.
pub(super) fn target(url: &Url) -> Result<Uri, http::uri::InvalidUri> {
    let whole = Uri::try_from(url.as_str())?.into_parts();
    Ok(whole.path_and_query.map(Uri::from).unwrap_or_default())
}

fn quiet() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn poll_piece(body: &mut Incoming) -> Poll<Piece> {
    // hyper knows the end of most bodies by their last byte.
    if body.is_end_stream() {
        return Poll::Ready(Piece::End);
    }
    Pin::new(body).poll_frame(&mut quiet()).map(|frame| match frame {
        None => Piece::End,
        Some(Err(_)) => Piece::Lost,
        // Trailers are no part of the body, and come last.
        Some(Ok(frame)) => Frame::into_data(frame).map_or(Piece::End, Piece::Data),
    })
}
