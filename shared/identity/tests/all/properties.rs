//! However a valid token or context is changed, nobody gets in who was not let in.

use identity::{Caller, How, RoleMap, Verdict};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{SigningKey, TENANT, claims, header, judged, made, now, person};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_changed_mark_of_a_token_is_accepted(place in any::<prop::sample::Index>(), mark in "[ -~]") {
        let token = SigningKey::issuers().sign(&header(), &claims());
        let place = place.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(place..=place, &mark);
        let outcome = runtime().block_on(judged(&changed, now()));
        prop_assert!(outcome.is_err() || changed == token, "{}", changed);
    }

    #[test]
    fn no_part_of_a_token_goes_with_parts_of_another(swapped in 0_usize..3, seed in 1_i64..1_000_000) {
        let ours = SigningKey::issuers().sign(&header(), &claims());
        let mut elsewhere = claims();
        elsewhere["iat"] = (now().as_second() - seed).into();
        let mut other_header = header();
        other_header["x5t"] = seed.to_string().into();
        let theirs = SigningKey::issuers().sign(&other_header, &elsewhere);
        let mut parts: Vec<_> = ours.split('.').collect();
        parts[swapped] = theirs.split('.').nth(swapped).unwrap();
        prop_assert!(runtime().block_on(judged(&parts.join("."), now())).is_err());
    }

    #[test]
    fn no_text_of_whatever_kind_is_a_token(text in "\\PC{0,200}") {
        prop_assert!(runtime().block_on(judged(&text, now())).is_err());
    }

    #[test]
    fn a_changed_context_is_no_caller_or_one_that_reads_as_it_is_written(
        place in any::<prop::sample::Index>(), mark in "[ -~]",
    ) {
        let claims = person(TENANT, &["AdminAgent"]);
        let access = RoleMap::read(None, 1).unwrap().access(&claims);
        let good = made(&claims, How::Session, access);
        let mut context = Verdict::Ok(good).context();
        let text = context["caller"].as_str().unwrap();
        let place = place.index(text.len());
        let mut changed = text.to_owned();
        changed.replace_range(place..=place, &mark);
        context.insert("caller".to_owned(), Value::String(changed));
        let read = |context: &serde_json::Map<String, Value>| {
            Caller::from_context(context.iter().map(|(name, value)| (name.as_str(), value)))
        };
        if let Ok(caller) = read(&context) {
            prop_assert_eq!(read(&Verdict::Ok(caller.clone()).context()), Ok(caller));
        }
    }
}
