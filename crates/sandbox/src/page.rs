//! The page on which a stand-in shows people what it was sent.

use std::fmt::Write as _;

use axum::response::{Html, IntoResponse, Response};
use http::header;

/// What is shown; older entries are counted only.
pub(crate) const ENTRIES_SHOWN_MAX: usize = 200;
/// How often the page looks for more.
const REFRESH_SECONDS: u32 = 3;

const STYLE: &str = "\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; background: light-dark(#f6f6f4, #17181a); color: light-dark(#1c1c1c, #e8e8e6) }
h1 { font-size: 1.3rem; margin: 0 0 .25rem }
p { margin: 0 0 1rem; color: light-dark(#5a5a5a, #a5a5a0) }
article { background: light-dark(#fff, #212326); border: 1px solid light-dark(#ddd, #383b40); border-radius: .5rem; margin: 0 0 1rem; padding: .8rem 1rem }
h2 { font-size: 1.05rem; margin: 0 0 .4rem; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; font-size: .85rem; margin: 0 0 .6rem }
dt { color: light-dark(#5a5a5a, #a5a5a0) }
dd { margin: 0; overflow-wrap: anywhere }
pre { font: inherit; margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }";

/// A list, newest first, under a heading.
pub(crate) struct Page {
    /// The heading.
    pub(crate) title: &'static str,
    /// How many are kept.
    pub(crate) count: usize,
    /// The newest of them, newest first.
    pub(crate) entries: Vec<Entry>,
}

/// One thing that was received.
pub(crate) struct Entry {
    pub(crate) heading: String,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) text: String,
}

/// What an entry says of the trace context that it came with.
pub(crate) fn traced(traceparent: Option<&str>) -> Option<(&'static str, String)> {
    traceparent.map(|traceparent| ("trace", traceparent.to_owned()))
}

impl Page {
    /// The page; every text is escaped.
    pub(crate) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">\n\
             <title>{count} – {title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p>{count} kept, the newest first. A stand-in: nothing leaves this machine.</p>\n",
            title = escaped(self.title),
            count = self.count,
        );
        for entry in &self.entries {
            // Writing to a string does not fail.
            let _ = write!(html, "<article>\n<h2 dir=\"auto\">{}</h2>\n<dl>", escaped(&entry.heading));
            for (name, value) in &entry.facts {
                let _ = write!(html, "<dt>{}</dt><dd dir=\"auto\">{}</dd>", escaped(name), escaped(value));
            }
            let _ = write!(html, "</dl>\n<pre dir=\"auto\">{}</pre>\n</article>\n", escaped(&entry.text));
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        // Whatever slips through the escaping is not run.
        let policy = [(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")];
        (policy, Html(self.html())).into_response()
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_received_becomes_markup_and_every_script_stays_readable() {
        let hostile = "<script>alert('부산')</script>\" onload=\"x";
        let page = Page {
            title: "Inbox",
            count: 1,
            entries: vec![Entry {
                heading: hostile.to_owned(),
                facts: vec![("from", hostile.to_owned())],
                text: hostile.to_owned(),
            }],
        };
        let html = page.html();
        assert!(!html.contains("<script") && !html.contains("onload=\""), "{html}");
        assert_eq!(html.matches("&lt;script&gt;alert(&#39;부산&#39;)").count(), 3);
    }
}
