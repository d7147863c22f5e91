//! How the texts of the application's variables are read. An empty text is a variable that was not set.

use std::ops::RangeInclusive;

/// Attempts after which a message is buried, where its queue has no limit of its own.
pub const ATTEMPTS_MAX_DEFAULT: u32 = 20;
/// How long the factory may take before it is asked again, seconds.
pub const PRODUCTION_DUE_SECONDS_DEFAULT: u32 = 120;
/// Calls to the factory a second.
pub const FACTORY_RATE_PER_SECOND_DEFAULT: u32 = 10;
/// Calls to the factory at a time.
pub const FACTORY_CONCURRENCY_DEFAULT: u32 = 4;
/// Emails a second to one provider. Amazon SES lets a new account send one, and Resend takes two requests.
pub const MAIL_RATE_PER_SECOND_DEFAULT: u32 = 2;
/// The units that make a customer a VIP.
pub const VIP_UNITS_DEFAULT: u32 = 100;
/// Calls to the logistics partner a second.
pub const LOGISTICS_RATE_PER_SECOND_DEFAULT: u32 = 50;
/// Calls to the logistics partner at a time.
pub const LOGISTICS_CONCURRENCY_DEFAULT: u32 = 16;
/// How often returns are collected, seconds.
pub const RETURNS_EVERY_SECONDS_DEFAULT: u32 = 60;
/// The first wait between two looks at a parcel, seconds.
pub const TRACKING_INTERVAL_SECONDS_DEFAULT: u32 = 300;
/// How often the invariants are recomputed, seconds.
pub const AUDIT_EVERY_SECONDS_DEFAULT: u32 = 3_600;
/// The region of Amazon's services.
pub const AWS_REGION_DEFAULT: &str = "us-east-1";
/// The name under which the old shop's paths know their product.
pub const LEGACY_SLUG_DEFAULT: &str = "donut";

/// Reads a whole number.
///
/// # Errors
/// Says which numbers are possible.
pub fn count(text: &str, default: u32, range: RangeInclusive<u32>) -> Result<u32, String> {
    if text.is_empty() {
        return Ok(default);
    }
    text.parse()
        .ok()
        .filter(|count| range.contains(count))
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

/// Reads a word of several, the first of which is meant where none is set.
///
/// # Errors
/// Says which words are possible.
pub fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = match words.first() {
        Some((_, default)) if text.is_empty() => Some(*default),
        _ => words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning),
    };
    found.ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("must be one of {}", words.join(", "))
    })
}

/// Reads `on` or `off`.
///
/// # Errors
/// Anything else.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" | "" => Ok(false),
        _ => Err("must be `on` or `off`".to_owned()),
    }
}

