//! The catalog: every template there is, built in or the user's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::wiring::{problems_of, vendor_problems};
use super::{Places, Template, TemplateFile, VendorFile};
use crate::document::{Document, Problem, Problems, closest};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Every template by its name.
///
/// ```
/// let catalog = outpour::template::Catalog::built_in()?;
/// assert!(catalog.find("encharge/upsert-person").is_ok());
/// # Ok::<(), outpour::template::CatalogError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    vendors: BTreeMap<String, Slot<Vendor>>,
    templates: BTreeMap<String, Slot<Template>>,
}

/// The place of a file. A built-in one is read when it is first asked for: a run needs one template of one vendor at most,
/// and each costs the start of the program a millisecond.
#[derive(Debug, Clone)]
struct Slot<T> {
    path: PathBuf,
    text: &'static str,
    read: OnceLock<T>,
}

impl<T> Slot<T> {
    fn built_in(path: &Path, text: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            text,
            read: OnceLock::new(),
        }
    }

    fn theirs(value: T) -> Self {
        Self {
            path: PathBuf::new(),
            text: "",
            read: OnceLock::from(value),
        }
    }

    fn get(&self, read: impl FnOnce(&Path, &str) -> Result<T, CatalogError>) -> Result<&T, CatalogError> {
        if let Some(value) = self.read.get() {
            return Ok(value);
        }
        let value = read(&self.path, self.text)?;
        Ok(self.read.get_or_init(|| value))
    }
}

/// A vendor's file, and the text that it was read from.
#[derive(Debug, Clone)]
struct Vendor {
    file: Arc<VendorFile>,
    document: Arc<Document>,
}

/// Why a catalog could not be read, or has no such template.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A template or vendor file is wrong.
    #[error("{0}")]
    Document(Problems),
    /// A directory or file cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No template has the name.
    #[error("no template is named `{name}`{}", .meant.as_ref().map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The name most likely meant.
        meant: Option<String>,
    },
}

impl Catalog {
    /// The templates built into the binary.
    pub fn built_in() -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        let files = BUILT_IN.dirs().flat_map(Dir::files);
        for (path, text) in files.filter_map(|file| Some((file.path(), file.contents_utf8()?))) {
            if is_vendor(path) {
                let slot = Slot::built_in(path, text);
                catalog.vendors.insert(folder_of(path), slot);
            } else {
                let slot = Slot::built_in(path, text);
                catalog.templates.insert(name_of(path), slot);
            }
        }
        Ok(catalog)
    }

    /// The built-in templates and those of `directory`, which come first. Its layout is that of `templates/`.
    pub fn with_directory(directory: &Path) -> Result<Self, CatalogError> {
        let mut catalog = Self::built_in()?;
        catalog.add(read_directory(directory)?)?;
        Ok(catalog)
    }

    /// The template of that name.
    pub fn find(&self, name: &str) -> Result<&Template, CatalogError> {
        let slot = self.templates.get(name).ok_or_else(|| CatalogError::Unknown {
            name: name.to_owned(),
            meant: self.closest(name).map(ToOwned::to_owned),
        })?;
        self.read(slot)
    }

    /// The vendor of that name, which is its folder's.
    pub fn vendor(&self, name: &str) -> Option<&VendorFile> {
        // A built-in file can be read, the test suite sees to it; a user's was when the catalog was made.
        self.read_vendor(name)?.ok().map(|vendor| vendor.file.as_ref())
    }

    /// Every template, by name.
    pub fn templates(&self) -> Result<Vec<&Template>, CatalogError> {
        self.templates.values().map(|slot| self.read(slot)).collect()
    }

    fn read<'a>(&self, slot: &'a Slot<Template>) -> Result<&'a Template, CatalogError> {
        slot.get(|path, text| self.read_template(path, text, true))
    }

    fn read_vendor(&self, name: &str) -> Option<Result<&Vendor, CatalogError>> {
        let slot = self.vendors.get(name)?;
        Some(slot.get(|path, text| Vendor::read(path, text, true)))
    }

    /// A name without its vendor, or with a typing error, most likely means this template.
    fn closest(&self, name: &str) -> Option<&str> {
        let ends_so = |known: &&String| known.split('/').nth(1) == Some(name);
        let by_end = self.templates.keys().find(ends_so).map(String::as_str);
        by_end.or_else(|| closest(name, self.templates.keys().map(String::as_str)))
    }

    /// Adds the user's files. A vendor's file among them holds for the built-in templates of that vendor too, which are
    /// held against it.
    fn add(&mut self, files: Vec<(PathBuf, String)>) -> Result<(), CatalogError> {
        let (vendors, endpoints): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| is_vendor(path));
        for (path, text) in &vendors {
            let slot = Slot::theirs(Vendor::read(path, text, false)?);
            self.vendors.insert(folder_of(path), slot);
        }
        for (path, text) in endpoints {
            let template = self.read_template(&path, &text, false)?;
            self.templates.insert(name_of(&path), Slot::theirs(template));
        }
        let folders: BTreeSet<String> = vendors.iter().map(|(path, _)| folder_of(path)).collect();
        let is_theirs = |name: &&String| {
            folders
                .iter()
                .any(|folder| name.split('/').next() == Some(folder))
        };
        let built_in: Vec<String> = self.templates.keys().filter(is_theirs).cloned().collect();
        for name in built_in {
            self.find(&name)?;
        }
        Ok(())
    }

    fn read_template(&self, path: &Path, text: &str, is_built_in: bool) -> Result<Template, CatalogError> {
        let (file, document) = read::<TemplateFile>(path, text, is_built_in)?;
        let folder = folder_of(path);
        let wrong = |problems| CatalogError::Document(document.locate(problems));
        let Some(vendor) = self.read_vendor(&folder).transpose()? else {
            return Err(wrong(vec![Problem::new(
                "",
                format!("the folder `{folder}` has no `vendor.yaml`"),
            )]));
        };
        let problems = problems_of(&file, &vendor.file);
        if !problems.is_empty() && is_built_in {
            // The user's file of the vendor is what does not fit.
            return Err(CatalogError::Document(Problems::new(
                &format!("the template `{}`", name_of(path)),
                problems,
            )));
        }
        if !problems.is_empty() {
            return Err(wrong(problems));
        }
        Ok(Template {
            name: name_of(path),
            vendor: Arc::clone(&vendor.file),
            file,
            is_built_in,
            places: Places {
                vendor: Some(Arc::clone(&vendor.document)),
                file: Some(Arc::new(document)),
            },
        })
    }
}

