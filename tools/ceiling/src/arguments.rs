//! What the command line says.

/// What `--help`, or a mistake, shows.
pub const USAGE: &str =
    "usage: ceiling [--port N] [--body BYTES[K|M]] [--file PATH [--split]] [--close] [--accepts N]
  --port N      port on 127.0.0.1; 0, the default, takes a free one
  --body BYTES  length of the constant body, 1K unless said
  --file PATH   send this file by sendfile instead, at most 256K a turn
  --split       let the head leave by itself, not gathered with the file (MSG_MORE)
  --close       one reply a connection, then close it
  --accepts N   connections accepted in one turn, 1 unless said: more measured 11 to 17 % dearer";

/// The settings of a run.
pub struct Arguments {
    /// 0 takes a free one.
    pub port: u16,
    /// Bytes of the constant body.
    pub body: usize,
    /// A file to send in place of it.
    pub file: Option<String>,
    /// The head is not gathered with the file.
    pub split: bool,
    /// Close after the first reply.
    pub close: bool,
    /// Accepts in one turn.
    pub accepts: u32,
}

impl Arguments {
    /// Reads the words after the program's name; an error is a sentence for the user.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments =
            Arguments { port: 0, body: 1024, file: None, split: false, close: false, accepts: 1 };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--port" => {
                    arguments.port = value()?.parse().map_err(|_| "--port wants a number up to 65535")?
                }
                "--body" => {
                    arguments.body =
                        size(&value()?).ok_or("--body wants bytes, such as 512 or 1K, up to 64M")?
                }
                "--file" => arguments.file = Some(value()?),
                "--split" => arguments.split = true,
                "--close" => arguments.close = true,
                "--accepts" => {
                    arguments.accepts = value()?.parse().map_err(|_| "--accepts wants a number")?;
                    if arguments.accepts == 0 {
                        return Err("--accepts wants at least 1".to_owned());
                    }
                }
                other => return Err(format!("{other} is not known")),
            }
        }
        Ok(arguments)
    }
}

/// Bytes, with K and M as powers of 1024; at most 64M.
fn size(text: &str) -> Option<usize> {
    let (digits, unit) = match text.strip_suffix('K') {
        Some(digits) => (digits, 1024),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1024 * 1024)),
    };
    let bytes = digits.parse::<usize>().ok()?.checked_mul(unit)?;
    (bytes <= 64 * 1024 * 1024).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("1K", Some(1024)),
            ("2M", Some(2 << 20)),
            ("65M", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
