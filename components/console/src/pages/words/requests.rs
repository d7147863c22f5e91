//! Production requests: their states, and the numbers that led to them.

use super::{Of1, Of2, Text};
use maud::html;

pub(crate) struct Requests {
    pub(crate) planned: Text,
    pub(crate) requested: Text,
    pub(crate) overdue: Text,
    pub(crate) received: Text,
    pub(crate) failed: Text,
    pub(crate) cancelled: Text,
    pub(crate) why: Text,
    pub(crate) on_hand: Text,
    pub(crate) on_order: Text,
    pub(crate) backordered: Text,
    pub(crate) position: Text,
    pub(crate) reorder_point: Text,
    pub(crate) order_up_to: Text,
    pub(crate) quantity: Text,
    pub(crate) position_is: Text,
    pub(crate) so_goods_are_needed: Text,
    /// The levels were changed since.
    pub(crate) above_the_point: Text,
    /// The units.
    pub(crate) so_many_were_asked_for: Of1,
    /// The request before, and the units that did not come.
    pub(crate) follows: Of2,
}

pub(super) const ENGLISH: Requests = Requests {
    planned: "planned",
    requested: "requested",
    overdue: "overdue",
    received: "received",
    failed: "failed",
    cancelled: "cancelled",
    why: "Why",
    on_hand: "on hand",
    on_order: "on order",
    backordered: "backordered",
    position: "position",
    reorder_point: "reorder point",
    order_up_to: "order-up-to",
    quantity: "quantity",
    position_is: "The inventory position: what is there and what will come, without what customers already wait for.",
    so_goods_are_needed: "The position had reached the reorder point, so goods were needed.",
    above_the_point: "The position was above the reorder point.",
    so_many_were_asked_for: |units| html! { "So " (units) " were asked for." },
    follows: |before, units| html! { "The rest of request " (before) ": " (units) " of it did not come." },
};

pub(super) const KOREAN: Requests = Requests {
    planned: "계획됨",
    requested: "요청됨",
    overdue: "기한 지남",
    received: "입고됨",
    failed: "실패",
    cancelled: "취소됨",
    why: "이유",
    on_hand: "현재고",
    on_order: "생산 중",
    backordered: "입고 대기 주문",
    position: "재고 포지션",
    reorder_point: "재주문점",
    order_up_to: "목표 재고",
    quantity: "요청 수량",
    position_is: "재고 포지션: 있는 수량과 들어올 수량을 더하고 고객이 기다리는 수량을 뺀 값입니다.",
    so_goods_are_needed: "재고 포지션이 재주문점 이하가 되어 상품이 더 필요했습니다.",
    above_the_point: "재고 포지션이 재주문점보다 높았습니다.",
    so_many_were_asked_for: |units| html! { "그래서 " (units) "를 요청했습니다." },
    follows: |before, units| html! { "요청 " (before) "에서 들어오지 않은 나머지 " (units) "입니다." },
};
