//! Shops to look at: their clock is the machine's own, and they do by themselves what is due, as in earnest.

use std::collections::BTreeSet;
use std::time::Duration;

use restock_host::Clock;
use restock_sandbox::logistics::Return;
use serde_json::{Value, json};

use super::screen::Screen;
use crate::support::{
    FACTORY, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, advertised, backorder, definition, eventually, items,
    order,
};

/// Text that would be code, were it not text.
pub(super) const SCRIPT: &str = "<script>alert(1)</script>";
pub(super) const HOSTILE: [(&str, &str); 5] = [
    ("X-script", SCRIPT),
    ("X-image", "\"'><img src=x onerror=alert(2)>&amp;"),
    ("X-arabic", "سماعات رأس لاسلكية"),
    ("X-korean", "부산도너츠 한정판 🍩"),
    ("X-long", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"),
];
/// A customer who became a VIP.
pub(super) const VIP: &str = "c-vip";

/// A shop that works by itself.
pub(super) async fn shop() -> Shop {
    Shop::connected_as(|options, _| {
        options.clock = Clock::system();
        options.tick = Some(Duration::from_millis(500));
        for (name, value) in [
            ("attempts_max", "2"),
            ("returns_every_seconds", "1"),
            ("tracking_interval_seconds", "1"),
            ("production_due_seconds", "3600"),
        ] {
            options.variables.insert(name.into(), value.into());
        }
    })
    .await
}

/// The same, with dead letters of two kinds: three requests that the factory refused, and two that failed to the end. The factory is
/// well again.
pub(super) async fn shop_with_dead_letters() -> Shop {
    let shop = shop().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    for n in 1..=3 {
        shop.define(&format!("refused-{n}"), 0, 0, 10).await;
    }
    buried(&shop, "replenishment", 3).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    for n in 1..=2 {
        shop.define(&format!("failed-{n}"), 0, 0, 10).await;
    }
    buried(&shop, "replenishment", 5).await;
    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    shop
}

/// Waits until a queue has so many dead letters.
pub(super) async fn buried(shop: &Shop, queue: &str, count: u64) {
    eventually("messages are given up", || async {
        (shop.queue_of(queue).await["buried"].as_u64() == Some(count)).then_some(())
    })
    .await;
}

/// A shop that has something on each of its pages, much of it hostile.
pub(super) async fn full_shop() -> Shop {
    let shop = shop_with_dead_letters().await;
    let client = &shop.client;
    client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(6, 3, 12)).await.expect(201);
    for (sku, name) in HOSTILE {
        let mut body = definition(500, 5, 600);
        body["name"] = json!(name);
        client.put(OPERATOR, &format!("/v1/products/{sku}"), body).await.expect(201);
    }
    let factory = json!({"name": SCRIPT, "manager_email": "factory@example.com"});
    client.put(OPERATOR, &format!("/v1/factories/{FACTORY}"), factory).await.expect(200);

    let mut accepted = Vec::new();
    for units in [1, 2, 2] {
        accepted.push(client.order(SKU, units).await.expect(201));
    }
    client.order(SKU, 50).await.expect(409);
    client.post(STOREFRONT, "/v1/orders", backorder(&[(SKU, 4)])).await.expect(202);
    let mut bulk = order(&[("X-script", 120), ("X-arabic", 3)]);
    bulk["customer"] = json!({"id": VIP, "email": "vip@example.com", "name": SCRIPT});
    client.post(STOREFRONT, "/v1/orders", bulk).await.expect(201);
    eventually("the customer is a VIP", || async {
        let customer = client.get(VIEWER, &format!("/v1/customers/{VIP}")).await.json;
        (customer["type"] == "vip").then_some(())
    })
    .await;

    let logistics = &shop.world().logistics;
    for (order, item, shipment) in [
        (accepted[0]["id"].as_str().expect("an id"), SKU, "SHP_1"),
        (accepted[1]["id"].as_str().expect("an id"), SKU, "SHP_2"),
        ("not-ours", "<b>1</b>", "SHP_3"),
    ] {
        logistics
            .add_return(Return {
                order_number: order.into(),
                order_item_number: item.into(),
                shipment_number: shipment.into(),
            })
            .unwrap();
    }
    for _ in 0..3 {
        logistics.advance_shipment("SHP_1");
    }
    eventually("a parcel is back", || async {
        let waiting = items(client.get(VIEWER, "/v1/returns?goods=waiting").await.expect(200));
        let all = items(client.get(VIEWER, "/v1/returns").await.expect(200));
        (!waiting.is_empty() && all.len() >= 2).then_some(())
    })
    .await;

    let reason = json!({"reason": SCRIPT});
    client.post(OPERATOR, "/v1/queues/returns/pause", reason).await.expect(200);
    let adjusted = json!({"delta": -1, "reason": "\"broken\" in the <i>rain</i>"});
    client.post(OPERATOR, "/v1/stock/X-korean/adjustments", adjusted).await.expect(200);
    shop
}

