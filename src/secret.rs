//! Secrets: values that are used and never shown.
//!
//! A configuration names a secret by where it is kept ([`SecretRef`]); [`SecretRef::resolve`] reads it, and from
//! then on it is a [`Secret`], which prints as `***` everywhere and is wiped from memory when dropped.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// A value that no message, report or log may show.
///
/// ```
/// use outpour::secret::Secret;
/// let secret = Secret::new("CANARY");
/// assert_eq!(format!("{secret} {secret:?}"), "*** ***");
/// assert_eq!(secret.reveal(), "CANARY");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

/// Takes secrets out of bytes that come from elsewhere, such as a reply that repeats the key it was sent.
///
/// ```
/// use outpour::secret::{Mask, Secret};
/// let mask = Mask::new([&Secret::new("CANARY-KEY")]);
/// assert_eq!(mask.apply(b"no user for CANARY-KEY").as_deref(), Some(b"no user for ***".as_slice()));
/// assert_eq!(mask.apply(b"fine"), None);
/// ```
#[derive(Clone, Default)]
pub struct Mask(Vec<Secret>);

/// a secret named by where it is kept: `{env: NAME}` or `{file: PATH}`
///
/// A text in its place is the secret itself, which is refused unless inline secrets are allowed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SecretRef {
    /// The environment variable that holds it.
    Env(EnvRef),
    /// The file that holds it; white space at its end does not count.
    File(FileRef),
    /// The secret itself.
    Inline(String),
}

/// `{env: NAME}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvRef {
    /// The variable's name.
    pub env: String,
}

/// `{file: PATH}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// The file's path.
    pub file: PathBuf,
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or empty.
    #[error("the environment variable `{0}` is not set")]
    Unset(String),
    /// The file cannot be read.
    #[error("the secret's file `{path}` cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file holds nothing.
    #[error("the secret's file `{0}` is empty")]
    Empty(PathBuf),
    /// The secret stands in the configuration itself.
    #[error(
        "a secret stands in the configuration itself; write `{{env: NAME}}` or `{{file: PATH}}`, or allow it with `--allow-inline-secrets`"
    )]
    Inline,
}

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself, for the one place that uses it.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the value looks like a JSON Web Token: three parts of base64url, the first of them JSON.
    pub fn is_jwt(&self) -> bool {
        let mut parts = self.reveal().split('.');
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
        };
        let head = parts.next().unwrap_or_default();
        head.starts_with("eyJ") && is_part(head) && parts.clone().count() == 2 && parts.all(is_part)
    }
}

impl Mask {
    /// Texts shorter than this occur by chance, and masking them would garble what has nothing to do with them.
    const SHORTEST: usize = 6;

    /// Masks these secrets, as they are and as JSON writes them. Longer ones go first, as they may hold shorter ones.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let forms = |secret: &Secret| {
            let quoted = serde_json::Value::from(secret.reveal()).to_string();
            let in_json = quoted[1..quoted.len() - 1].to_owned();
            [secret.reveal().to_owned(), in_json]
        };
        let mut texts: Vec<String> = secrets.into_iter().flat_map(forms).collect();
        texts.retain(|text| text.len() >= Self::SHORTEST);
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Self(texts.into_iter().map(Secret::new).collect())
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes with `***` for each secret; none where they hold no secret.
    pub fn apply(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut masked: Option<Vec<u8>> = None;
        for secret in &self.0 {
            let text = secret.reveal().as_bytes();
            let from = masked.as_deref().unwrap_or(bytes);
            let places = places(from, text);
            if places.is_empty() {
                continue;
            }
            let mut out = Vec::with_capacity(from.len());
            let mut copied = 0;
            for place in places {
                out.extend_from_slice(&from[copied..place]);
                out.extend_from_slice(b"***");
                copied = place + text.len();
            }
            out.extend_from_slice(&from[copied..]);
            masked = Some(out);
        }
        masked
    }
}

/// Where the secret stands. Every header of every reply is looked through, and they are short: to prepare a search would cost
/// more than the search.
fn places(text: &[u8], secret: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    let Some(&first) = secret.first().filter(|_| secret.len() <= text.len()) else {
        return places;
    };
    for place in memchr::memchr_iter(first, text) {
        let is_free = places.last().is_none_or(|last| last + secret.len() <= place);
        if is_free && text[place..].starts_with(secret) {
            places.push(place);
        }
    }
    places
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({})", self.0.len())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An inline secret is not shown here either.
impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(from) => write!(f, "{from:?}"),
            Self::File(from) => write!(f, "{from:?}"),
            Self::Inline(_) => f.write_str("***"),
        }
    }
}

impl SecretRef {
    /// A reference to an environment variable.
    pub fn env(name: &str) -> Self {
        Self::Env(EnvRef { env: name.to_owned() })
    }

    /// Lets a relative path start from `folder`.
    pub fn start_from(&mut self, folder: &Path) {
        if let Self::File(FileRef { file }) = self {
            *file = folder.join(&*file);
        }
    }

    /// A warning where the secret lies in a file that others than its owner can read. Not an error: what mounts secrets
    /// into containers often does so.
    pub fn exposure(&self) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;
        let Self::File(FileRef { file }) = self else {
            return None;
        };
        let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
        (mode & 0o044 != 0).then(|| {
            let path = file.display();
            format!("the secret's file `{path}` can be read by others (mode {mode:o}), `chmod 600` keeps it to its owner")
        })
    }

    /// Reads the secret. `allow_inline` permits one that stands in the configuration itself.
    pub fn resolve(&self, allow_inline: bool) -> Result<Secret, SecretError> {
        match self {
            Self::Env(EnvRef { env }) => match std::env::var(env) {
                Ok(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
                _ => Err(SecretError::Unset(env.clone())),
            },
            Self::File(FileRef { file }) => {
                let text = std::fs::read_to_string(file).map_err(|source| SecretError::File {
                    path: file.clone(),
                    source,
                })?;
                match text.trim_end() {
                    "" => Err(SecretError::Empty(file.clone())),
                    value => Ok(Secret::new(value)),
                }
            }
            Self::Inline(value) if allow_inline => Ok(Secret::new(value.clone())),
            Self::Inline(_) => Err(SecretError::Inline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_is_told_from_an_opaque_key() {
        assert!(Secret::new("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln").is_jwt());
        for opaque in ["a1b2c3", "a.b.c", "eyJ.x", "eyJhbGciOiJIUzI1NiJ9.e y.c2ln", ""] {
            assert!(!Secret::new(opaque).is_jwt(), "{opaque}");
        }
    }

    #[test]
    fn an_inline_secret_is_refused_and_never_shown() {
        let inline = SecretRef::Inline("CANARY".into());
        assert!(!format!("{inline:?}").contains("CANARY"));
        assert!(!inline.resolve(false).unwrap_err().to_string().contains("CANARY"));
        assert_eq!(inline.resolve(true).unwrap().reveal(), "CANARY");
    }

    #[test]
    fn a_secret_file_loses_its_final_newline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "k3y\n").unwrap();
        let secret = SecretRef::File(FileRef {
            file: file.path().to_owned(),
        });
        assert_eq!(secret.resolve(false).unwrap().reveal(), "k3y");
    }
}