/// Reads the base address of an HTTP service: scheme, host, and a path if need be; returned without a slash at its end.
///
/// # Errors
/// Says what is wrong with it, without repeating it: an address can hold a password.
pub fn http_url(text: &str) -> Result<String, String> {
    let uri: http::Uri =
        text.parse().map_err(|_| "must be an address such as http://host:8080".to_owned())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must begin with http:// or https://".to_owned());
    }
    if uri.host().unwrap_or_default().is_empty() {
        return Err("must name a host".to_owned());
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not hold a user or a password".to_owned());
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("must not hold a query or a fragment".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Reads the base address of an HTTP service that the manifest permits by its variable: as [`http_url`], but without a path. A
/// permission is for a whole host, and one that cannot be read closes every way out of a component.
///
/// # Errors
/// Says what is wrong with it, without repeating it.
pub fn http_origin(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    if authority(&url).contains('/') {
        return Err("must not hold a path: a component is permitted whole hosts".to_owned());
    }
    Ok(url)
}

/// Whether a variable with an address is meant as not set: it is empty, or its host ends in `.invalid`, which leads nowhere by
/// definition. A permission cannot be empty, so such an address stands in for one that is not there.
#[must_use]
pub fn is_unset_address(text: &str) -> bool {
    let uri: Option<http::Uri> = text.parse().ok();
    text.is_empty() || uri.as_ref().and_then(http::Uri::host).is_some_and(|host| host.ends_with(".invalid"))
}

/// The scheme, host and port of an address that may have a path and a query, without those: what the manifest permits. A scheme's own
/// port is left out, so that two spellings of one origin are the same.
///
/// # Errors
/// Says what is wrong with the address, without repeating it: its path can be a secret.
pub fn origin_of(address: &str) -> Result<String, String> {
    let plain = address.split(['?', '#']).next().unwrap_or_default();
    http_url(plain)?;
    let uri: http::Uri =
        plain.parse().map_err(|_| "must be an address such as http://host:8080".to_owned())?;
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
    let port = match (scheme, uri.port_u16()) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    Ok(format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

/// Reads the address that something is posted to: scheme, host, and whatever path and query the other side gave out.
///
/// # Errors
/// Says what is wrong with it, without repeating it: its path can be a secret.
pub fn hook_url(text: &str) -> Result<String, String> {
    origin_of(text)?;
    if text.contains('#') {
        return Err("must not hold a fragment".to_owned());
    }
    text.parse::<http::Uri>().map_err(|_| "must be an address such as https://host/path".to_owned())?;
    Ok(text.to_owned())
}

/// Reads the address of a Redis server: scheme, perhaps a user and a password, host and port. The manifest puts a database number
/// behind it, one for each queue.
///
/// # Errors
/// Says what is wrong with it, without repeating it: an address can hold a password.
pub fn redis_url(text: &str) -> Result<String, String> {
    redis_origin_of(text).map(|_| text.to_owned())
}

/// The scheme, host and port of a Redis server's address: what the manifest permits. The scheme's own port is left out, so that two
/// spellings of one origin are the same.
///
/// # Errors
/// Says what is wrong with the address, without repeating it.
pub fn redis_origin_of(text: &str) -> Result<String, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if !matches!(scheme, "redis" | "rediss") || host.is_empty() {
        return Err("must be an address such as redis://127.0.0.1:6379".to_owned());
    }
    if rest.contains(['/', '?', '#']) || rest.contains(char::is_whitespace) {
        return Err(
            "must end with the host or its port, and hold `/`, `?` and `#` percent-encoded".to_owned()
        );
    }
    if scheme == "rediss" && !host.contains(':') {
        return Err("must name the port".to_owned());
    }
    let host = host.strip_suffix(":6379").filter(|_| scheme == "redis").unwrap_or(host);
    Ok(format!("{scheme}://{}", host.to_ascii_lowercase()))
}

/// What follows the scheme.
fn authority(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_the_default() {
        assert_eq!(count("", 20, 1..=100), Ok(20));
        assert_eq!(switch(""), Ok(false));
    }

    #[test]
    fn a_number_out_of_range_is_told_the_range() {
        assert_eq!(count("7", 20, 1..=100), Ok(7));
        for wrong in ["0", "101", "-1", "1.5", "many", " 7"] {
            let fault = count(wrong, 20, 1..=100).expect_err(wrong);
            assert!(fault.contains("from 1 to 100"), "{fault}");
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!(switch("on"), Ok(true));
        assert_eq!(switch("off"), Ok(false));
        assert!(switch("true").is_err());
    }

    #[test]
    fn addresses_are_read_without_their_last_slash() {
        assert_eq!(http_url("http://127.0.0.1:3000/"), Ok("http://127.0.0.1:3000".to_owned()));
        assert_eq!(http_url("https://shop.example/api"), Ok("https://shop.example/api".to_owned()));
    }

    #[test]
    fn wrong_addresses_are_named_without_being_repeated() {
        for wrong in [
            "shop.example",
            "/path",
            "ftp://shop.example",
            "http://",
            "http://user:hunter2@shop.example",
            "http://shop.example?x=1",
            "http://shop.example/#x",
            "http://sp ace",
        ] {
            let fault = http_url(wrong).expect_err(wrong);
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn an_address_that_the_manifest_permits_has_no_path() {
        assert_eq!(http_origin("https://shop.example:8443/"), Ok("https://shop.example:8443".to_owned()));
        for wrong in ["https://shop.example/api", "shop.example"] {
            assert!(http_origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_word_is_one_of_those_that_are_known() {
        let words = [("single-order", 1), ("cumulative", 2)];
        assert_eq!(word("", &words), Ok(1));
        assert_eq!(word("cumulative", &words), Ok(2));
        assert_eq!(word("both", &words), Err("must be one of `single-order`, `cumulative`".to_owned()));
    }

    #[test]
    fn an_address_that_leads_nowhere_is_not_set() {
        for unset in ["", "http://mail.invalid", "https://mail.invalid:8443/x"] {
            assert!(is_unset_address(unset), "{unset}");
        }
        for set in ["http://mail.example", "http://invalid.example", "not an address"] {
            assert!(!is_unset_address(set), "{set}");
        }
    }

    #[test]
    fn the_origin_of_an_address_has_one_spelling() {
        for (address, origin) in [
            ("https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com"),
            ("https://Hooks.Slack.com:443/services", "https://hooks.slack.com"),
            ("http://127.0.0.1:8025/x?y=1", "http://127.0.0.1:8025"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://a.example?x", "http://a.example"),
        ] {
            assert_eq!(origin_of(address), Ok(origin.to_owned()), "{address}");
        }
        for wrong in ["", "hooks.slack.com/x", "ftp://a.example", "https://", "https://u:hunter2@a.example"] {
            let fault = origin_of(wrong).expect_err(wrong);
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn a_hook_may_have_a_path_and_a_query() {
        for right in ["https://a.example/x/y?z=1", "http://127.0.0.1:1/"] {
            assert_eq!(hook_url(right), Ok(right.to_owned()));
        }
        for wrong in ["https://a.example/secret path", "https://a.example/#secret", "/secret"] {
            let fault = hook_url(wrong).expect_err(wrong);
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn a_redis_address_is_a_scheme_a_host_and_a_port() {
        for right in [
            "redis://127.0.0.1:6379",
            "redis://cache",
            "redis://[::1]:6379",
            "rediss://cache:6380",
            "redis://:pass%2Fword@cache:6379",
            "rediss://user:hunter2@cache:6380",
        ] {
            assert_eq!(redis_url(right), Ok(right.to_owned()));
        }
        for wrong in [
            "http://127.0.0.1:6379",
            "127.0.0.1:6379",
            "redis://",
            "redis://:hunter2@",
            "redis://:hunter2@cache:6379/1",
            "redis://cache:6379/1",
            "redis://:hunt/er2@cache",
            "redis://ca che",
            "rediss://:hunter2@cache",
        ] {
            let fault = redis_url(wrong).expect_err(wrong);
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn the_origin_of_a_redis_has_neither_user_nor_password() {
        for (address, origin) in [
            ("redis://:hunter2@Cache", "redis://cache"),
            ("redis://127.0.0.1:6379", "redis://127.0.0.1"),
            ("redis://127.0.0.1:6380", "redis://127.0.0.1:6380"),
            ("rediss://user:hunter2@cache:6379", "rediss://cache:6379"),
        ] {
            assert_eq!(redis_origin_of(address), Ok(origin.to_owned()), "{address}");
        }
    }
}
