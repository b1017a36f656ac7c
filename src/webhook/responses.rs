//! The file that takes every event of a run, one a line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::new_file::{self, FileError};

#[derive(Debug)]
pub(super) struct ResponsesFile {
    pub(super) path: PathBuf,
    file: BufWriter<File>,
}

impl ResponsesFile {
    /// Makes a new file, never over an older one.
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let (path, file) = new_file::create(&path.with_extension(""), extension.unwrap_or_default())?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
        })
    }

    pub(super) fn write(&mut self, event: &str) -> Result<(), String> {
        let written = self
            .file
            .write_all(event.as_bytes())
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| {
            let path = self.path.display();
            format!("`{path}` cannot be written, responses are lost from here on: {error}")
        })
    }

    pub(super) fn flush(&mut self) -> Result<(), String> {
        let flushed = self.file.flush();
        flushed.map_err(|error| format!("`{}` cannot be written: {error}", self.path.display()))
    }
}
