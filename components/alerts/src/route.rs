//! Which way a notice goes. No I/O.

use restock_bindings::alerts::Channel;

/// The ways that there are. None: it is not configured, or nobody would read it.
pub(crate) struct Open<M, C> {
    pub(crate) mail: Option<M>,
    pub(crate) chat: Option<C>,
}

/// The way that a notice takes, and what it takes to go it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way<M, C> {
    Mail(M),
    Chat(C),
}

/// The way of a notice that is meant for a channel; none where there is none. One that is told on this channel only goes by the
/// other where its own is not there: better by the one that fails than by none.
pub(crate) fn way<M: Copy, C: Copy>(
    channel: Channel,
    only_channel: bool,
    open: &Open<M, C>,
) -> Option<Way<M, C>> {
    let mail = open.mail.map(Way::Mail);
    let chat = open.chat.map(Way::Chat);
    let (own, other) = match channel {
        Channel::Mail => (mail, chat),
        Channel::Chat => (chat, mail),
    };
    own.or(other.filter(|_| only_channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(mail: bool, chat: bool) -> Open<&'static str, ()> {
        Open { mail: mail.then_some("stock@example.com"), chat: chat.then_some(()) }
    }

    const MAIL: Option<Way<&str, ()>> = Some(Way::Mail("stock@example.com"));
    const CHAT: Option<Way<&str, ()>> = Some(Way::Chat(()));

    #[test]
    fn a_notice_goes_by_its_own_channel() {
        for only in [false, true] {
            assert_eq!(way(Channel::Mail, only, &open(true, true)), MAIL);
            assert_eq!(way(Channel::Chat, only, &open(true, true)), CHAT);
        }
    }

    #[test]
    fn a_notice_that_the_other_channel_also_gets_is_not_sent_there_twice() {
        assert_eq!(way(Channel::Mail, false, &open(false, true)), None);
        assert_eq!(way(Channel::Chat, false, &open(true, false)), None);
    }

    #[test]
    fn a_notice_for_one_channel_only_goes_by_the_other_rather_than_not_at_all() {
        assert_eq!(way(Channel::Mail, true, &open(false, true)), CHAT);
        assert_eq!(way(Channel::Chat, true, &open(true, false)), MAIL);
        assert_eq!(way(Channel::Chat, true, &open(false, false)), None);
    }
}
