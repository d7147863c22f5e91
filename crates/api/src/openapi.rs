//! The description of the HTTP interface: OpenAPI 3.1, made from the types and the table of routes that the components run on.

mod book;

use crate::customer::{CustomerPromoted, KnownCustomer};
use crate::incident::Incident;
use crate::legacy::{CheckoutRequest, LegacyAnswer, LegacyProduct};
use crate::operations::{Audit, Health, OperatorAction, Partner, Readiness, TickReport};
use crate::order::{Order, OrderRequest, PlacedOrder};
use crate::product::{Factory, FactoryDefinition, Product, ProductDefinition, ProductSummary};
use crate::production::{FactoryReport, ProductionRequest, ProductionStatus, ReportAnswer};
use crate::queue::{
    Buried, Drained, Message, PauseRequest, Paused, PurgeRequest, Purged, Queue, RedriveRequest, Redriven,
};
use crate::returns::{
    DiscardRequest, Goods, ReceiveRequest, ReplayRequest, Replayed, Return, ReturnCollection, ReturnHistory,
    ReturnReject, ReturnStatus,
};
use crate::routes;
use crate::stock::{AdjustmentRequest, Movement};
use book::Book;
use serde_json::json;
use utoipa::openapi::OpenApi;

const INTRODUCTION: &str = "Restock sells what is there and asks the factory for more before it is gone. \
Errors are problem documents (RFC 9457). Times are RFC 3339 in UTC. Money is an integer of minor units. \
Lists are walked with `limit` and `cursor`; `next_cursor` is null on the last page. \
Every answer carries `x-request-id`; a client may send its own. \
A `traceparent` (W3C Trace Context) is continued by all that a request causes.";

/// The description of the interface.
#[must_use]
pub fn document() -> OpenApi {
    let mut book = Book::new("Restock", env!("CARGO_PKG_VERSION"), INTRODUCTION);
    shop(&mut book);
    customers(&mut book);
    factories(&mut book);
    ledger(&mut book);
    returns(&mut book);
    queues(&mut book);
    operations(&mut book);
    legacy(&mut book);
    book.finish()
}

fn shop(book: &mut Book) {
    book.operation(routes::PLACE_ORDER, "shop", "Place an order: all of its items, or none.")
        .idempotent()
        .body::<OrderRequest>(json!({
            "customer": {"id": "c-1001", "email": "kim@customer.example", "name": "Kim"},
            "items": [{"sku": "CP-502101", "quantity": 1}],
            "if_short": "backorder",
        }))
        .answer::<PlacedOrder>(201, "Sold.")
        .answer::<PlacedOrder>(202, "It waits for goods.")
        .problem(409, "Not enough in stock; `short` says what is. The order was recorded as rejected.")
        .write();
    book.operation(routes::GET_ORDER, "shop", "Show an order as it is now.")
        .answer::<Order>(200, "The order.")
        .write();
    book.operation(routes::LIST_PRODUCTS, "shop", "List products by SKU.")
        .description("A storefront key sees `sku`, `name`, `price` and `available`; other keys see all.")
        .page_of_either::<ProductSummary, Product>()
        .write();
    book.operation(routes::GET_PRODUCT, "shop", "Show a product.")
        .description("A storefront key sees `sku`, `name`, `price` and `available`; other keys see all.")
        .either::<ProductSummary, Product>(200, "The product.")
        .write();
    book.operation(routes::PUT_PRODUCT, "shop", "Create or change a product. Repeating it changes nothing.")
        .body::<ProductDefinition>(json!({
            "name": "부산도너츠",
            "price": {"amount": 19900, "currency": "KRW"},
            "factory_id": "FF-500293",
            "reorder_point": 10,
            "order_up_to": 50,
            "policy": "manual",
            "ad": {"running": true, "manager_email": "ads@shop.example"},
            "opening_stock": 50,
        }))
        .answer::<Product>(200, "Changed.")
        .answer::<Product>(201, "Created.")
        .write();
}

fn customers(book: &mut Book) {
    book.operation(routes::GET_CUSTOMER, "customers", "Show a customer.")
        .description("Known are those of whom an order was accepted.")
        .answer::<KnownCustomer>(200, "The customer.")
        .write();
    book.webhook::<CustomerPromoted>(
        CustomerPromoted::TYPE,
        "customers",
        "A customer became a VIP.",
        "Sent to `marketing_url`, signed as Standard Webhooks 1.0.0 has it: `webhook-id` is the same for every repetition, \
         `webhook-timestamp` is the moment of sending in Unix seconds, `webhook-signature` holds one `v1` signature for each \
         of the `marketing_secret`s. Any 2xx ends it; 408, 425, 429, 5xx and no answer are tried again, after `Retry-After` \
         where one is given; what else is answered makes it a dead letter.",
    );
}

