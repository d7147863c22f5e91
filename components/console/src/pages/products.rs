//! Products: all of them, one with everything that explains its stock, and its ledger.

mod one;
#[cfg(test)]
pub(super) mod sample;

use super::parts::{self, Column, Rows, Table, Tone, badge};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit, chart};
use maud::{Markup, html};
use restock_bindings::catalog::{self, AdStatus, Product};
use restock_bindings::types;
use restock_domain::name;
use restock_edge::Error;

pub(crate) use one::{ledger, show};

/// The parameter with the SKU, or the beginning of one, that is looked for.
const FIND: &str = "find";
/// The longest SKU.
const SKU_CHARACTERS_MAX: usize = 64;
/// A character behind all those that a SKU can have, which sort by their bytes.
const BEHIND_ALL: char = '~';

/// `GET /products`: all, from a SKU on. A SKU that is found is gone to.
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let find = visit.query().get(FIND).map(str::trim).unwrap_or_default();
    let mut page = visit.page()?;
    let first = page.after.is_none();
    if first && name::is_identifier(find) && catalog::get(find.to_owned()).await?.is_some() {
        return Ok(Reply::Go(parts::address(&["products", find], &[])));
    }
    if first && !find.is_empty() {
        page.after = before(find);
    }
    let rows = catalog::list(types::Page { limit: page.limit, after: page.after.clone() }).await?;
    let rows = listed(rows, &page, |product| product.sku.clone());
    Ok(Reply::Page(view(visit.reader(), find, first, &rows)))
}

/// A text that is behind all SKUs before this one and before it, so that a list goes on with what begins like it. None: from the first
/// one on.
fn before(find: &str) -> Option<String> {
    let find: String = find.chars().take(SKU_CHARACTERS_MAX).collect();
    let last = find.chars().next_back()?;
    // No SKU has a character that is not ASCII: all of them are before it.
    if !find.is_ascii() {
        return Some(BEHIND_ALL.to_string());
    }
    let previous = u32::from(last).checked_sub(1).and_then(char::from_u32).filter(char::is_ascii_graphic)?;
    let beginning = find.get(..find.len() - 1).unwrap_or_default();
    Some(format!("{beginning}{previous}{BEHIND_ALL}"))
}

fn view(reader: &Reader, find: &str, first: bool, rows: &Rows<Product>) -> View {
    let words = reader.words;
    let said = &words.products;
    let here = |cursor: Option<&str>| {
        parts::address(&["products"], &[(FIND, find), ("cursor", cursor.unwrap_or_default())])
    };
    let mut table = Table::new(
        said.title,
        [
            Column::text(said.product),
            Column::number(said.on_hand),
            Column::number(said.on_order),
            Column::number(said.backordered),
            Column::number(said.available),
            Column::text(said.advertisement),
        ],
    )
    .headed();
    for product in &rows.items {
        table.row(
            &product.sku,
            [
                html! {
                    a href=(parts::address(&["products", &product.sku], &[])) { (product.sku) }
                    " " (parts::named(&product.name))
                    (chart::shelf(product.on_hand, product.reorder_point, product.order_up_to))
                },
                parts::number(product.on_hand),
                parts::number(product.on_order),
                parts::number(product.backordered),
                html! {
                    (parts::number(available(product)))
                    @if product.depleted_since.is_some() { " " (badge(Tone::Bad, said.sold_out)) }
                },
                advertisement(words, product.ad.status),
            ],
        );
    }
    let empty = if find.is_empty() && first {
        let interface =
            html! { (said.no_products_next) " " a href="/openapi.json" { (words.sign_in.interface) } };
        parts::empty(said.no_products, interface)
    } else {
        parts::empty(said.none_from_here, html! { (said.none_from_here_next) })
    };
    let body = html! {
        (parts::search(words, "/products", "find", FIND, said.find, find))
        section class="panel" data-key="list" { (table.or(empty)) (parts::pager(words, rows, first, here)) }
    };
    View::new(Section::Products, said.title, body).live()
}

/// What a new order can have.
fn available(product: &Product) -> i64 {
    product.on_hand.saturating_sub(product.backordered).max(0)
}

fn advertisement(words: &Words, status: AdStatus) -> Markup {
    let said = &words.products;
    match status {
        AdStatus::None => badge(Tone::Plain, said.ad_none),
        AdStatus::Stopped => badge(Tone::Plain, said.ad_stopped),
        AdStatus::Running => badge(Tone::Good, said.ad_running),
        AdStatus::PauseRequested => badge(Tone::Warn, said.ad_pause_requested),
    }
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let rows = |items, next: Option<&str>| Rows { items, next_cursor: next.map(str::to_owned) };
    let statuses = [AdStatus::None, AdStatus::Stopped, AdStatus::Running, AdStatus::PauseRequested];
    let products = statuses.map(|status| {
        let mut product = sample::product(hostile, reader.now_ms);
        product.ad.status = status;
        product
    });
    let mut views = vec![
        view(reader, "", true, &rows(Vec::new(), None)),
        view(reader, hostile, true, &rows(Vec::new(), None)),
        view(reader, hostile, false, &rows(products.into(), Some(hostile))),
    ];
    views.extend(one::samples(reader, hostile));
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_search_begins_where_its_text_would_stand() {
        assert_eq!(before("CP-5").as_deref(), Some("CP-4~"));
        assert_eq!(before(""), None);
        assert_eq!(before(" "), None);
        assert_eq!(before("부산").as_deref(), Some("~"));
    }

    proptest! {
        #[test]
        fn a_search_finds_what_begins_like_it_and_skips_what_stands_before(
            find in "[a-zA-Z0-9._:-]{1,6}", sku in "[a-zA-Z0-9._:-]{1,8}",
        ) {
            let listed = before(&find).is_none_or(|after| sku > after);
            prop_assert_eq!(listed, sku >= find, "{} after {:?}", sku, before(&find));
        }
    }
}
