//! The lines of a callback, an empty line and its body.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::headers(data));
