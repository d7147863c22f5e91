//! What browsers say in headers and addresses, read without trusting it: cookies, languages, where a form comes from, where to go next.

/// Cookies of one name that are looked at.
const COOKIES_MAX: usize = 8;
/// Languages of one header that are looked at.
const LANGUAGES_MAX: usize = 32;
/// The longest path that somebody is sent on to, characters.
const PATH_CHARACTERS_MAX: usize = 1_024;

/// The values of a cookie in a `Cookie` header. A browser may send several of one name, from other paths or hosts.
pub fn cookies<'header>(header: &'header str, name: &str) -> impl Iterator<Item = &'header str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(known, _)| *known == name)
        .map(|(_, value)| value)
        .take(COOKIES_MAX)
}

/// The language of those offered that an `Accept-Language` header likes best; the first one where it names none of them.
///
/// Languages are told apart by their first part (`ko` in `ko-KR`). Of equally liked ones the first in the header is taken.
#[must_use]
pub fn language<'offered>(header: &str, offered: &[&'offered str]) -> &'offered str {
    let mut best: Option<(&str, u16)> = None;
    for range in header.split(',').take(LANGUAGES_MAX) {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let primary = tag.split('-').next().unwrap_or_default();
        let quality = parts.next().map_or(Some(QUALITY_MAX), quality);
        let known = offered.iter().find(|known| known.eq_ignore_ascii_case(primary));
        let (Some(known), Some(quality)) = (known, quality) else { continue };
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((known, quality));
        }
    }
    let chosen = best.map(|(language, _)| language);
    offered.iter().copied().find(|known| Some(*known) == chosen).or(offered.first().copied()).unwrap_or("en")
}

/// `q=1`, in thousandths.
const QUALITY_MAX: u16 = 1_000;

/// Reads `q=0.8` in thousandths; none for anything that is not a number from 0 to 1.
fn quality(parameter: &str) -> Option<u16> {
    let value: f64 = parameter.trim().strip_prefix("q=")?.trim().parse().ok()?;
    // In range, so nothing is cut off.
    (0.0..=1.0).contains(&value).then(|| (value * f64::from(QUALITY_MAX)) as u16)
}

/// Whether an `Accept` header asks for a page, which browsers do when somebody follows a link and programs do not.
#[must_use]
pub fn wants_page(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/html") || essence.eq_ignore_ascii_case("application/xhtml+xml")
    })
}

/// A path of this application to go on to, with its query; none for an address elsewhere, whatever tricks it is written with.
#[must_use]
pub fn own_path(text: &str) -> Option<&str> {
    // A browser takes `//host` and `/\host` for another host, and drops tabs and newlines before it looks.
    let plain = text.len() <= PATH_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rooted = text.starts_with('/') && !text.starts_with("//");
    (plain && rooted).then_some(text)
}

/// What a browser says of where a request comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provenance<'header> {
    /// `Origin`.
    pub origin: Option<&'header str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'header str>,
}

impl Provenance<'_> {
    /// Whether it is a page of this application, which is called by this authority (host and port) or has one of these origins. Old
    /// browsers and programs say nothing, and are held by the token of the form alone.
    #[must_use]
    pub fn is_own(&self, authority: Option<&str>, origins: &[&str]) -> bool {
        let site = self.fetch_site.is_none_or(|site| matches!(site, "same-origin" | "none"));
        let origin = self.origin.is_none_or(|origin| {
            let host = origin.split_once("://").map(|(_, host)| host);
            let named = host.zip(authority).is_some_and(|(host, own)| host.eq_ignore_ascii_case(own));
            named || origins.iter().any(|own| own.eq_ignore_ascii_case(origin))
        });
        site && origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let values = |header| cookies(header, "session").collect::<Vec<_>>();
        assert_eq!(values("a=b; session=x.y; session=z;c"), ["x.y", "z"]);
        assert_eq!(values("session=a=b"), ["a=b"]);
        assert_eq!(values("xsession=a; session; Session=b"), Vec::<&str>::new());
        assert_eq!(values(&"session=a;".repeat(100)).len(), COOKIES_MAX);
    }

    #[test]
    fn the_language_that_is_liked_best_is_chosen() {
        let chosen = |header| language(header, &["en", "ko"]);
        for (header, language) in [
            ("", "en"),
            ("ko", "ko"),
            ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
            ("en-GB, ko;q=0.9", "en"),
            ("en;q=0.1, KO;q=0.11", "ko"),
            ("de-DE, fr;q=0.9", "en"),
            ("de, ko;q=0.2, *;q=0.1", "ko"),
            ("ko;q=0, en;q=0", "en"),
            ("ko;q=0", "en"),
            ("ko;q=2, en;q=x", "en"),
            ("kok", "en"),
            (";q=1,,-", "en"),
        ] {
            assert_eq!(chosen(header), language, "{header:?}");
        }
    }

    #[test]
    fn a_browser_that_follows_a_link_wants_a_page() {
        assert!(wants_page("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants_page("application/json, Text/HTML;q=0.5"));
        for program in ["", "*/*", "application/json", "text/plain"] {
            assert!(!wants_page(program), "{program:?}");
        }
    }

    #[test]
    fn nobody_is_sent_to_another_place() {
        for own in ["/", "/products/CP-1?hours=24&cursor=6162", "/a//b"] {
            assert_eq!(own_path(own), Some(own));
        }
        let long = format!("/{}", "a".repeat(PATH_CHARACTERS_MAX));
        for elsewhere in [
            "",
            "products",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nset-cookie: x",
            "javascript:alert(1)",
            " /",
            "/ä",
            &long,
        ] {
            assert_eq!(own_path(elsewhere), None, "{elsewhere:?}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_told_from_ours() {
        let own = |origin: Option<&'static str>, fetch_site: Option<&'static str>| {
            Provenance { origin, fetch_site }.is_own(Some("shop.local:3000"), &["https://shop.example"])
        };
        assert!(own(None, None));
        assert!(own(Some("http://shop.local:3000"), Some("same-origin")));
        assert!(own(Some("https://shop.example"), None));
        assert!(own(None, Some("none")));
        for origin in ["null", "http://shop.local", "http://evil.example", "http://shop.example", ""] {
            assert!(!own(Some(origin), None), "{origin:?}");
        }
        for site in ["cross-site", "same-site", ""] {
            assert!(!own(Some("https://shop.example"), Some(site)), "{site:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(text: String) {
            prop_assert!(["en", "ko"].contains(&language(&text, &["en", "ko"])));
            prop_assert!(cookies(&text, "a").count() <= COOKIES_MAX);
            let _ = (wants_page(&text), own_path(&text));
        }

        #[test]
        fn an_own_path_stays_with_us_in_every_browser(text in "[/\\\\:a-z.@?#\t ]{0,12}") {
            if let Some(path) = own_path(&text) {
                let mut characters = path.chars();
                prop_assert_eq!(characters.next(), Some('/'));
                prop_assert!(!matches!(characters.next(), Some('/' | '\\')));
            }
        }
    }
}
