//! What was just done.

use super::{Count, Text};
use maud::html;

pub(crate) struct Notices {
    pub(crate) signed_out: Text,
    pub(crate) paused: Text,
    pub(crate) resumed: Text,
    pub(crate) redriven: Count,
    pub(crate) purged: Count,
    pub(crate) return_received: Text,
    pub(crate) return_discarded: Text,
    pub(crate) return_followed: Text,
    pub(crate) return_begun: Text,
    pub(crate) return_over: Text,
}

pub(super) const ENGLISH: Notices = Notices {
    signed_out: "You are signed out.",
    paused: "The queue is paused: it gives out no messages until it is resumed.",
    resumed: "The queue gives out messages again.",
    redriven: |count, number| match count {
        0 => html! { "Nothing was redriven: no dead letter matched any more." },
        1 => html! { "One message was redriven. It is ready to be tried again." },
        _ => html! { (number) " messages were redriven. They are ready to be tried again." },
    },
    purged: |count, number| match count {
        0 => html! { "Nothing was purged: no dead letter matched any more." },
        1 => html! { "One dead letter was removed for good." },
        _ => html! { (number) " dead letters were removed for good." },
    },
    return_received: "The goods are on the shelf.",
    return_discarded: "The goods are discarded: they never go back on the shelf.",
    return_followed: "The return is followed again from now on.",
    return_begun: "The return is new here, and followed from now on.",
    return_over: "This return was reported before: nothing was left to do.",
};

pub(super) const KOREAN: Notices = Notices {
    signed_out: "로그아웃했습니다.",
    paused: "큐가 일시 정지되었습니다. 다시 시작할 때까지 메시지를 내보내지 않습니다.",
    resumed: "큐가 다시 메시지를 내보냅니다.",
    redriven: |count, number| match count {
        0 => html! { "다시 보낸 메시지가 없습니다. 조건에 맞는 데드 레터가 더 이상 없습니다." },
        _ => html! { "메시지 " (number) "개를 다시 보냈습니다. 곧 다시 처리됩니다." },
    },
    purged: |count, number| match count {
        0 => html! { "삭제한 메시지가 없습니다. 조건에 맞는 데드 레터가 더 이상 없습니다." },
        _ => html! { "데드 레터 " (number) "개를 영구히 삭제했습니다." },
    },
    return_received: "상품을 재고에 넣었습니다.",
    return_discarded: "상품을 폐기했습니다. 재고로 돌아가지 않습니다.",
    return_followed: "반품 추적을 다시 시작했습니다.",
    return_begun: "새 반품이 되어 지금부터 추적합니다.",
    return_over: "이미 보고된 반품이어서 할 일이 없었습니다.",
};
