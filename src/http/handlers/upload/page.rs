//! What a directory's page has on top when files can be uploaded to it.
//!
//! Its script is the one that its policy names by its hash: no other runs, whatever a file or directory is called. The
//! script puts names into the page as text only, and sends each file by PUT, one after the other.

use alloc::vec::Vec;

use super::super::super::handler::{Body, Response};
use super::super::super::status::Status;
use super::super::listing::page::{push_head, push_text_end};
use crate::fs::VPath;

/// The fields that go with such a page. Nobody may frame it, for then one could be brought to drop files there.
pub const FIELDS: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; \
    script-src 'sha256-SWsNfx8ikf3eiM71QQre62LpVUA6zEJqBc7Sy7TaDrI='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";

const BEFORE_SCRIPT: &[u8] = b"<style>\n\
    #zone{border:2px dashed #8888;border-radius:.5rem;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}\n\
    #zone.over{border-color:currentColor}\n\
    input{display:block;width:100%;margin-top:.5rem;font:inherit}\n\
    button,input::file-selector-button{font:inherit;padding:.4rem .8rem}\n\
    ul{list-style:none;margin:0;padding:0}\n\
    li{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem;margin-top:1rem}\n\
    span{flex:1 1 14rem}\nprogress{flex:1 1 8rem}\n\
    </style>\n\
    <noscript><p>To upload from this page takes JavaScript. Without: \
    <code>curl -T FILE</code> and this address.</p></noscript>\n\
    <div id=\"zone\" hidden><label>Upload files, or drop them here:\
    <input id=\"files\" type=\"file\" multiple></label>\n<ul id=\"list\" aria-live=\"polite\"></ul></div>\n<script>";
const SCRIPT: &[u8] = include_bytes!("page.js");
const AFTER_SCRIPT: &[u8] = b"</script>\n";

/// Appends it.
pub fn push_upload(out: &mut Vec<u8>) {
    out.extend_from_slice(BEFORE_SCRIPT);
    out.extend_from_slice(SCRIPT);
    out.extend_from_slice(AFTER_SCRIPT);
}

/// The page of a directory that is not listed. `path` is in directory form.
pub fn alone<W>(path: VPath<'_>) -> Response<W> {
    let mut page = Vec::with_capacity(6144);
    push_head(path.as_bytes(), &mut page);
    push_upload(&mut page);
    push_text_end(&mut page);
    let mut fields = FIELDS.to_vec();
    fields.extend_from_slice(b"X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n");
    Response { status: Status::OK, fields, body: Body::Bytes(page) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 (FIPS 180-4), its constants made from what they are: the roots of the first primes.
    fn sha256(message: &[u8]) -> [u8; 32] {
        let primes: Vec<u64> = (2u64..312).filter(|n| (2..*n).all(|d| n % d != 0)).take(64).collect();
        // The first 32 bits of the fraction of a root, by bisection in whole numbers.
        let fraction = |prime: u64, power: u32| {
            let (mut low, mut high) = (0u128, 1u128 << 40);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if middle.pow(power) <= u128::from(prime) << (32 * power) {
                    low = middle
                } else {
                    high = middle
                }
            }
            low as u32
        };
        let k: Vec<u32> = primes.iter().map(|prime| fraction(*prime, 3)).collect();
        let mut state: Vec<u32> = primes[..8].iter().map(|prime| fraction(*prime, 2)).collect();
        let mut padded = message.to_vec();
        padded.push(0x80);
        while padded.len() % 64 != 56 {
            padded.push(0);
        }
        padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
        for block in padded.chunks(64) {
            let mut w: Vec<u32> =
                block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
            for i in 16..64 {
                let (a, b) = (w[i - 15], w[i - 2]);
                let (s0, s1) = (
                    a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3),
                    b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10),
                );
                w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
            }
            let mut v = state.clone();
            for i in 0..64 {
                let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
                let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
                let one = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
                let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
                let two = s0.wrapping_add((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
                v.rotate_right(1);
                v[4] = v[4].wrapping_add(one);
                v[0] = one.wrapping_add(two);
            }
            for (word, add) in state.iter_mut().zip(v) {
                *word = word.wrapping_add(add);
            }
        }
        state.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>().try_into().unwrap()
    }

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for three in bytes.chunks(3) {
            let bits =
                three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                out.push(if place <= three.len() { letter.into() } else { '=' });
            }
        }
        out
    }

    #[test]
    fn the_policy_names_the_script_that_is_there() {
        assert_eq!(base64(&sha256(b"abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        let mut page = Vec::new();
        push_upload(&mut page);
        let page = String::from_utf8(page).unwrap();
        let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        let hash = base64(&sha256(script.as_bytes()));
        let fields = String::from_utf8_lossy(FIELDS);
        assert!(fields.contains(&format!("script-src 'sha256-{hash}';")), "the hash is {hash}");
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.is_ascii() && !page.contains('\r'));
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval", "<!--"] {
            assert!(!script.contains(way), "{way}");
        }
    }
}
