//! Which addresses a request may reach: by default those that everybody on the internet may, and no others.
//!
//! Pure. Asked with what a name was resolved to, at every hop; what it lets pass is what is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::url::Url;

/// What the author of a request allows beyond the internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Addresses of the internet, and any address of these hosts: `host` or `host:port`, in small letters.
    Public(Vec<String>),
    /// Every address.
    Everything,
}

impl Reach {
    /// The first of the addresses of this host that a request may not reach.
    pub(super) fn refused(&self, url: &Url, addresses: &[SocketAddr]) -> Option<IpAddr> {
        let hosts = match self {
            Reach::Everything => return None,
            Reach::Public(hosts) => hosts,
        };
        let (host, port) = (url.host(), url.port());
        let bracketed = format!("[{host}]");
        let is_named = |entry: &String| {
            let named = [host, &bracketed];
            named.iter().any(|host| entry == host || *entry == format!("{host}:{port}"))
        };
        if hosts.iter().any(is_named) {
            return None;
        }
        addresses.iter().map(SocketAddr::ip).find(|address| !is_public(*address))
    }
}

/// Whether this is an address of the internet: one that is routed everywhere and names one machine.
///
/// The special registries of IANA for both families; what a translation (NAT64) reaches counts as itself.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, private, loopback, private.
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Shared by customers of a carrier; link-local, where clouds keep their metadata.
        [100, 64..=127, ..] | [169, 254, ..] => true,
        // Protocol assignments, the former relays of 6to4, benchmarks, documentation.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Written for IPv4 (mapped), or translated to it.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // Protocol assignments with Teredo, documentation, 6to4, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Everything that was ever given out lies in 2000::/3.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_routed_everywhere_is_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn one_private_address_among_those_of_a_name_refuses_it_unless_the_host_is_allowed() {
        let addresses: Vec<SocketAddr> = ["8.8.8.8:80", "127.0.0.1:80"].map(|text| text.parse().unwrap()).to_vec();
        let url = Url::parse("http://Intra.example:8080/").unwrap();
        let hosts = |hosts: &[&str]| Reach::Public(hosts.iter().map(|host| (*host).to_owned()).collect());
        for (reach, is_refused) in [
            (hosts(&[]), true),
            (hosts(&["example", "intra.example.org", "intra.example:80"]), true),
            (hosts(&["intra.example"]), false),
            (hosts(&["intra.example:8080"]), false),
            (Reach::Everything, false),
        ] {
            let expected = is_refused.then(|| addresses[1].ip());
            assert_eq!(reach.refused(&url, &addresses), expected, "{reach:?}");
        }
        assert_eq!(hosts(&[]).refused(&url, &addresses[..1]), None);
        let url = Url::parse("http://[::1]:81/").unwrap();
        let address = ["[::1]:81".parse().unwrap()];
        for entry in ["::1", "[::1]", "[::1]:81"] {
            assert_eq!(hosts(&[entry]).refused(&url, &address), None, "{entry}");
        }
    }
}
