//! Claim: what an order causes can be followed by its trace: through messages, calls to partners, the factory's report and what comes
//! of that, in the log and at the partners.
//! Method: orders with and without a `traceparent`; what the stand-ins were sent, what the interface shows, and what the components
//! log.
//! Needs: the built components.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::lines;
use crate::parcels::{collect, holding, work};
use crate::support::{
    AD_MANAGER, Answer, INTERNAL, OPERATOR, SKU, STOCK_MANAGER, STOREFRONT, Shop, VIEWER, advertised,
    eventually, order, root,
};

/// The step that a client says its orders are part of.
const CLIENT_SPAN: &str = "00f067aa0ba902b7";

/// The `n`th trace of a client, which keeps a record of it or not.
fn of_client(n: u32, sampled: bool) -> String {
    format!("00-4bf92f3577b34da6a3ce92{n:010x}-{CLIENT_SPAN}-0{}", u8::from(sampled))
}

fn trace(traceparent: &str) -> &str {
    part(traceparent, 1)
}

fn span(traceparent: &str) -> &str {
    part(traceparent, 2)
}

fn part(traceparent: &str, index: usize) -> &str {
    traceparent.split('-').nth(index).expect("a part")
}

async fn place(shop: &Shop, headers: &[(&str, &str)], body: &Value) -> Answer {
    let authorization = format!("Bearer {STOREFRONT}");
    let own = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let headers: Vec<_> = own.iter().chain(headers).copied().collect();
    shop.client.send(Method::POST, "/v1/orders", &headers, body.to_string()).await
}

/// The trace context that the interface shows of something.
async fn shown(shop: &Shop, path: &str) -> String {
    let shown = shop.client.get(VIEWER, path).await.expect(200);
    shown["traceparent"].as_str().unwrap_or_else(|| panic!("no trace: {shown}")).to_owned()
}

async fn order_trace(shop: &Shop, id: &Value) -> String {
    shown(shop, &format!("/v1/orders/{}", id.as_str().expect("an id"))).await
}

/// The value of a field in a line.
fn field<'a>(line: &'a str, name: &str) -> &'a str {
    let fields = line.split(' ').filter_map(|word| word.split_once('='));
    fields
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .next()
        .unwrap_or_else(|| panic!("{line}"))
}

