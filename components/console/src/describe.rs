//! What runs here, for people and for programs.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use restock_api::openapi;
use restock_edge::{Answer, Call, Error};
use std::sync::OnceLock;

const HOME: &str = include_str!("home.html");
/// The page loads nothing, runs nothing, sends nothing and is shown in no frame.
const HOME_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`
pub(crate) async fn home(_call: Call) -> Result<Answer, Error> {
    Ok(Answer::of(StatusCode::OK, "text/html; charset=utf-8", HOME)
        .header(CONTENT_SECURITY_POLICY, HOME_POLICY)
        .header(REFERRER_POLICY, "no-referrer")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

/// `GET /openapi.json`
pub(crate) async fn description(_call: Call) -> Result<Answer, Error> {
    static DESCRIPTION: OnceLock<Bytes> = OnceLock::new();
    let description = match DESCRIPTION.get() {
        Some(known) => known,
        None => {
            let written = openapi::document().to_json().map_err(anyhow::Error::new)?;
            DESCRIPTION.get_or_init(|| Bytes::from(written))
        }
    };
    Ok(Answer::of(StatusCode::OK, "application/json", description.clone()))
}
