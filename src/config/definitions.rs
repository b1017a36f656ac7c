//! The file of definitions of a plan.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::making::Making;
use crate::endpoint::Definitions;

/// The most bytes of the file.
const MOST: u64 = 16 << 20;

impl Making<'_> {
    pub(super) fn definitions(&mut self) -> Option<Definitions> {
        const PATH: &str = "destination.definitions";
        let path = self.config.destination.definitions.as_deref()?;
        let name = path.display().to_string();
        let text = read(path).map_err(|reason| format!("`{name}` cannot be read: {reason}"));
        let text = self.good(PATH, text)?;
        let definitions = self.good(PATH, Definitions::parse(&name, &text));
        self.definitions_text = Some(text);
        definitions
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    match text.len() as u64 > MOST {
        true => Err(format!("it has more than {} MiB", MOST >> 20)),
        false => Ok(text),
    }
}
