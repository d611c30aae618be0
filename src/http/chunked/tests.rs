use super::*;
use quickcheck::quickcheck;

/// Feeds `input` in the given pieces, and gives the data, the bytes used and the last state.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, usize, BodyState) {
    let mut decoder = ChunkedDecoder::new();
    let (mut data, mut used, mut state) = (Vec::new(), 0, BodyState::NeedMore);
    for piece in pieces {
        let mut rest = piece;
        while state == BodyState::NeedMore && !rest.is_empty() {
            let step = decoder.feed(rest);
            assert!(step.used > 0 || step.state == BodyState::Error);
            assert!(step.data.start <= step.data.end && step.data.end <= step.used);
            data.extend_from_slice(&rest[step.data]);
            rest = &rest[step.used..];
            used += step.used;
            state = step.state;
        }
    }
    assert_eq!(decoder.is_done(), state == BodyState::Done);
    (data, used, state)
}

/// Reads `input` whole, split at every byte, and byte by byte; all must come to the same.
fn read_every_way(input: &[u8]) -> (Vec<u8>, usize, BodyState) {
    let whole = read([input]);
    assert_eq!(read(input.chunks(1)), whole);
    for place in 0..=input.len() {
        let (first, second) = input.split_at(place);
        assert_eq!(read([first, second]), whole, "split at {place}");
    }
    whole
}

fn encode(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        out.extend_from_slice(&chunk_head(piece.len()));
        out.extend_from_slice(piece);
        out.extend_from_slice(CHUNK_END);
    }
    out.extend_from_slice(LAST_CHUNK);
    out
}

