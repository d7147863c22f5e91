//! One request: what a handler may know of it.

use crate::Error;
use crate::host;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;
use restock_api::page::PageRequest;
use restock_api::problem::FieldFault;
use restock_api::query::Query;
use restock_domain::keys::Caller;
use restock_domain::name;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use std::net::IpAddr;
use std::time::Duration;

/// The largest body of a request, bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How much of a body that is too large is still read, bytes. A client that is cut off while it writes never sees the
/// answer that tells it why.
const DISCARDED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The client's key for one intent.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One request.
pub struct Call {
    pub(crate) values: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: IncomingRequestBody,
    pub(crate) caller: Option<Caller>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) request_id: String,
    pub(crate) now_ms: u64,
}

impl Call {
    /// The first `{name}` of the route's path, decoded.
    #[must_use]
    pub fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// When the request arrived, ms since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Names the request in logs.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Who calls; none on routes that ask for no key.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Names the caller in records: the fingerprint of the key, never the key.
    #[must_use]
    pub fn operator(&self) -> String {
        self.caller.as_ref().map(|caller| caller.fingerprint.clone()).unwrap_or_default()
    }

    /// Where the request came from; none where the host does not know.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The query parameters.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Which page is asked for.
    ///
    /// # Errors
    /// 422 with the faults of `limit` and `cursor`.
    pub fn page(&self) -> Result<PageRequest, Error> {
        Ok(self.query.page()?)
    }

    /// The idempotency key; none where the client sent none.
    ///
    /// # Errors
    /// 422 for a key that is not 1 to 255 visible ASCII characters, or for two of them.
    pub fn idempotency_key(&self) -> Result<Option<String>, Error> {
        let mut keys = self.headers.get_all(IDEMPOTENCY_KEY).iter();
        let (first, second) = (keys.next(), keys.next());
        let Some(first) = first else { return Ok(None) };
        match first.to_str().ok().filter(|key| second.is_none() && name::is_idempotency_key(key)) {
            Some(key) => Ok(Some(key.to_owned())),
            None => Err(vec![FieldFault::new(
                "Idempotency-Key",
                "must be one key of 1 to 255 visible ASCII characters",
            )]
            .into()),
        }
    }

    /// The body of a request that must be JSON.
    ///
    /// # Errors
    /// 415 for another media type, 413 for more than [`BODY_BYTES_MAX`], 408 where it does not arrive.
    pub async fn json_body(&mut self) -> Result<Bytes, Error> {
        if !self.says_json() {
            return Err(Error::NotJson);
        }
        self.body().await
    }

    /// The body of a request that may have none; one that has must be JSON.
    ///
    /// # Errors
    /// As [`Call::json_body`].
    pub async fn optional_json_body(&mut self) -> Result<Bytes, Error> {
        let body = self.body().await?;
        if body.is_empty() || self.says_json() { Ok(body) } else { Err(Error::NotJson) }
    }

    /// The body whatever it says it is: for clients that were written before anyone looked.
    ///
    /// # Errors
    /// 413 for more than [`BODY_BYTES_MAX`], 408 where it does not arrive.
    pub async fn body(&mut self) -> Result<Bytes, Error> {
        let body = &mut self.body;
        let read = async {
            let mut bytes = BytesMut::new();
            let mut seen = 0_usize;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Error::Malformed("the body broke off".to_owned()))?;
                let Ok(data) = frame.into_data() else { continue };
                seen = seen.saturating_add(data.len());
                if seen <= BODY_BYTES_MAX {
                    bytes.extend_from_slice(&data);
                } else if seen > DISCARDED_BYTES_MAX {
                    break;
                }
            }
            if seen > BODY_BYTES_MAX { Err(Error::TooLarge(BODY_BYTES_MAX)) } else { Ok(bytes.freeze()) }
        };
        host::within(BODY_TIME_MAX, read).await.unwrap_or(Err(Error::Slow))
    }

    fn says_json(&self) -> bool {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    }
}
