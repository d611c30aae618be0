use super::*;
use std::borrow::ToOwned;
use std::string::ToString;

fn address(text: &str) -> (Address, bool) {
    let (text, dual) = text.strip_suffix(" dual").map_or((text, false), |text| (text, true));
    match text.strip_prefix("unix:") {
        Some(path) => (Address::Unix(path.into()), dual),
        None => (Address::Ip(text.parse().unwrap()), dual),
    }
}

/// Rules and sockets, each of these `NAME ADDRESS`: what each rule gets, by the numbers of the sockets.
fn plan(rules: &[&str], sockets: &[&str]) -> Result<Vec<Option<Vec<u32>>>, Misfit> {
    let rules: Vec<Listen> = rules.iter().map(|text| Listen::parse(text).unwrap()).collect();
    let mut activation = Activation::default();
    for (number, text) in sockets.iter().enumerate() {
        let (name, at) = text.split_once(' ').unwrap();
        let (address, dual) = address(at);
        let passed = Passed { socket: gorgon_sys::pair().unwrap().0, address, dual };
        let name = name.to_owned().leak().as_bytes();
        activation.sockets.push(Named { number: number as u32, name, passed, rule: None });
    }
    activation.match_up(&rules.iter().collect::<Vec<_>>())?;
    let given = |place: usize| -> Vec<u32> {
        let sockets = activation.sockets.iter().filter(|socket| socket.rule == Some(place));
        sockets.map(|socket| socket.number).collect()
    };
    let plan: Vec<_> =
        activation.served.iter().enumerate().map(|(place, served)| served.then(|| given(place))).collect();
    for (place, expected) in plan.iter().enumerate() {
        let taken = activation.take_for(place).map(|taken| taken.len());
        assert_eq!(taken, expected.as_ref().map(Vec::len));
    }
    assert!(activation.is_empty());
    Ok(plan)
}

#[test]
fn names_take_their_sockets() {
    let sockets = ["web 0.0.0.0:80", "admin unix:/run/a.sock", "web [::]:80"];
    assert_eq!(plan(&["fd:web", "fd:admin"], &sockets), Ok(vec![Some(vec![0, 2]), Some(vec![1])]));
    assert_eq!(plan(&["fd:web", "127.0.0.1:1", "fd:admin"], &sockets).unwrap()[1], None);
    assert_eq!(plan(&["fd:admin", "fd:webs"], &sockets), Err(Misfit::Missing(1)));
    assert_eq!(plan(&["fd:web", "fd:web", "fd:admin"], &sockets), Err(Misfit::Missing(1)));
    assert_eq!(plan(&["fd:admin"], &sockets), Err(Misfit::Left));
    assert_eq!(plan(&["fd:web"], &[]), Err(Misfit::Missing(0)));
}

#[test]
fn addresses_take_theirs() {
    for (rule, socket) in [
        ("127.0.0.1:80", "x 127.0.0.1:80"),
        ("[::1]:80", "x [::1]:80"),
        (":80", "x 0.0.0.0:80"),
        (":80", "x [::]:80"),
        (":80", "x [::]:80 dual"),
        ("localhost:80", "x [::1]:80"),
        ("0.0.0.0:80", "x [::]:80 dual"),
        ("[::]:80", "x [::]:80 dual"),
        ("[::ffff:10.0.0.1]:80", "x 10.0.0.1:80"),
        ("unix:/run/x", "x unix:/run/x"),
    ] {
        assert_eq!(plan(&[rule], &[socket]), Ok(vec![Some(vec![0])]), "{rule} {socket}");
    }
    for (rule, socket) in [
        ("127.0.0.1:80", "x 127.0.0.1:81"),
        ("127.0.0.1:80", "x 0.0.0.0:80"),
        ("0.0.0.0:80", "x [::]:80"),
        ("127.0.0.1:80", "x [::]:80 dual"),
        (":0", "x 0.0.0.0:80"),
        ("localhost:80", "x [::]:80 dual"),
        ("unix:/run/x", "x unix:/run/xy"),
        ("unix:/run/x", "x unix:"),
        ("fd:web", "Web 127.0.0.1:80"),
    ] {
        assert!(plan(&[rule], &[socket]).is_err(), "{rule} {socket}");
    }
}

