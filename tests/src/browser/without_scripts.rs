//! Claim: everything works in a browser that runs no scripts. Method: one whose owner switched them off.

use super::scene::{buried, shop_with_dead_letters};
use super::screen::{ENTER, Screen, Viewport};
use crate::support::{OPERATOR, SKU};

#[tokio::test(flavor = "multi_thread")]
async fn people_without_scripts_sign_in_look_and_send_dead_letters_again() {
    let shop = shop_with_dead_letters().await;
    shop.define(SKU, 9, 0, 10).await;
    let viewport = Viewport { scripts: false, ..Viewport::default() };
    let screen = Screen::open(shop.host.url(), viewport).await;
    screen.go("/sign-in").await;
    screen.fill("#key", OPERATOR).await;
    screen.press(ENTER).await;
    screen.find("header nav").await;
    screen.go(&format!("/products/{SKU}")).await;
    screen.find("main data[value='9']").await;
    // What a script would have written in the reader's way is there as the server wrote it: no script ran.
    screen.sees(" UTC").await;
    screen.go("/queues/replenishment").await;
    screen.click("#dead-letters a[href*='redrive?failure=factory-refused']").await;
    screen.click("form.confirmation button[type=submit]").await;
    screen.find("#told p").await;
    buried(&shop, "replenishment", 2).await;
    screen.go("/queues/replenishment").await;
    assert_eq!(screen.count("#dead-letters tr[data-key='factory-refused']").await, 0);
    screen.click("header form button[type=submit]").await;
    screen.find("#key").await;
}