#[test]
fn read_to_the_end_and_no_further() {
    for (body, data) in [
        ("0\r\n\r\n", ""),
        ("000\r\n\r\n", ""),
        ("0000000000000000\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", "hello world"),
        ("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("1;a\r\nx\r\n0\r\n\r\n", "x"),
        ("1;a=b\r\nx\r\n0;c=d\r\n\r\n", "x"),
        ("1;a=b;c;d=e\r\nx\r\n0\r\n\r\n", "x"),
        ("1; a = b ; c ;\td=e\r\nx\r\n0\r\n\r\n", "x"),
        ("1 ;a = b\r\nx\r\n0\t ;c\r\n\r\n", "x"),
        ("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x"),
        ("1;a=\"b;c \\\"\\\\ \t \u{e9}\";d\r\nx\r\n0\r\n\r\n", "x"),
        ("1;a=\"b\" ;d\r\nx\r\n0\r\n\r\n", "x"),
        ("1\r\nx\r\n0\r\nA: b\r\n\r\n", "x"),
        ("0\r\nA:\r\nB-c: \t d e\u{e9} \r\n\r\n", ""),
        ("0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n", ""),
    ] {
        for following in ["", "GET / HTTP/1.1\r\n\r\n", "\r\n", "0"] {
            let input = [body, following].concat();
            let expected = (data.as_bytes().to_vec(), body.len(), BodyState::Done);
            assert_eq!(read_every_way(input.as_bytes()), expected, "{input:?}");
        }
        for end in 0..body.len() {
            assert_eq!(read_every_way(&body.as_bytes()[..end]).2, BodyState::NeedMore, "{body:?} to {end}");
        }
    }
}

/// In each case a `!`, which is not fed, follows the first wrong byte.
#[test]
fn refused_at_the_first_wrong_byte() {
    for case in [
        "\r!\n",
        "\n!",
        " !5\r\n",
        "\t!5\r\n",
        ";!a\r\n",
        "-!5\r\n",
        "+!5\r\n",
        "0x!5\r\n",
        "5h!\r\n",
        "g!\r\n",
        "5 \r!\n",
        "5 \n!",
        "5 a!\r\n",
        "5 5!\r\n",
        "5\t\r!\n",
        "5 ;\r!\n",
        "5 \0!;a\r\n",
        "5,!\r\n",
        "5\n!hello",
        "5\r\r!\n",
        "5\rh!ello",
        "5\r\nhello\n!",
        "5\r\nhello0!\r\n",
        "5\r\nhello !\r\n",
        "5\r\nhello\r\r!\n",
        "5\r\nhello\r0!",
        "5\r\nhello\r\n\r!\n",
        "5\r\nhello\r\n\n!",
        "5\r\nhello\r\n !0",
        "00000000000000000!\r\n",
        "00000000000000005!\r\n",
        "8000000000000000!\r\n",
        "ffffffffffffffff!\r\n",
        "10000000000000000!\r\n",
        "5;\r!\n",
        "5; \r!\n",
        "5;;!a\r\n",
        "5;=!a\r\n",
        "5;a\n!",
        "5;a\r\r!\n",
        "5;a=\r!\n",
        "5;a=;!\r\n",
        "5;a=b\n!",
        "5;a=b=!\r\n",
        "5;a b!\r\n",
        "5;a \r!\n",
        "5;a=b c!\r\n",
        "5;a=b \r!\n",
        "5;a=\"b\" \r!\n",
        "5;a=\"b\" c!\r\n",
        "5;a=\"b\"c!\r\n",
        "5;a=\"b\"\"!\r\n",
        "5;a=\"b\n!\"",
        "5;a=\"b\r!\n\"",
        "5;a=\"b\0!\"",
        "5;a=\"b\\\n!\"",
        "5;a=\"b\\\r!\n\"",
        "5;a=\"\x7f!\"",
        "5;a\0!\r\n",
        "5;\u{e9}!\r\n",
        "5;a/!\r\n",
        "0\r\n\n!",
        "0\r\n\r\r!\n",
        "0\r\n\rx!",
        "0\r\n !:\r\n",
        "0\r\n:!b\r\n",
        "0\r\nA\r!\n",
        "0\r\nA !:b\r\n",
        "0\r\nA: b\n!",
        "0\r\nA: b\r\r!\n",
        "0\r\nA: b\rc!",
        "0\r\nA: b\0!\r\n",
        "0\r\nA: \x7f!\r\n",
        "0\r\nA: b\r\n !c\r\n",
        "0\r\nA: b\r\n\t!c\r\n",
        "0\r\nA: b\r\n\n!",
        "0\r\nGET !/ HTTP/1.1\r\n",
    ] {
        let input = case.replace('!', "");
        let (_, used, state) = read_every_way(input.as_bytes());
        let wrong = case.split('!').next().unwrap().char_indices().last().unwrap().0;
        assert_eq!((used, state), (wrong, BodyState::Error), "{case:?}");
    }
}

#[test]
fn what_is_broken_stays_broken() {
    let mut decoder = ChunkedDecoder::new();
    assert_eq!(decoder.feed(b"x"), BodyStep { used: 0, data: 0..0, state: BodyState::Error });
    for input in [b"" as &[u8], b"5\r\nhello\r\n", LAST_CHUNK] {
        assert_eq!(decoder.feed(input), BodyStep { used: 0, data: 0..0, state: BodyState::Error });
    }
}

#[test]
fn the_largest_size_is_not_allocated_nor_wrapped() {
    let mut decoder = ChunkedDecoder::new();
    let step = decoder.feed(b"7fffffffffffffff\r\nabc");
    assert_eq!(step, BodyStep { used: 21, data: 18..21, state: BodyState::NeedMore });
    assert_eq!(decoder.left, i64::MAX as u64 - 3);
}

#[test]
fn one_step_reads_to_the_next_data() {
    let mut decoder = ChunkedDecoder::new();
    let step = decoder.feed(b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\nGET");
    assert_eq!(step, BodyStep { used: 10, data: 3..5, state: BodyState::NeedMore });
    let step = decoder.feed(b"cde\r\n0\r\n\r\nGET");
    assert_eq!(step, BodyStep { used: 10, data: 0..3, state: BodyState::Done });
}

#[test]
fn lines_of_256_bytes() {
    for (start, fill, end) in [("1;a=", "b", "\r\n"), ("1;a=\"", "b", "\"\r\n"), ("1;", " ", "a\r\n")] {
        for (length, state) in [(255, BodyState::Done), (256, BodyState::Done), (257, BodyState::Error)] {
            let line = [start, &fill.repeat(length - start.len() - end.len()), end].concat();
            assert_eq!(line.len(), length);
            // Each line is counted alone.
            let body = [&line, "x\r\n", &line, "y\r\n0\r\n\r\n"].concat();
            assert_eq!(read_every_way(body.as_bytes()).2, state);
        }
    }
}

#[test]
fn extensions_of_16_kilobytes() {
    // Each line has 128 bytes that count: the name, the value, and CR.
    let chunk = ["1;a=", &"b".repeat(125), "\r\nx\r\n"].concat();
    let full = chunk.repeat(128);
    assert_eq!(read([full.as_bytes(), LAST_CHUNK]).2, BodyState::Done);
    let over = [&full, "1;a\r\nx\r\n"].concat();
    assert_eq!(read([over.as_bytes(), LAST_CHUNK]).2, BodyState::Error);
    assert_eq!(read(over.as_bytes().chunks(1)).2, BodyState::Error);
}

#[test]
fn trailers_of_8_kilobytes() {
    for (length, state) in [(8191, BodyState::Done), (8192, BodyState::Done), (8193, BodyState::Error)] {
        let one = ["A:", &"b".repeat(length - 6), "\r\n\r\n"].concat();
        let many =
            ["A: b\r\n".repeat(1000), ["A:", &"b".repeat(length - 6006), "\r\n\r\n"].concat()].concat();
        for trailers in [one, many] {
            assert_eq!(trailers.len(), length);
            let (data, used, last) = read([b"1\r\nx\r\n0\r\n", trailers.as_bytes(), b"GET"]);
            assert_eq!((data.as_slice(), last), (b"x" as &[u8], state));
            assert_eq!(used, if state == BodyState::Done { 9 + length } else { 8 + length });
        }
    }
    assert_eq!(read([b"0\r\n" as &[u8], &[b'a'; 100_000]]).2, BodyState::Error);
}

#[test]
fn heads() {
    for (length, head) in [
        (1, "1\r\n"),
        (9, "9\r\n"),
        (10, "a\r\n"),
        (16, "10\r\n"),
        (255, "ff\r\n"),
        (4096, "1000\r\n"),
        (0xffff, "ffff\r\n"),
        (usize::MAX, "ffffffffffffffff\r\n"),
        (0, "0\r\n"),
    ] {
        assert_eq!(&*chunk_head(length), head.as_bytes());
    }
    for length in (0..70_000).chain((0..63).map(|bit| 1usize << bit)) {
        assert_eq!(&*chunk_head(length), format!("{length:x}\r\n").as_bytes());
    }
}

quickcheck! {
    fn what_is_encoded_is_decoded(pieces: Vec<Vec<u8>>, following: Vec<u8>, cut: usize) -> bool {
        let mut input = encode(&pieces);
        let length = input.len();
        input.extend_from_slice(&following);
        let expected = (pieces.concat(), length, BodyState::Done);
        let (first, second) = input.split_at(cut % (input.len() + 1));
        read([&input[..]]) == expected && read(input.chunks(1)) == expected && read([first, second]) == expected
    }

    fn any_input_is_met_alike_in_pieces(input: Vec<u8>) -> bool {
        // Bytes of the grammar, so that more than the first state is seen.
        let alphabet = b"0123aF;=\"\\ \t\r\n\r\n\r\n:xX\0\x7f\xff";
        let input: Vec<u8> = input.iter().map(|&byte| alphabet[usize::from(byte) % alphabet.len()]).collect();
        let whole = read([&input[..]]);
        whole.1 <= input.len() && read(input.chunks(1)) == whole && read(input.chunks(3)) == whole
    }
}
