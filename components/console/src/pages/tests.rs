//! Claim: whatever the store says, no page holds markup that is not ours, nothing inline, and no form without its token.
//! Method: every view, in every language, for viewers and operators, made of sample data with hostile text in it.
//! Needs: nothing.

use super::words::{ENGLISH, KOREAN, Words};
use super::{
    Notice, ROUTES, Reader, View, customers, fault, incidents, layout, messages, operations, orders,
    overview, production, products, queues, returns, sign_in,
};
use restock_api::routes;

/// Text that would break out of an element, an attribute, a script or its direction.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2) style=\"a\"> 부산도너츠 \u{202e}مرحبا & &amp; `{{x}}`";
/// The part of it that no page may hold, because it would be markup.
const LIVE: [&str; 2] = ["<script>alert", "<img src=x"];

/// The views of every page, made of sample data. A page is named here once.
fn all_views(reader: &Reader) -> Vec<View> {
    let mut views = Vec::new();
    for samples in [
        overview::samples,
        products::samples,
        production::samples,
        orders::samples,
        customers::samples,
        returns::samples,
        incidents::samples,
        queues::samples::views,
        messages::samples::views,
        operations::samples::views,
    ] {
        views.extend(samples(reader, HOSTILE));
    }
    views
}

fn readers() -> Vec<Reader> {
    let mut readers = Vec::new();
    for words in [&ENGLISH, &KOREAN] {
        for (operator, notice) in [(false, None), (true, Some(Notice::Redriven(2)))] {
            readers.push(Reader {
                words,
                operator,
                fingerprint: "0123456789ab".to_owned(),
                form_token: "token-of-this-session".to_owned(),
                now_ms: 1_795_300_000_000,
                notice,
            });
        }
    }
    readers
}

/// Every page as a whole document, with its language.
fn documents() -> Vec<(&'static Words, bool, String)> {
    let mut documents = Vec::new();
    for reader in readers() {
        for view in all_views(&reader) {
            documents.push((reader.words, reader.operator, layout::document(&reader, &view).into_string()));
        }
        for page in sign_in::samples::pages(reader.words, HOSTILE) {
            documents.push((reader.words, false, page.into_string()));
        }
        for page in fault::samples::pages(reader.words, HOSTILE) {
            documents.push((reader.words, false, page.into_string()));
        }
    }
    documents
}

/// The tags of a document, from `<` to `>`, as a browser finds them: a `>` in a quoted value ends none.
fn tags(document: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut tag = None::<String>;
    let mut quoted = false;
    for character in document.chars() {
        match &mut tag {
            None if character == '<' => tag = Some(String::new()),
            None => {}
            Some(_) if character == '>' && !quoted => tags.extend(tag.take()),
            Some(text) => {
                quoted ^= character == '"';
                text.push(character);
            }
        }
    }
    tags
}

/// The names of the attributes of a tag.
fn attributes(tag: &str) -> Vec<String> {
    let unquoted: String = tag.split('"').step_by(2).collect();
    let names = unquoted.split_whitespace().skip(1);
    names.map(|name| name.trim_end_matches(['=', '/']).to_lowercase()).collect()
}

#[test]
fn hostile_text_is_shown_and_never_obeyed() {
    for (words, _, document) in documents() {
        for live in LIVE {
            assert!(!document.contains(live), "{}: {document}", words.language);
        }
        assert!(!tags(&document).iter().any(|tag| tag.starts_with("img")), "{document}");
    }
    let seen =
        documents().iter().filter(|(_, _, document)| document.contains("&lt;script&gt;alert(1)")).count();
    assert!(seen > 20, "the samples hold hostile text: {seen}");
}

#[test]
fn nothing_is_inline() {
    for (_, _, document) in documents() {
        for tag in tags(&document) {
            assert!(!tag.starts_with("style"), "{tag}");
            for name in attributes(&tag) {
                assert!(name != "style" && !name.starts_with("on"), "{name} in <{tag}>");
            }
            assert!(!tag.to_lowercase().contains("javascript:"), "{tag}");
        }
        let scripts: Vec<_> = document.split("<script").skip(1).collect();
        assert_eq!(scripts.len(), 1);
        for script in scripts {
            let (tag, rest) = script.split_once('>').expect("a whole tag");
            assert!(tag.contains("src=\"/console.js?v="), "{tag}");
            assert!(rest.starts_with("</script>"), "a script has no text");
        }
    }
}

