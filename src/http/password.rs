//! Hashes of passwords that need no library of the system's: MD5-crypt, Apache's variant of it, and `{SHA}`.

use alloc::vec::Vec;

use super::users::Scheme;
use crate::text::base64;
use crate::text::digest::{md5, sha1};

/// The letters of crypt(3), in its order.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `hash` is the hash of `password`; nothing when its scheme is none of these.
#[must_use]
pub fn check(password: &[u8], hash: &[u8]) -> Option<bool> {
    match Scheme::of(hash)? {
        Scheme::Sha1 => {
            let mut wanted = Vec::new();
            let whole = base64::decode(hash.get(5..)?, &mut wanted);
            let mut made = [0; 20];
            let mut digest = sha1();
            digest.add(password);
            digest.finish(&mut made);
            Some(whole & is_same(&made, &wanted))
        }
        Scheme::Md5 => Some(check_md5(password, hash, b"$1$")),
        Scheme::Apache => Some(check_md5(password, hash, b"$apr1$")),
        Scheme::Bcrypt | Scheme::Sha256 | Scheme::Sha512 | Scheme::Yescrypt | Scheme::Des => None,
    }
}

fn check_md5(password: &[u8], hash: &[u8], sign: &[u8]) -> bool {
    let rest = hash.strip_prefix(sign).unwrap_or_default();
    let Some(end) = rest.iter().position(|byte| *byte == b'$') else { return false };
    let (salt, wanted) = rest.split_at_checked(end).unwrap_or_default();
    is_same(&md5_crypt(password, salt, sign), wanted.get(1..).unwrap_or_default())
}

/// Compares all bytes, wherever they differ.
fn is_same(one: &[u8], two: &[u8]) -> bool {
    let difference = one.iter().zip(two).fold(0, |found, (one, two)| found | (one ^ two));
    one.len() == two.len() && core::hint::black_box(difference) == 0
}

/// MD5-crypt as FreeBSD 2 had it first. `sign` tells Apache's variant from it, and is the only difference.
fn md5_crypt(password: &[u8], salt: &[u8], sign: &[u8]) -> [u8; 22] {
    let mut digest = [0; 16];
    let mut inner = md5();
    [password, salt, password].iter().for_each(|part| inner.add(part));
    inner.finish(&mut digest);
    let mut outer = md5();
    [password, sign, salt].iter().for_each(|part| outer.add(part));
    for part in password.chunks(16) {
        outer.add(digest.get(..part.len()).unwrap_or(&digest));
    }
    let mut bits = password.len();
    while bits > 0 {
        // For a bit that is set the algorithm takes a byte it has cleared just before.
        outer.add(if bits & 1 == 1 { &[0] } else { password.get(..1).unwrap_or(&[]) });
        bits >>= 1;
    }
    outer.finish(&mut digest);
    for round in 0..1000 {
        let odd = round & 1 == 1;
        let parts = [
            if odd { password } else { &digest },
            if round % 3 != 0 { salt } else { &[] },
            if round % 7 != 0 { password } else { &[] },
            if odd { &digest } else { password },
        ];
        let mut next = md5();
        parts.iter().for_each(|part| next.add(part));
        next.finish(&mut digest);
    }
    let byte = |at: usize| digest.get(at).copied().map_or(0, u32::from);
    let mut text = [0; 22];
    let mut places = text.iter_mut();
    for (high, middle, low, count) in
        [(0, 6, 12, 4), (1, 7, 13, 4), (2, 8, 14, 4), (3, 9, 15, 4), (4, 10, 5, 4), (16, 16, 11, 2)]
    {
        let mut bits = byte(high) << 16 | byte(middle) << 8 | byte(low);
        for place in places.by_ref().take(count) {
            *place = LETTERS.get(bits as usize & 63).copied().unwrap_or(b'.');
            bits >>= 6;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl passwd -apr1 -salt ..`, `openssl passwd -1 -salt ..` and Python's hashlib.
    const VECTORS: &[(&str, &str)] = &[
        ("", "$apr1$s$e2aCb9PLCjZ2t55SoAxXn."),
        ("", "$1$s$iXWZU0LDEJ7Jjmms7KFsH0"),
        ("", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
        ("a", "$apr1$saltsalt$OEnK0QmmvoDzFw9W2yFYT/"),
        ("a", "$1$saltsalt$MzDjbImyzEz2m0NTiPzNW/"),
        ("a", "{SHA}hvfkN/qlp/zhXR3cuerq6jd2Z7g="),
        ("password", "$apr1$12345678$9pHAGSBYtlmFtid2xxNog0"),
        ("password", "$1$12345678$o2n/JiO/h5VviOInWJ4OQ/"),
        ("password", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="),
        ("fifteen bytes..", "$apr1$./$bQb03KkwzTm14Q8joTsbR."),
        ("fifteen bytes..", "$1$./$YtPvzqWkjWn6KXP0vxN6y/"),
        ("fifteen bytes..", "{SHA}m/X8ic/qYjaRRZh3TAV3aL0YMuA="),
        ("sixteen bytes ..", "$apr1$ab.d$95/lSTAhHApZvimtVeWbA."),
        ("sixteen bytes ..", "$1$ab.d$oc3yzmF6Cv/jtvStfqV3F0"),
        ("sixteen bytes ..", "{SHA}Lll0qgSULQBKdsib4M56Gbb1clY="),
        ("seventeen bytes .", "$apr1$s$Q9Ez6KWiY81LRSbjE73vD0"),
        ("seventeen bytes .", "$1$s$jMkZWLrd0YPBU7TBSvlwE."),
        ("seventeen bytes .", "{SHA}Fj8R64fKQNJBmUYU3qXpKHYUgbs="),
        ("pässwörd:with:colons", "$apr1$saltsalt$S964aJng/Joh2Zk0.40HG1"),
        ("pässwörd:with:colons", "$1$saltsalt$Fbnhm5VjE0kQBj/ymDodi/"),
        ("pässwörd:with:colons", "{SHA}vx54GxOZDITxkGttb9cITtd5H4k="),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "$apr1$12345678$8ejSyEaL0urrP6dHhzhHE0",
        ),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "$1$12345678$8TG68lnWZTovjM6h8HQGX1",
        ),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "{SHA}u6rYS0JjCoC5Nf+DpIBFEtjvWfM=",
        ),
    ];

    #[test]
    fn known_hashes_are_those_of_their_passwords_alone() {
        for (password, hash) in VECTORS {
            assert_eq!(check(password.as_bytes(), hash.as_bytes()), Some(true), "{password} {hash}");
            for (other, _) in VECTORS.iter().filter(|(other, _)| other != password) {
                assert_eq!(check(other.as_bytes(), hash.as_bytes()), Some(false), "{other} {hash}");
            }
        }
    }

    #[test]
    fn other_schemes_are_left_to_the_system() {
        let digest = "a".repeat(86);
        for hash in [&["$6$salt$", &digest].concat(), "rl0uE0v7CFCCg", "", "$apr1$", "{SHA}x"] {
            assert_eq!(check(b"x", hash.as_bytes()), None, "{hash}");
        }
    }
}
