//! Claim: what goes wrong is one incident for each kind, told once on each channel when it begins, now and then while it grows,
//! and once when it is over; and telling it causes nothing to tell.

use std::collections::BTreeSet;

use super::bindings::restock::alerts::{Channel, Incident, Notice, Occasion};
use super::bindings::restock::catalog::{Factory, ProductDefinition};
use super::bindings::restock::ops::TickLimits;
use super::bindings::restock::production::Status;
use super::bindings::restock::queue::{Delivery, Verdict};
use super::shop::{DUE_MS, LEASE_MS, MINUTE_MS, OPERATOR, QUEUE, Shop, definition, first_page, page};
use super::store::Engine;

on_every_engine!(
    dead_letters_of_one_kind_are_one_incident_with_a_case_each,
    incidents_are_told_apart_by_kind_queue_partner_reason_and_factory,
    goods_that_are_overdue_are_told_to_the_manager_of_their_factory,
    goods_that_stay_away_are_no_news,
    an_open_circuit_is_an_incident_until_it_is_closed,
    a_circuit_that_opens_every_two_minutes_is_one_incident,
    an_incident_names_its_latest_five_cases,
    each_channel_is_told_once_that_it_began,
    what_fails_is_not_used_to_tell_of_it,
    a_notice_that_was_told_is_found_told,
    an_incident_that_grows_is_told_again_after_a_quarter_of_an_hour,
    an_incident_is_over_a_minute_after_nothing_of_it_is_wrong_any_more,
    a_dead_letter_belongs_to_the_incident_of_its_last_failure,
    what_goes_wrong_again_later_is_another_incident,
    what_an_audit_finds_is_an_incident_until_one_finds_nothing,
    telling_causes_nothing_to_tell,
    incidents_are_read_page_by_page_from_the_newest,
    incidents_that_are_over_are_removed_some_day_and_others_never,
);

const CHANNELS: [Channel; 2] = [Channel::Chat, Channel::Mail];
/// The shortest time between two notices of an incident.
const DIGEST_MS: u64 = 15 * MINUTE_MS;

/// How long an incident of what comes and goes has to be quiet before it is over: open circuits and overdue goods.
const FLAPPING_QUIET_MS: u64 = 15 * MINUTE_MS;

/// The channels and occasions of these notices, in no particular order.
fn told(notices: &[Notice]) -> BTreeSet<String> {
    let told: BTreeSet<_> = notices
        .iter()
        .map(|notice| format!("{:?} {:?} {}", notice.channel, notice.occasion, notice.incident.id))
        .collect();
    assert_eq!(told.len(), notices.len(), "nothing is told twice: {notices:?}");
    told
}

fn on_both(occasion: Occasion, incident: &Incident) -> BTreeSet<String> {
    CHANNELS.iter().map(|channel| format!("{channel:?} {occasion:?} {}", incident.id)).collect()
}

/// Buries the oldest message for this kind of failure.
async fn bury_one(shop: &Shop, reason: &str) -> Delivery {
    let delivery = shop.claim_one().await;
    shop.bury(&delivery, reason, "connection refused").await;
    delivery
}

/// Has the factory take the job of a product, and its goods not come.
async fn overdue(shop: &Shop, sku: &str) -> String {
    let id = shop.open_request(sku).await.expect("low").id;
    shop.ask(&id).await;
    shop.wait_ms(DUE_MS);
    assert_eq!(shop.tick().await.overdue, 1);
    id
}

