//! The pages for people. Every one is written on the server and works without scripts; `console.js` only keeps it fresh.
//!
//! # How a page is written
//!
//! A page is a handler and a view. The handler (`async fn(Visit) -> Result<Reply, Error>`) asks the store; the view is a pure function of a
//! [`Reader`] (language, role, form token, the moment) and of what the store said, and returns a [`View`]. So every view can be
//! rendered in a test without a store.
//!
//! 1. Add a line to [`ROUTES`]: `get` needs a session, `ask` and `post` need an operator's. By the time a `post` handler runs, the form was
//!    read ([`Visit::form`]), its token was checked, and the browser said that the form is one of ours. Nothing is left to check.
//! 2. Put the words into a file of [`words`]: a struct, and one value of it for each language. A language that lacks a word does not
//!    compile. Sentences with values are functions from [`maud::Markup`] to [`maud::Markup`].
//! 3. Compose the view of [`parts`]: [`parts::Table`], [`parts::facts`], [`parts::badge`], [`parts::pager`], [`parts::search`], and
//!    for values [`parts::number`], [`parts::moment`], [`parts::money`], [`parts::span`], which the reader's browser writes in its own way.
//!    Links are made by [`parts::address`], which escapes. Never `style=`, `on…=` or an inline script: the policy forbids them and
//!    a test finds them. Text from the store gets `dir="auto"` where it can be of any script ([`parts::named`]).
//! 4. An operator action is two requests. `GET` shows [`parts::confirmation`], which says what will happen (with the count of a dry run)
//!    and carries what was chosen in hidden fields; `POST` does it and answers [`Reply::Done`] with a [`Notice`], which the next page shows.
//!    Buttons and links to actions are shown where [`Reader::operator`] is true only.
//! 5. A list that changes by itself is [`View::live`]: the browser asks for the same address once a second and swaps what
//!    differs. Give rows a key ([`parts::Table::row`]) so that they stay what they are when others arrive.
//! 6. Wrong input: [`View::status`] 422 with [`parts::wrongs`] above the form, which keeps what was typed. What does not exist is
//!    `Err(Error::NotFound(…))`; every `Error` becomes a page in the reader's language.
//! 7. Add a sample of the view, with hostile text in it, to `samples()` in the page's file, and the function to `tests::all_views`.

mod assets;
mod cache;
mod chart;
mod customers;
mod fault;
mod incidents;
mod layout;
mod messages;
mod notice;
mod operations;
mod orders;
mod overview;
mod parts;
mod production;
mod products;
mod queues;
mod returns;
mod sign_in;
#[cfg(test)]
mod tests;
mod visit;
mod words;

use restock_api::routes::{Method, Route};
use restock_domain::keys::Access;
use restock_edge::serve;
use restock_edge::{Answer, Call, Error};
use std::future::Future;
use std::pin::Pin;

pub(crate) use layout::{Section, View};
pub(crate) use notice::Notice;
pub(crate) use visit::{Reader, Reply, Visit};

type Replying = Pin<Box<dyn Future<Output = Result<Reply, Error>>>>;
type Answering = Pin<Box<dyn Future<Output = Result<Answer, Error>>>>;

/// What answers a route of the pages.
#[derive(Clone, Copy)]
pub(crate) enum Page {
    /// For whoever asks.
    Open(fn(Call) -> Answering),
    /// For whoever signed in.
    Guarded(fn(Visit) -> Replying),
}

