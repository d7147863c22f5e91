//! What the variables about email mean together: each provider needs others of them.

use super::Secret;
use restock_domain::letter::Letter;
use restock_domain::settings;
use restock_mail::sigv4::Credentials;
use restock_mail::{Fault, Mail, Mailbox, RESEND_ORIGIN, ses_origin};

/// The texts of the variables, as they stand.
pub(super) struct Texts {
    pub(super) from: String,
    pub(super) first: Provider,
    pub(super) fallback: Provider,
    pub(super) aws: Aws,
}

/// The texts of one provider.
pub(super) struct Provider {
    pub(super) provider: String,
    pub(super) url: String,
    pub(super) key: Secret,
}

/// The texts that Amazon SES needs beside.
pub(super) struct Aws {
    pub(super) region: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
}

/// How email is sent.
#[derive(Debug)]
pub(super) struct MailConfig {
    pub(super) from: Mailbox,
    pub(super) first: restock_mail::Provider,
    pub(super) fallback: Option<restock_mail::Provider>,
}

/// A variable and what it must be.
type WrongVariable = (&'static str, String);

/// The names of one provider's variables.
struct Names {
    provider: &'static str,
    url: &'static str,
    key: &'static str,
}

const FIRST: Names = Names { provider: "mail_provider", url: "mail_url", key: "mail_key" };
const FALLBACK: Names =
    Names { provider: "mail_fallback_provider", url: "mail_fallback_url", key: "mail_fallback_key" };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Ses,
    Resend,
    Mailpit,
}

const KINDS: [(&str, Kind); 4] =
    [("none", Kind::None), ("ses", Kind::Ses), ("resend", Kind::Resend), ("mailpit", Kind::Mailpit)];

