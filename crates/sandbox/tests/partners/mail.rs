//! Mail: SES, Resend and Mailpit.

use std::fmt::Write as _;

use anyhow::Result;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use restock_sandbox::Mail;
use restock_sandbox::mail::{Busy, Garbage, Knobs, Provider};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ANY_PORT, Answer, call, get, post};

const SUBJECT: &str = "부산도너츠 광고를 잠시 멈춰 주세요";

fn mailpit_body(to: &str) -> Value {
    json!({
        "From": {"Email": "shop@restock.example", "Name": "재고"},
        "To": [{"Email": to, "Name": "광고 담당"}],
        "Subject": SUBJECT,
        "Text": "CP-502101 <부산도너츠>",
        "HTML": "<p>CP-502101</p>",
    })
}

fn resend_body(to: &str) -> Value {
    json!({
        "from": "재고 <shop@restock.example>",
        "to": [to],
        "subject": SUBJECT,
        "text": "CP-502101",
        "html": "<p>CP-502101</p>",
    })
}

fn ses_body(to: &str) -> Value {
    let text = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
    json!({
        "FromEmailAddress": "shop@restock.example",
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {
            "Subject": text(SUBJECT),
            "Body": {"Text": text("CP-502101"), "Html": text("<p>CP-502101</p>")},
        }},
    })
}

async fn mailpit(mail: &Mail, body: &Value) -> Result<Answer> {
    post(&format!("{}/api/v1/send", mail.url()), &[("content-type", "application/json")], body).await
}

async fn resend(mail: &Mail, key: Option<&str>, body: &Value) -> Result<Answer> {
    let mut headers = vec![("authorization", "Bearer re_sandbox"), ("user-agent", "restock-tests")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    post(&format!("{}/emails", mail.url()), &headers, body).await
}

async fn ses(mail: &Mail, secret: &str, body: &Value) -> Result<Answer> {
    let host = mail.addr().to_string();
    let authorization = authorization(&host, secret, &body.to_string());
    let headers = [("x-amz-date", "20261121T140000Z"), ("authorization", authorization.as_str())];
    post(&format!("{}/v2/email/outbound-emails", mail.url()), &headers, body).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Signs the one request of these tests, step by step as Amazon describes it.
fn authorization(host: &str, secret: &str, body: &str) -> String {
    let canonical = format!(
        "POST\n/v2/email/outbound-emails\n\nhost:{host}\nx-amz-date:20261121T140000Z\n\nhost;x-amz-date\n{}",
        hex(&Sha256::digest(body))
    );
    let scope = "20261121/us-east-1/ses/aws4_request";
    let to_sign = format!("AWS4-HMAC-SHA256\n20261121T140000Z\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let signature =
        scope.split('/').chain([to_sign.as_str()]).fold(format!("AWS4{secret}").into_bytes(), |key, text| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        });
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
        Mail::ACCESS_KEY_ID,
        hex(&signature)
    )
}

#[tokio::test]
async fn three_providers_fill_one_inbox_and_korean_arrives_intact() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let answers = [
        (mailpit(&mail, &mailpit_body("a@ad.example")).await?, "ID"),
        (resend(&mail, Some("letter-1"), &resend_body("b@ad.example")).await?, "id"),
        (ses(&mail, Mail::SECRET_ACCESS_KEY, &ses_body("c@ad.example")).await?, "MessageId"),
    ];
    let mails = mail.mails();
    assert_eq!(mails.len(), 3);
    for ((answer, field), seen) in answers.iter().zip(&mails) {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()[field], json!(seen.id));
        assert_eq!((seen.subject.as_str(), seen.html.as_str()), (SUBJECT, "<p>CP-502101</p>"));
    }
    assert_eq!(
        mails.iter().map(|mail| (mail.provider, mail.to[0].as_str())).collect::<Vec<_>>(),
        [
            (Provider::Mailpit, "a@ad.example"),
            (Provider::Resend, "b@ad.example"),
            (Provider::Ses, "c@ad.example")
        ]
    );
    assert_eq!(mails[1].from, "재고 <shop@restock.example>");
    assert_eq!(mails[1].idempotency_key.as_deref(), Some("letter-1"));
    let listed = get(&format!("{}/sandbox/mails", mail.url())).await?.json();
    assert_eq!((listed[0]["subject"].as_str(), listed[2]["provider"].as_str()), (Some(SUBJECT), Some("ses")));
    Ok(())
}

#[tokio::test]
async fn the_inbox_shows_the_newest_mail_first_and_escapes_it() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    mailpit(&mail, &mailpit_body("first@ad.example")).await?;
    mailpit(&mail, &mailpit_body("second@ad.example")).await?;
    let page = get(&mail.url()).await?;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.find("second@ad.example").unwrap() < page.text.find("first@ad.example").unwrap());
    assert!(page.text.contains("CP-502101 &lt;부산도너츠&gt;") && page.text.contains(SUBJECT));
    assert!(page.text.contains("http-equiv=\"refresh\"") && page.text.contains("name=\"viewport\""));
    Ok(())
}

