//! AWS Signature Version 4, as far as our calls need it: in the headers, over a whole body, with long-term keys.

use crate::Fault;
use crate::provider::{Secret, authorization};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use restock_domain::hex;
use sha2::{Digest, Sha256};
use std::fmt;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The longest name of a region or of a service, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Who signs. It has no way to print itself.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
}

impl Credentials {
    /// An access key.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str) -> Self {
        Self { access_key_id: access_key_id.to_owned(), secret_access_key: Secret::new(secret_access_key) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

/// Signs a request for a service of a region, at a moment (ms since 1970): sets `x-amz-date` and `Authorization`.
///
/// The signature covers the method, the path, the query, the body, the host, and those of `content-type` and `x-amz-…` that the
/// request has. The path and the query must already be encoded as AWS wants it; SES's own are plain letters.
///
/// # Errors
/// What cannot be signed.
pub fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now_ms: u64,
) -> Result<(), Fault> {
    if !is_name(region) || !is_name(service) {
        return Err(Fault::Region);
    }
    let key_id = &credentials.access_key_id;
    if key_id.is_empty() || !key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Fault::Key);
    }
    let time = time(now_ms)?;
    let day = time.get(..8).ok_or(Fault::Unwritable)?;
    let date = HeaderValue::from_str(&time).map_err(|_| Fault::Unwritable)?;
    request.headers_mut().insert(DATE, date);
    let (canonical, signed) = canonical(request)?;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", digest(canonical.as_bytes()));
    let first = format!("AWS4{}", credentials.secret_access_key.expose());
    let mut key = mac(first.as_bytes(), day)?;
    for part in [region, service, "aws4_request"] {
        key = mac(&key, part)?;
    }
    let signature = hex::encode(&mac(&key, &to_sign)?);
    let value = authorization(&format!(
        "{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    ))?;
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The request as both sides write it down to sign it, and the names of the headers in it.
fn canonical(request: &Request<Bytes>) -> Result<(String, String), Fault> {
    let uri = request.uri();
    let host = uri.authority().ok_or(Fault::Origin)?.as_str();
    let mut headers = signed_headers(request.headers());
    headers.push((HOST.as_str(), host.to_owned()));
    headers.sort();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method(),
        uri.path(),
        query(uri.query().unwrap_or_default()),
        digest(request.body()),
    );
    Ok((canonical, names))
}

fn signed_headers(headers: &HeaderMap) -> Vec<(&str, String)> {
    headers
        .iter()
        .filter(|(name, _)| *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
        .filter_map(|(name, value)| {
            let words = value.to_str().ok()?.split_ascii_whitespace().collect::<Vec<_>>();
            Some((name.as_str(), words.join(" ")))
        })
        .collect()
}

/// A query in the order of its names, each with an equals sign.
fn query(text: &str) -> String {
    let mut pairs: Vec<_> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A moment as `20150830T123600Z`.
fn time(now_ms: u64) -> Result<String, Fault> {
    let ms = i64::try_from(now_ms).map_err(|_| Fault::Unwritable)?;
    let moment = jiff::Timestamp::from_millisecond(ms).map_err(|_| Fault::Unwritable)?;
    Ok(moment.strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Fault::Key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the moment of AWS's test suite.
    const SUITE_MS: u64 = 1_440_938_160_000;

    /// Signs a request as AWS's published test suite does, and answers the signed headers and the signature.
    fn suite(request: http::request::Builder, body: &'static str) -> (String, String) {
        let mut request = request.body(Bytes::from_static(body.as_bytes())).expect("a request");
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        sign(&mut request, &credentials, "us-east-1", "service", SUITE_MS).expect("a signature");
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        let value = request.headers()[AUTHORIZATION].to_str().expect("text").to_owned();
        let credential = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
        let rest = value.strip_prefix(credential).expect("the suite's credential");
        let (signed, signature) = rest.split_once(", Signature=").expect("a signature");
        (signed.replace("SignedHeaders=", ""), signature.to_owned())
    }

    #[test]
    fn get_vanilla_is_signed_as_published() {
        let (signed, signature) = suite(Request::get("https://example.amazonaws.com/"), "");
        assert_eq!(signed, "host;x-amz-date");
        assert_eq!(signature, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    }

    #[test]
    fn get_vanilla_query_order_key_case_is_signed_as_published() {
        let address = "https://example.amazonaws.com/?Param2=value2&Param1=value1";
        let (_, signature) = suite(Request::get(address), "");
        assert_eq!(signature, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    }

    #[test]
    fn post_x_www_form_urlencoded_is_signed_as_published() {
        let request = Request::post("https://example.amazonaws.com/")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (signed, signature) = suite(request, "Param1=value1");
        assert_eq!(signed, "content-type;host;x-amz-date");
        assert_eq!(signature, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    }

    #[test]
    fn get_utf8_is_signed_as_published() {
        let (_, signature) = suite(Request::get("https://example.amazonaws.com/%E1%88%B4"), "");
        assert_eq!(signature, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
    }

    #[test]
    fn names_that_would_change_the_scope_are_refused() {
        let sign = |key_id, region| {
            let mut request = Request::get("https://example.amazonaws.com/").body(Bytes::new()).expect("x");
            sign(&mut request, &Credentials::new(key_id, "secret"), region, "ses", SUITE_MS)
        };
        assert_eq!(sign("AKIDEXAMPLE", "us-east-1"), Ok(()));
        for region in ["", "us east", "us-east-1/ses", "US-EAST-1", "x\r\n"] {
            assert_eq!(sign("AKIDEXAMPLE", region), Err(Fault::Region), "{region:?}");
        }
        for key_id in ["", "a/b", "a b", "a,b", "a\r\n"] {
            assert_eq!(sign(key_id, "us-east-1"), Err(Fault::Key), "{key_id:?}");
        }
    }
}
