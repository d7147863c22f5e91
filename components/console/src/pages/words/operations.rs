//! What operators did, and the gates in front of partners.

use super::{Count, Of1, Of2, Text};
use maud::{Markup, html};
use restock_bindings::partners::Circuit;

pub(crate) struct Operations {
    pub(crate) title: Text,
    pub(crate) lead: Text,
    pub(crate) caption: Text,
    pub(crate) none: Text,
    pub(crate) none_next: Text,
    pub(crate) when: Text,
    pub(crate) what: Text,
    pub(crate) subject: Text,
    pub(crate) detail: Text,
    pub(crate) reason: Text,
    pub(crate) who: Text,
    pub(crate) no_reason: Text,
    /// The kinds of actions: their word in the store, and how it is said.
    kinds: [(&'static str, Text); 12],
    /// The fields of what was changed: their name in the store, and how it is said.
    fields: [(&'static str, Text); 19],
    pub(crate) affected: Count,
    pub(crate) first_messages: Text,
    pub(crate) price: Text,
    /// By how much, and to what.
    pub(crate) adjusted: Of2,
}

impl Operations {
    /// What an operator did; the store's own word where it is a new one.
    pub(crate) fn kind<'word>(&self, kind: &'word str) -> &'word str {
        said(&self.kinds, kind)
    }

    /// What a field is called; the store's own name where it is a new one.
    pub(crate) fn field<'word>(&self, field: &'word str) -> &'word str {
        said(&self.fields, field)
    }
}

fn said<'word>(known: &[(&'static str, Text)], word: &'word str) -> &'word str {
    known.iter().find(|(name, _)| *name == word).map_or(word, |(_, said)| said)
}

pub(crate) struct Partners {
    pub(crate) title: Text,
    pub(crate) lead: Text,
    pub(crate) caption: Text,
    pub(crate) none: Text,
    pub(crate) none_next: Text,
    pub(crate) partner: Text,
    pub(crate) circuit: Text,
    closed: Text,
    open: Text,
    half_open: Text,
    pub(crate) failures: Text,
    /// Failures in a row, and how many open the circuit.
    pub(crate) of: fn(Markup, Markup) -> Markup,
    pub(crate) opened: Text,
    pub(crate) probe: Text,
    pub(crate) probe_due: Text,
    pub(crate) in_flight: Text,
    pub(crate) calls: Text,
    pub(crate) failed: Text,
    pub(crate) some_fail: Of1,
}

impl Partners {
    /// The state of a circuit.
    pub(crate) fn circuit_of(&self, circuit: Circuit) -> Text {
        match circuit {
            Circuit::Closed => self.closed,
            Circuit::Open => self.open,
            Circuit::HalfOpen => self.half_open,
        }
    }
}

pub(super) const ENGLISH: Operations = Operations {
    title: "Operations",
    lead: "What operators did, by the console and by programs. Each record was made in the write that carried it out. The key is named by its fingerprint.",
    caption: "Operations, newest first",
    none: "Nobody changed anything yet.",
    none_next: "Redrives, purges, pauses, corrections of stock and changes of products are listed here with who did them and why.",
    when: "When",
    what: "What",
    subject: "To",
    detail: "Details",
    reason: "Reason",
    who: "Who",
    no_reason: "none given",
    kinds: [
        ("queue.pause", "paused the queue"),
        ("queue.resume", "resumed the queue"),
        ("queue.redrive", "redrove dead letters"),
        ("queue.purge", "purged dead letters"),
        ("stock.adjust", "corrected the stock"),
        ("product.create", "created the product"),
        ("product.change", "changed the product"),
        ("factory.create", "created the factory"),
        ("factory.change", "changed the factory"),
        ("return.receive", "put returned goods on the shelf"),
        ("return.discard", "discarded returned goods"),
        ("return.replay", "followed the return again"),
    ],
    fields: [
        ("affected", "Messages"),
        ("delta", "Change"),
        ("on_hand", "On hand after it"),
        ("name", "Name"),
        ("price_amount", "Price"),
        ("price_currency", "Currency"),
        ("factory_id", "Factory"),
        ("policy", "Policy"),
        ("reorder_point", "Reorder point"),
        ("order_up_to", "Order-up-to"),
        ("ad_status", "Advertisement"),
        ("opening_stock", "Opening stock"),
        ("url", "Address"),
        ("order_number", "Order number"),
        ("order_item_number", "Order item"),
        ("sku", "Product"),
        ("quantity", "Quantity"),
        ("shipment_number", "Shipment"),
        ("outcome", "Outcome"),
    ],
    affected: |count, number| html! { (number) @if count == 1 { " message" } @else { " messages" } },
    first_messages: "The first of them",
    price: "Price",
    adjusted: |delta, after| html! { (delta) ", " (after) " on hand after it" },
};

