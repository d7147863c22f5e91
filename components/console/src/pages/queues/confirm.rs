//! What stands before a redrive and a purge: a dry run, put into words. What is done then touches no more messages than were
//! promised, and where the promise cannot be kept the question is asked again.

use super::{desk, path_to};
use crate::pages::messages;
use crate::pages::parts::{self, Confirmation};
use crate::pages::{Notice, Reader, Reply, Section, View, Visit};
use crate::queues::Desk;
use http::StatusCode;
use maud::{Markup, html};
use restock_api::query::Query;
use restock_api::queue::{Choice, SELECTION_IDS_MAX, SELECTION_LIMIT_MAX, Selection, is_failure};
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use restock_edge::error::fault_words;
use restock_edge::{Error, log};

/// The field with the number that was promised.
const PROMISED: &str = "promised";
/// The field that tells the letters that were counted from others of the same number.
const SEEN: &str = "seen";

/// What is to be done to dead letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Redrive,
    Purge,
}

/// Why a form comes back.
#[derive(Clone, Copy)]
enum Trouble {
    /// The operator's reason is none.
    Reason,
    /// So many were promised, and it is another number now.
    Changed(u32),
    /// The store did not do its work.
    Store,
}

/// What an operator is asked.
struct Asked<'a> {
    deed: Deed,
    queue: &'a str,
    selection: &'a Selection,
    /// Dead letters that it will touch.
    count: u32,
    /// Tells them from others of the same number ([`look`]).
    seen: &'a str,
    paused: bool,
    /// What was typed before.
    reason: &'a str,
    trouble: Option<Trouble>,
}

/// `GET /queues/{queue}/redrive`
pub(crate) async fn ask_redrive(visit: Visit) -> Result<Reply, Error> {
    ask(&visit, Deed::Redrive).await
}

/// `GET /queues/{queue}/purge`
pub(crate) async fn ask_purge(visit: Visit) -> Result<Reply, Error> {
    ask(&visit, Deed::Purge).await
}

/// `POST /queues/{queue}/redrive`
pub(crate) async fn redrive(visit: Visit) -> Result<Reply, Error> {
    carry_out(&visit, Deed::Redrive).await
}

/// `POST /queues/{queue}/purge`
pub(crate) async fn purge(visit: Visit) -> Result<Reply, Error> {
    carry_out(&visit, Deed::Purge).await
}

/// Which dead letters a form means: exactly one of some ids, a kind of failure and all.
fn chosen(fields: &Query) -> Option<Selection> {
    let mut ids: Vec<String> = fields.all("ids").map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    match (ids.is_empty(), fields.get("failure"), fields.get("all")) {
        (false, None, None) => {
            let well = ids.len() <= SELECTION_IDS_MAX && ids.iter().all(|id| name::is_identifier(id));
            well.then_some(Selection::Ids(ids))
        }
        (true, Some(failure), None) => is_failure(failure).then(|| Selection::Reason(failure.to_owned())),
        (true, None, Some("true")) => Some(Selection::All),
        _ => None,
    }
}

async fn ask(visit: &Visit, deed: Deed) -> Result<Reply, Error> {
    let desk = desk(visit)?;
    let paused = desk.status().await?.paused;
    let Some(selection) = chosen(visit.query()) else {
        return Ok(Reply::Page(nothing_chosen(visit.reader(), deed, desk.queue())));
    };
    let (count, seen) = look(&desk, &selection).await?;
    let (queue, seen) = (desk.queue(), seen.as_str());
    let asked = Asked { deed, queue, selection: &selection, count, seen, paused, reason: "", trouble: None };
    Ok(Reply::Page(view(visit.reader(), &asked)))
}

/// How many letters a selection means now, and what tells them from others of the same number: when the oldest and the newest of
/// them were given up, and how many there are beyond what one action takes. Ids tell it by themselves.
async fn look(desk: &Desk, selection: &Selection) -> Result<(u32, String), Error> {
    let groups = match selection {
        Selection::Ids(_) => Vec::new(),
        Selection::Reason(_) | Selection::All => desk.groups().await?,
    };
    let meant = groups.iter().filter(|group| match selection {
        Selection::Reason(reason) => group.reason == *reason,
        Selection::Ids(_) | Selection::All => true,
    });
    let (all, oldest, newest) = meant.fold((0_u64, u64::MAX, 0), |(all, oldest, newest), group| {
        (all.saturating_add(group.count), oldest.min(group.oldest_at), newest.max(group.newest_at))
    });
    Ok((count(desk, selection).await?, format!("{all}.{oldest}.{newest}")))
}

async fn count(desk: &Desk, selection: &Selection) -> Result<u32, Error> {
    let dry = Choice {
        selection: selection.clone(),
        limit: SELECTION_LIMIT_MAX,
        dry_run: true,
        words: String::new(),
    };
    desk.redrive(dry).await
}