async fn dead_letters_of_one_kind_are_one_incident_with_a_case_each(engine: Engine) {
    let shop = Shop::with_messages(engine, 3).await;
    assert!(shop.open_incidents().await.is_empty());
    let opened_at = shop.now();
    let first = bury_one(&shop, "factory-refused").await;
    shop.wait_ms(500);
    let second = bury_one(&shop, "factory-refused").await;
    shop.wait_ms(500);
    assert_eq!(shop.redrive_all().await, 2);
    let again = shop.claim(10).await;
    let again = again.iter().find(|delivery| delivery.message_id == first.message_id).expect("redriven");
    shop.bury(again, "factory-refused", "still refused").await;

    let incident = shop.only_incident().await;
    assert_eq!(
        (
            incident.kind.as_str(),
            incident.queue.as_str(),
            incident.partner.as_str(),
            incident.reason.as_str()
        ),
        ("message.buried", QUEUE, "factory", "factory-refused")
    );
    assert_eq!((incident.opened_at, incident.last_at, incident.cleared_at), (opened_at, shop.now(), None));
    assert_eq!((incident.occurrences, incident.cases_total), (3, 2));
    let cases: Vec<_> =
        incident.cases.iter().map(|case| (case.id.as_str(), case.times, case.last_at)).collect();
    assert_eq!(
        cases,
        [(first.message_id.as_str(), 2, shop.now()), (second.message_id.as_str(), 1, shop.now() - 500)],
        "newest first"
    );
    assert!(incident.cases[0].words.contains("still refused"), "the latest words: {incident:?}");
    assert!(incident.cases[1].words.contains("connection refused"));
    assert_eq!(shop.open_incidents().await, [incident]);
    shop.audit().await;
}

async fn incidents_are_told_apart_by_kind_queue_partner_reason_and_factory(engine: Engine) {
    let shop = Shop::open(engine).await;
    let second = Factory {
        id: "FF-2".into(),
        name: "second".into(),
        manager_email: Some("second@example.com".into()),
        url: None,
    };
    shop.store.define_factory(second, OPERATOR.into(), shop.now()).await.expect("defined");
    for (sku, factory) in [("A", "FF-1"), ("B", "FF-1"), ("C", "FF-2"), ("D", "FF-1"), ("E", "FF-2")] {
        let made = ProductDefinition { factory_id: factory.into(), ..definition(sku, 2, 10, 0) };
        shop.redefine(made).await;
        shop.wait_ms(1);
    }
    for delivery in shop.claim(10).await {
        let reason = match delivery.event.subject.as_str() {
            "A" | "C" => "factory-refused",
            "B" => "factory-failing",
            _ => "unusable-message",
        };
        shop.bury(&delivery, reason, "e").await;
        shop.wait_ms(1);
    }
    for delivery in shop.claim_from("ad-control", 1).await {
        shop.bury(&delivery, "mail-refused", "e").await;
        shop.wait_ms(1);
    }
    shop.break_circuit("factory").await;
    let mut incidents = shop.open_incidents().await;
    incidents.reverse();
    let keys: Vec<_> = incidents
        .iter()
        .map(|incident| {
            let factory = incident.factory_id.as_deref().unwrap_or("-");
            let manager = incident.manager_email.as_deref().unwrap_or("-");
            let Incident { kind, queue, partner, reason, cases_total, .. } = incident;
            format!("{kind} {queue} {partner} {reason} {factory} {manager} {cases_total}")
        })
        .collect();
    assert_eq!(
        keys,
        [
            "message.buried replenishment factory factory-refused FF-1 factory@example.com 1",
            "message.buried replenishment factory factory-failing FF-1 factory@example.com 1",
            "message.buried replenishment factory factory-refused FF-2 second@example.com 1",
            "message.buried replenishment  unusable-message - - 2",
            "message.buried ad-control mail mail-refused - - 1",
            "circuit.opened  factory factory-circuit-open - - 1",
        ],
        "oldest first"
    );
    shop.audit().await;
}

async fn goods_that_stay_away_are_no_news(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = overdue(&shop, "A").await;
    shop.notices().await;
    shop.wait_ms(60 * MINUTE_MS);
    assert_eq!(shop.tick().await.notices, 0);
    shop.receive(&id, 9).await;
    assert_eq!(shop.tick().await.notices, 2, "it was quiet for long");
}

