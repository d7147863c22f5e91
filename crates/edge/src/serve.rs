//! From a request to its answer: find the route, check the key, run the handler, say what went wrong.

use crate::answer::HttpResponse;
use crate::body::Unread;
use crate::config::Cached;
use crate::{Answer, Call, Error, host, trace};
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use http::{HeaderMap, HeaderName};
use restock_api::query::{Query, percent_decode};
use restock_api::routes::{Method, Route};
use restock_domain::keys::{Access, Caller, KeySet, Role};
use restock_domain::networks::{self, Networks};
use spin_sdk::http::Request;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// Names a request in answers and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken from a client, characters.
const REQUEST_ID_CHARACTERS_MAX: usize = 128;
/// Where the host says who calls.
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("spin-client-addr");

/// What answers a route.
pub type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Result<Answer, Error>>>>;

/// Pairs routes with the async functions that answer them.
#[macro_export]
macro_rules! handlers {
    ($($route:path => $handler:path),* $(,)?) => {
        &[$(($route, |call| ::std::boxed::Box::pin($handler(call)))),*]
    };
}

/// Who may call, as configured.
struct Admission {
    keys: KeySet,
    operator_networks: Networks,
}

static ADMISSION: Cached<Admission> = Cached::new();

/// What becomes of a request that no route takes, with the error that it would be answered with.
pub type Otherwise = fn(Call, Error) -> Pin<Box<dyn Future<Output = Result<Answer, Error>>>>;

/// Answers a request.
pub async fn serve(request: Request, handlers: &'static [(Route, Handler)]) -> HttpResponse {
    serve_or(request, handlers, |_, error| Box::pin(async { Err(error) })).await
}

/// Answers a request, and lets `otherwise` answer those that no route takes.
pub async fn serve_or(
    request: Request,
    handlers: &'static [(Route, Handler)],
    otherwise: Otherwise,
) -> HttpResponse {
    let scope = trace::arriving(request.headers());
    trace::scoped(scope, answer(request, handlers, otherwise)).await
}

async fn answer(
    request: Request,
    handlers: &'static [(Route, Handler)],
    otherwise: Otherwise,
) -> HttpResponse {
    let now_ms = host::now_ms();
    let request_id = request_id(request.headers(), now_ms);
    let (parts, body) = request.into_parts();
    let body = Unread::new(&parts.method, body);
    let answer = dispatch(parts, body.clone(), handlers, otherwise, request_id.clone(), now_ms).await;
    body.discard().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            error.log(&request_id);
            error.into_answer()
        }
    };
    let mut response = answer.into_response();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn dispatch(
    parts: http::request::Parts,
    body: Unread,
    handlers: &'static [(Route, Handler)],
    otherwise: Otherwise,
    request_id: String,
    now_ms: u64,
) -> Result<Answer, Error> {
    let path = parts.uri.path().to_owned();
    let found = find(handlers, &parts.method, &path);
    let address = client_address(&parts.headers);
    let mut call = Call {
        values: Vec::new(),
        query: Query::parse(parts.uri.query()),
        authority: authority(&parts),
        path_and_query: parts.uri.path_and_query().map_or_else(|| path.clone(), ToString::to_string),
        method: parts.method,
        headers: parts.headers,
        body,
        caller: None,
        address,
        request_id,
        now_ms,
    };
    let (route, values, handler) = match found {
        Ok(found) => found,
        Err(error) => return otherwise(call, error).await,
    };
    call.caller = admit(route.access, &call.headers, address).await?;
    call.values = values.into_iter().map(percent_decode).collect();
    handler(call).await
}

/// A route with its handler and the segments of the path that it names.
pub type Found<'path, H> = (Route, Vec<&'path str>, H);

/// Finds what answers a path. `HEAD` is answered wherever `GET` is.
///
/// # Errors
/// 404 where nothing does, 405 where it does so with other methods only.
pub fn find<'path, H: Copy>(
    table: &'static [(Route, H)],
    method: &http::Method,
    path: &'path str,
) -> Result<Found<'path, H>, Error> {
    let method = match method {
        &http::Method::HEAD => http::Method::GET.as_str(),
        other => other.as_str(),
    };
    let mut allowed: Vec<Method> = Vec::new();
    for (route, handler) in table {
        let Some(values) = route.matches(path) else { continue };
        if route.method.name() == method {
            return Ok((*route, values, *handler));
        }
        allowed.push(route.method);
    }
    if allowed.is_empty() {
        Err(Error::NotFound("there is no such path"))
    } else {
        Err(Error::MethodNotAllowed(allowed))
    }
}

async fn admit(
    access: Access,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Option<Caller>, Error> {
    if access == Access::Public {
        return Ok(None);
    }
    let admission = ADMISSION
        .get(async |reader| Admission {
            keys: reader.keys().await,
            operator_networks: reader.operator_networks().await,
        })
        .await?;
    let caller = bearer(headers).and_then(|key| admission.keys.identify(key)).ok_or(Error::Unauthorized)?;
    if caller.role == Role::Operator && !admission.operator_networks.allow(address) {
        return Err(Error::Forbidden("this key is not good from this address"));
    }
    if !caller.role.may(access) {
        return Err(Error::Forbidden("this key is not good for this"));
    }
    Ok(Some(caller))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// What the client called the application by.
fn authority(parts: &http::request::Parts) -> Option<String> {
    let in_header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(|authority| authority.as_str()).or_else(in_header).map(str::to_owned)
}

/// The host appends its own value to whatever a client sent under the same name, so only the last one counts.
fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(CLIENT_ADDRESS).iter().next_back()?;
    networks::client_address(last.to_str().ok()?)
}

fn request_id(headers: &HeaderMap, now_ms: u64) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (1..=REQUEST_ID_CHARACTERS_MAX).contains(&id.len()))
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| host::fresh_id(now_ms), str::to_owned)
}
