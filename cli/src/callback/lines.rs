//! Lines of a bounded length: what comes in may be anything.

use std::io::{self, BufRead};

/// The longest line that is read. A callback of the largest body with a long chain has a tenth of this.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// A line, without its end.
pub(crate) enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than [`MAX_LINE_BYTES`], and was read past.
    TooLong,
}

/// Hands each line to `take`, until there are no more or it fails.
pub(crate) fn each(input: &mut impl BufRead, mut take: impl FnMut(Line<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let (mut too_long, mut some) = (false, false);
        loop {
            let part = match input.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = part.iter().position(|byte| *byte == b'\n');
            let text = &part[..end.unwrap_or(part.len())];
            some |= !part.is_empty();
            too_long |= line.len() + text.len() > MAX_LINE_BYTES;
            if !too_long {
                line.extend_from_slice(text);
            }
            let (used, over) = (text.len() + usize::from(end.is_some()), end.is_some() || part.is_empty());
            input.consume(used);
            if over {
                break;
            }
        }
        if !some {
            return Ok(());
        }
        take(if too_long { Line::TooLong } else { Line::Whole(&line) })?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(text: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut read = Vec::new();
        // A small buffer, so that lines come in parts.
        let mut input = BufReader::with_capacity(3, text);
        each(&mut input, |line| {
            read.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
            Ok(())
        })
        .unwrap();
        read
    }

    #[test]
    fn lines_are_told_apart_and_the_last_one_needs_no_end() {
        let whole = |lines: &[&str]| lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect::<Vec<_>>();
        assert_eq!(read(b""), whole(&[]));
        assert_eq!(read(b"a"), whole(&["a"]));
        assert_eq!(read(b"a\n"), whole(&["a"]));
        assert_eq!(read(b"one\n\nlonger line\r\nlast"), whole(&["one", "", "longer line\r", "last"]));
    }

    #[test]
    fn a_line_that_is_too_long_is_read_past_and_the_next_one_is_whole() {
        let longest = vec![b'x'; MAX_LINE_BYTES];
        let text = [longest.as_slice(), b"\nx", &longest, b"\nnext\n"].concat();
        assert_eq!(read(&text), [Some(longest.clone()), None, Some(b"next".to_vec())]);
    }
}
