//! Accepted records on disk, joined with values of the replies that accepted them.
//!
//! A CSV row is written back byte for byte with the new columns behind its own; NDJSON, JSON and Arrow records are
//! written as NDJSON with the new members behind theirs. Each column is jq over the reply's body. A value that cannot be
//! found or computed is left empty; it never changes what became of its record. The file is made when the first record
//! is written, readable by its owner alone, and never over an older one.

mod columns;
mod row;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Reply;
use crate::endpoint::Prepared;
use crate::new_file::{self, FileError};
use crate::record::{Position, Shape};

pub use columns::{ColumnError, Columns};

use row::Layout;

/// Where accepted records are written, and what of the replies beside them; the key `accepted:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptedConfig {
    /// The file's path. Its extension follows from the input, `.csv` or `.ndjson`. An older file is not written over,
    /// the new one then gets a number. Default: the job's name and `.accepted`, beside the configuration.
    pub path: Option<PathBuf>,
    /// Columns to add, each with jq over the reply's body. `$index` is the record's place in its request, from 0, and
    /// `$record` the record. Default: none.
    pub columns: BTreeMap<String, String>,
}

/// Files of accepted records, one for each shape of input, each made when its first record is written.
#[derive(Debug)]
pub struct AcceptedFile {
    stem: PathBuf,
    columns: Columns,
    open: Vec<Open>,
    unjoined: Unjoined,
}

#[derive(Debug)]
struct Open {
    shape: Shape,
    path: PathBuf,
    layout: Layout,
    file: BufWriter<File>,
}

/// Records that a value could not be computed for.
#[derive(Debug, Default)]
struct Unjoined {
    count: u64,
    first: Option<String>,
}

impl AcceptedConfig {
    /// Lets a relative path start from `folder`; a job without a path has one of its own name.
    pub fn start_from(&mut self, folder: &Path, job: &str) {
        let path = self
            .path
            .take()
            .unwrap_or_else(|| format!("{job}.accepted").into());
        self.path = Some(folder.join(path));
    }
}

impl AcceptedFile {
    /// A file at `path`, whose extension follows from the input's shape.
    pub fn new(path: &Path, columns: Columns) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_ours = extension.is_some_and(|extension| ["csv", "ndjson", "json"].contains(&extension));
        Self {
            stem: if is_ours {
                path.with_extension("")
            } else {
                path.to_owned()
            },
            columns,
            open: Vec::new(),
            unjoined: Unjoined::default(),
        }
    }

    /// The path without its extension.
    pub fn stem(&self) -> &Path {
        &self.stem
    }

    /// The files that were written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.open.iter().map(|open| open.path.clone()).collect()
    }

    /// Writes accepted records with the reply that accepted them. `places` are the records' places in their request;
    /// where there are none, they stand as the request has them. The system has them when this returns.
    pub(crate) fn write(
        &mut self,
        items: &[Prepared],
        places: &[usize],
        reply: Option<&Reply>,
    ) -> Result<(), FileError> {
        let body = self.columns.read(reply);
        for (number, item) in items.iter().enumerate() {
            let place = places.get(number).copied().unwrap_or(number);
            let (values, failure) = self.columns.values(&body, place, &item.record);
            if let Some(reason) = failure {
                self.unjoined.add(&item.record.position, &reason);
            }
            let index = self.file_of(&item.record.position.origin.shape)?;
            let Open {
                path, layout, file, ..
            } = &mut self.open[index];
            let row = layout.row(item.record.original(), self.columns.names(), &values);
            file.write_all(&row).map_err(|source| FileError {
                path: path.clone(),
                source,
            })?;
        }
        self.each(BufWriter::flush)
    }

    /// Puts everything written so far on disk.
    pub fn sync(&mut self) -> Result<(), FileError> {
        self.each(|file| file.flush().and_then(|()| file.get_ref().sync_data()))
    }

    /// What the user should know of values that are missing.
    pub fn warning(&self) -> Option<String> {
        let Unjoined { count, first } = &self.unjoined;
        let first = first.as_ref()?;
        Some(format!(
            "{count} accepted records lack values of their replies, the first of them because of {first}"
        ))
    }

    fn each(&mut self, act: impl Fn(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), FileError> {
        self.open.iter_mut().try_for_each(|open| {
            act(&mut open.file).map_err(|source| FileError {
                path: open.path.clone(),
                source,
            })
        })
    }

    fn file_of(&mut self, shape: &Shape) -> Result<usize, FileError> {
        if let Some(index) = self.open.iter().position(|open| open.shape == *shape) {
            return Ok(index);
        }
        let layout = Layout::of(shape, self.columns.names());
        let (path, file) = new_file::create(&self.stem, layout.extension())?;
        let mut file = BufWriter::new(file);
        file.write_all(&layout.header(self.columns.names()))
            .map_err(|source| FileError {
                path: path.clone(),
                source,
            })?;
        self.open.push(Open {
            shape: shape.clone(),
            path,
            layout,
            file,
        });
        Ok(self.open.len() - 1)
    }
}

impl Unjoined {
    fn add(&mut self, position: &Position, reason: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{position}: {reason}"));
    }
}

#[cfg(test)]
mod tests;