async fn carry_out(visit: &Visit, deed: Deed) -> Result<Reply, Error> {
    let desk = desk(visit)?;
    let form = visit.form();
    let Some(selection) = chosen(form) else {
        return Ok(Reply::Page(nothing_chosen(visit.reader(), deed, desk.queue())));
    };
    let promised = form.get(PROMISED).and_then(|count| count.parse().ok()).unwrap_or_default();
    let given = form.get("reason").unwrap_or_default();
    let seen_then = form.get(SEEN).unwrap_or_default();
    let again = |count, seen: &str, paused, trouble: Trouble| {
        let trouble = Some(trouble);
        let queue = desk.queue();
        let asked = Asked { deed, queue, selection: &selection, count, seen, paused, reason: given, trouble };
        Ok(Reply::Page(view(visit.reader(), &asked).status(trouble.map_or(StatusCode::OK, Trouble::status))))
    };
    let looked = async { Ok((desk.status().await?.paused, look(&desk, &selection).await?)) }.await;
    let (paused, (now, seen)) = match looked {
        Ok(looked) => looked,
        Err(Error::Store(fault)) => {
            log!("dead letters of {} were not looked at: {}", desk.queue(), fault_words(&fault));
            return again(promised, seen_then, false, Trouble::Store);
        }
        Err(error) => return Err(error),
    };
    if !deed.keeps(promised, now, seen == seen_then) {
        return again(now, &seen, paused, Trouble::Changed(promised));
    }
    let words = given.trim();
    let said = name::is_text(words, REASON_CHARACTERS_MAX);
    if !(said || words.is_empty() && deed == Deed::Redrive) {
        return again(now, &seen, paused, Trouble::Reason);
    }
    let choice =
        Choice { selection: selection.clone(), limit: promised, dry_run: false, words: words.to_owned() };
    let done = match deed {
        Deed::Redrive => desk.redrive(choice).await.map(|count| Notice::Redriven(count.into())),
        Deed::Purge => desk.purge(choice).await.map(|count| Notice::Purged(count.into())),
    };
    match done {
        Ok(notice) => Ok(Reply::Done(onward(desk.queue(), &selection), notice)),
        Err(Error::Store(fault)) => {
            log!("dead letters of {} were not touched: {}", desk.queue(), fault_words(&fault));
            again(promised, seen_then, paused, Trouble::Store)
        }
        Err(error) => Err(error),
    }
}

impl Deed {
    /// Whether what is there now allows to do what was promised. More letters than promised do no harm to a redrive, which takes
    /// the promised number of them; a purge could take one that nobody has seen.
    fn keeps(self, promised: u32, now: u32, same: bool) -> bool {
        promised > 0
            && match self {
                Self::Redrive => now >= promised,
                Self::Purge => now == promised && same,
            }
    }
}

