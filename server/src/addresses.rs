//! The addresses that people reach this server by: printed at start, and as a QR code.

use std::net::{IpAddr, SocketAddr};

use fast_qr::{
    ECL, QRBuilder,
    convert::{Builder, Shape, svg::SvgBuilder},
};

/// Interfaces that lead to containers and virtual machines, not to a phone.
const VIRTUAL: [&str; 6] = ["docker", "br-", "veth", "podman", "virbr", "cni"];

/// `http://address:port` for each network of this host, those that a phone shares first; for a
/// server that listens on one address only that one.
pub(crate) fn lan(listening: SocketAddr) -> Vec<String> {
    if !listening.ip().is_unspecified() {
        return vec![url(listening.ip(), listening.port())];
    }
    let mut found: Vec<(u8, IpAddr)> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .filter(|interface| interface.ip().is_ipv4() || listening.is_ipv6())
        .map(|interface| {
            let is_virtual = VIRTUAL.iter().any(|prefix| interface.name.starts_with(prefix));
            (u8::from(is_virtual) * 2 + u8::from(interface.ip().is_ipv6()), interface.ip())
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, ip)| url(ip, listening.port())).collect()
}

fn url(ip: IpAddr, port: u16) -> String {
    match (ip, port) {
        (IpAddr::V4(ip), 80) => format!("http://{ip}"),
        (IpAddr::V4(ip), port) => format!("http://{ip}:{port}"),
        (IpAddr::V6(ip), port) => format!("http://[{ip}]:{port}"),
    }
}

/// An address as a QR code for a terminal.
pub(crate) fn qr_text(url: &str) -> Option<String> {
    QRBuilder::new(url).ecl(ECL::L).build().ok().map(|code| code.to_str())
}

/// An address as a QR code in SVG.
pub(crate) fn qr_svg(url: &str) -> Option<String> {
    let code = QRBuilder::new(url).ecl(ECL::M).build().ok()?;
    Some(SvgBuilder::default().shape(Shape::Square).margin(3).to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::{lan, qr_svg, qr_text};

    #[test]
    fn one_address_listens_on_that_address() {
        let check = |listening: &str, expected: &str| {
            assert_eq!(listening.parse().map(lan).unwrap(), [expected], "{listening}");
        };
        check("127.0.0.1:8080", "http://127.0.0.1:8080");
        check("[::1]:8080", "http://[::1]:8080");
        check("192.168.1.5:80", "http://192.168.1.5");
    }

    #[test]
    fn codes_are_made_for_any_address() {
        assert!(qr_text("http://192.168.1.34:8080").is_some_and(|text| text.lines().count() > 10));
        assert!(qr_svg("http://192.168.1.34:8080").is_some_and(|svg| svg.starts_with("<svg")));
    }
}
