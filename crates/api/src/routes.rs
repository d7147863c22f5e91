//! Every route of the application, with the key it asks for. Components route by this table and the description of the
//! interface is made from it, so neither can forget one.

use restock_domain::keys::Access;

/// The methods that are in use. `HEAD` is answered wherever `GET` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does.
    Post,
    /// Creates or changes.
    Put,
}

impl Method {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A method and a path, and who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; `{name}` stands for one segment.
    pub path: &'static str,
    /// The key it asks for.
    pub access: Access,
}

impl Route {
    /// The segments of a request's path that stand for `{name}`s, undecoded; none where the path is another one.
    #[must_use]
    pub fn matches<'path>(&self, path: &'path str) -> Option<Vec<&'path str>> {
        let mut values = Vec::new();
        let mut wanted = self.path.split('/');
        let mut given = path.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(values),
                (Some(wanted), Some(given)) if wanted.starts_with('{') => {
                    if given.is_empty() {
                        return None;
                    }
                    values.push(given);
                }
                (Some(wanted), Some(given)) if wanted == given => {}
                _ => return None,
            }
        }
    }
}

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident = $method:ident $path:literal $access:ident;)*) => {
        $($(#[$doc])* pub const $name: Route = Route { method: Method::$method, path: $path, access: Access::$access };)*
        /// All of them.
        pub const ALL: &[Route] = &[$($name),*];
    };
}

routes! {
    /// Lists products.
    LIST_PRODUCTS = Get "/v1/products" Shop;
    /// Shows a product.
    GET_PRODUCT = Get "/v1/products/{sku}" Shop;
    /// Creates or changes a product.
    PUT_PRODUCT = Put "/v1/products/{sku}" Operate;
    /// Places an order.
    PLACE_ORDER = Post "/v1/orders" Order;
    /// Shows an order.
    GET_ORDER = Get "/v1/orders/{id}" Shop;
    /// Takes a factory's report. The token in the path is the key.
    REPORT_GOODS = Post "/v1/factory/callbacks/{token}" Public;
    /// Creates or changes a factory.
    PUT_FACTORY = Put "/v1/factories/{id}" Operate;
    /// Lists production requests.
    LIST_PRODUCTION = Get "/v1/production" Read;
    /// Shows a production request.
    GET_PRODUCTION = Get "/v1/production/{id}" Read;
    /// Shows a product's ledger.
    LIST_MOVEMENTS = Get "/v1/stock/{sku}/movements" Read;
    /// Corrects the stock.
    ADJUST_STOCK = Post "/v1/stock/{sku}/adjustments" Operate;
    /// Lists queues.
    LIST_QUEUES = Get "/v1/queues" Read;
    /// Shows a queue.
    GET_QUEUE = Get "/v1/queues/{queue}" Read;
    /// Stops a queue from giving out messages.
    PAUSE_QUEUE = Post "/v1/queues/{queue}/pause" Operate;
    /// Lets it give them out again.
    RESUME_QUEUE = Post "/v1/queues/{queue}/resume" Operate;
    /// Lists dead letters.
    LIST_BURIED = Get "/v1/queues/{queue}/buried" Read;
    /// Makes dead letters ready again.
    REDRIVE_QUEUE = Post "/v1/queues/{queue}/redrive" Operate;
    /// Removes dead letters.
    PURGE_QUEUE = Post "/v1/queues/{queue}/purge" Operate;
    /// Shows a message.
    GET_MESSAGE = Get "/v1/messages/{id}" Read;
    /// Shows a customer.
    GET_CUSTOMER = Get "/v1/customers/{id}" Read;
    /// Lists returns.
    LIST_RETURNS = Get "/v1/returns" Read;
    /// Shows a return.
    GET_RETURN = Get "/v1/returns/{id}" Read;
    /// Follows a parcel now.
    REPLAY_RETURN = Post "/v1/returns/replay" Operate;
    /// Puts the goods of a return on the shelf.
    RECEIVE_RETURN = Post "/v1/returns/{id}/receive" Operate;
    /// Decides that they never go back on the shelf.
    DISCARD_RETURN = Post "/v1/returns/{id}/discard" Operate;
    /// Lists collections of the partner's list.
    LIST_RETURN_COLLECTIONS = Get "/v1/return-collections" Read;
    /// Lists records of that list that were set aside.
    LIST_RETURN_REJECTS = Get "/v1/return-rejects" Read;
    /// Lists what is and was wrong.
    LIST_INCIDENTS = Get "/v1/incidents" Read;
    /// Lists what operators did.
    LIST_OPERATIONS = Get "/v1/operations" Read;
    /// Lists partners and their circuits.
    LIST_PARTNERS = Get "/v1/partners" Read;
    /// Recomputes the invariants.
    AUDIT = Get "/v1/audit" Read;
    /// Does what time makes necessary.
    TICK = Post "/internal/tick" Internal;
    /// Works off a queue.
    DRAIN_QUEUE = Post "/internal/{queue}/drain" Internal;
    /// Whether the program answers.
    HEALTH = Get "/healthz" Public;
    /// Whether work can be done.
    READINESS = Get "/readyz" Public;
    /// The shop in numbers, for a monitoring system.
    METRICS = Get "/metrics" Read;
    /// The description of the interface.
    DESCRIPTION = Get "/openapi.json" Public;
    /// A product as the old shop shows it.
    LEGACY_PRODUCT = Get "/product/{slug}" Public;
    /// A factory's report at the old shop's address.
    LEGACY_REPORT = Post "/product/{slug}" Public;
    /// A sale as the old shop's page asks for it.
    LEGACY_CHECKOUT = Post "/checkout" Public;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_segment_by_segment() {
        assert_eq!(GET_ORDER.matches("/v1/orders/7"), Some(vec!["7"]));
        assert_eq!(LIST_MOVEMENTS.matches("/v1/stock/a%20b/movements"), Some(vec!["a%20b"]));
        let home = Route { path: "/", ..GET_ORDER };
        assert_eq!(home.matches("/"), Some(vec![]));
        for other in [
            "/v1/orders",
            "/v1/orders/",
            "/v1/orders/7/",
            "/v1/orders/7/x",
            "/V1/orders/7",
            "v1/orders/7",
            "",
        ] {
            assert_eq!(GET_ORDER.matches(other), None, "{other:?}");
        }
    }

    #[test]
    fn no_two_routes_are_the_same() {
        for (index, route) in ALL.iter().enumerate() {
            let same = ALL.iter().filter(|other| (other.method, other.path) == (route.method, route.path));
            assert_eq!(same.count(), 1, "{index}: {} {}", route.method.name(), route.path);
        }
    }
}