#[test]
fn every_state_of_orders_customers_production_and_returns_is_told_in_words() {
    for reader in readers().iter().filter(|reader| reader.operator) {
        let documents: String =
            all_views(reader).iter().map(|view| layout::document(reader, view).into_string()).collect();
        let Words { production, orders, customers, returns, requests, .. } = reader.words;
        for sentence in [
            production.is_planned,
            production.is_requested,
            production.is_overdue,
            production.is_received,
            production.is_failed,
            production.is_cancelled,
            production.nothing,
            production.nothing_such,
            requests.why,
            orders.is_accepted,
            orders.is_filled,
            orders.is_backordered,
            orders.is_rejected,
            orders.nothing,
            orders.nobody_waits,
            orders.none_rejected,
            orders.bad_id,
            orders.bad_customer,
            customers.is_vip,
            customers.is_normal,
            customers.bought_nothing,
            customers.not_announced,
            customers.no_bulk,
            customers.no_buyers,
            customers.no_orders,
            customers.bad_id,
            returns.is_collected,
            returns.is_delivered,
            returns.is_reported,
            returns.is_pending,
            returns.is_not_ours,
            returns.is_left,
            returns.is_waiting,
            returns.is_received,
            returns.is_discarded,
            returns.nothing,
            returns.nothing_such,
            returns.nothing_said,
            returns.bad_number,
            returns.one_search,
            returns.decide.too_early,
            returns.decide.received_before,
            returns.decide.discarded_before,
            returns.decide.unknown_sku,
            returns.decide.quantity_needed,
            returns.decide.name_them,
            returns.replay.begins,
            returns.replay.is_looked_at,
            returns.replay.is_to_be_reported,
            returns.replay.is_over,
            returns.lists.running,
            returns.lists.finished,
            returns.lists.failed,
            returns.lists.no_collections,
            returns.lists.no_rejects,
        ] {
            assert!(documents.contains(sentence), "{}: {sentence}", reader.words.language);
        }
    }
}

#[test]
fn every_form_that_is_posted_carries_the_token_of_the_session() {
    for (_, _, document) in documents() {
        for form in document.split("<form").skip(1) {
            let form = form.split("</form>").next().expect("a form");
            let (tag, fields) = form.split_once('>').expect("a whole tag");
            if !tag.contains("method=\"post\"") {
                assert!(!fields.contains("token-of-this-session"), "an address carries no token");
                continue;
            }
            let carries =
                fields.contains(r#"<input type="hidden" name="form_token" value="token-of-this-session">"#);
            assert!(carries || tag.contains("action=\"/sign-in\""), "{form}");
        }
    }
}

#[test]
fn viewers_see_no_form_that_changes_anything() {
    for (_, operator, document) in documents() {
        if operator {
            continue;
        }
        for form in document.split("<form").skip(1) {
            let tag = form.split('>').next().expect("a whole tag");
            let harmless =
                !tag.contains("method=\"post\"") || tag.contains("/sign-in\"") || tag.contains("/sign-out\"");
            assert!(harmless, "{tag}");
        }
    }
}

#[test]
fn every_page_has_one_heading_one_main_part_and_names_for_what_can_be_typed() {
    for (words, _, document) in documents() {
        assert_eq!(document.matches("<h1").count(), 1, "{document}");
        assert_eq!(document.matches("<main").count(), 1);
        assert!(document.contains(&format!("<html lang=\"{}\"", words.language)));
        let tags = tags(&document);
        let mut ids: Vec<_> = tags.iter().filter_map(|tag| value(tag, "id")).collect();
        for tag in &tags {
            let typed = tag.starts_with("input") && value(tag, "type") != Some("hidden")
                || tag.starts_with("select")
                || tag.starts_with("textarea");
            if typed && value(tag, "aria-label").is_none() {
                let id = value(tag, "id").unwrap_or_else(|| panic!("no label can name <{tag}>"));
                assert!(document.contains(&format!("<label for=\"{id}\"")), "{tag}");
            }
        }
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "an id is there twice");
    }
}

fn value<'tag>(tag: &'tag str, name: &str) -> Option<&'tag str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[test]
fn pages_and_the_interface_for_programs_share_no_path() {
    for (page, _) in ROUTES {
        let path = page.path.replace("{sku}", "x").replace("{id}", "x").replace("{queue}", "x");
        assert!(!routes::ALL.iter().any(|route| route.matches(&path).is_some()), "{path}");
        assert!(!path.starts_with("/v1") && !path.starts_with("/internal"), "{path}");
        let same = ROUTES.iter().filter(|(other, _)| (other.method, other.path) == (page.method, page.path));
        assert_eq!(same.count(), 1, "{path}");
    }
}