#[tokio::test]
async fn ses_takes_nothing_that_is_not_signed_with_its_secret() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let wrong = ses(&mail, "another secret", &ses_body("a@ad.example")).await?;
    assert_eq!(
        (wrong.status, wrong.header("x-amzn-errortype")),
        (StatusCode::FORBIDDEN, "SignatureDoesNotMatch")
    );
    assert!(wrong.json()["message"].is_string());
    let url = format!("{}/v2/email/outbound-emails", mail.url());
    let unsigned = post(&url, &[], &ses_body("a@ad.example")).await?;
    assert_eq!(unsigned.header("x-amzn-errortype"), "MissingAuthenticationToken");
    assert_eq!((mail.mails().len(), mail.stats().refused), (0, 2));
    Ok(())
}

#[tokio::test]
async fn ses_takes_addresses_in_ascii_only_and_texts_without_a_character_set_for_ascii() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let mut body = ses_body("a@ad.example");
    body["FromEmailAddress"] = "재고 <shop@restock.example>".into();
    let answer = ses(&mail, Mail::SECRET_ACCESS_KEY, &body).await?;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (StatusCode::BAD_REQUEST, "BadRequestException")
    );
    let mut body = ses_body("a@ad.example");
    body["Content"]["Simple"]["Subject"] = json!({"Data": "부산 ok"});
    ses(&mail, Mail::SECRET_ACCESS_KEY, &body).await?;
    assert_eq!(mail.mails()[0].subject, "?? ok");
    Ok(())
}

#[tokio::test]
async fn resend_sends_once_for_a_key_and_refuses_the_key_with_another_body() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let first = resend(&mail, Some("letter-1"), &resend_body("a@ad.example")).await?;
    let again = resend(&mail, Some("letter-1"), &resend_body("a@ad.example")).await?;
    assert_eq!((again.status, again.json()), (StatusCode::OK, first.json()));
    let other = resend(&mail, Some("letter-1"), &resend_body("b@ad.example")).await?;
    assert_eq!(
        (other.status, other.json()["name"].clone()),
        (StatusCode::CONFLICT, json!("invalid_idempotent_request"))
    );
    assert_eq!(other.json()["statusCode"], 409);
    let stats = mail.stats();
    assert_eq!((stats.accepted, stats.repeated, stats.refused, mail.mails().len()), (1, 1, 1, 1));

    mail.turn(|knobs| knobs.idempotency_seconds = 0)?;
    let later = resend(&mail, Some("letter-1"), &resend_body("a@ad.example")).await?;
    assert_ne!(later.json(), first.json(), "a key is forgotten in the end");
    resend(&mail, None, &resend_body("a@ad.example")).await?;
    resend(&mail, None, &resend_body("a@ad.example")).await?;
    assert_eq!(mail.mails().len(), 4, "nothing is recognised without a key");
    Ok(())
}

#[tokio::test]
async fn resend_names_what_is_wrong_as_the_real_one_does() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let url = format!("{}/emails", mail.url());
    let body = resend_body("a@ad.example");
    let no_key = post(&url, &[("user-agent", "t")], &body).await?;
    assert_eq!((no_key.status.as_u16(), no_key.json()["name"].clone()), (401, json!("missing_api_key")));
    let nobody = post(&url, &[("authorization", "Bearer re_x")], &body).await?;
    assert_eq!(nobody.status.as_u16(), 403, "{}", nobody.text);
    let long = "k".repeat(257);
    let answer = resend(&mail, Some(&long), &body).await?;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["name"].clone()),
        (400, json!("invalid_idempotency_key"))
    );
    for (field, value, name) in [
        ("to", Value::Null, "missing_required_field"),
        ("to", json!([]), "missing_required_field"),
        ("to", json!("no address"), "validation_error"),
        ("from", json!("a@b\nBcc: c@d.example"), "validation_error"),
        ("subject", json!("two\nlines"), "validation_error"),
        ("subject", json!(7), "validation_error"),
    ] {
        let mut body = body.clone();
        body[field] = value;
        let answer = resend(&mail, None, &body).await?;
        assert_eq!((answer.status.as_u16(), answer.json()["name"].clone()), (422, json!(name)), "{body}");
    }
    assert_eq!(mail.mails().len(), 0);
    Ok(())
}

#[tokio::test]
async fn mailpit_says_what_is_wrong_in_its_own_form() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let mut without_to = mailpit_body("a@ad.example");
    without_to["To"] = json!([]);
    for body in [without_to, mailpit_body("no address"), json!({"Subject": "x"}), json!([])] {
        let answer = mailpit(&mail, &body).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["Error"].is_string(), "{}", answer.text);
    }
    assert_eq!(mail.stats().refused, 4);
    Ok(())
}

