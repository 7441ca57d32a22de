//! Certificates that are meant to keep us busy.

use crate::Microsoft;

/// What may lie at a certificate's address, and what it is called.
#[must_use]
pub fn hostile_certificates(microsoft: &Microsoft) -> Vec<(&'static str, Vec<u8>)> {
    let names = |count| microsoft.certificate_for((0..count).map(|number| format!("n{number}.microsoft.com")));
    let nested = |repeated: &[u8]| repeated.repeat((64 << 10) / repeated.len());
    vec![
        ("with the right name", microsoft.certificate.clone()),
        ("of 1 MB", vec![b'A'; 1 << 20]),
        ("with 10,000 names", names(10_000)),
        ("with as many names as 64 kB hold", names(2_600)),
        ("of 64 kB of base64", vec![b'A'; 64 << 10]),
        ("of 64 kB of nested ASN.1", nested(&[0x30, 0x82, 0xff, 0xff])),
        ("of 64 kB of nested ASN.1 without lengths", nested(&[0x30, 0x80])),
        ("of 64 kB of nested ASN.1 that fits", fitting(64 << 10)),
    ]
}

/// Sequences within each other, each of the length of what is in it.
fn fitting(most: usize) -> Vec<u8> {
    let mut nested = Vec::new();
    // Built from the innermost out, so backwards.
    while nested.len() + 5 <= most {
        let length = u16::try_from(nested.len()).unwrap();
        match length.to_be_bytes() {
            [0, short @ 0..0x80] => nested.push(short),
            [0, byte] => nested.extend([byte, 0x81]),
            [high, low] => nested.extend([low, high, 0x82]),
        }
        nested.push(0x30);
    }
    nested.reverse();
    nested
}
