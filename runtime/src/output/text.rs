//! JSON text: what must be escaped, and how.

/// Which bytes cannot stand in a JSON text as they are.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Appends `text` as a JSON text, quotes included.
#[inline]
pub(crate) fn quoted(buffer: &mut Vec<u8>, text: &str) {
    buffer.push(b'"');
    match text.bytes().position(must_escape) {
        None => buffer.extend_from_slice(text.as_bytes()),
        Some(first) => escaped(buffer, text.as_bytes(), first),
    }
    buffer.push(b'"');
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
fn must_escape(byte: u8) -> bool {
    ESCAPED[usize::from(byte)]
}

/// The slow way: from the first byte that must be escaped on.
#[cold]
fn escaped(buffer: &mut Vec<u8>, text: &[u8], first: usize) {
    let (plain, rest) = text.split_at(first);
    buffer.extend_from_slice(plain);
    for &byte in rest {
        match byte {
            b'"' => buffer.extend_from_slice(b"\\\""),
            b'\\' => buffer.extend_from_slice(b"\\\\"),
            b'\n' => buffer.extend_from_slice(b"\\n"),
            b'\r' => buffer.extend_from_slice(b"\\r"),
            b'\t' => buffer.extend_from_slice(b"\\t"),
            0x08 => buffer.extend_from_slice(b"\\b"),
            0x0c => buffer.extend_from_slice(b"\\f"),
            0..0x20 => {
                buffer.extend_from_slice(b"\\u00");
                buffer.push(if byte >= 0x10 { b'1' } else { b'0' });
                let low = byte & 0xf;
                buffer.push(if low < 10 { b'0' + low } else { b'a' + low - 10 });
            }
            _ => buffer.push(byte),
        }
    }
}
