//! Networks of addresses: `10.0.0.0/8`, `fd00::/8`, or one address alone.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::number::parse_decimal;

/// The addresses whose first `prefix` bits are those of `ip`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Network {
    /// Its first address; the bits behind the prefix are 0.
    pub ip: IpAddr,
    /// How many bits count: at most 32, or 128.
    pub prefix: u8,
}

impl Network {
    /// Reads `ADDRESS/PREFIX` or `ADDRESS`; IPv6 with or without brackets.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Network, &'static str> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let ip = match (bare.parse::<Ipv4Addr>(), bare.parse::<Ipv6Addr>()) {
            (Ok(ip), _) if bare.len() == address.len() => IpAddr::V4(ip),
            (_, Ok(ip)) if ip.to_ipv4_mapped().is_some() => {
                return Err("expected an IPv4 network as such, as in 10.0.0.0/8");
            }
            (_, Ok(ip)) => IpAddr::V6(ip),
            _ => return Err("expected a network, as in 10.0.0.0/8 or fd00::/8"),
        };
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(text) => match parse_decimal(text.as_bytes()).and_then(|number| u8::try_from(number).ok()) {
                Some(prefix) if prefix <= bits => prefix,
                _ if bits == 32 => return Err("expected a prefix from 0 to 32 after the slash"),
                _ => return Err("expected a prefix from 0 to 128 after the slash"),
            },
        };
        let network = Network { ip, prefix };
        if masked(ip, prefix) != ip {
            return Err("expected no bits behind the prefix, as in 10.0.0.0/8");
        }
        Ok(network)
    }

    /// Whether an address is one of its own. An IPv4 address that is mapped into IPv6 counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.ip.is_ipv4() && masked(address, self.prefix) == self.ip
    }
}

fn masked(ip: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own() {
        for (network, address, within) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "a00::", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1/32", "127.0.0.2", false),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fe80::1", true),
            ("::/0", "::ffff:1.2.3.4", false),
            ("fd00::/8", "fdff::1", true),
            ("[fd00::]/8", "fc00::1", false),
            ("::1", "::1", true),
            ("fe80::/127", "fe80::2", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), within, "{network:?} {address}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("", "expected a network"),
            ("/8", "expected a network"),
            ("example.org", "expected a network"),
            ("10.0.0", "expected a network"),
            ("[10.0.0.0]/8", "expected a network"),
            ("[::1", "expected a network"),
            ("10.0.0.0/", "from 0 to 32"),
            ("10.0.0.0/33", "from 0 to 32"),
            ("10.0.0.0/-1", "from 0 to 32"),
            ("::/129", "from 0 to 128"),
            ("::/999999", "from 0 to 128"),
            ("10.0.0.1/8", "behind the prefix"),
            ("::1/127", "behind the prefix"),
            ("::ffff:10.0.0.0/104", "as such"),
        ] {
            assert!(Network::parse(text).is_err_and(|found| found.contains(message)), "{text}");
        }
    }
}
