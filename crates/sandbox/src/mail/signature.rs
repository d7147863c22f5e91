//! AWS Signature Version 4, from the verifying side.
//!
//! The order of the steps is that of Amazon's description: canonical request, text to sign, key, signature. The age of
//! a signature is not looked at, because tests move the sender's clock.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::desk::Received;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Whom a request has to be from, and what it has to be for.
pub(super) struct Account {
    pub(super) access_key_id: &'static str,
    pub(super) secret: &'static str,
    pub(super) service: &'static str,
}

/// Why a request is turned away.
pub(super) struct Wrong {
    /// Amazon's name for it.
    pub(super) kind: &'static str,
    pub(super) reason: String,
}

impl Wrong {
    fn new(kind: &'static str, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    fn incomplete(reason: impl Into<String>) -> Self {
        Self::new("IncompleteSignature", reason)
    }
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// Checks that whoever sent the request holds the secret.
pub(super) fn verify(request: &Received, account: &Account) -> Result<(), Wrong> {
    let Account { access_key_id, secret, service } = *account;
    let Some(header) = request.header("authorization") else {
        return Err(Wrong::new("MissingAuthenticationToken", "Missing Authentication Token"));
    };
    let given = parse(header, service)?;
    let time = request
        .header("x-amz-date")
        .filter(|time| is_time(time))
        .ok_or_else(|| Wrong::incomplete("x-amz-date is missing or not of the form 20261121T140000Z"))?;
    if time.get(..8) != Some(given.date) {
        return Err(Wrong::new("SignatureDoesNotMatch", "the credential is for another day than x-amz-date"));
    }
    for needed in ["host", "x-amz-date"] {
        if !given.signed_headers.contains(&needed) {
            return Err(Wrong::incomplete(format!("{needed} is not signed")));
        }
    }
    if given.access_key_id != access_key_id {
        let reason = "The security token included in the request is invalid";
        return Err(Wrong::new("InvalidClientTokenId", reason));
    }
    let canonical = canonical_request(request, &given.signed_headers)?;
    let scope = format!("{}/{}/{service}/aws4_request", given.date, given.region);
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hash(canonical.as_bytes()));
    let key = [given.date, given.region, service, "aws4_request"]
        .iter()
        .try_fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    let signature = key.and_then(|key| hmac(&key, to_sign.as_bytes())).map(|mac| hex(&mac));
    if signature.as_deref() == Some(given.signature) {
        return Ok(());
    }
    // Amazon says this much too: the canonical request is what a sender has to compare.
    let reason = format!(
        "The request signature we calculated does not match the signature you provided. The canonical request \
         should have been:\n{canonical}\nThe text to sign should have been:\n{to_sign}"
    );
    Err(Wrong::new("SignatureDoesNotMatch", reason))
}

fn parse<'a>(header: &'a str, service: &str) -> Result<Authorization<'a>, Wrong> {
    let fields = header
        .strip_prefix(ALGORITHM)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or_else(|| Wrong::incomplete(format!("the authorization is not {ALGORITHM}")))?
        .split(',')
        .filter_map(|field| field.trim().split_once('='))
        .collect::<BTreeMap<_, _>>();
    let field = |name| {
        fields.get(name).copied().ok_or_else(|| Wrong::incomplete(format!("the authorization has no {name}")))
    };
    let credential = field("Credential")?.split('/').collect::<Vec<_>>();
    let &[access_key_id, date, region, service_given, "aws4_request"] = credential.as_slice() else {
        return Err(Wrong::incomplete(
            "the credential is not of the form key/date/region/service/aws4_request",
        ));
    };
    if service_given != service {
        return Err(Wrong::new("SignatureDoesNotMatch", format!("the credential should be for {service}")));
    }
    let signed_headers = field("SignedHeaders")?.split(';').collect::<Vec<_>>();
    if !signed_headers.is_sorted() || signed_headers.iter().any(|name| *name != name.to_ascii_lowercase()) {
        return Err(Wrong::incomplete("SignedHeaders are not in lower case and in order"));
    }
    let signature = field("Signature")?;
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if signature.len() != 64 || !signature.chars().all(is_hex) {
        return Err(Wrong::incomplete("the signature is not 64 hexadecimal digits"));
    }
    Ok(Authorization { access_key_id, date, region, signed_headers, signature })
}

