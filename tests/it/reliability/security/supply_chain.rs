//! Supply chain: what the tree of dependencies holds, and where it comes from.

use std::path::{Path, PathBuf};

const BANNED: [&str; 7] = [
    "backoff",
    "instant",
    "serde_yaml",
    "serde_yml",
    "openssl",
    "openssl-sys",
    "native-tls",
];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap()
}

/// The values of a key in Cargo.lock.
fn locked(key: &str) -> Vec<String> {
    let start = format!("{key} = ");
    let lock = text("Cargo.lock");
    let values = lock.lines().filter_map(|line| line.strip_prefix(&start));
    values.map(|value| value.trim_matches('"').to_owned()).collect()
}

#[test]
fn supply_chain_has_none_of_the_banned_crates() {
    let names = locked("name");
    assert!(names.len() > 100);
    let deny = text("deny.toml");
    for banned in BANNED {
        assert!(!names.iter().any(|name| name == banned), "{banned}");
        assert!(
            deny.contains(&format!("name = \"{banned}\"")),
            "deny.toml lets {banned} in"
        );
    }
}

#[test]
fn supply_chain_has_one_registry_as_its_only_source_and_a_checksum_for_each_crate() {
    let sources = locked("source");
    assert!(sources.iter().all(|source| *source == sources[0]), "{sources:?}");
    assert!(sources[0].starts_with("registry+"), "{}", sources[0]);
    let checksums = locked("checksum");
    assert_eq!(checksums.len(), sources.len());
    assert!(checksums.iter().all(|sum| sum.len() == 64));
    // All but this crate itself.
    assert_eq!(locked("name").len(), sources.len() + 1);
    let deny = text("deny.toml");
    for rule in [
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "yanked = \"deny\"",
        "wildcards = \"deny\"",
        "ignore = []",
    ] {
        assert!(deny.contains(rule), "{rule}");
    }
}

#[test]
fn supply_chain_is_locked_and_the_lock_is_committed() {
    assert!(!text(".gitignore").contains("Cargo.lock"));
    assert!(
        locked("name").contains(&"outpour".to_owned()),
        "the lock is this crate's"
    );
    let check = text(".ci/run");
    for line in check
        .lines()
        .filter(|line| line.contains("step cargo") && !line.contains("fmt"))
    {
        assert!(line.contains("--locked"), "{line}");
    }
}

#[test]
fn supply_chain_keeps_our_own_code_without_unsafe_and_panics_that_unwind() {
    let manifest = text("Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    assert!(!manifest.contains("panic = \"abort\""));
}
