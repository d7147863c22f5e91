//! Lists: tables, pages of them, pairs of names and values, and what is shown where there is nothing.

use crate::pages::words::Words;
use maud::{Markup, html};

/// One page of rows, and the cursor of the next one.
pub(crate) type Rows<T> = restock_api::Page<T>;

/// A column of a table.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    class: Option<&'static str>,
}

impl Column {
    /// Of texts.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, class: None }
    }

    /// Of numbers, which stand below each other by their last digit.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self { name, class: Some("num") }
    }

    /// Of long texts, which may take the room that is left.
    pub(crate) const fn wide(name: &'static str) -> Self {
        Self { name, class: Some("wide") }
    }
}

/// A table. Its first column names the rows. On a phone every row is a block of its own, with the names of the columns beside the values.
pub(crate) struct Table<const COLUMNS: usize> {
    caption: &'static str,
    caption_hidden: bool,
    columns: [Column; COLUMNS],
    rows: Vec<Markup>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table with this caption.
    pub(crate) fn new(caption: &'static str, columns: [Column; COLUMNS]) -> Self {
        Self { caption, caption_hidden: false, columns, rows: Vec::new() }
    }

    /// Keeps the caption for those who do not see, where a heading says the same above.
    pub(crate) fn headed(mut self) -> Self {
        self.caption_hidden = true;
        self
    }

    /// Adds a row. The key names it among the rows of the page, so that it stays the same row when others come before it.
    pub(crate) fn row(&mut self, key: &str, cells: [Markup; COLUMNS]) {
        self.rows.push(html! {
            tr role="row" data-key=(key) {
                @for (index, (column, cell)) in self.columns.iter().zip(&cells).enumerate() {
                    @if index == 0 {
                        th role="rowheader" scope="row" class=[column.class] { (cell) }
                    } @else {
                        td role="cell" class=[column.class] data-label=(column.name) { (cell) }
                    }
                }
            }
        });
    }

    /// The table, or what to say where it has no rows ([`empty`]).
    pub(crate) fn or(self, empty: Markup) -> Markup {
        if self.rows.is_empty() { empty } else { self.markup() }
    }

    /// The table.
    pub(crate) fn markup(self) -> Markup {
        html! {
            table role="table" {
                caption class=[self.caption_hidden.then_some("unseen")] { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in &self.columns {
                            th role="columnheader" scope="col" class=[column.class] { (column.name) }
                        }
                    }
                }
                tbody role="rowgroup" { @for row in &self.rows { (row) } }
            }
        }
    }
}

/// What is shown where there is nothing: that there is nothing, and what to do about it.
pub(crate) fn empty(says: &str, next: Markup) -> Markup {
    html! { div class="empty" { p { strong { (says) } } p { (next) } } }
}

/// Names and their values.
pub(crate) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in pairs { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// The ways on from one page of a list. `here` makes an address of a cursor, none being the first page.
pub(crate) fn pager<T>(
    words: &Words,
    rows: &Rows<T>,
    is_first: bool,
    here: impl Fn(Option<&str>) -> String,
) -> Markup {
    if is_first && rows.next_cursor.is_none() {
        return html! {};
    }
    html! {
        nav class="pager" aria-label=(words.shared.pages) {
            @if !is_first { a href=(here(None)) { (words.shared.first_page) } }
            @if let Some(cursor) = &rows.next_cursor { a rel="next" href=(here(Some(cursor))) { (words.shared.next_page) } }
        }
    }
}
