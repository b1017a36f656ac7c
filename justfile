# What one does all day. `just` alone lists it.

_list:
    @just --list

# The optimised binary
build:
    cargo build --release --locked

# Everything, with no network and no service
test *filter:
    cargo test --locked {{filter}}

# Format and lints, warnings as errors
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# The library's documentation, warnings as errors
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Advisories, licences, bans and sources of the dependencies; needs cargo-deny
deny:
    cargo deny check

# A fuzz target for a minute; needs nightly Rust and cargo-fuzz
fuzz target seconds="60":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}}

# The look-alike of Encharge, or of another vendor, on port 8080
mock *arguments:
    cargo run --release --locked -- mock {{arguments}}