#[test]
fn a_socket_belongs_to_one_rule() {
    // Both families of one rule, each with a socket.
    assert_eq!(plan(&[":80"], &["a 0.0.0.0:80", "a [::]:80"]), Ok(vec![Some(vec![0, 1])]));
    // The second rule's address is served already, so nothing is bound for it.
    let both = ["0.0.0.0:80", "[::]:80"];
    assert_eq!(plan(&both, &["a [::]:80 dual"]), Ok(vec![Some(vec![0]), Some(vec![])]));
    // A name comes before an address, wherever it stands.
    let both = ["127.0.0.1:80", "fd:web"];
    assert_eq!(plan(&both, &["web 127.0.0.1:80"]), Ok(vec![Some(vec![]), Some(vec![0])]));
    assert_eq!(plan(&[":80", "127.0.0.1:81"], &[]), Ok(vec![None, None]));
}

fn environment(process: Option<&str>, count: Option<&str>, names: Option<&str>) -> Environment {
    let keep = |text: &str| -> &'static [u8] { text.to_owned().leak().as_bytes() };
    Environment {
        listen_process: process.map(keep),
        listen_count: count.map(keep),
        listen_names: names.map(keep),
        ..Environment::default()
    }
}

#[test]
fn the_environment_is_read_as_systemd_writes_it() {
    let own = 4711;
    for (process, count, list, expected) in [
        (None, None, None, ""),
        (None, Some("1"), None, ""),
        (Some("4711"), None, Some("a"), ""),
        (Some("4711"), Some("0"), None, ""),
        (Some("4711"), Some("0"), Some(""), ""),
        (Some("4711"), Some("1"), None, "unknown"),
        (Some("4711"), Some("2"), None, "unknown unknown"),
        (Some("4711"), Some("1"), Some("web"), "web"),
        (Some("4711"), Some("3"), Some("web::a b"), "web  a b"),
        (Some("4712"), Some("x"), Some("web"), ""),
    ] {
        let found = names(&environment(process, count, list), own).unwrap();
        let found: Vec<_> = found.iter().map(|name| std::str::from_utf8(name).unwrap()).collect();
        assert_eq!(found.join(" "), expected, "{process:?} {count:?} {list:?}");
    }
    for (process, count, list, expected) in [
        ("x", "1", None, "LISTEN_PID=x: expected the number of a process"),
        ("", "1", None, "LISTEN_PID=: expected"),
        ("4711", "x", None, "LISTEN_FDS=x: expected the number of sockets"),
        ("4711", "-1", None, "LISTEN_FDS=-1: expected"),
        ("4711", "251", None, "LISTEN_FDS=251: expected"),
        ("4711", "99999999999999999999", None, "LISTEN_FDS=9"),
        ("4711", "2", Some("web"), "LISTEN_FDNAMES=web: expected as many names as LISTEN_FDS says"),
        ("4711", "1", Some("a:b"), "LISTEN_FDNAMES=a:b: expected"),
        ("4711", "0", Some("a"), "LISTEN_FDNAMES=a: expected"),
    ] {
        let message = names(&environment(Some(process), Some(count), list), own).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn what_is_passed_and_cannot_be_used_is_named() {
    let own = std::process::id().to_string();
    // No descriptor of a test comes through exec, so none is taken for one that was passed.
    let Err(failure) = Activation::take(&environment(Some(&own), Some("1"), Some("web"))) else {
        panic!("it was taken")
    };
    assert_eq!(failure.message, "descriptor 3 (web): passed by LISTEN_FDS, and not open");
    assert!(failure.usage);
    let mut none = Activation::take(&environment(Some("1"), Some("1"), None)).unwrap_or_default();
    assert!(none.is_empty() && none.take_all().is_empty());
    let Err(failure) = none.assign(&[&Listen::parse("fd:web").unwrap()]) else { panic!("it was found") };
    assert_eq!(failure.message, "listen=fd:web: no socket of that name was passed");
}
