//! The post office: sends a letter as an email, once, through one provider or the one that takes over.
//!
//! Which provider may be given a letter is decided by [`restock_domain::post`]; here its steps are carried out: the ledger of
//! the store, the providers' gates, and the calls.
//!
//! Resend recognises a repeated letter for a day. Amazon SES and Mailpit recognise none: where the answer of such a provider was lost,
//! the letter is offered to it once more, because one that comes twice is better than one that nobody gets. After that somebody has
//! to look whether it came: its message is a dead letter, and a redrive sends it anew.

use crate::outbound::Incoming;
use crate::partner::{Closed, Health, Partner, Pass, store_failed};
use crate::{host, note};
use restock_bindings::letters;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::letter::Letter;
use restock_domain::partner::{Kind, MAIL, MAIL_FALLBACK};
use restock_domain::post::{Course, Outcome, Setting, Standing, Step, Which, key};
use restock_domain::reply::Done;
use restock_mail::{Mail, Mailbox, Provider};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long one call to a provider may take, all of it. Two of them, and the waits for their slots, fit into what a handler has.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);
/// Calls to one provider at a time.
const CONCURRENCY: u32 = 4;
/// The longest letter that the ledger keeps, bytes.
const CONTENT_BYTES_MAX: usize = 64 * 1024;

/// The reason where no provider is configured.
const NOT_CONFIGURED: &str = "mail-not-configured";
/// The reason where the recipient is no address.
const ADDRESS: &str = "mail-address";
/// The reason where the letter is longer than the ledger keeps.
const TOO_LONG: &str = "mail-too-long";
/// The reason where the ledger holds something that is no letter.
const UNREADABLE: &str = "mail-unreadable";

/// A letter that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was sent by this call.
    Now,
    /// It had been sent before; nothing was sent by this call.
    Before,
}

/// Sends letters, through providers as configured.
#[derive(Clone, Debug)]
pub struct PostOffice {
    from: Mailbox,
    first: Counter,
    fallback: Option<Counter>,
}

/// A provider behind its gate.
#[derive(Clone, Debug)]
struct Counter {
    partner: Partner,
    provider: Provider,
}

impl Counter {
    fn new(which: Which, provider: Provider, rate_per_second: u32) -> Self {
        Self { partner: Partner::new(which.partner(), rate_per_second, CONCURRENCY), provider }
    }
}

/// What becomes of a message whose letter cannot be sent because no provider is configured: a dead letter, because somebody must
/// know.
#[must_use]
pub fn not_configured() -> Verdict {
    Verdict::Reject(Failure::new(NOT_CONFIGURED, "no email can be sent: mail_provider is none"))
}

impl PostOffice {
    /// A post office that writes as `from`, with the provider that letters are for and the one that takes over, each of which is
    /// called so many times a second at most.
    #[must_use]
    pub fn new(from: Mailbox, first: Provider, fallback: Option<Provider>, rate_per_second: u32) -> Self {
        let fallback = fallback.map(|provider| Counter::new(Which::Fallback, provider, rate_per_second));
        Self { from, first: Counter::new(Which::First, first, rate_per_second), fallback }
    }

    /// Sends the letter of this id to an address, or finds that it was sent. `attempt` is the number of the attempt at the message
    /// that it comes from. `write` is asked for the letter only where nobody has it yet; what it wrote is kept, and is what later
    /// attempts offer again, word for word.
    ///
    /// The id is the same at every attempt and another one for any other letter, at most 200 visible ASCII characters. The same id with
    /// another address is another letter.
    ///
    /// # Errors
    /// The verdict on the message: tried again, postponed, or a dead letter where the letter is refused for good, or where a provider
    /// that recognises no repetition may have sent it.
    pub async fn send(
        &self,
        letter_id: &str,
        to: &str,
        attempt: u32,
        write: impl FnOnce() -> Letter,
    ) -> Result<Posted, Verdict> {
        let to = Mailbox::parse(to).map_err(|words| Verdict::Reject(Failure::new(ADDRESS, words)))?;
        let mut posting = Posting {
            office: self,
            key: key(letter_id, to.address()),
            to,
            write: Some(write),
            draft: None,
            entrusted: None,
            pass: None,
            posted: Posted::Before,
        };
        let result = posting.send(self.setting(attempt)).await;
        if let Some(pass) = posting.pass {
            pass.give_back().await;
        }
        result.map(|()| posting.posted)
    }

    fn setting(&self, attempt: u32) -> Setting {
        Setting {
            first_recognises: self.first.provider.offers_idempotency(),
            fallback_recognises: self.fallback.as_ref().map(|counter| counter.provider.offers_idempotency()),
            is_first_attempt: attempt <= 1,
        }
    }