#[tokio::test]
async fn an_address_is_refused_for_good_in_each_providers_words_and_the_others_are_not() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    mail.turn(|knobs| knobs.refuse_addresses = vec!["Gone@ad.example".to_owned()])?;
    let answer = mailpit(&mail, &mailpit_body("gone@ad.example")).await?;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["Error"].as_str().unwrap().contains("gone@ad.example"));
    let answer = resend(&mail, Some("k"), &resend_body("gone@ad.example")).await?;
    assert_eq!((answer.status.as_u16(), answer.json()["name"].clone()), (422, json!("validation_error")));
    let answer = ses(&mail, Mail::SECRET_ACCESS_KEY, &ses_body("gone@ad.example")).await?;
    assert_eq!((answer.status.as_u16(), answer.header("x-amzn-errortype")), (400, "MessageRejected"));
    assert_eq!(mailpit(&mail, &mailpit_body("here@ad.example")).await?.status, StatusCode::OK);
    assert_eq!((mail.stats().refused, mail.stats().accepted, mail.stats().faults), (3, 1, 0));

    mail.set_knobs(Knobs::default())?;
    let answer = resend(&mail, Some("k"), &resend_body("gone@ad.example")).await?;
    assert_eq!(answer.status, StatusCode::OK, "a refusal does not use up the key");
    Ok(())
}

#[tokio::test]
async fn faults_speak_the_providers_form_and_take_no_mail() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let body = mailpit_body("a@ad.example");
    mail.turn(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(7) }))?;
    let answer = resend(&mail, None, &resend_body("a@ad.example")).await?;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "7"));
    assert_eq!(answer.json()["name"], "rate_limit_exceeded");
    let answer = ses(&mail, Mail::SECRET_ACCESS_KEY, &ses_body("a@ad.example")).await?;
    assert_eq!(answer.header("x-amzn-errortype"), "TooManyRequestsException");
    mail.set_knobs(Knobs { refuse: Some(400), ..Knobs::default() })?;
    let answer = mailpit(&mail, &body).await?;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["Error"].is_string());
    mail.set_knobs(Knobs { error_rate: 1.0, ..Knobs::default() })?;
    assert_eq!(mailpit(&mail, &body).await?.status, StatusCode::INTERNAL_SERVER_ERROR);
    mail.set_knobs(Knobs { garbage: Some(Garbage::Html), ..Knobs::default() })?;
    let answer = mailpit(&mail, &body).await?;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, Value::Null));
    mail.set_knobs(Knobs { down: true, ..Knobs::default() })?;
    assert!(mailpit(&mail, &body).await.is_err());
    assert_eq!((mail.mails().len(), mail.stats().faults), (0, 6));
    let outcomes = mail.requests().iter().map(|request| request.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, ["busy", "busy", "refused", "error", "garbage", "down"]);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_has_sent_the_mail_and_its_key_is_known() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    mail.turn(|knobs| (knobs.lose_answer, knobs.faults_max) = (true, Some(1)))?;
    assert!(resend(&mail, Some("letter-1"), &resend_body("a@ad.example")).await.is_err());
    let answer = resend(&mail, Some("letter-1"), &resend_body("a@ad.example")).await?;
    assert_eq!(answer.json()["id"], json!(mail.mails()[0].id));
    let stats = mail.stats();
    assert_eq!((mail.mails().len(), stats.accepted, stats.repeated, stats.faults), (1, 1, 1, 1));
    let seen = mail.requests();
    assert_eq!(seen[0].headers["idempotency-key"], seen[1].headers["idempotency-key"]);
    Ok(())
}

#[tokio::test]
async fn a_hanging_server_lets_go_when_the_knob_is_lifted() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    mail.turn(|knobs| knobs.hang = true)?;
    let body = mailpit_body("a@ad.example");
    let lifted = async {
        mail.wait_until(|stats| stats.concurrent == 1 && stats.requests == 1).await?;
        mail.turn(|knobs| knobs.hang = false)
    };
    let (answer, lifted) = tokio::join!(mailpit(&mail, &body), lifted);
    lifted?;
    assert!(answer.is_err());
    assert_eq!(mailpit(&mail, &body).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn knobs_turn_over_http_and_bad_ones_are_refused() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let url = format!("{}/sandbox/knobs", mail.url());
    let answer = call(Method::PATCH, &url, &[], r#"{"refuse_addresses":["a@b.example"]}"#).await?;
    assert_eq!(answer.json()["refuse_addresses"][0], "a@b.example");
    for body in [r#"{"stage_ms":1}"#, r#"{"error_rate":2}"#, r#"{"refuse_addresses":["a"]}"#] {
        let answer = call(Method::PATCH, &url, &[], body).await?;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(mail.knobs().refuse_addresses, ["a@b.example"]);
    assert_eq!(get(&format!("{}/nowhere", mail.url())).await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn a_mail_is_shown_with_the_trace_that_it_came_with() -> Result<()> {
    let mail = Mail::start(ANY_PORT).await?;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers =
        [("authorization", "Bearer re_sandbox"), ("user-agent", "restock-tests"), ("traceparent", trace)];
    post(&format!("{}/emails", mail.url()), &headers, &resend_body("a@ad.example")).await?;
    assert_eq!(mail.mails()[0].traceparent.as_deref(), Some(trace));
    assert_eq!(mail.requests()[0].headers["traceparent"], trace);
    assert!(get(&mail.url()).await?.text.contains(trace));
    Ok(())
}
