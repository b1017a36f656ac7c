//! The catalog: every template there is, built in or the user's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    vendors: BTreeMap<String, Arc<VendorFile>>,
    vendor_documents: BTreeMap<String, Arc<Document>>,
    templates: BTreeMap<String, Template>,
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
        let files = BUILT_IN
            .dirs()
            .flat_map(Dir::files)
            .filter_map(|file| Some((file.path().to_owned(), file.contents_utf8()?.to_owned())));
        catalog.add(files.collect(), true)?;
        Ok(catalog)
    }

    /// The built-in templates and those of `directory`, which come first. Its layout is that of `templates/`.
    pub fn with_directory(directory: &Path) -> Result<Self, CatalogError> {
        let mut catalog = Self::built_in()?;
        catalog.add(read_directory(directory)?, false)?;
        Ok(catalog)
    }

    /// The template of that name.
    pub fn find(&self, name: &str) -> Result<&Template, CatalogError> {
        self.templates.get(name).ok_or_else(|| CatalogError::Unknown {
            name: name.to_owned(),
            meant: self.closest(name).map(ToOwned::to_owned),
        })
    }

    /// The vendor of that name, which is its folder's.
    pub fn vendor(&self, name: &str) -> Option<&VendorFile> {
        self.vendors.get(name).map(AsRef::as_ref)
    }

    /// Every template, by name.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    /// A name without its vendor, or with a typing error, most likely means this template.
    fn closest(&self, name: &str) -> Option<&str> {
        let ends_so = |known: &&String| known.split('/').nth(1) == Some(name);
        let by_end = self.templates.keys().find(ends_so).map(String::as_str);
        by_end.or_else(|| closest(name, self.templates.keys().map(String::as_str)))
    }

    fn add(&mut self, files: Vec<(PathBuf, String)>, is_built_in: bool) -> Result<(), CatalogError> {
        let (vendors, endpoints): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|(path, _)| path.file_stem().is_some_and(|name| name == "vendor"));
        for (path, text) in vendors {
            let (vendor, document) = read::<VendorFile>(&path, &text, is_built_in)?;
            let problems: Vec<Problem> = vendor_problems(&vendor)
                .into_iter()
                .chain(vendor.problems())
                .collect();
            if !problems.is_empty() {
                return Err(CatalogError::Document(document.locate(problems)));
            }
            self.vendors.insert(folder_of(&path), Arc::new(vendor));
            self.vendor_documents.insert(folder_of(&path), Arc::new(document));
        }
        for (path, text) in endpoints {
            let template = self.read_template(&path, &text, is_built_in)?;
            self.templates.insert(template.name.clone(), template);
        }
        self.give_templates_their_vendors()
    }

    /// A vendor's file of the user's holds for the built-in templates of that vendor too.
    fn give_templates_their_vendors(&mut self) -> Result<(), CatalogError> {
        for template in self.templates.values_mut() {
            let folder = template.name.split('/').next().unwrap_or_default();
            let Some(vendor) = self.vendors.get(folder) else {
                continue;
            };
            let problems = problems_of(&template.file, vendor);
            if !problems.is_empty() {
                return Err(CatalogError::Document(Problems::new(
                    &format!("the template `{}`", template.name),
                    problems,
                )));
            }
            template.vendor = Arc::clone(vendor);
            template.places.vendor = self.vendor_documents.get(folder).cloned();
        }
        Ok(())
    }

    fn read_template(&self, path: &Path, text: &str, is_built_in: bool) -> Result<Template, CatalogError> {
        let (file, document) = read::<TemplateFile>(path, text, is_built_in)?;
        let folder = folder_of(path);
        let wrong = |problems| CatalogError::Document(document.locate(problems));
        let Some(vendor) = self.vendors.get(&folder) else {
            return Err(wrong(vec![Problem::new(
                "",
                format!("the folder `{folder}` has no `vendor.yaml`"),
            )]));
        };
        let problems = problems_of(&file, vendor);
        if !problems.is_empty() {
            return Err(wrong(problems));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Template {
            name: format!("{folder}/{stem}"),
            vendor: Arc::clone(vendor),
            file,
            is_built_in,
            places: Places {
                vendor: self.vendor_documents.get(&folder).cloned(),
                file: Some(Arc::new(document)),
            },
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
