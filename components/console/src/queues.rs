//! Queues, dead letters, and what operators do to them.

use restock_api::queue::{
    self as api, Attempt, Buried, BuriedGroup, Choice, Event, Message, MessageState, PauseRequest, Paused,
    PurgeRequest, Purged, Queue, RedriveRequest, Redriven, Selection,
};
use restock_api::{Page, Time};
use restock_bindings::queue::{self, Action, Operation, Status};
use restock_bindings::types;
use restock_domain::name;
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error};

fn unknown() -> Error {
    Error::NotFound("there is no such queue")
}

fn named(call: &Call) -> Result<String, Error> {
    if name::is_identifier(call.value()) { Ok(call.value().to_owned()) } else { Err(unknown()) }
}

/// `GET /v1/queues`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let queues = queue::list(call.now_ms()).await?;
    Ok(Answer::ok(&Page::whole(queues.into_iter().map(status).collect())))
}

/// `GET /v1/queues/{queue}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let queues = queue::list(call.now_ms()).await?;
    let found = queues.into_iter().find(|status| status.queue == call.value()).ok_or_else(unknown)?;
    Ok(Answer::ok(&status(found)))
}

/// `GET /v1/queues/{queue}/buried`
pub(crate) async fn buried(call: Call) -> Result<Answer, Error> {
    let reason = call.query().text("reason", api::is_failure, api::FAILURE)?;
    let page = call.page()?;
    let queue = named(&call)?;
    let rows = queue::buried(queue.clone(), reason, types::Page { limit: page.limit, after: page.after })
        .await?
        .ok_or_else(unknown)?;
    let groups = queue::buried_groups(queue).await?.ok_or_else(unknown)?;
    Ok(Answer::ok(&Buried {
        page: Page::of(rows, page.limit, |message| message.cursor.clone(), view),
        groups: groups.into_iter().map(group).collect(),
    }))
}

fn group(group: queue::BuriedGroup) -> BuriedGroup {
    BuriedGroup {
        reason: group.reason,
        count: group.count,
        oldest_at: Time(group.oldest_at),
        newest_at: Time(group.newest_at),
        error: group.error,
    }
}

/// `GET /v1/messages/{id}`
pub(crate) async fn message(call: Call) -> Result<Answer, Error> {
    let unknown = || Error::NotFound("there is no such message");
    if !name::is_identifier(call.value()) {
        return Err(unknown());
    }
    let message = queue::get(call.value().to_owned()).await?.ok_or_else(unknown)?;
    Ok(Answer::ok(&view(message)))
}

/// `POST /v1/queues/{queue}/pause`
pub(crate) async fn pause(mut call: Call) -> Result<Answer, Error> {
    let request = PauseRequest::decode(&call.optional_json_body().await?)?;
    operate(&call, Action::Pause, request.reason.unwrap_or_default()).await?;
    Ok(Answer::ok(&Paused { queue: call.value().to_owned(), paused: true }))
}

/// `POST /v1/queues/{queue}/resume`
pub(crate) async fn resume(mut call: Call) -> Result<Answer, Error> {
    let request = PauseRequest::decode(&call.optional_json_body().await?)?;
    operate(&call, Action::Resume, request.reason.unwrap_or_default()).await?;
    doorbell::ring_later([call.value()]);
    Ok(Answer::ok(&Paused { queue: call.value().to_owned(), paused: false }))
}

/// `POST /v1/queues/{queue}/redrive`
pub(crate) async fn redrive(mut call: Call) -> Result<Answer, Error> {
    let choice = RedriveRequest::decode(&call.json_body().await?)?;
    let dry_run = choice.dry_run;
    let redriven = carry_out(&call, choice, Action::Redrive).await?;
    if redriven > 0 && !dry_run {
        doorbell::ring_later([call.value()]);
    }
    Ok(Answer::ok(&Redriven { redriven, dry_run }))
}

/// `POST /v1/queues/{queue}/purge`
pub(crate) async fn purge(mut call: Call) -> Result<Answer, Error> {
    let choice = PurgeRequest::decode(&call.json_body().await?)?;
    let dry_run = choice.dry_run;
    let purged = carry_out(&call, choice, Action::Purge).await?;
    Ok(Answer::ok(&Purged { purged, dry_run }))
}

/// Does to the chosen dead letters what is asked, or counts them where the run is dry.
async fn carry_out(
    call: &Call,
    choice: Choice,
    action: impl Fn((queue::Selection, u32)) -> Action,
) -> Result<u32, Error> {
    let selection = meant(choice.selection);
    if choice.dry_run {
        return queue::selected(named(call)?, selection, choice.limit).await?.ok_or_else(unknown);
    }
    operate(call, action((selection, choice.limit)), choice.words).await
}

async fn operate(call: &Call, action: Action, reason: String) -> Result<u32, Error> {
    let operation =
        Operation { queue: named(call)?, action, reason, operator: call.operator(), at: call.now_ms() };
    queue::operate(operation).await?.ok_or_else(unknown)
}

fn meant(selection: Selection) -> queue::Selection {
    match selection {
        Selection::Ids(ids) => queue::Selection::Ids(ids),
        Selection::Reason(reason) => queue::Selection::Reason(reason),
        Selection::All => queue::Selection::All,
    }
}

fn status(status: Status) -> Queue {
    Queue {
        queue: status.queue,
        paused: status.paused,
        ready: status.ready,
        leased: status.leased,
        buried: status.buried,
        done_total: status.done_total,
        oldest_ready_seconds: status.oldest_ready_seconds,
        ordered: status.ordered,
        lease_ms: status.lease_ms,
        in_flight_max: status.in_flight_max,
        retention_ms: status.retention_ms,
        attempts_max: status.attempts_max,
    }
}

fn view(message: queue::Message) -> Message {
    Message {
        id: message.id,
        queue: message.queue,
        state: match message.state {
            queue::MessageState::Ready => MessageState::Ready,
            queue::MessageState::Leased => MessageState::Leased,
            queue::MessageState::Done => MessageState::Done,
            queue::MessageState::Buried => MessageState::Buried,
            queue::MessageState::Purged => MessageState::Purged,
        },
        event: event(message.event),
        attempt: message.attempt,
        available_at: Time(message.available_at),
        redrives: message.redrives,
        created_at: Time(message.created_at),
        settled_at: message.settled_at.map(Time),
        reason: message.reason,
        error: message.error,
        attempts: message
            .attempts
            .into_iter()
            .map(|attempt| Attempt {
                started_at: Time(attempt.started_at),
                ended_at: Time(attempt.ended_at),
                duration_ms: attempt.ended_at.saturating_sub(attempt.started_at),
                outcome: attempt.outcome,
                reason: attempt.reason,
                error: attempt.error,
            })
            .collect(),
    }
}

fn event(event: queue::Event) -> Event {
    // Data that is not JSON is why such a message was buried, so it is shown as it is.
    let data = serde_json::from_str(&event.data).unwrap_or(serde_json::Value::String(event.data));
    Event {
        specversion: "1.0",
        id: event.id,
        source: event.source,
        kind: event.kind,
        subject: event.subject,
        time: Time(event.time),
        datacontenttype: "application/json",
        traceparent: event.traceparent,
        data,
    }
}
