//! The short page that goes with an error. It holds nothing of the request, so there is nothing to inject.

use super::status::Status;

/// The type of the page.
pub const CONTENT_TYPE: &[u8] = b"text/html; charset=utf-8";

/// The fields that go with the page, each with its CRLF. Its policy allows the page nothing.
#[must_use]
pub const fn fields() -> &'static [u8] {
    b"Content-Type: text/html; charset=utf-8\r\n\
      X-Content-Type-Options: nosniff\r\n\
      Content-Security-Policy: default-src 'none'\r\n"
}

/// The page of `status`, its code and reason as title and heading.
#[must_use]
pub fn page(status: Status) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(b"<!DOCTYPE html>\n<html lang=\"en\">\n<title>");
    status.push_text(&mut out);
    out.extend_from_slice(b"</title>\n<h1>");
    status.push_text(&mut out);
    out.extend_from_slice(b"</h1>\n</html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_code_and_reason() {
        assert_eq!(
            String::from_utf8(page(Status::NOT_FOUND)).unwrap(),
            "<!DOCTYPE html>\n<html lang=\"en\">\n<title>404 Not Found</title>\n<h1>404 Not Found</h1>\n</html>\n"
        );
        let longest = page(Status::FIELDS_TOO_LARGE);
        assert!(longest.len() <= 192 && longest.capacity() == 192);
    }

    #[test]
    fn fields_are_whole_lines() {
        let fields = String::from_utf8(fields().to_vec()).unwrap();
        assert!(fields.ends_with("\r\n"));
        assert_eq!(fields.split("\r\n").filter(|line| line.contains(": ")).count(), 3);
        assert!(
            fields.contains(&["Content-Type: ", std::str::from_utf8(CONTENT_TYPE).unwrap(), "\r\n"].concat())
        );
    }
}
