//! What the partner is asked.

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::request::Builder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::fmt;

/// The status of a parcel that is back at the partner, and the result that is reported of it.
pub(crate) const DELIVERED: &str = "delivered";

const AGENT: &str = concat!("restock/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The partner may know repetitions by it; proxies do.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What stands for itself in a query: RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the partner is reached, and what it knows us by.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Its base address, with or without a slash at its end.
    pub base: &'a str,
    /// The token that every call carries, a secret; none where the partner asks for none.
    pub token: Option<&'a str>,
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A return that is reported.
#[derive(Clone, Copy, Debug)]
pub struct Return<'a> {
    /// Our own id of it, the same at every try: UUID.
    pub id: &'a str,
    /// The order that it is from.
    pub order_number: &'a str,
    /// The item of that order.
    pub order_item_number: &'a str,
}

/// Why there is no request. It repeats neither the address nor the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The address cannot be read.
    Address,
    /// The token, or the id, cannot stand in a header.
    Header,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Address => "the address of the logistics partner cannot be read",
            Self::Header => "the token of the logistics partner holds what no header can",
        })
    }
}

impl std::error::Error for Fault {}

/// The requests carry no `Content-Length`: whoever sends them adds that.
impl Account<'_> {
    /// Asks for the list of returns.
    ///
    /// # Errors
    /// What cannot be sent; trying again does not help.
    pub fn returns(&self) -> Result<Request<Bytes>, Fault> {
        finish(self.begin(Request::get(self.url("returns")))?, Bytes::new())
    }

    /// Asks where a shipment is.
    ///
    /// # Errors
    /// What cannot be sent; trying again does not help.
    pub fn tracking(&self, shipment_number: &str) -> Result<Request<Bytes>, Fault> {
        let number = utf8_percent_encode(shipment_number, ENCODED);
        let url = self.url(&format!("tracking?shipment_number={number}"));
        finish(self.begin(Request::get(url))?, Bytes::new())
    }

    /// Reports that a return was picked up and is back.
    ///
    /// # Errors
    /// What cannot be sent; trying again does not help.
    pub fn report(&self, reported: &Return<'_>) -> Result<Request<Bytes>, Fault> {
        let body = json!({
            "order_number": reported.order_number,
            "order_item_number": reported.order_item_number,
            "result_object": DELIVERED,
        });
        let id = HeaderValue::from_str(reported.id).map_err(|_| Fault::Header)?;
        let request = self
            .begin(Request::post(self.url("results")))?
            .header(CONTENT_TYPE, JSON)
            .header(IDEMPOTENCY_KEY, id);
        finish(request, Bytes::from(body.to_string()))
    }

    fn url(&self, path_and_query: &str) -> String {
        format!("{}/{path_and_query}", self.base.trim_end_matches('/'))
    }

    fn begin(&self, request: Builder) -> Result<Builder, Fault> {
        let request = request.header(ACCEPT, JSON).header(USER_AGENT, AGENT);
        let Some(token) = self.token else { return Ok(request) };
        let mut token = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Fault::Header)?;
        token.set_sensitive(true);
        Ok(request.header(AUTHORIZATION, token))
    }
}

fn finish(request: Builder, body: Bytes) -> Result<Request<Bytes>, Fault> {
    let request = request.body(body).map_err(|_| Fault::Address)?;
    if request.uri().scheme().is_some() { Ok(request) } else { Err(Fault::Address) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const ACCOUNT: Account<'static> =
        Account { base: "https://logistics.example/api/external/data", token: Some("t0ken") };

    fn seen(request: &Request<Bytes>) -> (String, String) {
        (request.method().to_string(), request.uri().to_string())
    }

    #[test]
    fn the_list_is_asked_for_below_the_base_address() {
        let request = ACCOUNT.returns().expect("a request");
        let url = "https://logistics.example/api/external/data/returns".to_owned();
        assert_eq!(seen(&request), ("GET".to_owned(), url.clone()));
        let slash = Account { base: "https://logistics.example/api/external/data/", ..ACCOUNT };
        assert_eq!(seen(&slash.returns().expect("a request")).1, url);
        assert!(request.body().is_empty());
    }

    #[test]
    fn every_request_carries_the_token_and_wants_json() {
        let reported = Return { id: "i", order_number: "1", order_item_number: "2" };
        for request in [ACCOUNT.returns(), ACCOUNT.tracking("SHP_1"), ACCOUNT.report(&reported)] {
            let request = request.expect("a request");
            assert_eq!(request.headers()["authorization"], "Bearer t0ken");
            assert_eq!(request.headers()["accept"], "application/json");
            assert!(!format!("{request:?}").contains("t0ken"));
        }
    }

    #[test]
    fn a_partner_that_asks_for_no_token_is_sent_none() {
        let request = Account { token: None, ..ACCOUNT }.returns().expect("a request");
        assert_eq!(request.headers().get("authorization"), None);
    }

    #[test]
    fn a_shipment_number_is_one_value_of_the_query() {
        let url = |number| seen(&ACCOUNT.tracking(number).expect("a request")).1;
        assert!(url("SHP_00000579").ends_with("/data/tracking?shipment_number=SHP_00000579"));
        assert!(url("a&b=c #?/%+가").ends_with("?shipment_number=a%26b%3Dc%20%23%3F%2F%25%2B%EA%B0%80"));
    }

    #[test]
    fn a_report_names_the_return_its_result_and_itself() {
        let reported = Return { id: "0199-7", order_number: "1\"2", order_item_number: "3" };
        let request = ACCOUNT.report(&reported).expect("a request");
        let url = "https://logistics.example/api/external/data/results".to_owned();
        assert_eq!(seen(&request), ("POST".to_owned(), url));
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["idempotency-key"], "0199-7");
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let expected =
            json!({ "order_number": "1\"2", "order_item_number": "3", "result_object": "delivered" });
        assert_eq!(body, expected);
    }

    #[test]
    fn what_cannot_be_sent_is_named_and_not_repeated() {
        for base in ["", "logistics.example", "/api", "https://", "https://a b"] {
            let fault = Account { base, ..ACCOUNT }.returns().expect_err(base);
            assert_eq!(fault, Fault::Address, "{base}");
        }
        let fault = Account { token: Some("hunter2\r\nx: y"), ..ACCOUNT }.returns().expect_err("a fault");
        assert!(!fault.to_string().contains("hunter2"));
        assert!(!format!("{ACCOUNT:?}").contains("t0ken"));
    }

    proptest! {
        #[test]
        fn any_shipment_number_arrives_as_it_is(number: String) {
            let request = ACCOUNT.tracking(&number).expect("a request");
            let query = request.uri().query().expect("a query");
            let value = query.strip_prefix("shipment_number=").expect("one value");
            prop_assert!(!value.contains(['&', '=', '+', '#']));
            let read = percent_encoding::percent_decode_str(value).decode_utf8().expect("UTF-8");
            prop_assert_eq!(read.as_ref(), number.as_str());
        }
    }
}
