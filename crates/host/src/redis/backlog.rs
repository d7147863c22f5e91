//! Messages that wait for their handler.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use super::lock;

/// Messages that may wait for one trigger address. Delivery is at most once, so what comes on top is lost.
const WAITING_MAX: usize = 1_024;

/// A message of a channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) channel: String,
    pub(super) payload: Vec<u8>,
}

/// The messages that wait for one trigger address.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: Mutex<VecDeque<Message>>,
    arrived: Notify,
}

impl Backlog {
    /// Adds a message. An empty one says "look again", which an empty one that waits already says.
    pub(super) fn push(&self, channel: &str, payload: &[u8]) {
        let mut waiting = lock(&self.waiting);
        let told = payload.is_empty()
            && waiting.iter().any(|message| message.channel == channel && message.payload.is_empty());
        if told {
            return;
        }
        if waiting.len() >= WAITING_MAX {
            tracing::warn!(channel, "more than {WAITING_MAX} messages wait for their handler: one is lost");
            return;
        }
        waiting.push_back(Message { channel: channel.to_owned(), payload: payload.to_vec() });
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Takes the oldest message, waiting for one if need be. For one caller at a time.
    pub(super) async fn pop(&self) -> Message {
        loop {
            if let Some(message) = lock(&self.waiting).pop_front() {
                return message;
            }
            self.arrived.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bells_for_the_same_channel_are_one_bell_and_other_messages_are_kept() {
        let backlog = Backlog::default();
        for (channel, payload) in [("a", &b""[..]), ("b", b""), ("a", b""), ("a", b"1"), ("a", b"1")] {
            backlog.push(channel, payload);
        }
        let mut seen = Vec::new();
        for _ in 0..4 {
            let message = backlog.pop().await;
            seen.push((message.channel, message.payload));
        }
        let expected = [("a", &b""[..]), ("b", b""), ("a", b"1"), ("a", b"1")];
        assert_eq!(seen, expected.map(|(channel, payload)| (channel.to_owned(), payload.to_vec())));
        assert!(lock(&backlog.waiting).is_empty());
        backlog.push("a", b"");
        assert_eq!(backlog.pop().await.channel, "a", "a bell after the first was taken rings again");
    }

    #[test]
    fn the_backlog_is_bounded() {
        let backlog = Backlog::default();
        for _ in 0..WAITING_MAX + 10 {
            backlog.push("a", b"1");
        }
        assert_eq!(lock(&backlog.waiting).len(), WAITING_MAX);
    }
}
