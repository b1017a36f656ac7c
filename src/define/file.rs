//! A file of definitions: read, checked whole, and what it wants.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Account, AccountConfig, Contents, EnchargeFile, ZuoraFile};
use crate::document::{Document, Problem, Problems, closest};
use crate::template::Catalog;

/// A file of definitions.
///
/// ```
/// use outpour::define::Definitions;
/// let text = "vendor: encharge\nobjects: {invoice: {singular: Invoice, plural: Invoices}}\n";
/// let definitions = Definitions::parse("invoice.yaml", text, &[])?;
/// definitions.check()?;
/// # Ok::<(), outpour::document::Problems>(())
/// ```
#[derive(Debug)]
pub struct Definitions {
    vendor: Vendor,
    account: AccountConfig,
    contents: Contents,
    document: Document,
    /// What breaks the vendor's rules.
    broken: Vec<Problem>,
}

/// The vendors whose definitions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Encharge.
    Encharge,
    /// Zuora.
    Zuora,
}

/// Either file, for its JSON Schema.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "Definitions for `outpour define`")]
pub enum DefinitionsFile {
    /// For Encharge.
    Encharge(EnchargeFile),
    /// For Zuora.
    Zuora(ZuoraFile),
}

/// Why a file of definitions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    /// The file cannot be read.
    #[error("the definitions `{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is wrong.
    #[error("{0}")]
    Wrong(#[from] Problems),
}

/// What both files can say about themselves.
trait Written: DeserializeOwned + JsonSchema {
    fn account(&self) -> &AccountConfig;
    fn contents(&self) -> Contents;
    fn broken(&self) -> Vec<Problem>;
}

impl Definitions {
    /// Reads a file, with `settings` (dotted path, YAML text) in place of what it says. Relative paths in it start from its
    /// own folder.
    pub fn load(path: &Path, settings: &[(String, String)]) -> Result<Self, DefinitionsError> {
        let text = read(path).map_err(|source| DefinitionsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut definitions = Self::parse(&path.display().to_string(), &text, settings)?;
        definitions
            .account
            .start_from(path.parent().unwrap_or(Path::new("")));
        Ok(definitions)
    }

    /// Reads a file's text; `name` is what messages call it.
    pub fn parse(name: &str, text: &str, settings: &[(String, String)]) -> Result<Self, Problems> {
        let mut document = Document::parse(name, text)?;
        for (key, value) in settings {
            document.set(key, value)?;
        }
        match vendor_of(&mut document)? {
            Vendor::Encharge => Self::read::<EnchargeFile>(Vendor::Encharge, document),
            Vendor::Zuora => Self::read::<ZuoraFile>(Vendor::Zuora, document),
        }
    }

    fn read<F: Written>(vendor: Vendor, document: Document) -> Result<Self, Problems> {
        let file: F = match document.typed() {
            Ok(file) => file,
            Err(problems) => return Err(with_rules::<F>(document, problems)),
        };
        Ok(Self {
            vendor,
            account: file.account().clone(),
            contents: file.contents(),
            broken: file.broken(),
            document,
        })
    }

    /// Checks the vendor's rules and limits, offline. Gives every problem at once, each with its line.
    pub fn check(&self) -> Result<(), Problems> {
        match self.broken.is_empty() {
            true => Ok(()),
            false => Err(self.document.locate(self.broken.clone())),
        }
    }

    /// Whose they are.
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// What they want.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        self.document.name()
    }

    /// Whether both files name the same credentials, in the same places.
    pub fn shares_credentials(&self, other: &Self) -> bool {
        self.account.credentials == other.account.credentials && self.account.headers == other.account.headers
    }

    /// The account that the file names, its secrets read. Connects to nothing.
    pub fn account(&self, catalog: &Catalog, allow_inline: bool) -> Result<Account, Problems> {
        let name = self.vendor.to_string();
        let opened = match catalog.vendor(&name) {
            Some(file) => Account::open(&self.account, self.vendor, file, allow_inline),
            None => Err(vec![Problem::new(
                "vendor",
                format!(
                    "no `vendor.yaml` of `{name}` is known: name a directory that has one with `--templates DIR`"
                ),
            )]),
        };
        opened.map_err(|problems| self.document.locate(problems))
    }
}

/// The text of a file of at most 16 MiB.
fn read(path: &Path) -> io::Result<String> {
    const MOST: u64 = 16 << 20;
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::other("it has more than 16 MiB")),
        false => Ok(text),
    }
}

/// The vendor that a file names. A List answer of Zuora's is known by its definitions.
fn vendor_of(document: &mut Document) -> Result<Vendor, Problems> {
    const NAMES: [(&str, Vendor); 2] = [("encharge", Vendor::Encharge), ("zuora", Vendor::Zuora)];
    let given = match document.value().get("vendor") {
        Some(given) => given.clone(),
        None if document.value().get("definitions").is_some() => {
            document.set("vendor", "zuora")?;
            return Ok(Vendor::Zuora);
        }
        None => Value::Null,
    };
    let known = NAMES.iter().find(|(name, _)| given == *name);
    let meant = given
        .as_str()
        .and_then(|given| closest(given, NAMES.map(|(name, _)| name)))
        .map(|meant| format!(", did you mean `{meant}`?"));
    match (known, given) {
        (Some((_, vendor)), _) => Ok(*vendor),
        (None, Value::Null) => Err(document.locate(vec![Problem::new(
            "",
            "`vendor` is missing: `encharge` or `zuora`",
        )])),
        (None, given) => {
            let message = format!(
                "{given} is neither `encharge` nor `zuora`{}",
                meant.unwrap_or_default()
            );
            Err(document.locate(vec![Problem::new("vendor", message)]))
        }
    }
}

/// What the schema finds, and what the rules find in the rest.
fn with_rules<F: Written>(document: Document, problems: Problems) -> Problems {
    let rest = document.without(&problems);
    let mut more = rest.typed::<F>().map(|file| file.broken()).unwrap_or_default();
    // What was left out for the rules' sake is not missing.
    more.retain(|rule| {
        let is_left_out = |problem: &Problem| {
            let key = problem.path.strip_prefix(rule.path.as_str());
            let key = key.and_then(|rest| rest.strip_prefix('.'));
            key.is_some_and(|key| rule.message.starts_with(&format!("`{key}` is missing")))
        };
        !problems.iter().any(is_left_out)
    });
    match more.is_empty() {
        true => problems,
        false => problems.and(rest.locate(more)),
    }
}

impl Written for EnchargeFile {
    fn account(&self) -> &AccountConfig {
        &self.account
    }

    fn contents(&self) -> Contents {
        Contents::Encharge(self.into())
    }

    fn broken(&self) -> Vec<Problem> {
        self.problems()
    }
}

impl Written for ZuoraFile {
    fn account(&self) -> &AccountConfig {
        &self.account
    }

    fn contents(&self) -> Contents {
        Contents::Zuora(self.into())
    }

    fn broken(&self) -> Vec<Problem> {
        self.problems()
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encharge => "encharge",
            Self::Zuora => "zuora",
        })
    }
}