fn factories(book: &mut Book) {
    book.operation(
        routes::PUT_FACTORY,
        "factories",
        "Create or change a factory. Repeating it changes nothing.",
    )
    .body::<FactoryDefinition>(json!({
        "name": "부산도너츠 공장",
        "manager_email": "factory@shop.example",
        "url": "http://127.0.0.1:8090",
    }))
    .answer::<Factory>(200, "Changed.")
    .answer::<Factory>(201, "Created.")
    .write();
    book.operation(
        routes::REPORT_GOODS,
        "factories",
        "Report finished goods. The token in the path is the key.",
    )
    .body_of_any_type::<FactoryReport>(json!({"MessageAttributeProductCnt": 40}))
    .answer::<ReportAnswer>(200, "The goods are booked. A repeated report gets the first answer.")
    .problem(403, "Factories do not report from this address.")
    .write();
    book.operation(routes::LIST_PRODUCTION, "factories", "List production requests, newest first.")
        .query("status", "Only those of one state.", &ProductionStatus::WORDS.map(|(word, _)| word))
        .page_of::<ProductionRequest>()
        .write();
    book.operation(routes::GET_PRODUCTION, "factories", "Show a production request.")
        .answer::<ProductionRequest>(200, "The request.")
        .write();
}

fn ledger(book: &mut Book) {
    book.operation(routes::LIST_MOVEMENTS, "stock", "List what moved a product's stock, newest first.")
        .page_of::<Movement>()
        .write();
    book.operation(routes::ADJUST_STOCK, "stock", "Correct the stock by hand.")
        .idempotent()
        .body::<AdjustmentRequest>(json!({"delta": -3, "reason": "broken in the warehouse"}))
        .answer::<Movement>(200, "The movement.")
        .problem(409, "The stock would go below zero. Nothing was changed.")
        .write();
}

fn returns(book: &mut Book) {
    book.operation(routes::LIST_RETURNS, "returns", "List returns, newest first.")
        .description("One of `status`, `goods`, `order_number` and `shipment_number` at most.")
        .query("status", "Only those that are so far.", &ReturnStatus::WORDS.map(|(word, _)| word))
        .query("goods", "Only those whose goods are there.", &Goods::WORDS.map(|(word, _)| word))
        .query_text("order_number", "Only those of this order.", "1234")
        .query_text("shipment_number", "Only those of this shipment.", "SHP_00000579")
        .page_of::<Return>()
        .write();
    book.operation(
        routes::GET_RETURN,
        "returns",
        "Show a return with what the partner said of its shipment.",
    )
    .answer::<ReturnHistory>(200, "The return.")
    .write();
    book.operation(routes::REPLAY_RETURN, "returns", "Follow one shipment by hand, on record.")
        .description(
            "A return that is not known begins. One that is known goes on now, with this shipment number while it is on its \
             way; a dead letter of it is redriven. Repeating it changes nothing else.",
        )
        .body::<ReplayRequest>(json!({"body": {"Attribute": {
            "shipment_number": "SHP_00000579", "order_number": "1234", "order_item_number": "123123",
        }}}))
        .answer::<Replayed>(200, "It was reported before: nothing is left to do (`over`).")
        .answer::<Replayed>(202, "It is followed from now on (`begun`), or goes on now (`resumed`).")
        .write();
    book.operation(routes::RECEIVE_RETURN, "returns", "Put the goods of a return on the shelf, once, on record.")
        .description(
            "They fill waiting orders in the same write. The same decision again changes nothing and gets the same answer.",
        )
        .optional_body::<ReceiveRequest>(json!({"sku": "CP-502101", "quantity": 1, "reason": "unopened"}))
        .answer::<Return>(200, "The return; its goods are received.")
        .problem(409, "It is not reported yet, was settled otherwise, matches nothing, or fewer were sold; `type` says which. Nothing was changed.")
        .write();
    book.operation(
        routes::DISCARD_RETURN,
        "returns",
        "Decide that the goods of a return never go back on the shelf, on record.",
    )
    .description("The same decision again changes nothing and gets the same answer.")
    .optional_body::<DiscardRequest>(json!({"reason": "broken"}))
    .answer::<Return>(200, "The return; its goods are discarded.")
    .problem(
        409,
        "It is not reported yet, or its goods were received; `type` says which. Nothing was changed.",
    )
    .write();
    book.operation(
        routes::LIST_RETURN_COLLECTIONS,
        "returns",
        "List collections of the partner's list, newest first.",
    )
    .page_of::<ReturnCollection>()
    .write();
    book.operation(
        routes::LIST_RETURN_REJECTS,
        "returns",
        "List records of the partner's list that nothing can be done with, newest first.",
    )
    .page_of::<ReturnReject>()
    .write();
}

