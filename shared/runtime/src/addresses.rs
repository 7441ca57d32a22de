//! Which addresses of the network are anybody's.
//!
//! A name on a list of ours may still be made to resolve to this machine or its neighbours, by whoever holds the name or answers for
//! it. [`PublicAddresses`] leaves such answers out, so that nothing is sent there. `localhost` is this machine by definition
//! (RFC 6761, section 6.3), and an address that is written as a number is meant: neither is asked for here.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Answers for names.
pub(crate) trait LookUp: Clone + Send + Sync + 'static {
    /// The addresses of a name.
    fn look_up(&self, name: &str) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// The answers of the machine's resolver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemNames;

impl LookUp for SystemNames {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// A resolver that leaves out addresses of private and special networks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicAddresses<L>(pub(crate) L);

/// A name leads nowhere but to private or special networks.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
struct NoPublicAddress;

impl<L: LookUp> Resolve for PublicAddresses<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.0.clone();
        Box::pin(async move {
            let found = names.look_up(name.as_str()).await?;
            Ok(Box::new(meant(name.as_str(), found)?.into_iter()) as Addrs)
        })
    }
}

/// Those of the addresses of a name that it may lead to.
fn meant(name: &str, found: impl IntoIterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NoPublicAddress> {
    let fits = |address: IpAddr| if name == "localhost" { address.is_loopback() } else { is_public(address) };
    let meant: Vec<_> = found.into_iter().filter(|address| fits(address.ip())).collect();
    if meant.is_empty() { Err(NoPublicAddress) } else { Ok(meant) }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Everything but IANA's registry of special addresses (RFC 6890).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || (a == 100 && (64..128).contains(&b)) // shared by carriers, RFC 6598
        || address.is_loopback()
        || address.is_link_local() // the instance's metadata lie here
        || (a, b, c) == (192, 0, 0)
        || address.is_documentation()
        || (a == 198 && (18..20).contains(&b)) // benchmarks, RFC 2544
        || a >= 224) // multicast, reserved, broadcast
}

/// The global unicast space (RFC 4291, section 2.5.4), without what holds an IPv4 address in a way of its own or is for
/// documentation; and the translation of a public IPv4 address (RFC 6052), which networks without IPv4 have.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo, benchmarks and other special purposes; documentation; 6to4; documentation again (RFC 9637).
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use std::{str::FromStr as _, time::Duration};

    use tokio::net::TcpListener;

    use super::*;
    use crate::{OutgoingTls, Schemes, Variables, chain, clients::download_client_asking, download_client};

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for (addresses, public) in [
            (
                "1.1.1.1 13.107.246.40 99.255.255.255 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 192.0.1.0 \
                 198.17.0.1 198.20.0.1 223.255.255.255 2603:1030:20:1::1 2001:200::1 2a00:1450:4001::1 64:ff9b::d6b:f628",
                true,
            ),
            (
                "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 \
                 172.31.255.255 192.0.0.8 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 \
                 255.255.255.255 :: ::1 ::ffff:169.254.169.254 ::ffff:1.1.1.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 \
                 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 2002:a9fe:a9fe::1 3fff::1 4000::1",
                false,
            ),
        ] {
            for address in addresses.split_whitespace() {
                assert_eq!(is_public(IpAddr::from_str(address).unwrap()), public, "{address}");
            }
        }
    }

    fn meant_of(name: &str, found: &[&str]) -> Vec<String> {
        let found = found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        meant(name, found).map_or(vec![], |meant| meant.iter().map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn a_name_leads_to_its_public_addresses_alone() {
        assert_eq!(meant_of("www.microsoft.com", &["10.0.0.1", "13.107.246.40", "::1"]), ["13.107.246.40"]);
        assert!(meant_of("www.microsoft.com", &["169.254.169.254", "127.0.0.1"]).is_empty());
        assert!(meant_of("www.microsoft.com", &[]).is_empty());
    }

    #[test]
    fn the_name_of_this_machine_leads_to_it_alone() {
        assert_eq!(meant_of("localhost", &["13.107.246.40", "127.0.0.1", "::1", "10.0.0.1"]), ["127.0.0.1", "::1"]);
        assert!(meant_of("localhost.example", &["127.0.0.1"]).is_empty());
    }

    /// Every name is this machine.
    #[derive(Clone)]
    struct ThisMachine;

    impl LookUp for ThisMachine {
        async fn look_up(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
            Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)])
        }
    }

    #[tokio::test]
    async fn a_client_connects_to_nothing_private_whatever_a_name_resolves_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = OutgoingTls::read(&Variables::default()).unwrap();
        let client = download_client_asking(ThisMachine, &tls, Duration::from_secs(5), Schemes::HttpAndHttps).unwrap();
        let refused = client.get(format!("http://www.microsoft.com:{port}/a.crt")).send().await.unwrap_err();
        assert!(chain(&refused).contains("the name resolves to no public address"), "{}", chain(&refused));
        // By the name that may, the same answer is connected to.
        let asked = tokio::spawn(client.get(format!("http://localhost:{port}/a.crt")).send());
        listener.accept().await.unwrap();
        asked.abort();
    }

    #[tokio::test]
    async fn a_client_reaches_this_machine_by_its_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = OutgoingTls::read(&Variables::default()).unwrap();
        let client = download_client(&tls, Duration::from_secs(5), Schemes::HttpAndHttps).unwrap();
        let asked = tokio::spawn(client.get(format!("http://localhost:{port}/a.crt")).send());
        listener.accept().await.unwrap();
        asked.abort();
        let https_only = download_client(&tls, Duration::from_secs(5), Schemes::Https).unwrap();
        let refused = https_only.get(format!("http://localhost:{port}/a.crt")).send().await.unwrap_err();
        assert!(refused.is_builder(), "{refused:?}");
    }
}
