//! Sessions of people: a cookie instead of a key in a header, and the token that every form carries.
//!
//! A session opens the pages and nothing else: the interface for programs asks for its key, so no page of another site can use a cookie on
//! it. What holds for operators' keys holds for their sessions: where they may come from, and that they end when the key is taken away.

use crate::config::Cached;
use crate::{Call, Error, host};
use http::HeaderName;
use http::header::{COOKIE, ORIGIN};
use restock_domain::keys::{KeySet, Role};
use restock_domain::networks::Networks;
use restock_domain::session::{self, Opening, SESSION_MS_MAX};
use restock_domain::settings;
use restock_domain::web::{self, Provenance};
use std::net::IpAddr;

pub use restock_domain::session::Session;

/// The cookie that holds a session.
pub const COOKIE_NAME: &str = "restock_session";
/// Where a browser says what kind of page sends a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may sign in, as configured.
struct Door {
    keys: KeySet,
    operator_networks: Networks,
    public_url: String,
}

static DOOR: Cached<Door> = Cached::new();

async fn door() -> Result<&'static Door, Error> {
    DOOR.get(async |reader| Door {
        keys: reader.keys().await,
        operator_networks: reader.operator_networks().await,
        public_url: reader.public_url().await,
    })
    .await
}

/// What became of an attempt to sign in.
pub enum SignIn {
    /// The `Set-Cookie` header of the session.
    Opened(String),
    /// The key is known, and is one for programs.
    NotForPeople,
    /// The key is an operator's and not good from this address.
    Elsewhere,
    /// The key is unknown.
    Unknown,
}

/// Whom a request is from.
pub enum Presence {
    /// Somebody who signed in.
    Here(Session),
    /// An operator whose address is not one that operators may come from.
    Elsewhere,
    /// Nobody, or somebody whose session is over.
    Nobody,
}

/// Opens a session for whoever presents a key.
///
/// # Errors
/// The configuration has faults.
pub async fn sign_in(call: &Call, key: &str) -> Result<SignIn, Error> {
    let door = door().await?;
    let (outcome, sign_in) = match session::open(&door.keys, key.trim(), call.now_ms(), host::random_bytes())
    {
        Opening::Opened(_, session) if !door.lets_in(&session, call.address()) => {
            ("refused, not from there", SignIn::Elsewhere)
        }
        Opening::Opened(token, session) => {
            let role = if session.caller.role == Role::Operator { "operator" } else { "viewer" };
            let secure = door.is_secure(call.header(ORIGIN));
            (role, SignIn::Opened(cookie(&token, SESSION_MS_MAX, secure)))
        }
        Opening::NotForPeople => ("refused, a key for programs", SignIn::NotForPeople),
        Opening::Unknown => ("refused, unknown key", SignIn::Unknown),
    };
    // Whoever guesses keys shows here, with where they do it from.
    let address = call.address().map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    crate::log!("sign-in: {outcome} address={address} request={}", call.request_id());
    Ok(sign_in)
}

/// The `Set-Cookie` header that makes a browser forget its session.
///
/// # Errors
/// The configuration has faults.
pub async fn sign_out() -> Result<String, Error> {
    Ok(cookie("", 0, door().await?.is_secure(None)))
}

/// Whom a request is from, by its cookie.
///
/// # Errors
/// The configuration has faults.
pub async fn presence(call: &Call) -> Result<Presence, Error> {
    let door = door().await?;
    Ok(door.presence(call.header(COOKIE).unwrap_or_default(), call.address(), call.now_ms()))
}

/// Whether a form was sent by a page of this application, as far as the browser says.
///
/// # Errors
/// The configuration has faults.
pub async fn is_own_form(call: &Call) -> Result<bool, Error> {
    let door = door().await?;
    let provenance = Provenance { origin: call.header(ORIGIN), fetch_site: call.header(SEC_FETCH_SITE) };
    let public = settings::origin_of(&door.public_url).unwrap_or_default();
    Ok(provenance.is_own(call.authority.as_deref(), &[&public]))
}

