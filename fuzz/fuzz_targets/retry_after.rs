//! Any bytes as `retry_after`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outpour_fuzz::check("retry_after", data));