impl Trouble {
    fn status(self) -> StatusCode {
        match self {
            Self::Reason => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Changed(_) => StatusCode::CONFLICT,
            Self::Store => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The message where there is one, since what becomes of it is seen there; its queue otherwise.
fn onward(queue: &str, selection: &Selection) -> String {
    match selection {
        Selection::Ids(ids) => match ids.as_slice() {
            [id] => messages::path_to(id),
            _ => path_to(queue),
        },
        Selection::Reason(_) | Selection::All => path_to(queue),
    }
}

fn title(reader: &Reader, deed: Deed, queue: &str) -> String {
    let said = &reader.words.queues.deeds;
    match deed {
        Deed::Redrive => (said.redrive_title)(queue),
        Deed::Purge => (said.purge_title)(queue),
    }
}

fn nothing_chosen(reader: &Reader, deed: Deed, queue: &str) -> View {
    let said = &reader.words.queues.deeds;
    let next = html! { (said.nothing_chosen_next) " " a href=(path_to(queue)) { (said.back) } };
    View::new(Section::Queues, title(reader, deed, queue), parts::empty(said.nothing_chosen, next))
        .status(StatusCode::UNPROCESSABLE_ENTITY)
}

fn view(reader: &Reader, asked: &Asked<'_>) -> View {
    let said = &reader.words.queues.deeds;
    let back = onward(asked.queue, asked.selection);
    let title = title(reader, asked.deed, asked.queue);
    if asked.count == 0 {
        let body = parts::empty(said.nothing_left, html! { a href=(path_to(asked.queue)) { (said.back) } });
        return View::new(Section::Queues, title, body);
    }
    let count = u64::from(asked.count);
    let (action, button) = match asked.deed {
        Deed::Redrive => ("redrive", (said.redrive_button)(count)),
        Deed::Purge => ("purge", (said.purge_button)(count)),
    };
    let confirmation = Confirmation {
        action: &parts::address(&["queues", asked.queue, action], &[]),
        says: says(reader, asked),
        fields: fields(asked),
        reason: Some(asked.deed == Deed::Purge),
        reason_given: asked.reason,
        button: &button,
        danger: asked.deed == Deed::Purge,
        back: &back,
    };
    let body = html! {
        @if let Some(trouble) = asked.trouble {
            p class="fault" id="fault" role="alert" {
                @match trouble {
                    Trouble::Reason => { (said.reason_wrong) }
                    Trouble::Changed(before) => { ((said.changed)(parts::number(before), parts::number(asked.count))) }
                    Trouble::Store => { (reader.words.faults.store) }
                }
            }
        }
        (parts::confirmation(reader, &confirmation))
    };
    View::new(Section::Queues, title, body)
}

/// What will happen, in sentences.
fn says(reader: &Reader, asked: &Asked<'_>) -> Markup {
    let said = &reader.words.queues.deeds;
    let count = u64::from(asked.count);
    let counts = match asked.deed {
        Deed::Redrive => (said.redrive_counts)(count, parts::number(count)),
        Deed::Purge => (said.purge_counts)(count, parts::number(count)),
    };
    html! {
        p { strong { (counts) } }
        @match asked.selection {
            Selection::Ids(ids) => {
                @let gone = (ids.len() as u64).saturating_sub(count);
                p { ((said.these)(ids.len() as u64)) @if gone > 0 { " " ((said.gone)(gone, parts::number(gone))) } }
                @if let [id] = ids.as_slice() { p { a href=(messages::path_to(id)) { (parts::code(id)) } } }
            }
            Selection::Reason(reason) => { p { ((said.of_kind)(parts::code(reason))) } }
            Selection::All => { p { (said.all_of_queue) } }
        }
        @if asked.count >= SELECTION_LIMIT_MAX { p { ((said.at_most)(parts::number(SELECTION_LIMIT_MAX))) } }
        @match asked.deed {
            Deed::Redrive => {
                p { ((said.redrive_says)(count)) }
                @if asked.paused { p { ((said.redrive_paused)(count)) } }
            }
            Deed::Purge => {
                p { strong { (said.purge_warning) } " " ((said.purge_says)(count)) }
                @if let Some(effect) = said.purge_effect(asked.queue) { p { (effect) } }
            }
        }
    }
}

/// What was chosen, and what is promised about it.
fn fields(asked: &Asked<'_>) -> Markup {
    html! {
        (parts::hidden(PROMISED, &asked.count.to_string()))
        (parts::hidden(SEEN, asked.seen))
        @match asked.selection {
            Selection::Ids(ids) => { @for id in ids { (parts::hidden("ids", id)) } }
            Selection::Reason(reason) => { (parts::hidden("failure", reason)) }
            Selection::All => { (parts::hidden("all", "true")) }
        }
    }
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let mut views = Vec::new();
    let ids = |count: usize| Selection::Ids((0..count).map(|n| format!("{hostile}{n}")).collect());
    let troubles = [None, Some(Trouble::Reason), Some(Trouble::Changed(7)), Some(Trouble::Store)];
    for deed in [Deed::Redrive, Deed::Purge] {
        views.push(nothing_chosen(reader, deed, hostile));
        for selection in [&ids(1), &ids(3), &Selection::Reason(hostile.to_owned()), &Selection::All] {
            for (count, trouble) in [0, 1, 2, SELECTION_LIMIT_MAX].into_iter().zip(troubles) {
                let paused = count == 1;
                let asked = Asked {
                    deed,
                    queue: hostile,
                    selection,
                    count,
                    seen: hostile,
                    paused,
                    reason: hostile,
                    trouble,
                };
                views.push(view(reader, &asked));
            }
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(form: &str) -> Option<Selection> {
        chosen(&Query::parse(Some(form)))
    }

    #[test]
    fn a_form_means_some_or_those_of_a_kind_or_all_and_never_all_by_mistake() {
        assert_eq!(means("ids=b&ids=a&ids=b"), Some(Selection::Ids(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(means("failure=mail-refused"), Some(Selection::Reason("mail-refused".to_owned())));
        assert_eq!(means("all=true"), Some(Selection::All));
        let many: String = (0..=SELECTION_IDS_MAX).map(|n| format!("ids={n}&")).collect();
        for wrong in [
            "",
            "ids=",
            "failure=",
            "all=",
            "all=yes",
            "ids=a&all=true",
            "failure=a&all=true",
            "ids=a%20b",
            &many,
        ] {
            assert_eq!(means(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_done_to_more_letters_than_were_promised() {
        for same in [true, false] {
            assert!(Deed::Redrive.keeps(3, 3, same) && Deed::Redrive.keeps(3, 4, same));
            assert!(!Deed::Redrive.keeps(3, 2, same) && !Deed::Purge.keeps(3, 2, same));
            assert!(!Deed::Purge.keeps(3, 4, same), "the fourth could be one that nobody has seen");
            assert!(
                !Deed::Redrive.keeps(0, 0, same) && !Deed::Purge.keeps(0, 0, same),
                "nothing was promised"
            );
        }
        assert!(Deed::Purge.keeps(3, 3, true));
        assert!(!Deed::Purge.keeps(3, 3, false), "one was redriven and another one given up meanwhile");
    }
}
