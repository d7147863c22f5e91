//! Claim: pages speak the language of the reader's browser, write numbers and times in its way, and follow the system's colours.
//! Method: browsers that are set to Korean, English, and something else.

use super::scene::{every_page, full_shop, shop};
use super::screen::{Screen, Viewport};
use crate::support::{OPERATOR, SKU, VIEWER};

/// Hangul in the words of the page itself, leaving out the shop's own texts.
const HANGUL: &str = r#"
const page = document.body.cloneNode(true);
page.querySelectorAll("bdi, code, pre, [dir=auto]").forEach((element) => element.remove());
return /[\uac00-\ud7a3]/.test(page.textContent);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_korean_or_english_as_the_browser_asks() {
    let shop = shop().await;
    for (language, expected) in
        [("ko-KR,ko,en", "ko"), ("en-GB,en", "en"), ("de-DE,de", "en"), ("fr,ko;q=0.5", "ko")]
    {
        let screen = Screen::open(shop.host.url(), Viewport { language, ..Viewport::default() }).await;
        screen.sign_in(VIEWER).await;
        assert_eq!(screen.ask("return document.documentElement.lang", &[]).await, expected, "{language}");
        assert_eq!(screen.ask(HANGUL, &[]).await, expected == "ko", "{language}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_mixes_languages() {
    let shop = full_shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    let mut mixed = Vec::new();
    for page in every_page(&screen).await {
        screen.go(&page.path).await;
        if screen.ask(HANGUL, &[]).await == true {
            mixed.push(page.path);
        }
    }
    assert!(mixed.is_empty(), "{mixed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_times_are_written_as_the_reader_does_with_the_exact_value_beside() {
    let shop = shop().await;
    shop.define(SKU, 1_234_567, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    let screen =
        Screen::open(shop.host.url(), Viewport { language: "de-DE,de", ..Viewport::default() }).await;
    screen.sign_in(VIEWER).await;
    screen.go(&format!("/products/{SKU}")).await;
    let found = r#"
const data = document.querySelector('main data[value="1234566"]');
return data && data.textContent.includes("1.234.566");"#;
    screen.until("a number in the German way", found, &[]).await;
    let time = r#"
const time = document.querySelector("main time[data-as=moment]");
return time && time.title === time.getAttribute("datetime") && !time.textContent.includes("UTC") && time.textContent.includes(":");"#;
    screen.until("a time in the German way", time, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_follow_the_system() {
    let shop = shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(VIEWER).await;
    let lightness = r#"
const parse = (colour) => { const c = document.createElement("canvas").getContext("2d"); c.fillStyle = colour; c.fillRect(0, 0, 1, 1);
  const [r, g, b] = c.getImageData(0, 0, 1, 1).data; return (r + g + b) / 765; };
const style = getComputedStyle(document.body);
const back = style.backgroundColor === "rgba(0, 0, 0, 0)" ? getComputedStyle(document.documentElement).backgroundColor : style.backgroundColor;
return [parse(back), parse(style.color)];"#;
    let look = async || {
        let both = screen.ask(lightness, &[]).await;
        (both[0].as_f64().expect("a colour"), both[1].as_f64().expect("a colour"))
    };
    let (back, text) = look().await;
    assert!(back > 0.8 && text < 0.4, "light: {back} {text}");
    screen.set(Viewport { dark: true, ..Viewport::default() }).await;
    let (back, text) = look().await;
    assert!(back < 0.3 && text > 0.6, "dark: {back} {text}");
}
