//! The forms in which a certificate may be published.
//!
//! It is not documented which one Microsoft uses, and its samples read different ones: DER, PEM with exactly one block,
//! or the base64 of the DER, on one line or wrapped. Line ends may be LF or CRLF. Nothing may stand around them but a PEM
//! file's last line end: whatever else is in the file was meant for a reader who understands it otherwise.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The DER inside, if it is in one of the forms. What the DER says, or whether it is DER at all, is not looked at.
pub(crate) fn der(unverified: &[u8]) -> Option<Cow<'_, [u8]>> {
    match unverified.first()? {
        // Base64 can start with this digit too, but that of a certificate starts with "M".
        &SEQUENCE => Some(Cow::Borrowed(unverified)),
        b'-' => wrapped_base64(pem_block(unverified)?),
        _ => wrapped_base64(unverified),
    }
}

fn pem_block(unverified: &[u8]) -> Option<&[u8]> {
    let block = unverified.trim_ascii_end().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let on_lines_of_their_own = matches!(block, [b'\r' | b'\n', .., b'\r' | b'\n']);
    on_lines_of_their_own.then_some(block)
}

fn wrapped_base64(text: &[u8]) -> Option<Cow<'static, [u8]>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    STANDARD.decode(digits).ok().map(Cow::Owned)
}

const SEQUENCE: u8 = 0x30;
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
