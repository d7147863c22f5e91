//! The way of one letter, step by step, and in random worlds.

mod world;

use super::*;

/// The first provider recognises what it was offered before, and so does the fallback.
fn setting(has_fallback: bool) -> Setting {
    Setting {
        first_recognises: true,
        fallback_recognises: has_fallback.then_some(true),
        is_first_attempt: false,
    }
}

/// Neither recognises anything.
const FORGETFUL: Setting =
    Setting { first_recognises: false, fallback_recognises: Some(false), is_first_attempt: false };

fn unsent(has_fallback: bool) -> Course {
    let (course, step) = Course::begin(Standing::Unsent, setting(has_fallback));
    assert_eq!(step, Step::Enter(Which::First));
    course
}

fn timeout() -> Outcome {
    Outcome::Failed(Kind::Timeout, Done::Unknown, "no answer within 5 s".to_owned())
}

fn refused_connection() -> Outcome {
    Outcome::Failed(Kind::Unreachable, Done::SurelyNot, "the connection was refused".to_owned())
}

fn reason(step: &Step) -> &str {
    match step {
        Step::End(Err(
            Verdict::Retry { failure, .. } | Verdict::Postpone { failure, .. } | Verdict::Reject(failure),
        )) => &failure.reason,
        other => panic!("not an end: {other:?}"),
    }
}

#[test]
fn a_letter_to_another_address_is_another_letter() {
    let first = key("pause-1", "ads@example.com");
    assert_eq!(first, key("pause-1", "ads@example.com"));
    assert_ne!(first, key("pause-1", "adds@example.com"));
    assert!(first.starts_with("pause-1.") && first.len() == "pause-1.".len() + 2 * RECIPIENT_BYTES);
}

#[test]
fn a_letter_that_was_sent_is_not_sent_again() {
    assert_eq!(Course::begin(Standing::Sent, setting(true)).1, Step::End(Ok(())));
}

#[test]
fn a_letter_is_entrusted_before_it_is_offered_and_noted_after() {
    let mut course = unsent(false);
    assert_eq!(course.entered(Which::First), Step::Entrust(Which::First));
    let standing = Standing::With(Which::First, 1);
    assert_eq!(course.entrusted(Which::First, standing), Step::Offer(Which::First));
    assert_eq!(course.offered(Which::First, Outcome::Accepted), Step::Note(Which::First));
}

#[test]
fn what_nobody_knows_stays_where_it_is_even_beside_a_fallback() {
    let mut course = unsent(true);
    let step = course.offered(Which::First, timeout());
    assert_eq!(reason(&step), "mail-timeout");
    let (mut course, step) = Course::begin(Standing::With(Which::First, 1), setting(true));
    assert_eq!(step, Step::Enter(Which::First));
    assert_eq!(course.entered(Which::First), Step::Entrust(Which::First));
    let standing = Standing::With(Which::First, 2);
    assert_eq!(course.entrusted(Which::First, standing), Step::Offer(Which::First));
    // The second call surely did nothing, but the first may have.
    let step = course.offered(Which::First, refused_connection());
    assert_eq!(reason(&step), "mail-unreachable");
    let (mut course, _) = Course::begin(Standing::With(Which::First, 1), setting(true));
    let step = course.closed(Which::First, Kind::CircuitOpen, 7);
    assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
}

#[test]
fn a_letter_that_was_surely_not_taken_goes_to_the_fallback() {
    for outcome in [refused_connection(), Outcome::Busy(9, "answered 429".to_owned())] {
        let mut course = unsent(true);
        assert_eq!(course.offered(Which::First, outcome), Step::Release(Which::First));
        assert_eq!(course.released(Which::First), Step::Enter(Which::Fallback));
    }
    for kind in [Kind::CircuitOpen, Kind::Busy] {
        assert_eq!(unsent(true).closed(Which::First, kind, 7), Step::Enter(Which::Fallback));
        let step = unsent(false).closed(Which::First, kind, 7);
        assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
    }
}

#[test]
fn for_a_slot_of_the_first_provider_one_waits() {
    for kind in [Kind::Rate, Kind::Concurrency] {
        let step = unsent(true).closed(Which::First, kind, 7);
        assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
    }
}

#[test]
fn a_refused_letter_is_a_dead_letter_with_the_providers_words() {
    let mut course = unsent(true);
    let step = course.offered(Which::First, Outcome::Refused("answered 422: no such box".to_owned()));
    assert_eq!(step, Step::Release(Which::First));
    let failure = Failure::new("mail-refused", "answered 422: no such box");
    assert_eq!(course.released(Which::First), Step::End(Err(Verdict::Reject(failure))));
}

#[test]
fn a_busy_provider_is_asked_again_when_it_said() {
    let mut course = unsent(false);
    assert_eq!(course.offered(Which::First, Outcome::Busy(9, String::new())), Step::Release(Which::First));
    let step = course.released(Which::First);
    assert!(matches!(step, Step::End(Err(Verdict::Retry { not_before_ms: Some(9), .. }))), "{step:?}");
}

