//! Claim: no partner is called more often, more widely, or while it fails more than now and then.

use super::shop::{Shop, wait};
use restock_store::partners;
use restock_store::restock::partners::{Admission, Circuit, Health, Hindrance, Limits, Pass, State};

const OPEN_MS: u64 = 2_000;
const HOLD_MS: u64 = 5_000;

fn enter(shop: &Shop, rate_per_second: u32, concurrency: u32) -> Admission {
    let limits = Limits { rate_per_second, concurrency, hold_ms: HOLD_MS };
    wait(partners::enter(&shop.database, "factory".into(), limits, shop.now.get())).expect("answered")
}

pub(super) fn pass(shop: &Shop) -> Pass {
    match enter(shop, 1_000, 100) {
        Admission::Admitted(pass) => pass,
        Admission::Wait(wait) => panic!("not admitted: {wait:?}"),
    }
}

fn leave(shop: &Shop, pass: &Pass, health: Health) {
    wait(partners::leave(&shop.database, pass.id.clone(), health, shop.now.get())).expect("answered");
}

fn state(shop: &Shop) -> State {
    let partners = wait(partners::list(&shop.database, shop.now.get())).expect("read");
    partners.into_iter().find(|state| state.partner == "factory").expect("the factory")
}

fn pass_time(shop: &Shop, ms: u64) {
    shop.now.set(shop.now.get() + ms);
}

/// Five failures in a row.
fn break_circuit(shop: &Shop) {
    for _ in 0..5 {
        leave(shop, &pass(shop), Health::Failing);
    }
    assert_eq!(state(shop).circuit, Circuit::Open);
}

#[test]
fn calls_are_spaced_evenly_and_only_so_far_ahead() {
    let shop = Shop::new();
    let now = shop.now.get();
    let mut starts = Vec::new();
    let (until, why) = loop {
        match enter(&shop, 4, 100) {
            Admission::Admitted(pass) => starts.push(pass.start_at - now),
            Admission::Wait(wait) => break wait,
        }
    };
    assert_eq!(starts, [0, 263, 525, 788], "four take a little longer than a second");
    assert_eq!((until, why), (now + 50, Hindrance::Rate));
    shop.now.set(until);
    assert!(matches!(enter(&shop, 4, 100), Admission::Admitted(_)));
}

#[test]
fn so_many_calls_run_at_a_time() {
    let shop = Shop::new();
    let Admission::Admitted(first) = enter(&shop, 1_000, 2) else { panic!("free") };
    assert!(matches!(enter(&shop, 1_000, 2), Admission::Admitted(_)));
    assert!(matches!(enter(&shop, 1_000, 2), Admission::Wait((_, Hindrance::Concurrency))));
    assert_eq!(state(&shop).in_flight, 2);
    leave(&shop, &first, Health::Well);
    assert!(matches!(enter(&shop, 1_000, 2), Admission::Admitted(_)));
    assert_eq!(state(&shop).calls_total, 3);
}

#[test]
fn a_pass_whose_holder_died_expires() {
    let shop = Shop::new();
    let Admission::Admitted(dead) = enter(&shop, 1_000, 1) else { panic!("free") };
    assert!(matches!(enter(&shop, 1_000, 1), Admission::Wait(_)));
    pass_time(&shop, HOLD_MS);
    leave(&shop, &dead, Health::Failing);
    assert_eq!(state(&shop).failures, 0, "an expired pass changes nothing");
    assert!(matches!(enter(&shop, 1_000, 1), Admission::Admitted(_)));
    assert_eq!(shop.database.number("SELECT count(*) FROM partner_pass"), 1);
}

#[test]
fn a_call_that_goes_well_ends_the_row_of_failures() {
    let shop = Shop::new();
    for _ in 0..4 {
        leave(&shop, &pass(&shop), Health::Failing);
    }
    leave(&shop, &pass(&shop), Health::Well);
    for _ in 0..4 {
        leave(&shop, &pass(&shop), Health::Failing);
    }
    assert_eq!((state(&shop).circuit, state(&shop).failures_total), (Circuit::Closed, 8));
}

#[test]
fn a_partner_that_fails_is_left_alone_until_a_single_probe() {
    let shop = Shop::new();
    break_circuit(&shop);
    assert_eq!(enter_wait(&shop), (shop.now.get() + OPEN_MS, Hindrance::CircuitOpen));
    pass_time(&shop, OPEN_MS);
    let probe = pass(&shop);
    assert!(probe.probe);
    assert_eq!(state(&shop).circuit, Circuit::HalfOpen);
    assert_eq!(enter_wait(&shop).1, Hindrance::CircuitOpen, "one probe at a time");
    leave(&shop, &probe, Health::Well);
    let state = state(&shop);
    assert_eq!((state.circuit, state.failures, state.probe_at), (Circuit::Closed, 0, None));
    assert!(!pass(&shop).probe);
}

fn enter_wait(shop: &Shop) -> (u64, Hindrance) {
    match enter(shop, 1_000, 100) {
        Admission::Wait(wait) => wait,
        Admission::Admitted(pass) => panic!("admitted: {pass:?}"),
    }
}

