//! A second implementation as an oracle: the rules read once more (`reading.rs`) and ring in the place of `rsa`. A million
//! requests, genuine ones that were changed, have the same verdict from both.

mod dice;
mod mutations;
mod reading;
mod request;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread;

use self::dice::Dice;
use self::mutations::{Draft, Effect, Mutation};
use self::request::Receivers;

const REQUESTS: usize = 1_000_000;

/// Another number makes another million. A failure names the seed of its request, from which alone it can be repeated.
const SEED: u64 = 0x1e57_ab1e_0000_0000;

/// How often what came out, by mutation: `accepted`, or the code of the refusal.
type Verdicts = BTreeMap<(&'static str, &'static str), usize>;

#[test]
fn a_million_changed_requests_have_the_verdict_of_an_independent_reading() {
    let (receivers, mutations) = (Receivers::new(), mutations::all());
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let verdicts = thread::scope(|scope| {
        let (receivers, mutations) = (&receivers, &mutations);
        let share = |first| move || judge_all((first..REQUESTS).step_by(threads), receivers, mutations);
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(share(first))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no disagreement")).reduce(sum).expect("a worker")
    });
    check_that_everything_occurred(&verdicts, &mutations);
}

fn judge_all(numbers: impl Iterator<Item = usize>, receivers: &Receivers, mutations: &[&'static Mutation]) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for number in numbers {
        if let Some((mutation, verdict)) = judge(SEED + number as u64, receivers, mutations) {
            *verdicts.entry((mutation, verdict)).or_default() += 1;
        }
    }
    verdicts
}

/// Makes the request of a seed and has it judged by both; none if no library would hand it over.
fn judge(seed: u64, receivers: &Receivers, mutations: &[&'static Mutation]) -> Option<(&'static str, &'static str)> {
    let mut dice = Dice::new(seed);
    let receiver = receivers.one(&mut dice);
    let genuine = dice.one_of(&receiver.genuine);
    let mut chosen = vec![*dice.one_of(mutations)];
    if dice.one_in(5) {
        chosen.push(*dice.one_of(mutations));
    }
    let mut draft = Draft { request: genuine.request.clone(), dice: &mut dice, receiver, genuine, receivers };
    for mutation in &chosen {
        (mutation.apply)(&mut draft);
    }

    let request = draft.request;
    let ours = receiver.world.verdict(&request.headers()?, &request.body);
    let theirs = reading::accepts(&request, &receiver.public_key);
    let names: Vec<&str> = chosen.iter().map(|mutation| mutation.name).collect();
    assert_eq!(ours == "accepted", theirs, "seed {seed:#x}, {names:?}: ours {ours}, accepted by the oracle: {theirs}");
    if let [only] = chosen[..] {
        let expected = match only.effect {
            Effect::Harmless => true,
            Effect::Spoils => false,
            Effect::Depends => theirs,
        };
        assert_eq!(ours == "accepted", expected, "seed {seed:#x}: {} is said to be {:?}", only.name, only.effect);
    }
    Some((if let [only] = names[..] { only } else { "two changes" }, ours))
}

/// A generator that makes one kind of request only would prove little.
fn check_that_everything_occurred(verdicts: &Verdicts, mutations: &[&Mutation]) {
    let of =
        |wanted: &str| verdicts.iter().filter(|((_, ours), _)| *ours == wanted).map(|(_, count)| count).sum::<usize>();
    let judged: usize = verdicts.values().sum();
    let accepted = of("accepted");
    println!("{judged} judged, {accepted} accepted: {verdicts:#?}");
    assert!(judged > 950_000, "{judged} judged");
    assert!((200_000..800_000).contains(&accepted), "{accepted} accepted");
    for mutation in mutations {
        let (mut accepted, mut refused) = (0, 0);
        for ((_, ours), count) in verdicts.iter().filter(|((name, _), _)| *name == mutation.name) {
            *(if *ours == "accepted" { &mut accepted } else { &mut refused }) += count;
        }
        let both = (accepted > 0, refused > 0);
        let as_expected = match mutation.effect {
            Effect::Harmless => both == (true, false),
            Effect::Spoils => both == (false, true),
            Effect::Depends => both == (true, true),
        };
        assert!(as_expected, "{}: {accepted} accepted, {refused} refused", mutation.name);
    }
    for code in REASONS {
        assert!(of(code) > 100, "{code} occurred {} times", of(code));
    }
}

/// Every reason that a request can be refused for under a certificate that is good.
const REASONS: [&str; 15] = [
    "authorization-scheme",
    "body-too-large",
    "certificate-url-not-allowed",
    "conflicting-signatures",
    "content-encoding",
    "malformed-algorithm",
    "malformed-signature",
    "missing-algorithm",
    "missing-certificate-url",
    "missing-signature",
    "repeated-header",
    "signature-length",
    "signature-mismatch",
    "signature-not-of-key-size",
    "unsupported-algorithm",
];

fn sum(mut one: Verdicts, other: Verdicts) -> Verdicts {
    for (key, count) in other {
        *one.entry(key).or_default() += count;
    }
    one
}
