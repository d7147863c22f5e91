//! Claim: the stand-in behaves as the legacy factory does, and each knob does what it says.
//! Method: real HTTP to a factory on a free port, with a shop behind the CallbackUrl; jobs are finished by hand or
//! take no time, and what happens in the background is waited for by its signal.
//! Needs: nothing but a loopback interface.

#![allow(clippy::unwrap_used, reason = "a test reports a surprise by failing, in its helpers too")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use restock_sandbox::Factory;
use restock_sandbox::factory::{Busy, CallbackShape, Garbage, Partial};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The other end of a CallbackUrl: remembers what it is told.
struct Shop {
    url: String,
    told: Arc<Mutex<Vec<Value>>>,
    server: JoinHandle<()>,
}

impl Shop {
    async fn open() -> Result<Self> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new()
            .route(
                "/callback",
                post(|State(told): State<Arc<Mutex<Vec<Value>>>>, body: Bytes| async move {
                    told.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                    (StatusCode::ACCEPTED, "noted")
                }),
            )
            .with_state(Arc::clone(&told));
        let listener = tokio::net::TcpListener::bind(ANY_PORT).await?;
        let url = format!("http://{}/callback", listener.local_addr()?);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Ok(Self { url, told, server })
    }

    fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn call(
    factory: &Factory,
    method: Method,
    path: &str,
    body: &str,
) -> Result<(StatusCode, HeaderMap, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", factory.url()))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_owned())))?;
    let (head, body) = client.request(request).await?.into_parts();
    Ok((head.status, head.headers, body.collect().await?.to_bytes()))
}

async fn order(factory: &Factory, body: &Value) -> Result<(StatusCode, Value)> {
    let (status, _, text) = call(factory, Method::POST, "/api/manufactures", &body.to_string()).await?;
    Ok((status, serde_json::from_slice(&text)?))
}

/// A factory whose jobs wait to be finished by hand, a shop, and a request of the one to the other.
async fn world() -> Result<(Factory, Shop, Value)> {
    let factory = Factory::start(ANY_PORT).await?;
    factory.turn(|knobs| knobs.stage_ms = None)?;
    let shop = Shop::open().await?;
    let request = json!({
        "MessageGroupId": "stock-arrival-group",
        "MessageAttributeProductId": "CP-502101",
        "MessageAttributeProductCnt": 5,
        "MessageAttributeFactoryId": "FF-500293",
        "MessageAttributeRequester": "부산도너츠",
        "CallbackUrl": shop.url,
        "unheard": {"of": [1, 2.5, null]},
    });
    Ok((factory, shop, request))
}

#[tokio::test]
async fn a_request_is_answered_with_the_original_words_and_reported_once_with_its_echo() -> Result<()> {
    let (factory, shop, request) = world().await?;
    let (status, answer) = order(&factory, &request).await?;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(answer["data"]["reqestor"], "부산도너츠");
    assert_eq!(answer["data"]["data"], request);
    let id = uuid::Uuid::try_parse(answer["data"]["id"].as_str().unwrap())?;
    assert_eq!(id.get_version_num(), 1);
    assert_eq!(factory.jobs().len(), 1);
    assert_eq!(shop.told(), Vec::<Value>::new());

    factory.turn(|knobs| knobs.stage_ms = Some(0))?;
    let stats = factory.wait_until(|stats| stats.callbacks == 1).await?;
    assert_eq!((stats.jobs, stats.callbacks_ok), (0, 1));
    assert_eq!(shop.told(), [request]);
    let seen = factory.callbacks();
    assert_eq!((seen[0].job_id, seen[0].status, seen[0].answer.as_deref()), (id, Some(202), Some("noted")));
    Ok(())
}

