//! Strings as Go's JSON encoder writes them.

use alloc::format;
use alloc::string::String;

/// Appends `text` in quotes. Beside what JSON demands, `<`, `>` and `&` are escaped, and the two
/// line separators of Unicode; of the control characters only tab, line feed and carriage return
/// have a short form.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