fn of_factory(shop: &Shop) -> Vec<String> {
    let requests = shop.factory.requests();
    requests.into_iter().map(|request| request.traceparent.expect("a trace")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_empties_a_shelf_is_followed_to_the_mail_that_says_it_is_full_again() {
    lines::keep();
    let shop = Shop::connected().await;
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(2, 0, 10)).await.expect(201);
    let client = of_client(1, true);
    let own = format!("trace={}", trace(&client));
    let placed = place(&shop, &[("traceparent", &client)], &order(&[(SKU, 2)])).await.expect(201);

    let shown_of_order = order_trace(&shop, &placed["id"]).await;
    assert_eq!(trace(&shown_of_order), trace(&client));
    assert_ne!(span(&shown_of_order), CLIENT_SPAN, "another step of the same trace");
    lines::one_with(&["order placed: ", placed["id"].as_str().unwrap(), "status=accepted", &own]).await;

    shop.settle_all().await;
    let production = shop.only_production().await;
    assert_eq!(trace(production["traceparent"].as_str().expect("a trace")), trace(&client));
    lines::one_with(&["message settled: queue=replenishment topic=stock.depleted", "outcome=done", &own])
        .await;
    lines::one_with(&["message settled: queue=ad-control topic=stock.depleted", "outcome=done", &own]).await;

    shop.finish_jobs(1).await;
    lines::one_with(&["goods received: ", "units=10", production["id"].as_str().unwrap(), &own]).await;
    shop.settle_all().await;
    let settled =
        lines::one_with(&["message settled: queue=ad-control topic=stock.replenished", "outcome=done", &own])
            .await;
    let message =
        shop.client.get(VIEWER, &format!("/v1/messages/{}", field(&settled, "message"))).await.expect(200);
    assert_eq!(
        trace(message["event"]["traceparent"].as_str().expect("a trace")),
        trace(&client),
        "{message}"
    );

    let mails = shop.world().mail.mails();
    let to_manager = mails.into_iter().filter(|mail| mail.to.contains(&AD_MANAGER.to_owned()));
    let sent: Vec<String> = of_factory(&shop)
        .into_iter()
        .chain(to_manager.map(|mail| mail.traceparent.expect("a trace")))
        .collect();
    assert_eq!(sent.len(), 3, "the factory, please pause, please resume: {sent:?}");
    let mut spans = BTreeSet::from([CLIENT_SPAN]);
    for (sent, partner) in sent.iter().zip(["factory", "mail", "mail"]) {
        assert_eq!(trace(sent), trace(&client));
        assert!(sent.ends_with("-01"), "the client keeps a record: {sent}");
        assert!(spans.insert(span(sent)), "each call is a step of its own: {sent}");
        let called =
            lines::one_with(&["partner called: ", &format!("partner={partner} "), span(sent), &own]).await;
        assert!(
            matches!(field(&called, "status"), "200" | "201") && field(&called, "ms").parse::<u64>().is_ok()
        );
    }
    // What people and keys are called is nobody's business here.
    for secret in [AD_MANAGER, STOCK_MANAGER, "c@example.com", "A Customer", STOREFRONT, INTERNAL, "re_test"]
    {
        assert_eq!(lines::with(secret), Vec::<String>::new());
    }
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_at_once_do_not_mix() {
    lines::keep();
    let shop = Shop::connected().await;
    let skus: Vec<String> = (0..12).map(|n| format!("sku-{n}")).collect();
    for sku in &skus {
        shop.client.put(OPERATOR, &format!("/v1/products/{sku}"), advertised(1, 0, 10)).await.expect(201);
    }
    let client = |n: usize| of_client(100 + u32::try_from(n).expect("a number"), false);
    let orders = skus.iter().enumerate().map(|(n, sku)| {
        let (shop, body) = (&shop, order(&[(sku, 1)]));
        async move { place(shop, &[("traceparent", &client(n))], &body).await.expect(201) }
    });
    let placed = join_all(orders).await;
    shop.settle_all().await;
    shop.finish_jobs(12).await;
    shop.settle_all().await;

    for (n, (sku, placed)) in skus.iter().zip(placed).enumerate() {
        let own = trace(&client(n)).to_owned();
        assert_eq!(trace(&order_trace(&shop, &placed["id"]).await), own);
        let asked = shop.factory.requests();
        let asked =
            asked.iter().find(|asked| asked.body["MessageAttributeProductId"] == **sku).expect("a request");
        assert_eq!(asked.traceparent.as_deref().map(trace), Some(own.as_str()), "{sku}");
        let own = format!("trace={own}");
        lines::one_with(&["goods received: ", &format!("sku={sku} "), &own]).await;
        let told = || lines::with(&own).into_iter().filter(|line| line.contains("partner=mail ")).count();
        eventually("the product is paused and resumed", || async { (told() == 2).then_some(()) }).await;
    }
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_a_usable_trace_is_taken_and_begins_one_that_has_its_id() {
    lines::keep();
    let shop = Shop::with_product(100, 0, 200).await;
    let (sound, other) = (of_client(2, true), of_client(3, true));
    let long = "0".repeat(4_000);
    let bad = [
        vec![],
        vec![""],
        vec!["nonsense"],
        vec![long.as_str()],
        vec!["00-00000000000000000000000000000000-00f067aa0ba902b7-01"],
        vec!["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"],
        vec!["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        vec!["00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01"],
        vec!["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"],
        vec![sound.as_str(), other.as_str()],
    ];
    for values in &bad {
        let headers: Vec<_> = values.iter().map(|value| ("traceparent", *value)).collect();
        let placed = place(&shop, &headers, &order(&[(SKU, 1)])).await.expect(201);
        let context = order_trace(&shop, &placed["id"]).await;
        assert_eq!(trace(&context), placed["id"].as_str().unwrap().replace('-', ""), "{values:?}");
        assert!(context.ends_with("-00"), "nobody keeps a record: {context}");
    }
    // The last one of another version is as good as one of ours.
    let later = format!("{}-more", sound.replacen("00-", "cc-", 1));
    let placed = place(&shop, &[("traceparent", &later)], &order(&[(SKU, 1)])).await.expect(201);
    let context = order_trace(&shop, &placed["id"]).await;
    assert!(context.starts_with("00-") && trace(&context) == trace(&sound), "{context}");

    let empties = place(&shop, &[], &order(&[(SKU, 89)])).await.expect(201);
    shop.settle().await;
    let own = empties["id"].as_str().unwrap().replace('-', "");
    assert_eq!(of_factory(&shop).iter().map(|sent| trace(sent)).collect::<Vec<_>>(), [own.as_str()]);
    lines::one_with(&["order placed: ", &format!("trace={own}")]).await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_order_is_logged_only_where_its_client_keeps_a_record() {
    lines::keep();
    let shop = Shop::with_product(100, 0, 200).await;
    let (quiet, recorded) = (of_client(4, false), of_client(5, true));
    for client in [&quiet, &recorded] {
        place(&shop, &[("traceparent", client)], &order(&[(SKU, 1)])).await.expect(201);
    }
    lines::one_with(&["order placed: ", &format!("trace={}", trace(&recorded))]).await;
    assert_eq!(lines::with(trace(&quiet)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_goes_on_in_the_trace_of_the_first() {
    lines::keep();
    let shop = Shop::with_product(10, 0, 20).await;
    let (first, second) = (of_client(6, false), of_client(7, false));
    let body = order(&[(SKU, 1)]);
    let placed = place(&shop, &[("idempotency-key", "k"), ("traceparent", &first)], &body).await.expect(201);
    let again = place(&shop, &[("idempotency-key", "k"), ("traceparent", &second)], &body).await.expect(201);
    assert_eq!(placed, again);
    assert_eq!(trace(&order_trace(&shop, &placed["id"]).await), trace(&first));
    let both = [format!(" trace={}", trace(&first)), format!("caller_trace={}", trace(&second))];
    lines::one_with(&["order placed: ", "repeated=true", &both[0], &both[1]]).await;
    place(&shop, &[("idempotency-key", "k")], &body).await.expect(201);
    let others = || lines::with(&both[0]).into_iter().filter(|line| !line.contains("caller_trace=")).count();
    eventually("a repetition that brings no trace has no other", || async { (others() == 1).then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_its_trace_through_attempts_burial_and_redrive_and_so_does_the_alert() {
    lines::keep();
    let shop = Shop::connected().await;
    shop.define(SKU, 1, 0, 10).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    let client = of_client(8, false);
    let own = format!("trace={}", trace(&client));
    place(&shop, &[("traceparent", &client)], &order(&[(SKU, 1)])).await.expect(201);
    shop.factory.wait_until(|stats| stats.requests >= 1).await.unwrap();
    shop.rest().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.settle_all().await;
    lines::one_with(&["message settled: queue=replenishment", "outcome=retry reason=factory-failing", &own])
        .await;
    lines::one_with(&["message settled: queue=replenishment", "outcome=bury reason=factory-refused", &own])
        .await;
    assert_eq!(shop.buried("replenishment").await.len(), 1);

    let alerts = shop.world().slack.messages().into_iter().map(|message| message.traceparent);
    let letters = shop.world().mail.mails().into_iter().map(|mail| mail.traceparent);
    let told: Vec<String> = alerts.chain(letters).map(|told| told.expect("a trace")).collect();
    assert!(told.len() >= 2, "{told:?}");
    assert!(told.iter().all(|told| trace(told) == trace(&client)), "{told:?}");

    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    shop.redrive("replenishment").await;
    shop.settle_all().await;
    let asked = of_factory(&shop);
    assert!(asked.len() >= 3, "failed, refused, taken: {asked:?}");
    assert!(asked.iter().all(|asked| trace(asked) == trace(&client)), "{asked:?}");
    let spans: BTreeSet<_> = asked.iter().map(|asked| span(asked)).collect();
    assert_eq!(spans.len(), asked.len(), "each attempt is a step of its own: {asked:?}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_brings_a_trace_is_found_by_its_own_and_by_that_of_its_request() {
    lines::keep();
    let shop = Shop::with_product(1, 0, 10).await;
    let (client, factory) = (of_client(9, false), of_client(10, false));
    place(&shop, &[("traceparent", &client)], &order(&[(SKU, 1)])).await.expect(201);
    shop.settle().await;
    let url = shop.factory.requests()[0].body["CallbackUrl"].as_str().expect("an address").to_owned();
    let report = json!({"MessageAttributeProductCnt": 10}).to_string();
    shop.client.send(Method::POST, &url, &[("traceparent", &factory)], report).await.expect(200);
    let both = [format!(" trace={}", trace(&client)), format!("caller_trace={}", trace(&factory))];
    lines::one_with(&["goods received: ", "repeated=false", &both[0], &both[1]]).await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_order_is_followed_to_the_marketing_system() {
    lines::keep();
    let shop = Shop::connected().await;
    shop.define(SKU, 500, 0, 1_000).await;
    let client = of_client(11, false);
    place(&shop, &[("traceparent", &client)], &order(&[(SKU, 100)])).await.expect(201);
    shop.settle_all().await;
    let events = shop.world().marketing.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].traceparent.as_deref().map(trace), Some(trace(&client)));
    lines::one_with(&["message settled: queue=loyalty topic=order.bulk", "outcome=done", trace(&client)])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_order_caused_is_followed_as_well() {
    lines::keep();
    let shop = holding(2).await;
    shop.world().logistics.deliver_all();
    collect(&shop).await;
    work(&shop).await;
    let asked = shop.world().logistics.requests();
    assert_eq!(asked.len(), 5, "a list, two looks and two reports: {asked:?}");
    let mut spans = BTreeSet::new();
    for asked in &asked {
        let sent = asked.traceparent.as_deref().expect("a trace");
        assert!(spans.insert(span(sent)), "{sent}");
        let own = format!("trace={}", trace(sent));
        lines::one_with(&["partner called: partner=logistics status=200", span(sent), &own]).await;
        lines::one_with(&["message settled: queue=returns", "outcome=done", &own]).await;
    }
}

/// The sources below a folder, without tests that are no part of a component.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with("src/tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("a text")));
        }
    }
    found
}

#[test]
fn no_component_writes_a_line_past_the_place_that_adds_its_trace() {
    let components = sources(&root().join("components"));
    let edge = sources(&root().join("crates/edge/src"));
    assert!(components.len() > 50 && edge.len() > 10, "the sources are there");
    for (path, text) in components.iter().chain(&edge) {
        for write in ["println!", "print!(", "dbg!("] {
            assert!(!text.contains(write), "{path} has {write}: restock_edge::log! is for that");
        }
    }
}
