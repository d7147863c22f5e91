//! Mail: an independent SES server, AWS's own signer, and an independent reader of mails.

use crate::http1::{self, Answer};
use crate::node::Node;
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use restock_domain::letter::Letter;
use restock_mail::sigv4::Credentials;
use restock_mail::{Mail, Mailbox, Outcome, Provider};
use serde_json::{Map, Value, json};

const REGION: &str = "ap-northeast-2";
const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SUBJECT: &str = "부산도너츠 품절: 광고를 멈춰 주세요";
const LEAD: &str = "부산도너츠(CP-502101)가 품절되었습니다 🍩 <b>&amp;</b>";
const SENDER: &str = "부산도너츠 공장 알림";
const ID: &str = "ad-pause-0192f0c1";

fn provider(origin: &str) -> Provider {
    Provider::Ses {
        origin: origin.to_owned(),
        region: REGION.to_owned(),
        credentials: Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY),
    }
}

fn mail() -> Result<Mail> {
    let mailbox = |address, name| Mailbox::new(address, name).map_err(anyhow::Error::msg);
    Ok(Mail {
        id: ID.to_owned(),
        from: mailbox("shop@example.com", Some(SENDER))?,
        to: mailbox("ads@example.com", Some("Ads, \"Inc.\""))?,
        letter: Letter::new(SUBJECT, LEAD).fact("SKU", "CP-502101").paragraph("감사합니다."),
    })
}

pub(crate) fn is_taken_and_read_back(node: &Node, now_ms: u64) -> Result<()> {
    let server = node.ses_server()?;
    let (provider, mail) = (provider(&server.origin), mail()?);
    let Answer { status, headers, body } = http1::send(&provider.request(&mail, now_ms)?)?;
    let outcome = provider.read(status, &headers, &body, now_ms);
    let Outcome::Accepted { provider_id } = outcome else { anyhow::bail!("not accepted: {outcome:?}") };

    let store: Value = serde_json::from_slice(&get(&server.origin, "/store")?)?;
    let kept = store.pointer("/emails/0").context("the server's store is empty")?;
    let field = |path: &str| kept.pointer(path).and_then(Value::as_str).unwrap_or_default();
    ensure!(field("/messageId") == provider_id, "another id: {kept}");
    ensure!(field("/subject") == SUBJECT, "another subject: {kept}");
    ensure!(field("/body/text") == mail.text(), "another text: {kept}");
    ensure!(field("/body/html") == mail.html(), "another HTML: {kept}");
    ensure!(kept.pointer("/headers/0") == Some(&json!({ "name": "X-Entity-Ref-ID", "value": ID })), "{kept}");

    // SES puts both into the headers as they come, where a mail program must be able to read them.
    let (from, to) = (field("/from"), field("/destination/to/0"));
    let source = format!("From: {from}\r\nTo: {to}\r\nSubject: x\r\n\r\nx\r\n");
    let read = node.task("mail", &json!({ "source": source }))?;
    let person = |address: &str, name: &str| json!([{ "address": address, "name": name }]);
    ensure!(read.get("from") == Some(&person("shop@example.com", SENDER)), "another sender: {read}");
    ensure!(read.get("to") == Some(&person("ads@example.com", "Ads, \"Inc.\"")), "another reader: {read}");
    Ok(())
}

pub(crate) fn a_refusal_is_read(node: &Node, now_ms: u64) -> Result<()> {
    let server = node.ses_server()?;
    let provider = provider(&server.origin);
    let mut request = provider.request(&mail()?, now_ms)?;
    request.headers_mut().remove(AUTHORIZATION);
    let Answer { status, headers, body } = http1::send(&request)?;
    let outcome = provider.read(status, &headers, &body, now_ms);
    let words = "answered 403: Missing Authentication Token";
    ensure!(outcome == Outcome::Refused(words.to_owned()), "another outcome: {outcome:?}");
    Ok(())
}

pub(crate) fn is_signed_as_aws_signs(node: &Node, now_ms: u64) -> Result<()> {
    let request = provider(&restock_mail::ses_origin(REGION)).request(&mail()?, now_ms)?;
    let ours = request.headers().get(AUTHORIZATION).context("no signature")?.to_str()?;
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        // The signer sets these itself.
        if *name != AUTHORIZATION && name != "x-amz-date" {
            headers.insert(name.to_string(), value.to_str()?.into());
        }
    }
    let answer = node.task(
        "authorization",
        &json!({
            "method": request.method().as_str(),
            "url": request.uri().to_string(),
            "headers": headers,
            "body": std::str::from_utf8(request.body())?,
            "region": REGION,
            "accessKeyId": ACCESS_KEY_ID,
            "secretAccessKey": SECRET_ACCESS_KEY,
            "time_ms": now_ms,
        }),
    )?;
    let theirs = answer.get("authorization").and_then(Value::as_str).context("no signature of theirs")?;
    ensure!(ours == theirs, "ours:   {ours}\ntheirs: {theirs}");
    Ok(())
}

fn get(origin: &str, path: &str) -> Result<Vec<u8>> {
    let answer = http1::send(&Request::get(format!("{origin}{path}")).body(Bytes::new())?)?;
    ensure!(answer.status == 200, "{path} answered {}", answer.status);
    Ok(answer.body)
}
