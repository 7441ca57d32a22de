//! Forms of a certificate that take code to make. The others are in `tests/data/certificates.json`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use crate::support::authority::{Authority, Leaf};
use crate::support::{code, now};

/// A valid certificate in its plain form, and a judge of other forms.
struct Forms {
    authority: Authority,
    der: Vec<u8>,
}

impl Forms {
    fn new() -> Self {
        let authority = Authority::new();
        let der = authority.issue(&Leaf::valid());
        Self { authority, der }
    }

    fn verdict(&self, form: impl AsRef<[u8]>) -> &'static str {
        code(self.authority.policy().check_certificate(form.as_ref(), now()))
    }
}

#[test]
fn other_kinds_of_base64_are_unreadable() {
    let forms = Forms::new();
    let base64 = STANDARD.encode(&forms.der);
    assert_eq!(forms.verdict(&base64), "accepted");
    for form in [
        STANDARD_NO_PAD.encode(forms.der.iter().copied().chain([0]).collect::<Vec<_>>()),
        URL_SAFE.encode(&forms.der),
        STANDARD.encode(&base64),
        base64.replacen("MII", "MII ", 1),
    ] {
        assert_eq!(forms.verdict(&form), "certificate-unreadable", "{form:?}");
    }
}

#[test]
fn bytes_after_the_certificate_are_refused_inside_base64_too() {
    let forms = Forms::new();
    for tail in [&[0][..], b"\n", &forms.der] {
        assert_eq!(forms.verdict(STANDARD.encode([&forms.der, tail].concat())), "certificate-unreadable");
    }
}
