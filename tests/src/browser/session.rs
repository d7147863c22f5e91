//! Claim: people come in with a key and go out again, and are told when a key is none. Method: a browser at the door.

use super::scene::shop;
use super::screen::{ENTER, Screen, Viewport};
use crate::support::{OPERATOR, STOREFRONT, VIEWER};

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_are_led_where_they_wanted_to_go_and_sign_out() {
    let shop = shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.go("/products?sku=CP").await;
    assert!(screen.path().await.starts_with("/sign-in?next="), "{}", screen.path().await);
    screen.fill("#key", OPERATOR).await;
    screen.press(ENTER).await;
    screen.find("header nav").await;
    assert_eq!(screen.path().await, "/products?sku=CP");
    assert!(!screen.text().await.contains(OPERATOR));
    screen.click("header form button[type=submit]").await;
    screen.find("#key").await;
    screen.go("/").await;
    screen.find("#key").await;
    assert_eq!(screen.count("header nav").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_nothing_is_said_to() {
    let shop = shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.go("/sign-in").await;
    let mut said = Vec::new();
    for key in ["no-such-key", STOREFRONT] {
        screen.fill("#key", key).await;
        screen.mark().await;
        screen.press(ENTER).await;
        screen
            .until("an answer", "return !window.restockMark && !!document.querySelector('[role=alert]')", &[])
            .await;
        let alert = screen.find("[role=alert]").await.text().await.unwrap();
        assert!(!alert.trim().is_empty());
        said.push(alert);
        screen.go("/").await;
        screen.find("#key").await;
    }
    assert_ne!(said[0], said[1], "a key that is unknown and one that is not for people are not the same");
    screen.sign_in(VIEWER).await;
}
