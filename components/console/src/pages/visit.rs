//! One request of somebody who signed in: who they are, what they sent, and what they get.

use super::fault::Whose;
use super::layout::{self, View};
use super::notice::Notice;
use super::parts;
use super::sign_in;
use super::words::{self, Words};
use http::header::IF_NONE_MATCH;
use http::{HeaderName, Method};
use restock_api::page::PageRequest;
use restock_api::query::Query;
use restock_domain::keys::{Access, Role};
use restock_edge::session::{self, Presence, Session};
use restock_edge::{Answer, Call, Error};

/// Asks for the part of a page that changes, without the frame around it.
pub(super) const PART: HeaderName = HeaderName::from_static("x-restock-part");
/// The field of every form that proves whose page it was on.
pub(super) const TOKEN_FIELD: &str = "form_token";

/// For whom and when a page is written: all that a view may know of the request.
pub(crate) struct Reader {
    /// In their language.
    pub(crate) words: &'static Words,
    /// May change things. Nobody else is shown a button that does.
    pub(crate) operator: bool,
    /// Names the key they signed in with, in records.
    pub(crate) fingerprint: String,
    /// Goes into every form ([`parts::form_token`]).
    pub(crate) form_token: String,
    /// The moment of the page, ms since 1970.
    pub(crate) now_ms: u64,
    /// What was just done for them.
    pub(crate) notice: Option<Notice>,
}

/// One request of somebody who signed in.
pub(crate) struct Visit {
    call: Call,
    reader: Reader,
    form: Query,
}

/// What a page answers.
pub(crate) enum Reply {
    /// A page.
    Page(View),
    /// It is done: the browser goes on to this path, which says so.
    Done(String, Notice),
    /// What was asked for is there.
    Go(String),
    /// Anything else.
    Other(Answer),
}

impl Reader {
    pub(super) fn of(call: &Call, session: &Session) -> Self {
        Self {
            words: words::of(call),
            operator: session.caller.role == Role::Operator,
            fingerprint: session.caller.fingerprint.clone(),
            form_token: session.form_token().to_owned(),
            now_ms: call.now_ms(),
            notice: Notice::read(call.query()),
        }
    }
}

impl Visit {
    /// For whom the page is written.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The first `{name}` of the path, decoded.
    pub(crate) fn value(&self) -> &str {
        self.call.value()
    }

    /// When the request arrived, ms since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.reader.now_ms
    }

    /// Names whoever acts in records.
    pub(crate) fn operator(&self) -> String {
        self.reader.fingerprint.clone()
    }

    /// The query parameters.
    pub(crate) fn query(&self) -> &Query {
        self.call.query()
    }

    /// The fields of the form that was sent; none on a `GET`.
    pub(crate) fn form(&self) -> &Query {
        &self.form
    }

    /// Which page of a list is asked for.
    ///
    /// # Errors
    /// 422 with the faults of `limit` and `cursor`.
    pub(crate) fn page(&self) -> Result<PageRequest, Error> {
        self.call.page()
    }
}

/// The session of a request, where all is well with it.
pub(super) async fn session_of(call: &Call) -> Option<Session> {
    match session::presence(call).await {
        Ok(Presence::Here(session)) => Some(session),
        _ => None,
    }
}

/// Lets somebody in to a page, or says why not.
pub(super) async fn answer(
    mut call: Call,
    access: Access,
    handler: fn(Visit) -> super::Replying,
) -> Result<Answer, Error> {
    let whose = Whose::of(&call);
    let known = call.header(IF_NONE_MATCH).map(str::to_owned);
    let session = match session::presence(&call).await {
        Ok(Presence::Here(session)) => session,
        Ok(Presence::Elsewhere) => {
            return whose.answer(Error::Forbidden("this key is not good from this address"), None);
        }
        Ok(Presence::Nobody) if reads(&call) && !whose.part => {
            return Ok(Answer::see_other(&sign_in::path_to(&call)));
        }
        Ok(Presence::Nobody) => return whose.answer(Error::Unauthorized, None),
        Err(error) => return whose.answer(error, None),
    };
    let reader = Reader::of(&call, &session);
    let form = match admit(&mut call, access, &session).await {
        Ok(form) => form,
        Err(error) => return whose.answer(error, Some(&reader)),
    };
    let visit = Visit { reader: Reader::of(&call, &session), call, form };
    match handler(visit).await {
        Ok(Reply::Page(view)) if whose.part => Ok(layout::part(&view, known.as_deref())),
        Ok(Reply::Page(view)) => Ok(layout::answer(&reader, &view)),
        Ok(Reply::Done(path, notice)) => Ok(Answer::see_other(&notice.on(&path))),
        Ok(Reply::Go(path)) => Ok(Answer::see_other(&path)),
        Ok(Reply::Other(answer)) => Ok(answer),
        Err(error) => whose.answer(error, Some(&reader)),
    }
}

fn reads(call: &Call) -> bool {
    matches!(*call.method(), Method::GET | Method::HEAD)
}

/// Whether this session may do that, and the form that it sent with it.
async fn admit(call: &mut Call, access: Access, session: &Session) -> Result<Query, Error> {
    if !session.caller.role.may(access) {
        return Err(Error::Forbidden(VIEWERS_LOOK));
    }
    if reads(call) {
        return Ok(Query::default());
    }
    let own = session::is_own_form(call).await?;
    let form = call.form().await?;
    judge_form(own, &form, session)?;
    Ok(form)
}

/// Why a viewer cannot do what an operator can.
pub(super) const VIEWERS_LOOK: &str = "this key may look and change nothing";
/// Why a form is refused.
pub(super) const FOREIGN_FORM: &str = "this form was not made for this session";

fn judge_form(own: bool, form: &Query, session: &Session) -> Result<(), Error> {
    let proven = form.get(TOKEN_FIELD).is_some_and(|token| session.sent(token));
    if own && proven { Ok(()) } else { Err(Error::Forbidden(FOREIGN_FORM)) }
}

/// Where a list goes on: the page's rows with the cursor of the next ones.
pub(crate) fn listed<T>(rows: Vec<T>, page: &PageRequest, key: impl Fn(&T) -> String) -> parts::Rows<T> {
    restock_api::Page::of(rows, page.limit, key, |row| row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_domain::keys::KeySet;
    use restock_domain::session::{Opening, open};

    fn session(key: &str, nonce: u8) -> Session {
        let mut keys = KeySet::new();
        keys.add(Role::Operator, "do").expect("keys");
        keys.add(Role::Viewer, "see").expect("keys");
        match open(&keys, key, 1, [nonce; 16]) {
            Opening::Opened(_, session) => session,
            _ => panic!("{key} opens no session"),
        }
    }

    fn sent(own: bool, body: &str) -> bool {
        judge_form(own, &Query::parse(Some(body)), &session("do", 1)).is_ok()
    }

    #[test]
    fn a_form_needs_the_token_of_its_own_session() {
        let token = |key, nonce| format!("a=b&{TOKEN_FIELD}={}", session(key, nonce).form_token());
        assert!(sent(true, &token("do", 1)));
        for wrong in [
            String::new(),
            format!("{TOKEN_FIELD}="),
            token("do", 2),
            token("see", 1),
            format!("{}0", token("do", 1)),
        ] {
            assert!(!sent(true, &wrong), "{wrong}");
        }
    }

    #[test]
    fn a_form_that_another_site_sends_is_refused_whatever_it_carries() {
        let token = format!("{TOKEN_FIELD}={}", session("do", 1).form_token());
        assert!(!sent(false, &token));
    }
}
