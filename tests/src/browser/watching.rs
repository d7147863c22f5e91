//! Claim: people see a product run out and come back while they watch, without doing anything. Method: orders from elsewhere and a
//! factory that is told when to deliver; a mark on the page, which would not survive a navigation.

use serde_json::json;

use super::scene::{shop, shop_with_dead_letters};
use super::screen::{Screen, Viewport};
use crate::support::{OPERATOR, SKU, Shop, VIEWER, advertised};

/// The row of the product says this much of its stock, as an exact value.
const ROW_HAS: &str = r#"
const row = document.querySelector(`main tr[data-key="${arguments[0]}"]`);
return !!row && [...row.querySelectorAll("data")].some((data) => data.getAttribute("value") === arguments[1]);
"#;
/// The facts of the page have this exact value somewhere.
const PAGE_HAS: &str = r#"
return [...document.querySelectorAll("main dl data")].some((data) => data.getAttribute("value") === arguments[0]);
"#;

/// Keeps when the page asked the server.
const COUNT: &str = r#"
const ask = window.fetch, asked = (window.restockAsked = []);
window.fetch = (...what) => { asked.push(performance.now()); return ask(...what); };
"#;
/// Lets the page ask a few times, and comes back to the tab in each pause between.
const COME_BACK: &str = r#"
const ask = window.fetch, times = arguments[0];
window.fetch = async (...what) => {
  const answer = await ask(...what);
  if (window.restockAsked.length <= times) {
    setTimeout(() => document.dispatchEvent(new Event("visibilitychange")), document.getElementById("main").dataset.live / 4);
  }
  return answer;
};
"#;

async fn shop_to_watch() -> Shop {
    let shop = shop().await;
    let product = advertised(7, 2, 23);
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), product).await.expect(201);
    shop
}