    fn counter(&self, which: Which) -> &Counter {
        match (which, &self.fallback) {
            (Which::Fallback, Some(fallback)) => fallback,
            (Which::First | Which::Fallback, _) => &self.first,
        }
    }

    fn holder(&self, provider: &str, offers: u32) -> Standing {
        let is = |counter: &Counter| counter.provider.name() == provider;
        if is(&self.first) {
            Standing::With(Which::First, offers)
        } else if self.fallback.as_ref().is_some_and(is) {
            Standing::With(Which::Fallback, offers)
        } else {
            Standing::Elsewhere
        }
    }
}

/// One attempt at a letter.
struct Posting<'a, W> {
    office: &'a PostOffice,
    key: String,
    to: Mailbox,
    write: Option<W>,
    /// What was written in this attempt.
    draft: Option<String>,
    /// What the ledger holds.
    entrusted: Option<String>,
    /// Leave to call the provider that is next.
    pass: Option<Pass>,
    posted: Posted,
}

impl<W: FnOnce() -> Letter> Posting<'_, W> {
    async fn send(&mut self, setting: Setting) -> Result<(), Verdict> {
        let standing = self.look().await?;
        let (mut course, mut step) = Course::begin(standing, setting);
        loop {
            step = match step {
                Step::Enter(which) => match self.office.counter(which).partner.knock().await {
                    Ok(pass) => {
                        self.pass = Some(pass);
                        course.entered(which)
                    }
                    Err(Closed::Until(until_ms, kind)) => course.closed(which, kind, until_ms),
                    Err(Closed::Broken(fault)) => return Err(store_failed(&fault)),
                },
                Step::Entrust(which) => course.entrusted(which, self.entrust(which).await?),
                Step::Offer(which) => {
                    let (outcome, provider_id) = self.offer(which).await?;
                    let step = course.offered(which, outcome);
                    if let Step::Note(which) = step {
                        return self.note(which, provider_id).await;
                    }
                    step
                }
                Step::Release(which) => {
                    self.release(which).await?;
                    course.released(which)
                }
                // Only an offer leads to a note, and it is made there.
                Step::Note(which) => return self.note(which, String::new()).await,
                Step::End(end) => return end,
            };
        }
    }

    /// Reads where the letter is, and what it says where somebody has it.
    async fn look(&mut self) -> Result<Standing, Verdict> {
        let standing = letters::look(self.key.clone()).await.map_err(|fault| store_failed(&fault))?;
        Ok(match standing {
            letters::Standing::Unsent => Standing::Unsent,
            letters::Standing::Entrusted(posting) => {
                self.entrusted = Some(posting.content);
                self.office.holder(&posting.provider, posting.offers)
            }
            letters::Standing::Sent(_) => Standing::Sent,
        })
    }

    async fn entrust(&mut self, which: Which) -> Result<Standing, Verdict> {
        let draft = self.draft();
        if draft.len() > CONTENT_BYTES_MAX {
            let words = format!("the letter has more than {CONTENT_BYTES_MAX} bytes");
            return Err(Verdict::Reject(Failure::new(TOO_LONG, words)));
        }
        let provider = self.office.counter(which).provider.name().to_owned();
        let entrusted = letters::entrust(self.key.clone(), provider, draft, host::now_ms());
        entrusted.await.map_err(|fault| store_failed(&fault))?;
        // The first content stays, whoever entrusted it, and the provider may know it by that.
        self.look().await
    }

    /// What to entrust: what the ledger holds, which stays where its provider keeps the letter, or else what is written now.
    fn draft(&mut self) -> String {
        if let Some(entrusted) = &self.entrusted {
            return entrusted.clone();
        }
        if let Some(write) = self.write.take() {
            self.draft = Some(content(&self.office.from, &self.to, &write()));
        }
        self.draft.clone().unwrap_or_default()
    }

    /// Offers what the ledger holds to a provider: what came of it, and what the provider calls it.
    async fn offer(&mut self, which: Which) -> Result<(Outcome, String), Verdict> {
        let provider = &self.office.counter(which).provider;
        let content = self.entrusted.as_deref().unwrap_or_default();
        let mail =
            mail(&self.key, content).map_err(|words| Verdict::Reject(Failure::new(UNREADABLE, words)))?;
        let request = match provider.request(&mail, host::now_ms()) {
            Ok(request) => request,
            Err(fault) => return Ok((Outcome::Refused(fault.to_string()), String::new())),
        };
        let pass = match self.pass.take() {
            Some(pass) => pass,
            None => self.office.counter(which).partner.enter().await?,
        };
        let answer = pass.call(request, CALL_TIME_MAX, |answer| {
            let outcome = read(provider, &answer, host::now_ms());
            (health(&outcome.0), outcome)
        });
        Ok(answer.await.unwrap_or_else(|no_answer| {
            let failed = &no_answer.failed;
            (Outcome::Failed(failed.kind(), failed.done(), failed.to_string()), String::new())
        }))
    }

    async fn release(&mut self, which: Which) -> Result<(), Verdict> {
        let provider = self.office.counter(which).provider.name().to_owned();
        // Whoever gets it next gets it as it would be written today.
        self.entrusted = None;
        letters::release(self.key.clone(), provider).await.map_err(|fault| store_failed(&fault))
    }

    /// Notes that the letter was sent. Where that fails, the letter stays with its provider and is offered again.
    async fn note(&mut self, which: Which, provider_id: String) -> Result<(), Verdict> {
        let provider = self.office.counter(which).provider.name();
        let noted = note::make("a sent letter", || {
            letters::sent(self.key.clone(), provider.to_owned(), provider_id.clone(), host::now_ms())
        });
        noted.await.map_err(|fault| store_failed(&fault))?;
        self.posted = Posted::Now;
        Ok(())
    }
}