/// A page that a browser came to by links and forms that ask, and what is wrong with how it is written.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) faults: Vec<String>,
}

/// Every kind of page that can be reached from the overview by following links and by sending forms that only ask, one of each
/// shape: ids, cursors and words of the shop's own do not make another kind.
pub(super) async fn every_page(screen: &Screen) -> Vec<Found> {
    let found = screen.ask(CRAWL, &[json!(["/", "/no-such-page", "/products/no-such-product"])]).await;
    let found: Vec<Found> = items(json!({ "items": found }))
        .iter()
        .map(|page| Found {
            path: page["path"].as_str().expect("a path").to_owned(),
            faults: page["faults"].as_array().expect("faults").iter().map(Value::to_string).collect(),
        })
        .collect();
    let first: BTreeSet<_> =
        found.iter().filter_map(|page| page.path.split(['/', '?']).nth(1).map(str::to_owned)).collect();
    for needed in [
        "",
        "products",
        "production",
        "orders",
        "customers",
        "returns",
        "queues",
        "messages",
        "incidents",
        "operations",
    ] {
        assert!(first.contains(needed), "nothing leads to /{needed}: {first:?}");
    }
    assert!(found.len() < PAGES_MAX, "the shapes of addresses are not told apart: {first:?}");
    found
}

const PAGES_MAX: usize = 120;

/// Follows links and forms from the paths that are given, in the page's own origin and session. Documents that are read in this way run
/// nothing and load nothing.
const CRAWL: &str = r#"
const seen = new Set(), pages = [], waiting = [...arguments[0]];
const shape = (url) => {
  const steps = url.pathname.split("/").map((step, at) => (at > 1 && /[0-9A-Z]/.test(decodeURIComponent(step)) ? "*" : step));
  return steps.join("/") + "?" + [...new Set([...url.searchParams].filter(([, value]) => value).map(([name]) => name))].sort().join("&");
};
const visit = (address) => {
  const url = new URL(address, location.origin);
  const foreign = url.origin !== location.origin || /^\/(v1|internal|openapi|readyz|healthz|metrics|console\.|icon)/.test(url.pathname);
  if (!foreign && !seen.has(shape(url))) { seen.add(shape(url)); waiting.push(url.pathname + url.search); }
};
const first = waiting.splice(0);
first.forEach(visit);
while (waiting.length && pages.length < 200) {
  const path = waiting.shift();
  const answer = await fetch(path, { headers: { accept: "text/html" } });
  const text = await answer.text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const faults = [];
  if (!/text\/html/.test(answer.headers.get("content-type"))) faults.push("no page: " + answer.headers.get("content-type"));
  for (const element of page.querySelectorAll("*")) {
    const name = element.localName;
    if (name === "style") faults.push("a <style>");
    if (name === "script" && !(element.getAttribute("src") || "").startsWith("/")) faults.push("a script that is not ours");
    for (const attribute of element.attributes) {
      if (attribute.name === "style" || /^on/.test(attribute.name)) faults.push(name + " " + attribute.name + "=" + attribute.value);
      if (/^\s*javascript:/i.test(attribute.value)) faults.push(name + " " + attribute.name + "=" + attribute.value);
    }
  }
  const policy = answer.headers.get("content-security-policy") || "";
  if (!/script-src 'self'/.test(policy) || !/frame-ancestors 'none'/.test(policy) || /unsafe/.test(policy)) faults.push("policy: " + policy);
  for (const [header, value] of [["x-content-type-options", "nosniff"], ["referrer-policy", "same-origin"]]) {
    if (answer.headers.get(header) !== value) faults.push(header + ": " + answer.headers.get(header));
  }
  const ids = [...page.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push("an id that is there twice");
  if (answer.status >= 500) faults.push("status " + answer.status);
  pages.push({ path, faults });
  for (const link of page.querySelectorAll("a[href]")) visit(link.getAttribute("href"));
  for (const form of page.querySelectorAll("form:not([method=post])")) {
    const box = form.querySelector("input[type=checkbox]");
    if (box) box.setAttribute("checked", "");
    const ask = new URLSearchParams(new FormData(form));
    const buttons = [...form.querySelectorAll("button"), { getAttribute: () => null }];
    for (const button of buttons) {
      const more = new URLSearchParams(ask);
      if (button.getAttribute("name")) more.set(button.getAttribute("name"), button.getAttribute("value"));
      visit((button.getAttribute("formaction") || form.getAttribute("action") || path) + "?" + more);
    }
  }
}
return pages;
"#;
