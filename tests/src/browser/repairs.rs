//! Claim: an operator finds why messages were given up, is told what a repair will do before it is done, and sees it done; nobody
//! else can. Method: dead letters that a factory caused which is well again.

use serde_json::json;

use super::scene::{buried, shop_with_dead_letters};
use super::screen::{ENTER, Screen, Viewport};
use crate::support::{OPERATOR, Shop, VIEWER, eventually, items};

/// The page of the queue with the dead letters.
const QUEUE: &str = "/queues/replenishment";
/// The count of a row of the kinds of failure.
const COUNT: &str = r#"
const row = document.querySelector(`#dead-letters tr[data-key="${arguments[0]}"]`);
return row ? row.querySelector("data").getAttribute("value") : "none";
"#;
/// The numbers of the confirmation.
const PROMISE: &str = r#"return [...document.querySelectorAll("form.confirmation .says data")].map((data) => data.getAttribute("value"));"#;
const CONFIRM: &str = "form.confirmation .actions button[type=submit]";

async fn operator_at(shop: &Shop, path: &str) -> Screen {
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    screen.go(path).await;
    screen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_found_by_its_reason_sent_again_and_seen_done_without_reloading() {
    let shop = shop_with_dead_letters().await;
    let screen = operator_at(&shop, "/queues").await;
    screen.click(&format!("main a[href='{QUEUE}']")).await;
    assert_eq!(screen.ask(COUNT, &["factory-refused".into()]).await, "3");
    assert_eq!(screen.ask(COUNT, &["factory-failing".into()]).await, "2");
    screen.click("#dead-letters a[href*='reason=factory-failing']").await;
    screen
        .until(
            "two letters",
            "return document.querySelectorAll('#dead-letters input[name=ids]').length === 2",
            &[],
        )
        .await;
    screen.click("#dead-letters tbody a[href^='/messages/']").await;
    screen
        .until("its attempts", "return document.querySelectorAll('main table tbody tr').length >= 2", &[])
        .await;
    let id = screen.path().await.rsplit('/').next().expect("an id").to_owned();
    assert!(screen.text().await.contains("factory-failing"));

    screen.click("main .actions a[href*='/redrive']").await;
    screen.find(CONFIRM).await;
    assert_eq!(screen.count(&format!("form.confirmation .says a[href='/messages/{id}']")).await, 1);
    buried(&shop, "replenishment", 5).await;
    screen.click(CONFIRM).await;
    screen.find("#told p").await;
    assert!(screen.path().await.starts_with(&format!("/messages/{id}")), "{}", screen.path().await);
    screen.mark().await;
    screen.until("that it is done", "return !!document.querySelector('main .badge.good')", &[]).await;
    assert!(screen.is_marked().await);
    let message = shop.client.get(VIEWER, &format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!((&message["state"], &message["redrives"]), (&json!("done"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_letters_of_a_reason_are_sent_again_and_no_other() {
    let shop = shop_with_dead_letters().await;
    let screen = operator_at(&shop, QUEUE).await;
    screen.click("#dead-letters a[href*='redrive?failure=factory-refused']").await;
    screen.find(CONFIRM).await;
    assert_eq!(screen.ask(PROMISE, &[]).await[0], "3");
    assert!(screen.text().await.contains("factory-refused"));
    assert_eq!(shop.queue().await["buried"], 5, "a dry run changes nothing");
    screen.click(CONFIRM).await;
    screen.find("#told p").await;
    let gone = "return !document.querySelector(`#dead-letters tr[data-key='factory-refused']`)";
    screen.until("the group is gone", gone, &[]).await;
    assert_eq!(screen.ask(COUNT, &["factory-failing".into()]).await, "2");
    buried(&shop, "replenishment", 2).await;
    // Who did it is on record, and on the page of operations.
    screen.go("/operations").await;
    screen.sees("queue.redrive").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_selected_are_purged_only_with_a_reason() {
    let shop = shop_with_dead_letters().await;
    let screen = operator_at(&shop, &format!("{QUEUE}?reason=factory-refused")).await;
    screen.click("#dead-letters tbody tr:nth-child(1) input[name=ids]").await;
    screen.click("#dead-letters tbody tr:nth-child(2) input[name=ids]").await;
    screen.click("#dead-letters button[formaction$='/purge']").await;
    screen.find(CONFIRM).await;
    assert_eq!(screen.ask(PROMISE, &[]).await[0], "2");
    screen.mark().await;
    // The browser itself holds back a form that lacks what it requires.
    screen.click(CONFIRM).await;
    assert!(screen.is_marked().await);
    assert_eq!(screen.ask("return document.querySelector('#reason').validity.valueMissing", &[]).await, true);
    // Blanks get past the browser, and come back with what is wrong.
    screen.fill("#reason", "   ").await;
    screen.press(ENTER).await;
    screen.find("main [role=alert]").await;
    assert_eq!(shop.queue().await["buried"], 5);
    screen.fill("#reason", "the season is over").await;
    screen.press(ENTER).await;
    screen.find("#told p").await;
    buried(&shop, "replenishment", 3).await;
    let actions = items(shop.client.get(VIEWER, "/v1/operations").await.expect(200));
    assert_eq!(
        (&actions[0]["kind"], &actions[0]["reason"]),
        (&json!("queue.purge"), &json!("the season is over"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_paused_and_resumed_and_says_so() {
    let shop = shop_with_dead_letters().await;
    let screen = operator_at(&shop, QUEUE).await;
    screen.click("main a[href$='/pause']").await;
    screen.find(CONFIRM).await;
    screen.fill("#reason", "the factory moves").await;
    screen.press(ENTER).await;
    screen.find("main a[href$='/resume']").await;
    assert_eq!(shop.queue().await["paused"], true);
    screen.click("main a[href$='/resume']").await;
    screen.click(CONFIRM).await;
    screen.find("main a[href$='/pause']").await;
    assert_eq!(shop.queue().await["paused"], false);
}

/// Sends a form as a page of the console would, with whatever fields; answers the status and the page.
const SEND: &str = r#"
const answer = await fetch(arguments[0], { method: "POST", body: new URLSearchParams(arguments[1]), headers: { accept: "text/html" } });
const page = new DOMParser().parseFromString(await answer.text(), "text/html");
return [answer.status, !!page.querySelector("main h1"), page.querySelectorAll("form.confirmation").length];
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_shown_no_way_to_change_anything_and_refused_where_one_is_tried() {
    let shop = shop_with_dead_letters().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    let message =
        items(shop.client.get(VIEWER, "/v1/queues/replenishment/buried").await.expect(200))[0]["id"].clone();
    let message = format!("/messages/{}", message.as_str().expect("an id"));
    for path in [QUEUE, "/queues", message.as_str(), "/returns", "/products", "/production"] {
        screen.go(path).await;
        let ways = r#"
const deeds = ["redrive", "purge", "pause", "resume", "receive", "discard", "replay"];
const links = deeds.map((deed) => `main a[href*="/${deed}"]`);
return document.querySelectorAll(["main form[method=post]", "main input[name=ids]", ...links]).length;"#;
        assert_eq!(screen.ask(ways, &[]).await, 0, "{path}");
    }
    let token = screen.ask("return document.querySelector('[name=form_token]').value", &[]).await;
    for deed in ["redrive", "purge", "pause"] {
        let path = format!("{QUEUE}/{deed}");
        let fields = json!({"form_token": token, "all": "true", "promised": "5", "reason": "I want to"});
        assert_eq!(screen.ask(SEND, &[json!(path), fields]).await, json!([403, true, 0]), "{path}");
        screen.go(&path).await;
        assert_eq!(screen.count(CONFIRM).await, 0, "{path}");
    }
    assert_eq!((&shop.queue().await["buried"], &shop.queue().await["paused"]), (&json!(5), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_site_made_up_changes_nothing() {
    let shop = shop_with_dead_letters().await;
    let screen = operator_at(&shop, QUEUE).await;
    let token = screen.ask("return document.querySelector('[name=form_token]').value", &[]).await;
    let path = format!("{QUEUE}/redrive");
    for token in [json!(""), json!("made up"), json!(format!("{}x", token.as_str().expect("a token")))] {
        let fields = json!({"form_token": token, "all": "true", "promised": "5"});
        assert_eq!(screen.ask(SEND, &[json!(path), fields]).await[0], 403, "{token}");
    }
    assert_eq!(shop.queue().await["buried"], 5);
    // The same with the token of the page is done, so it was the token that was missed.
    let fields = json!({"form_token": token, "all": "true", "promised": "5"});
    assert_eq!(screen.ask(SEND, &[json!(path), fields]).await[0], 200);
    eventually("they are on their way", || async { (shop.queue().await["buried"] == 0).then_some(()) }).await;
}
