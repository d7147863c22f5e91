//! Secrets in other people's words: a system that repeats the address it was called under must not bring it into a log, a dead
//! letter or an alert.

use http::Uri;

/// What stands where something was taken out.
const HIDDEN: &str = "…";
/// A part of a path that is shorter than this can be a word of the language, and hides nothing by itself; characters.
const TELLING_CHARACTERS_MIN: usize = 12;

/// A text from behind an address whose path or query is a secret, without that address: neither whole, nor its path and query,
/// nor any long part of them.
#[must_use]
pub fn without_address(text: &str, address: &str) -> String {
    let uri = address.parse::<Uri>().unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let path_and_query = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let bare = uri.path().trim_matches('/');
    let parts = bare.split('/').chain([bare, query]).chain(query.split(['&', '=']));
    let telling = parts.filter(|part| part.chars().count() >= TELLING_CHARACTERS_MIN);
    // A path of one slash is no secret, and stands in every text about dates.
    let wholes =
        [address, path_and_query, uri.path()].into_iter().filter(|whole| !whole.trim_matches('/').is_empty());
    let mut secrets: Vec<&str> = wholes.chain(telling).collect();
    // A part first would leave the rest of the whole.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOOK: &str = "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx";

    #[test]
    fn an_address_is_taken_out_of_the_words_about_it() {
        for (text, expected) in [
            ("Cannot POST /services/T01234567/B01234567/abcdefghijklmnopqrstuvwx", "Cannot POST …"),
            (&format!("no route to {HOOK}, sorry"), "no route to …, sorry"),
            ("services/T01234567/B01234567/abcdefghijklmnopqrstuvwx?", "…?"),
            (
                r"\/services\/T01234567\/B01234567\/abcdefghijklmnopqrstuvwx",
                r"\/services\/T01234567\/B01234567\/…",
            ),
            ("token abcdefghijklmnopqrstuvwx is revoked", "token … is revoked"),
            ("no_service", "no_service"),
        ] {
            assert_eq!(without_address(text, HOOK), expected);
        }
    }

    #[test]
    fn a_secret_in_a_query_is_taken_out_too() {
        let url = "https://marketing.example/vip?key=hunter2hunter2";
        assert_eq!(without_address("GET /vip?key=hunter2hunter2 failed", url), "GET … failed");
        assert_eq!(without_address("unknown key hunter2hunter2", url), "unknown key …");
        assert_eq!(without_address("Cannot POST /vip", url), "Cannot POST …");
    }

    #[test]
    fn an_address_without_a_path_hides_nothing_else() {
        assert_eq!(without_address("on 2026/11/21 at /", "https://a.example/"), "on 2026/11/21 at /");
        assert_eq!(without_address("see https://a.example", "https://a.example"), "see …");
        assert_eq!(without_address("words", ""), "words");
    }

    proptest! {
        #[test]
        fn no_words_hold_the_whole_secret(before: String, after: String) {
            let hidden = without_address(&format!("{before}{HOOK}{after}"), HOOK);
            prop_assert!(!hidden.contains("abcdefghijklmnopqrstuvwx"), "{}", hidden);
        }
    }
}
