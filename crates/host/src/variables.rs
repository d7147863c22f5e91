//! Application variables and the `{{ name }}` templates that use them.

use std::collections::BTreeMap;

use url::Url;

use crate::postgres;

/// The port of a Redis where none is given.
const REDIS_PORT: u16 = 6379;

/// Variables with an address that has more than a scheme, host and port, and those that repeat these, because a permission is for
/// a whole host.
pub(crate) const ORIGINS: [(&str, &str); 6] = [
    ("redis_url", "redis_origin"),
    ("postgres_url", "postgres_origin"),
    ("customers_url", "customers_origin"),
    ("slack_webhook_url", "slack_origin"),
    ("marketing_url", "marketing_origin"),
    ("logistics_url", "logistics_origin"),
];

/// The scheme, host and port of an address of HTTP, Redis or Postgres; none where it is not one, which is for the application to
/// say.
pub(crate) fn origin(address: &str) -> Option<String> {
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url.origin().ascii_serialization()),
        Ok(url) if matches!(url.scheme(), "redis" | "rediss") => {
            let host = url.host_str().filter(|host| !host.is_empty())?;
            Some(format!("{}://{host}:{}", url.scheme(), url.port().unwrap_or(REDIS_PORT)))
        }
        // Also where it is no URL: addresses of Postgres have two forms.
        _ => postgres::origin(address),
    }
}

/// A text with `{{ name }}` places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Reads a template. Fails when a `{{` is not closed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let (name, after) =
                after.split_once("}}").ok_or_else(|| format!("{text:?}: a '{{{{' is not closed"))?;
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether the text uses no variable.
    pub(crate) fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// The variables the text uses.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text with every variable replaced by its value. Fails with the name of a variable that has none.
    pub(crate) fn fill(&self, values: &BTreeMap<String, String>) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(name) => {
                    text.push_str(values.get(name).ok_or_else(|| format!("variable `{name}` has no value"))?);
                }
            }
        }
        Ok(text)
    }
}

/// Whether `name` may name a variable: lower-case letters, digits and single underscores, a letter first and no
/// underscore last. The error says what is wrong.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fault = if name.is_empty() {
        "must not be empty"
    } else if name.chars().any(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')) {
        "may contain only lower-case letters, digits and underscores"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lower-case letter"
    } else if name.ends_with('_') {
        "must not end with an underscore"
    } else if name.contains("__") {
        "must not contain two underscores in a row"
    } else {
        return Ok(());
    };
    Err(format!("{name:?}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_from_the_variables_it_names() {
        let values = BTreeMap::from([("host".to_owned(), "a.example".to_owned())]);
        let template = Template::parse("http://{{ host }}:80{{host}}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["host", "host"]);
        assert_eq!(template.fill(&values).unwrap(), "http://a.example:80a.example");
        assert!(Template::parse("plain").unwrap().is_literal());
    }

    #[test]
    fn an_open_brace_and_an_unknown_name_are_named_in_the_error() {
        assert!(Template::parse("a {{ b").unwrap_err().contains("a {{ b"));
        assert!(Template::parse("{{ b }}").unwrap().fill(&BTreeMap::new()).unwrap_err().contains("`b`"));
    }

    #[test]
    fn the_origin_of_an_address_is_what_a_permission_needs() {
        assert_eq!(origin("https://hooks.example/services/x").unwrap(), "https://hooks.example");
        assert_eq!(origin("http://127.0.0.1:8080/a?b=c").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(origin("https://hooks.example:443").unwrap(), "https://hooks.example");
        assert_eq!(origin("redis://:secret@cache.example/").unwrap(), "redis://cache.example:6379");
        assert_eq!(origin("rediss://u:secret@[::1]:7000").unwrap(), "rediss://[::1]:7000");
        assert_eq!(origin("postgres://u:secret@db.example/shop").unwrap(), "postgres://db.example:5432");
        for none in [
            "redis:///1",
            "redis+unix:///run/redis.sock",
            "",
            "hooks.example/x",
            "ftp://hooks.example/x",
            "https://",
            "http://a b/",
        ] {
            assert_eq!(origin(none), None, "{none}");
        }
    }

    #[test]
    fn variable_names_follow_the_rules_of_spin() {
        for good in ["a", "redis_url", "a1_b2"] {
            check_name(good).unwrap();
        }
        for bad in ["", "A", "1a", "_a", "a_", "a__b", "a-b"] {
            check_name(bad).unwrap_err();
        }
    }
}
