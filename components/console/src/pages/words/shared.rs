//! What many pages say: spans of time, lists, forms.

use super::{Count, Of1, Text};
use maud::html;

pub(crate) struct Shared {
    /// The units of a span of time, each behind its number: days, hours, minutes, seconds, milliseconds.
    pub(crate) span_units: [Text; 5],
    /// So long before now.
    pub(crate) ago: Of1,
    /// So long from now.
    pub(crate) from_now: Of1,
    /// So long ago it should have been.
    pub(crate) late: Of1,
    pub(crate) units: Count,
    pub(crate) none: Text,
    pub(crate) yes: Text,
    pub(crate) no: Text,
    /// Names the links below a list.
    pub(crate) pages: Text,
    pub(crate) first_page: Text,
    pub(crate) next_page: Text,
    pub(crate) as_table: Text,
    pub(crate) find: Text,
    pub(crate) show_all: Text,
    pub(crate) cancel: Text,
    /// Above the list of what is wrong with a form.
    pub(crate) faulty: Text,
    /// Names a field for an operator's words.
    pub(crate) reason: Text,
    pub(crate) reason_hint: Text,
    pub(crate) optional: Text,
}

pub(super) const ENGLISH: Shared = Shared {
    span_units: ["\u{a0}d", "\u{a0}h", "\u{a0}min", "\u{a0}s", "\u{a0}ms"],
    ago: |span| html! { (span) " ago" },
    from_now: |span| html! { "in " (span) },
    late: |span| html! { (span) " late" },
    units: |count, number| html! { (number) @if count == 1 { " unit" } @else { " units" } },
    none: "none",
    yes: "yes",
    no: "no",
    pages: "Pages of the list",
    first_page: "First page",
    next_page: "Next page",
    as_table: "As a table",
    find: "Find",
    show_all: "Show all",
    cancel: "Cancel",
    faulty: "Nothing was changed. Please correct:",
    reason: "Reason",
    reason_hint: "It is kept on record with your key's fingerprint.",
    optional: "optional",
};

pub(super) const KOREAN: Shared = Shared {
    span_units: ["일", "시간", "분", "초", "밀리초"],
    ago: |span| html! { (span) " 전" },
    from_now: |span| html! { (span) " 후" },
    late: |span| html! { (span) " 지연" },
    units: |_, number| html! { (number) "개" },
    none: "없음",
    yes: "예",
    no: "아니요",
    pages: "목록 페이지",
    first_page: "첫 페이지",
    next_page: "다음 페이지",
    as_table: "표로 보기",
    find: "찾기",
    show_all: "모두 보기",
    cancel: "취소",
    faulty: "아무것도 바뀌지 않았습니다. 다음을 고쳐 주세요:",
    reason: "사유",
    reason_hint: "키의 지문과 함께 기록에 남습니다.",
    optional: "선택",
};