impl Door {
    fn presence(&self, cookies: &str, address: Option<IpAddr>, now_ms: u64) -> Presence {
        let mut tokens = web::cookies(cookies, COOKIE_NAME);
        match tokens.find_map(|token| session::read(&self.keys, token, now_ms)) {
            Some(session) if self.lets_in(&session, address) => Presence::Here(session),
            Some(_) => Presence::Elsewhere,
            None => Presence::Nobody,
        }
    }

    fn lets_in(&self, session: &Session, address: Option<IpAddr>) -> bool {
        session.caller.role != Role::Operator || self.operator_networks.allow(address)
    }

    /// Whether people come over TLS: by the address under which the application is known, or by what the browser says of the page that
    /// it shows, which is right behind a proxy that nobody configured here.
    fn is_secure(&self, origin: Option<&str>) -> bool {
        [Some(self.public_url.as_str()), origin].into_iter().flatten().any(|url| url.starts_with("https://"))
    }
}

/// `Strict`: no link or form of another site is sent with it. Over plain HTTP a `Secure` cookie would not come back.
fn cookie(token: &str, lasts_ms: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = lasts_ms / 1_000;
    format!("{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_300_000_000;

    fn door(public_url: &str, operator: &str, networks: &str) -> Door {
        let mut keys = KeySet::new();
        keys.add(Role::Viewer, "see").expect("keys");
        keys.add(Role::Operator, operator).expect("keys");
        let operator_networks = Networks::parse(networks).expect("networks");
        Door { keys, operator_networks, public_url: public_url.to_owned() }
    }

    fn token(door: &Door, key: &str) -> String {
        match session::open(&door.keys, key, NOW, [7; session::NONCE_BYTES]) {
            Opening::Opened(token, _) => token,
            _ => panic!("{key} opens no session"),
        }
    }

    fn presence(door: &Door, cookies: &str, address: &str) -> &'static str {
        match door.presence(cookies, address.parse().ok(), NOW) {
            Presence::Here(_) => "here",
            Presence::Elsewhere => "elsewhere",
            Presence::Nobody => "nobody",
        }
    }

    #[test]
    fn a_session_is_found_beside_cookies_that_are_none() {
        let door = door("http://shop", "do", "");
        let token = token(&door, "see");
        let cookies = format!("a=b; {COOKIE_NAME}=old; {COOKIE_NAME}={token}");
        assert_eq!(presence(&door, &cookies, "10.0.0.1"), "here");
        for other in [String::new(), format!("other={token}"), format!("{COOKIE_NAME}={token}x")] {
            assert_eq!(presence(&door, &other, "10.0.0.1"), "nobody", "{other}");
        }
    }

    #[test]
    fn operators_come_from_their_networks_and_viewers_from_anywhere() {
        let door = door("http://shop", "do", "10.0.0.0/8");
        let cookie = |key| format!("{COOKIE_NAME}={}", token(&door, key));
        assert_eq!(presence(&door, &cookie("do"), "10.1.2.3"), "here");
        assert_eq!(presence(&door, &cookie("do"), "192.168.0.1"), "elsewhere");
        assert_eq!(presence(&door, &cookie("do"), "unknown"), "elsewhere");
        assert_eq!(presence(&door, &cookie("see"), "192.168.0.1"), "here");
    }

    #[test]
    fn a_session_ends_when_its_key_is_taken_away() {
        let cookie = format!("{COOKIE_NAME}={}", token(&door("http://shop", "do", ""), "do"));
        assert_eq!(presence(&door("http://shop", "another", ""), &cookie, "::1"), "nobody");
    }

    #[test]
    fn no_script_and_no_other_site_gets_at_the_cookie() {
        let plain = cookie("t", SESSION_MS_MAX, false);
        assert_eq!(plain, format!("{COOKIE_NAME}=t; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
        assert!(cookie("t", 1, true).ends_with("; Secure"));
    }

    #[test]
    fn a_cookie_is_for_tls_alone_wherever_people_come_over_tls() {
        let plain = door("http://shop", "do", "");
        assert!(!plain.is_secure(None) && !plain.is_secure(Some("http://shop")));
        assert!(plain.is_secure(Some("https://shop")), "a proxy in front of it");
        assert!(door("https://shop", "do", "").is_secure(None));
    }
}
