//! As much DER as it takes to write what rcgen does not.

/// An element of this tag.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let header = match (content.len(), u8::try_from(significant.len())) {
        (0..0x80, _) => vec![tag, significant.first().copied().unwrap_or_default()],
        (_, Ok(count)) => [&[tag, 0x80 | count], significant].concat(),
        (_, Err(_)) => unreachable!("a length has at most eight bytes"),
    };
    [header, content.to_vec()].concat()
}

/// A sequence of these elements.
pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &elements.concat())
}

/// The elements inside an element that is well formed.
pub(crate) fn inside(outer: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &outer[header_length(outer)..];
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (element, after) = rest.split_at(header_length(rest) + content_length(rest));
        elements.push(element.to_vec());
        rest = after;
    }
    elements
}

fn header_length(element: &[u8]) -> usize {
    if element[1] < 0x80 { 2 } else { 2 + usize::from(element[1] & 0x7f) }
}

fn content_length(element: &[u8]) -> usize {
    if element[1] < 0x80 {
        return element[1].into();
    }
    element[2..header_length(element)].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
}

const SEQUENCE: u8 = 0x30;