/// Sells all there is, has the factory deliver, and looks for both.
async fn is_seen(shop: &Shop, screen: &Screen, body: &str, at: &[&str]) {
    let args = |value: &str| -> Vec<_> { at.iter().copied().chain([value]).map(Into::into).collect() };
    screen.until("the stock as it was", body, &args("7")).await;
    screen.mark().await;
    shop.client.order(SKU, 7).await.expect(201);
    screen.until("the stock-out", body, &args("0")).await;
    shop.finish_jobs(1).await;
    screen.until("the refill", body, &args("23")).await;
    assert!(screen.is_marked().await, "the page was loaded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_out_and_a_refill_are_seen_in_the_list_of_products_without_reloading() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go("/products").await;
    is_seen(&shop, &screen, ROW_HAS, &[SKU]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_out_and_a_refill_are_seen_on_the_page_of_the_product_without_reloading() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go(&format!("/products/{SKU}")).await;
    is_seen(&shop, &screen, PAGE_HAS, &[]).await;
    screen.find("main svg").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_what_ran_out_and_what_is_on_its_way_without_reloading() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.find("main svg").await;
    screen.mark().await;
    shop.client.order(SKU, 7).await.expect(201);
    let links_to = "return !!document.querySelector(`main a[href^='${arguments[0]}']`)";
    screen.until("the product at risk", links_to, &[format!("/products/{SKU}").into()]).await;
    screen.until("the open production", links_to, &["/production/".into()]).await;
    shop.finish_jobs(1).await;
    let gone = "return !document.querySelector(`main a[href^='${arguments[0]}']`)";
    screen.until("that the production is done", gone, &["/production/".into()]).await;
    assert!(screen.is_marked().await, "the page was loaded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_is_doing_is_not_disturbed_by_what_changes() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go("/products").await;
    screen.fill("main input[type=search]", "half a wo").await;
    screen.mark().await;
    shop.client.order(SKU, 7).await.expect(201);
    screen.until("the stock-out", ROW_HAS, &[SKU.into(), "0".into()]).await;
    screen.press("rd").await;
    let typed = screen.ask("return document.activeElement.value", &[]).await;
    assert_eq!(typed, "half a word");
    assert!(screen.is_marked().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_said_to_be_and_so_is_one_that_is_back() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go("/products").await;
    screen.until("the stock", ROW_HAS, &[SKU.into(), "7".into()]).await;
    screen.mark().await;
    let lost = screen.ask("return document.body.dataset.lost", &[]).await;
    let lost = lost.as_str().expect("words").to_owned();
    let shop = shop.restart_after(async || screen.sees(&lost).await).await;
    let quiet = "return !document.body.innerText.includes(arguments[0])";
    screen.until("that it is back", quiet, &[lost.into()]).await;
    shop.client.order(SKU, 7).await.expect(201);
    screen.until("the stock-out", ROW_HAS, &[SKU.into(), "0".into()]).await;
    assert!(screen.is_marked().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_often_comes_back_to_the_tab_asks_no_more_often() {
    const TIMES: usize = 5;
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go("/products").await;
    screen.ask(COUNT, &[]).await;
    screen.ask(COME_BACK, &[TIMES.into()]).await;
    // The page waits between two looks. On a slow machine they are further apart, never closer.
    let apart = r#"
const asked = window.restockAsked.slice(arguments[0]);
return asked.length > arguments[0] && (asked.at(-1) - asked[0]) / (asked.length - 1) / document.getElementById("main").dataset.live;
"#;
    let apart = screen.until("further looks", apart, &[TIMES.into()]).await;
    assert!(apart.as_f64().expect("a number") > 0.9, "{apart} of the time between two looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_the_updates_is_shown_none_until_they_want_them_again() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.click("#pause").await;
    screen.go("/products").await;
    screen.find("#pause[aria-pressed=true]").await;
    screen.ask(COUNT, &[]).await;
    shop.client.order(SKU, 7).await.expect(201);
    let later = r#"
const every = document.getElementById("main").dataset.live;
return new Promise((done) => setTimeout(() => done(window.restockAsked.length), 3 * every));
"#;
    assert_eq!(screen.ask(later, &[]).await, 0);
    assert_eq!(screen.ask(ROW_HAS, &[SKU.into(), "7".into()]).await, true);
    screen.click("#pause").await;
    screen.until("the stock-out", ROW_HAS, &[SKU.into(), "0".into()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_leaves_does_not_take_the_focus_with_it_and_its_selection_is_said_to_be_gone() {
    let shop = shop_with_dead_letters().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    screen.go("/queues/replenishment").await;
    screen.click("#dead-letters input[type=checkbox]").await;
    let id = screen.ask("return document.activeElement.value", &[]).await;
    let gone = "return !document.querySelector(`#dead-letters tr[data-key='${arguments[0]}']`)";
    assert_eq!(screen.ask(gone, std::slice::from_ref(&id)).await, false);
    let ids = json!({ "ids": [&id] });
    shop.client.post(OPERATOR, "/v1/queues/replenishment/redrive", ids).await.expect(200);
    screen.until("that the letter is gone", gone, &[id]).await;
    assert_eq!(
        screen.ask("return document.activeElement.matches('tr input[type=checkbox]')", &[]).await,
        true
    );
    let words = screen.ask("return document.body.dataset.unchosen", &[]).await;
    screen.sees(words.as_str().expect("words")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_server_is_no_silence_and_a_page_that_is_gone_is_loaded_again() {
    let shop = shop_to_watch().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    screen.go("/products").await;
    screen.mark().await;
    let faulty = "window.restockStatus = 503; window.fetch = async () => new Response('', { status: window.restockStatus })";
    screen.ask(faulty, &[]).await;
    let words = screen.ask("return document.body.dataset.trouble", &[]).await;
    screen.sees(words.as_str().expect("words")).await;
    assert!(screen.is_marked().await);
    screen.ask("window.restockStatus = 404", &[]).await;
    screen
        .until(
            "the page loaded again",
            "return !window.restockMark && !!document.querySelector('main tr')",
            &[],
        )
        .await;
}
