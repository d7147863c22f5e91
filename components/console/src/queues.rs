//! Queues, dead letters, and what operators do to them.

use restock_api::page::PageRequest;
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

/// Somebody at a queue: what the interface for programs and the pages for people do to it is done here, once.
pub(crate) struct Desk {
    queue: String,
    operator: String,
    now_ms: u64,
}

impl Desk {
    /// Takes a seat. The operator is the fingerprint of a key.
    ///
    /// # Errors
    /// 404 for a name that no queue can have.
    pub(crate) fn at(queue: &str, operator: String, now_ms: u64) -> Result<Self, Error> {
        if name::is_identifier(queue) {
            Ok(Self { queue: queue.to_owned(), operator, now_ms })
        } else {
            Err(unknown())
        }
    }

    fn of(call: &Call) -> Result<Self, Error> {
        Self::at(call.value(), call.operator(), call.now_ms())
    }

    /// The queue's name.
    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// The queue as it is now.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn status(&self) -> Result<Status, Error> {
        let queues = queue::list(self.now_ms).await?;
        queues.into_iter().find(|status| status.queue == self.queue).ok_or_else(unknown)
    }

    /// One page of its dead letters, newest first, of one kind of failure or of all.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn buried(
        &self,
        reason: Option<String>,
        page: &PageRequest,
    ) -> Result<Vec<queue::Message>, Error> {
        let page = types::Page { limit: page.limit, after: page.after.clone() };
        queue::buried(self.queue.clone(), reason, page).await?.ok_or_else(unknown)
    }

    /// Its dead letters by kind of failure.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn groups(&self) -> Result<Vec<queue::BuriedGroup>, Error> {
        queue::buried_groups(self.queue.clone()).await?.ok_or_else(unknown)
    }

    /// Makes it give out nothing.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn pause(&self, reason: String) -> Result<(), Error> {
        self.operate(Action::Pause, reason).await.map(drop)
    }

    /// Makes it give out messages again, and says so to its worker.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn resume(&self, reason: String) -> Result<(), Error> {
        self.operate(Action::Resume, reason).await?;
        doorbell::ring_later([&self.queue]);
        Ok(())
    }

    /// Makes dead letters ready again, or counts them where the run is dry, and says how many.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn redrive(&self, choice: Choice) -> Result<u32, Error> {
        let dry_run = choice.dry_run;
        let redriven = self.carry_out(choice, Action::Redrive).await?;
        if redriven > 0 && !dry_run {
            doorbell::ring_later([&self.queue]);
        }
        Ok(redriven)
    }

    /// Removes dead letters for good, or counts them where the run is dry, and says how many.
    ///
    /// # Errors
    /// 404 for an unknown queue; the store's fault.
    pub(crate) async fn purge(&self, choice: Choice) -> Result<u32, Error> {
        self.carry_out(choice, Action::Purge).await
    }

    /// Does to the chosen dead letters what is asked, or counts them where the run is dry.
    async fn carry_out(
        &self,
        choice: Choice,
        action: impl Fn((queue::Selection, u32)) -> Action,
    ) -> Result<u32, Error> {
        let selection = meant(choice.selection);
        if choice.dry_run {
            return queue::selected(self.queue.clone(), selection, choice.limit).await?.ok_or_else(unknown);
        }
        self.operate(action((selection, choice.limit)), choice.words).await
    }

    async fn operate(&self, action: Action, reason: String) -> Result<u32, Error> {
        let operation = Operation {
            queue: self.queue.clone(),
            action,
            reason,
            operator: self.operator.clone(),
            at: self.now_ms,
        };
        queue::operate(operation).await?.ok_or_else(unknown)
    }
}

/// Reads a message.
///
/// # Errors
/// 404 for an unknown one; the store's fault.
pub(crate) async fn find_message(id: &str) -> Result<queue::Message, Error> {
    let unknown = || Error::NotFound("there is no such message");
    if !name::is_identifier(id) {
        return Err(unknown());
    }
    queue::get(id.to_owned()).await?.ok_or_else(unknown)
}

/// `GET /v1/queues`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let queues = queue::list(call.now_ms()).await?;
    Ok(Answer::ok(&Page::whole(queues.into_iter().map(status).collect())))
}

/// `GET /v1/queues/{queue}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    Ok(Answer::ok(&status(Desk::of(&call)?.status().await?)))
}

/// `GET /v1/queues/{queue}/buried`
pub(crate) async fn buried(call: Call) -> Result<Answer, Error> {
    let reason = call.query().text("reason", api::is_failure, api::FAILURE)?;
    let page = call.page()?;
    let desk = Desk::of(&call)?;
    let rows = desk.buried(reason, &page).await?;
    let groups = desk.groups().await?;
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
    Ok(Answer::ok(&view(find_message(call.value()).await?)))
}

/// `POST /v1/queues/{queue}/pause`
pub(crate) async fn pause(mut call: Call) -> Result<Answer, Error> {
    let request = PauseRequest::decode(&call.optional_json_body().await?)?;
    Desk::of(&call)?.pause(request.reason.unwrap_or_default()).await?;
    Ok(Answer::ok(&Paused { queue: call.value().to_owned(), paused: true }))
}

/// `POST /v1/queues/{queue}/resume`
pub(crate) async fn resume(mut call: Call) -> Result<Answer, Error> {
    let request = PauseRequest::decode(&call.optional_json_body().await?)?;
    Desk::of(&call)?.resume(request.reason.unwrap_or_default()).await?;
    Ok(Answer::ok(&Paused { queue: call.value().to_owned(), paused: false }))
}

/// `POST /v1/queues/{queue}/redrive`
pub(crate) async fn redrive(mut call: Call) -> Result<Answer, Error> {
    let choice = RedriveRequest::decode(&call.json_body().await?)?;
    let dry_run = choice.dry_run;
    let redriven = Desk::of(&call)?.redrive(choice).await?;
    Ok(Answer::ok(&Redriven { redriven, dry_run }))
}

/// `POST /v1/queues/{queue}/purge`
pub(crate) async fn purge(mut call: Call) -> Result<Answer, Error> {
    let choice = PurgeRequest::decode(&call.json_body().await?)?;
    let dry_run = choice.dry_run;
    let purged = Desk::of(&call)?.purge(choice).await?;
    Ok(Answer::ok(&Purged { purged, dry_run }))
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
        due: status.due,
        oldest_due_seconds: status.oldest_due_seconds,
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

/// An event as a CloudEvents record.
pub(crate) fn event(event: queue::Event) -> Event {
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
