//! The variables about returns and the logistics partner that they come back through.

use super::{RATE_PER_SECOND_MAX, Reader, Secret};
use restock_bindings::returns::ToStock;
use restock_domain::{settings, window};
use std::time::Duration;

/// The longest time between two collections that can be configured, seconds (one day).
const RETURNS_EVERY_SECONDS_MAX: u32 = 24 * 60 * 60;
/// The longest first wait between two looks at a parcel that can be configured, seconds (one day).
const TRACKING_INTERVAL_SECONDS_MAX: u32 = 24 * 60 * 60;

/// What to do with goods that are back, by its word; the first where none is set.
const TO_STOCK: [(&str, ToStock); 3] = [("ask", ToStock::Ask), ("on", ToStock::On), ("off", ToStock::Off)];

/// Where the logistics partner is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logistics {
    /// Its base address, without a slash at its end.
    pub url: String,
    /// The token of its callers; none where it asks for none.
    pub token: Option<Secret>,
}

impl Reader {
    /// The logistics partner; none where there is none, with `logistics_url` not set. No returns are collected then.
    pub async fn logistics(&mut self) -> Option<Logistics> {
        let url = self.address("logistics_url", "logistics_origin", settings::http_url).await;
        let token = self.text("logistics_token").await;
        // A token without an address is wrong all the same when it is.
        let token = self.checked("logistics_token", token_of(token), None);
        Some(Logistics { url: url?, token })
    }

    /// Calls to the logistics partner a second.
    pub async fn logistics_rate_per_second(&mut self) -> u32 {
        let default = settings::LOGISTICS_RATE_PER_SECOND_DEFAULT;
        self.count("logistics_rate_per_second", default, 1..=RATE_PER_SECOND_MAX).await
    }

    /// Calls to the logistics partner at a time.
    pub async fn logistics_concurrency(&mut self) -> u32 {
        let default = settings::LOGISTICS_CONCURRENCY_DEFAULT;
        self.count("logistics_concurrency", default, 1..=window::WINDOW_MAX).await
    }

    /// How often returns are collected; none where never.
    pub async fn returns_every(&mut self) -> Option<Duration> {
        let default = settings::RETURNS_EVERY_SECONDS_DEFAULT;
        let seconds = self.count("returns_every_seconds", default, 0..=RETURNS_EVERY_SECONDS_MAX).await;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// The first wait between two looks at a parcel.
    pub async fn tracking_interval(&mut self) -> Duration {
        let default = settings::TRACKING_INTERVAL_SECONDS_DEFAULT;
        let range = 1..=TRACKING_INTERVAL_SECONDS_MAX;
        Duration::from_secs(self.count("tracking_interval_seconds", default, range).await.into())
    }

    /// What to do with goods that are back.
    pub async fn return_to_stock(&mut self) -> ToStock {
        let text = self.text("return_to_stock").await;
        self.checked("return_to_stock", settings::word(&text, &TO_STOCK), ToStock::Ask)
    }
}

/// A token as a header can hold it.
fn token_of(text: String) -> Result<Option<Secret>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // Without repeating it: it is a secret.
    text.bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then_some(Some(Secret(text)))
        .ok_or_else(|| "must be visible ASCII characters without spaces".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_header_can_hold() {
        assert_eq!(token_of(String::new()), Ok(None));
        assert_eq!(token_of("a.b-c_d~e+/==".to_owned()), Ok(Some(Secret("a.b-c_d~e+/==".to_owned()))));
        for wrong in ["hunter2 hunter2", "hunter2\nx", "hunter2\u{7f}", "hunter2가"] {
            let fault = token_of(wrong.to_owned()).expect_err(wrong);
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn an_operator_is_asked_where_nothing_is_set() {
        let read = |text| settings::word(text, &TO_STOCK);
        assert!(matches!(read(""), Ok(ToStock::Ask)));
        assert!(matches!(read("on"), Ok(ToStock::On)));
        assert!(matches!(read("off"), Ok(ToStock::Off)));
        assert_eq!(read("yes").map(|_| ()), Err("must be one of `ask`, `on`, `off`".to_owned()));
    }
}
