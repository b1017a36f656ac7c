//! Documents: a wrong one is refused with its places, a right one becomes an endpoint or says why not.

use std::sync::{Arc, LazyLock};

use outpour::document::{self, Document, Problems};
use outpour::endpoint::{Endpoint, Parameters};
use outpour::template::{Catalog, Places, Template, TemplateFile, VendorFile};

static VENDOR: LazyLock<VendorFile> = LazyLock::new(|| {
    let catalog = Catalog::built_in().unwrap();
    catalog.vendor("encharge").unwrap().clone()
});

/// Reads a document as a template, and makes an endpoint of it if it is one.
pub(super) fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(problems) = Document::parse("fuzz.yaml", text) {
        check(&problems, text);
        return;
    }
    match document::parse::<TemplateFile>("fuzz.yaml", text) {
        Err(problems) => check(&problems, text),
        Ok((file, _)) => {
            let template = Template {
                name: "encharge/fuzz".to_owned(),
                vendor: Arc::new(VENDOR.clone()),
                file,
                is_built_in: false,
                places: Places::default(),
            };
            // Its expressions are compiled and not run: a template is trusted not to run for ever.
            if let Err(reason) = Endpoint::sample(&template, &Parameters::new()) {
                assert!(!template.vendor.hosts.contains_key(&template.file.host) || !reason.is_empty());
            }
        }
    }
}

fn check(problems: &Problems, text: &str) {
    // YAML ends a line at a bare CR too.
    let lines = text.matches(['\n', '\r']).count() as u64 + 1;
    assert!(problems.iter().count() > 0);
    for problem in problems.iter() {
        assert!(!problem.message.is_empty());
        assert!(
            problem.place.is_none_or(|place| place.line <= lines),
            "{problems}"
        );
    }
}
