//! Budget 12: how often a certificate is downloaded, over https from the simulator, when it is renewed once in 10,000 callbacks.

use crate::{
    here::{Here, body},
    report::{Budget, Report, Target, detail},
};

const BUDGET: Budget = Budget {
    number: 12,
    target: Target::AtMost(2.0),
    unit: "",
    of: " certificate downloads for 10,000 callbacks and one renewal",
};
const HALF: usize = 5_000;
/// One in so many of the second half was signed before the renewal, and is tried again.
const LATE: usize = 50;

pub(crate) async fn measure(report: &mut Report) {
    let here = Here::start().await;
    let genuine = |mark| here.simulator().sign(&body(here.now(), mark, 400)).unwrap();
    for mark in 0..HALF {
        assert_eq!(here.receive(genuine(mark)).await, "kept", "callback {mark}");
        here.advance(1);
    }
    let mut late: Vec<_> = (0..HALF / LATE).map(|number| genuine(HALF + number * LATE)).collect();
    here.simulator().rotate_certificate().unwrap();
    for mark in HALF..2 * HALF {
        let callback = if mark % LATE == 0 { late.remove(0) } else { genuine(mark) };
        assert_eq!(here.receive(callback).await, "kept", "callback {mark}");
        here.advance(1);
    }
    detail(format_args!(
        "{} callbacks, one a second, and {} of them signed by the key of before",
        2 * HALF,
        HALF / LATE
    ));
    let downloads = here.simulator().requests().certificate;
    report.figure(&BUDGET, f64::from(u32::try_from(downloads).unwrap()));
}