async fn goods_that_are_overdue_are_told_to_the_manager_of_their_factory(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = overdue(&shop, "A").await;
    let incident = shop.only_incident().await;
    assert_eq!(
        (incident.kind.as_str(), incident.partner.as_str(), incident.factory_id.as_deref()),
        ("production.overdue", "factory", Some("FF-1"))
    );
    assert_eq!(incident.manager_email.as_deref(), Some("factory@example.com"));
    assert_eq!((incident.cases_total, incident.cases[0].id.as_str()), (1, id.as_str()));
    assert!(incident.cases[0].words.contains('A') && incident.cases[0].words.contains('9'), "{incident:?}");
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Opened, &incident));

    shop.wait_ms(5 * MINUTE_MS);
    shop.receive(&id, 9).await;
    shop.wait_ms(FLAPPING_QUIET_MS - 5 * MINUTE_MS - 1);
    assert_eq!(shop.tick().await.notices, 0, "the next ones may be late as well");
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.notices, 2);
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Cleared, &incident));
    assert!(shop.open_incidents().await.is_empty());
    assert_eq!(shop.request(&id).await.status, Status::Received);
}

async fn an_open_circuit_is_an_incident_until_it_is_closed(engine: Engine) {
    use super::bindings::restock::partners::{Admission, Health, Limits};
    let shop = Shop::open(engine).await;
    shop.break_circuit("factory").await;
    let incident = shop.only_incident().await;
    assert_eq!(
        (incident.kind.as_str(), incident.queue.as_str(), incident.partner.as_str()),
        ("circuit.opened", "", "factory")
    );
    assert_eq!((incident.cases_total, incident.cases[0].id.as_str()), (1, "factory"));
    let probe = async |health| {
        shop.wait_ms(10 * MINUTE_MS);
        let limits = Limits { rate_per_second: 1_000, concurrency: 10, hold_ms: 5_000 };
        let Ok(Admission::Admitted(pass)) = shop.store.enter("factory".into(), limits, shop.now()).await
        else {
            panic!("a probe is due");
        };
        assert!(pass.probe);
        shop.store.leave(pass.id, health, shop.now()).await.expect("answered");
    };
    probe(Health::Failing).await;
    assert_eq!(shop.only_incident().await.occurrences, 2, "each probe that fails adds to it");
    shop.wait_ms(10 * FLAPPING_QUIET_MS);
    shop.tick().await;
    assert_eq!(shop.only_incident().await.cleared_at, None, "it is still open");
    probe(Health::Failing).await;
    probe(Health::Well).await;
    shop.wait_ms(FLAPPING_QUIET_MS - 10 * MINUTE_MS - 1);
    shop.tick().await;
    assert_eq!(shop.only_incident().await.cleared_at, None, "it may open again");
    shop.wait_ms(1);
    shop.tick().await;
    assert_eq!(shop.only_incident().await.cleared_at, Some(shop.now()));
}

async fn a_circuit_that_opens_every_two_minutes_is_one_incident(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut notices = Vec::new();
    for _ in 0..30 {
        shop.break_circuit("marketing").await;
        shop.wait_ms(3_000);
        shop.mend_circuit("marketing").await;
        for _ in 0..6 {
            shop.wait_ms(19_500);
            shop.tick().await;
            for notice in shop.notices().await {
                shop.tell(&notice).await;
                notices.push((notice.channel, notice.occasion));
            }
        }
    }
    assert_eq!(shop.only_incident().await.occurrences, 30);
    for channel in CHANNELS {
        let told: Vec<_> =
            notices.iter().filter(|notice| notice.0 == channel).map(|notice| notice.1).collect();
        assert_eq!(told, [Occasion::Opened, Occasion::Grew, Occasion::Grew, Occasion::Grew], "in an hour");
    }
    shop.wait_ms(FLAPPING_QUIET_MS);
    assert_eq!(shop.tick().await.notices, 2);
    assert!(shop.open_incidents().await.is_empty());
}

async fn an_incident_names_its_latest_five_cases(engine: Engine) {
    let shop = Shop::with_messages(engine, 7).await;
    let mut buried = Vec::new();
    for delivery in shop.claim(10).await {
        shop.wait_ms(1);
        shop.bury(&delivery, "factory-refused", "e").await;
        buried.push(delivery.message_id);
    }
    let incident = shop.only_incident().await;
    assert_eq!((incident.occurrences, incident.cases_total), (7, 7));
    let named: Vec<_> = incident.cases.into_iter().map(|case| case.id).collect();
    buried.reverse();
    assert_eq!(named, buried[..5]);
}

