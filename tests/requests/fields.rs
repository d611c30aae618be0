//! Fields (RFC 9112, section 5) and Host (RFC 9112, section 3.2; RFC 9110, section 7.2).

use super::*;

#[test]
fn lines_of_fields() {
    run(&[
        ("no space", b"GET /f HTTP/1.1\r\nHost:h\r\nA:b\r\n\r\n", 200, Kept),
        ("much space", b"GET /f HTTP/1.1\r\nHost:  \t h \t \r\nA: \t b\t\t\r\n\r\n", 200, Kept),
        ("empty value", b"GET /f HTTP/1.1\r\nHost: h\r\nA:\r\nB: \r\n\r\n", 200, Kept),
        ("colons in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b:c:d\r\n\r\n", 200, Kept),
        (
            "every character of a name",
            b"GET /f HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n",
            200,
            Kept,
        ),
        ("high bytes in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: \xc3\xa9\x80\xff\r\n\r\n", 200, Kept),
        ("tab in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\tc\r\n\r\n", 200, Kept),
        ("space before the colon", b"GET /f HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", 400, Closed),
        ("tab before the colon", b"GET /f HTTP/1.1\r\nHost: h\r\nA\t: b\r\n\r\n", 400, Closed),
        ("space before Host's colon", b"GET /f HTTP/1.1\r\nHost : h\r\n\r\n", 400, Closed),
        (
            "space before a length's colon",
            b"GET /f HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello",
            400,
            Closed,
        ),
        ("space in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA B: c\r\n\r\n", 400, Closed),
        ("empty name", b"GET /f HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", 400, Closed),
        ("colon alone", b"GET /f HTTP/1.1\r\nHost: h\r\n:\r\n\r\n", 400, Closed),
        ("no colon", b"GET /f HTTP/1.1\r\nHost: h\r\nA\r\n\r\n", 400, Closed),
        ("no colon, first line", b"GET /f HTTP/1.1\r\nA\r\nHost: h\r\n\r\n", 400, Closed),
        ("folded with SP", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", 400, Closed),
        ("folded with a tab", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\r\n\tc\r\n\r\n", 400, Closed),
        ("folded at the first line", b"GET /f HTTP/1.1\r\n Host: h\r\n\r\n", 400, Closed),
        ("folded Host", b"GET /f HTTP/1.1\r\nHost:\r\n h\r\n\r\n", 400, Closed),
        ("line of a space", b"GET /f HTTP/1.1\r\nHost: h\r\n \r\n\r\n", 400, Closed),
        ("NUL in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n", 400, Closed),
        ("NUL in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n", 400, Closed),
        ("control in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n", 400, Closed),
        ("escape in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: \x1b[2J\r\n\r\n", 400, Closed),
        ("DEL in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: \x7f\r\n\r\n", 400, Closed),
        ("bare CR in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", 400, Closed),
        (
            "bare CR hides a field",
            b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\rContent-Length: 5\r\n\r\n",
            400,
            Closed,
        ),
        ("CR CR LF", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\r\r\n\r\n", 400, Closed),
        ("bare LF after a field", b"GET /f HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400, Closed),
        ("bare LF ends the head", b"GET /f HTTP/1.1\r\nHost: h\r\n\n", 400, Closed),
        ("LF LF ends the head", b"GET /f HTTP/1.1\r\nHost: h\n\n", 400, Closed),
        ("bare CR ends the head", b"GET /f HTTP/1.1\r\nHost: h\r\n\rX", 400, Closed),
        ("LF in the value", b"GET /f HTTP/1.1\r\nHost: h\r\nA: b\nc: d\r\n\r\n", 400, Closed),
        ("high byte in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nCaf\xc3\xa9: b\r\n\r\n", 400, Closed),
        ("parentheses in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA(b): c\r\n\r\n", 400, Closed),
        ("at sign in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA@b: c\r\n\r\n", 400, Closed),
        ("brackets in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA[0]: c\r\n\r\n", 400, Closed),
        ("slash in the name", b"GET /f HTTP/1.1\r\nHost: h\r\nA/b: c\r\n\r\n", 400, Closed),
        ("quotes in the name", b"GET /f HTTP/1.1\r\nHost: h\r\n\"A\": c\r\n\r\n", 400, Closed),
        ("equals for colon", b"GET /f HTTP/1.1\r\nHost: h\r\nA=b\r\n\r\n", 400, Closed),
        ("second request line", b"GET /f HTTP/1.1\r\nHost: h\r\nGET /probe HTTP/1.1\r\n\r\n", 400, Closed),
    ]);
}

#[test]
fn values_of_any_length() {
    let (_directory, server) = served();
    let cases: Vec<usize> =
        (0..16).map(|power| 1 << power).chain([4050, 4096, 8192, 12_000, 16_000]).collect();
    all(&cases, usize::to_string, |&length| {
        let (status, fate) = if length < 16_300 { (200, Kept) } else { (431, Closed) };
        let value = "v".repeat(length);
        check(
            &server,
            format!("GET /f HTTP/1.1\r\nHost: h\r\nCookie: {value}\r\n\r\n").as_bytes(),
            status,
            fate,
        );
    });
}

#[test]
fn hosts() {
    run(&[
        ("missing", b"GET /f HTTP/1.1\r\n\r\n", 400, Closed),
        ("missing among others", b"GET /f HTTP/1.1\r\nA: b\r\nHosts: h\r\n\r\n", 400, Closed),
        ("twice", b"GET /f HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n", 400, Closed),
        ("twice the same", b"GET /f HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400, Closed),
        ("twice in other case", b"GET /f HTTP/1.1\r\nHost: h\r\nhOST: h\r\n\r\n", 400, Closed),
        ("twice in 1.0", b"GET /f HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400, Closed),
        ("list", b"GET /f HTTP/1.1\r\nHost: h, g\r\n\r\n", 400, Closed),
        ("empty", b"GET /f HTTP/1.1\r\nHost:\r\n\r\n", 400, Closed),
        ("space", b"GET /f HTTP/1.1\r\nHost:  \t\r\n\r\n", 400, Closed),
        ("none in 1.0", b"GET /f HTTP/1.0\r\n\r\n", 200, Closed),
        ("one in 1.0", b"GET /f HTTP/1.0\r\nHost: h\r\n\r\n", 200, Closed),
        ("invalid in 1.0", b"GET /f HTTP/1.0\r\nHost: a b\r\n\r\n", 400, Closed),
        ("any case", b"GET /f HTTP/1.1\r\nhOsT: h\r\n\r\n", 200, Kept),
        ("last of the fields", b"GET /f HTTP/1.1\r\nA: b\r\nC: d\r\nHost: h\r\n\r\n", 200, Kept),
        ("name", b"GET /f HTTP/1.1\r\nHost: www.example.org\r\n\r\n", 200, Kept),
        ("name with a dot", b"GET /f HTTP/1.1\r\nHost: example.org.\r\n\r\n", 200, Kept),
        ("underscore", b"GET /f HTTP/1.1\r\nHost: a_b\r\n\r\n", 200, Kept),
        ("encoded", b"GET /f HTTP/1.1\r\nHost: a%C3%A9b\r\n\r\n", 200, Kept),
        ("address", b"GET /f HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200, Kept),
        ("IPv6", b"GET /f HTTP/1.1\r\nHost: [::1]\r\n\r\n", 200, Kept),
        ("IPv6 and port", b"GET /f HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", 200, Kept),
        ("IPv4 in IPv6", b"GET /f HTTP/1.1\r\nHost: [::ffff:192.0.2.1]\r\n\r\n", 200, Kept),
        ("IPv6 without brackets", b"GET /f HTTP/1.1\r\nHost: ::1\r\n\r\n", 400, Closed),
        ("open bracket", b"GET /f HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, Closed),
        ("closing bracket", b"GET /f HTTP/1.1\r\nHost: ::1]\r\n\r\n", 400, Closed),
        ("text after the bracket", b"GET /f HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400, Closed),
        ("empty brackets", b"GET /f HTTP/1.1\r\nHost: []\r\n\r\n", 400, Closed),
        ("name in brackets", b"GET /f HTTP/1.1\r\nHost: [example]\r\n\r\n", 400, Closed),
        ("IPv6, five digits", b"GET /f HTTP/1.1\r\nHost: [::12345]\r\n\r\n", 400, Closed),
        ("IPv6, two gaps", b"GET /f HTTP/1.1\r\nHost: [1::2::3]\r\n\r\n", 400, Closed),
        ("IPv6, three colons", b"GET /f HTTP/1.1\r\nHost: [:::]\r\n\r\n", 400, Closed),
        ("IPv6, too short", b"GET /f HTTP/1.1\r\nHost: [1:2:3]\r\n\r\n", 400, Closed),
        ("IPv6, IPv4 too short", b"GET /f HTTP/1.1\r\nHost: [::1.2.3]\r\n\r\n", 400, Closed),
        ("zone", b"GET /f HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", 400, Closed),
        ("port", b"GET /f HTTP/1.1\r\nHost: h:8080\r\n\r\n", 200, Kept),
        ("empty port", b"GET /f HTTP/1.1\r\nHost: h:\r\n\r\n", 200, Kept),
        ("highest port", b"GET /f HTTP/1.1\r\nHost: h:65535\r\n\r\n", 200, Kept),
        ("port out of range", b"GET /f HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400, Closed),
        ("huge port", b"GET /f HTTP/1.1\r\nHost: h:18446744073709551696\r\n\r\n", 400, Closed),
        ("port not a number", b"GET /f HTTP/1.1\r\nHost: h:http\r\n\r\n", 400, Closed),
        ("negative port", b"GET /f HTTP/1.1\r\nHost: h:-1\r\n\r\n", 400, Closed),
        ("two ports", b"GET /f HTTP/1.1\r\nHost: h:80:80\r\n\r\n", 400, Closed),
        ("port alone", b"GET /f HTTP/1.1\r\nHost: :80\r\n\r\n", 400, Closed),
        ("userinfo", b"GET /f HTTP/1.1\r\nHost: user@h\r\n\r\n", 400, Closed),
        ("URL", b"GET /f HTTP/1.1\r\nHost: http://h\r\n\r\n", 400, Closed),
        ("path", b"GET /f HTTP/1.1\r\nHost: h/../etc\r\n\r\n", 400, Closed),
        ("backslash", b"GET /f HTTP/1.1\r\nHost: h\\g\r\n\r\n", 400, Closed),
        ("query", b"GET /f HTTP/1.1\r\nHost: h?q\r\n\r\n", 400, Closed),
        ("fragment", b"GET /f HTTP/1.1\r\nHost: h#a\r\n\r\n", 400, Closed),
        ("space within", b"GET /f HTTP/1.1\r\nHost: a b\r\n\r\n", 400, Closed),
        ("tab within", b"GET /f HTTP/1.1\r\nHost: a\tb\r\n\r\n", 400, Closed),
        ("markup", b"GET /f HTTP/1.1\r\nHost: <b>\r\n\r\n", 400, Closed),
        ("quote", b"GET /f HTTP/1.1\r\nHost: a\"b\r\n\r\n", 400, Closed),
        ("pipe", b"GET /f HTTP/1.1\r\nHost: a|b\r\n\r\n", 400, Closed),
        ("high byte", b"GET /f HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", 400, Closed),
        ("bad percent", b"GET /f HTTP/1.1\r\nHost: a%zz\r\n\r\n", 400, Closed),
    ]);
}