pub(super) const KOREAN: Operations = Operations {
    title: "작업 기록",
    lead: "운영자가 콘솔이나 프로그램으로 한 일입니다. 모든 기록은 작업과 한 번의 쓰기로 남습니다. 키는 지문으로 표시합니다.",
    caption: "작업 기록(최신순)",
    none: "아직 아무도 무엇을 바꾸지 않았습니다.",
    none_next: "다시 보내기, 삭제, 일시 정지, 재고 조정, 상품 변경이 누가 왜 했는지와 함께 여기에 표시됩니다.",
    when: "언제",
    what: "작업",
    subject: "대상",
    detail: "내용",
    reason: "사유",
    who: "누가",
    no_reason: "없음",
    kinds: [
        ("queue.pause", "큐 일시 정지"),
        ("queue.resume", "큐 다시 시작"),
        ("queue.redrive", "데드 레터 다시 보내기"),
        ("queue.purge", "데드 레터 삭제"),
        ("stock.adjust", "재고 조정"),
        ("product.create", "상품 등록"),
        ("product.change", "상품 변경"),
        ("factory.create", "공장 등록"),
        ("factory.change", "공장 변경"),
        ("return.receive", "반품 입고"),
        ("return.discard", "반품 폐기"),
        ("return.replay", "반품 추적 재개"),
    ],
    fields: [
        ("affected", "메시지"),
        ("delta", "변화량"),
        ("on_hand", "조정 후 현재고"),
        ("name", "이름"),
        ("price_amount", "가격"),
        ("price_currency", "통화"),
        ("factory_id", "공장"),
        ("policy", "정책"),
        ("reorder_point", "재주문점"),
        ("order_up_to", "목표 재고"),
        ("ad_status", "광고"),
        ("opening_stock", "기초 재고"),
        ("url", "주소"),
        ("order_number", "주문 번호"),
        ("order_item_number", "주문 항목"),
        ("sku", "상품"),
        ("quantity", "수량"),
        ("shipment_number", "운송장"),
        ("outcome", "결과"),
    ],
    affected: |_, number| html! { "메시지 " (number) "개" },
    first_messages: "처음 몇 개",
    price: "가격",
    adjusted: |delta, after| html! { (delta) ", 조정 후 현재고 " (after) },
};

pub(super) const PARTNERS_ENGLISH: Partners = Partners {
    title: "Partners",
    lead: "Other companies' systems, each behind a gate. When a partner keeps failing its circuit opens: messages for it wait, and now and then one call finds out whether it is back.",
    caption: "All partners",
    none: "No partner was called yet.",
    none_next: "A partner is listed from its first call on, such as the factory's when stock runs low.",
    partner: "Partner",
    circuit: "Circuit",
    closed: "closed: calls go through",
    open: "open: calls wait",
    half_open: "half-open: one call is on its way",
    failures: "Failures in a row",
    of: |failures, max| html! { (failures) " of " (max) },
    opened: "Not closed since",
    probe: "Next probe",
    probe_due: "with the next message",
    in_flight: "Calls now",
    calls: "Calls",
    failed: "Failed",
    some_fail: |count| html! { "Circuits that are not closed: " (count) ". The messages that wait for them are in the queues." },
};

pub(super) const PARTNERS_KOREAN: Partners = Partners {
    title: "협력사",
    lead: "다른 회사의 시스템이며 각각 게이트를 거쳐 호출합니다. 협력사가 계속 실패하면 회로가 열립니다. 그동안 메시지는 기다리고, 가끔 한 번씩 호출해 복구되었는지 확인합니다.",
    caption: "모든 협력사",
    none: "아직 호출한 협력사가 없습니다.",
    none_next: "협력사는 처음 호출한 뒤부터 표시됩니다. 예를 들어 재고가 줄면 공장이 호출됩니다.",
    partner: "협력사",
    circuit: "회로",
    closed: "닫힘: 호출이 나감",
    open: "열림: 호출이 기다림",
    half_open: "반열림: 확인 호출 중",
    failures: "연속 실패",
    of: |failures, max| html! { (failures) " / " (max) },
    opened: "닫히지 않은 지",
    probe: "다음 확인",
    probe_due: "다음 메시지와 함께",
    in_flight: "진행 중 호출",
    calls: "호출",
    failed: "실패",
    some_fail: |count| html! { "닫히지 않은 회로: " (count) "개. 이를 기다리는 메시지는 큐에 있습니다." },
};
