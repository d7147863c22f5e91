//! What the manager of an advertisement is told. No I/O: the errand and the moments come in.

use restock_bindings::ads::{Errand, Request};
use restock_domain::letter::Letter;
use restock_domain::prose::{count, moment, span};
use restock_domain::text::clip;

/// How much of a product's name the subject shows, characters: what stands behind it, the SKU, must not be cut off.
const SUBJECT_NAME_CHARACTERS_MAX: usize = 80;

/// The letter of an errand, as things stand now (ms since 1970). `sellable_since_ms` is when the product could be sold
/// again, where it can; `usual_ms` is what a factory is given for a refill.
pub(crate) fn letter(errand: &Errand, sellable_since_ms: u64, now_ms: u64, usual_ms: u64) -> Letter {
    match errand.request {
        Request::Pause => pause(errand, now_ms, usual_ms),
        Request::Resume => resume(errand, sellable_since_ms),
    }
}

fn pause(errand: &Errand, now_ms: u64, usual_ms: u64) -> Letter {
    let since = moment(errand.depleted_since);
    let lead = format!(
        "{} has been sold out since {since}. Please pause its advertisement until we write again.",
        product(errand)
    );
    Letter::new(&subject("pause", errand), &lead)
        .fact("Product", &product(errand))
        .fact("Sold out since", &since)
        .fact("Refill expected", &refill(errand.refill_due_at, now_ms, usual_ms))
        .fact("Orders lost so far", &lost(errand))
        .fact("Waiting in backorders", &waiting(errand))
        .paragraph("While the advertisement runs, it leads customers to a product that they cannot buy.")
        .paragraph("You will get another letter when the product can be sold again.")
}

fn resume(errand: &Errand, sellable_since_ms: u64) -> Letter {
    let lead = format!("{} can be sold again. Please resume its advertisement.", product(errand));
    Letter::new(&subject("resume", errand), &lead)
        .fact("Product", &product(errand))
        .fact("On the shelf", &shelf(errand))
        .fact("Sold out since", &moment(errand.depleted_since))
        .fact("Sold out for", &span(sellable_since_ms.saturating_sub(errand.depleted_since)))
        .fact("Orders lost in that time", &lost(errand))
}

fn subject(what: &str, errand: &Errand) -> String {
    let name = clip(&errand.name, SUBJECT_NAME_CHARACTERS_MAX);
    format!("Please {what} the advertisement for {name} ({})", errand.sku)
}

fn product(errand: &Errand) -> String {
    format!("{} ({})", errand.name, errand.sku)
}

/// Until the factory has confirmed a time, the one it usually keeps is named: the letter mostly leaves before the factory is asked.
fn refill(due_at: Option<u64>, now_ms: u64, usual_ms: u64) -> String {
    match due_at {
        None => {
            format!("about {}; the factory has not confirmed it yet", moment(now_ms.saturating_add(usual_ms)))
        }
        Some(due_at) if due_at < now_ms => format!("by {}; the goods are overdue", moment(due_at)),
        Some(due_at) => format!("by {}", moment(due_at)),
    }
}

fn lost(errand: &Errand) -> String {
    if errand.orders_lost == 0 {
        return "none".to_owned();
    }
    let orders = count(errand.orders_lost, "order", "orders");
    format!("{orders} for {}", count(errand.units_lost, "unit", "units"))
}

fn waiting(errand: &Errand) -> String {
    if errand.backordered == 0 {
        return "none".to_owned();
    }
    count(errand.backordered, "unit", "units")
}

