//! Claim: what somebody must know is one incident however often it happens, told once when it opens, now and then while it
//! grows and once when it is over, never on a channel that is itself what fails. Method: each rule by hand.

use std::collections::BTreeSet;

use super::shop::{Shop, first_page, wait};
use restock_store::restock::alerts::{Channel, Incident, Notice, Occasion};
use restock_store::restock::catalog::Factory;
use restock_store::restock::partners::{Admission, Health, Limits, Pass};
use restock_store::restock::queue::{Action, Delivery, Selection, Verdict};
use restock_store::{alerts, catalog, partners};

const MINUTE_MS: u64 = 60_000;
/// The least time between two notices of an incident on a channel.
pub(super) const DIGEST_MS: u64 = 15 * MINUTE_MS;
/// For how long an incident has to be quiet before it is over.
pub(super) const QUIET_MS: u64 = MINUTE_MS;
/// The same of what comes and goes: open circuits and overdue goods.
pub(super) const FLAPPING_QUIET_MS: u64 = 15 * MINUTE_MS;

pub(super) fn incidents(shop: &Shop, open_only: bool) -> Vec<Incident> {
    wait(alerts::list(&shop.database, open_only, first_page())).expect("read")
}

/// The one incident that goes on.
fn open(shop: &Shop) -> Incident {
    let mut open = incidents(shop, true);
    assert_eq!(open.len(), 1, "{open:?}");
    open.remove(0)
}

pub(super) fn owed(shop: &Shop, id: &str) -> Option<Notice> {
    wait(alerts::owed(&shop.database, id.into())).expect("read")
}

/// Works the queue of alerts off; what was told, in words.
pub(super) fn tell(shop: &Shop) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let deliveries = shop.claim_from("alerts", 16);
        if deliveries.is_empty() {
            told.sort();
            return told;
        }
        for delivery in deliveries {
            let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
            let notice = owed(shop, data["notice_id"].as_str().expect("an id")).expect("it is owed");
            let occurrences = notice.incident.occurrences;
            wait(alerts::told(&shop.database, notice.id.clone(), occurrences, shop.now.get()))
                .expect("noted");
            shop.settle(&delivery, Verdict::Done);
            told.push(format!("{:?} {:?}", notice.channel, notice.occasion));
        }
    }
}

/// A product whose message is buried for this reason.
fn bury(shop: &Shop, sku: &str, reason: &str) -> Delivery {
    shop.product(sku, 2, 10, 1);
    let delivery = shop.claim(10).into_iter().find(|delivery| delivery.event.subject == sku).expect("due");
    shop.settle_for(&delivery, Verdict::Bury, reason);
    delivery
}

fn pass(shop: &Shop, partner: &str) -> Pass {
    let limits = Limits { rate_per_second: 1_000_000, concurrency: 100, hold_ms: 1_000 };
    match wait(partners::enter(&shop.database, partner.into(), limits, shop.now.get())).expect("answered") {
        Admission::Admitted(pass) => pass,
        Admission::Wait(wait) => panic!("not admitted: {wait:?}"),
    }
}

pub(super) fn call(shop: &Shop, partner: &str, health: Health) {
    shop.now.set(shop.now.get() + 1);
    wait(partners::leave(&shop.database, pass(shop, partner).id, health, shop.now.get())).expect("answered");
}

/// Has a partner whose circuit is closed fail until it is open.
pub(super) fn break_circuit(shop: &Shop, partner: &str) {
    for _ in 0..5 {
        call(shop, partner, Health::Failing);
    }
}

fn audited(shop: &Shop, violations: &[&str]) {
    let violations = violations.iter().map(|words| (*words).to_owned()).collect();
    wait(alerts::audited(&shop.database, violations, shop.now.get())).expect("noted");
}

#[test]
fn dead_letters_of_one_kind_are_one_incident_told_once_on_each_channel() {
    let shop = Shop::new();
    for number in 0..8 {
        bury(&shop, &format!("A{number}"), "factory-refused");
    }
    let incident = open(&shop);
    let key = (
        incident.kind.as_str(),
        incident.queue.as_str(),
        incident.partner.as_str(),
        incident.reason.as_str(),
    );
    assert_eq!(key, ("message.buried", "replenishment", "factory", "factory-refused"));
    assert_eq!((incident.occurrences, incident.cases_total, incident.cases.len()), (8, 8, 5));
    assert!(incident.cases[0].words.contains(": connection refused"), "{:?}", incident.cases[0]);
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Opened", "Channel::Mail Occasion::Opened"]);
    assert!(tell(&shop).is_empty());
    shop.assert_sound();
}

