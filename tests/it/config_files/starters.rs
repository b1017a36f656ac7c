//! `outpour init`: a starter for each template is a job that plans, and that previews the template's own example.

use outpour::config::Config;
use outpour::template::Catalog;

use super::{outpour, plan, succeed};

/// A starter with its confirmation, which stands in a comment so that nobody gives it unawares.
fn confirmed(text: &str) -> String {
    let is_confirmed = text.contains("# confirm: erase");
    let line = |line: &str| match line.trim_start().strip_prefix("# ") {
        Some(option) if is_confirmed && (option == "parameters:" || option == "confirm: erase") => {
            line.replacen("# ", "", 1)
        }
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_templates_starter_is_a_job() {
    let folder = tempfile::tempdir().unwrap();
    for template in Catalog::built_in().unwrap().templates().unwrap() {
        let text = confirmed(&succeed(outpour().args(["init", &template.name])));
        let (config, document) =
            Config::parse("starter.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        plan(&config, &document).unwrap_or_else(|problems| panic!("{problems}"));

        let job = folder.path().join("starter.yaml");
        let input = folder.path().join("records.ndjson");
        std::fs::write(&job, &text).unwrap();
        std::fs::write(&input, template.file.example.to_text()).unwrap();
        let shown = succeed(outpour().arg("preview").arg(&job).arg("--input").arg(&input));
        assert!(shown.contains(&template.file.method.to_string()), "{shown}");
    }
}

#[test]
fn what_a_starter_has_in_comments_is_valid_too() {
    for template in Catalog::built_in().unwrap().templates().unwrap() {
        let text = confirmed(&succeed(outpour().args(["init", &template.name])));
        let uncommented = text.lines().filter_map(|line| match line.strip_prefix("# ") {
            Some(option) if option.starts_with(' ') || option.trim_end().ends_with(':') => Some(option),
            Some(_) => None,
            None => Some(line),
        });
        let whole = uncommented.collect::<Vec<_>>().join("\n");
        assert!(whole.contains("exclude: [internal_id]"), "{whole}");
        let (config, document) =
            Config::parse("starter.yaml", &whole).unwrap_or_else(|problems| panic!("{problems}"));
        plan(&config, &document).unwrap_or_else(|problems| panic!("{problems}"));
    }
}
