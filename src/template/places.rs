//! Where the keys of a template and of its vendor stand, for messages about them.

use std::sync::Arc;

use crate::document::{Document, Problem};

/// The documents of a template and its vendor. Without them a key is named by its path alone.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The template's document.
    pub(super) file: Option<Arc<Document>>,
    /// The vendor's document.
    pub(super) vendor: Option<Arc<Document>>,
}

impl Places {
    /// What is wrong with a key of the template, with its file and line.
    pub fn in_file(&self, path: &str, message: &str) -> String {
        located(self.file.as_deref(), path, message)
    }

    /// What is wrong with a key of the vendor, with its file and line.
    pub fn in_vendor(&self, path: &str, message: &str) -> String {
        located(self.vendor.as_deref(), path, message)
    }
}

fn located(document: Option<&Document>, path: &str, message: &str) -> String {
    match document {
        Some(document) => document.locate(vec![Problem::new(path, message)]).to_string(),
        None => format!("{path}: {message}"),
    }
}
