//! Claim: everything can be done with a keyboard, and one sees where one is. Method: from the door to a dead letter that is sent again,
//! with nothing but Tab and Enter.

use super::scene::{buried, shop_with_dead_letters};
use super::screen::{ENTER, Screen, TAB, Viewport};
use crate::support::OPERATOR;

/// How often Tab is pressed at most to come to something.
const TABS_MAX: u32 = 120;
/// Whether the focus is on what the selector means, and whether it can be seen.
const FOCUS: &str = r#"
const at = document.activeElement;
if (!at || at === document.body) return ["nowhere", false];
const style = getComputedStyle(at), box = at.getBoundingClientRect();
const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
const shown = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
return [at.matches(arguments[0]) ? "there" : "elsewhere", outlined && shown];
"#;

/// Presses Tab until the focus is on what the selector means. Wherever it comes on the way, it is seen.
async fn tab_to(screen: &Screen, selector: &str) {
    screen.find(selector).await;
    for _ in 0..TABS_MAX {
        screen.press(TAB).await;
        let focus = screen.ask(FOCUS, &[selector.into()]).await;
        if focus[0] != "nowhere" {
            assert_eq!(focus[1], true, "the focus is not seen on {}", screen.focused().await);
        }
        if focus[0] == "there" {
            return;
        }
    }
    panic!("Tab does not lead to {selector} on {}", screen.path().await);
}

/// Goes there and presses Enter.
async fn enter(screen: &Screen, selector: &str) {
    tab_to(screen, selector).await;
    screen.press(ENTER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_sent_again_with_nothing_but_a_keyboard() {
    let shop = shop_with_dead_letters().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.go("/sign-in").await;
    // Whoever comes here wants to type the key, and is there already.
    assert_eq!(screen.ask(FOCUS, &["#key".into()]).await[0], "there");
    screen.press(OPERATOR).await;
    screen.press(ENTER).await;
    enter(&screen, "header nav a[href='/queues']").await;
    enter(&screen, "main a[href='/queues/replenishment']").await;
    enter(&screen, "#dead-letters a[href*='redrive?failure=factory-refused']").await;
    enter(&screen, "form.confirmation button[type=submit]").await;
    screen.find("#told p").await;
    buried(&shop, "replenishment", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_navigation_can_be_passed_over() {
    let shop = shop_with_dead_letters().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    screen.go("/queues").await;
    screen.press(TAB).await;
    assert_eq!(screen.ask(FOCUS, &[".skip".into()]).await, serde_json::json!(["there", true]));
    screen.press(ENTER).await;
    screen.press(TAB).await;
    assert_eq!(screen.ask(FOCUS, &["main *".into()]).await[0], "there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focus_stays_where_it_is_while_the_page_changes_around_it() {
    let shop = shop_with_dead_letters().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    screen.go("/queues/replenishment").await;
    tab_to(&screen, "#dead-letters a[href*='redrive?failure=factory-failing']").await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.define("refused-more", 0, 0, 10).await;
    let four = r#"
const row = document.querySelector(`#dead-letters tr[data-key="factory-refused"]`);
return row && row.querySelector("data").getAttribute("value") === "4";"#;
    screen.until("one more", four, &[]).await;
    let focus = screen.ask(FOCUS, &["a[href*='redrive?failure=factory-failing']".into()]).await;
    assert_eq!(focus[0], "there");
}
