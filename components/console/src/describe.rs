//! What runs here, for programs.

use bytes::Bytes;
use http::StatusCode;
use restock_api::openapi;
use restock_edge::{Answer, Call, Error};
use std::sync::OnceLock;

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
