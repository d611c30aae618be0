//! Paths of files, which are bytes on every system here.

/// The last name of a path: `c` of `/a/b/c` and of `c/`. None for a path that ends with no name, such as `/` and `..`.
#[must_use]
pub fn file_name(path: &[u8]) -> Option<&[u8]> {
    let (_, name) = split(path);
    (!matches!(name, b"" | b"." | b"..")).then_some(name)
}

/// The directory that the last name of a path is in: `/a/b` of `/a/b/c`, `/` of `/a`, `.` of `a`.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    match split(path).0 {
        b"" => b".",
        before => match trimmed(before) {
            b"" => b"/",
            parent => parent,
        },
    }
}

/// A path up to its last name, and that. Slashes at the end do not count.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let path = trimmed(path);
    let start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    path.split_at_checked(start).unwrap_or_default()
}

/// A path without slashes at its end.
fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (path, directory, name) in [
            ("/a/b/c", "/a/b", Some("c")),
            ("/a/b/c/", "/a/b", Some("c")),
            ("/a//b", "/a", Some("b")),
            ("/a", "/", Some("a")),
            ("//a", "/", Some("a")),
            ("a", ".", Some("a")),
            ("a/", ".", Some("a")),
            ("./a", ".", Some("a")),
            ("../a", "..", Some("a")),
            ("a/.b", "a", Some(".b")),
            ("a/...", "a", Some("...")),
            ("/", ".", None),
            ("", ".", None),
            (".", ".", None),
            ("..", ".", None),
            ("a/..", "a", None),
        ] {
            assert_eq!(parent(path.as_bytes()), directory.as_bytes(), "{path}");
            assert_eq!(file_name(path.as_bytes()), name.map(str::as_bytes), "{path}");
        }
    }
}
