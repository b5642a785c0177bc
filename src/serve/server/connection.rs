//! Limits on connections: their number, and the time for a request's head.
//!
//! The HTTP library has one time limit, both for idle connections and for slow heads. It is set for idle connections;
//! heads are timed here.

use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{Request, Version};
use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tower::Service;

/// The longest time for the head of a request, from its first byte to its last.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// The limit on open connections. Further ones are closed at once.
#[derive(Clone)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
}

/// A connection within the limit.
pub(super) struct Connection<I> {
    stream: I,
    _place: OwnedSemaphorePermit,
    requests: Arc<Requests>,
    /// The deadline of a head that has begun to arrive, with the number of requests before it.
    head: Option<(usize, Pin<Box<Sleep>>)>,
}

/// The requests of a connection.
#[derive(Debug, Default)]
struct Requests {
    /// The number of those that have begun.
    begun: AtomicUsize,
    /// The number of those that are not answered yet.
    open: AtomicUsize,
    /// Whether they arrive in frames of HTTP/2. Frames between requests are no heads, and are not timed.
    are_framed: AtomicBool,
}

/// A service that counts the requests of a connection.
#[derive(Clone)]
pub(super) struct Counting<S> {
    inner: S,
    requests: Arc<Requests>,
}

/// A request that is not answered yet.
struct Open(Arc<Requests>);

impl Gate {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
        }
    }
}

/// The stream of an accepted connection.
pub(super) trait Prepare {
    /// Sets it to send short messages without delay.
    fn prepare(&self) -> io::Result<()>;
}

impl Prepare for TcpStream {
    fn prepare(&self) -> io::Result<()> {
        self.set_nodelay(true)
    }
}

#[cfg(unix)]
impl Prepare for tokio::net::UnixStream {
    fn prepare(&self) -> io::Result<()> {
        Ok(())
    }
}

impl<I: Prepare, S> Accept<I, S> for Gate {
    type Stream = Connection<I>;
    type Service = Counting<S>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return ready(Err(io::Error::other("there are too many connections")));
        };
        let requests = Arc::<Requests>::default();
        let counting = Counting {
            inner: service,
            requests: Arc::clone(&requests),
        };
        ready(stream.prepare().map(|()| {
            let connection = Connection {
                stream,
                _place: place,
                requests,
                head: None,
            };
            (connection, counting)
        }))
    }
}

impl<S, B> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let requests = Arc::clone(&self.requests);
        if request.version() == Version::HTTP_2 {
            requests.are_framed.store(true, Ordering::Relaxed);
        }
        requests.begun.fetch_add(1, Ordering::Relaxed);
        requests.open.fetch_add(1, Ordering::Relaxed);
        let open = Open(requests);
        let answered = self.inner.call(request);
        Box::pin(async move {
            let response = answered.await;
            drop(open);
            response
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<I> Connection<I> {
    /// Whether the next bytes belong to the head of a request.
    fn is_at_head(&self) -> bool {
        self.requests.open.load(Ordering::Relaxed) == 0
            && !self.requests.are_framed.load(Ordering::Relaxed)
    }

    /// Sets the deadline of a head when its first bytes arrive.
    fn begin_head(&mut self) {
        let begun = self.requests.begun.load(Ordering::Relaxed);
        let is_timed = self.head.as_ref().is_some_and(|(of, _)| *of == begun);
        if !self.is_at_head() {
            self.head = None;
        } else if !is_timed {
            self.head = Some((begun, Box::pin(sleep(HEAD))));
        }
    }

    /// Whether the deadline of a head has passed.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let begun = self.requests.begun.load(Ordering::Relaxed);
        let is_at_head = self.is_at_head();
        match &mut self.head {
            Some((of, end)) if *of == begun && is_at_head => end.as_mut().poll(context).is_ready(),
            _ => false,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match &read {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => self.begin_head(),
            Poll::Pending if self.is_late(context) => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            _ => {}
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
