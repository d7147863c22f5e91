//! Claim: a letter is with one provider at a time, keeps its words while it may have been sent, and is sent once.

use super::bindings::restock::letters::{Posting, Standing};
use super::shop::Shop;
use super::store::Engine;

on_every_engine!(
    a_letter_nobody_has_is_unsent,
    an_entrusted_letter_keeps_its_provider_and_its_first_words,
    a_letter_is_released_by_its_own_provider_and_written_anew,
    a_sent_letter_stays_sent,
    the_words_of_a_letter_come_back_as_they_were_given,
    letters_do_not_know_each_other,
);

const ID: &str = "pause:A:1";

async fn look(shop: &Shop, id: &str) -> Standing {
    shop.store.look(id.into()).await.expect("read")
}

async fn entrust(shop: &Shop, provider: &str, content: &str) -> bool {
    shop.store.entrust(ID.into(), provider.into(), content.into(), shop.now()).await.expect("answered")
}

async fn release(shop: &Shop, provider: &str) {
    shop.store.release(ID.into(), provider.into()).await.expect("answered");
}

async fn sent(shop: &Shop, provider: &str, provider_ref: &str) {
    shop.store.sent(ID.into(), provider.into(), provider_ref.into(), shop.now()).await.expect("noted");
}

fn with(provider: &str, content: &str) -> Standing {
    offered(provider, content, 1)
}

fn offered(provider: &str, content: &str, offers: u32) -> Standing {
    Standing::Entrusted(Posting { provider: provider.into(), content: content.into(), offers })
}

async fn a_letter_nobody_has_is_unsent(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert_eq!(look(&shop, ID).await, Standing::Unsent);
    release(&shop, "ses").await;
    assert_eq!(look(&shop, ID).await, Standing::Unsent);
}

async fn an_entrusted_letter_keeps_its_provider_and_its_first_words(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert!(entrust(&shop, "ses", r#"{"n":1}"#).await);
    assert_eq!(look(&shop, ID).await, with("ses", r#"{"n":1}"#));
    shop.wait_ms(1_000_000);
    assert!(entrust(&shop, "ses", r#"{"n":2}"#).await, "its own provider may try again");
    assert_eq!(look(&shop, ID).await, offered("ses", r#"{"n":1}"#, 2), "with the first words");
    assert!(!entrust(&shop, "resend", r#"{"n":3}"#).await, "it may have gone out");
    assert_eq!(look(&shop, ID).await, offered("ses", r#"{"n":1}"#, 2), "and that one was given nothing");
}

async fn a_letter_is_released_by_its_own_provider_and_written_anew(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert!(entrust(&shop, "ses", r#"{"n":1}"#).await);
    release(&shop, "resend").await;
    assert_eq!(look(&shop, ID).await, with("ses", r#"{"n":1}"#), "that is not for another one to say");
    release(&shop, "ses").await;
    assert_eq!(look(&shop, ID).await, Standing::Unsent);
    release(&shop, "ses").await;
    assert!(entrust(&shop, "resend", r#"{"n":2}"#).await);
    assert_eq!(look(&shop, ID).await, with("resend", r#"{"n":2}"#));
    release(&shop, "ses").await;
    assert!(!entrust(&shop, "ses", r#"{"n":1}"#).await, "the first provider has no say any more");
    assert_eq!(look(&shop, ID).await, with("resend", r#"{"n":2}"#));
    release(&shop, "resend").await;
    assert!(entrust(&shop, "ses", r#"{"n":3}"#).await, "back to the first one");
    assert_eq!(look(&shop, ID).await, with("ses", r#"{"n":3}"#), "for the first time since it was unsent");
}

async fn a_sent_letter_stays_sent(engine: Engine) {
    let shop = Shop::open(engine).await;
    entrust(&shop, "ses", "{}").await;
    shop.wait_ms(10);
    let moment = shop.now();
    sent(&shop, "ses", "0100-ref").await;
    assert_eq!(look(&shop, ID).await, Standing::Sent(moment));
    shop.wait_ms(10);
    sent(&shop, "ses", "0100-ref").await;
    assert!(!entrust(&shop, "ses", "{}").await);
    assert!(!entrust(&shop, "resend", "{}").await);
    release(&shop, "ses").await;
    assert_eq!(look(&shop, ID).await, Standing::Sent(moment));
}

async fn the_words_of_a_letter_come_back_as_they_were_given(engine: Engine) {
    let shop = Shop::open(engine).await;
    let envelope = r#"{"subject":"\"부산도너츠\" 📦 it's\\gone\r\n","body":""}"#;
    let longest =
        envelope.replace(r#""body":"""#, &format!(r#""body":"{}""#, "x".repeat(65_536 - envelope.len())));
    assert_eq!(longest.len(), 65_536);
    assert!(entrust(&shop, "ses", &longest).await, "64 KiB fit");
    assert_eq!(look(&shop, ID).await, with("ses", &longest));
}

async fn letters_do_not_know_each_other(engine: Engine) {
    let shop = Shop::open(engine).await;
    entrust(&shop, "ses", "{}").await;
    let other = "pause:A:2".to_owned();
    assert_eq!(look(&shop, &other).await, Standing::Unsent);
    assert_eq!(shop.store.entrust(other.clone(), "resend".into(), "{}".into(), shop.now()).await, Ok(true));
    shop.store.sent(other, "resend".into(), "ref".into(), shop.now()).await.expect("noted");
    assert_eq!(look(&shop, ID).await, with("ses", "{}"));
}
