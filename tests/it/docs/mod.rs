//! The project's documents, held to what the code and the binary do.

mod architecture;
mod contributing;
mod dependencies;
mod guarantees;
mod imports;
mod links;
mod markdown;
mod performance;
mod readme;
mod reliability;

use std::path::{Path, PathBuf};

/// A path of the project.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The text of a file of the project.
fn text(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// The files below a folder of the project whose names end so, as paths from its root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let relative = if folder == "." {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path(&relative).is_dir() {
            found.extend(files(&relative, ending));
        } else if name.ends_with(ending) {
            found.push(relative);
        }
    }
    found.sort();
    found
}
