//! The way in.

use super::Text;

pub(crate) struct SignIn {
    pub(crate) title: Text,
    pub(crate) lead: Text,
    pub(crate) key: Text,
    pub(crate) hint: Text,
    pub(crate) sign_in: Text,
    pub(crate) unknown: Text,
    pub(crate) not_for_people: Text,
    /// For somebody who came from a link on another site and may have a session.
    pub(crate) go_on: Text,
    pub(crate) interface: Text,
    pub(crate) readiness: Text,
}

pub(super) const ENGLISH: SignIn = SignIn {
    title: "Sign in",
    lead: "Restock sells what is there and asks the factory for more before it is gone. Sign in to watch the shop and to repair it.",
    key: "Key",
    hint: "A viewer's key or an operator's key of this shop (the variables viewer_keys and operator_keys). The session lasts 12 hours and ends at once when its key is taken away.",
    sign_in: "Sign in",
    unknown: "This key is not known. Check that it is whole, and that it was not replaced.",
    not_for_people: "This is a key for programs: it opens the HTTP interface, not the console. Sign in with a viewer's or an operator's key.",
    go_on: "Already signed in? Go on",
    interface: "The HTTP interface",
    readiness: "Readiness",
};

pub(super) const KOREAN: SignIn = SignIn {
    title: "로그인",
    lead: "Restock은 실제로 있는 재고만 팔고, 재고가 바닥나기 전에 공장에 생산을 요청합니다. 로그인하면 상점을 살펴보고 문제를 바로잡을 수 있습니다.",
    key: "키",
    hint: "이 상점의 열람자 키 또는 운영자 키입니다(변수 viewer_keys, operator_keys). 세션은 12시간 동안 유지되며, 키가 회수되면 바로 끝납니다.",
    sign_in: "로그인",
    unknown: "알 수 없는 키입니다. 키가 온전한지, 교체되지 않았는지 확인하세요.",
    not_for_people: "이 키는 프로그램용입니다. HTTP 인터페이스에는 쓸 수 있지만 콘솔에는 쓸 수 없습니다. 열람자 또는 운영자 키로 로그인하세요.",
    go_on: "이미 로그인했다면 계속하기",
    interface: "HTTP 인터페이스",
    readiness: "준비 상태",
};
