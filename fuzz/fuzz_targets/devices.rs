//! `devices.csv` is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tarbac::exports::devices::read;

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes, |_| ());
});
