//! A browser to look with: a headless Chromium with a profile of its own, driven over WebDriver.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use restock_servers::ChromeDriver;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// How long something may take to be seen. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The wait between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Keys that are no characters, as WebDriver writes them.
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ENTER: &str = "\u{E007}";
/// How many browsers one process has at a time. The test runner sees to the same between processes.
static BROWSERS: Semaphore = Semaphore::const_new(1);

/// Who looks, and through what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewport {
    /// What the browser is set to, as it tells servers.
    pub(crate) language: &'static str,
    /// CSS pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    /// Whether pages may run scripts.
    pub(crate) scripts: bool,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { language: "en-US,en", width: 1_280, height: 900, dark: false, scripts: true }
    }
}

impl Viewport {
    /// A phone.
    pub(crate) const PHONE_WIDTH: u32 = 375;

    pub(crate) fn phone() -> Self {
        Self { width: Self::PHONE_WIDTH, height: 812, ..Self::default() }
    }
}

/// A browser with one page. It ends when this is dropped.
pub(crate) struct Screen {
    client: Client,
    base: String,
    _driver: ChromeDriver,
    _place: SemaphorePermit<'static>,
}

impl Screen {
    /// Opens a browser for the application at `base`.
    pub(crate) async fn open(base: impl Into<String>, viewport: Viewport) -> Self {
        let place = BROWSERS.acquire().await.expect("nobody closes it");
        let driver = ChromeDriver::start().expect("a driver");
        let mut args =
            vec!["--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"];
        if is_root() {
            args.push("--no-sandbox");
        }
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        capabilities.insert("unhandledPromptBehavior".into(), json!("ignore"));
        capabilities.insert(
            "goog:chromeOptions".into(),
            json!({ "args": args, "prefs": { "intl.accept_languages": viewport.language } }),
        );
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await
            .expect("a session");
        let screen = Self { client, base: base.into(), _driver: driver, _place: place };
        screen.set(viewport).await;
        screen
    }

    /// Makes the window another one. The language stays.
    pub(crate) async fn set(&self, viewport: Viewport) {
        let Viewport { width, height, dark, scripts, language: _ } = viewport;
        let is_phone = width <= Viewport::PHONE_WIDTH;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.tell("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tell("Emulation.setEmulatedMedia", features).await;
        self.tell("Emulation.setScriptExecutionDisabled", json!({ "value": !scripts })).await;
    }

    /// Goes to a path.
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.expect("a page");
    }

    /// The path and query that is shown.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.as_str().strip_prefix(&self.base).unwrap_or(url.as_str()).to_owned()
    }

    /// What a function with this body answers, in the page.
    pub(crate) async fn ask(&self, body: &str, args: &[Value]) -> Value {
        self.client.execute(body, args.to_vec()).await.unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Looks until the function answers something true; hands it on.
    pub(crate) async fn until(&self, what: &str, body: &str, args: &[Value]) -> Value {
        let began = Instant::now();
        loop {
            // A page that is just being left cannot be asked.
            let answer = self.client.execute(body, args.to_vec()).await.unwrap_or(Value::Null);
            if !matches!(answer, Value::Null | Value::Bool(false)) && answer != "" && answer != 0 {
                return answer;
            }
            if began.elapsed() > PATIENCE {
                panic!("waited in vain: {what}; {} shows:\n{}", self.path().await, self.text().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks until the words are on the page.
    pub(crate) async fn sees(&self, words: &str) {
        let body = "return document.body.innerText.includes(arguments[0])";
        self.until(&format!("{words:?} is seen"), body, &[json!(words)]).await;
    }

    /// The text of the page as it is seen.
    pub(crate) async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", Vec::new()).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The first element of a selector, once it is there.
    pub(crate) async fn find(&self, selector: &str) -> Element {
        let found =
            self.client.wait().at_most(PATIENCE).every(LOOK).for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{selector}: {error}; {} shows:\n{}", self.path().await, self.text().await),
        }
    }

    /// How many elements there are of a selector now.
    pub(crate) async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.expect("an answer").len()
    }

    /// Clicks, and waits for the next page where that leads to one.
    pub(crate) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let pressed = keys.chars().fold(KeyActions::new("keyboard".into()), |pressed, key| {
            pressed.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key })
        });
        self.client.perform_actions(pressed).await.expect("keys");
    }

    /// What the focus is on: its HTML without what is in it.
    pub(crate) async fn focused(&self) -> String {
        let tag = self.ask("return document.activeElement.cloneNode(false).outerHTML", &[]).await;
        tag.as_str().unwrap_or_default().to_owned()
    }

    /// Signs in with a key and waits for the overview.
    pub(crate) async fn sign_in(&self, key: &str) {
        self.go("/sign-in").await;
        self.fill("#key", key).await;
        self.click("main form button[type=submit]").await;
        self.find("header nav").await;
    }

    /// Puts a mark on the page that does not survive a navigation.
    pub(crate) async fn mark(&self) {
        self.ask("window.restockMark = true", &[]).await;
    }

    /// Whether the page is still the one that was marked.
    pub(crate) async fn is_marked(&self) -> bool {
        self.ask("return window.restockMark === true", &[]).await == true
    }

    /// What the browser had to say since it was asked last: errors, violations of the policy, what scripts logged.
    pub(crate) async fn log(&self) -> Vec<String> {
        let entries =
            self.client.issue_cmd(Extension("se/log", json!({ "type": "browser" }))).await.expect("a log");
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| format!("{} {}", entry["level"], entry["message"])).collect()
    }

    /// A picture of what is seen, PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }

    /// The text of a dialog, where one is open.
    pub(crate) async fn dialog(&self) -> Option<String> {
        self.client.get_alert_text().await.ok()
    }

    /// Tells the browser something that WebDriver has no words for.
    async fn tell(&self, method: &'static str, params: Value) -> Value {
        let body = json!({ "cmd": method, "params": params });
        let told = self.client.issue_cmd(Extension("goog/cdp/execute", body)).await;
        told.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

/// A command of ChromeDriver beyond the standard: its path and body.
struct Extension(&'static str, Value);

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}

/// Chromium's own walls need a user that is not root.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}
