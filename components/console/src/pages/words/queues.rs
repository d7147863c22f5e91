//! Queues, dead letters, and what operators do to them.

use super::{Count, Of1, Of2, Text};
use maud::html;
use restock_domain::queues;

/// A label with a value in it, for where no markup can be.
pub(crate) type Label = fn(&str) -> String;
/// A label that counts.
pub(crate) type CountLabel = fn(u64) -> String;
/// A sentence about one or about many.
pub(crate) type Told = fn(u64) -> Text;

pub(crate) struct Queues {
    pub(crate) title: Text,
    pub(crate) lead: Text,
    pub(crate) caption: Text,
    pub(crate) none: Text,
    pub(crate) none_next: Text,
    pub(crate) partners: Text,
    purposes: [Text; 5],
    pub(crate) queue: Text,
    pub(crate) state: Text,
    pub(crate) ready: Text,
    pub(crate) later: Text,
    pub(crate) leased: Text,
    pub(crate) buried: Text,
    pub(crate) oldest: Text,
    pub(crate) per_minute: Text,
    pub(crate) limits: Text,
    /// The lease, and how many at a time.
    pub(crate) limits_are: Of2,
    pub(crate) running: Text,
    pub(crate) paused: Text,
    pub(crate) paused_means: Text,
    pub(crate) ordered: Text,
    pub(crate) done_total: Text,
    pub(crate) retried_total: Text,
    pub(crate) postponed_total: Text,
    pub(crate) buried_total: Text,
    pub(crate) expired_total: Text,
    pub(crate) so_far: Text,
    pub(crate) lease: Text,
    pub(crate) in_flight_max: Text,
    pub(crate) attempts_max: Text,
    pub(crate) attempts_max_default: Text,
    pub(crate) retention: Text,
    pub(crate) pause: Text,
    pub(crate) resume: Text,
    pub(crate) dead_letters: Text,
    pub(crate) no_dead_letters: Text,
    pub(crate) no_dead_letters_next: Text,
    pub(crate) none_of_this_kind: Text,
    pub(crate) by_reason: Text,
    pub(crate) failure: Text,
    pub(crate) no_failure: Text,
    pub(crate) count: Text,
    pub(crate) oldest_letter: Text,
    pub(crate) newest_letter: Text,
    pub(crate) newest_error: Text,
    pub(crate) only_of: Of1,
    pub(crate) letters: Text,
    pub(crate) message: Text,
    pub(crate) about: Text,
    pub(crate) given_up: Text,
    pub(crate) attempts: Text,
    pub(crate) redrives: Count,
    /// A checkbox. What the message is about.
    pub(crate) select: Label,
    pub(crate) redrive: Text,
    pub(crate) redrive_all: Text,
    pub(crate) redrive_selected: Text,
    pub(crate) purge: Text,
    pub(crate) purge_all: Text,
    pub(crate) purge_selected: Text,
    pub(crate) deeds: Deeds,
}

/// The confirmations before something is done.
pub(crate) struct Deeds {
    pub(crate) pause_title: Label,
    pub(crate) pause_says: Text,
    /// Messages that wait, and those that workers have.
    pub(crate) pause_counts: Of2,
    pub(crate) pause_button: Text,
    pub(crate) resume_title: Label,
    pub(crate) resume_says: Text,
    pub(crate) resume_waiting: Count,
    pub(crate) resume_button: Text,
    pub(crate) already_paused: Text,
    pub(crate) already_running: Text,
    pub(crate) redrive_title: Label,
    pub(crate) redrive_counts: Count,
    pub(crate) redrive_says: Told,
    pub(crate) redrive_paused: Told,
    pub(crate) redrive_button: CountLabel,
    pub(crate) purge_title: Label,
    pub(crate) purge_counts: Count,
    pub(crate) purge_warning: Text,
    pub(crate) purge_says: Told,
    purge_replenishment: Text,
    purge_returns: Text,
    pub(crate) purge_button: CountLabel,
    pub(crate) these: Told,
    pub(crate) of_kind: Of1,
    pub(crate) all_of_queue: Text,
    /// So many of the selected ones are no dead letters any more.
    pub(crate) gone: Count,
    /// No more than so many at a time.
    pub(crate) at_most: Of1,
    /// How many there were, and how many there are.
    pub(crate) changed: Of2,
    pub(crate) reason_wrong: Text,
    pub(crate) nothing_left: Text,
    pub(crate) nothing_chosen: Text,
    pub(crate) nothing_chosen_next: Text,
    pub(crate) back: Text,
}

impl Queues {
    /// What a queue is for; nothing for one that this program does not know.
    pub(crate) fn purpose(&self, queue: &str) -> Text {
        let [replenishment, ad_control, loyalty, alerts, returns] = self.purposes;
        match queue {
            queues::REPLENISHMENT => replenishment,
            queues::AD_CONTROL => ad_control,
            queues::LOYALTY => loyalty,
            queues::ALERTS => alerts,
            queues::RETURNS => returns,
            _ => "",
        }
    }
}

