//! The marketing system.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use restock_sandbox::Marketing;
use restock_sandbox::marketing::Knobs;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{ANY_PORT, Answer, call, get};

/// Signs as the specification says.
fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

async fn deliver(
    marketing: &Marketing,
    id: &str,
    timestamp: i64,
    signature: &str,
    body: &str,
) -> Result<Answer> {
    let timestamp = timestamp.to_string();
    let headers =
        [("webhook-id", id), ("webhook-timestamp", timestamp.as_str()), ("webhook-signature", signature)];
    call(Method::POST, &marketing.hook_url(), &headers, body).await
}

async fn event(marketing: &Marketing, id: &str, body: &Value) -> Result<Answer> {
    let (now, body) = (Timestamp::now().as_second(), body.to_string());
    deliver(marketing, id, now, &signature(Marketing::SECRET, id, now, &body), &body).await
}

/// The example is that of the libraries which implement the specification.
#[test]
fn these_tests_sign_as_the_published_example_does() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn an_event_counts_once_however_often_it_is_delivered() -> Result<()> {
    let marketing = Marketing::start(ANY_PORT).await?;
    let vip = json!({"type": "customer.vip", "data": {"id": "c-1", "name": "김철수"}});
    for repeated in [false, true, true] {
        let answer = event(&marketing, "evt-1", &vip).await?;
        assert_eq!((answer.status, answer.json()["repeated"].clone()), (StatusCode::OK, json!(repeated)));
    }
    event(&marketing, "evt-2", &vip).await?;
    let (stats, events) = (marketing.stats(), marketing.events());
    assert_eq!((stats.accepted, stats.repeated, events.len()), (2, 2, 2));
    assert_eq!((events[0].deliveries, events[0].changed, &events[0].body), (3, false, &vip));
    event(&marketing, "evt-2", &json!({"type": "other"})).await?;
    assert!(marketing.events()[1].changed);
    let listed = get(&format!("{}/sandbox/events", marketing.url())).await?.json();
    assert_eq!(
        (listed[0]["id"].as_str(), listed[0]["body"]["data"]["name"].as_str()),
        (Some("evt-1"), Some("김철수"))
    );
    assert!(get(&marketing.url()).await?.text.contains("customer.vip"));
    Ok(())
}

#[tokio::test]
async fn an_event_that_is_not_signed_with_the_secret_is_not_taken() -> Result<()> {
    let marketing = Marketing::start(ANY_PORT).await?;
    let now = Timestamp::now().as_second();
    let good = signature(Marketing::SECRET, "evt-1", now, "{}");
    let other = signature("whsec_b3RoZXI=", "evt-1", now, "{}");
    for (id, timestamp, signature, body) in [
        ("evt-1", now, other.as_str(), "{}"),
        ("evt-2", now, &good, "{}"),
        ("evt-1", now + 1, &good, "{}"),
        ("evt-1", now, &good, "{ }"),
        ("evt-1", now, good.trim_start_matches("v1,"), "{}"),
        ("evt-1", now, "", "{}"),
        ("", now, &good, "{}"),
    ] {
        let answer = deliver(&marketing, id, timestamp, signature, body).await?;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{id} {timestamp} {signature} {body}");
    }
    assert_eq!((marketing.events().len(), marketing.stats().refused), (0, 7));
    let both = format!("{other} {good}");
    let answer = deliver(&marketing, "evt-1", now, &both, "{}").await?;
    assert_eq!(answer.status, StatusCode::OK, "one good signature is enough while secrets are changed");
    Ok(())
}

#[tokio::test]
async fn an_old_event_is_refused_unless_any_clock_will_do() -> Result<()> {
    let marketing = Marketing::start(ANY_PORT).await?;
    for timestamp in [0, Timestamp::now().as_second() + 3_600] {
        let signed = signature(Marketing::SECRET, "evt-1", timestamp, "{}");
        marketing.set_knobs(Knobs::default())?;
        assert_eq!(
            deliver(&marketing, "evt-1", timestamp, &signed, "{}").await?.status,
            StatusCode::UNAUTHORIZED
        );
        marketing.turn(|knobs| knobs.tolerance_seconds = None)?;
        assert_eq!(deliver(&marketing, "evt-1", timestamp, &signed, "{}").await?.status, StatusCode::OK);
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_has_taken_the_event_and_its_repetition_is_recognised() -> Result<()> {
    let marketing = Marketing::start(ANY_PORT).await?;
    marketing.turn(|knobs| (knobs.lose_answer, knobs.faults_max) = (true, Some(1)))?;
    assert!(event(&marketing, "evt-1", &json!({})).await.is_err());
    event(&marketing, "evt-1", &json!({})).await?;
    let stats = marketing.stats();
    assert_eq!((stats.accepted, stats.repeated, marketing.events()[0].deliveries), (1, 1, 2));
    let ids = marketing.requests().iter().map(|seen| seen.headers["webhook-id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids, ["evt-1", "evt-1"]);
    Ok(())
}
