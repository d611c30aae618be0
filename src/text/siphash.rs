//! SipHash-2-4 with 128 bits: a digest under a key, short to compute and short to write (Aumasson and Bernstein, 2012).
//!
//! To those who do not know the key its values are as random ones. It is no digest to publish: who knows the key can find
//! two texts with the same one.

/// A key: 128 random bits.
pub type Key = (u64, u64);

struct State([u64; 4]);

impl State {
    fn rounds(&mut self, count: u32) {
        let State([a, b, c, d]) = self;
        for _ in 0..count {
            *a = a.wrapping_add(*b);
            *c = c.wrapping_add(*d);
            *b = b.rotate_left(13) ^ *a;
            *d = d.rotate_left(16) ^ *c;
            *a = a.rotate_left(32);
            *c = c.wrapping_add(*b);
            *a = a.wrapping_add(*d);
            *b = b.rotate_left(17) ^ *c;
            *d = d.rotate_left(21) ^ *a;
            *c = c.rotate_left(32);
        }
    }

    fn word(&self) -> u64 {
        self.0.iter().fold(0, |found, word| found ^ word)
    }
}

/// The digest of a text.
#[must_use]
pub fn siphash(key: Key, text: &[u8]) -> u128 {
    let mut state = State([
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ]);
    // The last word holds what is left, and the length's lowest byte; it is there even if nothing is left.
    for number in 0..=text.len() / 8 {
        let part = text.get(number * 8..).unwrap_or(&[]);
        let mut word = part.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        if part.len() < 8 {
            word |= (text.len() as u64) << 56;
        }
        state.0[3] ^= word;
        state.rounds(2);
        state.0[0] ^= word;
    }
    state.0[2] ^= 0xee;
    state.rounds(4);
    let low = state.word();
    state.0[1] ^= 0xdd;
    state.rounds(4);
    u128::from(state.word()) << 64 | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_its_authors() {
        let text: Vec<u8> = (0..64).collect();
        let key = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        for (length, digest) in [
            (0, 0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128.to_be_bytes()),
            (1, 0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45_u128.to_be_bytes()),
            (7, 0xa1f1_ebbe_d8db_c153_c0b8_4aa6_1ff0_8239_u128.to_be_bytes()),
            (8, 0x3b62_a9ba_6258_f561_0f83_e264_f314_97b4_u128.to_be_bytes()),
            (9, 0x2644_9906_0ad9_baab_c47f_8b02_bb6d_71ed_u128.to_be_bytes()),
            (15, 0x5493_e999_33b0_a811_7e08_ec0f_97cf_c3d9_u128.to_be_bytes()),
            (16, 0x6ee2_a4ca_67b0_54bb_fd33_15bf_8523_0577_u128.to_be_bytes()),
            (63, 0x5150_d177_2f50_834a_503e_069a_973f_bd7c_u128.to_be_bytes()),
        ] {
            assert_eq!(siphash(key, &text[..length]), u128::from_be_bytes(digest).swap_bytes(), "{length}");
        }
    }
}
