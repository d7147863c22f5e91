//! Claim: whatever the shop's texts say, a page shows them as text, and runs and loads nothing but what is ours. Method: names, reasons
//! and numbers that would be code, on every page; the browser's own log.

use super::scene::{HOSTILE, every_page, full_shop};
use super::screen::{Screen, Viewport};
use crate::support::OPERATOR;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_an_inline_script_or_style_and_every_page_has_the_headers_that_forbid_them() {
    let shop = full_shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    let faults: Vec<_> = every_page(&screen)
        .await
        .into_iter()
        .filter(|page| !page.faults.is_empty())
        .map(|page| (page.path, page.faults))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_would_be_code_is_shown_as_text_and_nothing_of_it_runs() {
    let shop = full_shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    screen.sign_in(OPERATOR).await;
    let mut faults = Vec::new();
    for page in every_page(&screen).await {
        screen.go(&page.path).await;
        if let Some(dialog) = screen.dialog().await {
            faults.push((page.path.clone(), format!("a dialog: {dialog}")));
            break;
        }
        let foreign = "return [...document.querySelectorAll('script:not([src]), img, iframe, b, i')].length";
        if screen.ask(foreign, &[]).await != 0 {
            faults.push((page.path.clone(), "an element that is none of ours".to_owned()));
        }
        for line in screen.log().await {
            // What is not there is refused, and a browser notes it. What it only advises is no fault.
            let is_noise =
                line.contains("the server responded with a status of 404") || line.starts_with("\"DEBUG\"");
            if !is_noise {
                faults.push((page.path.clone(), line));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    screen.go("/products").await;
    let text = screen.text().await;
    for (_, name) in HOSTILE {
        assert!(text.contains(name), "{name} is not on {text}");
    }
}