#[test]
fn another_kind_another_queue_or_another_factory_is_another_incident() {
    let shop = Shop::new();
    let other =
        Factory { id: "FF-2".into(), name: "f".into(), manager_email: Some("m@f.example".into()), url: None };
    wait(catalog::define_factory(&shop.database, other, "op".into(), 1)).expect("defined");
    bury(&shop, "A", "factory-refused");
    bury(&shop, "B", "factory-timeout");
    bury(&shop, "C", "attempts-exhausted");
    let elsewhere = "UPDATE product SET factory_id = 'FF-2' WHERE sku = 'A'";
    shop.database.0.execute(elsewhere, []).expect("updated");
    shop.operate(Action::Purge((Selection::Reason("factory-refused".into()), 9)));
    shop.order(&[("A", 1)]);
    shop.settle_for(&shop.claim_one(), Verdict::Bury, "factory-refused");
    let open = incidents(&shop, true);
    let keys: BTreeSet<_> = open
        .iter()
        .map(|incident| (incident.partner.as_str(), incident.reason.as_str(), incident.factory_id.as_deref()))
        .collect();
    let expected = [
        ("", "attempts-exhausted", None),
        ("factory", "factory-refused", Some("FF-1")),
        ("factory", "factory-refused", Some("FF-2")),
        ("factory", "factory-timeout", Some("FF-1")),
    ];
    assert_eq!(keys, BTreeSet::from(expected));
    assert_eq!(
        open[0].manager_email.as_deref(),
        Some("m@f.example"),
        "newest first, with who is told for the factory"
    );
}

#[test]
fn nobody_is_told_by_mail_that_mail_fails_nor_in_chat_that_chat_does() {
    for (reason, partner, channel) in [
        ("mail-refused", "mail", Channel::Chat),
        ("mail-fallback-timeout", "mail-fallback", Channel::Chat),
        ("slack-busy", "slack", Channel::Mail),
    ] {
        let shop = Shop::new();
        bury(&shop, "A", reason);
        assert_eq!(open(&shop).partner, partner);
        let notice = owed(&shop, "1").expect("owed");
        assert_eq!((notice.channel, notice.only_channel, owed(&shop, "2").is_none()), (channel, true, true));
    }
}

#[test]
fn what_is_told_of_an_incident_never_becomes_one() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    for notice in shop.claim_from("alerts", 16) {
        shop.settle_for(&notice, Verdict::Bury, "slack-refused");
    }
    assert_eq!((incidents(&shop, false).len(), shop.claim_from("alerts", 16).len()), (1, 0));
}

#[test]
fn an_incident_that_grows_is_told_again_after_fifteen_minutes_and_not_before() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    tell(&shop);
    bury(&shop, "B", "factory-refused");
    assert_eq!(shop.tick_after(DIGEST_MS - 1).notices, 0);
    assert_eq!(shop.tick_after(1).notices, 2);
    assert_eq!(shop.tick_after(0).notices, 0);
    let notice = owed(&shop, "3").expect("owed");
    assert_eq!(
        (notice.occasion, notice.occurrences_told, notice.incident.occurrences),
        (Occasion::Grew, 1, 2)
    );
    assert_eq!(tell(&shop).len(), 2);
    assert_eq!(shop.tick_after(10 * DIGEST_MS).notices, 0, "it did not grow");
}

#[test]
fn what_grows_while_nobody_could_be_told_is_one_digest_when_they_were() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    bury(&shop, "B", "factory-refused");
    assert_eq!(shop.tick_after(3 * DIGEST_MS).notices, 0, "the first notice is still on its way");
    tell(&shop);
    assert_eq!(shop.tick_after(3 * DIGEST_MS).notices, 0, "it spoke of both");
}

#[test]
fn a_notice_that_was_given_up_holds_up_no_later_one_and_repeats_nothing() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    for notice in shop.claim_from("alerts", 16) {
        shop.settle_for(&notice, Verdict::Bury, "slack-refused");
    }
    assert_eq!(shop.tick_after(DIGEST_MS).notices, 0, "nothing happened since");
    bury(&shop, "B", "factory-refused");
    assert_eq!(shop.tick_after(0).notices, 2);
}