async fn each_channel_is_told_once_that_it_began(engine: Engine) {
    let shop = Shop::with_messages(engine, 4).await;
    for _ in 0..4 {
        bury_one(&shop, "factory-refused").await;
    }
    let incident = shop.only_incident().await;
    let notices = shop.notices().await;
    assert_eq!(told(&notices), on_both(Occasion::Opened, &incident));
    for notice in &notices {
        assert_eq!(notice.incident, incident, "a notice tells how things are when it is read");
        assert_eq!((notice.only_channel, notice.told_at, notice.occurrences_told), (false, None, 0));
    }
    assert_ne!(notices[0].id, notices[1].id);
    assert_eq!(shop.store.owed("nobody".into()).await, Ok(None));
    assert_eq!(shop.store.told("nobody".into(), 1, shop.now()).await, Ok(()));
}

async fn what_fails_is_not_used_to_tell_of_it(engine: Engine) {
    let failing_mail = [("mail", Channel::Chat), ("mail-fallback", Channel::Chat), ("slack", Channel::Mail)];
    for (partner, channel) in failing_mail {
        let shop = Shop::with_messages(engine, 1).await;
        bury_one(&shop, &format!("{partner}-refused")).await;
        shop.break_circuit(partner).await;
        let notices = shop.notices().await;
        assert_eq!(notices.len(), 2, "the dead letter and the circuit: {notices:?}");
        for notice in notices {
            assert_eq!((notice.channel, notice.only_channel), (channel, true), "{notice:?}");
            assert_eq!(notice.incident.partner, partner);
        }
    }
    let shop = Shop::open(engine).await;
    shop.break_circuit("marketing").await;
    let notices = shop.notices().await;
    assert_eq!(notices.len(), 2);
    assert!(notices.iter().all(|notice| !notice.only_channel));
}

async fn a_notice_that_was_told_is_found_told(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    bury_one(&shop, "factory-refused").await;
    let notices = shop.notices().await;
    let (first, second) = (&notices[0], &notices[1]);
    shop.wait_ms(10);
    let moment = shop.now();
    shop.tell(first).await;
    shop.wait_ms(10);
    shop.tell(first).await;
    let again = shop.store.owed(first.id.clone()).await.expect("read").expect("known");
    assert_eq!(again.told_at, Some(moment));
    let other = shop.store.owed(second.id.clone()).await.expect("read").expect("known");
    assert_eq!(other.told_at, None, "each channel for itself");
}

async fn an_incident_that_grows_is_told_again_after_a_quarter_of_an_hour(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    bury_one(&shop, "factory-refused").await;
    for notice in shop.notices().await {
        shop.tell(&notice).await;
    }
    shop.wait_ms(DIGEST_MS);
    assert_eq!(shop.tick().await.notices, 0, "it did not grow");
    let incident = shop.only_incident().await;
    bury_one(&shop, "factory-refused").await;
    bury_one(&shop, "factory-refused").await;
    assert!(shop.notices().await.is_empty(), "only time tells of growth");
    assert_eq!(shop.tick().await.notices, 2);
    assert_eq!(shop.tick().await.notices, 0);
    let digests = shop.notices().await;
    assert_eq!(told(&digests), on_both(Occasion::Grew, &incident));
    for digest in &digests {
        assert_eq!((digest.occurrences_told, digest.incident.occurrences), (1, 3));
    }
    // One more before the digest goes out: it speaks of that too.
    bury_one(&shop, "factory-refused").await;
    for digest in &digests {
        shop.store.told(digest.id.clone(), 4, shop.now()).await.expect("noted");
    }
    shop.wait_ms(10 * DIGEST_MS);
    assert_eq!(shop.tick().await.notices, 0, "people know of all four");

    bury_one(&shop, "factory-refused").await;
    assert_eq!(shop.tick().await.notices, 2);
    let digests = shop.notices().await;
    for digest in &digests {
        assert_eq!((digest.occurrences_told, digest.incident.occurrences), (4, 5));
        shop.tell(digest).await;
    }
    assert_eq!(shop.redrive_all().await, 5);
    let again = shop.claim(10).await;
    shop.bury(&again[0], "factory-refused", "e").await;
    shop.wait_ms(DIGEST_MS - 1);
    assert_eq!(shop.tick().await.notices, 0, "it grew, but people were told a moment ago");
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.notices, 2);
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Grew, &incident));
}

