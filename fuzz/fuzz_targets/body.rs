//! The body of a callback whose signature is proven.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::body(data));
