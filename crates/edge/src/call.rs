//! One request: what a handler may know of it.

use crate::Error;
use crate::body::Unread;
use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method};
use restock_api::page::PageRequest;
use restock_api::problem::FieldFault;
use restock_api::query::{Query, percent_decode};
use restock_domain::keys::Caller;
use restock_domain::name;
use std::net::IpAddr;

pub use crate::body::BODY_BYTES_MAX;

/// The client's key for one intent.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One request.
pub struct Call {
    pub(crate) values: Vec<String>,
    pub(crate) query: Query,
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) authority: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Unread,
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

    /// What stands for the `{name}`s of the path of a route that the caller found by itself, undecoded.
    #[must_use]
    pub fn with_values(mut self, values: &[&str]) -> Self {
        self.values = values.iter().map(|value| percent_decode(value)).collect();
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The same with its query, as they came.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The first value of a header; none where it is absent or no visible ASCII.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
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

    /// The fields of a form.
    ///
    /// # Errors
    /// 415 for another media type, 413 for more than [`BODY_BYTES_MAX`], 408 where it does not arrive, 400 where it is no UTF-8.
    pub async fn form(&mut self) -> Result<Query, Error> {
        if self.media_type() != "application/x-www-form-urlencoded" {
            return Err(Error::NotForm);
        }
        let body = self.body().await?;
        let text =
            std::str::from_utf8(&body).map_err(|_| Error::Malformed("a form must be UTF-8".to_owned()))?;
        Ok(Query::parse(Some(text)))
    }

    /// The body whatever it says it is: for clients that were written before anyone looked.
    ///
    /// # Errors
    /// 413 for more than [`BODY_BYTES_MAX`], 408 where it does not arrive.
    pub async fn body(&mut self) -> Result<Bytes, Error> {
        self.body.read().await
    }

    fn media_type(&self) -> String {
        let value = self.header(CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn says_json(&self) -> bool {
        let essence = self.media_type();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    }
}