impl Vendor {
    fn read(path: &Path, text: &str, is_built_in: bool) -> Result<Self, CatalogError> {
        let (vendor, document) = read::<VendorFile>(path, text, is_built_in)?;
        let problems: Vec<Problem> = vendor_problems(&vendor)
            .into_iter()
            .chain(vendor.problems())
            .collect();
        if !problems.is_empty() {
            return Err(CatalogError::Document(document.locate(problems)));
        }
        Ok(Self {
            file: Arc::new(vendor),
            document: Arc::new(document),
        })
    }
}

/// Reads a file. The test suite holds the built-in ones against the schema, so that no start of the program has to.
fn read<T: DeserializeOwned + JsonSchema>(
    path: &Path,
    text: &str,
    is_built_in: bool,
) -> Result<(T, Document), CatalogError> {
    let name = path.display().to_string();
    let read = || {
        let document = Document::parse(&name, text)?;
        let value = match is_built_in {
            true => document.deserialized()?,
            false => document.typed()?,
        };
        Ok((value, document))
    };
    read().map_err(CatalogError::Document)
}

fn folder_of(path: &Path) -> String {
    path.parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_vendor(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "vendor")
}

/// The name of the template in this file.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{}/{stem}", folder_of(path))
}

fn read_directory(directory: &Path) -> Result<Vec<(PathBuf, String)>, CatalogError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CatalogError::Unreadable { path, source }
    };
    let mut files = Vec::new();
    for vendor in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let vendor = vendor.map_err(unreadable(directory))?.path();
        if !vendor.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&vendor).map_err(unreadable(&vendor))? {
            let path = file.map_err(unreadable(&vendor))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml")
            {
                let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
                files.push((path, text));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the built-in files of Zuora with their credential renamed: the vendor's, and the templates if they are wanted.
    fn renamed(has_templates: bool) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("zuora");
        std::fs::create_dir(&folder).unwrap();
        for file in BUILT_IN.get_dir("zuora").unwrap().files() {
            let is_wanted = has_templates || is_vendor(file.path());
            if is_wanted {
                let text = file.contents_utf8().unwrap();
                let text = text.replace("credential: token", "credential: bearer");
                let text = text.replace("\n  token:\n", "\n  bearer:\n");
                std::fs::write(folder.join(file.path().file_name().unwrap()), text).unwrap();
            }
        }
        directory
    }

    #[test]
    fn every_built_in_vendor_can_be_read() {
        let catalog = Catalog::built_in().unwrap();
        assert!(catalog.vendors.len() > 1);
        assert!(catalog.vendors.keys().all(|name| catalog.vendor(name).is_some()));
    }

    #[test]
    fn a_vendor_file_of_the_users_holds_for_his_own_templates_in_place_of_the_built_in_ones() {
        let catalog = Catalog::with_directory(renamed(true).path()).unwrap();
        let template = catalog.find("zuora/create-records").unwrap();
        assert!(!template.is_built_in && template.vendor.credentials.contains_key("bearer"));
    }

    #[test]
    fn a_built_in_template_that_a_vendor_file_of_the_users_does_not_fit_is_named() {
        let error = Catalog::with_directory(renamed(false).path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the template `zuora/") && error.contains("token"),
            "{error}"
        );
    }
}
