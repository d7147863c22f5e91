//! Webhooks: the library of the Standard Webhooks project, as a receiver and as a sender.

use crate::node::Node;
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use restock_webhook::{ID, SIGNATURE, Signer, TIMESTAMP, TOLERANCE_S};
use serde_json::{Map, Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLDER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const WEBHOOK_ID: &str = "evt_0192f0c1-0000-7000-8000-000000000000";
const BODY: &str = r#"{"type":"customer.promoted","data":{"customer_id":"c-1","name":"부산도너츠 단골"}}"#;

fn signer(secrets: &str) -> Result<Signer> {
    Signer::parse(secrets).map_err(anyhow::Error::msg)
}

fn signed(secrets: &str, time_s: u64) -> Result<Request<Bytes>> {
    let url = "http://127.0.0.1/hooks/vip";
    Ok(signer(secrets)?.request(url, WEBHOOK_ID, time_s, Bytes::from_static(BODY.as_bytes()))?)
}

/// Whether the library verifies a request, with its body as it is or with another one.
fn verified(node: &Node, secret: &str, request: &Request<Bytes>, body: &str) -> Result<bool> {
    let mut headers = Map::new();
    for name in [ID, TIMESTAMP, SIGNATURE] {
        let value = request.headers().get(&name).context("a header is missing")?.to_str()?;
        headers.insert(name.to_string(), value.into());
    }
    let answer = node.task("verify", &json!({ "secret": secret, "headers": headers, "body": body }))?;
    answer.get("verified").and_then(Value::as_bool).with_context(|| format!("no answer: {answer}"))
}

pub(crate) fn is_verified(node: &Node, now_ms: u64) -> Result<()> {
    let request = signed(SECRET, now_ms / 1_000)?;
    ensure!(verified(node, SECRET, &request, BODY)?, "refused");
    ensure!(!verified(node, OLDER, &request, BODY)?, "taken with a secret that did not sign it");
    Ok(())
}

pub(crate) fn is_verified_with_either_secret(node: &Node, now_ms: u64) -> Result<()> {
    let request = signed(&format!("{SECRET} {OLDER}"), now_ms / 1_000)?;
    for secret in [SECRET, OLDER] {
        ensure!(verified(node, secret, &request, BODY)?, "refused with one of the secrets");
    }
    Ok(())
}

pub(crate) fn is_not_verified_when_changed(node: &Node, now_ms: u64) -> Result<()> {
    let request = signed(SECRET, now_ms / 1_000)?;
    ensure!(!verified(node, SECRET, &request, &BODY.replace("c-1", "c-2"))?, "taken with another body");
    let old = signed(SECRET, now_ms / 1_000 - 2 * TOLERANCE_S)?;
    ensure!(!verified(node, SECRET, &old, BODY)?, "taken though it is old");
    Ok(())
}

pub(crate) fn theirs_is_verified(node: &Node, now_ms: u64) -> Result<()> {
    let time_s = now_ms / 1_000;
    let input = json!({ "secret": SECRET, "id": WEBHOOK_ID, "timestamp": time_s, "body": BODY });
    let answer = node.task("sign", &input)?;
    let signature = answer.get("signature").and_then(Value::as_str).context("no signature")?;
    let headers = HeaderMap::from_iter([
        (ID, HeaderValue::from_static(WEBHOOK_ID)),
        (TIMESTAMP, HeaderValue::from(time_s)),
        (SIGNATURE, HeaderValue::from_str(signature)?),
    ]);
    signer(SECRET)?.verify(&headers, BODY.as_bytes(), time_s)?;
    Ok(())
}
