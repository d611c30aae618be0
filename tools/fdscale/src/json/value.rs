//! A strict reader of JSON (RFC 8259): text to a tree whose every node knows where it began.
//!
//! Strict: no comments, no trailing commas, no name twice in an object, nothing after the value. Numbers are kept as
//! written, since a limit of 2^64 - 1 does not survive a detour through a float.

/// Objects and lists inside of one another; a record needs five.
const DEPTH: u32 = 16;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Offset of its first byte in the text.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Truth(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, without its escapes.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object; no name is there twice.
    Object(Vec<Member>),
}

/// A name and its value in an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Offset of the name's opening quote.
    pub at: usize,
    /// The name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Offset of the byte that is wrong.
    pub at: usize,
    /// What is wrong, as a sentence goes on after a place.
    pub what: String,
}

impl Fault {
    /// A fault at a byte.
    pub fn new(at: usize, what: impl Into<String>) -> Fault {
        Fault { at, what: what.into() }
    }
}

impl Kind {
    /// What it is called in an error.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Truth(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }
}

/// Reads one value that is the whole text.
///
/// # Errors
/// The first byte that is not as JSON wants it.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(0, "a byte order mark, which JSON does not have"));
    }
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(found) => Err(reader.fault(format!("{} after the end of the value", shown(found)))),
    }
}

/// A character as an error shows it.
fn shown(character: char) -> String {
    if character.is_control() { format!("U+{:04X}", u32::from(character)) } else { format!("'{character}'") }
}

struct Reader<'a> {
    text: &'a str,
    /// Always at the border of a character.
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek()?;
        self.at += found.len_utf8();
        Some(found)
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.at, what)
    }

    /// What was found where something else was wanted.
    fn instead(&self, wanted: &str) -> Fault {
        match self.peek() {
            None => self.fault(format!("the text ends where {wanted} should be")),
            Some(found) => self.fault(format!("{} where {wanted} should be", shown(found))),
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn value(&mut self, depth: u32) -> Result<Value, Fault> {
        let at = self.at;
        if depth > DEPTH {
            return Err(self.fault("lists and objects are too deep in one another"));
        }
        let kind = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Kind::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Value { at, kind })
    }

    fn word(&mut self) -> Result<Kind, Fault> {
        let words = [("null", Kind::Null), ("true", Kind::Truth(true)), ("false", Kind::Truth(false))];
        for (word, kind) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.instead("a value"))
    }

    fn object(&mut self, depth: u32) -> Result<Kind, Fault> {
        self.next();
        let mut members: Vec<Member> = Vec::new();
        self.space();
        if self.takes('}') {
            return Ok(Kind::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some('"') {
                return Err(self.instead("a name in quotes"));
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(Fault::new(at, format!("\"{name}\" is there twice")));
            }
            self.space();
            if !self.takes(':') {
                return Err(self.instead("':'"));
            }
            self.space();
            let value = self.value(depth + 1)?;
            members.push(Member { at, name, value });
            self.space();
            if self.takes('}') {
                return Ok(Kind::Object(members));
            }
            if !self.takes(',') {
                return Err(self.instead("',' or '}'"));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Kind, Fault> {
        self.next();
        let mut values = Vec::new();
        self.space();
        if self.takes(']') {
            return Ok(Kind::List(values));
        }
        loop {
            self.space();
            values.push(self.value(depth + 1)?);
            self.space();
            if self.takes(']') {
                return Ok(Kind::List(values));
            }
            if !self.takes(',') {
                return Err(self.instead("',' or ']'"));
            }
        }
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let from = self.at;
        self.takes('-');
        if self.takes('0') {
            if matches!(self.peek(), Some('0'..='9')) {
                return Err(self.fault("a digit after a leading 0"));
            }
        } else {
            self.digits()?;
        }
        if self.takes('.') {
            self.digits()?;
        }
        if self.takes('e') || self.takes('E') {
            if !self.takes('+') {
                self.takes('-');
            }
            self.digits()?;
        }
        Ok(Kind::Number(self.text.get(from..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.instead("a digit"));
        }
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Fault> {
        let opening = self.at;
        self.next();
        let mut string = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(Fault::new(opening, "the string that begins here has no end")),
                Some('"') => return Ok(string),
                Some('\\') => string.push(self.escape(at)?),
                Some(found) if found < ' ' => {
                    return Err(Fault::new(at, format!("{} in a string; it must be escaped", shown(found))));
                }
                Some(found) => string.push(found),
            }
        }
    }

    /// What stands after a backslash, which is at `at`.
    fn escape(&mut self, at: usize) -> Result<char, Fault> {
        Ok(match self.next() {
            Some(found @ ('"' | '\\' | '/')) => found,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let half = || Fault::new(at, "half of a surrogate pair");
                let mut code = self.hexadecimal(at)?;
                if (0xd800..0xdc00).contains(&code) {
                    if !(self.takes('\\') && self.takes('u')) {
                        return Err(half());
                    }
                    let low = self.hexadecimal(at)?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(half());
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                char::from_u32(code).ok_or_else(half)?
            }
            _ => return Err(Fault::new(at, "an escape that JSON does not know")),
        })
    }

    /// Four hexadecimal digits.
    fn hexadecimal(&mut self, at: usize) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|found| found.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| Fault::new(at, "\\u wants four hexadecimal digits"))?;
        }
        Ok(code)
    }
}
