//! MD5 (RFC 1321) and SHA-1 (RFC 3174): what old hashes of passwords and old protocols are made with. Neither is fit for
//! anything new.
//!
//! Both cut a text into blocks of 64 bytes, pad it alike but for the order of bytes, and add each block to a few words.

/// A digest that is being computed: `N` words.
pub struct Digest<const N: usize> {
    words: [u32; N],
    add_block: fn(&mut [u32; N], &[u8; 64]),
    /// The lowest byte of a word goes first.
    little: bool,
    block: [u8; 64],
    length: u64,
}

/// An MD5 of nothing yet.
#[must_use]
pub fn md5() -> Digest<4> {
    let words = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    Digest { words, add_block: add_md5, little: true, block: [0; 64], length: 0 }
}

/// A SHA-1 of nothing yet.
#[must_use]
pub fn sha1() -> Digest<5> {
    let words = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    Digest { words, add_block: add_sha1, little: false, block: [0; 64], length: 0 }
}

impl<const N: usize> Digest<N> {
    /// Adds a piece of the text.
    pub fn add(&mut self, text: &[u8]) {
        for byte in text {
            let at = (self.length % 64) as usize;
            if let Some(place) = self.block.get_mut(at) {
                *place = *byte;
            }
            self.length = self.length.wrapping_add(1);
            if at == 63 {
                (self.add_block)(&mut self.words, &self.block);
            }
        }
    }

    /// Writes the words' bytes, in order, as far as there is room: 16 of MD5, 20 of SHA-1.
    pub fn finish(mut self, out: &mut [u8]) {
        let bits = self.length.wrapping_mul(8);
        let (used, little) = ((self.length % 64) as usize, self.little);
        let mut padding = [0; 72];
        padding[0] = 0x80;
        let zeros = if used < 56 { 56 - used } else { 120 - used };
        let length = if little { bits.to_le_bytes() } else { bits.to_be_bytes() };
        self.add(padding.get(..zeros).unwrap_or(&[]));
        self.add(&length);
        for (place, word) in out.chunks_exact_mut(4).zip(self.words) {
            place.copy_from_slice(&if little { word.to_le_bytes() } else { word.to_be_bytes() });
        }
    }
}

/// A block's words.
fn words(block: &[u8; 64], read: fn([u8; 4]) -> u32) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.try_into().map_or(0, read);
    }
    words
}

/// The parts of the sines of 1 to 64 that RFC 1321 adds, times 2^32.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

fn add_md5(words_so_far: &mut [u32; 4], block: &[u8; 64]) {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let text = words(block, u32::from_le_bytes);
    let [mut a, mut b, mut c, mut d] = *words_so_far;
    for (step, sine) in SINES.iter().enumerate() {
        let (mixed, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let word = text.get(at % 16).copied().unwrap_or(0);
        let turn = TURNS.get(step / 16).and_then(|turns| turns.get(step % 4)).copied().unwrap_or(0);
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(word);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(turn)));
    }
    for (word, add) in words_so_far.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(add);
    }
}

fn add_sha1(words_so_far: &mut [u32; 5], block: &[u8; 64]) {
    let mut text = words(block, u32::from_be_bytes);
    let [mut a, mut b, mut c, mut d, mut e] = *words_so_far;
    for step in 0..80 {
        let word = |back: usize| text.get((step + 16 - back) % 16).copied().unwrap_or(0);
        let mut next = word(16);
        if step >= 16 {
            next = (word(3) ^ word(8) ^ word(14) ^ next).rotate_left(1);
            if let Some(place) = text.get_mut(step % 16) {
                *place = next;
            }
        }
        let (mixed, constant) = match step / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum =
            a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(next).wrapping_add(constant);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
    }
    for (word, add) in words_so_far.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(digest: Digest<N>) -> Vec<u8> {
        let mut out = vec![0; N * 4];
        digest.finish(&mut out);
        out
    }

    fn hex<const N: usize>(digest: Digest<N>) -> String {
        bytes(digest).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn of<const N: usize>(mut digest: Digest<N>, parts: &[&[u8]]) -> Digest<N> {
        parts.iter().for_each(|part| digest.add(part));
        digest
    }

    #[test]
    fn the_vectors_of_the_rfcs() {
        for (text, of_md5, of_sha1) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("a", "0cc175b9c0f1b6a831c399e269772661", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "message digest",
                "f96b697d7cb7938d525a2f31aaf161d0",
                "c12252ceda8be8994d5fa0290a47231c1d16aae3",
            ),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "8215ef0796a20bcaaae116d3876c664a",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ] {
            assert_eq!(hex(of(md5(), &[text.as_bytes()])), of_md5, "{text}");
            assert_eq!(hex(of(sha1(), &[text.as_bytes()])), of_sha1, "{text}");
        }
    }

    /// Each length from 0 to 300, with each piece of a text added alone: the digest of all digests, made by Python's
    /// hashlib.
    #[test]
    fn every_length() {
        let text: Vec<u8> = (0..300_u32).map(|number| (number * 7) as u8).collect();
        let (mut all_md5, mut all_sha1) = (md5(), sha1());
        for length in 0..=text.len() {
            let (one, two) = text[..length].split_at(length / 3);
            all_md5.add(&bytes(of(md5(), &[one, two])));
            all_sha1.add(&bytes(of(sha1(), &[one, two])));
        }
        assert_eq!(hex(all_md5), "e4702992a25b0586df095abeb5e4dc89");
        assert_eq!(hex(all_sha1), "2d095daa1437f7f4f361cd003710e0b4d4d9af37");
    }
}
