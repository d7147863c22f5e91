//! What people are told of an incident, by whatever channel. No I/O: the notice and the moment come in.

use crate::plain;
use restock_bindings::alerts::{Incident, IncidentCase, Notice, Occasion};
use restock_domain::letter::Letter;
use restock_domain::prose::{count, moment, span, times};
use restock_domain::text::clip;

/// The kinds of incident: the topics that lead to one.
const BURIED: &str = "message.buried";
const OVERDUE: &str = "production.overdue";
const CIRCUIT: &str = "circuit.opened";
const UNKNOWN: &str = "return.unknown";
const AUDIT: &str = "audit.violation";

/// How much of a case's words is told, in characters: five of them and the advice have to fit into one message of a chat.
const CASE_WORDS_CHARACTERS_MAX: usize = 300;

/// The letter of a notice. `public_url` is where the reader can look.
pub(crate) fn letter(notice: &Notice, public_url: &str) -> Letter {
    let incident = &notice.incident;
    let (subject, lead) = match notice.occasion {
        Occasion::Opened => opened(incident),
        Occasion::Grew => grew(incident, fresh(notice)),
        Occasion::Cleared => cleared(incident),
    };
    let mut letter = facts(Letter::new(&subject, &lead), incident);
    if notice.occasion == Occasion::Cleared {
        return letter.paragraph("Nothing has to be done.");
    }
    letter = cases(letter, incident);
    advice(incident, public_url).iter().fold(letter, |letter, paragraph| letter.paragraph(paragraph))
}

/// What happened that this channel was not told of yet.
pub(crate) fn fresh(notice: &Notice) -> u64 {
    notice.incident.occurrences.saturating_sub(notice.occurrences_told)
}

fn opened(incident: &Incident) -> (String, String) {
    let partner = partner(incident);
    match incident.kind.as_str() {
        BURIED => {
            let (queue, reason) = (&incident.queue, reason(incident));
            let (letters, lead) = match incident.occurrences {
                1 => (
                    "Dead letter".to_owned(),
                    format!(
                        "A message of the queue {queue} became a dead letter: {reason}. It is kept, and nothing more \
                         happens to it until somebody decides."
                    ),
                ),
                more => (
                    format!("{more} dead letters"),
                    format!(
                        "{more} messages of the queue {queue} became dead letters: {reason}. They are kept, and \
                         nothing more happens to them until somebody decides."
                    ),
                ),
            };
            (format!("{letters} in {queue}: {reason}"), lead)
        }
        OVERDUE => (
            format!("Goods overdue from {partner}"),
            format!("Goods that {partner} was asked for did not come in time. It is asked again."),
        ),
        CIRCUIT => (
            sentence(&format!("{partner} keeps failing")),
            sentence(&format!(
                "{partner} failed several times in a row. It is left alone, except for a trial call now and then; \
                 what is meant for it waits."
            )),
        ),
        UNKNOWN => {
            let shipments = match incident.occurrences {
                1 => "a shipment number".to_owned(),
                more => format!("{more} shipment numbers"),
            };
            let lead = format!(
                "{partner} does not know {shipments} of returns, or not yet. It is asked again, as for every parcel that is \
                 on its way."
            );
            (sentence(&format!("{partner} does not know {shipments}")), sentence(&lead))
        }
        AUDIT => (
            "The audit found that the books do not agree".to_owned(),
            "The audit recomputed stock, orders and messages from their rows, and something does not hold."
                .to_owned(),
        ),
        other => (
            format!("Incident: {other}"),
            format!("Something happened that somebody should look at: {other}."),
        ),
    }
}

