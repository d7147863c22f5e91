//! The frame around every page.

use super::Text;
use crate::pages::Section;

pub(crate) struct Frame {
    pub(crate) navigation: Text,
    pub(crate) skip: Text,
    pub(crate) operator: Text,
    pub(crate) viewer: Text,
    pub(crate) sign_out: Text,
    /// The server is not reached.
    pub(crate) lost: Text,
    /// It is, and has a fault.
    pub(crate) trouble: Text,
    /// It is reached again.
    pub(crate) back: Text,
    /// The button that stops the updates.
    pub(crate) pause: Text,
    /// Updates wait for a selection of text to end.
    pub(crate) waits: Text,
    /// Selected rows have left the page.
    pub(crate) unchosen: Text,
    /// What the title of a page begins with where something is wrong.
    pub(crate) fault: Text,
    overview: Text,
    products: Text,
    production: Text,
    orders: Text,
    customers: Text,
    returns: Text,
    queues: Text,
    incidents: Text,
    operations: Text,
}

impl Frame {
    /// What a section is called; nothing for none.
    pub(crate) fn section(&self, section: Section) -> Text {
        match section {
            Section::Overview => self.overview,
            Section::Products => self.products,
            Section::Production => self.production,
            Section::Orders => self.orders,
            Section::Customers => self.customers,
            Section::Returns => self.returns,
            Section::Queues => self.queues,
            Section::Incidents => self.incidents,
            Section::Operations => self.operations,
            Section::None => "",
        }
    }
}

pub(super) const ENGLISH: Frame = Frame {
    navigation: "Console",
    skip: "Skip to the content",
    operator: "Operator",
    viewer: "Viewer",
    sign_out: "Sign out",
    lost: "The server does not answer. What you see is from before; trying again.",
    trouble: "The server has a fault. What you see is from before; trying again.",
    back: "The server answers again.",
    pause: "Pause updates",
    waits: "Updates wait while text is selected.",
    unchosen: "Some of what you selected has left this page and is no longer selected. Pause updates to select at leisure.",
    fault: "Error",
    overview: "Overview",
    products: "Products",
    production: "Production",
    orders: "Orders",
    customers: "Customers",
    returns: "Returns",
    queues: "Queues",
    incidents: "Incidents",
    operations: "Operations",
};

pub(super) const KOREAN: Frame = Frame {
    navigation: "콘솔",
    skip: "본문으로 건너뛰기",
    operator: "운영자",
    viewer: "열람자",
    sign_out: "로그아웃",
    lost: "서버가 응답하지 않습니다. 지금 보이는 내용은 이전 상태이며, 다시 시도하고 있습니다.",
    trouble: "서버에 문제가 생겼습니다. 지금 보이는 내용은 이전 상태이며, 다시 시도하고 있습니다.",
    back: "서버가 다시 응답합니다.",
    pause: "업데이트 멈춤",
    waits: "텍스트를 선택한 동안 업데이트를 멈춥니다.",
    unchosen: "선택한 항목 중 일부가 이 페이지에서 사라져 선택이 해제되었습니다. 천천히 고르려면 업데이트를 멈추세요.",
    fault: "오류",
    overview: "개요",
    products: "상품",
    production: "생산",
    orders: "주문",
    customers: "고객",
    returns: "반품",
    queues: "큐",
    incidents: "장애",
    operations: "작업 기록",
};
