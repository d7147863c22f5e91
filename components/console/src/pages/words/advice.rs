//! What a kind of failure means, and what to do about it. The runbook says the same at greater length.

use super::Text;

pub(crate) struct Advice {
    refused: Text,
    failing: Text,
    address: Text,
    factory_unknown: Text,
    undelivered: Text,
    too_large: Text,
    unreadable: Text,
    provider_gone: Text,
    letter: Text,
    store: Text,
    worker: Text,
}

impl Advice {
    /// On a kind of failure; none on one that is not known.
    pub(crate) fn on(&self, reason: &str) -> Option<Text> {
        Some(match reason {
            "mail-not-configured" | "ad-manager-unknown" | "mail-address" => self.address,
            "factory-unknown" => self.factory_unknown,
            "logistics-undelivered" => self.undelivered,
            "logistics-too-large" => self.too_large,
            "unreadable" => self.unreadable,
            "mail-provider-gone" => self.provider_gone,
            "mail-too-long" | "mail-unreadable" | "letter-contended" => self.letter,
            "customers-unavailable" | "customers-corrupt" | "store-unavailable" => self.store,
            "handler-failed" | "handler-timed-out" | "attempts-exhausted" => self.worker,
            _ if reason.ends_with("-refused") => self.refused,
            _ => {
                let partner_fails = ["-failing", "-timeout", "-unreachable", "-busy", "-unusable-answer"]
                    .iter()
                    .any(|end| reason.ends_with(end));
                return partner_fails.then_some(self.failing);
            }
        })
    }
}

pub(super) const ENGLISH: Advice = Advice {
    refused: "The partner will never take it as it is. Correct what the error names, then redrive.",
    failing: "The partner kept failing. Redrive when its circuit is closed.",
    address: "Nobody could send it, or nobody was there to get it. Correct the address or the variables for mail, then redrive.",
    factory_unknown: "The factory has no address. Set its address or factory_url, then redrive.",
    undelivered: "The parcel did not come back in time. Ask the partner; then redrive to look once more, or purge.",
    too_large: "The partner's list is too long. Have it take reported returns off its list.",
    unreadable: "The message cannot be understood: a bug. Keep one and report it; purge the rest.",
    provider_gone: "The provider that may have sent it is not configured any more. Configure it again and redrive, or purge.",
    letter: "The email could not be kept, read or claimed. Redrive; if it comes back, it is a bug.",
    store: "A database did not do its work. Look at its disk and at the readiness, then redrive.",
    worker: "The worker broke off, at the last attempt too. Look into the log at the times of the attempts, then redrive.",
};

pub(super) const KOREAN: Advice = Advice {
    refused: "협력사가 이대로는 받지 않습니다. 오류가 가리키는 내용을 고친 뒤 다시 보내세요.",
    failing: "협력사가 계속 실패했습니다. 회로가 닫힌 뒤 다시 보내세요.",
    address: "보내거나 받을 사람이 없었습니다. 주소나 메일 변수를 고친 뒤 다시 보내세요.",
    factory_unknown: "공장의 주소가 없습니다. 공장 주소나 factory_url을 설정한 뒤 다시 보내세요.",
    undelivered: "소포가 제때 돌아오지 않았습니다. 협력사에 문의한 뒤 한 번 더 확인하려면 다시 보내고, 아니면 삭제하세요.",
    too_large: "협력사의 목록이 너무 깁니다. 보고된 반품을 목록에서 빼 달라고 요청하세요.",
    unreadable: "메시지를 해석할 수 없습니다(버그). 하나를 남겨 신고하고 나머지는 삭제하세요.",
    provider_gone: "보냈을 수 있는 메일 제공자가 더 이상 설정되어 있지 않습니다. 다시 설정한 뒤 다시 보내거나 삭제하세요.",
    letter: "이메일을 보관하거나 읽거나 맡을 수 없었습니다. 다시 보내고, 되풀이되면 버그입니다.",
    store: "데이터베이스가 작동하지 않았습니다. 디스크와 준비 상태를 확인한 뒤 다시 보내세요.",
    worker: "마지막 시도까지 작업자가 중단되었습니다. 시도 시각의 로그를 확인한 뒤 다시 보내세요.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_failure_is_said_and_nothing_else() {
        for advice in [ENGLISH, KOREAN] {
            assert_eq!(advice.on("mail-refused"), Some(advice.refused));
            assert_eq!(advice.on("factory-timeout"), Some(advice.failing));
            assert_eq!(advice.on("attempts-exhausted"), Some(advice.worker));
            assert_eq!(advice.on("logistics-undelivered"), Some(advice.undelivered));
            for unknown in ["", "refused", "<script>"] {
                assert_eq!(advice.on(unknown), None, "{unknown}");
            }
        }
    }
}