fn queues(book: &mut Book) {
    book.operation(routes::LIST_QUEUES, "queues", "List queues by name.").whole_list_of::<Queue>().write();
    book.operation(routes::GET_QUEUE, "queues", "Show a queue.").answer::<Queue>(200, "The queue.").write();
    book.operation(routes::PAUSE_QUEUE, "queues", "Stop a queue from giving out messages.")
        .optional_body::<PauseRequest>(json!({"reason": "the factory moves house"}))
        .answer::<Paused>(200, "It is paused.")
        .write();
    book.operation(routes::RESUME_QUEUE, "queues", "Let a queue give out messages again.")
        .optional_body::<PauseRequest>(json!({"reason": "the factory is back"}))
        .answer::<Paused>(200, "It is not paused.")
        .write();
    book.operation(
        routes::LIST_BURIED,
        "queues",
        "List dead letters, newest first, and the kinds they fall into.",
    )
    .description("The `error` of a message and of each attempt holds what was answered.")
    .query_text("reason", "Only those whose last failure is of this kind.", "mail-refused")
    .page::<Buried>()
    .write();
    book.operation(routes::REDRIVE_QUEUE, "queues", "Make dead letters ready again, on record.")
        .description("They keep their history and can be buried again. A dry run only counts them.")
        .body::<RedriveRequest>(json!({"reason": "mail-refused", "limit": 100, "dry_run": true}))
        .answer::<Redriven>(200, "How many.")
        .write();
    book.operation(routes::PURGE_QUEUE, "queues", "Remove dead letters for good, on record.")
        .description("A dry run only counts them.")
        .body::<PurgeRequest>(json!({"all": true, "reason": "the product is gone", "dry_run": true}))
        .answer::<Purged>(200, "How many.")
        .write();
    book.operation(routes::GET_MESSAGE, "queues", "Show a message with its newest 100 attempts.")
        .answer::<Message>(200, "The message.")
        .write();
}

fn operations(book: &mut Book) {
    book.operation(routes::LIST_PARTNERS, "operations", "List partners and their circuits, by name.")
        .whole_list_of::<Partner>()
        .write();
    book.operation(routes::LIST_INCIDENTS, "operations", "List what is and was wrong, newest first.")
        .query("open", "`true`: only what goes on.", &["true"])
        .page_of::<Incident>()
        .write();
    book.operation(routes::LIST_OPERATIONS, "operations", "List what operators did, newest first.")
        .page_of::<OperatorAction>()
        .write();
    book.operation(routes::AUDIT, "operations", "Recompute the invariants from the rows.")
        .description("What it finds opens an incident or adds to it; finding nothing ends it.")
        .answer::<Audit>(200, "What was found; `ok` says whether all is well.")
        .write();
    book.operation(routes::HEALTH, "operations", "Whether the program answers.")
        .answer::<Health>(200, "It does.")
        .write();
    book.operation(routes::READINESS, "operations", "Whether work can be done.")
        .answer::<Readiness>(200, "It can.")
        .answer::<Readiness>(503, "It cannot; `faults` says why.")
        .write();
    book.operation(routes::METRICS, "operations", "The shop in numbers, for a monitoring system.")
        .description("Prometheus' text format. Every value but `restock_store_latency_seconds` comes from the store, whichever host answers.")
        .document(200, "text/plain")
        .write();
    book.operation(routes::TICK, "operations", "Do what time makes necessary.")
        .answer::<TickReport>(200, "What was done.")
        .write();
    book.operation(routes::DRAIN_QUEUE, "operations", "Work off a queue.")
        .answer::<Drained>(200, "What was done.")
        .write();
    book.operation(routes::DESCRIPTION, "operations", "This description.")
        .document(200, "application/json")
        .write();
}