fn grew(incident: &Incident, fresh: u64) -> (String, String) {
    let partner = partner(incident);
    let total = format!("{} in all since {}", times(incident.occurrences), moment(incident.opened_at));
    let more = more(fresh);
    match incident.kind.as_str() {
        BURIED => {
            let (queue, reason) = (&incident.queue, reason(incident));
            let letters = count(fresh, "more dead letter", "more dead letters");
            let lead = format!(
                "{letters} in the queue {queue} since the last notice: {reason}. {} in all since {}.",
                incident.occurrences,
                moment(incident.opened_at)
            );
            (format!("{letters} in {queue}: {reason}"), lead)
        }
        OVERDUE => (
            format!("Goods overdue from {partner}, {more}"),
            format!("Since the last notice goods of {partner} were overdue {more}; {total}."),
        ),
        CIRCUIT => (
            sentence(&format!("{partner} still fails")),
            format!("Since the last notice {partner} failed its trial call {more}; {total}."),
        ),
        UNKNOWN => {
            let shipments = count(fresh, "more shipment number", "more shipment numbers");
            let lead = format!("Since the last notice {partner} did not know {shipments}; {total}.");
            (sentence(&format!("{partner} does not know {shipments}")), lead)
        }
        AUDIT => (
            "The books still do not agree".to_owned(),
            format!("Since the last notice the audit found something {more} that does not hold; {total}."),
        ),
        other => {
            (format!("Incident: {other}, {more}"), format!("Since the last notice {other} {more}; {total}."))
        }
    }
}

fn cleared(incident: &Incident) -> (String, String) {
    let partner = partner(incident);
    let end = incident.cleared_at.unwrap_or(incident.last_at);
    let lasted = format!("It lasted {}", span(end.saturating_sub(incident.opened_at)));
    let often = times(incident.occurrences);
    match incident.kind.as_str() {
        BURIED => {
            let (queue, reason) = (&incident.queue, reason(incident));
            let lead = format!(
                "No message of the queue {queue} is a dead letter for this reason any more: {reason}. {lasted}, with {}.",
                count(incident.occurrences, "dead letter", "dead letters")
            );
            (format!("Over: dead letters in {queue}: {reason}"), lead)
        }
        OVERDUE => (
            format!("Over: goods overdue from {partner}"),
            format!(
                "Nothing of this incident is overdue from {partner} any more. {lasted}, and goods were overdue {often}."
            ),
        ),
        CIRCUIT => (
            format!("Over: {partner} answers again"),
            format!("{} answers again. {lasted}, and it was found failing {often}.", sentence(&partner)),
        ),
        UNKNOWN => (
            format!("Over: {partner} knows the shipment numbers"),
            format!(
                "No shipment number of this incident is unknown to {partner} any more. {lasted}, and a number was unknown {often}."
            ),
        ),
        AUDIT => (
            "Over: the books agree again".to_owned(),
            format!("The audit finds nothing any more. {lasted}, and it found something {often}."),
        ),
        other => (format!("Over: {other}"), format!("{lasted}, and happened {often}.")),
    }
}

fn facts(letter: Letter, incident: &Incident) -> Letter {
    let known = |text: &'static str, value: &str| (!value.is_empty()).then(|| (text, value.to_owned()));
    let cases = match incident.kind.as_str() {
        BURIED => Some(count(incident.cases_total, "message", "messages")),
        OVERDUE => Some(count(incident.cases_total, "production request", "production requests")),
        UNKNOWN => Some(count(incident.cases_total, "return", "returns")),
        _ => None,
    };
    [
        known("Queue", &incident.queue),
        known("Partner", &incident.partner),
        known("Kind of error", &incident.reason),
        incident.factory_id.as_deref().and_then(|factory_id| known("Factory", factory_id)),
        Some(("Since", moment(incident.opened_at))),
        incident.cleared_at.map(|at| ("Until", moment(at))),
        Some(("Happened", times(incident.occurrences))),
        cases.map(|cases| ("Concerns", cases)),
    ]
    .into_iter()
    .flatten()
    .fold(letter, |letter, (name, value)| letter.fact(name, &value))
}

fn cases(letter: Letter, incident: &Incident) -> Letter {
    incident.cases.iter().fold(letter, |letter, case| letter.paragraph(&case_words(incident, case)))
}

