//! The bytes between this host and a server, looked at on their way.
//!
//! Whether a connection may be given to somebody else is known to the protocol alone: each request is answered by one
//! `ReadyForQuery`, which also says whether a transaction is open. tokio-postgres keeps that to itself, so the stream below it is
//! watched.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use super::tls::Transport;

/// The state that the server reports after a request outside of a transaction.
const IDLE: u8 = b'I';

/// What is known of a connection from what went over it. Written by its stream, read by its owner.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Requests that were sent to their last byte, and answers that were read to theirs.
    sent: AtomicU64,
    answered: AtomicU64,
    /// The last state that the server reported.
    state: AtomicU8,
    /// Part of a request is not sent yet.
    unsent: AtomicBool,
    /// The number of the last request that cleans, and whether one failed.
    cleaning: AtomicU64,
    uncleaned: AtomicBool,
}

impl Watch {
    /// Begins anew: the next attempt to connect uses the same watch.
    pub(super) fn reset(&self) {
        self.sent.store(0, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
        self.state.store(0, Ordering::Relaxed);
        self.unsent.store(false, Ordering::Relaxed);
        self.cleaning.store(0, Ordering::Relaxed);
        self.uncleaned.store(false, Ordering::Relaxed);
    }

    /// Whether everything that was asked has been answered.
    pub(super) fn is_quiet(&self) -> bool {
        self.sent.load(Ordering::Relaxed) == self.answered.load(Ordering::Relaxed)
            && !self.unsent.load(Ordering::Relaxed)
    }

    /// Whether no transaction was open after the last answer.
    pub(super) fn is_idle(&self) -> bool {
        self.state.load(Ordering::Relaxed) == IDLE
    }

    /// Notes that the next request cleans.
    pub(super) fn cleans(&self) {
        self.cleaning.store(self.sent.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// Whether a request that cleans failed.
    pub(super) fn is_uncleaned(&self) -> bool {
        self.uncleaned.load(Ordering::Relaxed)
    }

    fn asked(&self, kind: u8) {
        // What the server answers with `ReadyForQuery`: the start, `Sync`, `Query` and `FunctionCall`.
        if matches!(kind, 0 | b'S' | b'Q' | b'F') {
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn told(&self, kind: u8, first: u8) {
        match kind {
            b'Z' => {
                self.state.store(first, Ordering::Relaxed);
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            b'E' => {
                let request = self.answered.load(Ordering::Relaxed).saturating_add(1);
                if request == self.cleaning.load(Ordering::Relaxed) {
                    self.uncleaned.store(true, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }
}

/// Finds the messages in a stream: a byte that says its kind, four for its length, its body.
#[derive(Debug, Default)]
struct Messages {
    /// The next message has no kind: the first one of a client.
    untyped: bool,
    kind: u8,
    /// The first byte of the body.
    first: u8,
    /// Bytes of the head that were seen.
    head: u8,
    length: u32,
    /// Bytes of the body to come, and whether some were seen.
    left: usize,
    within: bool,
}

impl Messages {
    fn of_client() -> Self {
        Self { untyped: true, ..Self::default() }
    }

    /// Whether a message has begun and not ended.
    fn is_within(&self) -> bool {
        self.head > 0
    }

    /// Reads on; `found` gets each message that ends, as its kind and the first byte of its body.
    fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(u8, u8)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                if !self.within {
                    self.first = byte;
                    self.within = true;
                }
                let count = self.left.min(bytes.len());
                self.left -= count;
                bytes = bytes.get(count..).unwrap_or_default();
            } else {
                bytes = rest;
                if self.head == 0 && !self.untyped {
                    self.kind = byte;
                } else {
                    self.length = self.length << 8 | u32::from(byte);
                }
                self.head += 1;
                if self.head < if self.untyped { 4 } else { 5 } {
                    continue;
                }
                // The length counts itself.
                self.left = usize::try_from(self.length).unwrap_or(usize::MAX).saturating_sub(4);
            }
            if self.left == 0 {
                found(self.kind, self.first);
                *self = Self::default();
            }
        }
    }
}

/// A connection's stream, watched.
pub(super) struct Watched {
    transport: Transport,
    watch: Arc<Watch>,
    asked: Messages,
    told: Messages,
}

impl Watched {
    pub(super) fn new(transport: Transport, watch: Arc<Watch>) -> Self {
        Self { transport, watch, asked: Messages::of_client(), told: Messages::default() }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.transport).poll_read(cx, buffer))?;
        let watch = &this.watch;
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        this.told.read(fresh, |kind, first| watch.told(kind, first));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.transport).poll_write(cx, bytes);
        let watch = &this.watch;
        match &written {
            Poll::Ready(Ok(count)) => {
                this.asked.read(bytes.get(..*count).unwrap_or_default(), |kind, _| watch.asked(kind));
                watch.unsent.store(*count < bytes.len() || this.asked.is_within(), Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) | Poll::Pending => watch.unsent.store(true, Ordering::Relaxed),
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_shutdown(cx)
    }
}

impl TlsStream for Watched {
    fn channel_binding(&self) -> ChannelBinding {
        self.transport.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_however_the_bytes_are_cut() {
        let start = [0, 0, 0, 8, 0, 3, 0, 0];
        let query = [b'Q', 0, 0, 0, 6, b'x', 0];
        let sync = [b'S', 0, 0, 0, 4];
        let bytes: Vec<u8> = start.iter().chain(&query).chain(&sync).copied().collect();
        for size in 1..=bytes.len() {
            let (mut messages, mut found) = (Messages::of_client(), Vec::new());
            for part in bytes.chunks(size) {
                messages.read(part, |kind, first| found.push((kind, first)));
            }
            assert_eq!(found, [(0, 0), (b'Q', b'x'), (b'S', 0)], "in parts of {size}");
            assert!(!messages.is_within());
        }
    }

    #[test]
    fn a_connection_is_quiet_when_every_request_has_its_answer_and_idle_when_the_last_one_said_so() {
        let watch = Watch::default();
        assert!(watch.is_quiet() && !watch.is_idle());
        watch.asked(0);
        watch.asked(b'p');
        assert!(!watch.is_quiet());
        watch.told(b'Z', b'I');
        assert!(watch.is_quiet() && watch.is_idle());
        watch.asked(b'Q');
        watch.told(b'E', b'S');
        watch.told(b'Z', b'E');
        assert!(watch.is_quiet() && !watch.is_idle() && !watch.is_uncleaned());
    }

    #[test]
    fn only_the_failure_of_a_request_that_cleans_leaves_a_connection_unclean() {
        let watch = Watch::default();
        watch.asked(b'Q');
        watch.told(b'Z', b'I');
        watch.cleans();
        watch.asked(b'Q');
        watch.asked(b'S');
        watch.told(b'Z', b'I');
        watch.told(b'E', b'S');
        watch.told(b'Z', b'I');
        assert!(!watch.is_uncleaned());
        watch.cleans();
        watch.asked(b'Q');
        watch.told(b'E', b'S');
        assert!(watch.is_uncleaned());
    }
}