#[tokio::test]
async fn the_same_request_twice_is_two_jobs_and_a_missing_requester_is_null() -> Result<()> {
    let (factory, shop, _) = world().await?;
    let request = json!({"CallbackUrl": shop.url});
    let (_, first) = order(&factory, &request).await?;
    let (_, second) = order(&factory, &request).await?;
    assert_eq!(first["data"]["reqestor"], Value::Null);
    assert_ne!(first["data"]["id"], second["data"]["id"]);

    let body = json!({"id": second["data"]["id"]}).to_string();
    let (status, _, text) = call(&factory, Method::POST, "/sandbox/finish", &body).await?;
    assert_eq!(status, StatusCode::OK);
    let sent: Value = serde_json::from_slice(&text)?;
    assert_eq!(sent["callbacks"].as_array().map(Vec::len), Some(1));
    assert_eq!(sent["callbacks"][0]["job_id"], second["data"]["id"]);
    assert_eq!(shop.told().len(), 1);
    assert_eq!(factory.finish(None).await.len(), 1);
    assert_eq!(factory.finish(None).await.len(), 0);
    assert_eq!(shop.told().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_forgotten_job_is_never_reported() -> Result<()> {
    let (factory, shop, request) = world().await?;
    order(&factory, &request).await?;
    let (_, _, text) = call(&factory, Method::POST, "/sandbox/forget", "").await?;
    assert_eq!(text, r#"{"forgotten":1}"#);
    assert_eq!(factory.finish(None).await.len(), 0);
    assert_eq!(factory.stats().forgotten, 1);
    assert_eq!(shop.told().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_callback_that_fails_is_recorded_and_not_repeated() -> Result<()> {
    let (factory, shop, mut request) = world().await?;
    request["CallbackUrl"] = "https://example.invalid/".into();
    order(&factory, &request).await?;
    let sent = factory.finish(None).await;
    assert_eq!(sent.len(), 1);
    assert!(sent[0].error.is_some());
    assert_eq!((factory.stats().callbacks, factory.stats().callbacks_ok), (1, 0));
    assert_eq!(shop.told().len(), 0);
    Ok(())
}

#[tokio::test]
async fn faults_of_the_answer_start_no_job_and_look_as_they_say() -> Result<()> {
    let (factory, _shop, request) = world().await?;
    let text = request.to_string();
    factory.turn(|knobs| knobs.refuse = Some(422))?;
    assert_eq!(order(&factory, &request).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    factory.turn(|knobs| knobs.refuse = None)?;
    factory.turn(|knobs| knobs.error_rate = 1.0)?;
    assert_eq!(order(&factory, &request).await?.0, StatusCode::INTERNAL_SERVER_ERROR);
    factory.turn(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(7) }))?;
    let (status, headers, _) = call(&factory, Method::POST, "/api/manufactures", &text).await?;
    assert_eq!((status, headers["retry-after"].to_str()?), (StatusCode::TOO_MANY_REQUESTS, "7"));
    for garbage in [Garbage::Html, Garbage::BrokenJson, Garbage::Empty] {
        factory.turn(|knobs| {
            knobs.busy = None;
            knobs.error_rate = 0.0;
            knobs.garbage = Some(garbage);
        })?;
        let (status, _, answer) = call(&factory, Method::POST, "/api/manufactures", &text).await?;
        assert_eq!(status, StatusCode::OK);
        assert!(serde_json::from_slice::<Value>(&answer).is_err());
    }
    assert_eq!((factory.stats().requests, factory.stats().accepted, factory.jobs().len()), (6, 0, 0));
    let outcomes = factory.requests().iter().map(|request| request.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, ["refused", "error", "busy", "garbage", "garbage", "garbage"]);
    Ok(())
}

#[tokio::test]
async fn a_factory_that_is_down_closes_the_connection_and_its_knobs_still_turn() -> Result<()> {
    let (factory, _shop, request) = world().await?;
    factory.turn(|knobs| knobs.down = true)?;
    assert!(order(&factory, &request).await.is_err());
    let (status, _, _) = call(&factory, Method::PATCH, "/sandbox/knobs", r#"{"down":false}"#).await?;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(order(&factory, &request).await?.0, StatusCode::CREATED);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_leaves_a_job_behind() -> Result<()> {
    let (factory, shop, request) = world().await?;
    factory.turn(|knobs| (knobs.lose_answer, knobs.faults_max) = (true, Some(1)))?;
    assert!(order(&factory, &request).await.is_err());
    assert_eq!(order(&factory, &request).await?.0, StatusCode::CREATED);
    factory.finish(None).await;
    assert_eq!(shop.told(), [request.clone(), request]);
    Ok(())
}

#[tokio::test]
async fn a_hanging_factory_lets_go_when_the_knob_is_lifted() -> Result<()> {
    let (factory, _shop, request) = world().await?;
    factory.turn(|knobs| knobs.hang = true)?;
    let lifted = async {
        factory.wait_until(|stats| stats.requests == 1).await?;
        assert_eq!(factory.stats().concurrent, 1);
        factory.turn(|knobs| knobs.hang = false)
    };
    let (answer, lifted) = tokio::join!(order(&factory, &request), lifted);
    lifted?;
    assert!(answer.is_err());
    assert_eq!(order(&factory, &request).await?.0, StatusCode::CREATED);
    Ok(())
}

#[tokio::test]
async fn callbacks_are_bent_as_the_knobs_say() -> Result<()> {
    let (factory, shop, request) = world().await?;
    order(&factory, &request).await?;
    factory.turn(|knobs| {
        knobs.duplicate_callbacks = 2;
        knobs.partial = Some(Partial::Count(3));
        knobs.callback_shape = CallbackShape::OrderStockCnt;
    })?;
    assert_eq!(factory.finish(None).await.iter().map(|sent| sent.copy).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(shop.told().iter().map(|body| body["OrderStockCnt"].clone()).collect::<Vec<_>>(), [3, 3, 3]);

    order(&factory, &request).await?;
    factory.turn(|knobs| knobs.drop_callbacks = true)?;
    assert_eq!(factory.finish(None).await.len(), 0);
    assert_eq!((shop.told().len(), factory.stats().callbacks_dropped), (3, 1));
    Ok(())
}

#[tokio::test]
async fn bad_knobs_are_refused_and_change_nothing() -> Result<()> {
    let (factory, _shop, _) = world().await?;
    let before = factory.knobs();
    for body in [r#"{"error_rate":2}"#, r#"{"unknown":1}"#, r#"{"garbage":"xml"}"#] {
        for method in [Method::PUT, Method::PATCH] {
            let (status, _, _) = call(&factory, method, "/sandbox/knobs", body).await?;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        }
    }
    assert_eq!(factory.knobs(), before);
    let (_, _, text) =
        call(&factory, Method::PUT, "/sandbox/knobs", r#"{"partial":{"fraction":0.5}}"#).await?;
    let knobs: Value = serde_json::from_slice(&text)?;
    assert_eq!((&knobs["stage_ms"], &knobs["partial"]["fraction"]), (&json!(10_000), &json!(0.5)));
    Ok(())
}

#[tokio::test]
async fn a_stopped_factory_gives_its_port_back_and_has_forgotten_everything() -> Result<()> {
    let (factory, shop, request) = world().await?;
    order(&factory, &request).await?;
    let addr = factory.addr();
    factory.stop().await;
    let factory = Factory::start(addr).await?;
    assert_eq!(factory.finish(None).await.len(), 0);
    assert_eq!(shop.told().len(), 0);
    assert_eq!(order(&factory, &request).await?.0, StatusCode::CREATED);
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_is_no_job() -> Result<()> {
    let (factory, _shop, _) = world().await?;
    let (status, _, _) = call(&factory, Method::POST, "/api/manufactures", "{").await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(factory.requests()[0].outcome, "malformed");
    assert_eq!(factory.jobs().len(), 0);
    Ok(())
}