#[test]
fn the_refusal_of_the_fallback_is_not_the_last_word() {
    let mut course = unsent(true);
    assert_eq!(course.offered(Which::First, refused_connection()), Step::Release(Which::First));
    assert_eq!(course.released(Which::First), Step::Enter(Which::Fallback));
    let refused = Outcome::Refused("answered 403: not verified".to_owned());
    assert_eq!(course.offered(Which::Fallback, refused), Step::Release(Which::Fallback));
    let step = course.released(Which::Fallback);
    let Step::End(Err(Verdict::Retry { failure, .. })) = step else { panic!("{step:?}") };
    assert_eq!(failure.reason, "mail-unreachable");
    assert!(failure.error.contains("the fallback: answered 403: not verified"), "{failure:?}");
}

#[test]
fn a_letter_that_is_with_the_fallback_speaks_of_the_fallback() {
    let mut course = unsent(true);
    assert_eq!(course.closed(Which::First, Kind::CircuitOpen, 7), Step::Enter(Which::Fallback));
    assert_eq!(reason(&course.offered(Which::Fallback, timeout())), "mail-fallback-timeout");
}

#[test]
fn two_closed_circuits_wait_for_the_first_to_open() {
    let mut course = unsent(true);
    assert_eq!(course.closed(Which::First, Kind::CircuitOpen, 9), Step::Enter(Which::Fallback));
    let step = course.closed(Which::Fallback, Kind::CircuitOpen, 7);
    assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
    assert_eq!(reason(&step), "mail-circuit-open");
}

#[test]
fn a_provider_that_was_taken_away_keeps_its_letter_and_somebody_is_told() {
    let (_, step) = Course::begin(Standing::Elsewhere, setting(true));
    assert!(matches!(step, Step::End(Err(Verdict::Reject(_)))), "{step:?}");
}

/// A letter that is with a provider which recognises nothing, offered so many times, is offered once more.
fn repeated(which: Which, offers: u32) -> Course {
    let (mut course, step) = Course::begin(Standing::With(which, offers - 1), FORGETFUL);
    assert_eq!(step, Step::Enter(which));
    assert_eq!(course.entered(which), Step::Entrust(which));
    assert_eq!(course.entrusted(which, Standing::With(which, offers)), Step::Offer(which));
    course
}

#[test]
fn who_recognises_nothing_keeps_a_letter_of_unknown_outcome_and_is_offered_it_again() {
    for which in [Which::First, Which::Fallback] {
        for outcome in [timeout(), refused_connection(), Outcome::Busy(9, "answered 429".to_owned())] {
            let step = repeated(which, 2).offered(which, outcome);
            assert!(matches!(step, Step::End(Err(Verdict::Retry { .. }))), "{step:?}");
        }
        assert_eq!(repeated(which, 2).offered(which, Outcome::Accepted), Step::Note(which));
    }
}

#[test]
fn an_operator_who_redrives_a_letter_of_unknown_outcome_sends_it_anew() {
    for (which, offers) in [(Which::First, 1), (Which::First, 2), (Which::Fallback, 2)] {
        let redriven = Setting { is_first_attempt: true, ..FORGETFUL };
        let (mut course, step) = Course::begin(Standing::With(which, offers), redriven);
        assert_eq!(step, Step::Release(which));
        assert_eq!(course.released(which), Step::Enter(Which::First));
        let standing = Standing::With(Which::First, 1);
        assert_eq!(course.entrusted(Which::First, standing), Step::Offer(Which::First));
        assert_eq!(reason(&course.offered(Which::First, timeout())), "mail-timeout");
        let recognising = Setting { is_first_attempt: true, ..setting(true) };
        let (_, step) = Course::begin(Standing::With(which, offers), recognising);
        assert_eq!(step, Step::Enter(which), "who recognises a letter keeps it");
    }
}

#[test]
fn a_refusal_by_who_recognises_repetitions_speaks_for_the_first_offer_too() {
    let refused = || Outcome::Refused("answered 403: not verified".to_owned());
    let (mut course, _) = Course::begin(Standing::With(Which::First, 1), setting(true));
    assert_eq!(course.offered(Which::First, refused()), Step::Release(Which::First));
    let failure = Failure::new("mail-refused", "answered 403: not verified");
    assert_eq!(course.released(Which::First), Step::End(Err(Verdict::Reject(failure))));

    let (mut course, _) = Course::begin(Standing::With(Which::Fallback, 1), setting(true));
    assert_eq!(course.offered(Which::Fallback, refused()), Step::Release(Which::Fallback));
    let step = course.released(Which::Fallback);
    assert!(matches!(step, Step::End(Err(Verdict::Retry { .. }))), "for the first one: {step:?}");
    assert_eq!(reason(&step), "mail-fallback-refused");
}

#[test]
fn a_refusal_by_who_recognises_nothing_says_that_an_earlier_try_may_have_gone_out() {
    for (which, expected) in [(Which::First, "mail-refused"), (Which::Fallback, "mail-fallback-refused")] {
        let step = repeated(which, 2).offered(which, Outcome::Refused("answered 400: no".to_owned()));
        let Step::End(Err(Verdict::Reject(failure))) = step else { panic!("{step:?}") };
        assert_eq!(failure.reason, expected);
        assert_eq!(failure.error, "answered 400: no; what came of an earlier try is unknown");
    }
}

#[test]
fn what_somebody_else_entrusted_in_between_is_not_taken_from_him() {
    let mut course = unsent(true);
    assert_eq!(course.entrusted(Which::First, Standing::With(Which::First, 2)), Step::Offer(Which::First));
    let step = course.offered(Which::First, refused_connection());
    assert!(matches!(step, Step::End(Err(Verdict::Retry { .. }))), "{step:?}");
}
