//! JSON that is taken apart though not all of it can be read.
//!
//! One byte that is no UTF-8, a bare control character or an escape that JSON doesn't have makes a parser refuse everything around it. In
//! a copy of the same length such bytes stand for nothing, so that the list can be split; each part is then read as it came.
//! What is broken outside texts, a bracket that is missing for one, is left to the parser to refuse.

use std::{borrow::Cow, iter};

use serde::Deserialize;
use serde_json::value::RawValue;

/// JSON, and a copy in which only its structure can fail.
pub(super) struct Tamed<'a> {
    came: &'a [u8],
    /// As long as what came.
    text: Cow<'a, [u8]>,
}

impl<'a> Tamed<'a> {
    pub(super) fn new(json: &'a [u8]) -> Self {
        let is_sound = serde_json::from_slice::<&RawValue>(json).is_ok();
        Self { came: json, text: if is_sound { Cow::Borrowed(json) } else { Cow::Owned(tamed(json)) } }
    }

    /// Takes it apart.
    pub(super) fn split<'t, T: Deserialize<'t>>(&'t self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.text)
    }

    /// The bytes that a part of it came as.
    pub(super) fn as_it_came<'t>(&'t self, part: &'t RawValue) -> &'t [u8] {
        let part = part.get().as_bytes();
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        self.came.get(start..start.saturating_add(part.len())).unwrap_or(part)
    }
}

fn tamed(json: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len());
    for chunk in json.utf8_chunks() {
        // Between texts a space is as good as any other control character, and in them none is allowed.
        text.extend(chunk.valid().bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
        text.extend(iter::repeat_n(b'?', chunk.invalid().len()));
    }
    // Of escapes only these two tell where a text ends.
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        if matches!(text.get(at + 1), Some(b'"' | b'\\')) {
            at += 2;
        } else {
            text[at] = b'?';
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_a_text_its_list_can_be_split_and_each_part_is_as_it_came() {
        let texts: [&[u8]; 11] = [
            b"plain \xc3\xa9",
            b"\xff",
            b"\xe2\x82",
            b"\xc3",
            b"\x00",
            b"\n\t\x7f",
            br"\x \ud800 \u12",
            br#"\\\" ], {"#,
            b"\\\\",
            b"\\\xff",
            b"\xff\\\\\\\"",
        ];
        for text in texts {
            let spoilt = [b"{\"a\":\"", text, b"\"}"].concat();
            let json = [b"\r\n[ {\"id\":\"before\"} ,\t", spoilt.as_slice(), b",7]"].concat();
            let tamed = Tamed::new(&json);
            let parts: Vec<&RawValue> = tamed.split().unwrap();
            let came: Vec<&[u8]> = parts.into_iter().map(|part| tamed.as_it_came(part)).collect();
            assert_eq!(came, [br#"{"id":"before"}"#.as_slice(), spoilt.as_slice(), b"7"]);
        }
    }

    #[test]
    fn what_is_broken_outside_texts_is_refused() {
        for json in [b"[1,2".as_slice(), b"[1\xff]", br"[1\]", b"[\"\xff]", b"<html>\xff", b"[1] 2", b""] {
            assert!(Tamed::new(json).split::<Vec<&RawValue>>().is_err(), "{}", json.escape_ascii());
        }
    }
}