#[test]
fn a_probe_that_fails_doubles_the_time_to_the_next_up_to_a_limit() {
    let shop = Shop::new();
    break_circuit(&shop);
    for wait_ms in [OPEN_MS, 4_000, 8_000, 16_000, 30_000, 30_000] {
        let (until, _) = enter_wait(&shop);
        assert_eq!(until, shop.now.get() + wait_ms);
        shop.now.set(until);
        leave(&shop, &pass(&shop), Health::Failing);
    }
    assert_eq!(state(&shop).opened_at, Some(1_000_000), "since the first failure of the episode");
}

#[test]
fn a_probe_whose_holder_died_makes_room_for_the_next() {
    let shop = Shop::new();
    break_circuit(&shop);
    pass_time(&shop, OPEN_MS);
    assert!(pass(&shop).probe);
    assert_eq!(enter_wait(&shop).1, Hindrance::CircuitOpen);
    pass_time(&shop, HOLD_MS);
    let second = pass(&shop);
    assert!(second.probe);
    leave(&shop, &second, Health::Well);
    assert_eq!(state(&shop).circuit, Circuit::Closed);
}

#[test]
fn calls_from_before_the_circuit_opened_do_not_decide() {
    let shop = Shop::new();
    let (early, late) = (pass(&shop), pass(&shop));
    break_circuit(&shop);
    let probe_at = state(&shop).probe_at;
    leave(&shop, &early, Health::Well);
    assert_eq!(state(&shop).circuit, Circuit::Open);
    pass_time(&shop, 1);
    leave(&shop, &late, Health::Failing);
    assert_eq!(state(&shop).probe_at, probe_at, "the probe is not put off");
}

#[test]
fn a_partner_that_nobody_knows_is_a_fault() {
    let shop = Shop::new();
    let limits = Limits { rate_per_second: 1, concurrency: 1, hold_ms: 1 };
    assert!(wait(partners::enter(&shop.database, "nobody".into(), limits, 1)).is_err());
}

#[test]
fn a_partner_that_is_busy_is_left_alone_until_then_by_everybody_but_not_for_ever() {
    let shop = Shop::new();
    let now = shop.now.get();
    for (until, alone_until) in
        [(now + 30_000, now + 30_000), (now + 10_000, now + 30_000), (u64::MAX, now + 300_000)]
    {
        let other = pass_id_of_another_worker(&shop);
        leave(&shop, &other, Health::Busy(until));
        assert_eq!(state(&shop).next_slot_at, alone_until);
        let (at, why) = enter_wait(&shop);
        assert_eq!((at, why), (alone_until - 1_000, Hindrance::Rate), "so far ahead a slot may be");
    }
    let state = state(&shop);
    assert_eq!((state.circuit, state.failures, state.in_flight), (Circuit::Closed, 0, 0));
    pass_time(&shop, 300_000);
    assert_eq!(pass(&shop).start_at, shop.now.get());
}

#[test]
fn a_slot_of_a_clock_that_was_ahead_stops_nobody() {
    let shop = Shop::new();
    let now = shop.now.get();
    for (ahead_ms, health) in [(86_400_000, Health::Well), (400_000, Health::Busy(u64::MAX))] {
        shop.now.set(now + ahead_ms);
        leave(&shop, &pass(&shop), health);
        shop.now.set(now);
        assert_eq!(state(&shop).next_slot_at, 0, "it says nothing");
        let starts = [pass(&shop).start_at, pass(&shop).start_at];
        assert_eq!(starts[0], now);
        assert!(starts[1] > now, "and calls are spaced as ever");
    }
}

#[test]
fn a_busy_partner_is_left_alone_where_clocks_differ_a_little() {
    let shop = Shop::new();
    let now = shop.now.get();
    shop.now.set(now + 2_000);
    leave(&shop, &pass(&shop), Health::Busy(u64::MAX));
    shop.now.set(now);
    assert_eq!(state(&shop).next_slot_at, now + 302_000);
    assert_eq!(enter_wait(&shop), (now + 301_000, Hindrance::Rate));
}

/// A pass that was given before the partner said that it is busy.
fn pass_id_of_another_worker(shop: &Shop) -> Pass {
    let free = "UPDATE partner SET next_slot_us = 0 WHERE partner_id = 'factory' RETURNING next_slot_us";
    let kept = shop.database.number("SELECT next_slot_us FROM partner WHERE partner_id = 'factory'");
    shop.database.number(free);
    let pass = pass(shop);
    let back = format!("UPDATE partner SET next_slot_us = {kept} WHERE partner_id = 'factory' RETURNING 1");
    shop.database.number(&back);
    pass
}

#[test]
fn a_partner_that_is_busy_is_well() {
    let shop = Shop::new();
    break_circuit(&shop);
    pass_time(&shop, OPEN_MS);
    leave(&shop, &pass(&shop), Health::Busy(shop.now.get() + 5_000));
    assert_eq!((state(&shop).circuit, state(&shop).failures), (Circuit::Closed, 0));
    assert_eq!(enter_wait(&shop).1, Hindrance::Rate);
}
