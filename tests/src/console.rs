//! Claim: people get in with a key that is for people, see what their role may see, and nobody acts in their name.
//! Method: the pages of a running application over HTTP, as a browser without scripts would use them.
//! Needs: the built components.

use http::Method;

use crate::support::{Answer, INTERNAL, OPERATOR, SKU, STOREFRONT, Shop, VIEWER};

/// What a browser says that it wants when somebody follows a link.
const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Every page that needs nothing but a session.
const PAGES: [&str; 3] = ["/", "/products", "/incidents"];

/// A browser without scripts: it keeps the cookie and says what browsers say.
struct Visitor<'shop> {
    shop: &'shop Shop,
    cookie: String,
}

impl<'shop> Visitor<'shop> {
    async fn signed_in(shop: &'shop Shop, key: &str) -> Self {
        let answer = sign_in(shop, key, "/", &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        Self { shop, cookie: cookie(&answer) }
    }

    async fn get(&self, path: &str) -> Answer {
        self.shop.client.send(Method::GET, path, &[PAGE, ("cookie", &self.cookie)], "").await
    }

    async fn post(&self, path: &str, fields: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = [&[PAGE, FORM, ("cookie", &self.cookie)], headers].concat();
        self.shop.client.send(Method::POST, path, &headers, fields.to_owned()).await
    }

    /// The token that the forms of this session carry.
    async fn form_token(&self) -> String {
        let page = self.get("/").await;
        let (_, rest) = page.text.split_once("name=\"form_token\" value=\"").expect("a form");
        rest.split('"').next().expect("a value").to_owned()
    }
}

async fn sign_in(shop: &Shop, key: &str, next: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[PAGE, FORM], headers].concat();
    shop.client.send(Method::POST, "/sign-in", &headers, format!("key={key}&next={next}")).await
}