async fn an_incident_is_over_a_minute_after_nothing_of_it_is_wrong_any_more(engine: Engine) {
    let shop = Shop::with_messages(engine, 2).await;
    let (first, second) =
        (bury_one(&shop, "factory-refused").await, bury_one(&shop, "factory-refused").await);
    let incident = shop.only_incident().await;
    shop.notices().await;
    let goes_on = async || {
        shop.tick().await;
        assert_eq!(shop.only_incident().await.cleared_at, None);
    };
    shop.wait_ms(60 * MINUTE_MS);
    goes_on().await;
    assert_eq!(shop.redrive_all().await, 2);
    let again = shop.claim(10).await;
    for delivery in &again {
        shop.receive(&shop.open_request(&delivery.event.subject).await.expect("low").id, 9).await;
    }
    let done = again.iter().find(|delivery| delivery.message_id == first.message_id).expect("redriven");
    assert!(shop.settle(done, Verdict::Done).await);
    let other = again.iter().find(|delivery| delivery.message_id == second.message_id).expect("redriven");
    shop.bury(other, "factory-refused", "e").await;
    shop.wait_ms(MINUTE_MS - 1);
    goes_on().await;
    assert_eq!(shop.purge_all().await, 1);
    goes_on().await;
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Grew, &incident), "it grew in between");
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.notices, 2);
    let over = shop.only_incident().await;
    assert_eq!((over.cleared_at, over.occurrences), (Some(shop.now()), 3));
    assert!(shop.open_incidents().await.is_empty());
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Cleared, &incident));
    shop.wait_ms(60 * MINUTE_MS);
    assert_eq!(shop.tick().await.notices, 0, "once");
}

async fn a_dead_letter_belongs_to_the_incident_of_its_last_failure(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    bury_one(&shop, "factory-failing").await;
    let first = shop.only_incident().await;
    assert_eq!(shop.redrive_all().await, 1);
    shop.wait_ms(MINUTE_MS);
    shop.tick().await;
    assert_eq!(shop.only_incident().await, first, "it is to be tried again");
    bury_one(&shop, "factory-refused").await;
    shop.wait_ms(MINUTE_MS);
    shop.tick().await;
    let open = shop.open_incidents().await;
    assert_eq!((open.len(), open[0].reason.as_str()), (1, "factory-refused"));
    assert_eq!(shop.redrive_all().await, 1);
    bury_one(&shop, "factory-refused").await;
    shop.wait_ms(60 * MINUTE_MS);
    shop.tick().await;
    let open = shop.open_incidents().await;
    assert_eq!((open.len(), open[0].reason.as_str(), open[0].occurrences), (1, "factory-refused", 2));
}

async fn what_goes_wrong_again_later_is_another_incident(engine: Engine) {
    let shop = Shop::with_messages(engine, 2).await;
    bury_one(&shop, "factory-refused").await;
    shop.purge_all().await;
    shop.wait_ms(MINUTE_MS);
    shop.tick().await;
    let first = shop.only_incident().await;
    assert!(first.cleared_at.is_some());
    shop.notices().await;
    bury_one(&shop, "factory-refused").await;
    let open = shop.open_incidents().await;
    assert_eq!((open.len(), open[0].occurrences, open[0].cases_total), (1, 1, 1));
    assert_ne!(open[0].id, first.id);
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Opened, &open[0]));
    let all = shop.store.incidents(false, first_page()).await.expect("read");
    assert_eq!(all, [open[0].clone(), first], "what was is left as it was");
}

