//! Any bytes as `csv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outpour_fuzz::check("csv", data));
