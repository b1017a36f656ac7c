//! A look-alike in the vendor's place: what goes there, and what must not.

use super::MockPlace;
use super::making::Making;
use crate::template::{Catalog, Template};

impl Making<'_> {
    /// A mock of one vendor says nothing of another's endpoints.
    pub(super) fn refuse_other_vendor(&mut self, template: &Template, mock: &MockPlace) {
        let vendor = template.name.split('/').next().unwrap_or_default();
        if vendor != mock.vendor {
            let message = format!(
                "`--mock` looks like `{}`, and this is a template of `{vendor}`",
                mock.vendor
            );
            self.problem("destination.template", message);
        }
    }

    /// A manual URL of a host of the vendor's goes to the mock; any other would leave this machine.
    pub(super) fn point_at_mock(
        &mut self,
        path: &str,
        url: &mut String,
        mock: &MockPlace,
        catalog: &Catalog,
    ) {
        let bases = mock.bases(catalog);
        for (base, place) in &bases {
            if let Some(rest) = url.strip_prefix(base.as_str()).filter(|rest| begins_anew(rest)) {
                *url = format!("{place}{rest}");
                return;
            }
        }
        if !mock.hosts.values().any(|place| url.starts_with(place.as_str())) {
            let bases: Vec<String> = bases.iter().map(|(base, _)| format!("`{base}`")).collect();
            self.problem(
                path,
                format!("the mock stands in for {} only", bases.join(" and ")),
            );
        }
    }
}

/// Whether what follows a base URL is a part of its own, and not the rest of a longer host's name.
fn begins_anew(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}
