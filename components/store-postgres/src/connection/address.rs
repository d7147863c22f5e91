//! The address of a database, with what every connection to it is to be set to.

use std::fmt;

/// How soon a connection notices that nobody answers, unless its address says so itself: times in s, the retries a number. A pool
/// waits for an answer as long as there is a connection, and where the server's machine vanished that is hours.
const NOTICES: [(&str, u32); 5] = [
    // A server that is there answers in milliseconds, and a caller waits for it.
    ("connect_timeout", 5),
    ("keepalives_idle", 15),
    ("keepalives_interval", 5),
    ("keepalives_retries", 3),
    // Hosts read this one in s, too, other than libpq does.
    ("tcp_user_timeout", 20),
];
/// What the functions of the schema are written for: they lock first and then see what was written while they waited. A server reads
/// a space as the end of a setting unless a backslash is before it.
const ISOLATION: (&str, &str) = ("default_transaction_isolation", r"read\ committed");
/// What a connection is set to unless its address says something else. All times in ms.
const SETTINGS: [(&str, &str); 5] = [
    // Longer than any statement takes, audits aside, and shorter than callers wait.
    ("statement_timeout", "30000"),
    // Whoever holds a row for longer hangs: those behind it are to be told and come again.
    ("lock_timeout", "10000"),
    // No statement leaves a transaction open; one that is open all the same must not hold its locks.
    ("idle_in_transaction_session_timeout", "10000"),
    ISOLATION,
    // Compiling a plan takes longer than any statement here runs.
    ("jit", "off"),
];
/// The same for migrations, which wait for each other, and for audits: both go through tables as large as the shop has them.
const PATIENT_SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "600000"),
    ("lock_timeout", "120000"),
    ("idle_in_transaction_session_timeout", "10000"),
    ISOLATION,
    ("jit", "off"),
    // They go through whole tables. Of one that has just been filled the server still thinks that it is nearly empty, and would go
    // through the other one once for each of its rows.
    ("enable_nestloop", "off"),
    // That what is to be there is there already is no news, and there would be many.
    ("client_min_messages", "warning"),
];

/// The address of a database. It is a secret, and therefore never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As it was given, but for `options`, and with what of [`NOTICES`] it does not say.
    url: String,
    /// The `options` that it came with, percent-encoded.
    own: Option<String>,
    /// With the settings of an operation.
    complete: String,
}

impl Address {
    /// The address `postgres://user:password@host:port/database?…`. An error goes on after "the variable NAME" and does not repeat
    /// what may be a secret.
    ///
    /// [`NOTICES`] and `options` are added where it has none: what an address says itself is left as it is, also `options` that are
    /// empty, as poolers in front of a server need.
    pub(crate) fn new(url: &str) -> Result<Self, &'static str> {
        if url.is_empty() {
            return Err("is not set: with profile postgres it has the address of a database, \
                        postgres://user:password@host:port/database");
        }
        let wrong = "is no address of the form postgres://user:password@host:port/database";
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let rest = address.strip_prefix("postgres://").or_else(|| address.strip_prefix("postgresql://"));
        let (server, database) = rest.and_then(|rest| rest.rsplit_once('/')).ok_or(wrong)?;
        let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
        if host.is_empty()
            || host.starts_with(':')
            || database.is_empty()
            || url.contains(char::is_whitespace)
        {
            return Err(wrong);
        }
        let said = query.split('&').filter(|option| !option.is_empty());
        let (options, mut said): (Vec<_>, Vec<_>) = said
            .map(|option| option.split_once('=').unwrap_or((option, "")))
            .partition(|(name, _)| *name == "options");
        let notices = NOTICES.map(|(name, number)| (name, number.to_string()));
        for (name, number) in &notices {
            if !said.iter().any(|(said, _)| said == name) {
                said.push((name, number));
            }
        }
        let said: Vec<_> = said.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let url = format!("{address}?{}", said.join("&"));
        let own = options.last().map(|(_, own)| (*own).to_owned());
        let complete = with_options(&url, &own.clone().unwrap_or_else(|| encoded(&SETTINGS)));
        Ok(Self { url, own, complete })
    }

    /// The same database for statements that take their time, also where the address says how long others may take.
    pub(crate) fn patient(&self) -> Self {
        let settings = encoded(&PATIENT_SETTINGS);
        let options = match self.own.as_deref() {
            None => settings,
            Some("") => String::new(),
            // Of two settings of one name the last one counts.
            Some(own) => format!("{own}%20{settings}"),
        };
        Self { complete: with_options(&self.url, &options), ..self.clone() }
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

fn with_options(url: &str, options: &str) -> String {
    format!("{url}&options={options}")
}

/// Settings as a server takes them from `options`, percent-encoded.
fn encoded(settings: &[(&str, &str)]) -> String {
    let settings = settings.iter().map(|(name, value)| format!("-c {name}={value}"));
    let settings = settings.collect::<Vec<_>>().join(" ");
    settings.replace('\\', "%5C").replace(' ', "%20").replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::Address;

    const NOTICES: &str =
        "connect_timeout=5&keepalives_idle=15&keepalives_interval=5&keepalives_retries=3&tcp_user_timeout=20";

    fn address(url: &str) -> Address {
        Address::new(url).expect("it is one")
    }

    #[test]
    fn an_address_gets_its_times_and_settings_unless_it_says_its_own() {
        let plain = address("postgres://u:p@h:5432/d");
        let begins =
            format!("postgres://u:p@h:5432/d?{NOTICES}&options=-c%20statement_timeout%3D30000%20-c%20");
        assert!(
            plain.as_str().starts_with(&begins) && plain.as_str().ends_with("-c%20jit%3Doff"),
            "{}",
            plain.as_str()
        );
        let more = address("postgresql://h/d?sslmode=require&keepalives_idle=60&connect_timeout=1");
        let begins =
            "postgresql://h/d?sslmode=require&keepalives_idle=60&connect_timeout=1&keepalives_interval=5&";
        assert!(more.as_str().starts_with(begins), "{}", more.as_str());
        assert_eq!(more.as_str().matches("keepalives_idle=").count(), 1);
        let own = address("postgres://h/d?options=-c%20statement_timeout%3D5000&sslmode=require");
        let left = format!("postgres://h/d?sslmode=require&{NOTICES}&options=-c%20statement_timeout%3D5000");
        assert_eq!(own.as_str(), left);
    }

    #[test]
    fn no_transaction_is_of_another_isolation_than_the_schema_is_written_for() {
        for address in [address("postgres://h/d"), address("postgres://h/d").patient()] {
            let setting = "-c%20default_transaction_isolation%3Dread%5C%20committed%20";
            assert!(address.as_str().contains(setting), "{}", address.as_str());
        }
    }

    #[test]
    fn what_takes_its_time_has_it_whatever_the_address_says_and_a_pooler_is_told_nothing() {
        let plain = address("postgres://h/d").patient();
        for setting in
            ["statement_timeout%3D600000", "enable_nestloop%3Doff", "client_min_messages%3Dwarning"]
        {
            assert!(plain.as_str().contains(setting), "{}", plain.as_str());
        }
        let own = address("postgres://h/d?options=-c%20statement_timeout%3D5000").patient();
        let both = "&options=-c%20statement_timeout%3D5000%20-c%20statement_timeout%3D600000%20";
        assert!(own.as_str().contains(both), "{}", own.as_str());
        let pooler = address("postgres://h/d?options=");
        assert_eq!(pooler.as_str(), format!("postgres://h/d?{NOTICES}&options="));
        assert_eq!(pooler.patient(), pooler);
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