/// What an answer means for the letter, and what the provider calls it.
fn read(provider: &Provider, answer: &Incoming, now_ms: u64) -> (Outcome, String) {
    use restock_mail::Outcome as Answer;
    let outcome = match provider.read(answer.status, &answer.headers, &answer.body, now_ms) {
        Answer::Accepted { provider_id } => return (Outcome::Accepted, provider_id),
        Answer::Busy { retry_after_ms, words } => Outcome::Busy(now_ms.saturating_add(retry_after_ms), words),
        Answer::Unfinished(words) => Outcome::Failed(Kind::Busy, Done::Unknown, words),
        Answer::Refused(words) => Outcome::Refused(words),
        Answer::Failing { words, sent } => Outcome::Failed(Kind::Failing, sent, words),
        Answer::Unusable(words) => Outcome::Failed(Kind::UnusableAnswer, Done::Unknown, words),
    };
    (outcome, String::new())
}

/// What an outcome says of the provider's health.
fn health(outcome: &Outcome) -> Health {
    match outcome {
        // The last is at work on an earlier request for this letter.
        Outcome::Accepted | Outcome::Refused(_) | Outcome::Failed(Kind::Busy, ..) => Health::Well,
        Outcome::Busy(until_ms, _) => Health::Busy(*until_ms),
        Outcome::Failed(..) => Health::Failing,
    }
}

/// Whether a letter came to nothing because of whom it is for: the address is none, or a provider refused the letter for good.
#[must_use]
pub fn is_refused(verdict: &Verdict) -> bool {
    let Verdict::Reject(failure) = verdict else { return false };
    failure.reason == ADDRESS
        || [MAIL, MAIL_FALLBACK]
            .into_iter()
            .any(|partner| failure.reason == Kind::Refused.of(partner, "").reason)
}

/// Whether two addresses, each with or without a name, are the same one. Capital letters are taken for small ones, as nearly every
/// provider does.
#[must_use]
pub fn is_same_address(one: &str, other: &str) -> bool {
    let address = |text| Mailbox::parse(text).map(|mailbox| mailbox.address().to_ascii_lowercase());
    matches!((address(one), address(other)), (Ok(one), Ok(other)) if one == other)
}

/// A letter as the ledger keeps it: all that its words are made from.
#[derive(Serialize, Deserialize)]
struct Content {
    from: Person,
    to: Person,
    subject: String,
    lead: String,
    facts: Vec<(String, String)>,
    paragraphs: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Person {
    address: String,
    name: Option<String>,
}

impl Person {
    fn of(mailbox: &Mailbox) -> Self {
        Self { address: mailbox.address().to_owned(), name: mailbox.name().map(str::to_owned) }
    }