fn legacy(book: &mut Book) {
    let only = "Answers only where the variable `legacy_api` is `on`; 404 otherwise.";
    book.operation(routes::LEGACY_PRODUCT, "old shop", "Show a product as the old shop does.")
        .description(only)
        .answer::<LegacyProduct>(200, "The product.")
        .write();
    book.operation(routes::LEGACY_REPORT, "old shop", "Report finished goods to the old shop's address.")
        .description(only)
        .body_of_any_type::<FactoryReport>(json!({"OrderStockCnt": 40}))
        .answer::<LegacyAnswer>(200, "The goods are booked.")
        .problem(403, "Factories do not report from this address.")
        .write();
    book.operation(routes::LEGACY_CHECKOUT, "old shop", "Buy a product as the old shop's page does.")
        .description(only)
        .idempotent()
        .body::<CheckoutRequest>(json!({"MessageAttributeFactoryId": "FF-500293"}))
        .answer::<LegacyAnswer>(200, "Sold or sold out; the message says which.")
        .problem(404, "The old shop is closed, or has no product.")
        .write();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::{Method, Route};
    use serde_json::Value;

    fn written() -> Value {
        serde_json::to_value(document()).expect("JSON")
    }

    fn operation<'a>(document: &'a Value, route: &Route) -> &'a Value {
        &document["paths"][route.path][route.method.name().to_lowercase()]
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = written();
        for route in routes::ALL {
            assert!(operation(&document, route).is_object(), "{} {}", route.method.name(), route.path);
        }
        let described: usize = document["paths"]
            .as_object()
            .expect("paths")
            .values()
            .map(|item| ["get", "put", "post"].iter().filter(|method| item.get(**method).is_some()).count())
            .sum();
        assert_eq!(described, routes::ALL.len());
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn what_is_sent_to_others_is_described_with_what_ends_it() {
        let document = written();
        let webhook = &document["webhooks"][CustomerPromoted::TYPE]["post"];
        let body = &webhook["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(body, "#/components/schemas/CustomerPromoted");
        assert!(webhook["responses"].get("2XX").is_some(), "{webhook}");
    }

    #[test]
    fn dead_letters_are_described_with_their_page_and_their_groups() {
        let buried = &written()["components"]["schemas"]["Buried"];
        let parts = buried["allOf"].as_array().expect("parts");
        assert!(parts.iter().any(|part| part["$ref"] == "#/components/schemas/Page_Message"), "{buried}");
        assert!(parts.iter().any(|part| part["properties"]["groups"].is_object()), "{buried}");
    }

    #[test]
    fn the_example_of_an_operation_has_its_fields_and_no_others() {
        let action = &written()["components"]["schemas"]["OperatorAction"];
        let names = |object: &Value| -> Vec<String> {
            let mut names: Vec<_> = object.as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&action["example"]), names(&action["properties"]));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(document: &Value, value: &Value, seen: &mut usize) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let target = document.pointer(reference.trim_start_matches('#'));
                        assert!(target.is_some(), "{reference}");
                        *seen += 1;
                    }
                    fields.values().for_each(|value| walk(document, value, seen));
                }
                Value::Array(elements) => elements.iter().for_each(|value| walk(document, value, seen)),
                _ => {}
            }
        }
        let document = written();
        let mut seen = 0;
        walk(&document, &document, &mut seen);
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn every_example_of_a_body_is_one_that_is_accepted() {
        type Decode = fn(&[u8]) -> bool;
        let decoders: [(Route, Decode); 14] = [
            (routes::PLACE_ORDER, |body| OrderRequest::decode(body).is_ok()),
            (routes::PUT_PRODUCT, |body| ProductDefinition::decode(body).is_ok()),
            (routes::PUT_FACTORY, |body| FactoryDefinition::decode(body).is_ok()),
            (routes::ADJUST_STOCK, |body| AdjustmentRequest::decode(body).is_ok()),
            (routes::REPLAY_RETURN, |body| ReplayRequest::decode(body).is_ok()),
            (routes::RECEIVE_RETURN, |body| ReceiveRequest::decode(body).is_ok()),
            (routes::DISCARD_RETURN, |body| DiscardRequest::decode(body).is_ok()),
            (routes::PAUSE_QUEUE, |body| PauseRequest::decode(body).is_ok()),
            (routes::RESUME_QUEUE, |body| PauseRequest::decode(body).is_ok()),
            (routes::REDRIVE_QUEUE, |body| RedriveRequest::decode(body).is_ok()),
            (routes::PURGE_QUEUE, |body| PurgeRequest::decode(body).is_ok()),
            (routes::LEGACY_CHECKOUT, |body| CheckoutRequest::decode(body).is_ok()),
            (routes::REPORT_GOODS, |body| restock_domain::factory::report::read(body).is_ok()),
            (routes::LEGACY_REPORT, |body| restock_domain::factory::report::read(body).is_ok()),
        ];
        let document = written();
        let mut examples = 0;
        for route in routes::ALL {
            let body = &operation(&document, route)["requestBody"]["content"]["application/json"];
            if body.is_null() {
                continue;
            }
            let (_, decode) = decoders.iter().find(|(known, _)| known == route).expect("a decoder");
            assert!(decode(body["example"].to_string().as_bytes()), "{}: {}", route.path, body["example"]);
            examples += 1;
        }
        assert_eq!(examples, decoders.len());
    }

    #[test]
    fn every_route_that_asks_for_a_key_says_so() {
        let document = written();
        for route in routes::ALL {
            let public = route.access == restock_domain::keys::Access::Public;
            let operation = operation(&document, route);
            assert_eq!(operation.get("security").is_none(), public, "{}", route.path);
            assert_eq!(operation["responses"].get("401").is_none(), public, "{}", route.path);
            let sends = operation.get("requestBody").is_some();
            assert!(!(sends && route.method == Method::Get), "{}", route.path);
        }
    }
}
