//! What an input looked like at some time, so that a change can be told.

use std::fs::{self, Metadata};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::config::SourceConfig;
use super::error::SourceError;
use super::inputs::{Input, Notes, expand};

/// What an input looked like at some time.
///
/// Two stamps of an input that differ say that it was changed, replaced or removed in between. Two that are the same
/// are no proof of the opposite: whoever writes a file can set its times back.
///
/// Standard input and pipes have a name alone.
///
/// ```
/// use outpour::source::{InputStamp, SourceConfig, fingerprints};
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("people.csv");
/// std::fs::write(&path, "email\nann@example.com\n")?;
/// let stamps: Vec<InputStamp> = fingerprints(&SourceConfig::at(path.display().to_string()))?;
/// assert_eq!(stamps[0].size, Some(22));
/// let kept = serde_json::to_string(&stamps)?;
/// assert_eq!(serde_json::from_str::<Vec<InputStamp>>(&kept)?, stamps);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputStamp {
    /// The name as the user knows it: a path, or `standard input`.
    pub name: String,
    /// The size in bytes as the input is stored.
    pub size: Option<u64>,
    /// When it was last written, in nanoseconds since 1970. Earlier times count as none.
    pub modified_ns: Option<u64>,
    /// The file's number in its file system, which a file put in its place does not share. None where the system
    /// has no such numbers.
    pub inode: Option<u64>,
}

/// What the inputs of a configuration look like now, in the order in which they are read.
///
/// It finds the same inputs as [`open`](super::open) and opens none of them.
pub fn fingerprints(config: &SourceConfig) -> Result<Vec<InputStamp>, SourceError> {
    let inputs = expand(&config.path, &Notes::default())?;
    Ok(inputs.iter().map(Input::stamp).collect())
}

impl Input {
    /// What the input looks like now. What is no file, or no longer there, has a name alone.
    pub(super) fn stamp(&self) -> InputStamp {
        let metadata = self.path.as_ref().and_then(|path| fs::metadata(path).ok());
        let file = metadata.filter(Metadata::is_file);
        InputStamp {
            name: self.name.clone(),
            size: file.as_ref().map(Metadata::len),
            modified_ns: file.as_ref().and_then(modified_ns),
            inode: file.as_ref().and_then(inode),
        }
    }
}

fn modified_ns(file: &Metadata) -> Option<u64> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    since.as_nanos().try_into().ok()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn inode(file: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(file))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::source::testing::Directory;

    #[test]
    fn stamps_come_in_the_order_of_reading() {
        let directory = Directory::new();
        directory.write("b.csv", "").write("a.csv", "x\n");
        let names: Vec<String> = fingerprints(&directory.config("*.csv"))
            .unwrap()
            .into_iter()
            .map(|stamp| stamp.name)
            .collect();
        assert!(
            names[0].ends_with("a.csv") && names[1].ends_with("b.csv"),
            "{names:?}"
        );
    }

    #[test]
    fn standard_input_has_a_name_alone() {
        let stamps = fingerprints(&SourceConfig::at("-")).unwrap();
        let stamp = &stamps[0];
        assert_eq!(stamp.name, "standard input");
        assert_eq!((stamp.size, stamp.modified_ns, stamp.inode), (None, None, None));
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let directory = Directory::new();
        assert!(matches!(
            fingerprints(&directory.config("none.csv")),
            Err(SourceError::NotFound { .. })
        ));
    }

    #[test]
    fn size_time_and_inode_each_make_a_difference() {
        let directory = Directory::new();
        let now = |directory: &Directory| fingerprints(&directory.config("a.csv")).unwrap();
        let set_time = |directory: &Directory, time: SystemTime| {
            let file = fs::File::options().write(true).open(directory.path("a.csv"));
            file.unwrap().set_modified(time).unwrap();
        };
        let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        directory.write("a.csv", "x\n1\n");
        set_time(&directory, time);
        let first = now(&directory);
        assert_eq!(first, now(&directory));
        set_time(&directory, time + Duration::from_micros(1));
        assert_ne!(first, now(&directory), "time");
        directory.write("a.csv", "x\n1\n2\n");
        set_time(&directory, time);
        assert_ne!(first, now(&directory), "size");
        directory.write("new.csv", "x\n1\n");
        fs::rename(directory.path("new.csv"), directory.path("a.csv")).unwrap();
        set_time(&directory, time);
        #[cfg(unix)]
        assert_ne!(first, now(&directory), "inode");
        fs::remove_file(directory.path("a.csv")).unwrap();
        let gone = Input {
            name: first[0].name.clone(),
            path: Some(directory.path("a.csv")),
        };
        assert_ne!(first[0], gone.stamp(), "removed");
    }
}
