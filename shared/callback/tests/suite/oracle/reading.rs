//! The rules of `callback` read once more, from its documents and not from its code: lines into a table, texts taken apart
//! at their separators, and ring for the signature.

use std::collections::BTreeMap;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::request::Request;

const DECIDING: [&str; 5] =
    ["authorization", "content-encoding", "x-ms-certificate-url", "x-ms-signature", "x-ms-signature-algorithm"];

/// Whether a request has to be accepted under a key.
pub(super) fn accepts(request: &Request, public_key: &[u8]) -> bool {
    request.body.len() <= 262_144 && proof(request, public_key).is_some()
}

fn proof(request: &Request, public_key: &[u8]) -> Option<()> {
    let table = table(request)?;
    let lower = |name: &str| table.get(name).map(|text| text.to_ascii_lowercase());
    let unencoded = lower("content-encoding").is_none_or(|coding| coding == "identity");
    let algorithm = lower("x-ms-signature-algorithm")?;
    let address = table.get("x-ms-certificate-url")?;
    if !unencoded || algorithm != "rsa-sha256" || !is_at_microsofts(address) {
        return None;
    }
    let signature = bytes_of_base64(signature_text(&table)?)?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key).verify(&request.body, &signature).ok()
}

/// The deciding headers by name; none if one has several values. A byte becomes the character of its number.
fn table(request: &Request) -> Option<BTreeMap<String, String>> {
    let mut table = BTreeMap::new();
    for (name, value) in &request.lines {
        let name = name.to_lowercase();
        if DECIDING.contains(&name.as_str()) {
            let text: String = value.iter().copied().map(char::from).collect();
            if text.contains(',') || table.insert(name, text).is_some() {
                return None;
            }
        }
    }
    Some(table)
}

/// Both headers may hold the signature if they hold the same one.
fn signature_text(table: &BTreeMap<String, String>) -> Option<&str> {
    let named = |text: &String| text.split_once(' ').is_some_and(|(scheme, _)| scheme.to_lowercase() == "signature");
    let authorization = table.get("authorization").filter(|text| named(text)).map(|text| &text["signature ".len()..]);
    let ms = table.get("x-ms-signature").map(|text| if named(text) { &text["signature ".len()..] } else { text });
    let mut texts: Vec<&str> = authorization.into_iter().chain(ms).collect();
    texts.dedup();
    let [text] = texts[..] else { return None };
    Some(text)
}

/// `https://` host `/cert/` name `.cer`.
fn is_at_microsofts(address: &str) -> bool {
    let pieces: Vec<&str> = address.split('/').collect();
    let ["https:", "", "3psostorageacct.blob.core.windows.net", "cert", file] = pieces[..] else { return false };
    let words: Vec<&str> = file.split('.').collect();
    let plain =
        |word: &&str| !word.is_empty() && word.chars().all(|letter| letter == '-' || letter.is_ascii_alphanumeric());
    words.len() > 1 && words.last() == Some(&"cer") && words.iter().all(plain) && file.len() <= 104
}

/// By arithmetic: six bits a digit, and nothing left over but zeros.
fn bytes_of_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if padding != (4 - digits.len() % 4) % 4 || padding > 2 {
        return None;
    }
    let (mut bytes, mut pending, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for digit in digits.bytes() {
        pending = pending << 6 | u32::from(six_bits(digit)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(pending >> bits).ok()?);
            pending &= (1 << bits) - 1;
        }
    }
    (pending == 0).then_some(bytes)
}

fn six_bits(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
