//! Every byte of a certificate counts: whatever is changed, left out or put in, it is no longer accepted.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use callback::{BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, Policy};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::support::authority::{Authority, Leaf};
use crate::support::{at, code, default_locations, now};

/// A certificate that is accepted as it is.
struct Accepted {
    policy: Policy,
    der: Vec<u8>,
    now: Timestamp,
}

impl Accepted {
    fn ours() -> Self {
        let authority = Authority::new();
        Self { policy: authority.policy(), der: authority.issue(&Leaf::valid()), now: now() }
    }

    fn microsofts() -> Self {
        let names = vec!["microsoft.com".to_owned()];
        let pem = include_bytes!("../data/microsoft-chain/leaf-microsoft.com.pem");
        Self {
            policy: Policy::new(default_locations(), names, BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM)
                .unwrap(),
            der: CertificateDer::from_pem_slice(pem).unwrap().to_vec(),
            now: at("2026-04-01T00:00:00Z"),
        }
    }

    fn verdict(&self, der: &[u8]) -> &'static str {
        code(self.policy.check_certificate(der, self.now))
    }

    /// The verdicts on all that `change` makes at each place.
    fn verdicts<const N: usize>(&self, change: impl Fn(&[u8], usize) -> [Vec<u8>; N] + Sync) -> BTreeSet<&'static str> {
        assert_eq!(self.verdict(&self.der), "accepted");
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = |first| {
            let places = (first..self.der.len()).step_by(threads);
            let changed = places.flat_map(|place| change(&self.der, place).map(|changed| (place, changed)));
            changed.map(|(place, changed)| self.verdict_on_changed(place, &changed)).collect()
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || share(first))).collect();
            workers.into_iter().flat_map(|worker| -> BTreeSet<_> { worker.join().expect("no acceptance") }).collect()
        })
    }

    fn verdict_on_changed(&self, place: usize, changed: &[u8]) -> &'static str {
        let verdict = self.verdict(changed);
        assert!(verdict != "accepted" || changed == self.der, "accepted with a change at {place}: {changed:02x?}");
        if changed == self.der { "unchanged" } else { verdict }
    }
}

/// Each bit flipped, none set, all set, and one more.
fn other_values(der: &[u8], place: usize) -> [Vec<u8>; 11] {
    let byte = der[place];
    let values = [0, 0xff, byte.wrapping_add(1)];
    let flipped = [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| byte ^ (1 << bit));
    let mut values = values.into_iter().chain(flipped);
    [(); 11].map(|()| {
        let mut changed = der.to_vec();
        changed[place] = values.next().unwrap_or(byte);
        changed
    })
}

fn inserted_and_left_out(der: &[u8], place: usize) -> [Vec<u8>; 4] {
    let around = |middle: &[u8], after: usize| [&der[..place], middle, &der[after..]].concat();
    [around(&[], place + 1), around(&[0], place), around(&[0xff], place), around(&[der[place], der[place]], place + 1)]
}

/// Nothing else can be the reason: what a leaf says of its name, organisation and key is looked at once its chain is proven.
/// (webpki looks at dates and purpose before it looks at signatures.)
fn all_refused_by_form_or_chain(verdicts: &BTreeSet<&str>) {
    let possible = [
        "certificate-chain",
        "certificate-expired",
        "certificate-not-yet-valid",
        "certificate-purpose",
        "certificate-unreadable",
    ];
    let met: Vec<&str> = verdicts.iter().copied().filter(|verdict| *verdict != "unchanged").collect();
    assert!(met.len() > 1 && met.iter().all(|verdict| possible.contains(verdict)), "{met:?}");
}

#[test]
fn no_byte_of_a_certificate_can_have_another_value() {
    let verdicts = Accepted::ours().verdicts(other_values);
    all_refused_by_form_or_chain(&verdicts);
}

#[test]
fn no_byte_of_microsofts_certificate_can_have_another_value() {
    let verdicts = Accepted::microsofts().verdicts(other_values);
    all_refused_by_form_or_chain(&verdicts);
}

#[test]
fn no_byte_can_be_left_out_of_a_certificate_or_put_in() {
    for certificate in [Accepted::ours(), Accepted::microsofts()] {
        let verdicts = certificate.verdicts(inserted_and_left_out);
        assert_eq!(verdicts, BTreeSet::from(["certificate-unreadable"]));
    }
}

#[test]
fn a_certificate_cut_at_any_place_is_unreadable() {
    for certificate in [Accepted::ours(), Accepted::microsofts()] {
        let verdicts = certificate.verdicts(|der, place| [der[..place].to_vec()]);
        assert_eq!(verdicts, BTreeSet::from(["certificate-unreadable"]));
    }
}

/// The one other spelling that is known: of an ECDSA signature (r, s) anybody can make (r, n - s), and both prove the same
/// certificate. So a certificate is never known by its bytes.
#[test]
fn the_twin_of_an_ecdsa_signature_proves_the_same_certificate() {
    let Accepted { policy, der, now } = Accepted::ours();
    let twin = with_twin_signature(&der);
    assert_ne!(twin, der);
    let (one, other) = (policy.check_certificate(&der, now).unwrap(), policy.check_certificate(&twin, now).unwrap());
    assert!(one.has_key_of(&other));
    assert_eq!((one.valid_from(), one.valid_until()), (other.valid_from(), other.valid_until()));
}

fn with_twin_signature(der: &[u8]) -> Vec<u8> {
    let (_, content, _) = value(der);
    let (_, _, after_tbs) = value(content);
    let (_, bits, _) = value(value(after_tbs).2);
    let (_, numbers, _) = value(&bits[1..]);
    let (_, r, after_r) = value(numbers);
    let (_, s, _) = value(after_r);
    let twin = [tagged(2, r), tagged(2, &p256_order_less(s))].concat();
    let before = &content[..content.len() - value(after_tbs).2.len()];
    tagged(0x30, &[before, &tagged(3, &[&[0], tagged(0x30, &twin).as_slice()].concat())].concat())
}

/// Tag, content and rest of the first value in some DER.
fn value(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (start, length) = match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    };
    (der[0], &der[start..start + length], &der[start + length..])
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let [.., high, low] = length.to_be_bytes();
    let length = match length {
        ..0x80 => vec![low],
        0x80..0x100 => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], length.as_slice(), content].concat()
}

/// The content of the integer n - s, n being the order of P-256's group.
fn p256_order_less(s: &[u8]) -> Vec<u8> {
    let s = [vec![0; 33_usize.saturating_sub(s.len())], s.to_vec()].concat();
    let mut difference = [&[0], P256_ORDER[0].to_be_bytes().as_slice(), &P256_ORDER[1].to_be_bytes()].concat();
    let mut borrowed = 0;
    for (digit, other) in difference.iter_mut().zip(&s).rev() {
        let left = 256 + u16::from(*digit) - u16::from(*other) - borrowed;
        [_, *digit] = left.to_be_bytes();
        borrowed = u16::from(left < 256);
    }
    let zeros = difference.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    difference.split_off(zeros)
}

const P256_ORDER: [u128; 2] = [0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551];
