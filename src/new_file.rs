//! Files that a run makes: for their owner alone, and never over an older one.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why a file cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be written")]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// Creates `stem.extension`, or `stem-2.extension` and so on where that is there already, for its owner alone.
pub(crate) fn create(stem: &Path, extension: &str) -> Result<(PathBuf, File), FileError> {
    const MOST: u32 = 10_000;
    let dot = if extension.is_empty() { "" } else { "." };
    let mut number = 1;
    loop {
        let mut path = stem.as_os_str().to_owned();
        if number > 1 {
            path.push(format!("-{number}"));
        }
        path.push(dot);
        path.push(extension);
        let path = PathBuf::from(path);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST => number += 1,
            Err(source) => return Err(FileError { path, source }),
        }
    }
}

/// Creates exactly this file, for its owner alone; an older one is an error.
pub fn create_at(path: &Path) -> Result<File, FileError> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    created.map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Checks that files can be made beside `stem`, by making one and removing it again.
pub fn check(stem: &Path) -> Result<(), FileError> {
    let mut probe = stem.as_os_str().to_owned();
    probe.push(format!(".probe-{}", std::process::id()));
    let folder = stem
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let failed = |source| FileError {
        path: folder.to_owned(),
        source,
    };
    let (path, _) = create(Path::new(&probe), "").map_err(|error| failed(error.source))?;
    std::fs::remove_file(&path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("people.rejected");
        let names: Vec<_> = (0..3).map(|_| create(&stem, "csv").unwrap().0).collect();
        let expected = [
            "people.rejected.csv",
            "people.rejected-2.csv",
            "people.rejected-3.csv",
        ];
        assert_eq!(names, expected.map(|name| folder.path().join(name)));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_before_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(&folder.path().join("x")).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(check(&folder.path().join("none/x")).is_err());
    }
}
