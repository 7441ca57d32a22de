//! What leaves us sealed comes back as it was, or not at all.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use identity::{OpenError, Sealing, SealingKeysError};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::support::now;

const MINUTES: SignedDuration = SignedDuration::from_mins(10);

fn key(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn sealing(current: &str, keys: &[(&str, u8)]) -> Sealing {
    let keys: Vec<_> = keys.iter().map(|(name, byte)| format!("\"{name}\":\"{}\"", key(*byte))).collect();
    let count = AtomicU8::new(0);
    let random = Arc::new(move || [count.fetch_add(1, Ordering::Relaxed); 32]);
    Sealing::read(&format!("{{\"current\":\"{current}\",\"keys\":{{{}}}}}", keys.join(",")), random).unwrap()
}

#[test]
fn what_is_sealed_is_opened_for_its_purpose_in_its_time_and_never_reads_the_same() {
    let sealing = sealing("a", &[("a", 1)]);
    let [one, two] = [0; 2].map(|_| sealing.seal("sign-in", b"secret", now() + MINUTES).unwrap());
    assert_ne!(one, two);
    assert!(!one.contains("secret"));
    assert_eq!(sealing.open("sign-in", &one, now()).unwrap(), b"secret");
    assert_eq!(sealing.open("sign-in", &one, now() + MINUTES - SignedDuration::from_secs(1)).unwrap(), b"secret");
    assert_eq!(sealing.open("sign-in", &one, now() + MINUTES), Err(OpenError::Expired));
    assert_eq!(sealing.open("cursor", &one, now()), Err(OpenError::Forged));
}

#[test]
fn either_of_two_keys_opens_and_the_current_one_seals() {
    let (before, during, after) =
        (sealing("a", &[("a", 1)]), sealing("b", &[("a", 1), ("b", 2)]), sealing("b", &[("b", 2)]));
    let old = before.seal("p", b"x", now() + MINUTES).unwrap();
    let new = during.seal("p", b"x", now() + MINUTES).unwrap();
    assert!(new.starts_with("b."));
    assert_eq!(during.open("p", &old, now()).unwrap(), b"x");
    assert_eq!(after.open("p", &new, now()).unwrap(), b"x");
    assert_eq!(after.open("p", &old, now()), Err(OpenError::KeyUnknown));
    // The same name with another key, and the same key by another name.
    assert_eq!(sealing("a", &[("a", 9)]).open("p", &old, now()), Err(OpenError::Forged));
    let renamed = format!("b.{}", old.strip_prefix("a.").unwrap());
    assert_eq!(sealing("b", &[("b", 1)]).open("p", &renamed, now()), Err(OpenError::Forged));
}

#[test]
fn keys_that_can_not_be_used_are_refused_with_what_to_do_and_without_the_key() {
    let good = key(7);
    let cases = [
        ("{}".to_owned(), "it is not of the form"),
        (format!(r#"{{"current":"a","keys":{{"a":"{good}"}},"old":1}}"#), "it is not of the form"),
        (r#"{"current":"a","keys":{}}"#.to_owned(), "there are 0"),
        (format!(r#"{{"current":"a","keys":{{"a":"{good}","b":"{good}","c":"{good}"}}}}"#), "there are 3"),
        (format!(r#"{{"current":"b","keys":{{"a":"{good}"}}}}"#), "\"current\" names none"),
        (format!(r#"{{"current":"a","keys":{{"a":"{}"}}}}"#, STANDARD.encode([7; 16])), "openssl rand -base64 32"),
        (r#"{"current":"a","keys":{"a":"%"}}"#.to_owned(), "openssl rand -base64 32"),
        (format!(r#"{{"current":"a.b","keys":{{"a.b":"{good}"}}}}"#), "letters, digits and hyphens"),
    ];
    for (secret, says) in cases {
        let error: SealingKeysError = Sealing::read(&secret, Arc::new(|| [0; 32])).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(says), "{secret}: {text}");
        assert!(!text.contains(&good));
    }
    assert!(!format!("{:?}", sealing("a", &[("a", 7)])).contains('7'));
}

#[test]
fn what_would_not_come_back_is_not_sent() {
    assert!(sealing("a", &[("a", 1)]).seal("p", &[0; 4_096], now()).is_err());
    for hopeless in ["", "a", "a.", "a.%", "x.AAAA", "a.AAAA", &"a".repeat(5_000)] {
        let error = sealing("a", &[("a", 1)]).open("p", hopeless, now()).unwrap_err();
        assert!(matches!(error, OpenError::Malformed | OpenError::KeyUnknown), "{hopeless}: {error}");
    }
}

proptest! {
    #[test]
    fn no_change_of_a_sealed_text_opens(place in 0_usize..1_000, change in 1_u8..=255) {
        let sealing = sealing("a", &[("a", 1)]);
        let sealed = sealing.seal("p", b"some text of some length", now() + MINUTES).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix("a.").unwrap()).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= change;
        let forged = format!("a.{}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert_eq!(sealing.open("p", &forged, now()), Err(OpenError::Forged));
    }
}
