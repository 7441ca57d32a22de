//! What a certificate's address led to.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::certificate(data));
