//! The body of a request over HTTP is read or refused, and refused in one sentence.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = tarbac_serve::read(bytes) {
        assert!(!error.to_string().is_empty());
    }
});
