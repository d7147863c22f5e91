//! What the factory is asked to make.

use serde::Serialize;

/// Where the factory takes requests, below its base address.
pub const MANUFACTURES_PATH: &str = "/api/manufactures";

/// The group that the factory expects in every request.
const GROUP: &str = "stock-arrival-group";

/// The body of a request. Field names are the factory's own; the count is a JSON number, because the factory echoes
/// it and a number is the form that needs no guessing on the way back.
#[derive(Clone, Debug, Serialize)]
pub struct ManufactureRequest<'a> {
    #[serde(rename = "MessageGroupId")]
    group: &'static str,
    #[serde(rename = "MessageAttributeProductId")]
    sku: &'a str,
    #[serde(rename = "MessageAttributeProductCnt")]
    quantity: i64,
    #[serde(rename = "MessageAttributeFactoryId")]
    factory_id: &'a str,
    #[serde(rename = "MessageAttributeRequester")]
    requester: &'a str,
    #[serde(rename = "CallbackUrl")]
    callback_url: &'a str,
}

impl<'a> ManufactureRequest<'a> {
    /// Asks a factory for units of a product, to be reported to a callback address.
    #[must_use]
    pub fn new(
        sku: &'a str,
        quantity: i64,
        factory_id: &'a str,
        requester: &'a str,
        callback_url: &'a str,
    ) -> Self {
        Self { group: GROUP, sku, quantity, factory_id, requester, callback_url }
    }
}

/// The address that takes requests, from a factory's base address with or without a slash at its end.
#[must_use]
pub fn manufactures_url(base: &str) -> String {
    format!("{}{MANUFACTURES_PATH}", base.trim_end_matches('/'))
}

/// The address under which the factory reports finished goods.
#[must_use]
pub fn callback_url(public_url: &str, capability: &str) -> String {
    format!("{}/v1/factory/callbacks/{capability}", public_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_body_is_what_the_factory_reads() {
        let callback = callback_url("http://shop.example/", "id.mac");
        let request = ManufactureRequest::new("CP-502101", 30, "FF-500293", "부산도너츠 공장", &callback);
        assert_eq!(
            serde_json::to_value(request).expect("JSON"),
            json!({
                "MessageGroupId": "stock-arrival-group",
                "MessageAttributeProductId": "CP-502101",
                "MessageAttributeProductCnt": 30,
                "MessageAttributeFactoryId": "FF-500293",
                "MessageAttributeRequester": "부산도너츠 공장",
                "CallbackUrl": "http://shop.example/v1/factory/callbacks/id.mac",
            })
        );
    }

    #[test]
    fn a_base_address_may_end_with_a_slash() {
        assert_eq!(manufactures_url("http://f.example/"), "http://f.example/api/manufactures");
        assert_eq!(manufactures_url("http://f.example/x"), "http://f.example/x/api/manufactures");
    }
}
