//! Slack.

use anyhow::Result;
use http::StatusCode;
use restock_sandbox::Slack;
use restock_sandbox::slack::{Busy, Knobs};
use serde_json::{Value, json};

use super::{ANY_PORT, Answer, get, post};

async fn say(slack: &Slack, body: &Value) -> Result<Answer> {
    post(&slack.webhook_url(), &[("content-type", "application/json")], body).await
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": text}})
}

fn fields(count: usize, characters: usize) -> Value {
    json!({"type": "section", "fields": vec![json!({"type": "mrkdwn", "text": "가".repeat(characters)}); count]})
}

fn context(count: usize) -> Value {
    json!({"type": "context", "elements": vec![json!({"type": "mrkdwn", "text": "a"}); count]})
}

#[tokio::test]
async fn a_message_is_answered_ok_kept_and_shown_as_slack_shows_it() -> Result<()> {
    let slack = Slack::start(ANY_PORT).await?;
    let pair = json!({"type": "section", "fields": [{"type": "plain_text", "text": "큐"}, {"type": "plain_text", "text": "alerts"}]});
    let blocks = json!([header("부산도너츠"), section("재고 &lt; 0 &amp; 공장이 늦습니다"), pair]);
    let answer = say(&slack, &json!({"text": "부산도너츠: 공장", "blocks": blocks})).await?;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let seen = &slack.messages()[0];
    assert_eq!((seen.text.as_str(), &seen.blocks), ("부산도너츠: 공장", &blocks));
    let listed = get(&format!("{}/sandbox/messages", slack.url())).await?.json();
    assert_eq!(listed[0]["blocks"], blocks);
    let page = get(&slack.url()).await?.text;
    assert!(page.contains("재고 &lt; 0 &amp; 공장이 늦습니다"), "unescaped once, escaped once: {page}");
    assert!(
        page.contains("큐: alerts") && !page.contains("부산도너츠: 공장"),
        "blocks in place of the text: {page}"
    );
    Ok(())
}

#[tokio::test]
async fn what_slack_would_not_post_is_an_invalid_payload() -> Result<()> {
    let slack = Slack::start(ANY_PORT).await?;
    let long = |n: usize| "가".repeat(n);
    for (body, fits) in [
        (json!({"text": "hello"}), true),
        (json!({"blocks": [section("hello")]}), true),
        (json!({"text": "x", "blocks": vec![section("a"); 50]}), true),
        (json!({"text": "x", "blocks": [header(&long(150)), section(&long(3000))]}), true),
        (json!({}), false),
        (json!({"text": ""}), false),
        (json!({"blocks": []}), false),
        (json!("hello"), false),
        (json!({"text": "x", "blocks": vec![section("a"); 51]}), false),
        (json!({"text": "x", "blocks": [header(&long(151))]}), false),
        (json!({"text": "x", "blocks": [section(&long(3001))]}), false),
        (json!({"text": "x", "blocks": [section("")]}), false),
        (json!({"text": "x", "blocks": [{"text": "no type"}]}), false),
        (json!({"text": "x", "blocks": [fields(10, 2000), context(10)]}), true),
        (json!({"text": "x", "blocks": [fields(11, 1)]}), false),
        (json!({"text": "x", "blocks": [fields(1, 2001)]}), false),
        (json!({"text": "x", "blocks": [context(11)]}), false),
        (json!({"text": "x", "blocks": [{"type": "section"}]}), false),
    ] {
        let answer = say(&slack, &body).await?;
        let expected = if fits { (200, "ok") } else { (400, "invalid_payload") };
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), expected, "{body}");
    }
    assert_eq!((slack.messages().len(), slack.stats().refused), (5, 13));
    Ok(())
}

#[tokio::test]
async fn a_path_that_is_no_webhook_has_no_service() -> Result<()> {
    let slack = Slack::start(ANY_PORT).await?;
    let answer = post(&format!("{}/hooks/x", slack.url()), &[], &json!({"text": "x"})).await?;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (404, "no_service"));
    assert_eq!(slack.stats().requests, 0);
    Ok(())
}

#[tokio::test]
async fn a_message_too_soon_after_the_last_is_told_when_to_come_again() -> Result<()> {
    let slack = Slack::start(ANY_PORT).await?;
    slack.turn(|knobs| (knobs.rate_limit, knobs.rate_limit_every_ms) = (true, 600_000))?;
    assert_eq!(say(&slack, &json!({"text": "first"})).await?.status, StatusCode::OK);
    let answer = say(&slack, &json!({"text": "second"})).await?;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=600).contains(&answer.header("retry-after").parse::<u64>()?));
    assert_eq!((slack.messages().len(), slack.stats().limited), (1, 1));
    slack.turn(|knobs| knobs.rate_limit_every_ms = 0)?;
    assert_eq!(say(&slack, &json!({"text": "second"})).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn faults_are_plain_words_and_a_lost_answer_has_posted() -> Result<()> {
    let slack = Slack::start(ANY_PORT).await?;
    slack.turn(|knobs| knobs.busy = Some(Busy { status: 503, retry_after_seconds: None }))?;
    let answer = say(&slack, &json!({"text": "x"})).await?;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, "text/plain; charset=utf-8"));
    slack.set_knobs(Knobs { lose_answer: true, ..Knobs::default() })?;
    assert!(say(&slack, &json!({"text": "x"})).await.is_err());
    assert_eq!((slack.messages().len(), slack.stats().accepted, slack.stats().faults), (1, 1, 2));
    Ok(())
}
