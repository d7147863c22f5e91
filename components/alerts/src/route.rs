//! Which way a notice goes. No I/O.

use restock_bindings::alerts::{Channel, Occasion};
use restock_domain::attempt::Verdict;
use restock_domain::partner::{MAIL, MAIL_FALLBACK, SLACK};
use restock_edge::post::{is_refused, is_same_address};

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

/// Whether a notice would go by the very thing that its incident is about, only to say that there is more of it: each such notice
/// could fail and be more of it. That it began and that it is over is tried all the same.
pub(crate) fn feeds_itself<M, C>(occasion: Occasion, partner: &str, way: Way<M, C>) -> bool {
    let goes_there = match way {
        Way::Mail(_) => partner == MAIL || partner == MAIL_FALLBACK,
        Way::Chat(_) => partner == SLACK,
    };
    goes_there && occasion == Occasion::Grew
}

/// Who is written to where a letter to an address was refused for good: the stock manager, unless that is the same address.
pub(crate) fn instead<'a>(
    told: &Result<(), Verdict>,
    to: &str,
    stock_manager: Option<&'a str>,
) -> Option<&'a str> {
    let is_refused = told.as_ref().is_err_and(is_refused);
    stock_manager.filter(|other| is_refused && !is_same_address(to, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_domain::attempt::Failure;

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

    #[test]
    fn what_fails_is_not_told_by_itself_that_it_fails_more_and_more() {
        let (mail, chat) = (Way::<(), ()>::Mail(()), Way::<(), ()>::Chat(()));
        for (partner, own, other) in
            [("mail", mail, chat), ("mail-fallback", mail, chat), ("slack", chat, mail)]
        {
            assert!(feeds_itself(Occasion::Grew, partner, own), "{partner}");
            assert!(!feeds_itself(Occasion::Grew, partner, other), "{partner}");
            for once in [Occasion::Opened, Occasion::Cleared] {
                assert!(!feeds_itself(once, partner, own), "{partner}");
            }
        }
        for partner in ["factory", "marketing", ""] {
            assert!(
                !feeds_itself(Occasion::Grew, partner, mail) && !feeds_itself(Occasion::Grew, partner, chat)
            );
        }
    }

    fn rejected(reason: &'static str) -> Result<(), Verdict> {
        Err(Verdict::Reject(Failure::new(reason, "")))
    }

    #[test]
    fn an_address_that_is_refused_is_stood_in_for_by_the_stock_managers() {
        let (factory, stock) = ("factory@example.com", Some("Stock <stock@example.com>"));
        for reason in ["mail-refused", "mail-fallback-refused", "mail-address"] {
            assert_eq!(instead(&rejected(reason), factory, stock), stock, "{reason}");
            assert_eq!(instead(&rejected(reason), "STOCK@example.com", stock), None, "it is the same");
            assert_eq!(instead(&rejected(reason), factory, None), None);
        }
    }

    #[test]
    fn a_letter_that_may_still_arrive_is_written_to_nobody_else() {
        let (factory, stock) = ("factory@example.com", Some("stock@example.com"));
        let failure = || Failure::new("mail-refused", "");
        let retried = Err(Verdict::Retry { failure: failure(), not_before_ms: None });
        let postponed = Err(Verdict::Postpone { failure: failure(), until_ms: 1 });
        for told in [Ok(()), retried, postponed, rejected("mail-too-long")] {
            assert_eq!(instead(&told, factory, stock), None, "{told:?}");
        }
    }
}
