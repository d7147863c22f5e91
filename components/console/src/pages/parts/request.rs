//! Production requests: their state, and why they were made.

use super::{Tone, address, badge, number, short_id, units};
use crate::pages::words::Words;
use maud::{Markup, html};
use restock_bindings::production::{Request, Status};

/// The state of a request.
pub(crate) fn production_badge(words: &Words, status: Status) -> Markup {
    let words = &words.requests;
    match status {
        Status::Planned => badge(Tone::Busy, words.planned),
        Status::Requested => badge(Tone::Busy, words.requested),
        Status::Overdue => badge(Tone::Warn, words.overdue),
        Status::Received => badge(Tone::Good, words.received),
        Status::Failed => badge(Tone::Bad, words.failed),
        Status::Cancelled => badge(Tone::Plain, words.cancelled),
    }
}

/// Why a request was made: every number that led to it, as one can check it.
pub(crate) fn why(words: &Words, request: &Request) -> Markup {
    let said = &words.requests;
    let cause = &request.because;
    let position = cause.on_hand.saturating_add(cause.on_order).saturating_sub(cause.backordered);
    let follows = request.follows.as_ref().map(|follows| {
        let before = html! { a href=(address(&["production", follows], &[])) { (short_id(follows)) } };
        (said.follows)(before, units(words, request.quantity))
    });
    let missing = cause.order_up_to.saturating_sub(position);
    let term = |name: &str, value: i64| html! { span class="term" { (number(value)) small { (name) } } };
    let sign = |sign: &str| html! { span class="sign" { (sign) } };
    html! {
        ol class="why" {
            li {
                span class="sum" {
                    (term(said.on_hand, cause.on_hand)) (sign("+")) (term(said.on_order, cause.on_order)) (sign("−"))
                    (term(said.backordered, cause.backordered)) (sign("=")) (term(said.position, position))
                }
                p { (said.position_is) }
            }
            li {
                span class="sum" {
                    (term(said.position, position)) (sign(if position <= cause.reorder_point { "≤" } else { ">" }))
                    (term(said.reorder_point, cause.reorder_point))
                }
                p { @if position <= cause.reorder_point { (said.so_goods_are_needed) } @else { (said.above_the_point) } }
            }
            li {
                span class="sum" {
                    (term(said.order_up_to, cause.order_up_to)) (sign("−")) (term(said.position, position))
                    (sign(if missing == request.quantity { "=" } else { "≠" })) (term(said.quantity, request.quantity))
                }
                p {
                    @if let Some(follows) = follows { (follows) }
                    @else { ((said.so_many_were_asked_for)(units(words, request.quantity))) }
                }
            }
        }
    }
}
