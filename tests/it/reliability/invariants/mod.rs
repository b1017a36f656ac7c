//! What holds for any input whatever: the bodies of the fuzz targets, which the corpora are replayed through as well.
//!
//! Each function takes bytes, gives them to the public API as a user would, and panics where an invariant is broken.
//! `fuzz/` includes this folder, so it stands on the library alone.

mod compressed;
mod endpoint;
mod source;
mod text;

/// The fuzz targets. Each has a folder of seeds in `fuzz/corpus/` and a file in `fuzz/fuzz_targets/`.
pub(crate) const TARGETS: [&str; 9] = [
    "arrow",
    "compressed",
    "csv",
    "json_array",
    "ndjson",
    "parquet",
    "placeholders",
    "retry_after",
    "template",
];

/// Gives the bytes to a target.
pub(crate) fn check(target: &str, data: &[u8]) {
    match target {
        "arrow" => source::arrow(data),
        "compressed" => compressed::compressed(data),
        "csv" => source::csv(data),
        "json_array" => source::json_array(data),
        "ndjson" => source::ndjson(data),
        "parquet" => source::parquet(data),
        "placeholders" => endpoint::placeholders(data),
        "retry_after" => endpoint::retry_after(data),
        "template" => text::template(data),
        _ => panic!("there is no target `{target}`"),
    }
}