fn canonical_request(request: &Received, signed_headers: &[&str]) -> Result<String, Wrong> {
    let body = hash(&request.body);
    if request.header("x-amz-content-sha256").is_some_and(|said| said != body) {
        return Err(Wrong::new("SignatureDoesNotMatch", "x-amz-content-sha256 is not the hash of the body"));
    }
    let mut canonical = format!("{}\n{}\n", request.method, encoded(request.uri.path()));
    let mut query = request.uri.query().unwrap_or_default().split('&').collect::<Vec<_>>();
    query.sort_unstable();
    canonical.push_str(&query.join("&"));
    canonical.push('\n');
    for name in signed_headers {
        let values = request
            .headers
            .get_all(*name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect::<Vec<_>>();
        if values.is_empty() {
            return Err(Wrong::incomplete(format!("{name} is signed but not there")));
        }
        // Writing to a string does not fail.
        let _ = writeln!(canonical, "{name}:{}", values.join(","));
    }
    let _ = write!(canonical, "\n{}\n{body}", signed_headers.join(";"));
    Ok(canonical)
}

/// The path is encoded once more, as every service but S3 wants it.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// `20261121T140000Z`
fn is_time(text: &str) -> bool {
    text.len() == 16
        && text.char_indices().all(|(place, c)| match place {
            8 => c == 'T',
            15 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Nothing only where a key could not be used, and any can.
fn hmac(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use jiff::Timestamp;

    use super::*;

    /// The account of Amazon's published examples.
    const EXAMPLE: Account = Account {
        access_key_id: "AKIDEXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        service: "service",
    };

    fn example(line: &str, body: &'static str, more: &[(&str, &str)], signature: &str) -> Received {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        let always = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        for (name, value) in always.iter().chain(more) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let mut signed = headers.keys().map(HeaderName::as_str).collect::<Vec<_>>();
        signed.sort_unstable();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, \
             Signature={signature}",
            signed.join(";")
        );
        headers.insert("authorization", HeaderValue::from_str(&authorization).unwrap());
        Received {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            method: method.parse().unwrap(),
            uri: uri.parse().unwrap(),
            headers,
            body: body.into(),
        }
    }

    fn kind(request: &Received) -> Option<&'static str> {
        verify(request, &EXAMPLE).err().map(|wrong| wrong.kind)
    }

    #[test]
    fn the_published_examples_are_signed_as_they_say() {
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(kind(&example("GET /", "", &[], vanilla)), None);
        let query = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        assert_eq!(kind(&example("GET /?Param2=value2&Param1=value1", "", &[], query)), None);
        let form = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        let kind_of_form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(kind(&example("POST /", "Param1=value1", &kind_of_form, form)), None);
    }

    #[test]
    fn a_change_of_anything_that_was_signed_is_noticed() {
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let no_match = Some("SignatureDoesNotMatch");
        assert_eq!(kind(&example("POST /", "", &[], vanilla)), no_match);
        assert_eq!(kind(&example("GET /a", "", &[], vanilla)), no_match);
        assert_eq!(kind(&example("GET /?a=b", "", &[], vanilla)), no_match);
        assert_eq!(kind(&example("GET /", "x", &[], vanilla)), no_match);
        assert_eq!(kind(&example("GET /", "", &[("x-amz-meta", "1")], vanilla)), no_match);
        assert_eq!(kind(&example("GET /", "", &[], &vanilla.replace('5', "6"))), no_match);
        let mut other_day = example("GET /", "", &[], vanilla);
        other_day.headers.insert("x-amz-date", HeaderValue::from_static("20150831T123600Z"));
        assert_eq!(kind(&other_day), no_match);
    }

    #[test]
    fn a_request_that_is_not_signed_or_half_signed_is_told_so() {
        let mut request = example("GET /", "", &[], "0");
        assert_eq!(kind(&request), Some("IncompleteSignature"));
        request.headers.insert("authorization", HeaderValue::from_static("Bearer x"));
        assert_eq!(kind(&request), Some("IncompleteSignature"));
        request.headers.remove("authorization");
        assert_eq!(kind(&request), Some("MissingAuthenticationToken"));
    }
}