/// The pair that a browser would send back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    set.split(';').next().expect("a pair").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_session_is_led_to_the_door_and_back_to_where_they_wanted_to_go() {
    let shop = Shop::with_product(5, 0, 10).await;
    let answer = shop.client.send(Method::GET, "/products?find=CP", &[PAGE], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, Some("/sign-in?next=%2Fproducts%3Ffind%3DCP"))
    );
    let door = shop.client.send(Method::GET, "/sign-in?next=%2Fproducts%3Ffind%3DCP", &[PAGE], "").await;
    assert_eq!(door.status, 200, "{}", door.text);
    assert!(door.text.contains("value=\"/products?find=CP\""), "{}", door.text);
    let inside = sign_in(&shop, VIEWER, "/products?find=CP", &[]).await;
    assert_eq!((inside.status.as_u16(), inside.header("location")), (303, Some("/products?find=CP")));
    for elsewhere in ["https://evil.example", "//evil.example", "/%5Cevil.example", "/sign-out"] {
        let answer = sign_in(&shop, VIEWER, elsewhere, &[]).await;
        assert_eq!(answer.header("location"), Some("/"), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let shop = Shop::open().await;
    let set = sign_in(&shop, OPERATOR, "/", &[]).await.header("set-cookie").expect("a cookie").to_owned();
    for flag in ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(set.split("; ").any(|part| part == flag), "{flag}: {set}");
    }
    assert!(set.starts_with("restock_session=") && !set.contains(OPERATOR), "{set}");
    assert!(!set.contains("Secure"), "over plain HTTP it would never come back: {set}");
    let shop = shop
        .restart_with(|variables| drop(variables.insert("public_url".into(), "https://shop.example".into())))
        .await;
    let set = sign_in(&shop, OPERATOR, "/", &[]).await.header("set-cookie").expect("a cookie").to_owned();
    assert!(set.ends_with("; Secure"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_opens_nothing_and_is_told_why() {
    let shop = Shop::open().await;
    for (key, status, words) in [
        ("nonsense", 401, "This key is not known."),
        ("", 401, "This key is not known."),
        (STOREFRONT, 403, "This is a key for programs"),
        (INTERNAL, 403, "This is a key for programs"),
    ] {
        let answer = sign_in(&shop, key, "/", &[]).await;
        assert_eq!(answer.status, status, "{key}");
        assert!(answer.text.contains(words), "{key}: {}", answer.text);
        assert_eq!(answer.header("set-cookie"), None, "{key}");
        assert!(key.is_empty() || !answer.text.contains(key), "a key is never shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_held_to_the_policy() {
    let shop = Shop::with_product(5, 0, 10).await;
    let visitor = Visitor::signed_in(&shop, OPERATOR).await;
    let product = format!("/products/{SKU}");
    let ledger = format!("/products/{SKU}/ledger");
    let mut answers = vec![shop.client.send(Method::GET, "/sign-in", &[PAGE], "").await];
    for path in PAGES.iter().chain([&product.as_str(), &ledger.as_str()]) {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answers.push(answer);
    }
    let missing = visitor.get("/nothing").await;
    assert_eq!(missing.status, 404);
    answers.push(missing);
    for answer in answers {
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(!answer.text.contains(" style=") && !answer.text.contains("<style"), "{}", answer.text);
        assert_eq!(answer.text.matches("<script").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_load_is_there_and_kept() {
    let shop = Shop::open().await;
    let door = shop.client.send(Method::GET, "/sign-in", &[PAGE], "").await;
    for (name, media_type) in [
        ("/console.css?v=", "text/css; charset=utf-8"),
        ("/console.js?v=", "text/javascript; charset=utf-8"),
        ("/icon.svg?v=", "image/svg+xml"),
    ] {
        let (_, rest) = door.text.split_once(name).unwrap_or_else(|| panic!("{name}: {}", door.text));
        let path = format!("{name}{}", rest.split('"').next().expect("an address"));
        let asset = shop.client.send(Method::GET, &path, &[], "").await;
        assert_eq!((asset.status.as_u16(), asset.header("content-type")), (200, Some(media_type)));
        assert!(asset.header("cache-control").is_some_and(|value| value.contains("immutable")), "{path}");
        let other = shop.client.send(Method::GET, &format!("{name}old"), &[], "").await;
        assert_eq!(
            other.header("cache-control"),
            Some("no-cache"),
            "another version is not kept as this one"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_sign_out_after_its_time_and_with_its_key() {
    let shop = Shop::open().await;
    let visitor = Visitor::signed_in(&shop, OPERATOR).await;
    let fields = format!("form_token={}", visitor.form_token().await);
    let out = visitor.post("/sign-out", &fields, &[]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, Some("/sign-in?notice=signed-out")));
    assert!(
        out.header("set-cookie")
            .is_some_and(|set| set.starts_with("restock_session=; ") && set.contains("Max-Age=0"))
    );

    let visitor = Visitor::signed_in(&shop, OPERATOR).await;
    shop.clock.advance(std::time::Duration::from_secs(12 * 60 * 60 - 1));
    assert_eq!(visitor.get("/").await.status, 200);
    shop.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(visitor.get("/").await.status, 303);

    let cookie = Visitor::signed_in(&shop, OPERATOR).await.cookie;
    let shop = shop
        .restart_with(|variables| drop(variables.insert("operator_keys".into(), "another-key".into())))
        .await;
    assert_eq!(Visitor { shop: &shop, cookie }.get("/").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_not_given_out_opens_nothing() {
    let shop = Shop::open().await;
    let cookie = Visitor::signed_in(&shop, VIEWER).await.cookie;
    for wrong in [
        "restock_session=".to_owned(),
        format!("{cookie}0"),
        cookie.replacen('.', ".9", 1),
        cookie.replacen("restock_session", "session", 1),
    ] {
        let answer = Visitor { shop: &shop, cookie: wrong.clone() }.get("/").await;
        assert_eq!(answer.status, 303, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_opens_pages_and_not_the_interface_for_programs() {
    let shop = Shop::with_product(5, 0, 10).await;
    let visitor = Visitor::signed_in(&shop, OPERATOR).await;
    visitor.get("/v1/queues").await.expect(401);
    visitor.post("/v1/queues/replenishment/pause", "", &[]).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_no_page_of_the_session_holds_changes_nothing() {
    let shop = Shop::open().await;
    let visitor = Visitor::signed_in(&shop, OPERATOR).await;
    let other = Visitor::signed_in(&shop, OPERATOR).await;
    let own = format!("form_token={}", visitor.form_token().await);
    for wrong in [
        String::new(),
        "form_token=".to_owned(),
        format!("{own}0"),
        format!("form_token={}", other.form_token().await),
    ] {
        let answer = visitor.post("/sign-out", &wrong, &[]).await;
        assert_eq!(answer.status, 403, "{wrong}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    for foreign in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let answer = visitor.post("/sign-out", &own, &[foreign]).await;
        assert_eq!(answer.status, 403, "{foreign:?}");
        assert_eq!(sign_in(&shop, OPERATOR, "/", &[foreign]).await.status, 403, "{foreign:?}");
    }
    let host = shop.host.addr().to_string();
    let ours = [("origin", &*format!("http://{host}")), ("sec-fetch-site", "same-origin")];
    assert_eq!(visitor.post("/sign-out", &own, &ours).await.status, 303);
    let json = [PAGE, ("content-type", "application/json"), ("cookie", &visitor.cookie)];
    let answer = shop.client.send(Method::POST, "/sign-out", &json, "{}").await;
    assert_eq!(answer.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_get_in_from_their_networks_only() {
    let shop = Shop::open_elsewhere().await;
    let answer = sign_in(&shop, OPERATOR, "/", &[]).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(
        answer.text.contains("operator networks") && answer.header("set-cookie").is_none(),
        "{}",
        answer.text
    );
    assert_eq!(Visitor::signed_in(&shop, VIEWER).await.get("/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_speaks_the_language_of_its_reader() {
    let shop = Shop::open().await;
    let cookie = Visitor::signed_in(&shop, VIEWER).await.cookie;
    for (languages, language, words) in [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko", "상품"),
        ("en;q=0.9,ko;q=0.8", "en", "Products"),
        ("fr", "en", "Products"),
    ] {
        let headers = [PAGE, ("cookie", &*cookie), ("accept-language", languages)];
        let page = shop.client.send(Method::GET, "/products", &headers, "").await;
        assert!(page.text.contains(&format!("<html lang=\"{language}\">")), "{languages}: {}", page.text);
        assert!(page.text.contains(&format!("<h1 dir=\"auto\">{words}</h1>")), "{languages}: {}", page.text);
        assert!(page.header("vary").is_some_and(|vary| vary.contains("accept-language")), "{languages}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_what_is_wrong_in_their_way_and_people_in_theirs() {
    let shop = Shop::open().await;
    let visitor = Visitor::signed_in(&shop, VIEWER).await;
    let program = shop.client.send(Method::GET, "/nothing", &[], "").await;
    assert_eq!(program.header("content-type"), Some("application/problem+json"));
    program.expect(404);
    let page = visitor.get("/products/nothing").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (404, Some("text/html; charset=utf-8")));
    let wrong = shop.client.send(Method::PUT, "/products", &[PAGE, ("cookie", &visitor.cookie)], "").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, Some("GET, HEAD")));
    let head = shop.client.send(Method::HEAD, "/products", &[PAGE, ("cookie", &visitor.cookie)], "").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let interface = shop.client.send(Method::DELETE, "/v1/queues", &[PAGE], "").await;
    assert_eq!((interface.status.as_u16(), interface.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_that_changes_comes_without_its_frame() {
    let shop = Shop::with_product(5, 0, 10).await;
    let visitor = Visitor::signed_in(&shop, VIEWER).await;
    let part = |cookie: String| {
        let client = shop.client.clone();
        async move {
            let headers = [("accept", "text/html"), ("x-restock-part", "main"), ("cookie", &*cookie)];
            client.send(Method::GET, &format!("/products/{SKU}"), &headers, "").await
        }
    };
    let inner = part(visitor.cookie.clone()).await;
    assert_eq!(inner.status, 200);
    assert!(inner.text.starts_with("<h1") && !inner.text.contains("<html"), "{}", inner.text);
    let whole = visitor.get(&format!("/products/{SKU}")).await;
    assert!(whole.text.contains("<html") && whole.text.contains("data-live"), "{}", whole.text);
    // Not led to the sign-in: a script would show that page inside this one.
    assert_eq!(part(String::new()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_says_what_is_there_and_why_goods_were_asked_for() {
    let shop = Shop::with_product(12, 10, 50).await;
    shop.client.order(SKU, 5).await.expect(201);
    let visitor = Visitor::signed_in(&shop, VIEWER).await;
    let page = visitor.get(&format!("/products/{SKU}")).await.text;
    // On hand 7, nothing on order, nobody waits: position 7, at most the reorder point 10, so 50 - 7 = 43.
    for shown in ["부산도너츠", "value=\"7\"", "value=\"43\"", "reorder point", "≤"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let ledger = visitor.get(&format!("/products/{SKU}/ledger")).await.text;
    assert!(ledger.contains("opening stock") && ledger.contains("sold"), "{ledger}");
    let found = visitor.get(&format!("/products?find={SKU}")).await;
    assert_eq!(found.header("location"), Some(format!("/products/{SKU}").as_str()));
    let listed = visitor.get("/products?find=CP").await.text;
    assert!(listed.contains(&format!("/products/{SKU}\"")), "{listed}");
    let behind = visitor.get("/products?find=ZZ").await.text;
    assert!(!behind.contains(&format!("/products/{SKU}\"")), "{behind}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_looks_like_markup_is_a_name() {
    let shop = Shop::open().await;
    let mut body = crate::support::definition(5, 0, 10);
    body["name"] = serde_json::json!("<script>alert('1')</script>\" 🍩");
    shop.client.put(OPERATOR, "/v1/products/x", body).await.expect(201);
    let visitor = Visitor::signed_in(&shop, VIEWER).await;
    for path in ["/products", "/products/x"] {
        let page = visitor.get(path).await.text;
        assert!(page.contains("&lt;script&gt;alert('1')") && !page.contains("<script>alert"), "{page}");
    }
}
