//! Changes of the header lines.

use super::Effect::{Depends, Harmless, Spoils};
use super::{Draft, Mutation, cut, flip_bit, insert};
use crate::support::URL;

pub(super) const ALL: &[&Mutation] = &[
    &Mutation { name: "names in another case", effect: Harmless, apply: names_in_another_case },
    &Mutation { name: "lines in another order", effect: Harmless, apply: turned },
    &Mutation {
        name: "a line that says nothing",
        effect: Harmless,
        apply: |draft| draft.request.push("X-Request-Id", "1, 2"),
    },
    &Mutation { name: "the signature in the other header", effect: Harmless, apply: in_the_other_header },
    &Mutation { name: "the signature in both headers", effect: Harmless, apply: in_both_headers },
    &Mutation { name: "another scheme beside the signature", effect: Harmless, apply: another_scheme_beside },
    &Mutation { name: "two other schemes beside the signature", effect: Spoils, apply: two_other_schemes_beside },
    &Mutation { name: "the scheme in another case", effect: Harmless, apply: scheme_in_another_case },
    &Mutation { name: "another scheme", effect: Depends, apply: another_scheme },
    &Mutation { name: "different signatures in both headers", effect: Spoils, apply: different_signatures },
    &Mutation {
        name: "the algorithm in another case",
        effect: Harmless,
        apply: |draft| draft.change(ALGORITHM, |value, _| value.make_ascii_uppercase()),
    },
    &Mutation { name: "another algorithm", effect: Spoils, apply: another_algorithm },
    &Mutation {
        name: "a bit of the algorithm",
        effect: Depends,
        apply: |draft| draft.change(ALGORITHM, |value, dice| flip_bit(value, dice)),
    },
    &Mutation { name: "another file's address", effect: Harmless, apply: another_file },
    &Mutation { name: "an address elsewhere", effect: Spoils, apply: elsewhere },
    &Mutation {
        name: "a bit of the address",
        effect: Depends,
        apply: |draft| draft.change(ADDRESS, |value, dice| flip_bit(value, dice)),
    },
    &Mutation {
        name: "a byte more in the address",
        effect: Depends,
        apply: |draft| draft.change(ADDRESS, |value, dice| insert(value, *dice.one_of(b"./-%@?#\\: \ta\xe3"), dice)),
    },
    &Mutation { name: "the address cut", effect: Spoils, apply: |draft| draft.change(ADDRESS, cut) },
    &Mutation {
        name: "a body that says it is not encoded",
        effect: Harmless,
        apply: |draft| coding(draft, "identity"),
    },
    &Mutation { name: "an encoded body", effect: Spoils, apply: |draft| coding(draft, "gzip") },
    &Mutation { name: "a header missing", effect: Spoils, apply: missing },
    &Mutation { name: "a header twice", effect: Spoils, apply: twice },
    &Mutation { name: "a header with two values", effect: Spoils, apply: two_values },
    &Mutation { name: "a header under another name", effect: Spoils, apply: another_name },
];

const ALGORITHM: &str = "x-ms-signature-algorithm";
const ADDRESS: &str = "x-ms-certificate-url";
const DECIDING: [&str; 4] = ["authorization", "x-ms-signature", ALGORITHM, ADDRESS];

fn names_in_another_case(draft: &mut Draft<'_>) {
    for (name, _) in &mut draft.request.lines {
        if draft.dice.one_in(2) {
            name.make_ascii_uppercase();
        } else {
            name.make_ascii_lowercase();
        }
    }
}

fn turned(draft: &mut Draft<'_>) {
    let lines = &mut draft.request.lines;
    if !lines.is_empty() {
        let places = draft.dice.below(lines.len());
        lines.rotate_left(places);
    }
}

fn bare_signature(draft: &mut Draft<'_>) -> String {
    let request = &mut draft.request;
    let value = request.value("authorization").cloned().or_else(|| request.value("x-ms-signature").cloned());
    let value = value.unwrap_or_default();
    let text = String::from_utf8_lossy(&value).into_owned();
    text.split_once(' ').map_or(text.clone(), |(_, after)| after.to_owned())
}

fn in_the_other_header(draft: &mut Draft<'_>) {
    let text = bare_signature(draft);
    let (name, value) = match draft.request.remove("authorization") {
        Some(_) if draft.dice.one_in(2) => ("x-ms-signature", text),
        Some(_) => ("x-ms-signature", format!("Signature {text}")),
        None => ("authorization", format!("Signature {text}")),
    };
    draft.request.remove("x-ms-signature");
    draft.request.lines.push((name.to_owned(), latin1(&value)));
}

fn in_both_headers(draft: &mut Draft<'_>) {
    let text = bare_signature(draft);
    draft.request.remove("authorization");
    draft.request.remove("x-ms-signature");
    draft.request.push("authorization", latin1(&format!("signature {text}")));
    draft.request.push("x-ms-signature", latin1(&text));
}