impl Texts {
    /// Reads them; none where no email is sent.
    ///
    /// # Errors
    /// Every wrong one.
    pub(super) fn read(&self) -> Result<Option<MailConfig>, Vec<WrongVariable>> {
        let mut faults = Vec::new();
        let first = self.provider(&self.first, &FIRST, &mut faults);
        let fallback = self.provider(&self.fallback, &FALLBACK, &mut faults);
        let is_set = |provider: &Provider| !matches!(provider.provider.as_str(), "" | "none");
        if is_set(&self.fallback) {
            if !is_set(&self.first) {
                faults.push((FALLBACK.provider, "must be none where mail_provider is".to_owned()));
            } else if self.first.provider == self.fallback.provider {
                faults.push((FALLBACK.provider, "must be another one than mail_provider".to_owned()));
            }
        }
        let from = match Mailbox::parse(&self.from) {
            Ok(from) => Some(from),
            Err(_) if self.from.is_empty() && !is_set(&self.first) => None,
            Err(_) if self.from.is_empty() => {
                faults.push(("mail_from", format!("must be set for {}", self.first.provider)));
                None
            }
            Err(detail) => {
                faults.push(("mail_from", detail));
                None
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(match (from, first) {
            (Some(from), Some(first)) => Some(MailConfig { from, first, fallback }),
            _ => None,
        })
    }

    fn provider(
        &self,
        texts: &Provider,
        names: &Names,
        faults: &mut Vec<WrongVariable>,
    ) -> Option<restock_mail::Provider> {
        let kind = match settings::word(&texts.provider, &KINDS) {
            Ok(kind) => kind,
            Err(detail) => {
                faults.push((names.provider, detail));
                return None;
            }
        };
        let faults_before = faults.len();
        let url = match settings::http_origin(&texts.url) {
            _ if settings::is_unset_address(&texts.url) => None,
            Ok(url) => Some(url),
            Err(detail) => {
                faults.push((names.url, detail));
                None
            }
        };
        let key = Some(texts.key.expose()).filter(|key| !key.is_empty()).map(restock_mail::Secret::new);
        let mut needed = |name, is_set: bool| {
            if !is_set {
                faults.push((name, format!("must be set for {}", texts.provider)));
            }
        };
        let provider = match kind {
            Kind::None => None,
            Kind::Ses => {
                let Aws { region, access_key_id, secret_access_key } = &self.aws;
                needed("aws_access_key_id", !access_key_id.is_empty());
                needed("aws_secret_access_key", !secret_access_key.expose().is_empty());
                let region = if region.is_empty() { settings::AWS_REGION_DEFAULT } else { region };
                Some(restock_mail::Provider::Ses {
                    origin: url.unwrap_or_else(|| ses_origin(region)),
                    region: region.to_owned(),
                    credentials: Credentials::new(access_key_id, secret_access_key.expose()),
                })
            }
            Kind::Resend => {
                needed(names.key, key.is_some());
                let origin = url.unwrap_or_else(|| RESEND_ORIGIN.to_owned());
                key.map(|key| restock_mail::Provider::Resend { origin, key })
            }
            Kind::Mailpit => {
                needed(names.url, url.is_some());
                url.map(|origin| restock_mail::Provider::Mailpit { origin, key })
            }
        };
        // What is not there cannot be wrong in another way as well.
        if faults.len() == faults_before
            && let Some(fault) = provider.as_ref().and_then(unsendable)
        {
            // Without an address of its own, that of SES is made from the region.
            let is_region = fault == Fault::Origin && settings::is_unset_address(&texts.url);
            let fault = if is_region { Fault::Region } else { fault };
            faults.push((variable(fault, kind, names), fault.to_string()));
        }
        provider
    }
}

/// What is wrong with the values that a provider's requests are made from.
fn unsendable(provider: &restock_mail::Provider) -> Option<Fault> {
    let anyone = Mailbox::parse("anyone@example.com").ok()?;
    let letter = Letter::new("", "");
    let mail = Mail { id: "trial".to_owned(), from: anyone.clone(), to: anyone, letter };
    provider.request(&mail, 0).err()
}

/// The variable that a fault comes from.
fn variable(fault: Fault, kind: Kind, names: &Names) -> &'static str {
    match fault {
        Fault::Key if kind == Kind::Ses => "aws_access_key_id",
        Fault::Key => names.key,
        Fault::Region => "aws_region",
        Fault::Origin => names.url,
        Fault::Id | Fault::Unwritable => names.provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the manifest gives where nothing is set.
    fn unset() -> Texts {
        let provider = |url: &str| Provider {
            provider: "none".to_owned(),
            url: url.to_owned(),
            key: Secret(String::new()),
        };
        Texts {
            from: String::new(),
            first: provider("http://mail.invalid"),
            fallback: provider("http://mail-fallback.invalid"),
            aws: Aws {
                region: "us-east-1".to_owned(),
                access_key_id: String::new(),
                secret_access_key: Secret(String::new()),
            },
        }
    }

    fn with(provider: &str) -> Texts {
        let mut texts = unset();
        texts.first.provider = provider.to_owned();
        texts
    }

    fn wrong(texts: &Texts) -> Vec<&'static str> {
        texts.read().expect_err("a fault").into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn nothing_set_is_no_email() {
        assert!(unset().read().expect("no fault").is_none());
        assert!(with("").read().expect("no fault").is_none());
    }

    #[test]
    fn everything_that_a_provider_needs_is_named_at_once() {
        assert_eq!(wrong(&with("ses")), ["aws_access_key_id", "aws_secret_access_key", "mail_from"]);
        assert_eq!(wrong(&with("resend")), ["mail_key", "mail_from"]);
        assert_eq!(wrong(&with("mailpit")), ["mail_url", "mail_from"]);
        assert_eq!(wrong(&with("smtp")), ["mail_provider", "mail_from"]);
    }

    #[test]
    fn a_provider_with_what_it_needs_is_ready() {
        let mut mailpit = with("mailpit");
        mailpit.from = "부산도너츠 <shop@example.com>".to_owned();
        mailpit.first.url = "http://127.0.0.1:8025/".to_owned();
        let config = mailpit.read().expect("no fault").expect("email");
        assert_eq!((config.first.name(), config.fallback.is_none()), ("mailpit", true));
        let mut ses = with("ses");
        ses.from = "shop@example.com".to_owned();
        ses.aws.access_key_id = "AKIDEXAMPLE".to_owned();
        ses.aws.secret_access_key = Secret("s".to_owned());
        ses.fallback.provider = "resend".to_owned();
        ses.fallback.key = Secret("re_1".to_owned());
        let config = ses.read().expect("no fault").expect("email");
        assert_eq!(config.fallback.map(|fallback| fallback.name()), Some("resend"));
    }

    #[test]
    fn a_fallback_is_another_provider() {
        let mut alone = unset();
        alone.fallback.provider = "resend".to_owned();
        alone.fallback.key = Secret("re_1".to_owned());
        assert_eq!(wrong(&alone), ["mail_fallback_provider"]);
        let mut twice = with("resend");
        twice.from = "shop@example.com".to_owned();
        twice.first.key = Secret("re_1".to_owned());
        twice.fallback.provider = "resend".to_owned();
        twice.fallback.key = Secret("re_2".to_owned());
        assert_eq!(wrong(&twice), ["mail_fallback_provider"]);
    }

    #[test]
    fn a_value_that_cannot_be_sent_is_named_and_never_shown() {
        let mut texts = with("resend");
        texts.from = "shop@example.com\r\nBcc: hunter2@example.com".to_owned();
        texts.first.key = Secret("hunter2\n".to_owned());
        texts.first.url = "https://mail.example/hunter2".to_owned();
        let faults = texts.read().expect_err("faults");
        let names: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["mail_url", "mail_from"]);
        assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
        texts.first.url = String::new();
        assert_eq!(wrong(&texts), ["mail_key", "mail_from"]);
        let mut ses = with("ses");
        ses.from = "shop@example.com".to_owned();
        ses.aws.region = "us east".to_owned();
        ses.aws.access_key_id = "AKIDEXAMPLE".to_owned();
        ses.aws.secret_access_key = Secret("s".to_owned());
        assert_eq!(wrong(&ses), ["aws_region"]);
    }
}
