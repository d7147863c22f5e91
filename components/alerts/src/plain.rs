//! Names and kinds of error in plain words.

use restock_domain::partner::{FACTORY, LOGISTICS, MAIL, MAIL_FALLBACK, MARKETING, SLACK};

/// A partner, as it is called in a sentence.
pub(crate) fn partner(partner: &str, factory_id: Option<&str>) -> String {
    match (partner, factory_id) {
        (FACTORY, Some(factory_id)) => format!("the factory {factory_id}"),
        (FACTORY, None) => "the factory".to_owned(),
        (MAIL, _) => "the email provider".to_owned(),
        (MAIL_FALLBACK, _) => "the second email provider".to_owned(),
        (SLACK, _) => "Slack".to_owned(),
        (MARKETING, _) => "the marketing system".to_owned(),
        (LOGISTICS, _) => "the logistics partner".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// A kind of error as a part of a sentence: what happened, never to whom. One that nobody wrote words for stays as it is.
pub(crate) fn reason(reason: &str, partner_id: &str, factory_id: Option<&str>) -> String {
    let partner = partner(partner_id, factory_id);
    let kind = reason.strip_prefix(partner_id).and_then(|rest| rest.strip_prefix('-'));
    match kind {
        Some("refused") => format!("refused by {partner}"),
        Some("failing") => format!("{partner} is failing"),
        Some("timeout") => format!("no answer in time from {partner}"),
        Some("unreachable") => format!("{partner} cannot be reached"),
        Some("busy") => format!("{partner} is too busy"),
        Some("unusable-answer") => format!("no usable answer from {partner}"),
        Some("too-large") => format!("too large an answer from {partner}"),
        Some("undelivered") => format!("a parcel did not come back to {partner} in time"),
        Some("unknown-shipment") => format!("{partner} does not know the shipment"),
        Some("overdue") => format!("goods overdue from {partner}"),
        Some("not-configured") => format!("{partner} is not configured"),
        Some("unknown") => format!("nobody knows the address of {partner}"),
        Some("rate" | "concurrency") => format!("too much at a time for {partner}"),
        Some("circuit-open") => format!("{partner} is left alone after failures in a row"),
        _ => without_partner(reason).to_owned(),
    }
}

fn without_partner(reason: &str) -> &str {
    match reason {
        "mail-provider-gone" => "the email provider that may have sent the letter is not configured any more",
        "letter-contended" => "another worker was sending the same letter",
        "customers-unavailable" => "the customers' database could not do its work",
        "customers-corrupt" => "the customers' database holds something that cannot be read",
        "ad-manager-unknown" => "nobody is named as the manager of the advertisement",
        "attempts-exhausted" | "lease-expired" => "the worker did not come back",
        "mail-address" => "the recipient is no email address",
        "mail-too-long" => "the letter is too long",
        "mail-unreadable" => "the letter that was kept cannot be read",
        "handler-failed" => "the work on it broke off",
        "handler-timed-out" => "the work on it took too long",
        "store-unavailable" => "the store could not do its work",
        "unreadable" => "it cannot be read",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_error_names_who_it_is_about() {
        assert_eq!(reason("mail-refused", "mail", None), "refused by the email provider");
        assert_eq!(
            reason("mail-fallback-timeout", "mail-fallback", None),
            "no answer in time from the second email provider"
        );
        assert_eq!(reason("factory-busy", "factory", Some("FF-500293")), "the factory FF-500293 is too busy");
        assert_eq!(reason("slack-unreachable", "slack", None), "Slack cannot be reached");
        assert_eq!(
            reason("logistics-undelivered", "logistics", None),
            "a parcel did not come back to the logistics partner in time"
        );
        assert_eq!(reason("mail-not-configured", "mail", None), "the email provider is not configured");
    }

    #[test]
    fn a_kind_of_error_without_a_partner_has_words_of_its_own() {
        assert_eq!(
            reason("ad-manager-unknown", "", None),
            "nobody is named as the manager of the advertisement"
        );
        assert_eq!(reason("unreadable", "", None), "it cannot be read");
    }

    #[test]
    fn every_kind_of_error_that_ends_in_a_dead_letter_has_words() {
        for (kind, partner) in [
            ("mail-provider-gone", "mail"),
            ("mail-too-long", "mail"),
            ("mail-unreadable", "mail"),
            ("mail-address", "mail"),
            ("letter-contended", "letter"),
            ("customers-unavailable", "customers"),
            ("customers-corrupt", "customers"),
            ("attempts-exhausted", ""),
            ("lease-expired", ""),
            ("handler-failed", ""),
            ("handler-timed-out", ""),
            ("store-unavailable", "store"),
            ("unreadable", ""),
        ] {
            for partner in [partner, ""] {
                let words = reason(kind, partner, None);
                assert!(words.contains(' ') && !words.contains(kind), "{kind} of {partner:?}: {words}");
            }
        }
    }

    #[test]
    fn what_nobody_wrote_words_for_is_said_as_it_is() {
        assert_eq!(reason("moon-eclipsed", "", None), "moon-eclipsed");
        assert_eq!(reason("moon-eclipsed", "moon", None), "moon-eclipsed");
        assert_eq!(reason("-refused", "", None), "refused by ");
    }
}