#[test]
fn an_incident_is_over_when_its_dead_letters_are_done_and_it_was_quiet() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    bury(&shop, "B", "factory-refused");
    tell(&shop);
    assert_eq!(shop.tick_after(QUIET_MS).notices, 0, "both are dead letters");
    shop.redrive_all();
    assert_eq!(shop.tick_after(QUIET_MS).notices, 0, "both are to be tried again");
    for delivery in shop.claim(10) {
        shop.request(&shop.productions()[usize::from(delivery.event.subject == "B")].id);
        shop.settle(&delivery, Verdict::Done);
    }
    assert_eq!(shop.tick_after(0).notices, 2);
    assert!(incidents(&shop, true).is_empty());
    assert_eq!(incidents(&shop, false)[0].cleared_at, Some(shop.now.get()));
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Cleared", "Channel::Mail Occasion::Cleared"]);
    bury(&shop, "C", "factory-refused");
    assert_eq!(
        (incidents(&shop, false).len(), tell(&shop).len()),
        (2, 2),
        "the next one is another incident"
    );
    shop.assert_sound();
}

#[test]
fn an_incident_that_ends_at_once_is_kept_until_it_was_quiet_for_a_while() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    shop.purge_all();
    assert_eq!(shop.tick_after(QUIET_MS - 1).notices, 0);
    assert_eq!(shop.tick_after(1).notices, 2);
}

#[test]
fn goods_that_are_overdue_concern_their_factory_until_they_come() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.request(&id);
    shop.tick_after(60_000);
    let incident = open(&shop);
    let key = (
        incident.kind.as_str(),
        incident.partner.as_str(),
        incident.reason.as_str(),
        incident.factory_id.as_deref(),
    );
    assert_eq!(key, ("production.overdue", "factory", "factory-overdue", Some("FF-1")));
    assert_eq!(incident.cases[0].id, id);
    shop.tick_after(QUIET_MS);
    assert_eq!(incidents(&shop, true).len(), 1);
    shop.receive(&id, 9);
    assert_eq!(
        shop.tick_after(FLAPPING_QUIET_MS - QUIET_MS - 1).notices,
        0,
        "the next ones may be late as well"
    );
    assert_eq!(shop.tick_after(1).notices, 2);
}

#[test]
fn an_open_circuit_is_an_incident_that_grows_with_every_probe_that_fails_and_ends_with_one_that_does_not() {
    let shop = Shop::new();
    for _ in 0..5 {
        call(&shop, "marketing", Health::Failing);
    }
    let incident = open(&shop);
    assert_eq!(
        (incident.kind.as_str(), incident.reason.as_str()),
        ("circuit.opened", "marketing-circuit-open")
    );
    assert_eq!(incident.opened_at, shop.now.get(), "the moment of the call that opened it");
    tell(&shop);
    for _ in 0..3 {
        shop.now.set(shop.now.get() + MINUTE_MS);
        call(&shop, "marketing", Health::Failing);
    }
    assert_eq!((open(&shop).occurrences, open(&shop).cases_total), (4, 1));
    let failed_last_at = shop.now.get();
    shop.tick_after(MINUTE_MS);
    call(&shop, "marketing", Health::Well);
    shop.tick_after(failed_last_at + FLAPPING_QUIET_MS - 1 - shop.now.get());
    assert_eq!(incidents(&shop, true).len(), 1, "it may open again");
    shop.tick_after(1);
    assert!(incidents(&shop, true).is_empty());
    assert_eq!(shop.events().last().map(String::as_str), Some("incident.cleared"));
}

#[test]
fn a_circuit_that_stays_open_is_an_incident_however_long_nobody_probes_it() {
    let shop = Shop::new();
    break_circuit(&shop, "marketing");
    shop.tick_after(10 * FLAPPING_QUIET_MS);
    assert_eq!(open(&shop).cleared_at, None);
}

#[test]
fn a_partner_that_fails_for_seconds_every_two_minutes_is_one_incident_and_four_notices_an_hour() {
    let shop = Shop::new();
    let mut told = Vec::new();
    for _ in 0..30 {
        break_circuit(&shop, "marketing");
        shop.now.set(shop.now.get() + 3_000);
        call(&shop, "marketing", Health::Well);
        for _ in 0..6 {
            shop.tick_after(19_000);
            told.extend(tell(&shop));
        }
    }
    assert_eq!((incidents(&shop, false).len(), open(&shop).occurrences), (1, 30));
    assert_eq!(told.len(), 2 * 4, "on each of two channels: {told:?}");
    shop.tick_after(FLAPPING_QUIET_MS);
    assert!(incidents(&shop, true).is_empty());
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Cleared", "Channel::Mail Occasion::Cleared"]);
}

