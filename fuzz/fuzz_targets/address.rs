//! The address of a certificate, as it stands in the header.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::address(data));
