//! Pausing a queue and resuming it.

use super::{desk, path_to};
use crate::pages::parts::{self, Confirmation};
use crate::pages::{Notice, Reader, Reply, Section, View, Visit};
use http::StatusCode;
use maud::{Markup, html};
use restock_bindings::queue::Status;
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use restock_edge::Error;

/// What is to become of the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Off,
    On,
}

/// `GET /queues/{queue}/pause`
pub(crate) async fn ask_pause(visit: Visit) -> Result<Reply, Error> {
    ask(&visit, Turn::Off).await
}

/// `GET /queues/{queue}/resume`
pub(crate) async fn ask_resume(visit: Visit) -> Result<Reply, Error> {
    ask(&visit, Turn::On).await
}

/// `POST /queues/{queue}/pause`
pub(crate) async fn pause(visit: Visit) -> Result<Reply, Error> {
    carry_out(&visit, Turn::Off).await
}

/// `POST /queues/{queue}/resume`
pub(crate) async fn resume(visit: Visit) -> Result<Reply, Error> {
    carry_out(&visit, Turn::On).await
}

async fn ask(visit: &Visit, turn: Turn) -> Result<Reply, Error> {
    let status = desk(visit)?.status().await?;
    Ok(Reply::Page(view(visit.reader(), &status, turn, None)))
}

async fn carry_out(visit: &Visit, turn: Turn) -> Result<Reply, Error> {
    let desk = desk(visit)?;
    let given = visit.form().get("reason").unwrap_or_default();
    let reason = given.trim();
    if !reason.is_empty() && !name::is_text(reason, REASON_CHARACTERS_MAX) {
        let view = view(visit.reader(), &desk.status().await?, turn, Some(given));
        return Ok(Reply::Page(view.status(StatusCode::UNPROCESSABLE_ENTITY)));
    }
    let reason = reason.to_owned();
    let notice = match turn {
        Turn::Off => desk.pause(reason).await.map(|()| Notice::Paused)?,
        Turn::On => desk.resume(reason).await.map(|()| Notice::Resumed)?,
    };
    Ok(Reply::Done(path_to(desk.queue()), notice))
}

/// `wrong` is a reason that cannot be one, given before.
fn view(reader: &Reader, status: &Status, turn: Turn, wrong: Option<&str>) -> View {
    let said = &reader.words.queues.deeds;
    let queue = status.queue.as_str();
    let back = path_to(queue);
    let title = match turn {
        Turn::Off => (said.pause_title)(queue),
        Turn::On => (said.resume_title)(queue),
    };
    if status.paused == (turn == Turn::Off) {
        let says = if status.paused { said.already_paused } else { said.already_running };
        let body = parts::empty(says, html! { a href=(back) { (said.back) } });
        return View::new(Section::Queues, title, body);
    }
    let (says, button, action): (Markup, _, _) = match turn {
        Turn::Off => (
            html! {
                p { (said.pause_says) }
                p { ((said.pause_counts)(parts::number(status.ready), parts::number(status.leased))) }
            },
            said.pause_button,
            "pause",
        ),
        Turn::On => (
            html! {
                p { (said.resume_says) }
                p { ((said.resume_waiting)(status.due, parts::number(status.due))) }
            },
            said.resume_button,
            "resume",
        ),
    };
    let asked = Confirmation {
        action: &parts::address(&["queues", queue, action], &[]),
        says,
        fields: html! {},
        reason: Some(false),
        reason_given: wrong.unwrap_or_default(),
        button,
        danger: false,
        back: &back,
    };
    let body = html! {
        @if wrong.is_some() { (parts::wrong(said.reason_wrong)) }
        (parts::confirmation(reader, &asked))
    };
    View::new(Section::Queues, title, body)
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    use super::samples::status;
    let mut views = Vec::new();
    for status in [status(hostile, 0), status("alerts", 2)] {
        for turn in [Turn::Off, Turn::On] {
            views.push(view(reader, &status, turn, None));
            views.push(view(reader, &status, turn, Some(hostile)));
        }
    }
    views
}