fn case_words(incident: &Incident, case: &IncidentCase) -> String {
    let when = match case.times {
        0 | 1 => moment(case.last_at),
        more => format!("{}, last on {}", times(more), moment(case.last_at)),
    };
    let words = clip(&case.words, CASE_WORDS_CHARACTERS_MAX);
    match incident.kind.as_str() {
        BURIED => format!("{words} ({when}; message {})", case.id),
        OVERDUE => format!("{words} ({when}; production request {})", case.id),
        UNKNOWN => format!("{words} (since {}; return {})", moment(case.last_at), case.id),
        _ => format!("{words} ({when})"),
    }
}

/// What the reader can do.
fn advice(incident: &Incident, public_url: &str) -> Vec<String> {
    let (queue, reason) = (&incident.queue, &incident.reason);
    match incident.kind.as_str() {
        BURIED => {
            let list = format!("{public_url}/v1/queues/{queue}/buried?reason={reason}");
            let redrive = format!("{public_url}/v1/queues/{queue}/redrive");
            vec![
                format!("Where to look: {list} shows every attempt."),
                format!(
                    "What to do: {} Then redrive: POST {redrive} with {{\"reason\":\"{reason}\",\"dry_run\":true}} says how \
                     many messages of this kind there are, and without dry_run it makes them ready again.",
                    remedy(reason)
                ),
            ]
        }
        OVERDUE => vec![
            format!("Where to look: {public_url}/v1/production?status=overdue lists the requests."),
            "What to do: ask the factory whether it lost the job. Goods that come twice are counted once."
                .to_owned(),
        ],
        CIRCUIT => vec![
            format!("Where to look: {public_url}/v1/partners shows the circuits and when the next trial is."),
            "What to do: tell whoever runs it. Calls go on by themselves when a trial call succeeds."
                .to_owned(),
        ],
        UNKNOWN => vec![
            format!(
                "Where to look: {public_url}/v1/returns/ with the id of a return behind it shows what {} said of it, and when.",
                partner(incident)
            ),
            format!(
                "What to do: nothing where the parcel was sent just now. Else ask for the right number, and follow it: \
                 POST {public_url}/v1/returns/replay with {{\"body\":{{\"Attribute\":{{\"shipment_number\":\"…\",\
                 \"order_number\":\"…\",\"order_item_number\":\"…\"}}}}}}."
            ),
        ],
        AUDIT => vec![
            format!("Where to look: {public_url}/v1/audit recomputes the books now and lists what does not hold."),
            "What to do: keep a copy of the database before anything is changed. This is a bug or a damaged file."
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}

/// What has to happen before a redrive helps.
fn remedy(reason: &str) -> &'static str {
    match reason {
        "ad-manager-unknown" => "name the manager in the product's advertisement.",
        "mail-not-configured" => "set mail_provider and its variables, and restart.",
        "mail-refused" | "mail-address" => {
            "read what the provider says, and correct the address or the account."
        }
        "mail-provider-gone" => {
            "configure the provider again that has the letter, or purge the message where the email went out."
        }
        "factory-unknown" => "give the factory an address.",
        "logistics-undelivered" => {
            "ask the logistics partner where the parcel is; a redrive looks at it once more."
        }
        "logistics-refused" => {
            "read what the partner says; a replay of the return with the right shipment number redrives it as well."
        }
        "logistics-too-large" => "have the partner take reported returns off its list.",
        _ => "remove the cause.",
    }
}

fn partner(incident: &Incident) -> String {
    plain::partner(&incident.partner, incident.factory_id.as_deref())
}

fn reason(incident: &Incident) -> String {
    plain::reason(&incident.reason, &incident.partner, incident.factory_id.as_deref())
}

fn more(number: u64) -> String {
    if number == 1 { "once more".to_owned() } else { format!("{number} more times") }
}

/// A text as the beginning of a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_bindings::alerts::Channel;

    const PUBLIC_URL: &str = "http://shop.example";
    /// 2026-11-21 09:30 UTC.
    const OPENED_MS: u64 = 1_795_253_400_000;
    const MINUTE_MS: u64 = 60_000;

    fn notice(kind: &str, occasion: Occasion, occurrences: u64, occurrences_told: u64) -> Notice {
        let (queue, partner, reason, factory_id) = match kind {
            BURIED => ("ad-control", "mail", "mail-refused", None),
            OVERDUE => ("replenishment", "factory", "factory-overdue", Some("FF-500293")),
            CIRCUIT => ("", "mail", "mail-circuit-open", None),
            UNKNOWN => ("returns", "logistics", "logistics-unknown-shipment", None),
            _ => ("", "", "audit-violation", None),
        };
        let case = IncidentCase {
            id: "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b".to_owned(),
            times: occurrences,
            last_at: OPENED_MS + MINUTE_MS,
            words: "CP-502101: answered 422: \"부산\" has no such address".to_owned(),
        };
        Notice {
            id: "7".to_owned(),
            channel: Channel::Chat,
            occasion,
            only_channel: false,
            told_at: None,
            occurrences_told,
            incident: Incident {
                id: "019ab1c2-7d3e-7f00-8a4b-000000000000".to_owned(),
                kind: kind.to_owned(),
                queue: queue.to_owned(),
                partner: partner.to_owned(),
                reason: reason.to_owned(),
                factory_id: factory_id.map(str::to_owned),
                manager_email: None,
                opened_at: OPENED_MS,
                last_at: OPENED_MS + MINUTE_MS,
                cleared_at: (occasion == Occasion::Cleared).then_some(OPENED_MS + 125 * MINUTE_MS),
                occurrences,
                cases_total: 1,
                cases: vec![case],
                cursor: String::new(),
            },
        }
    }

    fn told(kind: &str, occasion: Occasion, occurrences: u64, occurrences_told: u64) -> (String, String) {
        let letter = letter(&notice(kind, occasion, occurrences, occurrences_told), PUBLIC_URL);
        (letter.subject().to_owned(), letter.lead().to_owned())
    }

    fn fact(letter: &Letter, name: &str) -> Option<String> {
        letter.facts().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_first_dead_letter_says_what_fails_and_where() {
        let (subject, lead) = told(BURIED, Occasion::Opened, 1, 0);
        assert_eq!(subject, "Dead letter in ad-control: refused by the email provider");
        assert_eq!(
            lead,
            "A message of the queue ad-control became a dead letter: refused by the email provider. It is kept, and nothing \
             more happens to it until somebody decides."
        );
        assert!(told(BURIED, Occasion::Opened, 3, 0).0.starts_with("3 dead letters in ad-control"));
    }

    #[test]
    fn a_growing_incident_says_how_much_more_since_the_last_notice() {
        let (subject, lead) = told(BURIED, Occasion::Grew, 15, 3);
        assert_eq!(subject, "12 more dead letters in ad-control: refused by the email provider");
        assert_eq!(
            lead,
            "12 more dead letters in the queue ad-control since the last notice: refused by the email provider. 15 in all since \
             2026-11-21 09:30 UTC."
        );
        assert!(told(BURIED, Occasion::Grew, 2, 1).0.starts_with("1 more dead letter in "));
        assert!(told(OVERDUE, Occasion::Grew, 2, 1).0.ends_with(", once more"));
    }

    #[test]
    fn an_incident_that_is_over_says_how_long_it_lasted_and_asks_for_nothing() {
        for kind in [BURIED, OVERDUE, CIRCUIT, UNKNOWN, AUDIT, "another.kind"] {
            let letter = letter(&notice(kind, Occasion::Cleared, 15, 3), PUBLIC_URL);
            assert!(letter.subject().starts_with("Over: "), "{}", letter.subject());
            assert!(letter.lead().contains("It lasted 2 hours and 5 minutes, "), "{}", letter.lead());
            assert!(letter.lead().contains("15 "), "{}", letter.lead());
            assert_eq!(fact(&letter, "Until").as_deref(), Some("2026-11-21 11:35 UTC"));
            assert_eq!(letter.paragraphs(), ["Nothing has to be done."]);
        }
    }

    #[test]
    fn each_kind_of_incident_has_words_of_its_own_for_each_occasion() {
        let mut subjects = Vec::new();
        for kind in [BURIED, OVERDUE, CIRCUIT, UNKNOWN, AUDIT, "another.kind"] {
            for occasion in [Occasion::Opened, Occasion::Grew, Occasion::Cleared] {
                subjects.push(told(kind, occasion, 15, 3).0);
            }
        }
        let all = subjects.len();
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), all, "{subjects:?}");
    }

    #[test]
    fn facts_that_do_not_apply_are_left_out() {
        let names = |kind| {
            let letter = letter(&notice(kind, Occasion::Opened, 1, 0), PUBLIC_URL);
            letter.facts().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(BURIED), ["Queue", "Partner", "Kind of error", "Since", "Happened", "Concerns"]);
        assert_eq!(
            names(OVERDUE),
            ["Queue", "Partner", "Kind of error", "Factory", "Since", "Happened", "Concerns"]
        );
        assert_eq!(names(CIRCUIT), ["Partner", "Kind of error", "Since", "Happened"]);
        assert_eq!(names(UNKNOWN), ["Queue", "Partner", "Kind of error", "Since", "Happened", "Concerns"]);
        assert_eq!(names(AUDIT), ["Kind of error", "Since", "Happened"]);
    }

    #[test]
    fn a_case_is_told_in_its_own_words_with_its_id() {
        let letter = letter(&notice(BURIED, Occasion::Opened, 1, 0), PUBLIC_URL);
        assert_eq!(
            letter.paragraphs()[0],
            "CP-502101: answered 422: \"부산\" has no such address (2026-11-21 09:31 UTC; message \
             019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b)"
        );
    }

    #[test]
    fn a_shipment_that_is_unknown_is_told_with_its_order_and_since_when() {
        let mut notice = notice(UNKNOWN, Occasion::Opened, 1, 0);
        notice.incident.cases[0].words = "SHP_00000579: order 1234, item 123123".to_owned();
        let letter = letter(&notice, PUBLIC_URL);
        assert_eq!(letter.subject(), "The logistics partner does not know a shipment number");
        assert_eq!(
            letter.paragraphs()[0],
            "SHP_00000579: order 1234, item 123123 (since 2026-11-21 09:31 UTC; return \
             019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b)"
        );
        let advice = letter.paragraphs()[2].as_str();
        assert!(advice.contains("POST http://shop.example/v1/returns/replay with"), "{advice}");
        assert!(told(UNKNOWN, Occasion::Opened, 3, 0).0.ends_with(" does not know 3 shipment numbers"));
        assert_eq!(
            told(UNKNOWN, Occasion::Grew, 5, 4).0,
            "The logistics partner does not know 1 more shipment number"
        );
    }

    #[test]
    fn whoever_reads_it_is_told_where_to_look_and_to_try_a_redrive_dry_first() {
        let letter = letter(&notice(BURIED, Occasion::Opened, 1, 0), PUBLIC_URL);
        let [_, look, act] = letter.paragraphs() else { panic!("{:?}", letter.paragraphs()) };
        assert!(
            look.contains("http://shop.example/v1/queues/ad-control/buried?reason=mail-refused "),
            "{look}"
        );
        assert!(act.contains("POST http://shop.example/v1/queues/ad-control/redrive"), "{act}");
        assert!(act.contains(r#"{"reason":"mail-refused","dry_run":true}"#), "{act}");
    }

    #[test]
    fn five_long_cases_leave_room_for_the_advice() {
        let mut notice = notice(BURIED, Occasion::Grew, 5_000, 1);
        let case = notice.incident.cases[0].clone();
        notice.incident.cases = vec![IncidentCase { words: "가".repeat(4_000), ..case }; 5];
        let letter = letter(&notice, PUBLIC_URL);
        assert_eq!(letter.paragraphs().len(), 7);
        assert!(letter.paragraphs()[6].contains("dry_run"));
        let bytes: usize = letter.paragraphs().iter().map(String::len).sum();
        // What fits into the blocks of one Slack message, with room for the rest of the letter.
        assert!(bytes < 8_000, "{bytes}");
    }
}
