//! The words of the pages, in every language. A table that lacks a word does not compile.
//!
//! One file holds one area of the pages: a struct of its words, and a value of it for each language, side by side, so that a sentence
//! and its translation are changed together. Sentences with values in them are functions, because languages order their parts, and count,
//! in ways of their own.

mod advice;
mod customers;
mod faults;
mod frame;
mod incidents;
mod messages;
mod notices;
mod operations;
mod orders;
mod overview;
mod production;
mod products;
mod queues;
mod requests;
mod returns;
mod shared;
mod sign_in;

pub(crate) use advice::Advice;
pub(crate) use customers::Customers;
pub(crate) use faults::Faults;
pub(crate) use frame::Frame;
pub(crate) use incidents::Incidents;
pub(crate) use messages::Messages;
pub(crate) use notices::Notices;
pub(crate) use operations::{Operations, Partners};
pub(crate) use orders::Orders;
pub(crate) use overview::Overview;
pub(crate) use production::Production;
pub(crate) use products::Products;
pub(crate) use queues::Queues;
pub(crate) use requests::Requests;
pub(crate) use returns::Returns;
pub(crate) use shared::Shared;
pub(crate) use sign_in::SignIn;

use http::header::ACCEPT_LANGUAGE;
use maud::Markup;
use restock_domain::web;
use restock_edge::Call;

/// A word or a sentence without values.
pub(crate) type Text = &'static str;
/// A sentence with one value.
pub(crate) type Of1 = fn(Markup) -> Markup;
/// A sentence with two values.
pub(crate) type Of2 = fn(Markup, Markup) -> Markup;
/// A sentence with three values.
pub(crate) type Of3 = fn(Markup, Markup, Markup) -> Markup;
/// A sentence that counts: the number, to choose the form of the word by, and how it is written.
pub(crate) type Count = fn(u64, Markup) -> Markup;

/// All words of one language.
pub(crate) struct Words {
    /// Its code, for `lang`.
    pub(crate) language: Text,
    pub(crate) frame: Frame,
    pub(crate) shared: Shared,
    pub(crate) faults: Faults,
    pub(crate) notices: Notices,
    pub(crate) sign_in: SignIn,
    pub(crate) overview: Overview,
    pub(crate) products: Products,
    pub(crate) requests: Requests,
    pub(crate) production: Production,
    pub(crate) orders: Orders,
    pub(crate) customers: Customers,
    pub(crate) returns: Returns,
    pub(crate) incidents: Incidents,
    pub(crate) queues: Queues,
    pub(crate) advice: Advice,
    pub(crate) messages: Messages,
    pub(crate) operations: Operations,
    pub(crate) partners: Partners,
}

/// English, which is also what a reader of any other language gets.
pub(crate) static ENGLISH: Words = Words {
    language: "en",
    frame: frame::ENGLISH,
    shared: shared::ENGLISH,
    faults: faults::ENGLISH,
    notices: notices::ENGLISH,
    sign_in: sign_in::ENGLISH,
    overview: overview::ENGLISH,
    products: products::ENGLISH,
    requests: requests::ENGLISH,
    production: production::ENGLISH,
    orders: orders::ENGLISH,
    customers: customers::ENGLISH,
    returns: returns::ENGLISH,
    incidents: incidents::ENGLISH,
    queues: queues::ENGLISH,
    advice: advice::ENGLISH,
    messages: messages::ENGLISH,
    operations: operations::ENGLISH,
    partners: operations::PARTNERS_ENGLISH,
};

/// Korean.
pub(crate) static KOREAN: Words = Words {
    language: "ko",
    frame: frame::KOREAN,
    shared: shared::KOREAN,
    faults: faults::KOREAN,
    notices: notices::KOREAN,
    sign_in: sign_in::KOREAN,
    overview: overview::KOREAN,
    products: products::KOREAN,
    requests: requests::KOREAN,
    production: production::KOREAN,
    orders: orders::KOREAN,
    customers: customers::KOREAN,
    returns: returns::KOREAN,
    incidents: incidents::KOREAN,
    queues: queues::KOREAN,
    advice: advice::KOREAN,
    messages: messages::KOREAN,
    operations: operations::KOREAN,
    partners: operations::PARTNERS_KOREAN,
};

/// The words of whoever asks, by what their browser says they read.
pub(crate) fn of(call: &Call) -> &'static Words {
    match web::language(call.header(ACCEPT_LANGUAGE).unwrap_or_default(), &["en", "ko"]) {
        "ko" => &KOREAN,
        _ => &ENGLISH,
    }
}
