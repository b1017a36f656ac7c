//! Which addresses belong to the public internet.
//!
//! The ranges are those of the IANA registries of special-purpose addresses (RFC 6890 and its updates). An IPv6 address
//! that carries an IPv4 address, by mapping, 6to4 or NAT64, is as public as that one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet: not this machine, not a private network, not a link, not a group of
/// receivers, not the metadata service of a cloud, and not reserved.
///
/// ```
/// use outpour::client::is_public_address;
/// assert!(is_public_address("9.9.9.9".parse()?));
/// assert!(!is_public_address("169.254.169.254".parse()?));
/// assert!(!is_public_address("::ffff:10.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match carried(address) {
            Some(inside) => is_public_v4(inside),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]      // this network, private, loopback, multicast, reserved, broadcast
            | [100, 64..=127, ..]           // shared by carriers (CGNAT)
            | [169, 254, ..]                // link-local, and the metadata of clouds
            | [172, 16..=31, ..]            // private
            | [192, 168, ..]                // private
            | [192, 0, 0 | 2, _]            // protocols, documentation
            | [192, 88, 99, _]              // what 6to4 relays used
            | [198, 18..=19, ..]            // benchmarks
            | [198, 51, 100, _]             // documentation
            | [203, 0, 113, _] // documentation
    )
}

/// Global unicast is `2000::/3`; all else is local, a group, or reserved.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Documentation; protocols and Teredo; documentation.
        [0x2001, 0x0db8 | 0..=0x01ff, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

/// The IPv4 address that an IPv6 address stands for.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Mapped; translated (SIIT); NAT64.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4.
        | [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}
