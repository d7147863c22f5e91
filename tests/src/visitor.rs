//! Somebody at the console whose browser runs no scripts: it keeps the cookie, follows links and sends forms as they stand on the page.

use http::Method;
use url::form_urlencoded;

use crate::support::{Answer, Client, Shop};

/// What browsers say that they want.
const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The hidden field that proves whose page a form is on.
const TOKEN: &str = "form_token";

/// Somebody who signed in.
pub(crate) struct Visitor {
    client: Client,
    cookie: String,
    /// What the forms of this session carry.
    token: String,
}

impl Visitor {
    /// Signs in with a key.
    pub(crate) async fn of(shop: &Shop, key: &str) -> Self {
        let client = shop.client.clone();
        let answer = client.send(Method::POST, "/sign-in", &[PAGE, FORM], format!("key={key}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let set = answer.header("set-cookie").expect("a cookie");
        let cookie = set.split(';').next().expect("a pair").to_owned();
        let mut visitor = Self { client, cookie, token: String::new() };
        let page = visitor.page("/operations").await;
        let fields = fields_of(&page, "/sign-out");
        visitor.token = fields.into_iter().find(|(name, _)| name == TOKEN).expect("a token").1;
        visitor
    }

    /// Follows a link.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let headers = [PAGE, ("cookie", self.cookie.as_str())];
        self.client.send(Method::GET, path, &headers, "").await
    }

    /// The page that a link leads to.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    /// The same page for somebody who reads Korean.
    pub(crate) async fn in_korean(&self, path: &str) -> String {
        let headers = [PAGE, ("cookie", self.cookie.as_str()), ("accept-language", "ko-KR,ko;q=0.9")];
        self.client.send(Method::GET, path, &headers, "").await.text
    }

    /// Sends fields with the token of the session.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_without_token(path, &[fields, &[(TOKEN, &self.token)]].concat()).await
    }

    /// Sends these fields and nothing else.
    pub(crate) async fn send_without_token(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [PAGE, FORM, ("cookie", self.cookie.as_str())];
        self.client.send(Method::POST, path, &headers, body).await
    }

    /// Fills in the form of a page that goes to `action`, and sends it with what it carries.
    pub(crate) async fn fill(&self, page: &str, action: &str, typed: &[(&str, &str)]) -> Answer {
        let carried = fields_of(page, action);
        let mut fields: Vec<(&str, &str)> =
            carried.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.retain(|(name, _)| typed.iter().all(|(other, _)| other != name));
        fields.extend(typed);
        self.send_without_token(action, &fields).await
    }

    /// The same, where it is done: the page that the browser is led to.
    pub(crate) async fn confirm(&self, page: &str, action: &str, typed: &[(&str, &str)]) -> String {
        let answer = self.fill(page, action, typed).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        self.page(answer.header("location").expect("a place to go on to")).await
    }
}

/// The fields of the form of a page that is posted to `action`, with their values.
pub(crate) fn fields_of(page: &str, action: &str) -> Vec<(String, String)> {
    let form = page
        .split("<form")
        .skip(1)
        .filter_map(|form| form.split("</form>").next())
        .find(|form| {
            let tag = form.split('>').next().unwrap_or_default();
            tag.contains("method=\"post\"") && attribute(tag, "action").as_deref() == Some(action)
        })
        .unwrap_or_else(|| panic!("no form goes to {action}: {page}"));
    let inputs = form.split("<input").skip(1).filter_map(|input| input.split('>').next());
    inputs
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
        .collect()
}

/// The value of an attribute, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}
