//! Claim: no partner is called more often, more widely, or while it fails more than now and then.

use super::bindings::restock::partners::{Admission, Circuit, Health, Hindrance, Limits, Pass, State};
use super::shop::Shop;
use super::store::Engine;

/// The partner every store knows.
const PARTNER: &str = "factory";
/// For how long a pass counts when nobody gives it back.
const HOLD_MS: u64 = 5_000;

on_every_engine!(
    calls_are_spaced_evenly_and_a_slot_too_far_away_is_a_wait,
    so_many_calls_run_at_a_time_and_a_pass_that_nobody_gives_back_expires,
    failures_in_a_row_open_the_circuit_until_a_probe_goes_well,
    a_probe_that_fails_or_dies_is_followed_by_another_and_decides_alone,
    a_partner_that_is_busy_is_left_alone_by_everybody_until_it_said,
    a_partner_is_left_alone_for_five_minutes_at_most,
    a_partner_that_is_busy_is_well,
    a_pass_that_expired_says_nothing_about_who_is_busy,
    a_clock_that_was_ahead_keeps_nobody_from_calling,
);

async fn enter(shop: &Shop, rate_per_second: u32, concurrency: u32) -> Admission {
    let limits = Limits { rate_per_second, concurrency, hold_ms: HOLD_MS };
    shop.store.enter(PARTNER.into(), limits, shop.now()).await.expect("answered")
}

async fn pass(shop: &Shop) -> Pass {
    match enter(shop, 1_000, 100).await {
        Admission::Admitted(pass) => pass,
        Admission::Wait(wait) => panic!("not admitted: {wait:?}"),
    }
}

async fn refusal(shop: &Shop) -> (u64, Hindrance) {
    match enter(shop, 1_000, 100).await {
        Admission::Wait(wait) => wait,
        Admission::Admitted(pass) => panic!("admitted: {pass:?}"),
    }
}

async fn leave(shop: &Shop, pass: &Pass, health: Health) {
    shop.store.leave(pass.id.clone(), health, shop.now()).await.expect("answered");
}

async fn state(shop: &Shop) -> State {
    let partners = shop.store.partners(shop.now()).await.expect("read");
    partners.into_iter().find(|state| state.partner == PARTNER).expect("the partner is known")
}

/// So many failures in a row as it takes.
async fn break_circuit(shop: &Shop) {
    for _ in 0..state(shop).await.failures_max {
        leave(shop, &pass(shop).await, Health::Failing).await;
    }
    assert_eq!(state(shop).await.circuit, Circuit::Open);
}

async fn calls_are_spaced_evenly_and_a_slot_too_far_away_is_a_wait(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut starts = Vec::new();
    let (until, why) = loop {
        match enter(&shop, 4, 100).await {
            Admission::Admitted(pass) => starts.push(pass.start_at),
            Admission::Wait(wait) => break wait,
        }
        assert!(starts.len() < 100, "the queue of callers has no end");
    };
    assert_eq!(starts[0], shop.now());
    let apart = |pair: &[u64]| pair[1] - pair[0];
    assert!(starts.windows(2).map(apart).all(|ms| (251..=300).contains(&ms)), "{starts:?}");
    let even = |pair: &[u64]| apart(pair).abs_diff(starts[1] - starts[0]) <= 1;
    assert!(starts.windows(2).all(even), "{starts:?}");
    assert!(until > shop.now() && why == Hindrance::Rate);
    shop.wait_ms(until - shop.now());
    let admission = enter(&shop, 4, 100).await;
    assert!(
        matches!(&admission, Admission::Admitted(pass) if pass.start_at > starts[starts.len() - 1] + 250)
    );
    assert_eq!(state(&shop).await.calls_total, starts.len() as u64 + 1);
    let Admission::Admitted(last) = admission else { panic!("admitted a moment ago") };
    let next = state(&shop).await.next_slot_at;
    assert!((251..=301).contains(&(next - last.start_at)), "the slot after the last: {next}");
}

