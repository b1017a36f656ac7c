//! Any bytes as `template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outpour_fuzz::check("template", data));
