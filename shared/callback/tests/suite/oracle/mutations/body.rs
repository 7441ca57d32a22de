//! Changes of the body: each one makes it another.

use super::Effect::{Depends, Harmless, Spoils};
use super::{Draft, Mutation, cut, flip_bit, insert};

pub(super) const ALL: &[&Mutation] = &[
    &Mutation { name: "nothing", effect: Harmless, apply: |_| {} },
    // Nothing can be flipped in, or cut off, an empty body.
    &Mutation {
        name: "a bit of the body",
        effect: Depends,
        apply: |draft| flip_bit(&mut draft.request.body, draft.dice),
    },
    &Mutation { name: "the body cut", effect: Depends, apply: |draft| cut(&mut draft.request.body, draft.dice) },
    &Mutation { name: "a byte more in the body", effect: Spoils, apply: one_more },
    &Mutation {
        name: "a line end after the body",
        effect: Spoils,
        apply: |draft| draft.request.body.extend_from_slice(b"\r\n"),
    },
    &Mutation {
        name: "a byte order mark before the body",
        effect: Spoils,
        apply: |draft| drop(draft.request.body.splice(..0, *b"\xef\xbb\xbf")),
    },
    &Mutation { name: "the body of another request", effect: Depends, apply: other },
    &Mutation {
        name: "a body above the limit",
        effect: Spoils,
        apply: |draft| draft.request.body.resize(callback::MAX_BODY_BYTES + 1, b' '),
    },
];

fn one_more(draft: &mut Draft<'_>) {
    let byte = draft.dice.byte();
    insert(&mut draft.request.body, byte, draft.dice);
}

fn other(draft: &mut Draft<'_>) {
    draft.request.body.clone_from(&draft.receivers.other(draft.dice).request.body);
}
