//! Bodies: those that are sent and those that are read.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

use super::pace::Busy;

/// The parts of a body that becomes known bit by bit.
pub(crate) trait Parts: Send {
    /// The next part, or why it breaks off; none at the end.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>>;
}

/// The body of a request or an answer that is sent.
pub(crate) enum Body {
    /// All of it is known.
    Whole(Bytes),
    /// It goes out in chunks.
    Parts(Box<dyn Parts>),
    /// It comes from somewhere else, and may break off.
    Piped(Pipe),
}

/// Why a body breaks off.
#[derive(Debug)]
pub(crate) struct Broken(String);

impl Broken {
    /// Nothing came for too long.
    pub(crate) fn late() -> Self {
        Self("nothing came in time".to_owned())
    }

    /// The reader does not keep up with what is to be told.
    pub(crate) fn too_slow() -> Self {
        Self("the reader has fallen too far behind".to_owned())
    }
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl Body {
    pub(crate) const fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// The same body; the request counts as being carried out for as long as it goes on.
    pub(super) fn during(self, busy: Busy) -> Self {
        match self {
            Self::Whole(bytes) => Self::Whole(bytes),
            Self::Parts(parts) => Self::Parts(Box::new(During { parts, _busy: busy })),
            Self::Piped(pipe) => Self::Piped(Box::pin(Piped { pipe, _busy: busy })),
        }
    }
}

/// Parts while which a request is being carried out.
struct During {
    parts: Box<dyn Parts>,
    _busy: Busy,
}

impl Parts for During {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        self.parts.poll_part(cx)
    }
}

type Pipe = Pin<Box<dyn hyper::body::Body<Data = Bytes, Error = Broken> + Send>>;

/// A piped body while which a request is being carried out.
struct Piped {
    pipe: Pipe,
    _busy: Busy,
}

impl hyper::body::Body for Piped {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.pipe.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.pipe.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.pipe.size_hint()
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Parts(parts) => parts.poll_part(cx).map(|part| Some(part?.map(Frame::data))),
            Self::Piped(pipe) => pipe.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Parts(_) => false,
            Self::Piped(pipe) => pipe.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Parts(_) => SizeHint::default(),
            Self::Piped(pipe) => pipe.size_hint(),
        }
    }
}

/// What came of reading a whole body.
pub(crate) enum Whole {
    /// All of it.
    Bytes(Bytes),
    /// It is longer than was allowed; here is as much.
    TooLong(Bytes),
    /// The connection failed before its end.
    Broken(String),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body<B>(mut body: B, limit: usize) -> Whole
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: fmt::Display,
{
    if body.is_end_stream() {
        return Whole::Bytes(Bytes::new());
    }
    // Most bodies come in one piece, which is then passed on as it is.
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let mut data = match frame.map(Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers say nothing that anybody here asks for.
            Ok(Err(_)) => continue,
            Err(error) => return Whole::Broken(error.to_string()),
        };
        let room = limit.saturating_sub(first.as_ref().map_or(rest.len(), Bytes::len));
        let too_long = data.len() > room;
        data.truncate(room);
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(head) => {
                rest.extend_from_slice(&head);
                rest.extend_from_slice(&data);
            }
        }
        if too_long {
            return Whole::TooLong(first.unwrap_or_else(|| rest.freeze()));
        }
    }
    Whole::Bytes(first.unwrap_or_else(|| rest.freeze()))
}