/// Only headers of one byte a character can be sent.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect()
}

fn another_scheme_beside(draft: &mut Draft<'_>) {
    let scheme = *draft.dice.one_of(&["Bearer token", "Signature", "Basic dTpw", ""]);
    beside_signature(draft, scheme);
}

fn two_other_schemes_beside(draft: &mut Draft<'_>) {
    let schemes = *draft.dice.one_of(&["Bearer one, Bearer two", "Digest a=b,c=d", ","]);
    beside_signature(draft, schemes);
}

fn beside_signature(draft: &mut Draft<'_>, authorization: &str) {
    let text = bare_signature(draft);
    draft.request.remove("authorization");
    draft.request.remove("x-ms-signature");
    draft.request.push("authorization", authorization);
    draft.request.push("x-ms-signature", latin1(&text));
}

fn scheme_in_another_case(draft: &mut Draft<'_>) {
    draft.change("authorization", |value, dice| {
        for letter in value.iter_mut().take("Signature".len()) {
            if dice.one_in(2) {
                *letter ^= 0x20;
            }
        }
    });
}

/// Where the signature stands in the other header, `Authorization` has nothing to say.
fn another_scheme(draft: &mut Draft<'_>) {
    let scheme =
        *draft.dice.one_of(&["Bearer ", "Signature  ", "Signature\t", "Signature", " Signature ", "Signature="]);
    draft.change("authorization", |value, _| {
        value.splice(..value.len().min("Signature ".len()), scheme.bytes());
    });
}

fn different_signatures(draft: &mut Draft<'_>) {
    let text = bare_signature(draft);
    let other = *draft.dice.one_of(&["", "A", "Signature "]);
    draft.request.remove("authorization");
    draft.request.remove("x-ms-signature");
    draft.request.push("authorization", latin1(&format!("Signature {text}")));
    draft.request.push("x-ms-signature", other);
}

fn another_algorithm(draft: &mut Draft<'_>) {
    let algorithms = ["rsa-sha1", "rsa-sha384", "none", "hmac-sha256", "", "rsa-sha256 ", " rsa-sha256", "rsa_sha256"];
    let algorithm = *draft.dice.one_of(&algorithms);
    draft.change(ALGORITHM, |value, _| *value = algorithm.into());
}

fn another_file(draft: &mut Draft<'_>) {
    let file = *draft.dice.one_of(&["a", "pcnotifications.microsoft.com", "A-1.b", "a.cer", "-"]);
    draft.change(ADDRESS, |value, _| {
        value.truncate("https://3psostorageacct.blob.core.windows.net/cert/".len());
        value.extend_from_slice(format!("{file}.cer").as_bytes());
    });
}

fn elsewhere(draft: &mut Draft<'_>) {
    let (from, to) = *draft.dice.one_of(&[
        ("https", "http"),
        ("3psostorageacct", "evil"),
        (".net/", ".net.evil.example/"),
        (".net/", ".net:443/"),
        (".net/", "./"),
        ("//", "//x@"),
        ("/cert/", "/cert/../"),
        ("/cert/", "/public/"),
        ("/cert/", "/cert//"),
        (".cer", ".cer?a=.cer"),
        (".cer", ".cer#.cer"),
        (".cer", ".pem"),
        ("blob", "BLOB"),
        ("https://", ""),
    ]);
    draft.change(ADDRESS, |value, _| *value = URL.replacen(from, to, 1).into_bytes());
}

fn coding(draft: &mut Draft<'_>, coding: &str) {
    draft.request.remove("content-encoding");
    draft.request.push("Content-Encoding", coding);
}

/// The place of one of the lines that decide.
fn deciding_line(draft: &mut Draft<'_>) -> Option<usize> {
    let lines = draft.request.lines.iter().enumerate();
    let places: Vec<usize> = lines
        .filter(|(_, (name, _))| DECIDING.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(place, _)| place)
        .collect();
    (!places.is_empty()).then(|| *draft.dice.one_of(&places))
}

fn missing(draft: &mut Draft<'_>) {
    if let Some(place) = deciding_line(draft) {
        draft.request.lines.remove(place);
    }
}

fn twice(draft: &mut Draft<'_>) {
    if let Some(place) = deciding_line(draft) {
        let line = draft.request.lines[place].clone();
        draft.request.lines.push(line);
    }
}

fn two_values(draft: &mut Draft<'_>) {
    if let Some(place) = deciding_line(draft) {
        let value = draft.request.lines[place].1.clone();
        draft.request.lines[place].1 = [value.as_slice(), b", ", &value].concat();
    }
}

fn another_name(draft: &mut Draft<'_>) {
    if let Some(place) = deciding_line(draft) {
        draft.request.lines[place].0.push('2');
    }
}