fn shelf(errand: &Errand) -> String {
    let on_hand = count(errand.on_hand, "unit", "units");
    if errand.backordered > 0 {
        format!("{on_hand}, {} of them for waiting orders", errand.backordered)
    } else {
        on_hand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 09:30 UTC.
    const SINCE_MS: u64 = 1_795_253_400_000;
    const HOUR_MS: u64 = 60 * 60 * 1_000;

    fn errand(request: Request) -> Errand {
        Errand {
            id: "pause:CP-502101:1795253400000:1".to_owned(),
            sku: "CP-502101".to_owned(),
            name: "부산도너츠".to_owned(),
            request,
            manager_email: Some("ads@example.com".to_owned()),
            depleted_since: SINCE_MS,
            orders_lost: 12,
            units_lost: 30,
            backordered: 5,
            on_hand: 0,
            refill_due_at: Some(SINCE_MS + 2 * HOUR_MS),
        }
    }

    fn fact(letter: &Letter, name: &str) -> Option<String> {
        letter.facts().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_pause_says_what_since_when_until_when_and_what_it_cost() {
        let letter = letter(&errand(Request::Pause), 0, SINCE_MS, HOUR_MS);
        assert_eq!(letter.subject(), "Please pause the advertisement for 부산도너츠 (CP-502101)");
        assert_eq!(
            letter.lead(),
            "부산도너츠 (CP-502101) has been sold out since 2026-11-21 09:30 UTC. Please pause its advertisement \
             until we write again."
        );
        let facts: Vec<_> =
            letter.facts().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            facts,
            [
                ("Product", "부산도너츠 (CP-502101)"),
                ("Sold out since", "2026-11-21 09:30 UTC"),
                ("Refill expected", "by 2026-11-21 11:30 UTC"),
                ("Orders lost so far", "12 orders for 30 units"),
                ("Waiting in backorders", "5 units"),
            ]
        );
    }

    #[test]
    fn a_refill_is_never_promised_that_the_factory_did_not_confirm_or_keep() {
        let mut errand = errand(Request::Pause);
        let expected =
            |errand: &Errand| fact(&letter(errand, 0, SINCE_MS + HOUR_MS, HOUR_MS), "Refill expected");
        errand.refill_due_at = None;
        assert_eq!(
            expected(&errand).as_deref(),
            Some("about 2026-11-21 11:30 UTC; the factory has not confirmed it yet")
        );
        errand.refill_due_at = Some(SINCE_MS);
        assert_eq!(expected(&errand).as_deref(), Some("by 2026-11-21 09:30 UTC; the goods are overdue"));
    }

    #[test]
    fn one_order_for_one_unit_is_singular() {
        let mut errand = errand(Request::Pause);
        (errand.orders_lost, errand.units_lost, errand.backordered) = (1, 1, 1);
        let letter = letter(&errand, 0, SINCE_MS, HOUR_MS);
        assert_eq!(fact(&letter, "Orders lost so far").as_deref(), Some("1 order for 1 unit"));
        assert_eq!(fact(&letter, "Waiting in backorders").as_deref(), Some("1 unit"));
        errand.orders_lost = 0;
        errand.backordered = 0;
        assert_eq!((lost(&errand), waiting(&errand)), ("none".to_owned(), "none".to_owned()));
    }

    #[test]
    fn a_resumption_says_what_is_there_again_and_for_how_long_it_was_not() {
        let mut errand = errand(Request::Resume);
        (errand.on_hand, errand.backordered) = (40, 0);
        let letter = letter(&errand, SINCE_MS + 2 * HOUR_MS + 5 * 60_000, SINCE_MS + 9 * HOUR_MS, HOUR_MS);
        assert_eq!(letter.subject(), "Please resume the advertisement for 부산도너츠 (CP-502101)");
        assert_eq!(
            letter.lead(),
            "부산도너츠 (CP-502101) can be sold again. Please resume its advertisement."
        );
        assert_eq!(fact(&letter, "On the shelf").as_deref(), Some("40 units"));
        assert_eq!(fact(&letter, "Sold out since").as_deref(), Some("2026-11-21 09:30 UTC"));
        assert_eq!(fact(&letter, "Sold out for").as_deref(), Some("2 hours and 5 minutes"));
        assert_eq!(fact(&letter, "Orders lost in that time").as_deref(), Some("12 orders for 30 units"));
    }

    #[test]
    fn units_on_the_shelf_that_others_wait_for_are_not_offered() {
        let mut errand = errand(Request::Resume);
        (errand.on_hand, errand.backordered) = (40, 5);
        let letter = letter(&errand, SINCE_MS, SINCE_MS, HOUR_MS);
        assert_eq!(fact(&letter, "On the shelf").as_deref(), Some("40 units, 5 of them for waiting orders"));
    }

    #[test]
    fn the_longest_name_hides_neither_the_sku_nor_the_request() {
        let mut errand = errand(Request::Pause);
        errand.name = "부\r\nBcc: x@example.com\u{2028}".repeat(10);
        errand.sku = "S".repeat(64);
        let letter = letter(&errand, 0, SINCE_MS, HOUR_MS);
        assert!(letter.subject().ends_with(&format!("({})", errand.sku)), "{}", letter.subject());
        assert!(letter.lead().ends_with("until we write again."), "{}", letter.lead());
        assert!(!letter.subject().contains(['\r', '\n', '\u{2028}']), "{}", letter.subject());
    }
}
