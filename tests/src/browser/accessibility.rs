//! Claim: software that looks for barriers finds none. Method: axe-core, on every page, in both colours and two widths.
//! Needs: axe-core from npm, which `cargo xtask peers` installs.

use serde_json::{Value, json};

use super::scene::{every_page, full_shop};
use super::screen::{Screen, Viewport};
use crate::support::OPERATOR;

/// The environment variable with the path of `axe.min.js`.
const AXE_VARIABLE: &str = "RESTOCK_TEST_AXE";
/// All rules of WCAG 2.2 A and AA, and what its makers hold for good practice.
const RUN: &str = r#"
return axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations.map((one) =>
  one.id + ": " + one.help + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.failureSummary).join(" | ")));
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs axe-core from npm: cargo xtask peers"]
async fn axe_finds_nothing_on_any_page_in_any_colour_on_a_phone_or_beside_one() {
    let path = std::env::var(AXE_VARIABLE).expect("the path of axe.min.js");
    let axe = std::fs::read_to_string(path).expect("axe-core");
    let shop = full_shop().await;
    let screen = Screen::open(shop.host.url(), Viewport::default()).await;
    let mut found = Vec::new();
    let mut look = async |screen: &Screen, path: &str, viewport: Viewport| {
        screen.set(viewport).await;
        screen.go(path).await;
        screen.ask(&axe, &[]).await;
        let violations = screen.ask(RUN, &[]).await;
        if violations != json!([]) {
            found.push((path.to_owned(), viewport.width, viewport.dark, violations));
        }
    };
    let viewports = [Viewport::default(), Viewport::phone()]
        .map(|viewport| [viewport, Viewport { dark: true, ..viewport }])
        .concat();
    for viewport in &viewports {
        look(&screen, "/sign-in", *viewport).await;
    }
    screen.sign_in(OPERATOR).await;
    for page in every_page(&screen).await {
        for viewport in &viewports {
            look(&screen, &page.path, *viewport).await;
        }
    }
    let all: Vec<Value> = found.into_iter().map(|found| json!(found)).collect();
    assert!(all.is_empty(), "{all:#?}");
}