#[test]
fn a_dead_letter_that_becomes_one_of_another_kind_belongs_to_that_incident_only() {
    let shop = Shop::new();
    bury(&shop, "A", "marketing-failing");
    tell(&shop);
    shop.redrive_all();
    shop.tick_after(QUIET_MS);
    assert_eq!(open(&shop).reason, "marketing-failing", "it is to be tried again");
    let again = shop.claim_one();
    shop.tick_after(1);
    assert_eq!(open(&shop).reason, "marketing-failing", "it is being tried");
    shop.settle_for(&again, Verdict::Bury, "marketing-refused");
    shop.tick_after(QUIET_MS);
    assert_eq!(open(&shop).reason, "marketing-refused");
    shop.redrive_all();
    shop.settle_for(&shop.claim_one(), Verdict::Bury, "marketing-refused");
    shop.tick_after(10 * QUIET_MS);
    assert_eq!((open(&shop).occurrences, incidents(&shop, false).len()), (2, 2));
    shop.purge_all();
    shop.tick_after(0);
    assert!(incidents(&shop, true).is_empty());
}

#[test]
fn a_single_failure_opens_nothing_and_calls_that_go_well_say_nothing() {
    let shop = Shop::new();
    call(&shop, "mail", Health::Failing);
    call(&shop, "mail", Health::Well);
    assert!(incidents(&shop, false).is_empty() && shop.events().is_empty());
}

#[test]
fn violations_of_the_audit_are_one_incident_until_it_finds_none() {
    let shop = Shop::new();
    audited(&shop, &[]);
    audited(&shop, &["A: on_hand is -1, below zero", "b", "c", "d", "e", "f", "g"]);
    audited(&shop, &["b"]);
    let incident = open(&shop);
    assert_eq!(
        (incident.kind.as_str(), incident.occurrences, incident.cases_total),
        ("audit.violation", 2, 1)
    );
    assert_eq!(incident.cases[0].words, "b");
    assert_eq!(shop.tick_after(10 * QUIET_MS).notices, 0, "only an audit can tell");
    audited(&shop, &[]);
    assert!(incidents(&shop, true).is_empty());
    assert_eq!(tell(&shop).len(), 4, "both channels, both ends");
    shop.assert_sound();
}

#[test]
fn a_long_list_of_violations_is_named_in_part() {
    let shop = Shop::new();
    let long = "x".repeat(5_000);
    audited(&shop, &[&long, "b", "c", "d", "e", "f", "g"]);
    let words = &open(&shop).cases[0].words;
    assert!(words.ends_with("; b; c; d; e; and 2 more") && words.len() < 300, "{words}");
}

#[test]
fn incidents_are_kept_for_ninety_days_after_they_were_cleared_with_all_they_own() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    bury(&shop, "B", "factory-timeout");
    shop.operate(Action::Purge((Selection::Reason("factory-refused".into()), 9)));
    shop.tick_after(QUIET_MS);
    shop.tick_after(90 * 86_400_000 - 1);
    assert_eq!(incidents(&shop, false).len(), 2);
    shop.tick_after(1);
    assert_eq!(open(&shop).reason, "factory-timeout");
    assert_eq!(shop.database.number("SELECT count(*) FROM incident_case"), 1);
    assert!(owed(&shop, "1").is_none() && owed(&shop, "nonsense").is_none());
}

#[test]
fn incidents_are_read_page_by_page_from_the_newest() {
    let shop = Shop::new();
    for number in 0..5 {
        bury(&shop, &format!("A{number}"), &format!("factory-{number}"));
    }
    for open_only in [true, false] {
        let mut page = first_page();
        page.limit = 3;
        let first = wait(alerts::list(&shop.database, open_only, page.clone())).expect("read");
        page.after = Some(first[2].cursor.clone());
        let second = wait(alerts::list(&shop.database, open_only, page)).expect("read");
        let reasons: Vec<_> = first.iter().chain(&second).map(|incident| incident.reason.as_str()).collect();
        assert_eq!(reasons, ["factory-4", "factory-3", "factory-2", "factory-1", "factory-0"]);
    }
}

#[test]
fn the_audit_notices_an_incident_that_nobody_will_hear_of() {
    let shop = Shop::new();
    bury(&shop, "A", "factory-refused");
    shop.database.0.execute("DELETE FROM incident_notice", []).expect("deleted");
    let found = shop.violations();
    assert!(found[0].ends_with("has 0 notices of its beginning and 0 of its end"), "{found:?}");
}
