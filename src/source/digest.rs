//! The hash that an input must have, as it is stored.
//!
//! A file is hashed before its first record is handed over, so that nothing of a wrong one is sent. A stream can be
//! hashed only while it is read, so that a wrong one is known at its end.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::config::SourceConfig;
use super::error::SourceError;
use super::inputs::{Input, Tap};
use super::window::read_some;

const BUFFER: usize = 128 * 1024;

/// A SHA-256 in the making, shared by who reads and who asks.
#[derive(Debug, Clone)]
pub(super) struct Hash {
    /// The input that is hashed.
    name: String,
    state: Arc<Mutex<Sha256>>,
}

impl Hash {
    fn of(input: &Input) -> Self {
        Self {
            name: input.name.clone(),
            state: Arc::default(),
        }
    }

    pub(super) fn update(&self, bytes: &[u8]) {
        self.lock().update(bytes);
    }

    /// Checks that the bytes so far have the hash that is expected.
    pub(super) fn check(&self, expected: &str) -> Result<(), SourceError> {
        let found = self.digits();
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(SourceError::Checksum {
            name: self.name.clone(),
            expected: expected.to_ascii_lowercase(),
            found,
        })
    }

    /// The hash of all bytes so far, in hexadecimal digits.
    fn digits(&self) -> String {
        format!("{:x}", self.lock().clone().finalize())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sha256> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that the option looks like a hash.
pub(super) fn check_option(config: &SourceConfig) -> Result<(), SourceError> {
    let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match &config.expect_sha256 {
        Some(text) if !is_hash(text) => {
            Err(fault("is not a SHA-256, which has 64 hexadecimal digits".into()))
        }
        _ => Ok(()),
    }
}

/// Checks the inputs against the configuration as far as that is possible before they are read. What it gives must
/// follow the bytes of an input that could not be checked.
pub(super) fn check_before(inputs: &[&Input], config: &SourceConfig) -> Result<Option<Hash>, SourceError> {
    let Some(expected) = &config.expect_sha256 else {
        return Ok(None);
    };
    let [input] = inputs else {
        return Err(fault(format!(
            "is for one input, and `path` means {}",
            inputs.len()
        )));
    };
    let hash = Hash::of(input);
    if !input.is_file() {
        return Ok(Some(hash));
    }
    let mut file = input.file_bytes(Tap::default())?;
    hash_all(&mut file, &hash).map_err(|error| SourceError::from_io(&input.name, 0, error))?;
    hash.check(expected).map(|()| None)
}

fn hash_all(reader: &mut impl Read, hash: &Hash) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match read_some(reader, &mut buffer)? {
            0 => return Ok(()),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn fault(reason: String) -> SourceError {
    SourceError::Option {
        option: "expect_sha256",
        reason,
    }
}