macro_rules! routes {
    ($($kind:ident $path:literal => $handler:path;)*) => {
        &[$(routes!(@ $kind $path $handler)),*]
    };
    (@ open_get $path:literal $handler:path) => {
        (route(Method::Get, $path, Access::Public), Page::Open(|call| Box::pin($handler(call))))
    };
    (@ open_post $path:literal $handler:path) => {
        (route(Method::Post, $path, Access::Public), Page::Open(|call| Box::pin($handler(call))))
    };
    (@ get $path:literal $handler:path) => {
        (route(Method::Get, $path, Access::Read), Page::Guarded(|visit| Box::pin($handler(visit))))
    };
    (@ ask $path:literal $handler:path) => {
        (route(Method::Get, $path, Access::Operate), Page::Guarded(|visit| Box::pin($handler(visit))))
    };
    (@ post $path:literal $handler:path) => {
        (route(Method::Post, $path, Access::Operate), Page::Guarded(|visit| Box::pin($handler(visit))))
    };
    (@ post_by_anyone $path:literal $handler:path) => {
        (route(Method::Post, $path, Access::Read), Page::Guarded(|visit| Box::pin($handler(visit))))
    };
}

const fn route(method: Method, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

/// Every page. They are no part of the interface for programs, and its description does not name them.
pub(crate) const ROUTES: &[(Route, Page)] = routes![
    open_get "/console.css" => assets::style;
    open_get "/console.js" => assets::script;
    open_get "/icon.svg" => assets::icon;
    open_get "/sign-in" => sign_in::show;
    open_post "/sign-in" => sign_in::open;
    post_by_anyone "/sign-out" => sign_in::close;
    get "/" => overview::show;
    get "/products" => products::list;
    get "/products/{sku}" => products::show;
    get "/products/{sku}/ledger" => products::ledger;
    get "/production" => production::list;
    get "/production/{id}" => production::show;
    get "/orders" => orders::list;
    get "/orders/{id}" => orders::show;
    get "/customers" => customers::list;
    get "/customers/{id}" => customers::show;
    get "/returns" => returns::list;
    get "/returns/collections" => returns::collections;
    get "/returns/set-aside" => returns::rejects;
    ask "/returns/replay" => returns::ask_replay;
    post "/returns/replay" => returns::replay;
    get "/returns/{id}" => returns::show;
    ask "/returns/{id}/receive" => returns::ask_receive;
    post "/returns/{id}/receive" => returns::receive;
    ask "/returns/{id}/discard" => returns::ask_discard;
    post "/returns/{id}/discard" => returns::discard;
    get "/incidents" => incidents::list;
    get "/queues" => queues::list;
    get "/queues/{queue}" => queues::show;
    ask "/queues/{queue}/pause" => queues::ask_pause;
    post "/queues/{queue}/pause" => queues::pause;
    ask "/queues/{queue}/resume" => queues::ask_resume;
    post "/queues/{queue}/resume" => queues::resume;
    ask "/queues/{queue}/redrive" => queues::ask_redrive;
    post "/queues/{queue}/redrive" => queues::redrive;
    ask "/queues/{queue}/purge" => queues::ask_purge;
    post "/queues/{queue}/purge" => queues::purge;
    get "/messages/{id}" => messages::show;
    get "/operations" => operations::list;
    get "/partners" => operations::partners;
];

/// Where the paths that only programs use begin.
const PROGRAMS: [&str; 2] = ["/v1/", "/internal/"];

/// Answers what no route of the interface for programs takes.
pub(crate) fn answer(call: Call, error: Error) -> Answering {
    Box::pin(async move {
        let path = call.path().to_owned();
        match serve::find(ROUTES, call.method(), &path) {
            Ok((_, values, Page::Open(handler))) => {
                let call = call.with_values(&values);
                let whose = fault::Whose::of(&call);
                match handler(call).await {
                    Ok(answer) => Ok(answer),
                    Err(error) => whose.answer(error, None),
                }
            }
            Ok((route, values, Page::Guarded(handler))) => {
                visit::answer(call.with_values(&values), route.access, handler).await
            }
            // Not a page either. A path that programs use answers for itself, and to programs.
            Err(_) if PROGRAMS.iter().any(|programs| path.starts_with(programs)) => Err(error),
            Err(not_here) => {
                let error = if matches!(error, Error::NotFound(_)) { not_here } else { error };
                let whose = fault::Whose::of(&call);
                let session = visit::session_of(&call).await;
                whose.answer(error, session.as_ref().map(|session| Reader::of(&call, session)).as_ref())
            }
        }
    })
}
