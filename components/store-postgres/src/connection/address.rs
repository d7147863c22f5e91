//! The address of a database, with what every connection to it is to be set to.

use std::fmt;

/// How long a connection may take to open, s. A server that is there answers in milliseconds; a caller waits for an answer.
const CONNECT_TIMEOUT_S: u32 = 5;
/// What a connection is set to unless its address says something else. All times in ms.
const SETTINGS: [(&str, &str); 4] = [
    // Longer than any statement takes but the audit of a large shop, and shorter than callers wait.
    ("statement_timeout", "30000"),
    // Whoever holds a row for longer hangs: those behind it are to be told and come again.
    ("lock_timeout", "10000"),
    // No statement leaves a transaction open; one that is open all the same must not hold its locks.
    ("idle_in_transaction_session_timeout", "10000"),
    // Compiling a plan takes longer than any statement here runs.
    ("jit", "off"),
];
/// The same for migrations, which wait for each other and may have a large table to go through.
const PATIENT_SETTINGS: [(&str, &str); 4] = [
    ("statement_timeout", "600000"),
    ("lock_timeout", "120000"),
    ("idle_in_transaction_session_timeout", "10000"),
    ("jit", "off"),
];

/// The address of a database. It is a secret, and therefore never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As it was given, with a timeout for connecting.
    url: String,
    /// With the settings of an operation.
    complete: String,
    /// Whether it came with settings of its own.
    settled: bool,
}

impl Address {
    /// The address `postgres://user:password@host:port/database?…`. An error goes on after "the variable NAME" and does not repeat
    /// what may be a secret.
    ///
    /// `connect_timeout` and `options` are added where it has none: an address that says its own is left as it is, also one that
    /// sets them to nothing, as poolers in front of a server need.
    pub(crate) fn new(url: &str) -> Result<Self, &'static str> {
        if url.is_empty() {
            return Err("is not set: with profile postgres it has the address of a database, \
                        postgres://user:password@host:port/database");
        }
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let wrong = "is no address of the form postgres://user:password@host:port/database";
        let (address, options) = rest.map(|rest| rest.split_once('?').unwrap_or((rest, ""))).ok_or(wrong)?;
        let (server, database) = address.rsplit_once('/').ok_or(wrong)?;
        let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
        if host.is_empty()
            || host.starts_with(':')
            || database.is_empty()
            || url.contains(char::is_whitespace)
        {
            return Err(wrong);
        }
        let says = |name: &str| options.split('&').any(|option| option.split('=').next() == Some(name));
        let mut url = url.to_owned();
        if !says("connect_timeout") {
            let mark = mark(&url);
            url.push_str(&format!("{mark}connect_timeout={CONNECT_TIMEOUT_S}"));
        }
        let settled = says("options");
        let complete = if settled { url.clone() } else { with_settings(&url, &SETTINGS) };
        Ok(Self { url, complete, settled })
    }

    /// The same database for statements that take their time.
    pub(crate) fn patient(&self) -> Self {
        if self.settled {
            return self.clone();
        }
        Self { complete: with_settings(&self.url, &PATIENT_SETTINGS), ..self.clone() }
    }

    /// What a connection is opened with.
    pub(crate) fn as_str(&self) -> &str {
        &self.complete
    }

    /// A text of the host without this address and its password, which a host may have put into it.
    pub(crate) fn hidden_in(&self, text: &str) -> String {
        let (_, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let (credentials, _) = rest.rsplit_once('@').unwrap_or(("", rest));
        let password = credentials.split_once(':').map_or("", |(_, password)| password);
        let mut text = text.replace(&self.complete, "…").replace(&self.url, "…");
        for secret in [credentials, password] {
            if !secret.is_empty() {
                text = text.replace(secret, "…");
            }
        }
        text
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address(…)")
    }
}

/// What separates one more option from an address.
fn mark(url: &str) -> char {
    if url.contains('?') { '&' } else { '?' }
}

fn with_settings(url: &str, settings: &[(&str, &str)]) -> String {
    let settings: Vec<_> = settings.iter().map(|(name, value)| format!("-c%20{name}%3D{value}")).collect();
    format!("{url}{}options={}", mark(url), settings.join("%20"))
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_gets_its_timeouts_unless_it_says_its_own() {
        let complete = |url: &str| Address::new(url).expect("it is one").as_str().to_owned();
        let plain = complete("postgres://u:p@h:5432/d");
        assert!(
            plain.starts_with("postgres://u:p@h:5432/d?connect_timeout=5&options=-c%20statement_timeout%3D"),
            "{plain}"
        );
        assert!(plain.contains("%20-c%20lock_timeout%3D10000%20") && plain.ends_with("jit%3Doff"), "{plain}");
        let more = complete("postgresql://h/d?sslmode=require");
        assert!(more.starts_with("postgresql://h/d?sslmode=require&connect_timeout=5&options="), "{more}");
        let own = "postgres://h/d?options=&connect_timeout=1";
        assert_eq!(complete(own), own);
        assert_eq!(Address::new(own).expect("it is one").patient().as_str(), own);
        let patient = Address::new("postgres://h/d").expect("it is one").patient();
        assert!(patient.as_str().contains("statement_timeout%3D600000"), "{}", patient.as_str());
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for wrong in [
            "host=localhost password=hidden dbname=d",
            "hidden",
            "mysql://u:hidden@h/d",
            "postgres://u:hidden@h",
            "postgres://u:hidden@h/",
            "postgres://u:hidden@/d",
            "postgres://u:hidden@:5432/d",
            "postgres://u:hidden word@h/d",
        ] {
            let said = Address::new(wrong).expect_err("it is none");
            assert!(said.contains("postgres://user:password@host:port/database"), "{said}");
            assert!(!said.contains("hidden"), "{said}");
        }
        assert!(Address::new("").expect_err("it is none").starts_with("is not set"));
    }

    #[test]
    fn no_text_of_the_host_gives_an_address_or_its_password_away() {
        let address = Address::new("postgres://shop:s3cret@h/d").expect("it is one");
        assert_eq!(
            address.hidden_in(&format!("address {} is not permitted", address.as_str())),
            "address … is not permitted"
        );
        assert_eq!(address.hidden_in("no postgres://shop:s3cret@h for you"), "no postgres://…@h for you");
        assert_eq!(address.hidden_in("password s3cret refused"), "password … refused");
        assert_eq!(format!("{address:?}"), "Address(…)");
    }
}
