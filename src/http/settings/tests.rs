use super::*;

#[test]
fn the_table_holds() {
    crate::tree::tests::check_table(&HTTP);
}

#[test]
fn names_that_go_elsewhere_are_refused() {
    let mut settings = HttpSettings::default();
    for (name, text) in [
        ("index", "../secret"),
        ("index", "a,b/c"),
        ("index", ".."),
        ("index", "."),
        ("charset", "utf-8; x=y"),
        ("charset", "utf 8"),
        ("charset", "\u{e9}"),
        ("precompressed", "deflate"),
        ("precompressed", "br,br"),
        ("precompressed", "br,gz"),
        ("cache_control", "no-cache\r\nSet-Cookie: a=b"),
        ("cache_control", "a\tb"),
        ("cache_control", " "),
        ("cache_control", "\u{85}"),
        ("cache_control", "\u{e9}"),
        ("root", ""),
        ("auth_file", ""),
        ("auth_realm", "a\"b"),
        ("auth_realm", "a\\b"),
        ("auth_realm", "a\nb"),
        ("access_log", "syslog:udp:host"),
    ] {
        assert!(HTTP.set_text(&mut settings, name, text).is_err(), "{name}={text}");
    }
    assert!(settings == HttpSettings::default());
}

#[test]
fn contradictions_are_found() {
    let mut settings = HttpSettings::default();
    assert_eq!(settings.contradiction(), None);
    settings.head_max = settings.request_line_max;
    assert_eq!(settings.contradiction(), None);
    settings.request_line_max += 1;
    assert!(settings.contradiction().is_some_and(|(key, _)| key == "request_line_max"));
    settings.request_line_max -= 1;
    for (size, wrong) in [(0, false), (1, true), (64 * 1024 - 1, true), (64 * 1024, false)] {
        settings.access_log_size = size;
        assert_eq!(settings.contradiction().is_some_and(|(key, _)| key == "access_log_size"), wrong);
    }
    settings.listen.clear();
    assert!(settings.contradiction().is_some_and(|(key, _)| key == "listen"));
}
