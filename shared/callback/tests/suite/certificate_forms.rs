//! In which forms a certificate is read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use callback::MAX_CERTIFICATE_BYTES;

use crate::support::authority::{Authority, Leaf, dns_name};
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

    fn lines(&self, end: &str) -> String {
        let base64 = STANDARD.encode(&self.der);
        base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap().to_owned() + end).collect()
    }

    fn pem(&self, end: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----{end}{}-----END CERTIFICATE-----{end}", self.lines(end))
    }

    fn verdict(&self, form: impl AsRef<[u8]>) -> &'static str {
        code(self.authority.policy().check_certificate(form.as_ref(), now()))
    }
}

#[test]
fn der_pem_and_bare_base64_are_read() {
    let forms = Forms::new();
    let pem = forms.pem("\n");
    for form in [
        forms.der.clone(),
        pem.trim_ascii_end().into(),
        pem.into(),
        forms.pem("\r\n").into(),
        STANDARD.encode(&forms.der).into(),
        forms.lines("\n").into(),
        forms.lines("\r\n").into(),
    ] {
        assert_eq!(forms.verdict(&form), "accepted", "{}", String::from_utf8_lossy(&form));
    }
}

#[test]
fn other_forms_are_unreadable() {
    let forms = Forms::new();
    let pem = forms.pem("\n");
    let base64 = STANDARD.encode(&forms.der);
    for form in [
        String::new(),
        "\n".to_owned(),
        "<html><body>not found</body></html>".to_owned(),
        format!("subject=CN = x\n{pem}"),
        format!("\n{pem}"),
        format!(" {pem}"),
        format!("\u{feff}{pem}"),
        format!("{pem}text after it\n"),
        format!("{pem}{pem}"),
        pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
        pem.replace("CERTIFICATE", "X509 CERTIFICATE"),
        pem.replace("-----END CERTIFICATE-----", ""),
        pem.replace("CERTIFICATE-----\nMII", "CERTIFICATE-----MII"),
        pem.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1),
        format!("{base64} "),
        format!("{base64}{base64}"),
        format!("{base64}\0"),
        base64.replacen("MII", "MII ", 1),
        STANDARD_NO_PAD.encode(forms.der.iter().copied().chain([0]).collect::<Vec<_>>()),
        URL_SAFE.encode(&forms.der),
        STANDARD.encode(pem.as_bytes()),
    ] {
        assert_eq!(forms.verdict(&form), "certificate-unreadable", "{form:?}");
    }
}

#[test]
fn bytes_after_the_certificate_are_refused() {
    let forms = Forms::new();
    for tail in [&[0][..], b"\n", &forms.der] {
        assert_eq!(forms.verdict([&forms.der, tail].concat()), "certificate-unreadable");
        assert_eq!(forms.verdict(STANDARD.encode([&forms.der, tail].concat())), "certificate-unreadable");
    }
}

#[test]
fn der_of_indefinite_or_absurd_shape_is_unreadable() {
    let forms = Forms::new();
    let indefinite = [&[0x30, 0x80], &forms.der[4..], &[0, 0]].concat();
    let deep = [0x30, 0x80].repeat(10_000);
    let nested = [0x30, 0x82, 0xff, 0xff].repeat(10_000);
    let huge_length = vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30];
    let long_form_of_a_short_length = [&[0x30, 0x83, 0x00], &forms.der[2..]].concat();
    for form in [indefinite, deep, nested, huge_length, long_form_of_a_short_length] {
        assert_eq!(forms.verdict(form), "certificate-unreadable");
    }
}

#[test]
fn size_is_looked_at_first() {
    let forms = Forms::new();
    assert_eq!(forms.verdict(vec![0x30; MAX_CERTIFICATE_BYTES]), "certificate-unreadable");
    assert_eq!(forms.verdict(vec![0x30; MAX_CERTIFICATE_BYTES + 1]), "certificate-too-large");
    assert_eq!(forms.verdict(vec![b'A'; 1024 * 1024]), "certificate-too-large");
}

#[test]
fn thousands_of_names_are_searched_within_the_size_limit() {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    let fillers = (0..2_500).map(|number| dns_name(&format!("n{number}.microsoft.com")));
    leaf.params.subject_alt_names = fillers.chain([dns_name("pcnotifications.microsoft.com")]).collect();
    let der = authority.issue(&leaf);
    assert!(der.len() > 50_000 && der.len() <= MAX_CERTIFICATE_BYTES);
    assert_eq!(code(authority.policy().check_certificate(&der, now())), "accepted");
}
