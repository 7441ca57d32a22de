//! The block that an RSA signature is made of, written as its bytes: hexadecimal digits, `{ff}` for as many `ff` as there is room
//! for, `{sha256}` and the like for a hash of the message, `{sha256-info}` and the like for what PKCS#1 puts before it.
//!
//! The one block that may verify is `00 01 {ff} 00 {sha256-info} {sha256}`.

use ring::digest;

/// The bytes of the block, `length` of them.
pub(crate) fn read(written: &str, message: &[u8], length: usize) -> Vec<u8> {
    let parts: Vec<Option<Vec<u8>>> = written.split(' ').map(|word| part(word, message)).collect();
    let known: usize = parts.iter().flatten().map(Vec::len).sum();
    let padding = vec![0xff; length - known];
    parts.into_iter().flat_map(|part| part.unwrap_or_else(|| padding.clone())).collect()
}

/// What one word stands for; nothing for the padding.
fn part(word: &str, message: &[u8]) -> Option<Vec<u8>> {
    let hash = |algorithm| digest::digest(algorithm, message).as_ref().to_vec();
    Some(match word {
        "{ff}" => return None,
        "{sha256}" => hash(&digest::SHA256),
        "{sha1}" => hash(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        "{sha384}" => hash(&digest::SHA384),
        "{sha512}" => hash(&digest::SHA512),
        "{md5}" => md5::compute(message).to_vec(),
        "{sha256-info}" => bytes("3031300d060960864801650304020105000420"),
        "{sha256-info-without-null}" => bytes("302f300b0609608648016503040201 0420"),
        "{sha1-info}" => bytes("3021300906052b0e03021a05000414"),
        "{sha384-info}" => bytes("3041300d060960864801650304020205000430"),
        "{sha512-info}" => bytes("3051300d060960864801650304020305000440"),
        "{md5-info}" => bytes("3020300c06082a864886f70d020505000410"),
        digits => bytes(digits),
    })
}

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace(' ', "")).unwrap_or_else(|error| panic!("{digits}: {error}"))
}
