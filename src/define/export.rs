//! An account as a file.

use super::{Contents, encharge, yaml, zuora};

/// The file that describes what an account has of its own. Keys are in a stable order, and applying it to the same
/// account finds nothing to do. It says nothing of the account: name that with `--account FILE`.
///
/// ```
/// # use outpour::define::{Definitions, export};
/// let text = "vendor: encharge\nperson_fields: {mrr: {title: MRR, type: number}}\n";
/// let definitions = Definitions::parse("people.yaml", text, &[])?;
/// assert_eq!(
///     export(definitions.contents()),
///     "vendor: encharge\nperson_fields:\n  mrr:\n    title: MRR\n    type: number\n"
/// );
/// # Ok::<(), outpour::document::Problems>(())
/// ```
pub fn export(contents: &Contents) -> String {
    let (vendor, entries) = match contents {
        Contents::Encharge(contents) => ("encharge", encharge::export(contents)),
        Contents::Zuora(contents) => ("zuora", zuora::export(contents)),
    };
    format!("vendor: {vendor}\n{}", yaml::entries(&entries, 0))
}
