//! What is proved in a login, and how: keys made of passwords, and proofs made of keys. HMAC and SHA-256 are a library's.

use hmac_sha256::HMAC;

/// Bytes of a key, and of a proof.
pub const LENGTH: usize = 32;
/// Iterations of a key that is made now. It costs the client a tenth of a second, once a login, and whoever tries
/// passwords against a login that was listened to as much for each.
pub const ITERATIONS: u32 = 32_768;
/// Fewest and most iterations: fewer are too weak, and more would hold the client up for minutes.
pub const ITERATIONS_RANGE: core::ops::RangeInclusive<u32> = 4096..=10_000_000;

/// A key, or a proof.
pub type Bytes = [u8; LENGTH];

/// Which side proves that it knows the key. Each has a word of its own, so that neither proof can be sent back as the
/// other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who logs in.
    Client,
    /// Who is logged in to.
    Server,
}

/// The key of a password: PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2), as far as its first block goes, which is all
/// that is asked of it.
#[must_use]
pub fn key(password: &[u8], salt: &[u8], iterations: u32) -> Bytes {
    let mut block = mac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut key = block;
    for _ in 1..iterations {
        block = mac(password, &[&block]);
        key.iter_mut().zip(&block).for_each(|(byte, more)| *byte ^= more);
    }
    key
}

/// The proof of a side that it knows the key, good for these two nonces and this user only.
#[must_use]
pub fn proof(key: &Bytes, side: Side, server_nonce: &[u8], client_nonce: &[u8], user: &[u8]) -> Bytes {
    let word: &[u8] = match side {
        Side::Client => b"client",
        Side::Server => b"server",
    };
    mac(key, &[word, b"\n", server_nonce, b"\n", client_nonce, b"\n", user])
}

/// HMAC-SHA-256 (RFC 2104) of what the parts are together.
#[must_use]
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Bytes {
    let mut mac = HMAC::new(key);
    // A slice, not a reference to one: that would be another instance of all that it takes.
    parts.iter().for_each(|part| mac.update(*part));
    mac.finalize()
}

/// Whether two texts of one length are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &[u8], two: &[u8]) -> bool {
    let differences = one.iter().zip(two).fold(0, |all, (one, two)| all | (one ^ two));
    // Not to be known before the end.
    one.len() == two.len() && core::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hex::tests::hex;

    /// RFC 4231, sections 4.2, 4.3, 4.4 and 4.7.
    #[test]
    fn hmac_vectors() {
        let long = [0xaa; 131];
        for (key, text, wanted) in [
            (
                &[0x0b; 20][..],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &long,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&mac(key, &[text])), wanted);
            for split in 0..=text.len() {
                let (one, two) = text.split_at(split);
                assert_eq!(hex(&mac(key, &[one, two])), wanted, "{split}");
            }
        }
    }

    /// RFC 7914, section 11, as far as the first 32 bytes go; the inputs of RFC 6070 with SHA-256, and one of our
    /// own, by Python's hashlib.
    #[test]
    fn pbkdf2_vectors() {
        for (password, salt, iterations, wanted) in [
            ("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
            ("password", "salt", 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"),
            ("password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"),
            ("password", "salt", 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"),
            (
                "passwordPASSWORDpassword",
                "saltSALTsaltSALTsaltSALTsaltSALTsalt",
                4096,
                "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1",
            ),
            ("pass\0word", "sa\0lt", 4096, "89b69d0516f829893c696226650a8687"),
        ] {
            let found = hex(&key(password.as_bytes(), salt.as_bytes(), iterations));
            assert!(found.starts_with(wanted), "{password} {found}");
        }
    }

    #[test]
    fn each_side_nonce_and_user_has_its_proof() {
        let of = |side, server: &str, client: &str, user: &str| {
            proof(&[7; 32], side, server.as_bytes(), client.as_bytes(), user.as_bytes())
        };
        let all = [
            of(Side::Client, "s", "c", "u"),
            of(Side::Server, "s", "c", "u"),
            of(Side::Client, "t", "c", "u"),
            of(Side::Client, "s", "d", "u"),
            of(Side::Client, "s", "c", "v"),
            of(Side::Client, "sc", "", "u"),
            proof(&[8; 32], Side::Client, b"s", b"c", b"u"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| !same(one, other)), "{at}");
            assert!(same(one, one));
        }
        // Python: hmac.new(bytes([7] * 32), b"client\ns\nc\nu", "sha256").hexdigest()
        assert_eq!(hex(&all[0]), "5c414df43df3f498c1a892852b3ec50fe5b0e1dd0eb9050c85554608b8e05518");
    }

    #[test]
    fn the_same_is_of_one_length() {
        assert!(same(b"", b"") && same(b"ab", b"ab"));
        assert!(!same(b"", b"a") && !same(b"ab", b"a") && !same(b"a", b"ab") && !same(b"ab", b"aB"));
    }
}