async fn what_an_audit_finds_is_an_incident_until_one_finds_nothing(engine: Engine) {
    let shop = Shop::open(engine).await;
    let audited = async |violations: &[&str]| {
        let violations = violations.iter().map(|words| (*words).to_owned()).collect();
        shop.store.audited(violations, shop.now()).await.expect("noted");
        shop.wait_ms(MINUTE_MS);
    };
    audited(&[]).await;
    assert!(shop.store.incidents(false, first_page()).await.expect("read").is_empty());
    let found = ["stock of A is 3, the ledger says 4", "the order o has no line"];
    audited(&found).await;
    let incident = shop.only_incident().await;
    assert_eq!((incident.kind.as_str(), incident.queue.as_str()), ("audit.violation", ""));
    assert_eq!((incident.factory_id.as_deref(), incident.manager_email.as_deref()), (None, None));
    let words = incident.cases.iter().map(|case| case.words.as_str()).collect::<Vec<_>>().join("\n");
    assert!(words.contains("the ledger says 4"), "{incident:?}");
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Opened, &incident));
    assert_eq!(shop.tick().await.notices, 0, "an audit clears what an audit found");
    audited(&found[..1]).await;
    let grown = shop.only_incident().await;
    assert_eq!(grown.id, incident.id);
    assert!(grown.occurrences > incident.occurrences && grown.cleared_at.is_none());
    audited(&[]).await;
    assert!(shop.only_incident().await.cleared_at.is_some());
    assert_eq!(told(&shop.notices().await), on_both(Occasion::Cleared, &incident));
    audited(&[]).await;
    shop.tick().await;
    assert!(shop.notices().await.is_empty());
}

async fn telling_causes_nothing_to_tell(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    bury_one(&shop, "factory-refused").await;
    let incident = shop.only_incident().await;
    let notices = shop.claim_from("alerts", 10).await;
    assert_eq!(notices.len(), 2);
    shop.bury(&notices[0], "slack-refused", "no such channel").await;
    shop.wait_ms(LEASE_MS);
    let report =
        shop.store.tick(TickLimits { attempts_max: 1, batch: 100 }, shop.now()).await.expect("ticked");
    assert_eq!(report.buried, 1, "the other one's worker died");
    assert_eq!(shop.queue_named("alerts").await.buried, 2);
    assert_eq!(shop.only_incident().await, incident, "neither is an incident nor adds to one");
    assert!(shop.claim_from("alerts", 10).await.is_empty());
    shop.audit().await;
}

async fn incidents_are_read_page_by_page_from_the_newest(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    for number in 0..5 {
        shop.wait_ms(1);
        bury_one(&shop, &format!("kind-{number}")).await;
        if number == 1 {
            shop.purge_all().await;
            shop.wait_ms(MINUTE_MS);
            shop.tick().await;
        }
    }
    let read = async |open_only| {
        let mut reasons = Vec::new();
        let mut after = None;
        loop {
            let found = shop.store.incidents(open_only, page(2, after.as_deref())).await.expect("read");
            assert!(found.len() <= 2);
            let Some(last) = found.last() else { return reasons };
            after = Some(last.cursor.clone());
            reasons.extend(found.into_iter().map(|incident| incident.reason));
        }
    };
    assert_eq!(read(false).await, ["kind-4", "kind-3", "kind-2", "kind-1", "kind-0"]);
    assert_eq!(read(true).await, ["kind-4", "kind-3", "kind-2"]);
}

async fn incidents_that_are_over_are_removed_some_day_and_others_never(engine: Engine) {
    let shop = Shop::with_messages(engine, 2).await;
    bury_one(&shop, "factory-refused").await;
    let notices = shop.notices().await;
    shop.purge_all().await;
    shop.wait_ms(MINUTE_MS);
    shop.tick().await;
    bury_one(&shop, "factory-failing").await;
    shop.wait_ms(1_000 * 86_400_000);
    shop.tick().await;
    let left = shop.only_incident().await;
    assert_eq!((left.reason.as_str(), left.cleared_at), ("factory-failing", None));
    for notice in notices {
        assert_eq!(shop.store.owed(notice.id).await, Ok(None), "its incident was removed");
    }
    shop.audit().await;
}
