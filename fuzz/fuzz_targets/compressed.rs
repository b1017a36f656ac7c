//! Any bytes as `compressed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outpour_fuzz::check("compressed", data));
