//! Claim: every page can be read on a phone without scrolling sideways. Method: a window as wide as a small phone.

use super::scene::{every_page, full_shop};
use super::screen::{Screen, Viewport};
use crate::support::OPERATOR;

/// How much wider than the window the page is, and what sticks out.
const STICKS_OUT: &str = r#"
const page = document.scrollingElement;
if (page.scrollWidth <= innerWidth) return "";
const wide = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
return page.scrollWidth + " > " + innerWidth + ": " + wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 80)).join(" | ");
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_scrolls_sideways_on_a_phone() {
    let shop = full_shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::phone()).await;
    screen.go("/sign-in").await;
    let mut wide = vec![("/sign-in".to_owned(), screen.ask(STICKS_OUT, &[]).await)];
    screen.sign_in(OPERATOR).await;
    for page in every_page(&screen).await {
        screen.go(&page.path).await;
        wide.push((page.path, screen.ask(STICKS_OUT, &[]).await));
    }
    wide.retain(|(_, how)| how != "");
    assert!(wide.is_empty(), "{wide:#?}");
}
