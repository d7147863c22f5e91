//! The body of a request, which may be read by a handler or by nobody. What nobody has read is read before the answer goes out: a
//! client that is cut off while it still writes never sees the answer that tells it why.

use crate::Error;
use crate::host;
use bytes::{Bytes, BytesMut};
use http::Method;
use http_body_util::BodyExt;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// The largest body of a request, bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How much of a body that nobody wants is still read, bytes.
const DISCARDED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The body of one request. Its clones are the same body, and one of them has it.
#[derive(Clone)]
pub(crate) struct Unread(Rc<Cell<Option<IncomingRequestBody>>>);

impl Unread {
    /// The body of a request with this method. One without a length that should have none is not looked for.
    pub(crate) fn new(method: &Method, body: IncomingRequestBody) -> Self {
        let has_one = may_have_a_body(method, &body);
        Self(Rc::new(Cell::new(has_one.then_some(body))))
    }

    /// Reads it.
    ///
    /// # Errors
    /// 413 for more than [`BODY_BYTES_MAX`], 408 where it does not arrive, 400 where it breaks off.
    pub(crate) async fn read(&self) -> Result<Bytes, Error> {
        let Some(body) = self.0.take() else { return Ok(Bytes::new()) };
        let read = read(body, BODY_BYTES_MAX);
        host::within(BODY_TIME_MAX, read).await.unwrap_or(Err(Error::Slow))
    }

    /// Reads what nobody has read, and forgets it.
    pub(crate) async fn discard(&self) {
        if let Some(body) = self.0.take() {
            // The answer goes out all the same.
            let _ = host::within(BODY_TIME_MAX, read(body, 0)).await;
        }
    }
}

fn may_have_a_body(method: &Method, body: &impl http_body::Body) -> bool {
    match body.size_hint().upper() {
        Some(bytes) => bytes > 0,
        None => !matches!(*method, Method::GET | Method::HEAD),
    }
}

/// Keeps so many bytes. More is read up to [`DISCARDED_BYTES_MAX`] and not kept.
async fn read<B>(mut body: B, kept_bytes_max: usize) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut kept = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::Malformed("the body broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= kept_bytes_max {
            kept.extend_from_slice(&data);
        } else if seen > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if seen > kept_bytes_max { Err(Error::TooLarge(kept_bytes_max)) } else { Ok(kept.freeze()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::stream;
    use http_body::Frame;
    use http_body_util::{Empty, Full, StreamBody};
    use std::convert::Infallible;

    /// A body of so many pieces of 64 KiB, and a count of those that were read.
    fn pieces(count: usize) -> (impl http_body::Body<Data = Bytes> + Unpin, Rc<Cell<usize>>) {
        let read = Rc::new(Cell::new(0));
        let counter = Rc::clone(&read);
        let frames = (0..count).map(move |_| {
            counter.set(counter.get() + 1);
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'x'; BODY_BYTES_MAX])))
        });
        (StreamBody::new(stream::iter(frames)), read)
    }

    #[test]
    fn a_body_up_to_the_limit_is_kept() {
        let (body, _) = pieces(1);
        assert_eq!(block_on(read(body, BODY_BYTES_MAX)).expect("a body").len(), BODY_BYTES_MAX);
    }

    #[test]
    fn a_body_beyond_the_limit_is_read_to_its_end_before_it_is_refused() {
        for kept_bytes_max in [BODY_BYTES_MAX, 0] {
            let (body, seen) = pieces(100);
            let refused = block_on(read(body, kept_bytes_max));
            assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
            assert_eq!(seen.get(), 100);
        }
    }

    #[test]
    fn nobody_is_read_for_ever() {
        let (body, seen) = pieces(10_000);
        assert!(block_on(read(body, 0)).is_err());
        assert_eq!(seen.get(), DISCARDED_BYTES_MAX / BODY_BYTES_MAX + 1);
    }

    #[test]
    fn only_a_request_that_can_have_a_body_is_asked_for_one() {
        let (unknown, _) = pieces(1);
        assert!(may_have_a_body(&Method::POST, &unknown));
        assert!(!may_have_a_body(&Method::GET, &unknown));
        assert!(may_have_a_body(&Method::GET, &Full::new(Bytes::from_static(b"x"))));
        assert!(!may_have_a_body(&Method::POST, &Empty::<Bytes>::new()));
    }
}
