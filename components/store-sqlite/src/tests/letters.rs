//! Claim: a letter is with one provider at a time, keeps its words while it may have been sent, and is sent once. Method: each step
//! by hand, then two providers in random order against a model of what each of them may hold.

use proptest::prelude::*;

use super::shop::{Shop, wait};
use restock_store::letters;
use restock_store::restock::letters::Standing;

const DAY_MS: u64 = 86_400_000;

fn look(shop: &Shop, id: &str) -> Standing {
    wait(letters::look(&shop.database, id.into())).expect("read")
}

fn entrust(shop: &Shop, id: &str, provider: &str, content: &str) -> bool {
    let (id, provider, content) = (id.into(), provider.into(), content.into());
    wait(letters::entrust(&shop.database, id, provider, content, shop.now.get())).expect("answered")
}

fn release(shop: &Shop, id: &str, provider: &str) {
    wait(letters::release(&shop.database, id.into(), provider.into())).expect("answered");
}

fn sent(shop: &Shop, id: &str, provider: &str) {
    let (id, provider, theirs) = (id.into(), provider.into(), format!("{provider}-1"));
    wait(letters::sent(&shop.database, id, provider, theirs, shop.now.get())).expect("answered");
}

/// The provider and the words of a letter that may have been sent.
fn posting(shop: &Shop, id: &str) -> (String, String) {
    match look(shop, id) {
        Standing::Entrusted(posting) => (posting.provider, posting.content),
        other => panic!("not entrusted: {other:?}"),
    }
}

#[test]
fn a_letter_whose_outcome_is_unknown_stays_with_its_provider_and_keeps_its_words() {
    let shop = Shop::new();
    assert!(matches!(look(&shop, "l"), Standing::Unsent));
    assert!(entrust(&shop, "l", "ses", "first"));
    assert!(!entrust(&shop, "l", "resend", "other"));
    assert!(entrust(&shop, "l", "ses", "second"));
    assert_eq!(posting(&shop, "l"), ("ses".into(), "first".into()));
}

#[test]
fn only_a_released_letter_is_written_anew_and_given_to_another_provider() {
    let shop = Shop::new();
    entrust(&shop, "l", "ses", "first");
    release(&shop, "l", "resend");
    assert_eq!(posting(&shop, "l").0, "ses", "a provider releases its own letters only");
    release(&shop, "l", "ses");
    assert!(matches!(look(&shop, "l"), Standing::Unsent));
    assert!(entrust(&shop, "l", "resend", "second"));
    assert_eq!(posting(&shop, "l"), ("resend".into(), "second".into()));
}

/// How often a letter was given to the provider that has it.
fn offers(shop: &Shop, id: &str) -> u32 {
    match look(shop, id) {
        Standing::Entrusted(posting) => posting.offers,
        other => panic!("not entrusted: {other:?}"),
    }
}

#[test]
fn a_letter_counts_how_often_its_provider_was_given_it_and_begins_anew_once_it_was_released() {
    let shop = Shop::new();
    for given in 1..=3 {
        entrust(&shop, "l", "ses", "first");
        assert_eq!(offers(&shop, "l"), given);
        assert!(!entrust(&shop, "l", "resend", "other"), "what is turned down does not count");
    }
    release(&shop, "l", "ses");
    entrust(&shop, "l", "ses", "second");
    assert_eq!(offers(&shop, "l"), 1, "given to the same one anew");
    release(&shop, "l", "ses");
    entrust(&shop, "l", "resend", "third");
    assert_eq!(offers(&shop, "l"), 1, "given to another one");
    entrust(&shop, "l", "resend", "third");
    assert_eq!(offers(&shop, "l"), 2);
}

#[test]
fn a_sent_letter_is_nobodys_any_more() {
    let shop = Shop::new();
    entrust(&shop, "l", "ses", "first");
    sent(&shop, "l", "resend");
    assert_eq!(posting(&shop, "l").0, "ses", "another provider's word does not count");
    let at = shop.now.get();
    sent(&shop, "l", "ses");
    shop.now.set(at + 5);
    sent(&shop, "l", "ses");
    release(&shop, "l", "ses");
    assert!(matches!(look(&shop, "l"), Standing::Sent(first) if first == at));
    assert!(!entrust(&shop, "l", "ses", "again") && !entrust(&shop, "l", "resend", "again"));
}

#[test]
fn a_letter_that_was_released_before_its_answer_came_was_sent_all_the_same() {
    let shop = Shop::new();
    entrust(&shop, "l", "ses", "first");
    release(&shop, "l", "ses");
    sent(&shop, "l", "ses");
    assert!(matches!(look(&shop, "l"), Standing::Sent(_)));
    assert!(!entrust(&shop, "l", "resend", "again"));
}

#[test]
fn a_letter_is_known_for_thirty_days_from_the_day_it_was_entrusted() {
    let shop = Shop::new();
    entrust(&shop, "old", "ses", "first");
    sent(&shop, "old", "ses");
    shop.tick_after(DAY_MS);
    entrust(&shop, "younger", "ses", "first");
    shop.tick_after(29 * DAY_MS - 1);
    assert!(matches!(look(&shop, "old"), Standing::Sent(_)));
    shop.tick_after(1);
    assert!(matches!(look(&shop, "old"), Standing::Unsent));
    assert_eq!(posting(&shop, "younger").0, "ses");
}

const PROVIDERS: [&str; 2] = ["ses", "resend"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Entrust(usize),
    Release(usize),
    Sent(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..PROVIDERS.len()).prop_map(Step::Entrust),
        2 => (0..PROVIDERS.len()).prop_map(Step::Release),
        1 => (0..PROVIDERS.len()).prop_map(Step::Sent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// The providers keep to the rules: one releases only what it has not sent, and sends only what is entrusted to it.
    #[test]
    fn two_providers_never_have_a_letter_at_a_time_and_never_send_it_twice(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let shop = Shop::new();
        let mut holder = None;
        let mut offers = 0;
        let mut senders = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            shop.now.set(shop.now.get() + 1);
            match step {
                Step::Entrust(provider) => {
                    let given = entrust(&shop, "l", PROVIDERS[provider], &number.to_string());
                    let free = senders.is_empty() && holder.is_none_or(|held| held == provider);
                    prop_assert_eq!(given, free);
                    if given {
                        offers = if holder.is_some() { offers + 1 } else { 1 };
                        holder = Some(provider);
                    }
                }
                Step::Release(provider) => {
                    release(&shop, "l", PROVIDERS[provider]);
                    if senders.is_empty() && holder == Some(provider) {
                        holder = None;
                    }
                }
                Step::Sent(provider) => {
                    if senders.is_empty() && holder == Some(provider) {
                        senders.push(provider);
                        sent(&shop, "l", PROVIDERS[provider]);
                    }
                }
            }
            match look(&shop, "l") {
                Standing::Unsent => prop_assert!(senders.is_empty() && holder.is_none()),
                Standing::Entrusted(posting) => {
                    prop_assert!(senders.is_empty());
                    prop_assert_eq!(posting.offers, offers);
                    prop_assert_eq!(Some(posting.provider.as_str()), holder.map(|held| PROVIDERS[held]));
                }
                Standing::Sent(_) => prop_assert_eq!(senders.len(), 1),
            }
        }
    }
}
