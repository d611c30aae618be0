//! Text in lines of a width, broken between words.

use alloc::string::String;

/// Appends the words of `text` after what the line holds already, and ends the line; each further line begins with `indent`
/// blanks. No line is longer than `width`, but for a word that is.
#[inline(never)]
pub fn wrap(text: &str, indent: usize, width: usize, out: &mut String) {
    let mut column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    for word in text.split(' ') {
        if column > indent && column + 1 + word.len() > width {
            out.push('\n');
            column = 0;
        } else if column > 0 && !out.ends_with(' ') {
            out.push(' ');
            column += 1;
        }
        while column < indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let mut out = "before\nhead".to_owned();
        wrap("word ".repeat(40).trim_end(), 6, 76, &mut out);
        for (place, line) in out.lines().skip(1).enumerate() {
            assert!(line.len() <= 76 && (place == 0 || line.starts_with("      word")), "{out}");
        }
        assert!(out.lines().nth(1).unwrap().len() > 68 && out.matches("word").count() == 40);
        let mut out = String::new();
        wrap(&["x".repeat(100), "y".to_owned()].join(" "), 2, 76, &mut out);
        assert_eq!(out, ["  ", &"x".repeat(100), "\n  y\n"].concat());
    }
}
