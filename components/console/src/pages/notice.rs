//! What was just done, told on the page that the browser is sent on to. The address carries a word of a list and a count, never text:
//! whoever writes such a link by hand gets a sentence of ours.

use super::parts;
use super::words::Words;
use maud::Markup;
use restock_api::query::Query;

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The session is over.
    SignedOut,
    /// A queue gives out no messages.
    Paused,
    /// It does again.
    Resumed,
    /// So many dead letters are ready again.
    Redriven(u64),
    /// So many dead letters were removed.
    Purged(u64),
    /// The goods of a return are on the shelf.
    ReturnReceived,
    /// The goods of a return never go there.
    ReturnDiscarded,
    /// A return is followed again.
    ReturnFollowed,
    /// A parcel became a return, which is followed.
    ReturnBegun,
    /// A return was reported before.
    ReturnOver,
}

const NAME: &str = "notice";
const COUNT: &str = "count";

impl Notice {
    fn word(self) -> (&'static str, Option<u64>) {
        match self {
            Self::SignedOut => ("signed-out", None),
            Self::Paused => ("paused", None),
            Self::Resumed => ("resumed", None),
            Self::Redriven(count) => ("redriven", Some(count)),
            Self::Purged(count) => ("purged", Some(count)),
            Self::ReturnReceived => ("return-received", None),
            Self::ReturnDiscarded => ("return-discarded", None),
            Self::ReturnFollowed => ("return-followed", None),
            Self::ReturnBegun => ("return-begun", None),
            Self::ReturnOver => ("return-over", None),
        }
    }

    /// The notice that an address carries.
    pub(crate) fn read(query: &Query) -> Option<Self> {
        let count = query.get(COUNT).and_then(|count| count.parse().ok()).unwrap_or_default();
        let all = [
            Self::SignedOut,
            Self::Paused,
            Self::Resumed,
            Self::Redriven(count),
            Self::Purged(count),
            Self::ReturnReceived,
            Self::ReturnDiscarded,
            Self::ReturnFollowed,
            Self::ReturnBegun,
            Self::ReturnOver,
        ];
        all.into_iter().find(|notice| query.get(NAME) == Some(notice.word().0))
    }

    /// The address of a page, which carries the notice.
    pub(crate) fn on(self, path: &str) -> String {
        let (word, count) = self.word();
        let joint = if path.contains('?') { '&' } else { '?' };
        let count = count.map(|count| format!("&{COUNT}={count}")).unwrap_or_default();
        format!("{path}{joint}{NAME}={word}{count}")
    }

    /// The sentence.
    pub(super) fn text(self, words: &Words) -> Markup {
        let words = &words.notices;
        match self {
            Self::SignedOut => words.signed_out.into_markup(),
            Self::Paused => words.paused.into_markup(),
            Self::Resumed => words.resumed.into_markup(),
            Self::Redriven(count) => (words.redriven)(count, parts::number(count)),
            Self::Purged(count) => (words.purged)(count, parts::number(count)),
            Self::ReturnReceived => words.return_received.into_markup(),
            Self::ReturnDiscarded => words.return_discarded.into_markup(),
            Self::ReturnFollowed => words.return_followed.into_markup(),
            Self::ReturnBegun => words.return_begun.into_markup(),
            Self::ReturnOver => words.return_over.into_markup(),
        }
    }
}

trait IntoMarkup {
    fn into_markup(self) -> Markup;
}

impl IntoMarkup for &str {
    fn into_markup(self) -> Markup {
        maud::html! { (self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_carries_a_notice_and_never_a_text() {
        for notice in [Notice::SignedOut, Notice::Redriven(12), Notice::Purged(0), Notice::ReturnFollowed] {
            let path = notice.on("/queues/alerts?reason=a%26b");
            let query = Query::parse(path.split_once('?').map(|(_, query)| query));
            assert_eq!(Notice::read(&query), Some(notice), "{path}");
        }
        for other in ["notice=<script>", "notice=you+won", "count=7", ""] {
            assert_eq!(Notice::read(&Query::parse(Some(other))), None, "{other}");
        }
    }
}
