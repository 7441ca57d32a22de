//! What the simulator logs. A binary of its own: a line that another thread comes to first, with nobody listening, may be taken for
//! one that nobody ever wants.

#![expect(clippy::expect_used, reason = "tests, of which clippy sees the test functions only")]

mod logs;
#[path = "../all/support.rs"]
#[allow(dead_code, reason = "the other binary uses the rest")]
mod support;
