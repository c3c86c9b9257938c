//! Who really asks: the client's address, scheme and host behind the proxies that we trust.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Uri, header};

use crate::config::{Authority, Cidr, List, NetworkSettings};

/// The client's side of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The nearest address that is none of our proxies.
    pub address: IpAddr,
    /// What the client speaks.
    pub scheme: Scheme,
    /// The host and port that the client asked for, as it wrote them.
    pub host: Option<String>,
}

/// What a client speaks to the outermost server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Client {
    /// Reads `X-Forwarded-For`, `-Proto` and `-Host` if `peer` is a trusted proxy, else none.
    ///
    /// Each of them is read from its right end, where our nearest proxy writes; what stands
    /// further left may be the client's invention.
    pub fn of(trusted: &List<Cidr>, peer: SocketAddr, headers: &HeaderMap, uri: &Uri) -> Self {
        let peer = peer.ip().to_canonical();
        let is_trusted = |address: IpAddr| trusted.0.iter().any(|cidr| cidr.0.contains(&address));
        let direct = direct_host(headers, uri).map(str::to_owned);
        if !is_trusted(peer) {
            return Self { address: peer, scheme: Scheme::Http, host: direct };
        }
        let mut address = peer;
        for hop in from_the_right(headers, "x-forwarded-for") {
            let Some(hop) = address_of(hop) else { break };
            address = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        let scheme = match from_the_right(headers, "x-forwarded-proto").next() {
            Some(proto) if proto.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => Scheme::Http,
        };
        let host = from_the_right(headers, "x-forwarded-host")
            .next()
            .filter(|host| Authority::of(host).is_some())
            .map(str::to_owned);
        Self { address, scheme, host: host.or(direct) }
    }
}

/// Whose pages may speak to us beside reading.
#[derive(Clone, Debug)]
pub struct Origins {
    own: Vec<Authority>,
    trusted: List<Cidr>,
}

impl Origins {
    /// Our own public address and the sites that the operator names.
    pub fn of(network: &NetworkSettings) -> Self {
        let public = network.public_url.0.iter().filter_map(|url| Authority::of(url.as_str()));
        let friends = network.cors_origins.0.iter().map(|origin| origin.authority().clone());
        Self { own: public.chain(friends).collect(), trusted: network.trusted_proxies.clone() }
    }

    /// Whether the `Origin` is one of these, or the host that was asked. What is no browser sends
    /// none and may.
    pub fn admit(&self, headers: &HeaderMap, uri: &Uri, peer: SocketAddr) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        let origin = origin.to_str().ok().and_then(Authority::of);
        let (Some(origin), None) = (origin, origins.next()) else { return false };
        let host = direct_host(headers, uri).and_then(Authority::of);
        let client = Client::of(&self.trusted, peer, headers, uri);
        let behind = client.host.as_deref().and_then(Authority::of);
        self.own.iter().chain(&host).chain(&behind).any(|own| *own == origin)
    }
}

/// The beginning of absolute addresses, without a slash at the end: `PUBLIC_URL`, else the
/// client's scheme and host; `None` where the request has no readable host.
pub fn base_url(
    network: &NetworkSettings,
    peer: SocketAddr,
    headers: &HeaderMap,
    uri: &Uri,
) -> Option<String> {
    if let Some(url) = &network.public_url.0 {
        return Some(url.as_str().to_owned());
    }
    let client = Client::of(&network.trusted_proxies, peer, headers, uri);
    let host = client.host.filter(|host| is_plain_host(host))?;
    Some(format!("{}://{host}", client.scheme.as_str()))
}

/// The host of the request itself, whoever sent it: that of a target which is a whole address (RFC
/// 9112 §3.2.2), else what `Host` says.
pub fn direct_host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let target = uri.authority().map(http::uri::Authority::as_str);
    target.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()))
}

/// Whether a host, with its port or without, leads whoever opens it to its own machine: no address
/// for a phone.
pub fn leads_back(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = name.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address.is_loopback() || address.is_unspecified();
    }
    name == "localhost" || name.ends_with(".localhost")
}

/// Nothing but a host and a port: what is written into pages and lists.
fn is_plain_host(host: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    host.chars().all(plain) && Authority::of(host).is_some()
}

/// The items of a header that proxies append to, the last one first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// An address, bare or with a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let address = bare.or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::{HeaderMap, HeaderName, HeaderValue, Uri};

    use super::{Client, Scheme, leads_back};
    use crate::config::{Cidr, List};

    fn check(peer: &str, headers: &[(&str, &str)], expected: (&str, Scheme, &str)) {
        let trusted: Vec<Cidr> =
            ["10.0.0.0/8", "::1"].iter().map(|cidr| cidr.parse().expect("a network")).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<HeaderName>().expect("a name"),
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        let peer: SocketAddr = format!("{peer}:4000").parse().expect("an address");
        let client = Client::of(&List(trusted), peer, &map, &Uri::from_static("/"));
        let (address, scheme, host) = expected;
        assert_eq!(client.address.to_string(), address, "{headers:?}");
        assert_eq!(client.scheme, scheme, "{headers:?}");
        assert_eq!(client.host.as_deref(), Some(host), "{headers:?}");
    }

    #[test]
    fn what_leads_back_to_the_asking_machine_is_no_address_for_a_phone() {
        for name in [
            "localhost",
            "localhost.",
            "LOCALHOST",
            "tv.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:0.0.0.0]",
        ] {
            assert!(leads_back(name) && leads_back(&format!("{name}:8080")), "{name}");
        }
        for name in [
            "tv.lan",
            "localhost.example",
            "notlocalhost",
            "127.example",
            "192.168.1.5",
            "10.0.0.0",
            "[fe80::1]",
            "[2001:db8::1]",
            "[::ffff:192.168.1.5]",
        ] {
            assert!(!leads_back(name) && !leads_back(&format!("{name}:8080")), "{name}");
        }
    }

    #[test]
    fn forwarded_headers_count_from_trusted_proxies_alone() {
        use Scheme::{Http, Https};
        let host = ("host", "tv.lan:8080");
        check("192.168.1.5", &[host], ("192.168.1.5", Http, "tv.lan:8080"));
        let all = [
            host,
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "tv.example"),
        ];
        check("192.168.1.5", &all, ("192.168.1.5", Http, "tv.lan:8080"));
        check("10.0.0.1", &all, ("203.0.113.9", Https, "tv.example"));
        check("[::1]", &all, ("203.0.113.9", Https, "tv.example"));
        check("[::ffff:10.0.0.1]", &all, ("203.0.113.9", Https, "tv.example"));
        for (forwarded, address) in [
            ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"),
            ("10.9.9.9, 10.2.3.4", "10.9.9.9"),
            ("203.0.113.9, nonsense", "10.0.0.1"),
            ("nonsense, 10.2.3.4", "10.2.3.4"),
            ("203.0.113.9:1234", "203.0.113.9"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("", "10.0.0.1"),
        ] {
            let headers = [host, ("x-forwarded-for", forwarded)];
            check("10.0.0.1", &headers, (address, Http, "tv.lan:8080"));
        }
        let lines = [host, ("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")];
        check("10.0.0.1", &lines, ("203.0.113.9", Http, "tv.lan:8080"));
        let bad = [host, ("x-forwarded-host", "user@evil"), ("x-forwarded-proto", "gopher")];
        check("10.0.0.1", &bad, ("10.0.0.1", Http, "tv.lan:8080"));
    }
}
