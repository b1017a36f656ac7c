//! Any bytes as `ndjson`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outpour_fuzz::check("ndjson", data));
