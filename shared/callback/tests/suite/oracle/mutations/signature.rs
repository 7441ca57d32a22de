//! Changes of the signature, as a number and as text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::Effect::{Depends, Harmless, Spoils};
use super::{Draft, Mutation, cut, flip_bit, insert};

pub(super) const ALL: &[&Mutation] = &[
    &Mutation {
        name: "a bit of the signature",
        effect: Spoils,
        apply: |draft| number(draft, |draft, bytes| flip_bit(bytes, draft.dice)),
    },
    &Mutation {
        name: "the signature cut",
        effect: Spoils,
        apply: |draft| number(draft, |draft, bytes| cut(bytes, draft.dice)),
    },
    &Mutation {
        name: "a zero before the signature",
        effect: Spoils,
        apply: |draft| number(draft, |_, bytes| bytes.insert(0, 0)),
    },
    &Mutation {
        name: "a zero after the signature",
        effect: Spoils,
        apply: |draft| number(draft, |_, bytes| bytes.push(0)),
    },
    &Mutation {
        name: "the signature moved by a byte",
        effect: Spoils,
        apply: |draft| number(draft, |_, bytes| bytes.rotate_left(1)),
    },
    &Mutation { name: "the signature plus the modulus", effect: Spoils, apply: plus_modulus },
    &Mutation { name: "the modulus less the signature", effect: Spoils, apply: modulus_less },
    &Mutation { name: "zero for a signature", effect: Spoils, apply: |draft| number(draft, |_, bytes| bytes.fill(0)) },
    &Mutation { name: "the signature of another request", effect: Depends, apply: other },
    &Mutation { name: "the signature written anew", effect: Harmless, apply: |draft| number(draft, |_, _| {}) },
    &Mutation {
        name: "a bit of the signature's header",
        effect: Depends,
        apply: |draft| draft.change_signature_value(|value, dice| flip_bit(value, dice)),
    },
    &Mutation {
        name: "a byte more in the signature's header",
        effect: Spoils,
        apply: |draft| {
            draft.change_signature_value(|value, dice| {
                insert(value, *dice.one_of(b" \t=A+/-_\n\x80"), dice);
            });
        },
    },
    &Mutation { name: "the signature's header cut", effect: Spoils, apply: |draft| draft.change_signature_value(cut) },
    &Mutation { name: "the signature without padding", effect: Depends, apply: without_padding },
    &Mutation {
        name: "the signature with more padding",
        effect: Spoils,
        apply: |draft| draft.change_signature_value(|value, _| value.extend_from_slice(b"====")),
    },
    &Mutation { name: "the signature in the alphabet of addresses", effect: Spoils, apply: url_safe },
    &Mutation { name: "bits behind the signature's last", effect: Depends, apply: bits_behind },
];

/// Changes the signature as a number, and writes it in the header that had it.
fn number(draft: &mut Draft<'_>, change: impl FnOnce(&mut Draft<'_>, &mut Vec<u8>)) {
    let mut signature = draft.genuine.signature.clone();
    change(draft, &mut signature);
    write(draft, &STANDARD.encode(signature));
}

/// Leaves the scheme, where there is one.
fn write(draft: &mut Draft<'_>, text: &str) {
    draft.change_signature_value(|value, _| {
        let scheme = value.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
        value.truncate(scheme);
        value.extend_from_slice(text.as_bytes());
    });
}

fn plus_modulus(draft: &mut Draft<'_>) {
    number(draft, |draft, signature| {
        let mut carry = 0;
        for (digit, other) in signature.iter_mut().zip(&draft.receiver.modulus).rev() {
            let sum = u16::from(*digit) + u16::from(*other) + carry;
            [_, *digit] = sum.to_be_bytes();
            carry = sum >> 8;
        }
        if carry == 1 {
            signature.insert(0, 1);
        }
    });
}

fn modulus_less(draft: &mut Draft<'_>) {
    number(draft, |draft, signature| {
        let mut borrowed = 0;
        for (digit, other) in signature.iter_mut().zip(&draft.receiver.modulus).rev() {
            let difference = 256 + u16::from(*other) - u16::from(*digit) - borrowed;
            [_, *digit] = difference.to_be_bytes();
            borrowed = u16::from(difference < 256);
        }
    });
}

fn other(draft: &mut Draft<'_>) {
    let text = STANDARD.encode(&draft.receivers.other(draft.dice).signature);
    write(draft, &text);
}

/// The signature of a key of 3072 bits has no padding.
fn without_padding(draft: &mut Draft<'_>) {
    let text = STANDARD_NO_PAD.encode(&draft.genuine.signature);
    write(draft, &text);
}

fn url_safe(draft: &mut Draft<'_>) {
    let text = URL_SAFE.encode(&draft.genuine.signature);
    write(draft, &text);
}

/// The last digit before the padding carries bits of nothing, which have to be zero.
fn bits_behind(draft: &mut Draft<'_>) {
    draft.change_signature_value(|value, _| {
        let last = value.iter().rposition(|byte| *byte != b'=').unwrap_or(0);
        if value.ends_with(b"=") {
            value[last] = value[last].wrapping_add(1);
        }
    });
}
