//! Lists of networks that a caller must come from.

use ipnet::IpNet;
use std::net::IpAddr;

/// Networks in CIDR notation. An empty list allows everyone; a list with entries allows nobody whose address is
/// not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks (`10.0.0.0/8`, `::1/128`) or single addresses, separated by commas or spaces.
    ///
    /// # Errors
    /// Names the first entry that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split([',', ' ', '\t', '\n'])
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                entry
                    .parse::<IpNet>()
                    .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| format!("`{entry}` is not a network such as 10.0.0.0/8"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a caller from this address is allowed.
    #[must_use]
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        // An IPv4 caller on a dual-stack socket shows up as ::ffff:a.b.c.d.
        address
            .map(|address| address.to_canonical())
            .is_some_and(|address| self.0.iter().any(|network| network.contains(&address)))
    }
}

/// Reads the address of a client from what a host says: an address, or an address with a port.
#[must_use]
pub fn client_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_allows_everyone() {
        assert_eq!(Networks::parse(" "), Ok(Networks::default()));
        assert!(Networks::default().allow(None));
    }

    #[test]
    fn a_list_allows_its_networks_only_and_nobody_unknown() {
        let networks = Networks::parse("10.0.0.0/8, 192.168.1.7 ::1/128").expect("a list");
        for inside in ["10.1.2.3", "10.1.2.3:4711", "192.168.1.7", "::1", "[::1]:80", "::ffff:10.0.0.1"] {
            assert!(networks.allow(client_address(inside)), "{inside}");
        }
        for outside in ["11.0.0.1", "192.168.1.8", "::2", "", "unknown"] {
            assert!(!networks.allow(client_address(outside)), "{outside}");
        }
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let fault = Networks::parse("10.0.0.0/8,10.0.0.0/33").expect_err("a fault");
        assert!(fault.contains("10.0.0.0/33"), "{fault}");
    }
}
