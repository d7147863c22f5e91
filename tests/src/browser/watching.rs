//! Claim: people see a product run out and come back while they watch, without doing anything. Method: orders from elsewhere and a
//! factory that is told when to deliver; a mark on the page, which would not survive a navigation.

use super::scene::shop;
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