    fn mailbox(&self) -> Result<Mailbox, String> {
        Mailbox::new(&self.address, self.name.as_deref())
    }
}

/// Writes a letter down for the ledger.
fn content(from: &Mailbox, to: &Mailbox, letter: &Letter) -> String {
    let content = Content {
        from: Person::of(from),
        to: Person::of(to),
        subject: letter.subject().to_owned(),
        lead: letter.lead().to_owned(),
        facts: letter.facts().to_vec(),
        paragraphs: letter.paragraphs().to_vec(),
    };
    // Texts in lists can always be written.
    serde_json::to_string(&content).unwrap_or_default()
}

/// Reads what [`content`] wrote.
fn mail(key: &str, content: &str) -> Result<Mail, String> {
    let content: Content =
        serde_json::from_str(content).map_err(|error| format!("the ledger holds no letter: {error}"))?;
    let mut letter = Letter::new(&content.subject, &content.lead);
    for (name, value) in &content.facts {
        letter = letter.fact(name, value);
    }
    for paragraph in &content.paragraphs {
        letter = letter.paragraph(paragraph);
    }
    Ok(Mail { id: key.to_owned(), from: content.from.mailbox()?, to: content.to.mailbox()?, letter })
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_mail::{RESEND_ORIGIN, Secret};

    fn mailbox(text: &str) -> Mailbox {
        Mailbox::parse(text).expect("a mailbox")
    }

    fn letter() -> Letter {
        Letter::new("부산도너츠 품절", &"가 ".repeat(400))
            .fact("Product", &"나\u{2028}".repeat(400))
            .fact("Since", "09:00")
            .paragraph(&"다 ".repeat(2_000))
    }

    #[test]
    fn what_is_offered_again_is_word_for_word_the_same() {
        let (from, to) =
            (mailbox("부산도너츠 <shop@example.com>"), mailbox("\"Ads, Inc.\" <ads@example.com>"));
        let long_name = mailbox(&format!("{} <a@example.com>", "라 ".repeat(90)));
        for to in [to, long_name] {
            let written =
                Mail { id: "pause-1.abc".to_owned(), from: from.clone(), to: to.clone(), letter: letter() };
            let read = mail("pause-1.abc", &content(&from, &to, &letter())).expect("a mail");
            assert_eq!(read, written);
            let provider = Provider::Resend { origin: RESEND_ORIGIN.to_owned(), key: Secret::new("re_1") };
            let body = |mail| provider.request(mail, 0).expect("a request").into_body();
            assert_eq!(body(&read), body(&written));
        }
    }

    #[test]
    fn the_holder_of_a_letter_is_known_by_its_providers_name() {
        let mailpit = Provider::Mailpit { origin: "http://127.0.0.1:8025".to_owned(), key: None };
        let resend = Provider::Resend { origin: RESEND_ORIGIN.to_owned(), key: Secret::new("re_1") };
        let office = PostOffice::new(mailbox("shop@example.com"), resend, Some(mailpit), 2);
        assert_eq!(office.holder("resend", 1), Standing::With(Which::First, 1));
        assert_eq!(office.holder("mailpit", 2), Standing::With(Which::Fallback, 2));
        assert_eq!(office.holder("ses", 1), Standing::Elsewhere);
    }

    #[test]
    fn a_course_knows_which_providers_recognise_a_letter_and_whether_it_is_tried_for_the_first_time() {
        let mailpit = || Provider::Mailpit { origin: "http://127.0.0.1:8025".to_owned(), key: None };
        let resend = || Provider::Resend { origin: RESEND_ORIGIN.to_owned(), key: Secret::new("re_1") };
        let office = |first, fallback| PostOffice::new(mailbox("shop@example.com"), first, fallback, 2);
        assert_eq!(
            office(resend(), Some(mailpit())).setting(1),
            Setting { first_recognises: true, fallback_recognises: Some(false), is_first_attempt: true }
        );
        assert_eq!(
            office(mailpit(), None).setting(2),
            Setting { first_recognises: false, fallback_recognises: None, is_first_attempt: false }
        );
    }

    fn answered(status: u16, body: &'static str) -> Outcome {
        let provider = Provider::Resend { origin: RESEND_ORIGIN.to_owned(), key: Secret::new("re_1") };
        let answer = Incoming { status, headers: http::HeaderMap::new(), body: body.into() };
        read(&provider, &answer, 0).0
    }

    #[test]
    fn a_provider_that_is_at_work_on_the_letter_is_well_and_has_it_still() {
        let concurrent =
            answered(409, r#"{"name":"concurrent_idempotent_requests","message":"in progress"}"#);
        assert!(matches!(concurrent, Outcome::Failed(Kind::Busy, Done::Unknown, _)), "{concurrent:?}");
        assert!(matches!(health(&concurrent), Health::Well));
        assert!(matches!(health(&answered(502, "")), Health::Failing));
        assert!(matches!(health(&answered(422, "{}")), Health::Well));
        assert!(matches!(health(&Outcome::Busy(7, String::new())), Health::Busy(7)));
    }

    #[test]
    fn a_letter_that_its_provider_knows_in_other_words_was_taken() {
        let known = r#"{"name":"invalid_idempotent_request","message":"used with another body"}"#;
        assert_eq!(answered(409, known), Outcome::Accepted);
    }

    #[test]
    fn the_same_address_is_known_with_and_without_a_name() {
        assert!(is_same_address("Stock <stock@example.com>", "STOCK@example.com"));
        assert!(!is_same_address("stock@example.com", "factory@example.com"));
        assert!(!is_same_address("no address", "no address"), "nobody can be reached there");
    }
}
