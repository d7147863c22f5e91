//! Overview.

use super::{Reader, Reply, Section, View, Visit};
use maud::html;
use restock_edge::Error;

/// `GET /`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    Ok(Reply::Page(view(visit.reader())))
}

fn view(reader: &Reader) -> View {
    View::new(Section::Overview, reader.words.overview.title, html! {}).live()
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, _hostile: &str) -> Vec<View> {
    vec![view(reader)]
}