impl Deeds {
    /// What a purge does beside; nothing in most queues.
    pub(crate) fn purge_effect(&self, queue: &str) -> Option<Text> {
        match queue {
            queues::REPLENISHMENT => Some(self.purge_replenishment),
            queues::RETURNS => Some(self.purge_returns),
            _ => None,
        }
    }
}

pub(super) const ENGLISH: Queues = Queues {
    title: "Queues",
    lead: "Work that the shop does after the answer to a customer. Nothing in a queue is lost: a message leaves it as done, as a dead letter, or by an operator.",
    caption: "All queues",
    none: "There are no queues.",
    none_next: "They come with the schema of the store. Look at the readiness of the application.",
    partners: "Partners and their circuits",
    purposes: [
        "Asks factories for goods.",
        "Asks the managers of advertisements to pause and to resume them.",
        "Makes bulk buyers VIP customers and tells the marketing system.",
        "Tells people of incidents by email and chat.",
        "Collects returns from the logistics partner, follows them, and reports those that were picked up.",
    ],
    queue: "Queue",
    state: "State",
    ready: "Due",
    later: "Later",
    leased: "Leased",
    buried: "Dead letters",
    oldest: "Due for",
    per_minute: "Done per minute",
    limits: "Limits",
    limits_are: |lease, count| html! { (lease) " each, " (count) " at a time" },
    running: "running",
    paused: "paused",
    paused_means: "Gives out no messages until it is resumed. What arrives waits.",
    ordered: "Keeps the order of messages with the same subject",
    done_total: "Done",
    retried_total: "Tried again",
    postponed_total: "Postponed",
    buried_total: "Given up",
    expired_total: "Worker did not come back",
    so_far: "So far",
    lease: "Lease",
    in_flight_max: "Leased at a time at most",
    attempts_max: "Attempts at most",
    attempts_max_default: "as the application",
    retention: "Finished messages are kept",
    pause: "Pause…",
    resume: "Resume…",
    dead_letters: "Dead letters",
    no_dead_letters: "No dead letters.",
    no_dead_letters_next: "A message that fails for good, or runs out of attempts, is kept here until an operator redrives or purges it. There is nothing to do now.",
    none_of_this_kind: "No dead letter failed for this reason, or none does any more.",
    by_reason: "By reason",
    failure: "Failure",
    no_failure: "no reason",
    count: "Count",
    oldest_letter: "Oldest",
    newest_letter: "Newest",
    newest_error: "Newest error",
    only_of: |reason| html! { "Only those that failed for " (reason) "." },
    letters: "Dead letters, newest first",
    message: "Message",
    about: "About",
    given_up: "Given up",
    attempts: "Attempts",
    redrives: |count, number| html! { @if count == 1 { "redriven once" } @else { "redriven " (number) " times" } },
    select: |about| format!("Select the message about {about}"),
    redrive: "Redrive…",
    redrive_all: "Redrive all…",
    redrive_selected: "Redrive selected…",
    purge: "Purge…",
    purge_all: "Purge all…",
    purge_selected: "Purge selected…",
    deeds: Deeds {
        pause_title: |queue| format!("Pause {queue}?"),
        pause_says: "The queue gives out no messages until somebody resumes it. Nothing is lost: what arrives waits, and workers finish what they have.",
        pause_counts: |ready, leased| html! { "Ready now: " (ready) ". Leased now: " (leased) "." },
        pause_button: "Pause the queue",
        resume_title: |queue| format!("Resume {queue}?"),
        resume_says: "The queue gives out messages again, and its worker is told at once.",
        resume_waiting: |count, number| match count {
            0 => html! { "No message is due." },
            1 => html! { "One message is due and is worked off." },
            _ => html! { (number) " messages are due and are worked off." },
        },
        resume_button: "Resume the queue",
        already_paused: "This queue is already paused.",
        already_running: "This queue is not paused.",
        redrive_title: |queue| format!("Redrive dead letters of {queue}?"),
        redrive_counts: |count, number| {
            html! { @if count == 1 { "One message is made ready again." } @else { (number) " messages are made ready again." } }
        },
        redrive_says: |count| match count {
            1 => {
                "It goes back into the queue, with all its attempts still to come, and is tried at once. Its history stays. If it fails again, it becomes a dead letter again."
            }
            _ => {
                "They go back into the queue, with all their attempts still to come, and are tried at once. Their history stays. What fails again becomes a dead letter again."
            }
        },
        redrive_paused: |count| match count {
            1 => "The queue is paused, so it waits until the queue is resumed.",
            _ => "The queue is paused, so they wait until it is resumed.",
        },
        redrive_button: |count| {
            if count == 1 { "Redrive 1 message".to_owned() } else { format!("Redrive {count} messages") }
        },
        purge_title: |queue| format!("Purge dead letters of {queue}?"),
        purge_counts: |count, number| {
            html! { @if count == 1 { "One message is removed for good." } @else { (number) " messages are removed for good." } }
        },
        purge_warning: "This cannot be undone.",
        purge_says: |count| match count {
            1 => {
                "What it was to bring about will not happen. Nobody can redrive it any more. That it was purged, by whom and why, stays on record."
            }
            _ => {
                "What they were to bring about will not happen. Nobody can redrive them any more. That they were purged, by whom and why, stays on record."
            }
        },
        purge_replenishment: "A production request whose message is purged is cancelled: nothing is on order for it. The next order that finds its product low asks for goods anew.",
        purge_returns: "A return whose message is purged is given up: nobody follows it, until somebody has it followed again.",
        purge_button: |count| {
            if count == 1 {
                "Purge 1 message for good".to_owned()
            } else {
                format!("Purge {count} messages for good")
            }
        },
        these: |count| if count == 1 { "The message you selected." } else { "The messages you selected." },
        of_kind: |reason| html! { "Dead letters that failed for " (reason) "." },
        all_of_queue: "All dead letters of the queue, whatever they failed for.",
        gone: |count, number| {
            html! {
                @if count == 1 { "One of the selected messages is no dead letter any more and is left alone." }
                @else { (number) " of the selected messages are no dead letters any more and are left alone." }
            }
        },
        at_most: |limit| html! { "At most " (limit) " at a time: the oldest ones. The others stay as they are." },
        changed: |before, now| {
            html! { "The messages changed while you decided: there were " (before) ", and there are " (now) " now, perhaps others. Nothing was done. Look again and confirm; if it keeps changing, pause the queue first." }
        },
        reason_wrong: "Say why, in one line of 500 characters at most. Nothing was done.",
        nothing_left: "None of these messages is a dead letter any more. There is nothing to do.",
        nothing_chosen: "No message is selected.",
        nothing_chosen_next: "Go back, select the messages with their checkboxes, and try again.",
        back: "Back to the queue",
    },
};