async fn so_many_calls_run_at_a_time_and_a_pass_that_nobody_gives_back_expires(engine: Engine) {
    let shop = Shop::open(engine).await;
    let Admission::Admitted(first) = enter(&shop, 1_000, 2).await else { panic!("free") };
    let Admission::Admitted(dead) = enter(&shop, 1_000, 2).await else { panic!("free") };
    let Admission::Wait((until, why)) = enter(&shop, 1_000, 2).await else { panic!("taken") };
    assert!(until > shop.now() && why == Hindrance::Concurrency);
    assert_eq!(state(&shop).await.in_flight, 2);
    leave(&shop, &first, Health::Well).await;
    leave(&shop, &first, Health::Failing).await;
    assert_eq!(
        (state(&shop).await.in_flight, state(&shop).await.failures),
        (1, 0),
        "a pass is given back once"
    );
    shop.wait_ms(HOLD_MS + 5);
    assert_eq!(state(&shop).await.in_flight, 0);
    leave(&shop, &dead, Health::Failing).await;
    assert_eq!(state(&shop).await.failures_total, 0, "a pass that expired changes nothing");
    for _ in 0..2 {
        assert!(matches!(enter(&shop, 1_000, 2).await, Admission::Admitted(_)));
    }
}

async fn failures_in_a_row_open_the_circuit_until_a_probe_goes_well(engine: Engine) {
    let shop = Shop::open(engine).await;
    let max = state(&shop).await.failures_max;
    for health in [Health::Failing, Health::Well, Health::Failing] {
        for _ in 1..max {
            leave(&shop, &pass(&shop).await, health).await;
        }
    }
    assert_eq!(state(&shop).await.circuit, Circuit::Closed, "none of the rows was long enough");
    leave(&shop, &pass(&shop).await, Health::Failing).await;
    let open = state(&shop).await;
    assert_eq!((open.circuit, open.failures, open.opened_at), (Circuit::Open, max, Some(shop.now())));
    let probe_at = open.probe_at.expect("it will be probed");
    assert_eq!(refusal(&shop).await, (probe_at, Hindrance::CircuitOpen));
    shop.wait_ms(probe_at - shop.now());
    let probe = pass(&shop).await;
    assert!(probe.probe);
    assert_eq!(state(&shop).await.circuit, Circuit::HalfOpen);
    assert_eq!(refusal(&shop).await.1, Hindrance::CircuitOpen, "one probe at a time");
    leave(&shop, &probe, Health::Well).await;
    let closed = state(&shop).await;
    assert_eq!(
        (closed.circuit, closed.failures, closed.opened_at, closed.probe_at),
        (Circuit::Closed, 0, None, None)
    );
    assert!(!pass(&shop).await.probe);
}

async fn a_probe_that_fails_or_dies_is_followed_by_another_and_decides_alone(engine: Engine) {
    let shop = Shop::open(engine).await;
    let late = pass(&shop).await;
    break_circuit(&shop).await;
    let opened_at = state(&shop).await.opened_at;
    leave(&shop, &late, Health::Well).await;
    assert_eq!(state(&shop).await.circuit, Circuit::Open, "a call from before does not close it");
    let mut waits = Vec::new();
    for _ in 0..3 {
        let (until, _) = refusal(&shop).await;
        waits.push(until - shop.now());
        shop.wait_ms(until - shop.now());
        leave(&shop, &pass(&shop).await, Health::Failing).await;
    }
    assert!(waits.is_sorted() && waits[2] > waits[0], "probes become rarer: {waits:?}");
    assert_eq!(state(&shop).await.opened_at, opened_at, "since the circuit is not closed");
    let (until, _) = refusal(&shop).await;
    shop.wait_ms(until - shop.now());
    assert!(pass(&shop).await.probe, "and its holder dies");
    refusal(&shop).await;
    shop.wait_ms(HOLD_MS + 1);
    let second = pass(&shop).await;
    assert!(second.probe);
    leave(&shop, &second, Health::Well).await;
    assert_eq!(state(&shop).await.circuit, Circuit::Closed);
}

