//! What happens to genuine requests on their way, and what it has to come to where that can be said.

mod body;
mod lines;
mod signature;

use super::dice::Dice;
use super::request::{Genuine, Receiver, Receivers, Request};

/// A way to change a request.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) apply: fn(&mut Draft<'_>),
}

/// What a single mutation of a genuine request comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// It says the same in another way.
    Harmless,
    /// It is no longer what was signed, or not how we take it.
    Spoils,
    /// That depends on the request and on the place.
    Depends,
}

/// A request in the making.
pub(super) struct Draft<'a> {
    pub(super) request: Request,
    pub(super) dice: &'a mut Dice,
    pub(super) receiver: &'a Receiver,
    pub(super) genuine: &'a Genuine,
    pub(super) receivers: &'a Receivers,
}

impl Draft<'_> {
    /// Changes the value that holds the signature.
    fn change_signature_value(&mut self, change: impl FnOnce(&mut Vec<u8>, &mut Dice)) {
        let name = if self.request.value("authorization").is_some() { "authorization" } else { "x-ms-signature" };
        self.change(name, change);
    }

    /// Changes a value, if an earlier mutation has left it there.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Vec<u8>, &mut Dice)) {
        if let Some(value) = self.request.value(name) {
            change(value, self.dice);
        }
    }
}

pub(super) fn all() -> Vec<&'static Mutation> {
    [body::ALL, lines::ALL, signature::ALL].concat()
}

fn flip_bit(bytes: &mut [u8], dice: &mut Dice) {
    if !bytes.is_empty() {
        bytes[dice.below(bytes.len())] ^= 1 << dice.below(8);
    }
}

fn cut(bytes: &mut Vec<u8>, dice: &mut Dice) {
    bytes.truncate(dice.below(bytes.len().max(1)));
}

fn insert(bytes: &mut Vec<u8>, byte: u8, dice: &mut Dice) {
    bytes.insert(dice.below(bytes.len() + 1), byte);
}
