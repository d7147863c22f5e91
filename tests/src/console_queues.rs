//! Claim: in the console an operator sees why messages were given up, is told exactly what a repair will do before it is done, and is on
//! record for it; a viewer sees the same and changes nothing.
//! Method: a factory that refuses some and fails for others; the pages and forms as a browser without scripts uses them.
//! Needs: the built components.

use serde_json::{Value, json};

use crate::dead_letters::with_two_kinds;
use crate::support::{OPERATOR, Shop, VIEWER, items};
use crate::visitor::{Visitor, fields_of};

const QUEUE: &str = "/queues/replenishment";

/// A shop with three refused dead letters and two failed ones, in a queue that gives out nothing: what is redriven stays ready.
async fn repaired_by(key: &str) -> (Shop, Visitor) {
    let shop = with_two_kinds().await;
    shop.client.post(OPERATOR, &format!("/v1{QUEUE}/pause"), json!({})).await.expect(200);
    let visitor = Visitor::of(&shop, key).await;
    (shop, visitor)
}

/// The dead letters that failed for this reason.
async fn failed_for(shop: &Shop, reason: &str) -> Vec<Value> {
    let path = format!("/v1{QUEUE}/buried?reason={reason}");
    items(shop.client.get(VIEWER, &path).await.expect(200))
}

/// How many messages of the queue are ready, and how many are dead letters.
async fn counts(shop: &Shop) -> (Value, Value) {
    let queue = shop.queue().await;
    (queue["ready"].clone(), queue["buried"].clone())
}