async fn a_partner_that_is_busy_is_left_alone_by_everybody_until_it_said(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert!(state(&shop).await.next_slot_at <= shop.now(), "nobody has to wait");
    let (first, second, third) = (pass(&shop).await, pass(&shop).await, pass(&shop).await);
    shop.wait_ms(10);
    let until = shop.now() + 90_000;
    leave(&shop, &first, Health::Busy(until)).await;
    assert_eq!(state(&shop).await.next_slot_at, until);
    // Others that were on their way come back: with shorter words, or none.
    leave(&shop, &second, Health::Busy(shop.now() + 20)).await;
    leave(&shop, &third, Health::Well).await;
    assert_eq!(state(&shop).await.next_slot_at, until);
    let (again, why) = refusal(&shop).await;
    assert_eq!(why, Hindrance::Rate);
    assert!((shop.now() + 1..=until).contains(&again), "{again}");
    let mut rounds = 0;
    let next = loop {
        match enter(&shop, 1_000, 100).await {
            Admission::Admitted(pass) => break pass,
            Admission::Wait((again, why)) => {
                assert_eq!(why, Hindrance::Rate);
                shop.wait_ms(again - shop.now());
            }
        }
        rounds += 1;
        assert!(rounds < 1_000, "the wait has an end");
    };
    assert_eq!((next.start_at, next.probe), (until, false), "no call goes before it");
    assert_eq!(state(&shop).await.failures_total, 0);
    let others = shop.store.partners(shop.now()).await.expect("read");
    assert!(others.iter().all(|other| other.partner == PARTNER || other.next_slot_at <= shop.now()));
    // What is over says nothing.
    shop.wait_ms(until + 1_000 - shop.now());
    leave(&shop, &next, Health::Busy(until)).await;
    assert_eq!(pass(&shop).await.start_at, shop.now());
}

async fn a_partner_is_left_alone_for_five_minutes_at_most(engine: Engine) {
    const ALONE_MS_MAX: u64 = 300_000;
    let shop = Shop::open(engine).await;
    let end = shop.now() + ALONE_MS_MAX;
    leave(&shop, &pass(&shop).await, Health::Busy(shop.now() + 86_400_000)).await;
    assert_eq!(state(&shop).await.next_slot_at, end);
    shop.wait_ms(ALONE_MS_MAX);
    assert_eq!(pass(&shop).await.start_at, end);
}

async fn a_partner_that_is_busy_is_well(engine: Engine) {
    let shop = Shop::open(engine).await;
    for health in [Health::Failing, Health::Busy(shop.now()), Health::Failing] {
        for _ in 1..state(&shop).await.failures_max {
            leave(&shop, &pass(&shop).await, health).await;
        }
    }
    assert_eq!(state(&shop).await.circuit, Circuit::Closed, "none of the rows was long enough");
    leave(&shop, &pass(&shop).await, Health::Failing).await;
    let (probe_at, _) = refusal(&shop).await;
    shop.wait_ms(probe_at - shop.now());
    let probe = pass(&shop).await;
    assert!(probe.probe);
    let until = shop.now() + 60_000;
    leave(&shop, &probe, Health::Busy(until)).await;
    let busy = state(&shop).await;
    assert_eq!((busy.circuit, busy.failures, busy.next_slot_at), (Circuit::Closed, 0, until));
    assert_eq!(refusal(&shop).await.1, Hindrance::Rate);
}

async fn a_pass_that_expired_says_nothing_about_who_is_busy(engine: Engine) {
    let shop = Shop::open(engine).await;
    let late = pass(&shop).await;
    shop.wait_ms(HOLD_MS + 5);
    leave(&shop, &late, Health::Busy(shop.now() + 60_000)).await;
    assert_eq!(pass(&shop).await.start_at, shop.now());
}

async fn a_clock_that_was_ahead_keeps_nobody_from_calling(engine: Engine) {
    let shop = Shop::open(engine).await;
    let ahead = shop.now() + 86_400_000;
    for health in [Health::Well, Health::Busy(ahead + 86_400_000)] {
        let limits = Limits { rate_per_second: 1_000, concurrency: 100, hold_ms: HOLD_MS };
        let admission = shop.store.enter(PARTNER.into(), limits, ahead).await.expect("answered");
        let Admission::Admitted(pass) = admission else { panic!("not admitted: {admission:?}") };
        shop.store.leave(pass.id, health, ahead).await.expect("answered");
        assert!(state(&shop).await.next_slot_at <= shop.now(), "nobody has to wait");
        assert!(matches!(enter(&shop, 1_000, 100).await, Admission::Admitted(_)));
        assert!(
            (1..=10).contains(&(state(&shop).await.next_slot_at - shop.now())),
            "calls are spaced as ever"
        );
        shop.wait_ms(10);
    }
}
