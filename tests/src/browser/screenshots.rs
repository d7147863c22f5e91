//! The pictures of the README, taken of the demo while it runs. No test: `cargo xtask screenshots` runs it.

use std::fs;
use std::time::Duration;

use restock_host::{Host, Options, demo, secret};
use tempfile::TempDir;

use super::screen::{Screen, Viewport};
use crate::support::root;

/// The demo's operator.
const KEY: &str = "demo-operator";
/// The product that the demo's customers all want at once.
const SKU: &str = "CP-502101";
/// The overview says that it is sold out, which the first rush brings about within a minute.
const SOLD_OUT: &str = r#"
const rows = [...document.querySelectorAll("main tr")].filter((row) => row.textContent.includes(arguments[0]));
return rows.some((row) => !!row.querySelector(".badge.bad"));
"#;
/// The largest picture, bytes.
const PICTURE_BYTES_MAX: usize = 200_000;

/// Takes a picture once the page has what the selector means.
async fn picture(screen: &Screen, name: &str, path: &str, selector: &str) {
    screen.go(path).await;
    screen.find(selector).await;
    let bytes = screen.picture().await;
    assert!(bytes.len() < PICTURE_BYTES_MAX, "{name}: {} bytes", bytes.len());
    let folder = root().join("docs/screenshots");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a picture");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes docs/screenshots: cargo xtask screenshots"]
async fn the_pictures_of_the_readme() {
    let data = TempDir::new().expect("a folder");
    let mut options = Options::new(root().join("spin.toml"), data.path());
    options.tick = Some(Duration::from_secs(1));
    let world = demo::prepare(&mut options).await.expect("a demo");
    secret::provide(&mut options).expect("a secret");
    world.remember(&options).await.expect("a day before");
    let host = Host::start(options).await.expect("the application starts");
    let url = host.url();
    let running = world.run(&host).await.expect("a demo");

    let desk = Viewport { width: 1_280, height: 860, ..Viewport::default() };
    let screen = Screen::open(&url, desk).await;
    screen.sign_in(KEY).await;
    picture(&screen, "dead-letters.png", "/queues/loyalty", "main table").await;
    screen.go("/").await;
    screen.until("a stock-out", SOLD_OUT, &[SKU.into()]).await;
    picture(&screen, "overview.png", "/", "main svg").await;
    picture(&screen, "product.png", &format!("/products/{SKU}"), "main svg").await;
    screen.set(Viewport { dark: true, height: 812, ..Viewport::phone() }).await;
    picture(&screen, "phone-dark.png", "/", "main svg").await;
    drop(screen);
    let screen = Screen::open(&url, Viewport { language: "ko-KR,ko", ..desk }).await;
    screen.sign_in(KEY).await;
    picture(&screen, "overview-korean.png", "/", "main svg").await;
    drop(screen);
    drop(running);
    host.stop().await.expect("it stops");
}
