//! The style sheet, the script and the icon. Their addresses carry a digest of what they hold, so a browser keeps them for ever and a new
//! version is another address.

use http::StatusCode;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use restock_domain::hex;
use restock_edge::{Answer, Call, Error};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// How many characters of its digest tell a version from others.
const VERSION_CHARACTERS: usize = 16;
/// Under its versioned address an asset never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Under any other the browser asks each time.
const ASK_AGAIN: &str = "no-cache";

struct Asset {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
    version: LazyLock<String>,
}

macro_rules! asset {
    ($name:ident, $path:literal, $media_type:literal) => {
        static $name: Asset = Asset {
            path: $path,
            media_type: $media_type,
            text: include_str!(concat!("../../assets", $path)),
            version: LazyLock::new(|| version(include_str!(concat!("../../assets", $path)))),
        };
    };
}

asset!(STYLE, "/console.css", "text/css; charset=utf-8");
asset!(SCRIPT, "/console.js", "text/javascript; charset=utf-8");
asset!(ICON, "/icon.svg", "image/svg+xml");

fn version(text: &str) -> String {
    hex::encode(&Sha256::digest(text)).chars().take(VERSION_CHARACTERS).collect()
}

impl Asset {
    fn address(&self) -> String {
        format!("{}?v={}", self.path, *self.version)
    }

    fn answer(&self, call: &Call) -> Answer {
        let current = call.query().get("v") == Some(self.version.as_str());
        Answer::of(StatusCode::OK, self.media_type, self.text)
            .header(CACHE_CONTROL, if current { FOR_EVER } else { ASK_AGAIN })
            .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
    }
}

pub(super) fn style_address() -> String {
    STYLE.address()
}

pub(super) fn script_address() -> String {
    SCRIPT.address()
}

pub(super) fn icon_address() -> String {
    ICON.address()
}

/// `GET /console.css`
pub(super) async fn style(call: Call) -> Result<Answer, Error> {
    Ok(STYLE.answer(&call))
}

/// `GET /console.js`
pub(super) async fn script(call: Call) -> Result<Answer, Error> {
    Ok(SCRIPT.answer(&call))
}

/// `GET /icon.svg`
pub(super) async fn icon(call: Call) -> Result<Answer, Error> {
    Ok(ICON.answer(&call))
}