fn id(letter: &Value) -> &str {
    letter["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_shows_how_it_does_and_why_messages_were_given_up() {
    let (shop, viewer) = repaired_by(VIEWER).await;
    let queues = viewer.page("/queues").await;
    for queue in ["ad-control", "alerts", "loyalty", "replenishment", "returns"] {
        assert!(queues.contains(&format!("href=\"/queues/{queue}\"")), "{queue}: {queues}");
    }
    assert!(queues.contains("Asks factories for goods.") && queues.contains("paused"), "{queues}");

    let queue = viewer.page(QUEUE).await;
    for shown in
        ["factory-refused", "factory-failing", "refused-0", "failed-1", "answered 400", "answered 500"]
    {
        assert!(queue.contains(shown), "{shown}: {queue}");
    }
    assert!(queue.contains("The partner kept failing. Redrive when its circuit is closed."), "{queue}");
    let refused = viewer.page(&format!("{QUEUE}?reason=factory-refused")).await;
    assert!(refused.contains("refused-2") && !refused.contains("failed-0"), "{refused}");
    let first = viewer.page(&format!("{QUEUE}?limit=2")).await;
    let next = first.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let second = viewer.page(&next.expect("a next page").replace("&amp;", "&")).await;
    assert!(first.contains("failed-0") && !second.contains("failed-0"), "{second}");
    assert!(second.contains("refused-0"), "{second}");

    let in_korean = viewer.in_korean(QUEUE).await;
    assert!(in_korean.contains("lang=\"ko\"") && in_korean.contains("데드 레터"), "{in_korean}");
    let empty = viewer.page("/queues/loyalty").await;
    assert!(empty.contains("No dead letters.") && empty.contains("There is nothing to do now."), "{empty}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_shows_what_it_says_and_every_attempt() {
    let (shop, viewer) = repaired_by(VIEWER).await;
    let letter = failed_for(&shop, "factory-failing").await.remove(0);
    let hostile =
        "UPDATE message SET error = 'answered 500: <script>alert(1)</script>' WHERE state = 'buried'";
    shop.rows().change(hostile);
    let page = viewer.page(&format!("/messages/{}", id(&letter))).await;
    assert!(page.contains("answered 500: &lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    for shown in [
        "&quot;production_id&quot;: &quot;",
        "&quot;specversion&quot;: &quot;1.0&quot;",
        "href=\"/queues/replenishment\"",
        "href=\"/production/",
        "dead letter",
        "to be tried again",
        "given up",
        letter["event"]["id"].as_str().expect("an id"),
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let rows = page.matches("<tr role=\"row\" data-key=").count();
    assert_eq!(rows, letter["attempts"].as_array().expect("attempts").len(), "{page}");
    let queue = viewer.page(QUEUE).await;
    assert!(queue.contains("&lt;script&gt;alert(1)") && !queue.contains("<script>alert"), "{queue}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_redrives_one_some_those_of_a_kind_and_all_and_is_told_first_how_many() {
    let (shop, operator) = repaired_by(OPERATOR).await;
    let refused = failed_for(&shop, "factory-refused").await;

    let message = format!("/messages/{}", id(&refused[0]));
    let redrive_one = format!("{QUEUE}/redrive?ids={}", id(&refused[0]));
    assert!(operator.page(&message).await.contains(&format!("href=\"{redrive_one}\"")));
    let asked = operator.page(&redrive_one).await;
    assert!(asked.contains("One message is made ready again."), "{asked}");
    assert!(asked.contains("The queue is paused, so it waits until the queue is resumed."), "{asked}");
    assert_eq!(counts(&shop).await, (json!(0), json!(5)), "a question changes nothing");
    let told = operator.confirm(&asked, &format!("{QUEUE}/redrive"), &[]).await;
    assert!(told.contains("One message was redriven."), "{told}");
    assert!(told.contains("ready") && !told.contains("Redrive this message"), "the message is shown: {told}");
    assert_eq!(counts(&shop).await, (json!(1), json!(4)));

    // What a browser sends for boxes that are ticked; one of these is no dead letter any more.
    let ids: Vec<_> = refused.iter().map(|letter| format!("ids={}", id(letter))).collect();
    let asked = operator.page(&format!("{QUEUE}/redrive?{}", ids.join("&"))).await;
    assert!(asked.contains("2</data> messages are made ready again."), "{asked}");
    assert!(asked.contains("One of the selected messages is no dead letter any more"), "{asked}");
    let told =
        operator.confirm(&asked, &format!("{QUEUE}/redrive"), &[("reason", "the factory says sorry")]).await;
    assert!(told.contains("2</data> messages were redriven."), "{told}");
    assert_eq!(counts(&shop).await, (json!(3), json!(2)));

    let asked = operator.page(&format!("{QUEUE}/redrive?failure=factory-failing")).await;
    assert!(
        asked.contains("2</data> messages are made ready again.") && asked.contains("factory-failing"),
        "{asked}"
    );
    operator.confirm(&asked, &format!("{QUEUE}/redrive"), &[]).await;
    assert_eq!(counts(&shop).await, (json!(5), json!(0)));

    let nothing = operator.page(&format!("{QUEUE}/redrive?all=true")).await;
    assert!(nothing.contains("There is nothing to do.") && !nothing.contains("Redrive 0"), "{nothing}");

    // The queue goes on, and a factory that is well again takes what it refused.
    shop.factory.turn(|knobs| knobs.refuse = None).expect("a knob turns");
    let asked = operator.page(&format!("{QUEUE}/resume")).await;
    assert!(asked.contains("5</data> messages ") && asked.contains("worked off."), "{asked}");
    let told = operator.confirm(&asked, &format!("{QUEUE}/resume"), &[("reason", "it is well again")]).await;
    assert!(told.contains("The queue gives out messages again."), "{told}");
    shop.settle().await;
    let done = operator.page(&message).await;
    assert!(done.contains("It is finished."), "{done}");
    assert_eq!(counts(&shop).await, (json!(0), json!(0)));

    let record = operator.page("/operations").await;
    for shown in [
        "redrove dead letters",
        "the factory says sorry",
        "resumed the queue",
        "it is well again",
        "paused the queue",
    ] {
        assert!(record.contains(shown), "{shown}: {record}");
    }
    assert!(record.contains(&format!("href=\"{message}\"")), "the messages are named: {record}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_dead_letters_of_a_queue_are_redriven_at_once() {
    let (shop, operator) = repaired_by(OPERATOR).await;
    let asked = operator.page(&format!("{QUEUE}/redrive?all=true")).await;
    assert!(
        asked.contains("All dead letters of the queue") && asked.contains("Redrive 5 messages"),
        "{asked}"
    );
    let told = operator.confirm(&asked, &format!("{QUEUE}/redrive"), &[]).await;
    assert!(told.contains("5</data> messages were redriven."), "{told}");
    assert_eq!(counts(&shop).await, (json!(5), json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_asks_why_keeps_what_was_typed_and_is_on_record() {
    let (shop, operator) = repaired_by(OPERATOR).await;
    let letter = failed_for(&shop, "factory-failing").await.remove(0);
    let message = format!("/messages/{}", id(&letter));
    let asked = operator.page(&format!("{QUEUE}/purge?ids={}", id(&letter))).await;
    assert!(asked.contains("One message is removed for good."), "{asked}");
    assert!(asked.contains("This cannot be undone.") && asked.contains("required"), "{asked}");
    assert!(asked.contains("A production request whose message is purged is cancelled"), "{asked}");

    let too_long = format!("season &<over> {}", "x".repeat(500));
    for reason in ["", "   ", &too_long] {
        let refused = operator.fill(&asked, &format!("{QUEUE}/purge"), &[("reason", reason)]).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("Say why, in one line of 500 characters at most."), "{}", refused.text);
        let kept = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(refused.text.contains(&format!("value=\"{kept}\"")), "{}", refused.text);
    }
    assert_eq!(counts(&shop).await, (json!(0), json!(5)), "without a reason nothing is purged");

    let told = operator.confirm(&asked, &format!("{QUEUE}/purge"), &[("reason", "season <is> over")]).await;
    assert!(told.contains("One dead letter was removed for good.") && told.contains("purged"), "{told}");
    assert_eq!(counts(&shop).await, (json!(0), json!(4)));

    let asked = operator.page(&format!("{QUEUE}/purge?failure=factory-refused")).await;
    let told =
        operator.confirm(&asked, &format!("{QUEUE}/purge"), &[("reason", "the factory is closed")]).await;
    assert!(told.contains("3</data> dead letters were removed for good."), "{told}");
    assert_eq!(counts(&shop).await, (json!(0), json!(1)));

    let record = operator.page("/operations").await;
    assert!(record.contains("season &lt;is&gt; over") && record.contains("purged dead letters"), "{record}");
    let recorded = items(shop.client.get(VIEWER, "/v1/operations").await.expect(200));
    assert_eq!(recorded[0]["reason"], "the factory is closed");
    assert_eq!(recorded[0]["detail"]["affected"], 3);
    let gone = operator.page(&message).await;
    assert!(gone.contains("An operator removed it."), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_number_changed_is_asked_again() {
    let (shop, operator) = repaired_by(OPERATOR).await;
    let letter = failed_for(&shop, "factory-failing").await.remove(0);
    for deed in ["redrive", "purge"] {
        let asked = operator.page(&format!("{QUEUE}/{deed}?failure=factory-refused")).await;
        let other = failed_for(&shop, "factory-refused").await.remove(0);
        let there = failed_for(&shop, "factory-refused").await.len();
        shop.client
            .post(OPERATOR, &format!("/v1{QUEUE}/redrive"), json!({"ids": [id(&other)]}))
            .await
            .expect(200);
        let before = counts(&shop).await;
        let again = operator.fill(&asked, &format!("{QUEUE}/{deed}"), &[("reason", "as it was")]).await;
        assert_eq!(again.status, 409, "{}", again.text);
        let (was, is) = (there, there - 1);
        let said = format!("there were <data class=\"number\" value=\"{was}\"");
        assert!(again.text.contains(&said), "{was} and {is}: {}", again.text);
        assert!(again.text.contains("value=\"as it was\""), "what was typed is kept: {}", again.text);
        assert_eq!(counts(&shop).await, before, "nothing was done");
    }
    // What comes back is a question that can be answered.
    let asked = operator.page(&format!("{QUEUE}/purge?all=true")).await;
    shop.client
        .post(OPERATOR, &format!("/v1{QUEUE}/redrive"), json!({"ids": [id(&letter)]}))
        .await
        .expect(200);
    let again = operator.fill(&asked, &format!("{QUEUE}/purge"), &[("reason", "as it was")]).await;
    assert_eq!(again.status, 409, "{}", again.text);
    operator.confirm(&again.text, &format!("{QUEUE}/purge"), &[("reason", "as it is")]).await;
    assert_eq!(counts(&shop).await, (json!(3), json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_paused_and_resumed_with_a_reason_and_says_so() {
    let shop = with_two_kinds().await;
    let operator = Visitor::of(&shop, OPERATOR).await;
    let asked = operator.page(&format!("{QUEUE}/pause")).await;
    assert!(asked.contains("gives out no messages until somebody resumes it"), "{asked}");
    let refused = operator.fill(&asked, &format!("{QUEUE}/pause"), &[("reason", "two\nlines")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let told = operator.confirm(&asked, &format!("{QUEUE}/pause"), &[("reason", "the factory moves")]).await;
    assert!(told.contains("The queue is paused") && told.contains(&format!("{QUEUE}/resume")), "{told}");
    assert_eq!(shop.queue().await["paused"], true);
    let twice = operator.page(&format!("{QUEUE}/pause")).await;
    assert!(twice.contains("This queue is already paused."), "{twice}");
    let asked = operator.page(&format!("{QUEUE}/resume")).await;
    operator.confirm(&asked, &format!("{QUEUE}/resume"), &[]).await;
    assert_eq!(shop.queue().await["paused"], false);
    let recorded = items(shop.client.get(VIEWER, "/v1/operations").await.expect(200));
    assert_eq!(
        (&recorded[0]["kind"], &recorded[1]["reason"]),
        (&json!("queue.resume"), &json!("the factory moves"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_no_buttons_and_is_refused() {
    let (shop, viewer) = repaired_by(VIEWER).await;
    let operator = Visitor::of(&shop, OPERATOR).await;
    let letter = failed_for(&shop, "factory-refused").await.remove(0);
    let message = format!("/messages/{}", id(&letter));
    let confirmation = format!("{QUEUE}/redrive?all=true");
    for path in ["/queues", QUEUE, &message, "/operations", "/partners"] {
        let page = viewer.page(path).await;
        for word in ["/redrive", "/purge", "/pause", "/resume", "type=\"checkbox\""] {
            assert!(!page.contains(word), "{word} on {path}: {page}");
        }
    }
    let shown = operator.page(QUEUE).await;
    assert!(
        shown.contains("/redrive") && shown.contains("type=\"checkbox\""),
        "an operator sees them: {shown}"
    );

    let before = counts(&shop).await;
    let theirs = operator.page(&confirmation).await;
    for deed in ["redrive", "purge", "pause", "resume"] {
        let page = viewer.get(&format!("{QUEUE}/{deed}?all=true")).await;
        assert_eq!(page.status, 403, "{}", page.text);
        assert!(page.text.contains("Sign in with an operator"), "{}", page.text);
        // With a token of their own, and with the form of somebody else.
        let fields = [("all", "true"), ("promised", "5"), ("reason", "I want to")];
        let path = format!("{QUEUE}/{deed}");
        let refused = viewer.send(&path, &fields).await;
        assert_eq!(refused.status, 403, "{deed}: {}", refused.text);
        let theirs = fields_of(&theirs, &format!("{QUEUE}/redrive"));
        let theirs: Vec<_> = theirs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refused = viewer.send_without_token(&path, &theirs).await;
        assert_eq!(refused.status, 403, "{deed}: {}", refused.text);
    }
    assert_eq!((counts(&shop).await, &shop.queue().await["paused"]), (before, &json!(true)));

    // An operator's own form is held to their own session as well.
    let fields = [("all", "true"), ("promised", "5")];
    let refused = operator.send_without_token(&format!("{QUEUE}/redrive"), &fields).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(counts(&shop).await.1, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_was_not_chosen_is_said() {
    let (shop, operator) = repaired_by(OPERATOR).await;
    for path in [
        "/queues/no-such",
        "/queues/no%20such%3Cscript%3E",
        "/queues/no-such/redrive?all=true",
        "/queues/no-such/pause",
        "/messages/no-such",
        "/messages/%3Cscript%3E",
    ] {
        let page = operator.get(path).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text);
        assert!(page.text.contains("<h1") && !page.text.contains("<script>"), "{path}: {}", page.text);
    }
    for nothing in ["redrive", "purge?ids=", "redrive?failure=", "purge?all=no", "redrive?all=true&failure=x"]
    {
        let page = operator.get(&format!("{QUEUE}/{nothing}")).await;
        assert_eq!(page.status, 422, "{nothing}: {}", page.text);
        assert!(page.text.contains("No message is selected."), "{nothing}: {}", page.text);
    }
    let page = operator.send(&format!("{QUEUE}/redrive"), &[("promised", "5")]).await;
    assert_eq!(page.status, 422, "a form that says nothing means nothing: {}", page.text);
    assert_eq!(counts(&shop).await, (json!(0), json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_are_shown_with_their_circuits() {
    let (_shop, viewer) = repaired_by(VIEWER).await;
    let page = viewer.page("/partners").await;
    assert!(page.contains("factory") && page.contains("Failures in a row"), "{page}");
    assert!(viewer.page("/queues").await.contains("href=\"/partners\""));
}