pub(super) const KOREAN: Queues = Queues {
    title: "큐",
    lead: "고객에게 응답한 뒤 상점이 처리하는 일입니다. 큐에 들어온 것은 사라지지 않습니다. 메시지는 완료되거나, 데드 레터가 되거나, 운영자가 처리할 때만 큐를 떠납니다.",
    caption: "모든 큐",
    none: "큐가 없습니다.",
    none_next: "큐는 저장소의 스키마와 함께 만들어집니다. 애플리케이션의 준비 상태를 확인하세요.",
    partners: "협력사와 회로 상태",
    purposes: [
        "공장에 상품 생산을 요청합니다.",
        "광고 관리자에게 광고의 중단과 재개를 요청합니다.",
        "대량 구매 고객을 VIP로 올리고 마케팅 시스템에 알립니다.",
        "장애를 이메일과 채팅으로 알립니다.",
        "물류사에서 반품을 수집하고 추적하며, 수거된 반품을 보고합니다.",
    ],
    queue: "큐",
    state: "상태",
    ready: "처리 대기",
    later: "나중",
    leased: "처리 중",
    buried: "데드 레터",
    oldest: "지연 시간",
    per_minute: "분당 완료",
    limits: "한도",
    limits_are: |lease, count| html! { "건당 " (lease) ", 동시에 " (count) "건" },
    running: "작동 중",
    paused: "일시 정지",
    paused_means: "다시 시작할 때까지 메시지를 내보내지 않습니다. 새로 도착하는 메시지는 기다립니다.",
    ordered: "대상이 같은 메시지의 순서를 지킴",
    done_total: "완료",
    retried_total: "다시 시도",
    postponed_total: "미룸",
    buried_total: "포기",
    expired_total: "돌아오지 않은 작업자",
    so_far: "지금까지",
    lease: "임대 시간",
    in_flight_max: "동시 처리 한도",
    attempts_max: "시도 한도",
    attempts_max_default: "애플리케이션 설정",
    retention: "완료된 메시지 보존 기간",
    pause: "일시 정지…",
    resume: "다시 시작…",
    dead_letters: "데드 레터",
    no_dead_letters: "데드 레터가 없습니다.",
    no_dead_letters_next: "끝내 실패했거나 시도 횟수를 다 쓴 메시지는 운영자가 다시 보내거나 삭제할 때까지 여기에 보관됩니다. 지금은 할 일이 없습니다.",
    none_of_this_kind: "이 원인으로 실패한 데드 레터가 없거나 더 이상 없습니다.",
    by_reason: "원인별",
    failure: "원인",
    no_failure: "원인 없음",
    count: "개수",
    oldest_letter: "가장 오래된 것",
    newest_letter: "가장 최근 것",
    newest_error: "최근 오류",
    only_of: |reason| html! { "원인이 " (reason) "인 것만 표시합니다." },
    letters: "데드 레터(최신순)",
    message: "메시지",
    about: "대상",
    given_up: "포기한 때",
    attempts: "시도",
    redrives: |_, number| html! { (number) "번 다시 보냄" },
    select: |about| format!("{about}에 관한 메시지 선택"),
    redrive: "다시 보내기…",
    redrive_all: "모두 다시 보내기…",
    redrive_selected: "선택한 것 다시 보내기…",
    purge: "삭제…",
    purge_all: "모두 삭제…",
    purge_selected: "선택한 것 삭제…",
    deeds: Deeds {
        pause_title: |queue| format!("{queue} 큐를 일시 정지할까요?"),
        pause_says: "누군가 다시 시작할 때까지 큐가 메시지를 내보내지 않습니다. 사라지는 것은 없습니다. 새로 도착하는 메시지는 기다리고, 작업자는 맡은 일을 끝냅니다.",
        pause_counts: |ready, leased| html! { "지금 대기: " (ready) ", 처리 중: " (leased) "." },
        pause_button: "큐 일시 정지",
        resume_title: |queue| format!("{queue} 큐를 다시 시작할까요?"),
        resume_says: "큐가 다시 메시지를 내보내고 작업자에게 바로 알립니다.",
        resume_waiting: |count, number| match count {
            0 => html! { "기다리는 메시지가 없습니다." },
            _ => html! { "기다리던 메시지 " (number) "개가 처리됩니다." },
        },
        resume_button: "큐 다시 시작",
        already_paused: "이 큐는 이미 일시 정지되어 있습니다.",
        already_running: "이 큐는 일시 정지 상태가 아닙니다.",
        redrive_title: |queue| format!("{queue} 큐의 데드 레터를 다시 보낼까요?"),
        redrive_counts: |_, number| html! { "메시지 " (number) "개가 다시 대기 상태가 됩니다." },
        redrive_says: |_| "큐로 돌아가 처음부터 다시 시도되며 곧바로 처리됩니다. 이력은 그대로 남습니다. 또 실패하면 다시 데드 레터가 됩니다.",
        redrive_paused: |_| "큐가 일시 정지되어 있어 다시 시작할 때까지 기다립니다.",
        redrive_button: |count| format!("메시지 {count}개 다시 보내기"),
        purge_title: |queue| format!("{queue} 큐의 데드 레터를 삭제할까요?"),
        purge_counts: |_, number| html! { "메시지 " (number) "개가 영구히 삭제됩니다." },
        purge_warning: "되돌릴 수 없습니다.",
        purge_says: |_| "이 메시지가 하려던 일은 일어나지 않으며 다시 보낼 수도 없습니다. 누가 왜 삭제했는지는 기록에 남습니다.",
        purge_replenishment: "메시지가 삭제된 생산 요청은 취소되어 더 이상 들어올 상품이 없습니다. 다음 주문에서 재고 부족이 확인되면 다시 요청합니다.",
        purge_returns: "메시지가 삭제된 반품은 포기한 것으로 처리되어, 누군가 추적을 재개할 때까지 아무도 추적하지 않습니다.",
        purge_button: |count| format!("메시지 {count}개 영구 삭제"),
        these: |_| "선택한 메시지입니다.",
        of_kind: |reason| html! { "원인이 " (reason) "인 데드 레터입니다." },
        all_of_queue: "원인과 관계없이 이 큐의 모든 데드 레터입니다.",
        gone: |_, number| {
            html! { "선택한 메시지 가운데 " (number) "개는 더 이상 데드 레터가 아니므로 건드리지 않습니다." }
        },
        at_most: |limit| html! { "한 번에 가장 오래된 것부터 최대 " (limit) "개까지 처리합니다. 나머지는 그대로 둡니다." },
        changed: |before, now| {
            html! { "결정하는 동안 메시지가 바뀌었습니다: " (before) "개였고 지금은 " (now) "개이며 같은 메시지가 아닐 수 있습니다. 아무것도 하지 않았습니다. 다시 확인해 주세요. 계속 바뀌면 먼저 큐를 일시 정지하세요." }
        },
        reason_wrong: "사유를 500자 이내 한 줄로 적어 주세요. 아무것도 하지 않았습니다.",
        nothing_left: "이 가운데 데드 레터로 남은 메시지가 없습니다. 할 일이 없습니다.",
        nothing_chosen: "선택한 메시지가 없습니다.",
        nothing_chosen_next: "돌아가서 체크박스로 메시지를 선택한 뒤 다시 시도하세요.",
        back: "큐로 돌아가기",
    },
};
