//! Which component answers a path.
//!
//! Spin's meaning: a route is exact, has `:name` segments, or ends in `/...`, which matches what is below its prefix
//! and the prefix itself. Of several routes that match, the first difference between them, segment by segment,
//! decides: a literal before a `:name` before `/...`.

use std::cmp::Ordering;

/// A route of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// As written in the manifest.
    raw: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

/// How a path matched a route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'a> {
    /// The part of the path that `/...` stands for, with its leading slash; empty otherwise.
    pub(crate) rest: String,
    /// The values of `:name` segments.
    pub(crate) named: Vec<(&'a str, &'a str)>,
}

impl Route {
    /// Reads a route. The error says what is wrong with it.
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let path = raw.trim_start_matches('/');
        let (path, wildcard) = match path.strip_suffix("...").or_else(|| path.strip_suffix('*')) {
            Some(prefix) if prefix.is_empty() || prefix.ends_with('/') => (prefix, true),
            Some(_) => return Err(format!("route {raw:?}: '...' must stand alone behind a '/'")),
            None => (path, false),
        };
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            segments.push(match segment.strip_prefix(':') {
                Some("") => return Err(format!("route {raw:?}: a ':' needs a name")),
                Some(name) => Segment::Named(name.to_owned()),
                None if segment.contains(['*', '?', '#']) || segment.contains("...") => {
                    return Err(format!("route {raw:?}: a wildcard may only stand at its end, as '/...'"));
                }
                None => Segment::Literal(segment.to_owned()),
            });
        }
        Ok(Self { raw: raw.to_owned(), segments, wildcard })
    }

    /// As written in the manifest.
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }

    /// As written, without `/...`.
    pub(crate) fn prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }

    /// Whether two routes match the same paths.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal && self.segments.len() == other.segments.len()
    }

    fn matches<'a>(&'a self, path: &'a str) -> Option<Match<'a>> {
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        let mut named = Vec::new();
        for segment in &self.segments {
            let (first, after) = rest.split_once('/').map_or((rest, ""), |(first, after)| (first, after));
            match segment {
                Segment::Literal(literal) if literal == first => {}
                Segment::Named(name) if !first.is_empty() => named.push((name.as_str(), first)),
                _ => return None,
            }
            rest = after;
        }
        if !self.wildcard {
            return rest.is_empty().then_some(Match { rest: String::new(), named });
        }
        let rest = if rest.is_empty() && !path.ends_with('/') { String::new() } else { format!("/{rest}") };
        Some(Match { rest, named })
    }

    /// The more specific route first.
    fn compare(&self, other: &Self) -> Ordering {
        for (mine, theirs) in self.segments.iter().zip(&other.segments) {
            let order = match (mine, theirs) {
                (Segment::Literal(_), Segment::Named(_)) => Ordering::Less,
                (Segment::Named(_), Segment::Literal(_)) => Ordering::Greater,
                (Segment::Literal(mine), Segment::Literal(theirs)) => mine.cmp(theirs),
                (Segment::Named(_), Segment::Named(_)) => Ordering::Equal,
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        other.segments.len().cmp(&self.segments.len()).then(self.wildcard.cmp(&other.wildcard))
    }
}

/// The routes of an application.
#[derive(Debug, Default)]
pub(crate) struct Router<T>(Vec<(Route, T)>);

impl<T> Router<T> {
    /// The routes, each with what it leads to.
    pub(crate) fn new(mut routes: Vec<(Route, T)>) -> Self {
        routes.sort_by(|(a, _), (b, _)| a.compare(b));
        Self(routes)
    }

    /// The most specific route that matches `path`.
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Option<(&'a Route, &'a T, Match<'a>)> {
        self.0.iter().find_map(|(route, target)| route.matches(path).map(|found| (route, target, found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(router: &Router<usize>, path: &str) -> Option<usize> {
        router.find(path).map(|(_, target, _)| *target)
    }

    fn router(routes: &[&str]) -> Router<usize> {
        Router::new(routes.iter().enumerate().map(|(n, raw)| (Route::parse(raw).unwrap(), n)).collect())
    }

    #[test]
    fn an_exact_route_wins_over_a_wildcard_and_a_longer_prefix_over_a_shorter_one() {
        let router = router(&["/...", "/v1/orders/...", "/v1/orders", "/v1/...", "/"]);
        assert_eq!(found(&router, "/v1/orders"), Some(2));
        assert_eq!(found(&router, "/v1/orders/7"), Some(1));
        assert_eq!(found(&router, "/v1/products"), Some(3));
        assert_eq!(found(&router, "/other"), Some(0));
        assert_eq!(found(&router, "/"), Some(4));
    }

    #[test]
    fn a_wildcard_matches_its_own_prefix() {
        let router = router(&["/internal/a/..."]);
        assert_eq!(found(&router, "/internal/a"), Some(0));
        assert_eq!(found(&router, "/internal/a/b"), Some(0));
        assert_eq!(found(&router, "/internal/ab"), None);
        let rest = |path: &str| router.find(path).unwrap().2.rest;
        assert_eq!(rest("/internal/a"), "");
        assert_eq!(rest("/internal/a/"), "/");
        assert_eq!(rest("/internal/a/b/c"), "/b/c");
    }

    #[test]
    fn named_segments_match_one_segment_and_give_way_to_literals() {
        let router = router(&["/internal/:queue/drain", "/internal/tick", "/internal/:queue"]);
        assert_eq!(found(&router, "/internal/tick"), Some(1));
        assert_eq!(found(&router, "/internal/x"), Some(2));
        assert_eq!(router.find("/internal/x/drain").unwrap().2.named, [("queue", "x")]);
        assert_eq!(found(&router, "/internal//drain"), None);
    }

    #[test]
    fn a_wildcard_in_the_middle_is_refused() {
        for raw in ["/a/.../b", "/a...", "/:", "/*/b"] {
            Route::parse(raw).unwrap_err();
        }
    }
}
